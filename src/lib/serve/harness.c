// The server and the clients of the tests of lib/serve; what the server answers is the table
// `routes`.
#include "serve/harness.h"

#include <arpa/inet.h>
#include <stdio.h>

uint8_t big[BIG];

static void answer_hello(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_text(request, 200, "hello\n");
}

static void answer_echo(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_reply(request, &(struct serve_reply){ .status = 200, .body = request->http->body });
}

static void answer_big(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_reply(request, &(struct serve_reply){ .status = 200, .body = BYTES_ARRAY(big) });
}

static void answer_hold(struct serve_request *request, struct fixture *fixture)
{
	CHECK(fixture->held_count < HELD);
	request->tag = fixture;
	fixture->held[fixture->held_count++] = request;
}

static void release_all(struct fixture *fixture)
{
	for (size_t i = 0; i < fixture->held_count; i++)
		answer_echo(fixture->held[i], fixture);
	fixture->held_count = 0;
}

static void answer_release(struct serve_request *request, struct fixture *fixture)
{
	release_all(fixture);
	serve_text(request, 200, "released\n");
}

static void answer_count(struct serve_request *request, struct fixture *fixture)
{
	char text[64];

	snprintf(text, sizeof(text), "gone=%d connections=%zu held=%zu\n", fixture->gone,
	         serve_connections(fixture->serve), fixture->held_count);
	serve_text(request, 200, text);
}

static void answer_split(struct serve_request *request, struct fixture *fixture)
{
	struct http_pair pair = HTTP_PAIR("Location", "/\r\nA: b");

	(void)fixture;
	serve_reply(request,
	            &(struct serve_reply){ .status = 303, .pairs = &pair, .pair_count = 1 });
}

static void answer_last(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_reply(request, &(struct serve_reply){
	                             .status = 200, .body = BYTES_LITERAL("bye"), .close = true });
}

static void answer_drop(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_forget(request);
}

static void answer_peer(struct serve_request *request, struct fixture *fixture)
{
	(void)fixture;
	serve_text(request, 200, request->peer);
}

static const struct {
	const char *path;
	void (*answer)(struct serve_request *request, struct fixture *fixture);
} routes[] = {
	{ "/hello", answer_hello }, { "/echo", answer_echo },       { "/big", answer_big },
	{ "/hold", answer_hold },   { "/release", answer_release }, { "/count", answer_count },
	{ "/split", answer_split }, { "/last", answer_last },       { "/drop", answer_drop },
	{ "/peer", answer_peer },
};

static void on_request(struct serve_request *request, void *owner)
{
	struct fixture *fixture = owner;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (bytes_equal_text(request->http->path, routes[i].path)) {
			routes[i].answer(request, fixture);
			return;
		}
	}
	if (!fixture->files || !serve_static_answer(fixture->files, request))
		serve_text(request, 404, "there is nothing here\n");
}

static void on_gone(struct serve_request *request, void *owner)
{
	struct fixture *fixture = owner;
	size_t kept = 0;

	fixture->gone++;
	CHECK(request->tag == fixture);
	if (!fixture->forget_when_gone)
		return;
	for (size_t i = 0; i < fixture->held_count; i++)
		if (fixture->held[i] != request)
			fixture->held[kept++] = fixture->held[i];
	fixture->held_count = kept;
	serve_forget(request);
}

static void on_done(void *owner)
{
	struct fixture *fixture = owner;

	fixture->done = true;
	uv_close((uv_handle_t *)&fixture->stop, NULL);
}

static void on_stop(uv_async_t *async)
{
	struct fixture *fixture = async->data;

	serve_stop(fixture->serve, fixture->grace_ms, on_done);
	if (fixture->answer_at_stop)
		release_all(fixture);
}

static void run(void *argument)
{
	struct fixture *fixture = argument;

	uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

struct serve_options options_of(struct fixture *fixture)
{
	struct serve_options options = SERVE_OPTIONS_DEFAULT;

	options.owner = fixture;
	options.on_request = on_request;
	options.on_gone = on_gone;
	return options;
}

void start(struct fixture *fixture, const struct serve_options *options)
{
	fixture->forget_when_gone = true;
	CHECK(uv_loop_init(&fixture->loop) == 0);
	CHECK(uv_async_init(&fixture->loop, &fixture->stop, on_stop) == 0);
	fixture->stop.data = fixture;
	fixture->serve = serve_new(&fixture->loop, options);
	CHECK(fixture->serve && result_ok(serve_listen(fixture->serve, "127.0.0.1", 0)));
	fixture->port = serve_port(fixture->serve);
	CHECK(uv_thread_create(&fixture->thread, run, fixture) == 0);
}

void stop(struct fixture *fixture)
{
	uv_async_send(&fixture->stop);
	uv_thread_join(&fixture->thread);
	CHECK(fixture->done && uv_loop_close(&fixture->loop) == 0);
}

int dial(const struct fixture *fixture)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
		                     .sin_port = htons(fixture->port),
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval wait = { .tv_sec = WAIT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	CHECK(connect(fd, (struct sockaddr *)&where, sizeof(where)) == 0);
	return fd;
}

bool say(int fd, const char *text)
{
	size_t length = strlen(text);

	while (length) {
		ssize_t put = send(fd, text, length, MSG_NOSIGNAL);
		if (put <= 0)
			return false;
		text += put;
		length -= (size_t)put;
	}
	return true;
}

bool hear(int fd, struct buffer *in, struct http_response *response, bool of_head)
{
	struct http_limits limits = HTTP_LIMITS_DEFAULT;
	enum http_progress progress;

	limits.body = BIG;
	http_response_init(response, &limits, of_head);
	progress = in->length ? http_response_read(response, in, false) : HTTP_MORE;
	while (progress == HTTP_MORE) {
		uint8_t *room = buffer_room(in, 65536);
		ssize_t got = room ? recv(fd, room, 65536, 0) : -1;
		if (got < 0)
			return false;
		buffer_grew(in, (size_t)got);
		progress = http_response_read(response, in, got == 0);
	}
	return progress == HTTP_WHOLE;
}

bool answered(int fd, struct buffer *in, int status, const char *body)
{
	struct http_response response;

	if (!hear(fd, in, &response, false)) {
		printf("# no response: %s\n", response.detail);
		return false;
	}
	bool as_wanted = response.status == status && bytes_equal_text(response.body, body);
	if (!as_wanted)
		printf("# response: %d %.*s\n", response.status, (int)response.body.length,
		       (const char *)response.body.data);
	buffer_drop(in, response.length);
	return as_wanted;
}

bool ended(int fd, const struct buffer *in)
{
	char byte;

	return in->length == 0 && recv(fd, &byte, 1, 0) == 0;
}

bool comes_true(const struct fixture *fixture, const char *text)
{
	CLIENT(fd, in, *fixture);
	struct http_response response;
	uint64_t until = uv_hrtime() + WAIT_S * 1000000000ull;

	while (uv_hrtime() < until) {
		buffer_reset(&in);
		if (!say(fd, GET("/count")) || !hear(fd, &in, &response, false))
			return false;
		buffer_put_byte(&in, 0);
		if (strstr((const char *)response.body.data, text))
			return true;
	}
	return false;
}

bool is_refused(const struct fixture *fixture, const char *text, int status, const char *body)
{
	CLIENT(fd, in, *fixture);

	return say(fd, text) && answered(fd, &in, status, body) && ended(fd, &in);
}

void reset(int *fd)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	cleanup_fd(fd);
}
