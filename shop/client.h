// HTTP calls to others (onfile, the SMS gateway) on the shop's one event loop: libcurl's multi
// interface driven by libuv, so that a slow bank holds nobody else up.
#pragma once

#include "base/buffer.h"

#include <jansson.h>
#include <uv.h>

struct shop_client;

struct shop_answer {
	int status;       // 0: no answer (not reached, cut, too late, too long)
	json_t *body;     // NULL when there is none or it is not JSON; owned by the client
	int64_t duration; // ms
};

typedef void shop_answered(void *context, const struct shop_answer *answer);

struct shop_call {
	const char *method; // "GET" or "POST"
	const char *url;
	struct bytes form;       // the body of a POST, application/x-www-form-urlencoded; copied
	const char *bearer;      // NULL: no Authorization
	const char *idempotency; // NULL: no key
	const char *language;    // Accept-Language, or NULL
	uint32_t timeout_ms;
	shop_answered
	        *done; // always called, exactly once, never before shop_client_send() returned
	void *context;
};

MUST_USE struct result shop_client_new(uv_loop_t *loop, struct shop_client **ret_client);
// Every open call is answered with status 0; the loop must run until the handles are closed.
void shop_client_free(struct shop_client *client);

void shop_client_send(struct shop_client *client, const struct shop_call *call);
