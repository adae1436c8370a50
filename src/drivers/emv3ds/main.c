// driver-emv3ds: the requestor's end of 3-D Secure (the part of a 3DS Server that talks to the
// directory server). One thread, one loop: lines in, calls, lines out. The operations are in
// directory.c, authenticate.c and results.c; the contract is docs/drivers.md.

#include "driver.h"

#include "emv3ds/build.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "tls/look.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/random.h>

enum { IN_MAX = 4 * LINE_MAX_BYTES, OUT_MAX = 64 * LINE_MAX_BYTES, MAX_OPEN = 4096 };

static const struct {
	const char *op;
	void (*start)(const struct request *request);
} operations[] = {
	{ "versions", versions_start },
	{ "authenticate", authenticate_start },
	{ "results", results_start },
	{ "test", test_start },
};

void driver_uuid(char ret_uuid[static EMV3DS_ID + 1])
{
	uint8_t b[16];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		abort();
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(ret_uuid, EMV3DS_ID + 1,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	         b[15]);
}

void driver_answer(struct driver *driver, json_int_t id, const char *outcome, json_t *more)
{
	json_t *answer = json_pack("{s:I,s:s}", "id", id, "outcome", outcome);

	// jansson writes members in the order in which they came, so "id" is the first.
	if (answer && more)
		json_object_update(answer, more);
	json_decref(more);
	if (!result_ok(emv3ds_write(answer, &driver->out)))
		driver->output_broken = true; // half a line went in: nothing after it could be read
	buffer_put_byte(&driver->out, '\n');
	json_decref(answer);
}

void driver_answer_detail(struct driver *driver, json_int_t id, const char *outcome,
                          const char *detail)
{
	driver_answer(driver, id, outcome, json_pack("{s:s}", "detail", detail));
}

void driver_tell_state(struct driver *driver, const char *state, const char *detail)
{
	json_t *line;

	if (driver->state && strcmp(driver->state, state) == 0)
		return;
	driver->state = state;
	line = json_pack("{s:i,s:s}", "id", 0, "state", state);
	if (line && *detail)
		json_object_set_new(line, "detail", json_string(detail));
	if (!result_ok(emv3ds_write(line, &driver->out)))
		driver->output_broken = true;
	buffer_put_byte(&driver->out, '\n');
	json_decref(line);
}

static void start_request(struct request *request)
{
	const char *op = emv3ds_text(request->line, "op");
	struct driver *driver = request->driver;

	if (calls_open(driver->calls) >= MAX_OPEN) {
		driver_answer_detail(driver, request->id, "not_sent", "too many requests are open");
		return;
	}
	if (request->deadline_ms <= clock_wall_ms()) {
		driver_answer_detail(driver, request->id, "not_sent", "the deadline is over");
		return;
	}
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		if (strcmp(operations[i].op, op) == 0) {
			operations[i].start(request);
			return;
		}
	}
	driver_answer_detail(driver, request->id, "not_sent",
	                     "this driver does not have this operation");
}

static void take_line(struct driver *driver, struct bytes line)
{
	json_error_t error;
	struct request request = { .driver = driver };

	request.line =
	        json_loadb((const char *)line.data, line.length, JSON_REJECT_DUPLICATES, &error);
	// jansson quotes the text around a mistake, which may be a card number.
	explicit_bzero(&error, sizeof(error));
	request.id = json_integer_value(json_object_get(request.line, "id"));
	request.deadline_ms = json_integer_value(json_object_get(request.line, "deadline_ms"));
	if (request.id > 0)
		start_request(&request);
	else
		log_event(LOG_WARN, "line_unreadable");
	json_decref(request.line);
	secret_wipe_stack();
}

// Takes the whole lines that are in the buffer. False when one is longer than a line may be.
static bool take_lines(struct driver *driver)
{
	struct bytes rest = buffer_view(&driver->in);
	size_t end;

	while ((end = bytes_find(rest, '\n')) < rest.length) {
		struct bytes line = bytes_slice(rest, 0, end);

		rest = bytes_slice(rest, end + 1, rest.length);
		if (line.length)
			take_line(driver, line);
	}
	buffer_drop(&driver->in, driver->in.length - rest.length);
	return driver->in.length <= LINE_MAX_BYTES;
}

static struct result read_input(struct driver *driver)
{
	uint8_t *room = buffer_room(&driver->in, LINE_MAX_BYTES);
	ssize_t got;

	if (!room)
		return FAIL(ERROR_LIMIT, "a line is too long");
	got = read(STDIN_FILENO, room, LINE_MAX_BYTES);
	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? RESULT_OK
		                                         : FAIL(ERROR_SYSTEM, "input broke");
	driver->input_over = got == 0;
	buffer_grew(&driver->in, (size_t)got);
	return take_lines(driver) ? RESULT_OK : FAIL(ERROR_LIMIT, "a line is too long");
}

static void write_output(struct driver *driver)
{
	while (driver->out.length) {
		ssize_t put = write(STDOUT_FILENO, driver->out.data, driver->out.length);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			driver->vault_gone |= errno == EPIPE;
			driver->output_broken |= errno != EAGAIN && errno != EPIPE;
			return;
		}
		buffer_drop(&driver->out, (size_t)put);
	}
}

// The first line, read byte by byte so that not one byte of the next is taken.
static struct result read_parameters(struct driver *driver, const char **ret_name)
{
	cleanup(buffer_done) struct buffer line = { 0 };
	uint8_t byte;
	ssize_t got;

	buffer_init_secret(&line, LINE_MAX_BYTES);
	while ((got = read(STDIN_FILENO, &byte, 1)) == 1 && byte != '\n')
		buffer_put_byte(&line, byte);
	if (got != 1 || line.failed)
		return FAIL(ERROR_INPUT, "there is no line of parameters");
	return parameters_read(buffer_view(&line), &driver->parameters, ret_name);
}

// What an operator should know of the values, before they are sealed: docs/drivers.md, `--check`.
static int check(struct driver *driver)
{
	static const struct tls_names names = { "ca", "certificate", "key" };
	struct parameters *parameters = &driver->parameters;
	struct buffer text cleanup(buffer_done) = { 0 };
	struct buffer answer cleanup(buffer_done) = { 0 };
	int64_t now_ms = clock_wall_ms();
	const char *name = "";

	buffer_init(&text, 2048);
	buffer_init(&answer, LINE_MAX_BYTES);
	struct result result = read_parameters(driver, &name);
	struct tls_brought brought = { 0 };
	if (result_ok(result))
		brought = (struct tls_brought){ bytes_text(parameters->ca),
			                        bytes_text(parameters->certificate),
			                        bytes_text(parameters->key) };
	else
		buffer_printf(&text, "The parameter %s: %s.", name, result.detail);
	bool good = result_ok(result) && tls_look(&brought, &names, now_ms, &text);
	bool soon = good && tls_text_ends_soon(brought.certificate, "certificate:", now_ms,
	                                       CERTIFICATE_DAYS, &text);
	json_t *said = good ? json_pack("{s:[]}", "notes")
	                    : json_pack("{s:s}", "problem", buffer_text(&text));
	if (soon)
		json_array_append_new(json_object_get(said, "notes"),
		                      json_string(buffer_text(&text)));
	result = emv3ds_write(said, &answer);
	json_decref(said);
	return result_ok(result) && puts(buffer_text(&answer)) >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

static bool is_over(const struct driver *driver)
{
	return driver->output_broken || (driver->input_over && !driver->waiting &&
	                                 calls_open(driver->calls) == 0 && driver->out.length == 0);
}

static struct result run(struct driver *driver)
{
	while (!is_over(driver)) {
		struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { STDOUT_FILENO, 0, 0 } };
		bool full = driver->out.length > OUT_MAX / 2;

		directory_tick(driver, clock_monotonic_ms());
		write_output(driver);
		if (driver->out.length)
			fds[1].events = POLLOUT;
		if (driver->input_over || full)
			fds[0].fd = -1;
		// poll() passes over a descriptor of -1; libcurl is not to see it.
		calls_wait(driver->calls, fds[0].fd < 0 ? fds + 1 : fds, fds[0].fd < 0 ? 1 : 2,
		           is_over(driver) ? 0 : directory_wait_ms(driver, clock_monotonic_ms()));
		if (fds[1].revents & (POLLERR | POLLHUP))
			driver->vault_gone = true;
		if (fds[0].fd >= 0 && fds[0].revents)
			TRY(read_input(driver));
		calls_run(driver->calls);
		write_output(driver);
	}
	return RESULT_OK;
}

static int serve(struct driver *driver)
{
	const char *name = "";
	struct result result = read_parameters(driver, &name);

	if (!result_ok(result)) {
		log_event(LOG_ERROR, "parameters", LOG_RESULT(result), LOG_TEXT("field", name));
		return 1;
	}
	result = calls_new(&driver->parameters, &driver->calls);
	if (result_ok(result)) {
		fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
		fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
		log_event(LOG_INFO, "ready");
		result = run(driver);
	}
	if (!result_ok(result))
		log_event(LOG_ERROR, "stopped", LOG_RESULT(result));
	return result_ok(result) && !driver->output_broken ? 0 : 1;
}

static int describe(void)
{
	cleanup(buffer_done) struct buffer text = { 0 };

	buffer_init(&text, LINE_MAX_BYTES);
	if (!result_ok(parameters_describe(&text)))
		return 1;
	puts(buffer_text(&text));
	return 0;
}

int main(int argc, char **argv)
{
	struct driver driver = { 0 };
	int status;

	log_init("driver-emv3ds");
	if (!result_ok(calls_prepare()))
		return 1;
	if (argc == 2 && strcmp(argv[1], "--describe") == 0)
		return describe();
	bool checks = argc == 2 && strcmp(argv[1], "--check") == 0;
	if (argc != 1 && !checks) {
		fputs("usage: driver-emv3ds [--describe|--check]\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_DUMPABLE, 0); // no core file: lines hold card numbers
	buffer_init_secret(&driver.in, IN_MAX);
	buffer_init(&driver.out, OUT_MAX);
	status = checks ? check(&driver) : serve(&driver);
	directory_done(&driver);
	calls_free(driver.calls);
	buffer_done(&driver.in);
	buffer_done(&driver.out);
	parameters_done(&driver.parameters);
	return status;
}
