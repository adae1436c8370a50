// Which request goes where: one table. Everything under /api/ is JSON for the page's own script and
// takes changes from the page's own origin only; the rest are pages and files.
#include "shop.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

enum who { ANYBODY, SIGNED_IN };

static const struct route {
	const char *method;
	const char *path; // "*" stands for one part
	enum who who;
	shop_handler *handler;
} routes[] = {
	{ "GET", "/api/me", ANYBODY, shop_get_me },
	{ "POST", "/api/code", ANYBODY, shop_post_code },
	{ "POST", "/api/sign-in", ANYBODY, shop_post_sign_in },
	{ "POST", "/api/sign-out", ANYBODY, shop_post_sign_out },
	{ "POST", "/api/profile", SIGNED_IN, shop_post_profile },
	{ "GET", "/api/cards", SIGNED_IN, shop_get_cards },
	{ "POST", "/api/cards/link", SIGNED_IN, shop_post_link },
	{ "GET", "/api/cards/linked/*", SIGNED_IN, shop_get_linked },
	{ "POST", "/api/cards/manage", SIGNED_IN, shop_post_manage },
	{ "GET", "/api/orders", SIGNED_IN, shop_get_orders },
	{ "POST", "/api/orders", SIGNED_IN, shop_post_order },
	{ "GET", "/api/orders/*", SIGNED_IN, shop_get_order },
	{ "POST", "/api/orders/*/pay", SIGNED_IN, shop_post_pay },
};

// The path equals the pattern, where "*" is any one part, which is returned.
static bool matches(const char *pattern, struct bytes path, struct bytes *ret_part)
{
	size_t at = 0;

	for (; *pattern; pattern++) {
		if (*pattern == '*') {
			struct bytes rest = bytes_slice(path, at, path.length);
			*ret_part = bytes_slice(rest, 0, bytes_find(rest, '/'));
			if (!ret_part->length)
				return false;
			at += ret_part->length;
		} else if (at >= path.length || path.data[at++] != (uint8_t)*pattern) {
			return false;
		}
	}
	return at == path.length;
}

static const struct route *find(const struct http_request *http, struct bytes *ret_part,
                                bool *ret_known)
{
	*ret_known = false;
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!matches(routes[i].path, http->path, ret_part))
			continue;
		*ret_known = true;
		if (bytes_equal_text(http->method, routes[i].method))
			return &routes[i];
	}
	return NULL;
}

// A change must come from a page of ours. Browsers send Origin with every POST; where it is missing
// (old ones, same origin) Sec-Fetch-Site must say so. The cookie is SameSite=Lax besides.
static bool is_ours(const struct shop *shop, const struct http_request *http)
{
	struct bytes origin = http_request_get(http, "origin");

	if (origin.data)
		return bytes_equal_text(origin, shop->settings.url);
	return bytes_equal_text(http_request_get(http, "sec-fetch-site"), "same-origin");
}

static bool take_body(struct shop_turn *turn)
{
	const struct http_request *http = turn->request->http;
	struct bytes type = http_request_get(http, "content-type");

	if (!http->body.length) {
		turn->body = json_object();
		return true;
	}
	if (!bytes_start_with(type, "application/json"))
		return false;
	turn->body = json_loadb((const char *)http->body.data, http->body.length,
	                        JSON_REJECT_DUPLICATES, NULL);
	return json_is_object(turn->body);
}

static void start(struct shop_turn *turn)
{
	const struct http_request *http = turn->request->http;
	bool known = false;
	const struct route *route = find(http, &turn->part, &known);

	if (!route) {
		shop_reply_error(turn, known ? 405 : 404, "not_found", NULL);
		return;
	}
	if (!bytes_equal_text(http->method, "GET")) {
		if (!is_ours(turn->shop, http)) {
			shop_reply_error(turn, 403, "not_ours", NULL);
			return;
		}
		if (!take_body(turn)) {
			shop_reply_error(turn, 400, "invalid", NULL);
			return;
		}
	}
	shop_recognise(turn);
	if (route->who == SIGNED_IN && !turn->account.row)
		shop_reply_error(turn, 401, "sign_in", NULL);
	else
		route->handler(turn);
}

void shop_answer(struct serve_request *request, void *owner)
{
	struct shop *shop = owner;

	if (!bytes_start_with(request->http->path, "/api/")) {
		shop_pages_answer(shop, request);
		return;
	}
	struct shop_turn *turn = calloc(1, sizeof *turn);
	CHECK(turn != NULL);
	turn->shop = shop;
	turn->request = request;
	turn->language = shop_language(request);
	start(turn);
}

void shop_refusal(struct serve_reply *reply, const char *detail, void *owner)
{
	(void)owner;
	log_event(LOG_INFO, "request_refused", LOG_NUMBER("status", reply->status),
	          LOG_TEXT("detail", detail));
}
