// Reading and writing the keyring file.
#include "vault/keyring_file.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4096, CHECK_BYTES = 8 };

static const char file_name[] = "keyring";
static const char new_name[] = "keyring.new";
static const char first_line[] = "onfile keyring 1\n";

#define DAMAGED FAIL(ERROR_INPUT, "the keyring file is damaged")

static void put_check(struct buffer *buffer, struct bytes root)
{
	uint8_t tag[CRYPTO_SHA256];

	crypto_hmac(root, BYTES_LITERAL("onfile keyring check"), tag);
	hex_put(buffer, bytes_from(tag, CHECK_BYTES));
}

static void put_line(struct buffer *buffer, size_t number, struct bytes root)
{
	buffer_printf(buffer, "%zu ", number);
	base64url_put(buffer, root);
	buffer_put_byte(buffer, ' ');
	put_check(buffer, root);
	buffer_put_byte(buffer, '\n');
}

static struct result check_owner(int file)
{
	struct stat status;

	if (fstat(file, &status) != 0)
		return FAIL(ERROR_SYSTEM, "the keyring file cannot be looked at");
	if (!S_ISREG(status.st_mode) || (status.st_mode & 077) != 0)
		return FAIL(ERROR_DENIED, "the keyring file must be mode 0600");
	if (status.st_uid != geteuid() && status.st_uid != 0)
		return FAIL(ERROR_DENIED, "the keyring file belongs to another user");
	return RESULT_OK;
}

static struct result read_whole(int file, struct buffer *buffer)
{
	for (;;) {
		uint8_t *room = buffer_room(buffer, 512);
		if (!room)
			return DAMAGED;
		ssize_t got = read(file, room, 512);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return FAIL(ERROR_SYSTEM, "the keyring file cannot be read");
		if (got == 0)
			return RESULT_OK;
		buffer_grew(buffer, (size_t)got);
	}
}

// A line is read by writing what it must be: the key is the only part that is not known.
static struct result read_line(struct bytes line, struct vault_roots *roots)
{
	cleanup(buffer_done) struct buffer expected;
	cleanup(buffer_done) struct buffer key;
	size_t from = bytes_find(line, ' ') + 1;

	buffer_init_secret(&expected, 256);
	buffer_init_secret(&key, VAULT_ROOT);
	if (roots->count == VAULT_VERSIONS_MAX)
		return DAMAGED;
	struct bytes text =
	        bytes_slice(line, from, bytes_find(bytes_slice(line, from, line.length), ' '));
	if (!result_ok(base64url_read(text, &key)) || key.length != VAULT_ROOT)
		return DAMAGED;
	put_line(&expected, roots->count + 1, buffer_view(&key));
	if (!bytes_equal(line, buffer_view(&expected)))
		return DAMAGED;
	memcpy(vault_root(roots, roots->count++), key.data, VAULT_ROOT);
	return RESULT_OK;
}

static struct result read_lines(struct bytes text, struct vault_roots *roots)
{
	roots->count = 0;
	if (!bytes_start_with(text, first_line))
		return DAMAGED;
	text = bytes_slice(text, strlen(first_line), text.length);
	while (text.length > 0) {
		size_t end = bytes_find(text, '\n') + 1;
		TRY(read_line(bytes_slice(text, 0, end), roots));
		text = bytes_slice(text, end, text.length);
	}
	return roots->count > 0 ? RESULT_OK : DAMAGED;
}

struct result vault_roots_read(int folder, struct vault_roots *roots)
{
	cleanup(cleanup_fd) int file = openat(folder, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup(buffer_done) struct buffer text;

	CHECK(roots->keys.capacity >= VAULT_VERSIONS_MAX * VAULT_ROOT);
	buffer_init_secret(&text, FILE_MAX);
	if (file < 0 && errno == ENOENT)
		return FAIL(ERROR_NOT_FOUND, "there is no keyring file");
	if (file < 0)
		return FAIL(ERROR_SYSTEM, "the keyring file cannot be opened");
	TRY(check_owner(file));
	TRY(read_whole(file, &text));
	return read_lines(buffer_view(&text), roots);
}

static bool write_whole(int file, struct bytes text)
{
	while (text.length > 0) {
		ssize_t put = write(file, text.data, text.length);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		text = bytes_slice(text, (size_t)put, text.length);
	}
	return fsync(file) == 0;
}

// rename() replaces; link() does not, so that two first starts cannot both win.
static bool put_in_place(int folder, bool replace)
{
	if (replace)
		return renameat(folder, new_name, folder, file_name) == 0;
	bool linked = linkat(folder, new_name, folder, file_name, 0) == 0;
	unlinkat(folder, new_name, 0);
	return linked;
}

struct result vault_roots_write(int folder, const struct vault_roots *roots, bool replace)
{
	cleanup(buffer_done) struct buffer text;

	buffer_init_secret(&text, FILE_MAX);
	buffer_put_text(&text, first_line);
	for (size_t i = 0; i < roots->count; i++)
		put_line(&text, i + 1, bytes_from(vault_root(roots, i), VAULT_ROOT));
	TRY(buffer_result(&text));
	unlinkat(folder, new_name, 0); // what a start that was cut off left behind
	cleanup(cleanup_fd) int file =
	        openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0 || !write_whole(file, buffer_view(&text)))
		return FAIL(ERROR_SYSTEM, "the keyring file cannot be written");
	if (!put_in_place(folder, replace))
		return FAIL(errno == EEXIST ? ERROR_STATE : ERROR_SYSTEM,
		            "the keyring file cannot be put in place");
	if (fsync(folder) != 0)
		return FAIL(ERROR_SYSTEM, "the keyring's folder cannot be made durable");
	return RESULT_OK;
}
