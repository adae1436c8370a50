// The start of a driver: the first line of standard input, the parameters in it, and the files that
// they name, all read before the sandbox closes.
#include "driver.h"

#include "base/cleanup.h"
#include "base/log.h"
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
	buffer_printf(sentence,
	              "The file of the parameter %s cannot be read by this driver's user: %s.",
	              name, text->failed ? "it is longer than 1 MiB" : strerror(errno));
	return false;
}

static struct result make_tls(struct driver *driver, struct buffer *sentence)
{
	const struct parameters *parameters = &driver->parameters;
	const char *authorities = parameters->ca_file[0] ? parameters->ca_file : SYSTEM_AUTHORITIES;
	cleanup(buffer_done) struct buffer ca, certificate, key;

	buffer_init(&ca, FILE_LIMIT);
	buffer_init(&certificate, FILE_LIMIT);
	buffer_init_secret(&key, FILE_LIMIT);
	if (!read_file("ca_file", authorities, &ca, sentence) ||
	    !read_file("client_certificate", parameters->certificate, &certificate, sentence) ||
	    !read_file("client_key", parameters->key, &key, sentence))
		return FAIL(ERROR_SYSTEM, "a file cannot be read");
	const struct tls_options options = {
		.authorities = buffer_view(&ca),
		.certificate = buffer_view(&certificate),
		.key = buffer_view(&key),
		.minimum = parameters->tls_1_3 ? TLS_1_3 : TLS_1_2,
	};
	struct result result = tls_client_context(&options, &driver->tls);
	if (!result_ok(result))
		buffer_printf(sentence, "TLS cannot be set up: %s.", result.detail);
	return result;
}

static struct result use_first_line(struct driver *driver, const json_t *json,
                                    struct buffer *sentence)
{
	if (json_integer_value(json_object_get(json, "contract")) != 1) {
		buffer_put_text(sentence, "The first line is not of contract 1.");
		return FAIL(ERROR_INPUT, "another contract");
	}
	TRY(parameters_read(json_object_get(json, "parameters"), &driver->parameters, sentence));
	struct result result = line_check_host(driver);
	if (!result_ok(result)) {
		buffer_put_text(sentence, result.detail);
		return result;
	}
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
