// Events of one merchant to a program of the developer's: one at a time, in their order, signed as
// courier signs. What is answered is shown; nothing is tried again.
#include "desk.h"

#include "webhook/post.h"

#include "base/cleanup.h"
#include "wire/channel.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CORE_FD = 3, OUT_LIMIT = 64 * 1024, ARGUMENTS_MAX = 8192, WAIT_MS = 1000 };

struct desk {
	struct wire_channel core;
	struct webhook_poster *poster;
	struct webhook_key key;
	const char *url;
	char event[WEBHOOK_ID_MAX + 1]; // the one that is under way
	bool has_key;
	int status; // -1: goes on
};

static void put_time(void)
{
	time_t now = time(NULL);
	struct tm local;
	char text[32];

	localtime_r(&now, &local);
	strftime(text, sizeof(text), "%H:%M:%S", &local);
	printf("%s  ", text);
}

static void on_posted(void *owner, int64_t id, const struct webhook_outcome *outcome)
{
	struct desk *desk = owner;

	(void)id;
	put_time();
	if (outcome->status)
		printf("<-- %d  POST %s  [%s]  %lld ms", outcome->status, desk->url, desk->event,
		       (long long)outcome->ms);
	else
		printf("<-- no answer  POST %s  [%s]", desk->url, desk->event);
	printf("%s%s\n", outcome->detail[0] ? ": " : "", outcome->detail);
	(void)fflush(stdout);
}

static void on_event(struct desk *desk, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct bytes id = f[WIRE_CLI_EVENT_ID].bytes;
	char type[96];

	if (!desk->has_key || !bytes_copy_text(id, desk->event, sizeof(desk->event)))
		return; // it happened before the secret was here
	bytes_copy_text(f[WIRE_CLI_EVENT_TYPE].bytes, type, sizeof(type));
	put_time();
	printf("--> %s  [%s]\n", type, desk->event);
	(void)fflush(stdout);
	webhook_send(desk->poster, &(struct webhook_post){ .id = 1,
	                                                   .event = id,
	                                                   .url = bytes_text(desk->url),
	                                                   .body = f[WIRE_CLI_EVENT_BODY].bytes,
	                                                   .key = &desk->key });
}

static void on_secret(struct desk *desk, const struct wire_message *message)
{
	desk->has_key = webhook_key_read(message->fields[WIRE_CLI_SECRET_SECRET].bytes, &desk->key);
	if (!desk->has_key)
		return;
	printf("Ready. The signing secret is %s (Ctrl-C ends)\n", desk->key.secret);
	(void)fflush(stdout);
}

static void handle(struct desk *desk, const struct wire_message *message)
{
	char text[512];

	switch (message->row->number) {
	case WIRE_CLI_SECRET: on_secret(desk, message); break;
	case WIRE_CLI_EVENT: on_event(desk, message); break;
	case WIRE_CLI_LINE:
		bytes_copy_text(message->fields[WIRE_CLI_LINE_TEXT].bytes, text, sizeof(text));
		desk_fail("%s", text);
		break;
	case WIRE_CLI_END: desk->status = (int)message->fields[WIRE_CLI_END_STATUS].number; break;
	default: break;
	}
}

static struct result ask(struct desk *desk, int count, char **arguments)
{
	struct buffer text cleanup(buffer_done) = { 0 };

	buffer_init(&text, ARGUMENTS_MAX);
	for (int i = 0; i < count; i++) {
		buffer_put_text(&text, arguments[i]);
		buffer_put_byte(&text, 0);
	}
	TRY(buffer_result(&text));
	return wire_channel_put(&desk->core, WIRE_CLI_COMMAND,
	                        (const struct wire_value[]){
	                                [WIRE_CLI_COMMAND_VERB] = WIRE_B(bytes_text("listen")),
	                                [WIRE_CLI_COMMAND_ARGUMENTS] = WIRE_B(buffer_view(&text)),
	                                [WIRE_CLI_COMMAND_BLOB] = WIRE_B(BYTES_NONE) });
}

// One event at a time: the next one is taken when the one before was answered.
static struct result take_messages(struct desk *desk)
{
	struct wire_message message;
	bool got = true;

	while (desk->status < 0 && got && webhook_under_way(desk->poster) == 0) {
		TRY(wire_channel_next(&desk->core, &message, &got));
		if (got)
			handle(desk, &message);
	}
	return RESULT_OK;
}

static struct result turn(struct desk *desk)
{
	struct pollfd fd = { desk->core.fd, POLLIN, 0 };
	bool busy = webhook_under_way(desk->poster) > 0;

	if (wire_channel_waiting(&desk->core))
		fd.events |= POLLOUT;
	if (busy) // what comes meanwhile waits in the socket
		fd.fd = -1;
	webhook_wait(desk->poster, &fd, 1, WAIT_MS);
	TRY(wire_channel_flush(&desk->core));
	if (!busy && fd.revents & POLLIN)
		TRY(wire_channel_read(&desk->core));
	return take_messages(desk);
}

int desk_listen(const char *url, int count, char **arguments)
{
	static struct desk desk = { .status = -1 };
	struct webhook_options options = { .done = on_posted, .owner = &desk };

	desk.url = url;
	// The one who asks is the operator: it is their own machine and their own address.
	struct result result = net_ranges_read("0.0.0.0/0 ::/0", &options.allowed);
	if (result_ok(result))
		result = webhook_poster_new(&options, &desk.poster);
	if (!result_ok(result))
		return desk_fail("%s", result.detail);
	wire_channel_init(&desk.core, CORE_FD, WIRE_CLI, WIRE_CORE, OUT_LIMIT);
	desk.core.in.secret = true;
	result = ask(&desk, count, arguments);
	while (desk.status < 0 && result_ok(result))
		result = turn(&desk);
	webhook_poster_free(desk.poster);
	wire_channel_done(&desk.core);
	webhook_key_done(&desk.key);
	if (!result_ok(result))
		return desk_fail("onfile has ended, or an event was too much for this line: %s",
		                 result.detail);
	return desk.status;
}
