// What a driver prints comes from a program that may be anything: it has its time, its sandbox and
// a limit. Values for it, secrets among them, go to it through a pipe.
#include "run_driver.h"

#include "parent/launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, END_MS = 2000, STEP = 16 * 1024 };
enum { LINE_MAX = 48 * 1024, SAID_MAX = 64 * 1024 };

// Reads until the end, not longer than it may take.
static bool read_all(int fd, struct buffer *text)
{
	int64_t until_ms = clock_monotonic_ms() + ANSWER_MS;

	for (;;) {
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int64_t wait = until_ms - clock_monotonic_ms();
		if (wait <= 0 || poll(&poller, 1, (int)wait) <= 0)
			return false;
		uint8_t *room = buffer_room(text, STEP);
		ssize_t got = room ? read(fd, room, STEP) : -1;
		if (got <= 0)
			return got == 0;
		buffer_grew(text, (size_t)got);
	}
}

// Waits for its end, which is not to be long after the end of its output.
static bool ended_well(pid_t pid)
{
	int process cleanup(cleanup_fd) = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd poller = { .fd = process, .events = POLLIN };
	int status = -1;

	if (process < 0 || poll(&poller, 1, END_MS) <= 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	kill(-pid, SIGKILL); // what it left behind
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// A pipe with the input in it, and its end closed. -1: there is no pipe, or the input is longer
// than it holds.
static int pipe_with(struct bytes input)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return -1;
	bool good = write(ends[1], input.data, input.length) == (ssize_t)input.length;
	close(ends[1]);
	// The program is not to see that the pipe was not blocking.
	if (good && fcntl(ends[0], F_SETFL, 0) == 0)
		return ends[0];
	close(ends[0]);
	return -1;
}

bool cli_run_driver(const struct cli_run *run, struct buffer *ret_text)
{
	int input cleanup(cleanup_fd) = run->input.length > 0 ? pipe_with(run->input) : -1;
	int output[2];

	if ((run->input.length > 0 && input < 0) || pipe2(output, O_CLOEXEC) != 0)
		return false;
	pid_t pid = launch(&(struct launch){ .program = run->program,
	                                     .folder = -1,
	                                     .name = run->name,
	                                     .argument = run->argument,
	                                     .input = input,
	                                     .output = output[1],
	                                     .channel = -1,
	                                     .user = run->user,
	                                     .foreign = run->foreign });
	close(output[1]);
	bool good = pid > 0 && read_all(output[0], ret_text);
	close(output[0]);
	if (pid > 0 && !good)
		kill(-pid, SIGKILL);
	return pid > 0 && ended_well(pid) && good;
}

// --- what it thinks of values

static void put_json(struct buffer *line, const struct cli_json *value)
{
	switch (value->kind) {
	case CLI_JSON_TRUE: buffer_put_text(line, "true"); break;
	case CLI_JSON_FALSE: buffer_put_text(line, "false"); break;
	case CLI_JSON_NUMBER: buffer_put_text(line, value->text); break;
	default: json_put_text(line, bytes_text(value->text ? value->text : "")); break;
	}
}

// The value that a parameter will have; NULL: none, or one that only vault knows.
static const struct cli_json *value_of(const struct cli_checked *checked, const char *name)
{
	const struct cli_json *value = cli_json_member(checked->given, name);

	if (!value)
		value = cli_json_member(checked->before, name);
	return value && value->kind != CLI_JSON_NULL && value->kind <= CLI_JSON_TEXT ? value : NULL;
}

// Is it among the values that stay as vault has them?
static bool is_kept(const struct cli_checked *checked, const char *name)
{
	struct bytes rest = checked->kept;

	while (rest.length > 0) {
		size_t length = bytes_find(rest, ' ');
		if (bytes_equal_text(bytes_slice(rest, 0, length), name))
			return !cli_json_member(checked->given, name);
		rest = bytes_slice(rest, length + 1, rest.length);
	}
	return false;
}

// The driver's first line, as it will be, and the names of what is missing in it.
static void put_line(struct buffer *line, const struct cli_checked *checked)
{
	const struct cli_driver *driver = checked->driver;
	const char *between = "";

	buffer_put_text(line, "{\"contract\":1,\"parameters\":{");
	for (int i = 0; i < driver->count; i++) {
		const struct cli_json *value = value_of(checked, driver->parameters[i].name);
		if (!value)
			continue;
		buffer_put_text(line, between);
		json_put_text(line, bytes_text(driver->parameters[i].name));
		buffer_put_byte(line, ':');
		put_json(line, value);
		between = ",";
	}
	buffer_put_text(line, "},\"kept\":[");
	between = "";
	for (int i = 0; i < driver->count; i++) {
		if (!is_kept(checked, driver->parameters[i].name))
			continue;
		buffer_put_text(line, between);
		json_put_text(line, bytes_text(driver->parameters[i].name));
		between = ",";
	}
	buffer_put_text(line, "]}\n");
}

// The driver's own words, for a terminal.
static void say(FILE *to, const char *before, const char *text)
{
	(void)fputs(before, to);
	for (const char *c = text; *c; c++)
		(void)fputc((unsigned char)*c < 0x20 || *c == 0x7f ? '?' : *c, to);
	(void)fputc('\n', to);
}

static bool judge(const struct cli_checked *checked, struct bytes said)
{
	static struct cli_document document;
	struct result result = cli_json_read(said, &document);
	const struct cli_json *root = &document.nodes[0];
	const char *problem = result_ok(result) ? cli_json_text(root, "problem") : NULL;
	const struct cli_json *notes = result_ok(result) ? cli_json_member(root, "notes") : NULL;

	if (!result_ok(result) || root->kind != CLI_JSON_OBJECT)
		cli_fail(0, "what the driver %s says of the values cannot be read",
		         checked->driver->name);
	else if (problem)
		say(stderr, "onfile: ", problem);
	bool good = result_ok(result) && root->kind == CLI_JSON_OBJECT && !problem;
	for (const struct cli_json *one = notes && good ? notes->first : NULL; one; one = one->next)
		if (one->kind == CLI_JSON_TEXT)
			say(stdout, "note: ", one->text);
	cli_document_done(&document);
	return good;
}

bool cli_driver_check(const struct cli_call *call, const struct cli_checked *checked)
{
	struct buffer line cleanup(buffer_done) = { 0 };
	struct buffer said cleanup(buffer_done) = { 0 };
	struct jail_foreign foreign;
	char title[CLI_DRIVER_NAME_MAX + sizeof("driver-")];

	if (!checked->driver->checks)
		return true;
	buffer_init_secret(&line, LINE_MAX);
	buffer_init(&said, SAID_MAX);
	put_line(&line, checked);
	(void)snprintf(title, sizeof(title), "driver-%s", checked->driver->name);
	int program cleanup(cleanup_fd) = cli_driver_open(call, checked->driver->name);
	if (program < 0)
		return false;
	if (!line.failed && result_ok(jail_foreign_read(checked->grants, &foreign)) &&
	    cli_run_driver(&(struct cli_run){ .program = program,
	                                      .name = title,
	                                      .argument = "--check",
	                                      .user = checked->user,
	                                      .foreign = &foreign,
	                                      .input = buffer_view(&line) },
	                   &said))
		return judge(checked, buffer_view(&said));
	cli_fail(0, "the driver %s did not look at the values when it was called with --check",
	         checked->driver->name);
	return false;
}
