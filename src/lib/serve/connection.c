// The life of a connection: read a request, hand it on, wait for the answer, read the next one.
// Requests of one connection are handled one after the other, in their order.
#include "serve/connection.h"

#include "base/check.h"

#include <stdlib.h>

enum { LINGER_MS = 2000, SLOW_MS = 1000, KEPT_CAPACITY = 4096 };

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct connection *connection = handle->data;

	(void)suggested;
	*buffer = uv_buf_init((char *)connection->serve->scratch, SERVE_SCRATCH);
}

static uint64_t in_ms(const struct connection *connection, unsigned ms)
{
	return uv_now(connection->serve->loop) + ms;
}

static void stop_reading(struct connection *connection)
{
	uv_read_stop((uv_stream_t *)&connection->tcp);
	connection->is_reading = false;
}

// What was sent before the client closed, or before an error, may still hold whole requests.
static void on_end(struct connection *connection, bool broken)
{
	connection->at_end = true;
	stop_reading(connection);
	bool answer_pending =
	        connection->state == SERVE_RUNNING || connection->state == SERVE_WRITING;
	if (broken || !answer_pending)
		connection_close(connection);
}

static void take_bytes(struct connection *connection, struct bytes bytes)
{
	if (connection->state == SERVE_READING) {
		buffer_put(&connection->in, bytes);
		if (connection->in.failed)
			connection_close(connection);
		else
			connection_step(connection);
		return;
	}
	if (connection->state != SERVE_RUNNING && connection->state != SERVE_WRITING)
		return;
	buffer_put(&connection->later, bytes);
	size_t ahead = connection->in.length - connection->http.length + connection->later.length;
	if (ahead >= SERVE_SCRATCH)
		stop_reading(connection);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct connection *connection = stream->data;

	if (count < 0) {
		on_end(connection, count != UV_EOF);
		return;
	}
	if (count == 0 || connection->state == SERVE_CLOSING)
		return;
	take_bytes(connection, bytes_from(buffer->base, (size_t)count));
	explicit_bzero(buffer->base, (size_t)count);
}

static void start_reading(struct connection *connection)
{
	if (connection->is_reading || connection->at_end)
		return;
	if (uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) != 0)
		connection_close(connection);
	else
		connection->is_reading = true;
}

void connection_release(struct connection *connection)
{
	if (!connection->handle_closed || connection->held)
		return;
	buffer_done(&connection->in);
	buffer_done(&connection->later);
	buffer_done(&connection->out);
	free(connection);
}

static void on_closed(uv_handle_t *handle)
{
	struct connection *connection = handle->data;

	connection->handle_closed = true;
	connection_release(connection);
}

void connection_close(struct connection *connection)
{
	struct serve *serve = connection->serve;

	if (connection->state == SERVE_CLOSING)
		return;
	connection->state = SERVE_CLOSING;
	*connection->link = connection->next;
	if (connection->next)
		connection->next->link = connection->link;
	uv_close((uv_handle_t *)&connection->tcp, on_closed);
	if (connection->held && serve->options.on_gone)
		serve->options.on_gone(&connection->request, serve->options.owner);
	serve_forget_connection(serve);
}

// The clock of a head starts with its first byte (of the first one: with the connection), that of a
// body with the end of the head.
static void set_phase(struct connection *connection)
{
	const struct serve_options *options = &connection->serve->options;
	enum serve_phase phase = SERVE_HEAD;
	unsigned ms = options->header_ms;

	if (http_request_has_head(&connection->http)) {
		phase = SERVE_BODY;
		ms = options->body_ms;
	} else if (connection->in.length == 0 && connection->phase != SERVE_HEAD) {
		phase = SERVE_IDLE;
		ms = options->idle_ms;
	}
	if (phase == connection->phase)
		return;
	connection->phase = phase;
	connection->deadline = in_ms(connection, ms);
}

// Waits for the rest of a request, or for a new one.
static void wait_for_more(struct connection *connection)
{
	bool idle = connection->in.length == 0;

	if (connection->at_end || (idle && connection->serve->stopping)) {
		connection_close(connection);
		return;
	}
	set_phase(connection);
	if (connection->phase == SERVE_BODY && connection->http.wants_continue &&
	    !connection->continued) {
		connection->continued = true;
		reply_continue(connection);
	}
	start_reading(connection);
}

static void hand_on(struct connection *connection)
{
	struct serve *serve = connection->serve;

	connection->state = SERVE_RUNNING;
	connection->deadline = 0;
	connection->held = true;
	connection->last = !connection->http.keep_alive;
	connection->request.http = &connection->http;
	connection->request.tag = NULL;
	serve->options.on_request(&connection->request, serve->options.owner);
}

// Reads one request; true: there may be another one.
static bool advance(struct connection *connection)
{
	if (connection->state != SERVE_READING)
		return false;
	switch (http_request_read(&connection->http, &connection->in)) {
	case HTTP_MORE: wait_for_more(connection); return false;
	case HTTP_REFUSED:
		reply_refusal(connection, connection->http.status, connection->http.detail);
		return false;
	case HTTP_WHOLE: hand_on(connection); return true;
	}
	return false;
}

// A handler that answers at once ends up here again, below advance(); the loop goes on for it, so
// that a thousand pipelined requests do not make a thousand frames of stack.
void connection_step(struct connection *connection)
{
	if (connection->stepping)
		return;
	connection->stepping = true;
	while (advance(connection)) {
	}
	connection->stepping = false;
}

static void on_shut_down(uv_shutdown_t *shutdown, int status)
{
	(void)shutdown;
	(void)status;
}

// Closing while the client still sends would reset the connection and could take the answer from
// it, so our side is closed first and what still comes is thrown away for a while (RFC 9112 section
// 9.6).
static void linger(struct connection *connection)
{
	uv_stream_t *stream = (uv_stream_t *)&connection->tcp;

	if (connection->at_end || uv_shutdown(&connection->shutdown, stream, on_shut_down) != 0) {
		connection_close(connection);
		return;
	}
	connection->state = SERVE_LINGERING;
	connection->deadline = in_ms(connection, LINGER_MS);
	buffer_done(&connection->in);
	buffer_done(&connection->later);
	buffer_done(&connection->out);
	start_reading(connection);
}

static void empty(struct buffer *buffer)
{
	if (buffer->capacity > KEPT_CAPACITY)
		buffer_done(buffer);
	else
		buffer_reset(buffer);
}

void connection_written(struct connection *connection)
{
	if (connection->last) {
		linger(connection);
		return;
	}
	buffer_drop(&connection->in, connection->http.length);
	buffer_put(&connection->in, buffer_view(&connection->later));
	empty(&connection->later);
	empty(&connection->out);
	if (connection->in.length == 0)
		empty(&connection->in);
	http_request_init(&connection->http, &connection->serve->options.limits);
	connection->continued = false;
	connection->phase = SERVE_NOTHING;
	connection->state = SERVE_READING;
	if (connection->in.failed)
		connection_close(connection);
	else
		connection_step(connection);
}

void connection_expired(struct connection *connection)
{
	connection->deadline = 0;
	if (connection->state == SERVE_READING && connection->in.length > 0)
		reply_refusal(connection, 408, "The request took too long.");
	else
		connection_close(connection);
}

static void name_peer(struct connection *connection)
{
	struct sockaddr_storage address;
	int length = sizeof(address);

	if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &length) != 0)
		return;
	uv_ip_name((const struct sockaddr *)&address, connection->request.peer,
	           sizeof(connection->request.peer));
}

static void start(struct connection *connection)
{
	struct serve *serve = connection->serve;
	const struct http_limits *limits = &serve->options.limits;

	uv_tcp_nodelay(&connection->tcp, 1);
	name_peer(connection);
	buffer_init_secret(&connection->in, limits->head + limits->body + 4 * SERVE_SCRATCH);
	buffer_init_secret(&connection->later, 2 * SERVE_SCRATCH);
	buffer_init_secret(&connection->out, SIZE_MAX / 4);
	http_request_init(&connection->http, limits);
	connection->phase = SERVE_HEAD;
	connection->deadline = in_ms(connection, serve->options.header_ms);
	start_reading(connection);
}

// Who has to go when there are too many: a client between two requests first (it will dial again),
// then one whose head takes long. So that a thousand slow senders cannot keep everybody else out.
static struct connection *who_goes(struct serve *serve, const struct connection *newest)
{
	uint64_t now = uv_now(serve->loop);
	struct connection *chosen = NULL;

	for (struct connection *each = serve->connections; each; each = each->next) {
		bool idle = each->phase == SERVE_IDLE;
		bool slow = each->phase == SERVE_HEAD &&
		            each->deadline + SLOW_MS < now + serve->options.header_ms;
		if (each == newest || each->state != SERVE_READING || (!idle && !slow))
			continue;
		if (!chosen || (idle && chosen->phase != SERVE_IDLE) ||
		    (idle == (chosen->phase == SERVE_IDLE) && each->deadline < chosen->deadline))
			chosen = each;
	}
	return chosen;
}

static bool make_place(struct connection *newest)
{
	struct serve *serve = newest->serve;

	if (serve->connection_count <= serve->options.max_connections)
		return true;
	struct connection *chosen = who_goes(serve, newest);
	if (chosen)
		connection_close(chosen);
	return chosen != NULL;
}

void connection_accept(struct serve *serve, uv_stream_t *listener)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	// Without memory the client waits in the listener's queue until libuv is asked again.
	if (!connection)
		return;
	connection->serve = serve;
	if (uv_tcp_init(serve->loop, &connection->tcp) != 0) {
		free(connection);
		return;
	}
	connection->tcp.data = connection;
	connection->next = serve->connections;
	connection->link = &serve->connections;
	if (connection->next)
		connection->next->link = &connection->next;
	serve->connections = connection;
	serve->connection_count++;
	if (uv_accept(listener, (uv_stream_t *)&connection->tcp) != 0 || !make_place(connection))
		connection_close(connection);
	else
		start(connection);
}
