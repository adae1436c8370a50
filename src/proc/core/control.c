// The operator's control socket: the verbs of the `onfile` command that core answers. One client,
// one command, some lines, an exit status. Who may connect is a matter of the socket's owner and
// mode. The verbs themselves are in control_*.c, a file for each area.
#include "core/control.h"

#include "base/check.h"
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { OUT_LIMIT = 1024 * 1024, CLIENTS_MAX = 32 };

struct control_client {
	struct control_client *next;
	struct core *core;
	struct wire_channel channel;
	uv_poll_t poll;
	int64_t number;
	bool ended; // the exit status was written; the client hangs up
	bool closing;
};

struct control {
	uv_poll_t *poll;
	int fd;
	struct control_client *clients;
	int64_t next_number;
	int count;
};

struct control *control_new(struct core *core)
{
	struct control *control = calloc(1, sizeof(*control));

	(void)core;
	CHECK(control);
	control->fd = -1;
	return control;
}

// --- saying things

void control_say(struct control_client *client, int stream, const char *format, ...)
{
	char text[4000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct result result = wire_channel_put(
	        &client->channel, WIRE_CLI_LINE,
	        (const struct wire_value[]){ [WIRE_CLI_LINE_STREAM] = WIRE_N(stream),
	                                     [WIRE_CLI_LINE_TEXT] = WIRE_B(bytes_text(text)) });
	if (!result_ok(result))
		client->closing = true;
}

void control_count(int64_t count, char ret_text[static CONTROL_COUNT])
{
	snprintf(ret_text, CONTROL_COUNT, "%lld%s", (long long)count,
	         count == CONTROL_COUNTED ? " or more" : "");
}

void control_blob(struct control_client *client, int64_t connection, struct bytes driver,
                  struct bytes blob)
{
	struct result result = wire_channel_put(
	        &client->channel, WIRE_CLI_BLOB,
	        (const struct wire_value[]){ [WIRE_CLI_BLOB_CONNECTION] = WIRE_N(connection),
	                                     [WIRE_CLI_BLOB_DRIVER] = WIRE_B(driver),
	                                     [WIRE_CLI_BLOB_BLOB] = WIRE_B(blob) });
	client->closing |= !result_ok(result);
}

void control_put(struct control_client *client, enum wire_number number,
                 const struct wire_value *values)
{
	struct result result = wire_channel_put(&client->channel, number, values);

	client->closing |= !result_ok(result);
}

void control_end(struct control_client *client, int status)
{
	struct result result = wire_channel_put(
	        &client->channel, WIRE_CLI_END,
	        (const struct wire_value[]){ [WIRE_CLI_END_STATUS] = WIRE_N(status) });

	client->ended = true;
	client->closing |= !result_ok(result);
}

void control_fail(struct control_client *client, const char *sentence)
{
	control_say(client, 2, "%s", sentence);
	control_end(client, 1);
}

struct control_client *control_find_client(struct core *core, int64_t number)
{
	for (struct control_client *client = core->control->clients; client; client = client->next)
		if (client->number == number && !client->closing)
			return client;
	return NULL;
}

int64_t control_client_number(const struct control_client *client)
{
	return client->number;
}

// --- arguments: "name=value" and a zero byte each

bool control_next_argument(struct bytes *arguments, const char *name, char *to, size_t capacity)
{
	size_t length = strlen(name);

	to[0] = '\0';
	while (arguments->length) {
		size_t size = bytes_find(*arguments, 0);
		struct bytes one = bytes_slice(*arguments, 0, size);
		*arguments = bytes_slice(*arguments, size + 1, arguments->length);
		if (bytes_start_with(one, name) && one.length > length && one.data[length] == '=')
			return bytes_copy_text(bytes_slice(one, length + 1, one.length), to,
			                       capacity);
	}
	return false;
}

bool control_argument(struct bytes arguments, const char *name, char *to, size_t capacity)
{
	return control_next_argument(&arguments, name, to, capacity);
}

// --- verbs

// Each area is a file; its rows are here to be found.
static const struct control_row *const areas[] = {
	control_merchant_verbs,  control_connection_verbs, control_trace_verbs,
	control_attention_verbs, control_books_verbs,      control_event_verbs,
	control_endpoint_verbs,
};

static void run_command(struct core *core, struct control_client *client,
                        const struct wire_message *message)
{
	struct bytes name = message->fields[WIRE_CLI_COMMAND_VERB].bytes;

	for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++)
		for (const struct control_row *row = areas[i]; row->name; row++)
			if (bytes_equal_text(name, row->name)) {
				row->run(core, client,
				         message->fields[WIRE_CLI_COMMAND_ARGUMENTS].bytes,
				         message->fields[WIRE_CLI_COMMAND_BLOB].bytes);
				return;
			}
	control_fail(client, "core has no such verb");
}

// --- clients

static void client_closed(uv_handle_t *handle)
{
	struct control_client *client = handle->data;

	wire_channel_done(&client->channel);
	client->core->control->count--;
	free(client);
}

static void client_close(struct control_client *client)
{
	struct control_client **at = &client->core->control->clients;

	while (*at && *at != client)
		at = &(*at)->next;
	if (*at)
		*at = client->next;
	uv_close((uv_handle_t *)&client->poll, client_closed);
}

static void listener_closed(uv_handle_t *handle)
{
	free(handle);
}

// Closes what it has on the loop; the loop lets go of it when it runs for the last time.
void control_free(struct control *control)
{
	while (control->clients)
		client_close(control->clients);
	if (control->poll)
		uv_close((uv_handle_t *)control->poll, listener_closed);
	if (control->fd >= 0)
		close(control->fd);
	control->poll = NULL;
}

static void on_client(uv_poll_t *poll, int status, int events);

void control_flush(struct core *core)
{
	for (struct control_client *client = core->control->clients, *next; client; client = next) {
		next = client->next;
		if (wire_channel_waiting(&client->channel) &&
		    !result_ok(wire_channel_flush(&client->channel)))
			client->closing = true;
		if (client->closing) {
			client_close(client);
			continue;
		}
		uv_poll_start(&client->poll,
		              UV_READABLE |
		                      (wire_channel_waiting(&client->channel) ? UV_WRITABLE : 0),
		              on_client);
	}
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct control_client *client = poll->data;
	struct core *core = client->core;
	struct wire_message message;
	bool got = true;

	core_wake(core);
	if (status >= 0 && !(events & UV_READABLE))
		return;
	struct result result = wire_channel_read(&client->channel);
	while (result_ok(result) && got) {
		result = wire_channel_next(&client->channel, &message, &got);
		if (result_ok(result) && got && !client->ended)
			run_command(core, client, &message);
	}
	client->closing |= !result_ok(result);
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
	struct core *core = poll->data;
	struct control *control = core->control;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	if (control->count >= CLIENTS_MAX) {
		close(fd);
		return;
	}
	struct control_client *client = calloc(1, sizeof(*client));
	CHECK(client);
	client->core = core;
	client->number = ++control->next_number;
	wire_channel_init(&client->channel, fd, WIRE_CORE, WIRE_CLI, OUT_LIMIT);
	uv_poll_init(core_loop(core), &client->poll, fd);
	client->poll.data = client;
	uv_poll_start(&client->poll, UV_READABLE, on_client);
	client->next = control->clients;
	control->clients = client;
	control->count++;
}

void control_listen(struct core *core, int fd)
{
	struct control *control = core->control;

	if (control->poll) {
		log_event(LOG_WARN, "second_control_socket");
		close(fd);
		return;
	}
	control->fd = fd;
	control->poll = calloc(1, sizeof(*control->poll));
	CHECK(control->poll && uv_poll_init(core_loop(core), control->poll, fd) == 0);
	control->poll->data = core;
	uv_poll_start(control->poll, UV_READABLE, on_connect);
}
