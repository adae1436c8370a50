// For the tests of lib/serve: a server whose loop runs on a thread of its own, and clients that
// wait in read() (five seconds at most) and never sleep.
#pragma once

#include "serve/serve.h"
#include "serve/static.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "http/client.h"

#include <stdatomic.h>
#include <sys/socket.h>

enum { BIG = 8 * 1024 * 1024, HELD = 8, ROOM = 2 * BIG, WAIT_S = 5 };

extern uint8_t big[BIG];

struct fixture {
	uv_loop_t loop;
	uv_thread_t thread;
	uv_async_t stop;
	struct serve *serve;
	struct serve_static *files;
	struct serve_request *held[HELD];
	size_t held_count;
	unsigned grace_ms;
	bool answer_at_stop, forget_when_gone;
	int gone;
	atomic_bool done;
	uint16_t port;
};

struct serve_options options_of(struct fixture *fixture);
void start(struct fixture *fixture, const struct serve_options *options);
void stop(struct fixture *fixture);
int dial(const struct fixture *fixture);
bool say(int fd, const char *text);
// Reads one response; what follows stays in `in`.
bool hear(int fd, struct buffer *in, struct http_response *response, bool of_head);
bool answered(int fd, struct buffer *in, int status, const char *body);
// True when the server has closed and nothing is left.
bool ended(int fd, const struct buffer *in);
// Asks /count until the answer holds the text.
bool comes_true(const struct fixture *fixture, const char *text);
// Sends the text and expects an answer of this status and body, and the end.
bool is_refused(const struct fixture *fixture, const char *text, int status, const char *body);
// Closes without a goodbye: the server sees a reset.
void reset(int *fd);

#define START(name)                                                                                \
	struct fixture name = { 0 };                                                               \
	struct serve_options name##_options = options_of(&name);                                   \
	start(&name, &name##_options)

#define CLIENT(fd, in, fixture)                                                                    \
	cleanup(cleanup_fd) int fd = dial(&fixture);                                               \
	cleanup(buffer_done) struct buffer in;                                                     \
	buffer_init(&in, ROOM)

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"
