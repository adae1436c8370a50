// driver-iso8583: `--describe`, `--check`, or the loop over standard input, standard output and the
// line.
#include "driver.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/memory.h"
#include "jail/jail.h"
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_LIMIT 65536
#define OUTPUT_LIMIT (16u << 20)
// Above this much unread output no more requests are read.
#define OUTPUT_PAUSE (1u << 20)

static int describe(void)
{
	cleanup(buffer_done) struct buffer text;

	buffer_init(&text, 65536);
	parameters_describe(&text);
	if (!result_ok(buffer_result(&text)))
		return 1;
	return fwrite(text.data, 1, text.length, stdout) == text.length && fflush(stdout) == 0 ? 0
	                                                                                       : 1;
}

// Works on every whole line that has been read. A failure ends the program.
static struct result take_lines(struct driver *driver)
{
	size_t taken = 0;

	for (;;) {
		struct bytes rest = buffer_view(&driver->input);
		rest = bytes_slice(rest, taken, rest.length);
		size_t length = bytes_find(rest, '\n');
		if (length > LINE_LIMIT)
			return FAIL(ERROR_LIMIT, "a line is longer than 64 KiB");
		if (length == rest.length)
			break;
		driver_read_line(driver, bytes_from(rest.data, length));
		taken += length + 1;
	}
	buffer_drop(&driver->input, taken);
	return RESULT_OK;
}

static struct result read_input(struct driver *driver)
{
	uint8_t *room = buffer_room(&driver->input, LINE_LIMIT);

	if (!room)
		return FAIL(ERROR_LIMIT, "a line is longer than 64 KiB");
	ssize_t got = read(STDIN_FILENO, room, LINE_LIMIT);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN
		               ? RESULT_OK
		               : FAIL(ERROR_SYSTEM, "standard input cannot be read");
	if (got == 0) {
		driver->input_over = true;
		return RESULT_OK;
	}
	buffer_grew(&driver->input, (size_t)got);
	return take_lines(driver);
}

static struct result write_output(struct driver *driver)
{
	struct buffer *output = &driver->output;

	if (output->failed)
		return FAIL(ERROR_LIMIT, "standard output is not read");
	if (output->length == 0)
		return RESULT_OK;
	ssize_t written = write(STDOUT_FILENO, output->data, output->length);
	if (written < 0)
		return errno == EINTR || errno == EAGAIN
		               ? RESULT_OK
		               : FAIL(ERROR_CLOSED, "standard output is closed");
	buffer_drop(output, (size_t)written);
	return RESULT_OK;
}

// One whose deadline is over. Our own messages end with what the line makes of that. True: a line
// may have broken, and with it others have ended.
static bool give_up_late_one(struct driver *driver, struct flight_entry *entry)
{
	struct line *line = entry->line;
	enum operation operation = entry->operation;

	if (entry->state == FLIGHT_WRITING) {
		// The rest must not be written any more, so nothing can be.
		line_break(driver, line, "the bank did not take all of a message in time");
		return true;
	}
	driver_give_up(driver, entry,
	               entry->state == FLIGHT_QUEUED
	                       ? "the deadline was over before anything was sent"
	               : entry->unreadable_before != driver->unreadable
	                       ? "no answer by the deadline, but messages that cannot be read"
	                       : "no answer by the deadline");
	if (operation == OP_LINE)
		line_unanswered(driver, line);
	else if (operation == OP_PROBE)
		line_break(driver, line, "the bank did not answer the verification");
	return operation == OP_LINE || operation == OP_PROBE;
}

static void give_up_late_ones(struct driver *driver)
{
	struct flight *flight = &driver->flight;

	if (flight->earliest_ms > driver->now_ms)
		return;
	for (struct flight_entry *entry = flight->live.first, *next; entry; entry = next) {
		next = entry->after;
		if (entry->deadline_ms <= driver->now_ms && give_up_late_one(driver, entry))
			next = flight->live.first;
	}
	flight->earliest_ms = INT64_MAX;
	for (struct flight_entry *entry = flight->live.first; entry; entry = entry->after)
		if (entry->deadline_ms < flight->earliest_ms)
			flight->earliest_ms = entry->deadline_ms;
}

// All lines: those of the connection, then that of a test.
static struct line *line_at(struct driver *driver, size_t i)
{
	size_t count = (size_t)driver->parameters.lines;

	return i < count ? &driver->lines[i] : i == count ? &driver->probe.line : NULL;
}

// How long poll() may wait, for the nearest deadline or timer.
static int wait_ms(struct driver *driver, int64_t tick_ms)
{
	int64_t wait = 60000;
	struct line *line;

	for (size_t i = 0; (line = line_at(driver, i)); i++)
		if (line->timer_ms - tick_ms < wait)
			wait = line->timer_ms - tick_ms;
	if (driver->flight.earliest_ms - driver->now_ms < wait)
		wait = driver->flight.earliest_ms - driver->now_ms;
	if (driver->probe.id && driver->probe.deadline_ms - driver->now_ms < wait)
		wait = driver->probe.deadline_ms - driver->now_ms;
	return wait < 0 ? 0 : (int)wait;
}

static void turn_lines(struct driver *driver, const struct pollfd *fds)
{
	int64_t tick_ms = clock_monotonic_ms();
	struct line *line;

	for (size_t i = 0; (line = line_at(driver, i)); i++) {
		int fd;
		line_events(line, &fd);
		line_turn(driver, line, fd >= 0 && fds[i].fd == fd ? fds[i].revents : 0, tick_ms);
	}
	// What one line's answer queued on another leaves now.
	for (size_t i = 0; (line = line_at(driver, i)); i++)
		if (line->fd >= 0 && line->first && line->state != LINE_CONNECTING)
			line_flush(driver, line);
}

static void sign_off_all(struct driver *driver)
{
	struct line *line;

	for (size_t i = 0; (line = line_at(driver, i)); i++)
		if (line->state < LINE_SIGNING_OFF)
			line_sign_off(driver, line);
}

static struct result turn(struct driver *driver)
{
	struct pollfd fds[3 + LINES_MAX];
	struct line *line;
	size_t count = 2;

	fds[0] = (struct pollfd){ .fd = driver->input_over || driver->output.length > OUTPUT_PAUSE
		                                ? -1
		                                : STDIN_FILENO,
		                  .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = driver->output.length > 0 ? STDOUT_FILENO : -1,
		                  .events = POLLOUT };
	for (size_t i = 0; (line = line_at(driver, i)); i++, count++) {
		fds[count] = (struct pollfd){ 0 };
		fds[count].events = line_events(line, &fds[count].fd);
	}
	driver->now_ms = clock_wall_ms();
	if (poll(fds, count, wait_ms(driver, clock_monotonic_ms())) < 0 && errno != EINTR)
		return FAIL(ERROR_SYSTEM, "poll");
	driver->now_ms = clock_wall_ms();
	give_up_late_ones(driver);
	probe_expire(driver);
	flight_forget(&driver->flight, driver->now_ms);
	if (fds[0].revents)
		TRY(read_input(driver));
	turn_lines(driver, fds + 2);
	secret_wipe_stack();
	if (driver->input_over && driver->flight.live.count == 0 && !driver->probe.id)
		sign_off_all(driver);
	return write_output(driver);
}

static bool finished(struct driver *driver)
{
	struct line *line;

	if (!driver->input_over || driver->output.length > 0)
		return false;
	for (size_t i = 0; (line = line_at(driver, i)); i++)
		if (line->state != LINE_OVER)
			return false;
	return true;
}

// Answers must not block the line: a pipe or socket of ours is made non-blocking.
static void prepare_output(void)
{
	struct stat status;

	if (fstat(STDOUT_FILENO, &status) == 0 &&
	    (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

static int run(struct driver *driver)
{
	struct result result = take_lines(driver);

	for (size_t i = 0; i < (size_t)driver->parameters.lines; i++)
		driver->lines[i].timer_ms = 0; // now
	while (result_ok(result) && !finished(driver))
		result = turn(driver);
	while (driver->flight.live.first)
		driver_give_up(driver, driver->flight.live.first, "the driver stops");
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "stopped", LOG_RESULT(result));
		(void)!write(STDOUT_FILENO, driver->output.data, driver->output.length);
	}
	return result_ok(result) ? 0 : 2;
}

// What the driver reads files for is done; it has its lines, its pipes and the clock.
static struct result enter_jail(const struct driver *driver)
{
	struct addresses literal;
	bool names = !resolve_literal(driver->parameters.host, 1, &literal);

	return jail_enter(
	        &(struct jail){ .allow = JAIL_DIAL | (names ? JAIL_RESOLVE | JAIL_THREADS : 0),
	                        .files = 32 + 2 * LINES_MAX });
}

static int start_and_run(bool check)
{
	static struct driver driver;
	int status = 2;

	flight_init(&driver.flight);
	buffer_init_secret(&driver.input, 4 * LINE_LIMIT);
	buffer_init(&driver.output, OUTPUT_LIMIT);
	for (size_t i = 0; i < LINES_MAX; i++)
		line_init(&driver.lines[i], false);
	line_init(&driver.probe.line, true);
	driver.probe.line.state = LINE_OVER;
	driver.probe.line.timer_ms = INT64_MAX;
	struct result result = check ? driver_check(&driver) : driver_start(&driver);
	if (result_ok(result) && !check) {
		result = enter_jail(&driver);
		if (!result_ok(result))
			log_event(LOG_ERROR, "no_jail", LOG_RESULT(result));
	}
	if (result_ok(result))
		status = check ? 0 : run(&driver);
	else if (result.error == ERROR_CLOSED)
		status = 0;
	for (size_t i = 0; i < LINES_MAX; i++)
		line_done(&driver.lines[i]);
	probe_done(&driver.probe);
	flight_done(&driver.flight);
	buffer_done(&driver.input);
	buffer_done(&driver.output);
	tls_context_free(driver.tls);
	mac_free(driver.mac);
	parameters_done(&driver.parameters);
	return status;
}

int main(int argc, char **argv)
{
	log_init("driver-iso8583");
	if (argc == 2 && strcmp(argv[1], "--describe") == 0)
		return describe();
	bool check = argc == 2 && strcmp(argv[1], "--check") == 0;
	if (argc != 1 && !check) {
		fputs("usage: driver-iso8583 [--describe|--check]\n", stderr);
		return 2;
	}
	if (getenv("ONFILE_DRIVER_DEBUG"))
		log_set_level(LOG_DEBUG);
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(secret_malloc, secret_free);
	struct result result = crypto_use_wiping_memory();
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_wiping_memory", LOG_RESULT(result));
		return 1;
	}
	prepare_output();
	// These open files when they are first used, which will be refused then.
	tzset();
	json_object_seed(0);
	tls_prepare();
	return start_and_run(check);
}
