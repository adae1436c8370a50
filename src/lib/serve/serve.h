// An HTTP/1.1 server on a libuv loop: connections, keep-alive, pipelining, deadlines, limits. What
// a request means is its owner's; how it is read is lib/http's (docs/http.md). One thread.
//
//     static void answer(struct serve_request *request, void *owner)
//     {
//             if (bytes_equal_text(request->http->path, "/hello"))
//                     serve_text(request, 200, "hello\n");
//             else
//                     serve_text(request, 404, "there is nothing here\n");
//     }
//
//     int main(void)
//     {
//             struct serve_options options = SERVE_OPTIONS_DEFAULT;
//             struct serve *serve;
//
//             options.on_request = answer;
//             serve = serve_new(uv_default_loop(), &options);
//             if (!serve || !result_ok(serve_listen(serve, "127.0.0.1", 8080)))
//                     return 1;
//             return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
//     }
#pragma once

#include "http/request.h"
#include "http/response.h"

#include <uv.h>

struct serve;

enum { SERVE_PEER_BYTES = 46 };

// One request. It belongs to the handler from on_request until serve_reply() or serve_forget(), and
// its views are valid until then, whatever becomes of the client.
struct serve_request {
	const struct http_request *http;
	char peer[SERVE_PEER_BYTES]; // the client's address as text
	void *tag;                   // the handler's own
};

// What goes back. Everything is copied, or written, before serve_reply() returns. Date,
// Content-Length and Connection are added; the body is left out where HTTP wants none (HEAD, 304).
struct serve_reply {
	int status;
	const char *type; // Content-Type; NULL: none
	const struct http_pair *pairs;
	size_t pair_count;
	struct bytes body;
	bool close; // end the connection after this answer
};

struct serve_options {
	struct http_limits limits;
	// One more takes the place of an idle one, or of one whose head takes more than a second;
	// when there is none it is accepted and closed.
	unsigned max_connections;
	unsigned header_ms; // from a request's first byte to the end of its head
	unsigned body_ms;   // from there to the end of its body
	unsigned idle_ms;   // between requests
	unsigned write_ms;  // for the client to take an answer
	void *owner;        // given to the callbacks

	// A whole request came: answer it with serve_reply(), now or later.
	void (*on_request)(struct serve_request *request, void *owner);
	// The client of an unanswered request has gone. The request is still the handler's: end it
	// with serve_forget(), here or later (serve_reply() does the same then). May be NULL.
	void (*on_gone)(struct serve_request *request, void *owner);
	// Makes the answer to what is not a request that we take (400, 408, 413, 414, 417, 431) and
	// to an answer that may not be sent (500): fills in what it wants of `reply`, which holds
	// status and a sentence in plain text. What it points to must stay valid until the next
	// call. May be NULL.
	void (*on_refusal)(struct serve_reply *reply, const char *detail, void *owner);
};

#define SERVE_OPTIONS_DEFAULT                                                                      \
	((struct serve_options){ .limits = HTTP_LIMITS_DEFAULT,                                    \
	                         .max_connections = 1024,                                          \
	                         .header_ms = 10 * 1000,                                           \
	                         .body_ms = 30 * 1000,                                             \
	                         .idle_ms = 75 * 1000,                                             \
	                         .write_ms = 30 * 1000 })

// NULL when there is no memory.
struct serve *serve_new(uv_loop_t *loop, const struct serve_options *options);

// Listens on an address (IPv4 or IPv6 text; port 0: any free one). May be called several times.
MUST_USE struct result serve_listen(struct serve *serve, const char *address, uint16_t port);
// Listens on a socket that is bound already, and takes it over.
MUST_USE struct result serve_adopt(struct serve *serve, int fd);
// The port of the first listening socket; 0 when there is none.
uint16_t serve_port(const struct serve *serve);
// How many clients are connected.
size_t serve_connections(const struct serve *serve);

// Answers a request and gives it back. Harmless when the client has gone.
void serve_reply(struct serve_request *request, const struct serve_reply *reply);
// The same for a short plain text.
void serve_text(struct serve_request *request, int status, const char *text);
// Gives a request back without an answer; its connection, if still there, is closed.
void serve_forget(struct serve_request *request);

// Stops gracefully: no new clients, idle ones are closed, requests that run are answered (at most
// `grace_ms`; after that on_gone is called for them). Then `done` (may be NULL) is called and
// `serve` no longer exists. Requests may still be given back after that.
void serve_stop(struct serve *serve, unsigned grace_ms, void (*done)(void *owner));
