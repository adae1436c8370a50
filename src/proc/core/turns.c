// The loop of core: channels to the neighbours, and turns. What is queued in a turn leaves when
// what it wrote is committed and durable (durable.h). If that fails the program stops, and what is
// durable is what happened.
#include "core/turns.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "core/deliveries.h"
#include "core/durable.h"
#include "core/secrets.h"

#include <stdlib.h>
#include <unistd.h>

enum { OUT_LIMIT = 64 * 1024 * 1024, EPOCH_SHIFT = 48, ALONE_MS = 15000, STOP_MS = 8000 };

// A line to a neighbour.
struct line {
	struct wire_channel channel;
	uv_poll_t *poll; // NULL: the line is closed
	int events;
};

struct turns {
	uv_loop_t loop;
	uv_check_t check;
	uv_idle_t idle;
	uv_timer_t timer;
	struct line parent, web, vault, courier;
	int64_t alone_since_ms; // monotonic: when the line to vault or web was lost; 0: both are
	                        // there
	uint64_t epoch;         // of web: its serials begin anew when it is restarted
	struct durable durable;
	bool begun; // something happened since the last end of a turn
	bool stopping;
	int64_t stop_by_ms; // monotonic
	bool said_ready;
};

static void on_ready(uv_poll_t *poll, int status, int events);

static const char *peer_name(const struct line *line)
{
	switch (line->channel.peer) {
	case WIRE_WEB: return "web";
	case WIRE_VAULT: return "vault";
	case WIRE_COURIER: return "courier";
	default: return "parent";
	}
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

static void line_close(struct line *line)
{
	if (!line->poll)
		return;
	uv_close((uv_handle_t *)line->poll, free_handle);
	line->poll = NULL;
	wire_channel_done(&line->channel);
}

static void line_open(struct core *core, struct line *line, int fd, enum wire_program peer)
{
	line_close(line);
	wire_channel_init(&line->channel, fd, WIRE_CORE, peer, OUT_LIMIT);
	line->poll = calloc(1, sizeof(*line->poll));
	CHECK(line->poll && uv_poll_init(&core->turns->loop, line->poll, fd) == 0);
	line->poll->data = core;
	line->events = UV_READABLE;
	uv_poll_start(line->poll, line->events, on_ready);
}

static void line_lost(struct core *core, struct line *line)
{
	if (line == &core->turns->parent)
		exit(0); // what was not committed did not happen, and nobody is left to be told
	log_event(LOG_WARN, "neighbour_gone", LOG_TEXT("peer", peer_name(line)));
	if (line == &core->turns->web) {
		api_gone(core, 0);
		pages_gone(core, 0);
		core->turns->epoch++;
	}
	line_close(line);
	core_wake(core);
	if (line == &core->turns->courier)
		deliveries_courier_is_gone(core);
	else
		core->turns->alone_since_ms = clock_monotonic_ms();
}

// A neighbour that died is started anew and its line handed over at once. One that lives but broke
// the line does not come back by itself: then this program begins anew, and with it all its lines.
static void end_when_alone(const struct turns *turns)
{
	if (turns->stopping || !turns->said_ready || (turns->vault.poll && turns->web.poll) ||
	    clock_monotonic_ms() - turns->alone_since_ms < ALONE_MS)
		return;
	log_event(LOG_ERROR, "left_alone");
	_exit(1);
}

static void line_flush(struct core *core, struct line *line)
{
	if (!line->poll)
		return;
	if (!result_ok(wire_channel_flush(&line->channel))) {
		line_lost(core, line);
		return;
	}
	int events = UV_READABLE | (wire_channel_waiting(&line->channel) ? UV_WRITABLE : 0);
	if (events != line->events)
		uv_poll_start(line->poll, line->events = events, on_ready);
}

static bool tell(struct core *core, struct line *line, enum wire_number number,
                 const struct wire_value *values)
{
	if (!line->poll)
		return false;
	struct result result = wire_channel_put(&line->channel, number, values);
	if (!result_ok(result))
		log_event(LOG_ERROR, "message_not_sent",
		          LOG_TEXT("message", wire_row((uint16_t)number)->name),
		          LOG_RESULT(result));
	core->turns->begun = true;
	return result_ok(result);
}

bool core_tell_vault(struct core *core, enum wire_number number, const struct wire_value *values)
{
	tell(core, &core->turns->vault, number, values);
	return core->turns->vault.poll != NULL;
}

bool core_tell_courier(struct core *core, enum wire_number number, const struct wire_value *values)
{
	return tell(core, &core->turns->courier, number, values);
}

void core_reply(struct core *core, uint64_t serial, const struct reply *reply)
{
	uint64_t own = serial & ((1ull << EPOCH_SHIFT) - 1);
	const struct wire_value values[WIRE_FIELDS_OF_REPLY] = {
		[WIRE_REPLY_SERIAL] = WIRE_N(own),
		[WIRE_REPLY_STATUS] = WIRE_N(reply->status),
		[WIRE_REPLY_KIND] = WIRE_N(reply->kind),
		[WIRE_REPLY_FLAGS] = WIRE_N(reply->flags),
		[WIRE_REPLY_RETRY_AFTER] = WIRE_N(reply->retry_after_s),
		[WIRE_REPLY_QUOTA] = WIRE_N(reply->limit.quota),
		[WIRE_REPLY_LEFT] = WIRE_N(reply->limit.left),
		[WIRE_REPLY_RESET] = WIRE_N(reply->limit.reset_s),
		[WIRE_REPLY_REQUEST_ID] = WIRE_B(bytes_text(reply->request_id)),
		[WIRE_REPLY_VERSION] = WIRE_B(bytes_text(reply->version)),
		[WIRE_REPLY_PAGE] = WIRE_B(bytes_text(reply->page)),
		[WIRE_REPLY_LOCATION] = WIRE_B(bytes_text(reply->location)),
		[WIRE_REPLY_CSP_ORIGIN] = WIRE_B(bytes_text(reply->csp_origin)),
		[WIRE_REPLY_FRAME_ANCESTOR] = WIRE_B(bytes_text(reply->frame_ancestor)),
		[WIRE_REPLY_ALLOW] = WIRE_B(bytes_text(reply->allow)),
		[WIRE_REPLY_BODY] = WIRE_B(reply->body),
	};

	if (serial >> EPOCH_SHIFT == core->turns->epoch)
		tell(core, &core->turns->web, WIRE_REPLY, values);
}

uv_loop_t *core_loop(struct core *core)
{
	return &core->turns->loop;
}

static void on_idle(uv_idle_t *idle)
{
	uv_idle_stop(idle); // it was there to keep the loop from waiting, once
}

static void begin_turn(struct core *core)
{
	if (!core->turns->begun)
		core->now_ms = clock_wall_ms();
	core->turns->begun = true;
}

void core_wake(struct core *core)
{
	begin_turn(core);
	uv_idle_start(&core->turns->idle, on_idle);
}

static void on_timer(uv_timer_t *timer)
{
	begin_turn(timer->data);
	core_end_turn(timer->data);
}

static void set_timer(struct core *core)
{
	int64_t flows = flows_next_timer(core);
	int64_t pages = pages_next_timer(core);
	int64_t deliveries = deliveries_next_timer(core);
	int64_t next = flows < pages ? flows : pages;

	next = deliveries < next ? deliveries : next;
	if (core->turns->stopping) // nothing else may come that would let it look at the time
		next = clock_wall_ms() + 100;
	if (next == INT64_MAX && core->turns->vault.poll && core->turns->web.poll) {
		uv_timer_stop(&core->turns->timer);
		return;
	}
	if (next == INT64_MAX)
		next = clock_wall_ms() + 1000;
	int64_t wait = next - clock_wall_ms();
	// A clock that was set back must not let a deadline sleep for a day.
	wait = wait < 0 ? 0 : wait > 10000 ? 10000 : wait;
	uv_update_time(&core->turns->loop);
	uv_timer_start(&core->turns->timer, on_timer, (uint64_t)wait, 0);
}

// Only ever called when all that was written is durable.
static void flush(struct core *core)
{
	struct turns *turns = core->turns;

	line_flush(core, &turns->vault);
	line_flush(core, &turns->web);
	line_flush(core, &turns->courier);
	line_flush(core, &turns->parent);
	control_flush(core);
}

// What the bank is being asked is waited for, but not for longer than the parent waits: what is
// still open then is taken up at the next start.
static void stop_when_told(struct core *core)
{
	struct turns *turns = core->turns;
	bool late = clock_monotonic_ms() >= turns->stop_by_ms;

	if (!turns->stopping ||
	    (!late && (flows_are_asking(core) ||
	               (turns->web.poll && wire_channel_waiting(&turns->web.channel)))))
		return;
	if (flows_are_asking(core))
		log_event(LOG_WARN, "stopped_while_the_bank_is_asked");
	uv_stop(&turns->loop);
}

// No answer leaves; the parent starts core anew, from what is durable.
static void end_when_failed(struct core *core, struct result result)
{
	if (result_ok(result))
		return;
	const char *said = store_error_text(core->store);
	log_event(LOG_ERROR, "store_failed", LOG_TEXT("detail", *said ? said : result.detail));
	_exit(1);
}

void core_end_turn(struct core *core)
{
	struct turns *turns = core->turns;

	core->now_ms = clock_wall_ms();
	flows_timer(core);
	pages_timer(core);
	deliveries_timer(core);
	turns->begun = false;
	durable_commit(&turns->durable);
	flush(core);
	durable_keep_log_short(&turns->durable);
	end_when_alone(turns);
	set_timer(core);
	stop_when_told(core);
}

static void on_check(uv_check_t *check)
{
	struct core *core = check->data;

	if (core->turns->begun)
		core_end_turn(core);
}

// --- messages

static void split_target(struct bytes target, struct bytes *ret_path, struct bytes *ret_query)
{
	size_t mark = bytes_find(target, '?');

	*ret_path = bytes_slice(target, 0, mark);
	*ret_query = bytes_slice(target, mark + 1, target.length);
}

static void route(struct core *core, const struct request *request)
{
	metric_add(METRIC_REQUESTS, 1);
	if (request->listener == 2)
		metrics_request(core, request);
	else if (request->listener == 1 || bytes_start_with(request->path, "/c/") ||
	         bytes_start_with(request->path, "/p/") || bytes_start_with(request->path, "/3ds/"))
		pages_request(core, request);
	else if (bytes_equal_text(request->path, "/openapi.json") &&
	         bytes_equal_text(request->method, "GET"))
		api_describe(core, request);
	else
		api_request(core, request);
}

static void on_request(struct core *core, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct request request = {
		.serial = f[WIRE_REQUEST_SERIAL].number | core->turns->epoch << EPOCH_SHIFT,
		.listener = (int)f[WIRE_REQUEST_LISTENER].number,
		.method = f[WIRE_REQUEST_METHOD].bytes,
		.peer = f[WIRE_REQUEST_PEER].bytes,
		.host = f[WIRE_REQUEST_HOST].bytes,
		.authorization = f[WIRE_REQUEST_AUTHORIZATION].bytes,
		.idempotency_key = f[WIRE_REQUEST_IDEMPOTENCY_KEY].bytes,
		.version = f[WIRE_REQUEST_VERSION].bytes,
		.content_type = f[WIRE_REQUEST_CONTENT_TYPE].bytes,
		.origin = f[WIRE_REQUEST_ORIGIN].bytes,
		.user_agent = f[WIRE_REQUEST_USER_AGENT].bytes,
		.accept = f[WIRE_REQUEST_ACCEPT].bytes,
		.accept_language = f[WIRE_REQUEST_ACCEPT_LANGUAGE].bytes,
		.body = f[WIRE_REQUEST_BODY].bytes,
	};
	struct buffer id;

	split_target(f[WIRE_REQUEST_TARGET].bytes, &request.path, &request.query);
	buffer_init(&id, sizeof(request.id));
	buffer_put_text(&id, "req_");
	base62_put(&id, (uint64_t)core_next_id(core), 11);
	bytes_copy_text(buffer_view(&id), request.id, sizeof(request.id));
	buffer_done(&id);
	route(core, &request);
}

static void on_gone(struct core *core, const struct wire_message *message)
{
	uint64_t serial = message->fields[WIRE_REQUEST_GONE_SERIAL].number | core->turns->epoch
	                                                                             << EPOCH_SHIFT;

	api_gone(core, serial);
	pages_gone(core, serial);
}

static void on_handover(struct core *core, const struct wire_message *message)
{
	// By HANDOVER_PEER_CORE_KIND.
	static const enum wire_program peers[] = { WIRE_WEB, WIRE_VAULT, WIRE_COURIER };
	struct line *lines[] = { &core->turns->web, &core->turns->vault, &core->turns->courier };
	uint64_t kind = message->fields[WIRE_HANDOVER_PEER_CORE_KIND].number;

	if (lines[kind]->poll)
		line_lost(core, lines[kind]);
	line_open(core, lines[kind], message->descriptors[0], peers[kind]);
	if (peers[kind] == WIRE_VAULT) {
		core_tell_vault(core, WIRE_KEYS_WANTED, NULL);
		flows_vault_is_back(core);
	}
	if (peers[kind] == WIRE_COURIER)
		deliveries_courier_is_here(core);
	if (!core->turns->said_ready && core->turns->web.poll && core->turns->vault.poll) {
		core->turns->said_ready = true;
		tell(core, &core->turns->parent, WIRE_READY_CORE, NULL);
	}
}

static void on_control(struct core *core, const struct wire_message *message)
{
	control_listen(core, message->descriptors[0]);
}

static void on_stop(struct core *core, const struct wire_message *message)
{
	(void)message;
	core->turns->stopping = true;
	core->turns->stop_by_ms = clock_monotonic_ms() + STOP_MS;
	flows_stop(core);
	core_wake(core);
}

static void on_card_keys(struct core *core, const struct wire_message *message)
{
	struct bytes keys = message->fields[WIRE_CARD_KEYS_JWKS].bytes;

	free(core->card_keys);
	core->card_keys = strndup((const char *)keys.data, keys.length);
	CHECK(core->card_keys);
}

// Who may send what is in the catalogue; what is done with it is here.
static const struct {
	enum wire_number number;
	void (*handle)(struct core *core, const struct wire_message *message);
} handlers[] = {
	{ WIRE_REQUEST, on_request },
	{ WIRE_REQUEST_GONE, on_gone },
	{ WIRE_CARD_OPENED, flows_vault_message },
	{ WIRE_DRIVER_ANSWER, flows_vault_message },
	{ WIRE_CONNECTION_STATE, flows_vault_message },
	{ WIRE_CARD_KEYS, on_card_keys },
	{ WIRE_DELIVERED, deliveries_message },
	{ WIRE_SECRET_IS, secrets_message },
	{ WIRE_HANDOVER_PEER_CORE, on_handover },
	{ WIRE_HANDOVER_CONTROL, on_control },
	{ WIRE_STOP_CORE, on_stop },
};

static void handle_message(struct core *core, const struct wire_message *message)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].number == message->row->number)
			handlers[i].handle(core, message);
}

static struct result read_line(struct core *core, struct line *line)
{
	struct wire_message message;
	bool got = true;

	TRY(wire_channel_read(&line->channel));
	while (got) {
		TRY(wire_channel_next(&line->channel, &message, &got));
		if (got)
			handle_message(core, &message);
	}
	return RESULT_OK;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct core *core = poll->data;
	struct line *lines[] = { &core->turns->parent, &core->turns->web, &core->turns->vault,
		                 &core->turns->courier };

	begin_turn(core);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (lines[i]->poll != poll)
			continue;
		if (status < 0 || events & UV_READABLE) {
			struct result result = read_line(core, lines[i]);
			if (result.error == ERROR_INPUT)
				log_event(LOG_ERROR, "catalogue_broken",
				          LOG_TEXT("peer", peer_name(lines[i])),
				          LOG_RESULT(result));
			if (!result_ok(result) && lines[i]->poll == poll)
				line_lost(core, lines[i]);
		}
		return; // what may be written is written at the turn's end
	}
}

struct turns *turns_new(struct core *core, int parent_fd)
{
	struct turns *turns = calloc(1, sizeof(*turns));

	CHECK(turns);
	core->turns = turns;
	turns->durable = (struct durable){ .core = core, .failed = end_when_failed };
	core->now_ms = clock_wall_ms();
	CHECK(uv_loop_init(&turns->loop) == 0);
	uv_check_init(&turns->loop, &turns->check);
	uv_idle_init(&turns->loop, &turns->idle);
	uv_timer_init(&turns->loop, &turns->timer);
	turns->check.data = turns->idle.data = turns->timer.data = core;
	uv_check_start(&turns->check, on_check);
	line_open(core, &turns->parent, parent_fd, WIRE_PARENT);
	return turns;
}

int turns_run(struct core *core)
{
	core_wake(core);
	uv_run(&core->turns->loop, UV_RUN_DEFAULT);
	return 0;
}

void turns_free(struct turns *turns)
{
	line_close(&turns->web);
	line_close(&turns->vault);
	line_close(&turns->courier);
	line_close(&turns->parent);
	uv_close((uv_handle_t *)&turns->check, NULL);
	uv_close((uv_handle_t *)&turns->idle, NULL);
	uv_close((uv_handle_t *)&turns->timer, NULL);
	uv_run(&turns->loop,
	       UV_RUN_DEFAULT); // nothing is open any more: it ends when all is let go
	uv_loop_close(&turns->loop);
	free(turns);
}
