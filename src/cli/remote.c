// The command as a client of the control sockets: connecting, one question, printing what comes.
#include "call.h"

#include "parent/parent.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OUT_LIMIT = 64 * 1024, WAIT_MS = 60000 };

bool cli_connect(const struct cli_call *call, const char *socket_name, enum wire_program peer,
                 struct wire_channel *ret_channel)
{
	const char *run = call->config.run;
	int folder cleanup(cleanup_fd) = open(run, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct sockaddr_un where = { .sun_family = AF_UNIX };

	*ret_channel = (struct wire_channel){ .fd = -1 };
	if (folder < 0) {
		cli_fail(0, "the folder %s (key run) cannot be opened: %m", run);
		return false;
	}
	parent_socket_path(folder, socket_name, where.sun_path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&where, sizeof(where)) == 0) {
		wire_channel_init(ret_channel, fd, WIRE_CLI, peer, OUT_LIMIT);
		ret_channel->in.secret = ret_channel->out.secret = true;
		return true;
	}
	if (errno == EACCES || errno == EPERM)
		cli_fail(0, "you may not use %s/%s; it takes %s", run, socket_name,
		         peer == WIRE_PARENT ? "root" : "the operator");
	else if (errno == ENOENT || errno == ECONNREFUSED)
		cli_fail(0, "onfile does not serve from %s; start `onfile serve` first", run);
	else
		cli_fail(0, "%s/%s cannot be reached: %m", run, socket_name);
	if (fd >= 0)
		close(fd);
	return false;
}

static bool wait_for(struct wire_channel *channel)
{
	struct pollfd fd = { .fd = channel->fd, .events = POLLIN };
	int ready;

	if (wire_channel_waiting(channel))
		fd.events |= POLLOUT;
	while ((ready = poll(&fd, 1, WAIT_MS)) < 0 && errno == EINTR)
		;
	return ready > 0;
}

struct result cli_ask(struct wire_channel *channel, struct wire_message *ret_message)
{
	bool got = false;

	for (;;) {
		TRY(wire_channel_flush(channel));
		TRY(wire_channel_next(channel, ret_message, &got));
		if (got)
			return RESULT_OK;
		if (!wait_for(channel))
			return FAIL(ERROR_LIMIT, "there was no answer for a minute");
		TRY(wire_channel_read(channel));
	}
}

void cli_put_argument(struct buffer *arguments, const char *name, const char *value)
{
	buffer_printf(arguments, "%s=%s", name, value);
	buffer_put_byte(arguments, 0);
}

// What comes may hold anything; a terminal gets no control characters from us.
void cli_print_line(uint64_t stream, struct bytes text)
{
	FILE *to = stream == 2 ? stderr : stdout;

	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.data[i];
		(void)fputc(c < 0x20 || c == 0x7f ? '?' : c, to);
	}
	(void)fputc('\n', to);
	(void)fflush(to);
}

int cli_command_to(const struct cli_call *call, const char *verb, struct bytes arguments,
                   struct bytes blob, void (*line)(void *owner, uint64_t stream, struct bytes text),
                   void *owner)
{
	struct wire_channel channel cleanup(wire_channel_done);
	struct wire_message message;

	if (!cli_connect(call, PARENT_OPERATOR_SOCKET, WIRE_CORE, &channel))
		return CLI_FAILED;
	struct result result = wire_channel_put(
	        &channel, WIRE_CLI_COMMAND,
	        (const struct wire_value[]){ [WIRE_CLI_COMMAND_VERB] = WIRE_B(bytes_text(verb)),
	                                     [WIRE_CLI_COMMAND_ARGUMENTS] = WIRE_B(arguments),
	                                     [WIRE_CLI_COMMAND_BLOB] = WIRE_B(blob) });
	while (result_ok(result) && result_ok(result = cli_ask(&channel, &message))) {
		if (message.row->number == WIRE_CLI_END)
			return (int)message.fields[WIRE_CLI_END_STATUS].number;
		line(owner, message.fields[WIRE_CLI_LINE_STREAM].number,
		     message.fields[WIRE_CLI_LINE_TEXT].bytes);
	}
	return cli_fail(CLI_FAILED, "core did not finish its answer: %s", result.detail);
}

static void print_line(void *owner, uint64_t stream, struct bytes text)
{
	(void)owner;
	cli_print_line(stream, text);
}

int cli_command(const struct cli_call *call, const char *verb, struct bytes arguments,
                struct bytes blob)
{
	return cli_command_to(call, verb, arguments, blob, print_line, NULL);
}

static void collect(void *owner, uint64_t stream, struct bytes text)
{
	struct buffer *lines = owner;

	if (stream == 1) {
		buffer_put(lines, text);
		buffer_put_byte(lines, '\n');
	} else {
		cli_print_line(stream, text);
	}
}

int cli_collect(const struct cli_call *call, const char *verb, struct bytes arguments,
                struct buffer *ret_lines)
{
	return cli_command_to(call, verb, arguments, BYTES_NONE, collect, ret_lines);
}

bool cli_status_text(const struct cli_call *call, struct buffer *ret_text)
{
	struct wire_channel channel cleanup(wire_channel_done);
	struct wire_message message;

	if (!cli_connect(call, PARENT_ROOT_SOCKET, WIRE_PARENT, &channel))
		return false;
	struct result result = wire_channel_put(&channel, WIRE_CLI_STATUS, NULL);
	if (result_ok(result))
		result = cli_ask(&channel, &message);
	if (!result_ok(result) || message.row->number != WIRE_CLI_STATUS_IS) {
		cli_fail(0, "the parent did not answer: %s", result.detail);
		return false;
	}
	buffer_put(ret_text, message.fields[WIRE_CLI_STATUS_IS_TEXT].bytes);
	return true;
}
