// Lines to the parent and to core. Messages are put into the line's buffer and leave together, at
// the end of the loop's iteration.
#include "web/web.h"

#include "base/check.h"
#include "base/log.h"

#include <stdlib.h>

enum { OUT_LIMIT = 8 * 1024 * 1024 };

static void on_ready(uv_poll_t *poll, int status, int events);

static void free_line(uv_handle_t *handle)
{
	free(handle->data);
}

struct line *line_open(struct web *web, int fd, enum wire_program peer)
{
	struct line *line = calloc(1, sizeof(*line));

	CHECK(line && uv_poll_init(&web->loop, &line->poll, fd) == 0);
	line->web = web;
	line->poll.data = line;
	line->events = UV_READABLE;
	wire_channel_init(&line->channel, fd, WIRE_WEB, peer, OUT_LIMIT);
	CHECK(uv_poll_start(&line->poll, line->events, on_ready) == 0);
	return line;
}

void line_close(struct line *line)
{
	if (!line)
		return;
	uv_close((uv_handle_t *)&line->poll, free_line);
	wire_channel_done(&line->channel);
}

// A line that has gone is one that the program lives on without (core), or not (the parent).
static void lose(struct line *line, struct result why)
{
	struct web *web = line->web;

	if (line == web->core) {
		log_event(LOG_WARN, "core_lost", LOG_RESULT(why));
		web_lose_core(web);
	} else if (line == web->parent) {
		web->failed = web->failed || !web->stopping;
		web->parent = NULL;
		line_close(line);
		web_stop(web, 0);
	}
}

static bool wants_events(struct line *line)
{
	int events = UV_READABLE | (wire_channel_waiting(&line->channel) ? UV_WRITABLE : 0);

	if (events != line->events && uv_poll_start(&line->poll, events, on_ready) != 0)
		return false;
	line->events = events;
	return true;
}

bool line_flush(struct line *line)
{
	if (!wire_channel_waiting(&line->channel))
		return true;
	struct result result = wire_channel_flush(&line->channel);
	if (result_ok(result) && wants_events(line))
		return true;
	lose(line, result);
	return false;
}

static void handle(struct line *line, struct wire_message *message)
{
	if (line->channel.peer == WIRE_PARENT)
		web_parent_message(line->web, message);
	else if (message->row->number == WIRE_REPLY)
		answer_give(line->web, message);
}

// A handler may close the line, this one too; then nothing more is taken from it.
static bool is_open(const struct web *web, const struct line *line)
{
	return line == web->core || line == web->parent;
}

static void read_line(struct line *line)
{
	struct web *web = line->web;
	struct wire_message message;
	bool got = true;
	struct result result = wire_channel_read(&line->channel);
	struct result next = RESULT_OK;

	while (is_open(web, line) && result_ok(next) && got) {
		next = wire_channel_next(&line->channel, &message, &got);
		if (result_ok(next) && got)
			handle(line, &message);
	}
	if (is_open(web, line) && (!result_ok(result) || !result_ok(next)))
		lose(line, result_ok(next) ? result : next);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct line *line = poll->data;
	struct web *web = line->web;

	if (status < 0) {
		lose(line, FAIL(ERROR_SYSTEM, "a line cannot be polled"));
		return;
	}
	if (events & UV_WRITABLE) {
		bool of_core = line == web->core;
		if (line_flush(line) && of_core)
			waiting_send(web);
	}
	if (events & UV_READABLE && is_open(web, line))
		read_line(line);
}

void web_set_core(struct web *web, int fd)
{
	web_lose_core(web);
	web->core = line_open(web, fd, WIRE_CORE);
	waiting_send(web);
}

void web_lose_core(struct web *web)
{
	struct line *line = web->core;

	if (!line)
		return;
	web->core = NULL;
	line_close(line);
	waiting_lost(web);
}
