// The program onfile-iso8583, which `onfile iso8583` runs: `lint` tells every mistake in a dialect
// file, `decode` shows a message field by field (docs/iso8583-dialects.md). It opens what it was
// given, then gives up files, network and user, and only then looks at a byte of it.
#include "base/buffer.h"
#include "base/cleanup.h"
#include "iso8583/explain.h"
#include "jail/jail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Exit statuses, as those of `onfile` (call.h).
enum { FOUND_MISTAKES = 1, BAD_USAGE = 2 };

enum { NOBODY = 65534, HEX_MAX = 64 * 1024, OUTPUT_MAX = 1024 * 1024 };

static const char usage[] =
        "onfile iso8583 lint FILE\n"
        "        every mistake in a dialect file: line, column, what to write instead\n"
        "onfile iso8583 decode --dialect NAME|FILE [HEX]\n"
        "        a message field by field; without HEX it is read from standard input\n";

static int fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(int status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)fputs("onfile iso8583: ", stderr);
	(void)vfprintf(stderr, format, arguments);
	(void)fputc('\n', stderr);
	va_end(arguments);
	return status;
}

// Everything up to the end, or to the buffer's limit.
static bool read_all(int fd, struct buffer *buffer)
{
	for (;;) {
		uint8_t *room = buffer_room(buffer, 4096);
		ssize_t got = room ? read(fd, room, 4096) : 0;
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		buffer_grew(buffer, (size_t)got);
	}
}

static bool read_file(const char *path, struct buffer *buffer)
{
	int fd cleanup(cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && read_all(fd, buffer);
}

static bool give_up_rights(void)
{
	const struct jail jail = { .user = geteuid() == 0 ? NOBODY : 0 };
	struct result result = jail_enter(&jail);

	if (!result_ok(result))
		fail(0, "cannot give up its rights: %s", result.detail);
	return result_ok(result);
}

// --- lint

static void print_mistake(void *context, const struct iso8583_mistake *mistake)
{
	if (mistake->line > 0)
		printf("%s:%zu:%zu: %s\n", (const char *)context, mistake->line, mistake->column,
		       mistake->text);
	else
		printf("%s: %s\n", (const char *)context, mistake->text);
}

// Not a mistake: a bank may want it so.
static void print_missing(void *context, const char *word, const char *lost)
{
	printf("%s: note: there is no place for %s: %s\n", (const char *)context, word, lost);
}

static int lint(int count, char **words)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct iso8583_mistake mistake;
	int fields = 0;

	if (count != 1)
		return fail(BAD_USAGE, "lint wants one FILE");
	buffer_init(&text, ISO8583_DIALECT_MAX + 4096);
	if (!read_file(words[0], &text))
		return fail(BAD_USAGE, "%s cannot be read: %s", words[0], strerror(errno));
	if (!give_up_rights())
		return FOUND_MISTAKES;
	size_t mistakes = iso8583_dialect_lint(buffer_view(&text), print_mistake, words[0]);
	if (mistakes > 0) {
		printf("%zu mistake%s\n", mistakes, mistakes == 1 ? "" : "s");
		return FOUND_MISTAKES;
	}
	if (!result_ok(iso8583_dialect_read(buffer_view(&text), &dialect, &mistake)))
		return fail(FOUND_MISTAKES, "%s", mistake.text);
	for (int i = 2; i <= ISO8583_FIELDS; i++)
		fields += dialect->fields[i].type != ISO8583_UNUSED;
	printf("%s: no mistake; dialect %s has %d fields\n", words[0], dialect->name, fields);
	iso8583_roles_missing(&dialect->roles, print_missing, words[0]);
	if (dialect->roles.edition == ISO8583_NO_EDITION)
		printf("%s: note: there is no line edition, so the driver can read with this "
		       "dialect but build no message of it\n",
		       words[0]);
	return 0;
}

// --- decode

static int hex_digit(uint8_t byte)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = byte ? strchr(digits, byte) : NULL;

	return at ? (int)((at - digits) % 16) : -1;
}

// Turns the digits into bytes, in place; spaces and line breaks between them are left out. What is
// wrong is told by its place only: the text may hold a card number.
static bool read_hex(struct buffer *text, struct bytes *ret_wire)
{
	size_t digits = 0;

	for (size_t i = 0; i < text->length; i++) {
		uint8_t byte = text->data[i];
		int digit = hex_digit(byte);
		if (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t')
			continue;
		if (digit < 0) {
			fail(0, "character %zu of the message is no hexadecimal digit", i + 1);
			return false;
		}
		uint8_t *to = &text->data[digits / 2];
		*to = (uint8_t)(digits % 2 == 0 ? digit << 4 : *to | digit);
		digits++;
	}
	if (digits % 2 == 1 || digits == 0) {
		fail(0, digits ? "the last byte of the message has one digit only"
		               : "there is no message");
		return false;
	}
	*ret_wire = bytes_from(text->data, digits / 2);
	return true;
}

// The dialect's text: a shipped one by its name, or else a file.
static bool find_text(const char *name, struct buffer *text)
{
	struct bytes shipped = iso8583_dialect_text(bytes_text(name));

	if (shipped.length > 0)
		buffer_put(text, shipped);
	else if (!read_file(name, text)) {
		fail(0, "%s is no dialect that comes with onfile, and no file: %s", name,
		     strerror(errno));
		return false;
	}
	return true;
}

static int show(struct bytes dialect_text, const char *name, struct buffer *hex)
{
	struct buffer output cleanup(buffer_done) = { 0 };
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct iso8583_mistake mistake;
	struct bytes wire;

	if (!result_ok(iso8583_dialect_read(dialect_text, &dialect, &mistake)))
		return fail(FOUND_MISTAKES, "%s has a mistake in line %zu: %s (`lint` tells all)",
		            name, mistake.line, mistake.text);
	if (!read_hex(hex, &wire))
		return BAD_USAGE;
	buffer_init(&output, OUTPUT_MAX);
	struct result result = iso8583_explain(dialect, wire, &output);
	(void)fwrite(output.data, 1, output.length, stdout);
	if (output.failed)
		return fail(FOUND_MISTAKES, "there is more than can be shown");
	return result_ok(result) ? 0 : FOUND_MISTAKES;
}

static int decode(int count, char **words)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	struct buffer hex cleanup(buffer_done) = { 0 };
	bool named = count > 1 && strcmp(words[0], "--dialect") == 0;

	if (!named || count > 3)
		return fail(BAD_USAGE,
		            "decode wants --dialect NAME|FILE, then the message or nothing");
	buffer_init(&text, ISO8583_DIALECT_MAX + 4096);
	buffer_init_secret(&hex, HEX_MAX);
	if (!find_text(words[1], &text))
		return BAD_USAGE;
	if (count == 3) {
		buffer_put(&hex, bytes_text(words[2]));
		explicit_bzero(words[2], strlen(words[2])); // others can see a program's words
	} else if (!read_all(STDIN_FILENO, &hex)) {
		return fail(BAD_USAGE, "standard input cannot be read: %s", strerror(errno));
	}
	if (hex.failed)
		return fail(BAD_USAGE, "the message is longer than any");
	if (!give_up_rights())
		return FOUND_MISTAKES;
	return show(buffer_view(&text), words[1], &hex);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "lint") == 0)
		return lint(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], "decode") == 0)
		return decode(argc - 2, argv + 2);
	(void)fputs(usage, stderr);
	return BAD_USAGE;
}
