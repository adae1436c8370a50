// What a client asks for: a static file, a probe, or something for core. The table `carried` says
// which headers core gets to see.
#include "web/forwarded.h"
#include "web/web.h"

#include "base/check.h"
#include "base/text.h"

#include <stdio.h>

static const struct {
	uint8_t place; // in the REQUEST message
	const char *header;
} carried[] = {
	{ WIRE_REQUEST_AUTHORIZATION, "authorization" },
	{ WIRE_REQUEST_IDEMPOTENCY_KEY, "idempotency-key" },
	{ WIRE_REQUEST_VERSION, "stripe-version" },
	{ WIRE_REQUEST_CONTENT_TYPE, "content-type" },
	{ WIRE_REQUEST_ORIGIN, "origin" },
	{ WIRE_REQUEST_USER_AGENT, "user-agent" },
	{ WIRE_REQUEST_ACCEPT, "accept" },
	{ WIRE_REQUEST_ACCEPT_LANGUAGE, "accept-language" },
};

enum { CARRIED = sizeof(carried) / sizeof(carried[0]) };

// They would say whose request it is; answered as if they were not there, a request would touch the
// wrong merchant's money.
static const struct {
	const char *header, *refusal;
} account_headers[] = {
	{ "stripe-account", "onfile does not support Stripe-Account: it has no connected accounts. "
	                    "Send the key of the "
	                    "merchant that is meant." },
	{ "stripe-context", "onfile does not support Stripe-Context: it has no connected accounts. "
	                    "Send the key of the "
	                    "merchant that is meant." },
};

struct result request_put(struct web *web, const struct waiting *waiting)
{
	const struct http_request *http = waiting->request->http;
	struct wire_value values[WIRE_FIELDS_OF_REQUEST] = {
		[WIRE_REQUEST_SERIAL] = WIRE_N(waiting->serial),
		[WIRE_REQUEST_LISTENER] = WIRE_N(waiting->kind),
		[WIRE_REQUEST_METHOD] = WIRE_B(http->method),
		[WIRE_REQUEST_TARGET] = WIRE_B(http->target),
		[WIRE_REQUEST_PEER] = WIRE_B(bytes_text(waiting->shopper)),
		[WIRE_REQUEST_HOST] = WIRE_B(http->host),
		[WIRE_REQUEST_BODY] = WIRE_B(http->body),
	};

	for (size_t i = 0; i < CARRIED; i++)
		values[carried[i].place] = WIRE_B(http_request_get(http, carried[i].header));
	return wire_channel_put(&web->core->channel, WIRE_REQUEST, values);
}

// Core gets texts only, and none that is longer than the catalogue says.
static bool fits(struct web *web, struct serve_request *request)
{
	const struct wire_row *row = wire_row(WIRE_REQUEST);

	for (size_t i = 0; i < CARRIED; i++) {
		struct bytes value = http_request_get(request->http, carried[i].header);
		if (value.length > row->fields[carried[i].place].limit) {
			refusal_give(web, request, 431, "A header is too long.");
			return false;
		}
		if (!text_is_utf8(value)) {
			refusal_give(web, request, 400, "A header is not UTF-8.");
			return false;
		}
	}
	return true;
}

static bool names_no_account(struct web *web, struct serve_request *request)
{
	for (size_t i = 0; i < sizeof(account_headers) / sizeof(account_headers[0]); i++)
		if (http_request_get(request->http, account_headers[i].header).length) {
			refusal_give(web, request, 400, account_headers[i].refusal);
			return false;
		}
	return true;
}

static void hand_on(struct web *web, struct serve_request *request, enum web_listener kind)
{
	char shopper[NET_ADDRESS_TEXT];

	if (!forwarded_shopper(&web->proxies, &request->http->fields, request->peer, shopper))
		refusal_give(web, request, 400, "X-Forwarded-For does not say an address.");
	else if (names_no_account(web, request) && fits(web, request))
		waiting_begin(web, request, kind, shopper);
}

// "/static/x" is the file x of the folder; so is "/x", for the files that are looked for at the
// root (favicon.ico, robots.txt, onfile.js).
static const struct serve_file *find_file(const struct web *web, struct bytes path)
{
	char at_root[64];

	if (bytes_start_with(path, "/static/"))
		return serve_static_find(web->files, path);
	if (path.length < 2 || path.length >= sizeof(at_root) - sizeof("/static") ||
	    bytes_find(bytes_slice(path, 1, path.length), '/') != path.length - 1)
		return NULL;
	int length = snprintf(at_root, sizeof(at_root), "/static%.*s", (int)path.length,
	                      (const char *)path.data);
	return serve_static_find(web->files, bytes_from(at_root, (size_t)length));
}

static void give_file(struct serve_request *request, const struct serve_file *file)
{
	const struct http_pair pairs[] = {
		HTTP_PAIR("X-Content-Type-Options", "nosniff"),
		HTTP_PAIR("Referrer-Policy", "no-referrer"),
	};

	serve_file(request, file, "no-cache", pairs, sizeof(pairs) / sizeof(pairs[0]));
}

static bool reads(const struct http_request *http)
{
	return bytes_equal_text(http->method, "GET") || bytes_equal_text(http->method, "HEAD");
}

static void come_public(struct web *web, struct serve_request *request)
{
	const struct serve_file *file = find_file(web, request->http->path);

	if (file && reads(request->http))
		give_file(request, file);
	else if (file)
		refusal_give(web, request, 405, "A static file can be read only.");
	else if (bytes_start_with(request->http->path, "/static/"))
		refusal_give(web, request, 404, "There is no such file.");
	else
		hand_on(web, request, WEB_PUBLIC);
}

static void come_results(struct web *web, struct serve_request *request)
{
	hand_on(web, request, WEB_RESULTS);
}

static void come_metrics(struct web *web, struct serve_request *request)
{
	if (bytes_equal_text(request->http->path, "/livez"))
		serve_text(request, 200, "ok\n");
	else
		hand_on(web, request, WEB_METRICS);
}

void request_come(struct serve_request *request, void *owner)
{
	static void (*const come[WEB_LISTENERS])(struct web * web,
	                                         struct serve_request * request) = {
		[WEB_PUBLIC] = come_public,
		[WEB_RESULTS] = come_results,
		[WEB_METRICS] = come_metrics,
	};
	struct web_door *door = owner;

	come[door->kind](door->web, request);
}

void request_gone(struct serve_request *request, void *owner)
{
	struct web_door *door = owner;

	waiting_forget(door->web, request);
	serve_forget(request);
}
