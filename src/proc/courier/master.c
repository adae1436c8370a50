// The file: one line of what it is, one line with the key as base64url. See master.h.
#include "master.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 256 };

static const char file_name[] = "webhooks";
static const char new_name[] = "webhooks.new";
static const char first_line[] = "onfile webhooks 1\n";

#define DAMAGED FAIL(ERROR_INPUT, "the file of the webhooks' key is damaged")

static struct result read_master(int folder, uint8_t *ret_master)
{
	cleanup(cleanup_fd) int file = openat(folder, file_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	cleanup(buffer_done) struct buffer key = { 0 };
	char text[FILE_MAX];
	struct stat about;

	if (file < 0)
		return errno == ENOENT ? FAIL(ERROR_NOT_FOUND, "there is no key for webhooks yet")
		                       : FAIL(ERROR_SYSTEM,
		                              "the file of the webhooks' key cannot be opened");
	if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || (about.st_mode & 077) != 0)
		return FAIL(ERROR_DENIED, "the file of the webhooks' key must be mode 0600");
	ssize_t length = read(file, text, sizeof(text));
	size_t head = sizeof(first_line) - 1;
	buffer_init_secret(&key, WEBHOOK_MASTER_BYTES);
	bool good = length > (ssize_t)head + 1 && memcmp(text, first_line, head) == 0 &&
	            text[length - 1] == '\n' &&
	            result_ok(base64url_read(bytes_from(text + head, (size_t)length - head - 1),
	                                     &key)) &&
	            key.length == WEBHOOK_MASTER_BYTES;
	if (good)
		memcpy(ret_master, key.data, key.length);
	explicit_bzero(text, sizeof(text));
	return good ? RESULT_OK : DAMAGED;
}

static bool write_new(int folder, struct bytes text)
{
	unlinkat(folder, new_name, 0); // what a start that was cut off left behind
	cleanup(cleanup_fd) int file =
	        openat(folder, new_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	return file >= 0 && write(file, text.data, text.length) == (ssize_t)text.length &&
	       fsync(file) == 0;
}

// link() does not replace: of two first starts one wins.
static struct result make_master(int folder)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	uint8_t master[WEBHOOK_MASTER_BYTES];

	crypto_random(master, sizeof(master));
	buffer_init_secret(&text, FILE_MAX);
	buffer_put_text(&text, first_line);
	base64url_put(&text, BYTES_ARRAY(master));
	buffer_put_byte(&text, '\n');
	explicit_bzero(master, sizeof(master));
	if (!write_new(folder, buffer_view(&text)))
		return FAIL(ERROR_SYSTEM, "the file of the webhooks' key cannot be written");
	bool linked = linkat(folder, new_name, folder, file_name, 0) == 0 || errno == EEXIST;
	unlinkat(folder, new_name, 0);
	if (!linked || fsync(folder) != 0)
		return FAIL(ERROR_SYSTEM, "the file of the webhooks' key cannot be put in place");
	return RESULT_OK;
}

struct result master_open(int folder, uint8_t ret_master[static WEBHOOK_MASTER_BYTES])
{
	struct result result = read_master(folder, ret_master);

	if (result.error != ERROR_NOT_FOUND)
		return result;
	TRY(make_master(folder));
	return read_master(folder, ret_master);
}
