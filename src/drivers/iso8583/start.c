// The start of a driver: the first line of standard input, the parameters in it, and the files that
// they name, all read before the sandbox closes.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "tls/look.h"
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

#define FIRST_LINE_LIMIT 65536
#define FILE_LIMIT (1u << 20)
#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

// Reads until there is a whole line. ERROR_CLOSED: the input ended before.
static struct result read_first_line(struct driver *driver, size_t *ret_length)
{
	for (;;) {
		struct bytes so_far = buffer_view(&driver->input);
		*ret_length = bytes_find(so_far, '\n');
		if (*ret_length < so_far.length)
			return RESULT_OK;
		uint8_t *room = so_far.length < FIRST_LINE_LIMIT
		                        ? buffer_room(&driver->input, FIRST_LINE_LIMIT)
		                        : NULL;
		if (!room)
			return FAIL(ERROR_LIMIT, "the first line is longer than 64 KiB");
		ssize_t got = read(STDIN_FILENO, room, FIRST_LINE_LIMIT);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return FAIL(ERROR_CLOSED, "the input ended before its first line");
		buffer_grew(&driver->input, (size_t)got);
	}
}

// A file of a parameter; an empty path is an empty text.
static bool read_file(const char *name, const char *path, struct buffer *text,
                      struct buffer *sentence)
{
	int fd cleanup(cleanup_fd) = path[0] ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	ssize_t got = 1;

	while (fd >= 0 && got > 0) {
		uint8_t *room = buffer_room(text, 16384);
		got = room ? read(fd, room, 16384) : -1;
		buffer_grew(text, got > 0 ? (size_t)got : 0);
	}
	if (!path[0] || (fd >= 0 && got == 0))
		return true;
	bool denied = !text->failed && errno == EACCES;
	buffer_printf(sentence,
	              "The file of the parameter %s cannot be read by this driver's user: %s.%s",
	              name, text->failed ? "it is longer than 1 MiB" : strerror(errno),
	              denied ? " Give it to that user (chown): `onfile connection show` says "
	                       "which, once the connection is there without this parameter."
	                     : "");
	return false;
}

// What TLS is made of.
struct texts {
	struct buffer ca, certificate, key;
};

static void texts_done(struct texts *texts)
{
	buffer_done(&texts->ca);
	buffer_done(&texts->certificate);
	buffer_done(&texts->key);
}

// Reads the files of the parameters. False: the sentence says which cannot be read.
static bool read_texts(const struct parameters *parameters, struct texts *texts,
                       struct buffer *sentence)
{
	const char *authorities = parameters->ca_file[0] ? parameters->ca_file : SYSTEM_AUTHORITIES;

	buffer_init(&texts->ca, FILE_LIMIT);
	buffer_init(&texts->certificate, FILE_LIMIT);
	buffer_init_secret(&texts->key, FILE_LIMIT);
	return read_file("ca_file", authorities, &texts->ca, sentence) &&
	       read_file("client_certificate", parameters->certificate, &texts->certificate,
	                 sentence) &&
	       read_file("client_key", parameters->key, &texts->key, sentence);
}

static struct result make_tls(struct driver *driver, struct buffer *sentence)
{
	const struct parameters *parameters = &driver->parameters;
	struct texts texts cleanup(texts_done) = { 0 };

	if (!read_texts(parameters, &texts, sentence))
		return FAIL(ERROR_SYSTEM, "a file cannot be read");
	const struct tls_options options = {
		.authorities = buffer_view(&texts.ca),
		.certificate = buffer_view(&texts.certificate),
		.key = buffer_view(&texts.key),
		.minimum = parameters->tls_1_3 ? TLS_1_3 : TLS_1_2,
	};
	struct result result = tls_client_context(&options, &driver->tls);
	if (!result_ok(result))
		buffer_printf(sentence, "TLS cannot be set up: %s.", result.detail);
	return result;
}

// The parameters of the first line, without the files that they name.
static struct result read_parameters(struct driver *driver, const json_t *json,
                                     struct buffer *sentence)
{
	if (json_integer_value(json_object_get(json, "contract")) != 1) {
		buffer_put_text(sentence, "The first line is not of contract 1.");
		return FAIL(ERROR_INPUT, "another contract");
	}
	TRY(parameters_read(json_object_get(json, "parameters"), &driver->parameters, sentence));
	struct result result = line_check_host(driver);
	if (!result_ok(result))
		buffer_put_text(sentence, result.detail);
	return result;
}

static struct result use_first_line(struct driver *driver, const json_t *json,
                                    struct buffer *sentence)
{
	TRY(read_parameters(driver, json, sentence));
	driver->mac = mac_new(&driver->parameters);
	return driver->parameters.tls ? make_tls(driver, sentence) : RESULT_OK;
}

struct result driver_start(struct driver *driver)
{
	cleanup(cleanup_json) json_t *json = NULL;
	cleanup(buffer_done) struct buffer sentence;
	size_t length;

	buffer_init(&sentence, 2048);
	TRY(read_first_line(driver, &length));
	json = json_loadb((const char *)driver->input.data, length, JSON_REJECT_DUPLICATES, NULL);
	buffer_drop(&driver->input, length + 1);
	struct result result = use_first_line(driver, json, &sentence);
	if (result_ok(result))
		return RESULT_OK;
	driver_tell_state(driver, "down", buffer_text(&sentence));
	log_event(LOG_ERROR, "bad_parameters", LOG_TEXT("detail", buffer_text(&sentence)));
	(void)!write(STDOUT_FILENO, driver->output.data, driver->output.length);
	return result;
}

// --- `--check`

// Files, and what is in them. Notes about what ends soon go into the list.
static struct result look_at_files(struct driver *driver, struct buffer *sentence, json_t *notes)
{
	static const struct tls_names names = { "ca_file", "client_certificate", "client_key" };
	struct texts texts cleanup(texts_done) = { 0 };
	struct buffer soon cleanup(buffer_done) = { 0 };
	int64_t now_ms = clock_wall_ms();

	if (!read_texts(&driver->parameters, &texts, sentence))
		return FAIL(ERROR_SYSTEM, "a file cannot be read");
	const struct tls_brought brought = { buffer_view(&texts.ca),
		                             buffer_view(&texts.certificate),
		                             buffer_view(&texts.key) };
	if (!tls_look(&brought, &names, now_ms, sentence))
		return FAIL(ERROR_INPUT, "a file is not as it should be");
	TRY(make_tls(driver, sentence));
	buffer_init(&soon, 1024);
	if (tls_text_ends_soon(brought.certificate, "client_certificate:", now_ms, CERTIFICATE_DAYS,
	                       &soon))
		json_array_append_new(notes, json_string(buffer_text(&soon)));
	return RESULT_OK;
}

static void note_missing(void *context, const char *word, const char *lost)
{
	json_array_append_new(context,
	                      json_sprintf("the dialect has no place for %s: %s", word, lost));
}

// A secret that stays as it is is not in the line; what goes together with it is not judged then.
static void leave_out_kept(json_t *json)
{
	json_t *parameters = json_object_get(json, "parameters");
	const json_t *name;
	size_t index;

	json_array_foreach(json_object_get(json, "kept"), index,
	                   name) if (json_is_string(name) &&
	                             strcmp(json_string_value(name), "mac_key") == 0)
	        json_object_del(parameters, "mac");
}

struct result driver_check(struct driver *driver)
{
	cleanup(cleanup_json) json_t *json = NULL, *answer = json_object(), *notes = json_array();
	cleanup(buffer_done) struct buffer sentence;
	size_t length;

	CHECK(answer && notes);
	buffer_init(&sentence, 2048);
	TRY(read_first_line(driver, &length));
	json = json_loadb((const char *)driver->input.data, length, JSON_REJECT_DUPLICATES, NULL);
	leave_out_kept(json);
	struct result result = read_parameters(driver, json, &sentence);
	if (result_ok(result) && driver->parameters.tls)
		result = look_at_files(driver, &sentence, notes);
	if (result_ok(result))
		iso8583_roles_missing(&driver->parameters.dialect->roles, note_missing, notes);
	if (result_ok(result))
		json_object_set(answer, "notes", notes);
	else
		json_object_set_new(answer, "problem", json_string(buffer_text(&sentence)));
	return json_dumpf(answer, stdout, JSON_COMPACT) == 0 && fflush(stdout) == 0
	               ? RESULT_OK
	               : FAIL(ERROR_SYSTEM, "the answer cannot be written");
}
