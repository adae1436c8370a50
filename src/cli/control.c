// Speaking to the control sockets, one message at a time.
#include "cli/cli.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { OUT_LIMIT = 128 * 1024, WAIT_MS = 30000 };

bool control_open(const struct command *command, const char *name, enum wire_program peer,
                  struct wire_channel *ret_channel)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int length = snprintf(address.sun_path, sizeof(address.sun_path), "%s/%s",
	                      command->config.run, name);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (length < 0 || (size_t)length >= sizeof(address.sun_path) || fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
		fprintf(stderr,
		        "onfile: %s cannot be reached (%m): does `onfile serve` run, and may "
		        "you?\n",
		        address.sun_path);
		if (fd >= 0)
			close(fd);
		return false;
	}
	wire_channel_init(ret_channel, fd, WIRE_CLI, peer, OUT_LIMIT);
	return true;
}

static bool wait_for(const struct wire_channel *channel, short events)
{
	struct pollfd one = { .fd = channel->fd, .events = events };

	if (poll(&one, 1, WAIT_MS) > 0)
		return true;
	fprintf(stderr, "onfile: no answer\n");
	return false;
}

bool control_send(struct wire_channel *channel, enum wire_number number,
                  const struct wire_value *values)
{
	struct result result = wire_channel_put(channel, number, values);

	while (result_ok(result) && wire_channel_waiting(channel)) {
		result = wire_channel_flush(channel);
		if (wire_channel_waiting(channel) && !wait_for(channel, POLLOUT))
			return false;
	}
	if (!result_ok(result))
		fprintf(stderr, "onfile: %s\n", result.detail);
	return result_ok(result);
}

bool control_receive(struct wire_channel *channel, struct wire_message *ret_message)
{
	bool got = false;

	for (;;) {
		struct result result = wire_channel_next(channel, ret_message, &got);
		if (result_ok(result) && got)
			return true;
		if (result_ok(result) && !wait_for(channel, POLLIN))
			return false;
		if (result_ok(result))
			result = wire_channel_read(channel);
		if (!result_ok(result)) {
			fprintf(stderr, "onfile: %s\n", result.detail);
			return false;
		}
	}
}

int control_command(const struct command *command, const char *verb, struct bytes arguments,
                    struct bytes blob)
{
	struct wire_channel channel;
	struct wire_message message;
	int status = 1;
	const struct wire_value values[] = { [WIRE_CLI_COMMAND_VERB] = WIRE_B(bytes_text(verb)),
		                             [WIRE_CLI_COMMAND_ARGUMENTS] = WIRE_B(arguments),
		                             [WIRE_CLI_COMMAND_BLOB] = WIRE_B(blob) };

	if (!control_open(command, "operator.sock", WIRE_CORE, &channel))
		return 1;
	bool good = control_send(&channel, WIRE_CLI_COMMAND, values);
	while (good && control_receive(&channel, &message)) {
		if (message.row->number == WIRE_CLI_END) {
			status = (int)message.fields[WIRE_CLI_END_STATUS].number;
			break;
		}
		struct bytes text = message.fields[WIRE_CLI_LINE_TEXT].bytes;
		fprintf(message.fields[WIRE_CLI_LINE_STREAM].number == 2 ? stderr : stdout,
		        "%.*s\n", (int)text.length, (const char *)text.data);
	}
	wire_channel_done(&channel);
	return status;
}
