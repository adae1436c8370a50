// The program web: HTTP for the Internet. It turns each request into one message to core and each
// of core's replies into one response; static files it answers itself. It holds no secret, no
// database and no key; what it may do is what its jail leaves.
#pragma once

#include "net/range.h"
#include "serve/serve.h"
#include "serve/static.h"
#include "wire/channel.h"

#include <uv.h>

enum web_listener { WEB_PUBLIC, WEB_RESULTS, WEB_METRICS, WEB_LISTENERS };

// How long a request waits for a core that is away, and for the answer of one that is there.
enum { WEB_AWAY_MS = 2000, WEB_ANSWER_MS = 75 * 1000 };

struct web;

// A line to a neighbour; freed when libuv is done with it.
struct line {
	struct web *web;
	struct wire_channel channel;
	uv_poll_t poll;
	int events;
};

// Where clients come in.
struct web_door {
	struct web *web;
	enum web_listener kind;
	struct serve *serve; // NULL until its socket came
};

// A request that core has not answered yet.
struct waiting {
	struct serve_request *request; // NULL: the place is free
	uint64_t serial;
	uint64_t deadline; // uv_now()
	enum web_listener kind;
	char shopper[NET_ADDRESS_TEXT]; // whose request it is
	bool sent;
	uint32_t next; // of the free places, or of those that wait to be sent; 0: the last one
};

struct waitings {
	struct waiting *places; // 0 is not used
	uint32_t count;
	uint32_t in_use;
	uint32_t free;
	uint32_t first_unsent, last_unsent;
	uint64_t generation;
};

struct web {
	uv_loop_t loop;
	uv_prepare_t flush; // what an iteration of the loop put on the lines leaves at its end
	uv_timer_t timer;   // of the deadlines of `waitings`
	struct line *parent;
	struct line *core; // NULL: core is away
	struct web_door doors[WEB_LISTENERS];
	struct waitings waitings;
	struct serve_static *files;                 // "/static/…"
	struct serve_static *pages;                 // "/card.html", …
	struct buffer policy, permissions, refusal; // texts of the answer that is being made
	char request_id[40];
	uint64_t id_prefix, id_count;
	unsigned max_connections;
	struct net_ranges proxies; // whose X-Forwarded-For is believed
	bool https;                // shoppers reach us over TLS
	bool stopping;
	bool failed;
	int doors_open;
};

// line.c: lines to the parent and to core.
struct line *line_open(struct web *web, int fd, enum wire_program peer);
void line_close(struct line *line);
// Writes what waits and says whether the line still stands.
bool line_flush(struct line *line);
void web_set_core(struct web *web, int fd);
void web_lose_core(struct web *web);

// main.c
void web_parent_message(struct web *web, struct wire_message *message);
void web_stop(struct web *web, unsigned grace_ms);

// waiting.c: requests on their way to core and back.
bool waitings_init(struct web *web, uint32_t count);
void waitings_done(struct web *web);
// Sends the request of a shopper with this address to core, now or as soon as it is back.
void waiting_begin(struct web *web, struct serve_request *request, enum web_listener kind,
                   const char *shopper);
// The client has gone.
void waiting_forget(struct web *web, struct serve_request *request);
// Takes the request of a serial out of the table; NULL when it is not there any more.
struct serve_request *waiting_end(struct web *web, uint64_t serial);
// Sends what could not be sent yet.
void waiting_send(struct web *web);
// Core has gone: what it was sent is answered with 503.
void waiting_lost(struct web *web);

// request.c: what a client asks for.
void request_come(struct serve_request *request, void *owner);
void request_gone(struct serve_request *request, void *owner);
// Puts the REQUEST message on core's line. ERROR_LIMIT when the line is full.
MUST_USE struct result request_put(struct web *web, const struct waiting *waiting);

// answer.c: what core answers.
void answer_give(struct web *web, const struct wire_message *message);
// Answers with a page of our own: its headers, and policy as docs/hosted-pages.md says.
bool answer_page(struct web *web, struct serve_request *request, int status, const char *name);

// refusal.c: what web says itself, in the shape of the API's errors.
void refusal_give(struct web *web, struct serve_request *request, int status, const char *message);
// 503: core is away; `again`: the client is to repeat the request (Stripe-Should-Retry: true).
void refusal_away(struct web *web, struct serve_request *request, bool again);
// For serve_options.on_refusal; `owner` is the door.
void refusal_make(struct serve_reply *reply, const char *detail, void *owner);
