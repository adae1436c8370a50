// driver-iso8583: `--describe`, or the loop over standard input, standard output and the line.
#include "driver.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "jail/jail.h"

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
		TRY(driver_read_line(driver, bytes_from(rest.data, length)));
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

static void give_up_late_ones(struct driver *driver)
{
	struct flight *flight = &driver->flight;
	struct flight_entry *next;

	if (flight->earliest_ms > driver->now_ms)
		return;
	for (struct flight_entry *entry = flight->live.first; entry; entry = next) {
		next = entry->after;
		if (entry->deadline_ms > driver->now_ms)
			continue;
		if (entry->state == FLIGHT_WRITING) {
			// The rest must not be written any more, so nothing can be.
			line_break(driver, "the bank did not take all of a message in time");
			break;
		}
		if (entry->operation == OP_LINE) {
			line_unqueue(&driver->line, entry);
			flight_remove(flight, entry);
			line_unanswered(driver);
			break;
		}
		driver_give_up(
		        driver, entry,
		        entry->state == FLIGHT_QUEUED
		                ? "the deadline was over before anything was sent"
		        : entry->unreadable_before != driver->line.unreadable
		                ? "no answer by the deadline, but messages that cannot be read"
		                : "no answer by the deadline");
	}
	flight->earliest_ms = INT64_MAX;
	for (struct flight_entry *entry = flight->live.first; entry; entry = entry->after)
		if (entry->deadline_ms < flight->earliest_ms)
			flight->earliest_ms = entry->deadline_ms;
}

// How long poll() may wait, for the nearest deadline or timer.
static int wait_ms(const struct driver *driver, int64_t tick_ms)
{
	int64_t wait = 60000;

	if (driver->started && driver->line.timer_ms - tick_ms < wait)
		wait = driver->line.timer_ms - tick_ms;
	if (driver->flight.earliest_ms - driver->now_ms < wait)
		wait = driver->flight.earliest_ms - driver->now_ms;
	return wait < 0 ? 0 : (int)wait;
}

static struct result turn(struct driver *driver)
{
	struct pollfd fds[3] = {
		{ .fd = driver->input_over || driver->output.length > OUTPUT_PAUSE ? -1
		                                                                   : STDIN_FILENO,
		  .events = POLLIN },
		{ .fd = driver->line.fd, .events = line_events(&driver->line) },
		{ .fd = driver->output.length > 0 ? STDOUT_FILENO : -1, .events = POLLOUT },
	};

	driver->now_ms = clock_wall_ms();
	if (poll(fds, 3, wait_ms(driver, clock_monotonic_ms())) < 0 && errno != EINTR)
		return FAIL(ERROR_SYSTEM, "poll");
	driver->now_ms = clock_wall_ms();
	give_up_late_ones(driver);
	flight_forget(&driver->flight, driver->now_ms);
	if (fds[0].revents)
		TRY(read_input(driver));
	if (driver->started)
		line_turn(driver, fds[1].fd == driver->line.fd ? fds[1].revents : 0,
		          clock_monotonic_ms());
	secret_wipe_stack();
	if (driver->input_over && driver->flight.live.count == 0 &&
	    driver->line.state < LINE_SIGNING_OFF)
		line_sign_off(driver);
	return write_output(driver);
}

static bool finished(const struct driver *driver)
{
	return driver->input_over && (!driver->started || driver->line.state == LINE_OVER) &&
	       driver->output.length == 0;
}

// Answers must not block the line: a pipe or socket of ours is made non-blocking.
static void prepare_output(void)
{
	struct stat status;

	if (fstat(STDOUT_FILENO, &status) == 0 &&
	    (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
		fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
}

static int run(void)
{
	static struct driver driver;
	struct result result = RESULT_OK;

	flight_init(&driver.flight);
	line_init(&driver.line);
	buffer_init_secret(&driver.input, 4 * LINE_LIMIT);
	buffer_init(&driver.output, OUTPUT_LIMIT);
	while (result_ok(result) && !finished(&driver))
		result = turn(&driver);
	while (driver.flight.live.first)
		driver_give_up(&driver, driver.flight.live.first, "the driver stops");
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "stopped", LOG_RESULT(result));
		(void)!write(STDOUT_FILENO, driver.output.data, driver.output.length);
	}
	line_done(&driver.line);
	flight_done(&driver.flight);
	buffer_done(&driver.input);
	buffer_done(&driver.output);
	iso8583_dialect_free(driver.parameters.dialect);
	return result_ok(result) ? 0 : 2;
}

int main(int argc, char **argv)
{
	log_init("driver-iso8583");
	if (argc == 2 && strcmp(argv[1], "--describe") == 0)
		return describe();
	if (argc != 1) {
		fputs("usage: driver-iso8583 [--describe]\n", stderr);
		return 2;
	}
	if (getenv("ONFILE_DRIVER_DEBUG"))
		log_set_level(LOG_DEBUG);
	signal(SIGPIPE, SIG_IGN);
	json_set_alloc_funcs(secret_malloc, secret_free);
	prepare_output();
	// These open files when they are first used, which will be refused then.
	tzset();
	json_object_seed(0);
	struct result result = jail_enter(&(struct jail){ .allow = JAIL_DIAL, .files = 16 });
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_jail", LOG_RESULT(result));
		return 1;
	}
	return run();
}
