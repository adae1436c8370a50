// Errors that web itself answers with. The usual clients take an answer without `error` for a
// success, so every one of them has the shape of the API's errors (docs/http.md).
#include "web/web.h"

#include "base/text.h"

static const struct {
	int status;
	const char *type, *code;
} kinds[] = {
	{ 400, "invalid_request_error", "request_malformed" },
	{ 404, "invalid_request_error", "resource_missing" },
	{ 405, "invalid_request_error", "method_not_allowed" },
	{ 408, "invalid_request_error", "request_timeout" },
	{ 413, "invalid_request_error", "request_too_large" },
	{ 414, "invalid_request_error", "url_too_long" },
	{ 417, "invalid_request_error", "expectation_unknown" },
	{ 431, "invalid_request_error", "headers_too_large" },
	{ 503, "api_error", "service_unavailable" },
	{ 500, "api_error", "internal_error" }, // the last one: also for what is not in the table
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]), BASE_PAIRS = 4, MAX_PAIRS = 8 };

static size_t kind_of(int status)
{
	size_t kind = 0;

	while (kind < KINDS - 1 && kinds[kind].status != status)
		kind++;
	return kind;
}

static void put_body(struct buffer *body, int status, const char *message)
{
	size_t kind = kind_of(status);

	buffer_reset(body);
	buffer_put_text(body, "{\"error\":{\"type\":\"");
	buffer_put_text(body, kinds[kind].type);
	buffer_put_text(body, "\",\"code\":\"");
	buffer_put_text(body, kinds[kind].code);
	buffer_put_text(body, "\",\"message\":");
	json_put_text(body, bytes_text(message));
	buffer_put_text(body, "}}\n");
}

// Ids are unique, not secret: a random start and a count.
static struct bytes make_request_id(struct web *web)
{
	struct buffer text;

	buffer_init(&text, sizeof(web->request_id) - 1);
	buffer_put_text(&text, "req_");
	base62_put(&text, web->id_prefix, 11);
	base62_put(&text, ++web->id_count, 11);
	bytes_copy_text(buffer_view(&text), web->request_id, sizeof(web->request_id));
	buffer_done(&text);
	return bytes_text(web->request_id);
}

// Fills in a reply; `pairs` has room for MAX_PAIRS.
static void make(struct web *web, struct serve_reply *reply, struct http_pair *pairs,
                 const char *message)
{
	size_t count = 0;

	pairs[count++] = (struct http_pair){ "Request-Id", make_request_id(web) };
	pairs[count++] = HTTP_PAIR("Cache-Control", "no-store");
	pairs[count++] = HTTP_PAIR("X-Content-Type-Options", "nosniff");
	pairs[count++] = HTTP_PAIR("Referrer-Policy", "no-referrer");
	put_body(&web->refusal, reply->status, message);
	reply->type = "application/json";
	reply->pairs = pairs;
	reply->pair_count = count;
	reply->body = buffer_view(&web->refusal);
}

void refusal_give(struct web *web, struct serve_request *request, int status, const char *message)
{
	struct http_pair pairs[MAX_PAIRS];
	struct serve_reply reply = { .status = status };

	make(web, &reply, pairs, message);
	if (status == 405)
		pairs[reply.pair_count++] = HTTP_PAIR("Allow", "GET, HEAD");
	serve_reply(request, &reply);
}

// A shopper's browser that asks for a page gets a page.
static bool wants_page(const struct serve_request *request)
{
	return bytes_equal_text(request->http->method, "GET") &&
	       !bytes_start_with(request->http->path, "/v1/") &&
	       bytes_start_with(http_request_get(request->http, "accept"), "text/html");
}

void refusal_away(struct web *web, struct serve_request *request, bool again)
{
	struct http_pair pairs[MAX_PAIRS];
	struct serve_reply reply = { .status = 503 };

	if (wants_page(request) && answer_page(web, request, 503, "away.html"))
		return;
	make(web, &reply, pairs, "The service is restarting. Try again in a moment.");
	pairs[reply.pair_count++] = HTTP_PAIR("Retry-After", "1");
	if (again)
		pairs[reply.pair_count++] = HTTP_PAIR("Stripe-Should-Retry", "true");
	serve_reply(request, &reply);
}

void refusal_make(struct serve_reply *reply, const char *detail, void *owner)
{
	static struct http_pair pairs[MAX_PAIRS];
	struct web_door *door = owner;

	make(door->web, reply, pairs, detail);
}
