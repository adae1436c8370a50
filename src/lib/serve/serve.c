// The server: where it listens, whose time is over, how it stops. Deadlines are looked at by one
// timer for all connections, a few times within the shortest of them.
#include "serve/connection.h"

#include "base/check.h"

#include <stdlib.h>

enum { BACKLOG = 1024, SHORTEST_TICK_MS = 5, LONGEST_TICK_MS = 1000, HEAD_LIMIT = 64 * 1024 };

struct serve *serve_new(uv_loop_t *loop, const struct serve_options *options)
{
	struct serve *serve = calloc(1, sizeof(*serve));

	CHECK(options->on_request && options->max_connections > 0);
	if (!serve)
		return NULL;
	serve->loop = loop;
	serve->options = *options;
	buffer_init_secret(&serve->head, HEAD_LIMIT);
	uv_timer_init(loop, &serve->timer);
	serve->timer.data = serve;
	return serve;
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned tick_ms(const struct serve *serve)
{
	const struct serve_options *options = &serve->options;
	unsigned shortest = smaller(smaller(options->header_ms, options->body_ms),
	                            smaller(options->idle_ms, options->write_ms)) /
	                    8;

	if (shortest < SHORTEST_TICK_MS)
		return SHORTEST_TICK_MS;
	return smaller(shortest, LONGEST_TICK_MS);
}

static void free_when_done(uv_handle_t *handle)
{
	struct serve *serve = handle->data;
	void (*done)(void *owner) = serve->done;
	void *owner = serve->options.owner;

	buffer_done(&serve->head);
	free(serve);
	if (done)
		done(owner);
}

static void finish_if_empty(struct serve *serve)
{
	if (!serve->stopping || serve->connections || serve->timer_closed)
		return;
	serve->timer_closed = true;
	uv_close((uv_handle_t *)&serve->timer, free_when_done);
}

// Closing one connection may take others off the list (a handler may give requests back), so the
// walk begins anew after each.
static bool expire_one(struct serve *serve, uint64_t now)
{
	for (struct connection *connection = serve->connections; connection;
	     connection = connection->next) {
		if (connection->deadline && connection->deadline <= now) {
			connection_expired(connection);
			return true;
		}
	}
	return false;
}

static void on_tick(uv_timer_t *timer)
{
	struct serve *serve = timer->data;
	uint64_t now = uv_now(serve->loop);

	while (expire_one(serve, now)) {
	}
	if (serve->stopping && serve->grace_deadline <= now)
		while (serve->connections)
			connection_close(serve->connections);
}

void serve_forget_connection(struct serve *serve)
{
	serve->connection_count--;
	if (serve->connection_count == 0 && !serve->timer_closed)
		uv_timer_stop(&serve->timer);
	finish_if_empty(serve);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct listener *listener = stream->data;
	struct serve *serve = listener->serve;

	if (status != 0)
		return;
	if (!uv_is_active((uv_handle_t *)&serve->timer))
		uv_timer_start(&serve->timer, on_tick, tick_ms(serve), tick_ms(serve));
	connection_accept(serve, stream);
}

static void free_listener(uv_handle_t *handle)
{
	free(handle->data);
}

// Takes the listener over, also when it fails.
static struct result start_listener(struct serve *serve, struct listener *listener)
{
	if (uv_listen((uv_stream_t *)&listener->tcp, BACKLOG, on_connection) != 0) {
		uv_close((uv_handle_t *)&listener->tcp, free_listener);
		return FAIL(ERROR_SYSTEM, "a socket cannot listen");
	}
	struct listener **last = &serve->listeners;
	while (*last)
		last = &(*last)->next;
	*last = listener;
	return RESULT_OK;
}

static struct listener *new_listener(struct serve *serve)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return NULL;
	listener->serve = serve;
	if (uv_tcp_init(serve->loop, &listener->tcp) != 0) {
		free(listener);
		return NULL;
	}
	listener->tcp.data = listener;
	return listener;
}

struct result serve_listen(struct serve *serve, const char *address, uint16_t port)
{
	struct sockaddr_storage where;
	struct sockaddr_in *four = (struct sockaddr_in *)&where;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)&where;

	CHECK(!serve->stopping);
	if (uv_ip4_addr(address, port, four) != 0 && uv_ip6_addr(address, port, six) != 0)
		return FAIL(ERROR_INPUT, "what to listen on is not an IP address");
	struct listener *listener = new_listener(serve);
	if (!listener)
		return FAIL(ERROR_MEMORY, "no memory for a listening socket");
	if (uv_tcp_bind(&listener->tcp, (const struct sockaddr *)&where, 0) != 0) {
		uv_close((uv_handle_t *)&listener->tcp, free_listener);
		return FAIL(ERROR_SYSTEM, "an address and port cannot be bound");
	}
	return start_listener(serve, listener);
}

struct result serve_adopt(struct serve *serve, int fd)
{
	CHECK(!serve->stopping);
	struct listener *listener = new_listener(serve);
	if (!listener)
		return FAIL(ERROR_MEMORY, "no memory for a listening socket");
	if (uv_tcp_open(&listener->tcp, fd) != 0) {
		uv_close((uv_handle_t *)&listener->tcp, free_listener);
		return FAIL(ERROR_SYSTEM, "a descriptor is not a socket that can listen");
	}
	return start_listener(serve, listener);
}

uint16_t serve_port(const struct serve *serve)
{
	struct sockaddr_storage where = { 0 };
	int length = sizeof(where);

	if (!serve->listeners ||
	    uv_tcp_getsockname(&serve->listeners->tcp, (struct sockaddr *)&where, &length) != 0)
		return 0;
	return where.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&where)->sin6_port)
	                                   : ntohs(((struct sockaddr_in *)&where)->sin_port);
}

size_t serve_connections(const struct serve *serve)
{
	return serve->connection_count;
}

// The request is the first member of its connection.
static struct connection *connection_of(struct serve_request *request)
{
	struct connection *connection = (struct connection *)request;

	CHECK(connection->held);
	connection->held = false;
	return connection;
}

void serve_reply(struct serve_request *request, const struct serve_reply *reply)
{
	struct connection *connection = connection_of(request);

	if (connection->state == SERVE_CLOSING)
		connection_release(connection);
	else
		reply_write(connection, reply);
}

void serve_text(struct serve_request *request, int status, const char *text)
{
	serve_reply(request, &(struct serve_reply){ .status = status,
	                                            .type = "text/plain; charset=utf-8",
	                                            .body = bytes_text(text) });
}

void serve_forget(struct serve_request *request)
{
	struct connection *connection = connection_of(request);

	if (connection->state == SERVE_CLOSING)
		connection_release(connection);
	else
		connection_close(connection);
}

static void close_idle(struct serve *serve)
{
	struct connection *next;

	for (struct connection *connection = serve->connections; connection; connection = next) {
		next = connection->next;
		if (connection->state == SERVE_READING && connection->in.length == 0)
			connection_close(connection);
	}
}

void serve_stop(struct serve *serve, unsigned grace_ms, void (*done)(void *owner))
{
	struct listener *listener = serve->listeners;

	CHECK(!serve->stopping);
	serve->done = done;
	serve->grace_deadline = uv_now(serve->loop) + grace_ms;
	while (listener) {
		struct listener *next = listener->next;
		uv_close((uv_handle_t *)&listener->tcp, free_listener);
		listener = next;
	}
	serve->listeners = NULL;
	close_idle(serve);
	serve->stopping = true;
	if (serve->connections)
		uv_timer_start(&serve->timer, on_tick, SHORTEST_TICK_MS, SHORTEST_TICK_MS);
	finish_if_empty(serve);
}
