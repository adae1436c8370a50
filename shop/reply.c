// Answers of the shop: JSON for the page's script, the security fields for everything.
#include "shop.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <stdarg.h>

static size_t put_security(struct http_pair *pairs)
{
	size_t count = 0;

	pairs[count++] = HTTP_PAIR("X-Content-Type-Options", "nosniff");
	pairs[count++] = HTTP_PAIR("Referrer-Policy", "same-origin");
	pairs[count++] = HTTP_PAIR("Cross-Origin-Opener-Policy", "same-origin");
	pairs[count++] = HTTP_PAIR("Cross-Origin-Resource-Policy", "same-origin");
	pairs[count++] = HTTP_PAIR("Permissions-Policy",
	                           "camera=(), microphone=(), geolocation=(), payment=()");
	return count;
}

size_t shop_page_pairs(struct http_pair ret_pairs[SHOP_PAIRS])
{
	size_t count = put_security(ret_pairs);

	ret_pairs[count++] =
	        HTTP_PAIR("Content-Security-Policy",
	                  "default-src 'none'; script-src 'self'; style-src 'self'; "
	                  "img-src 'self'; connect-src 'self'; manifest-src 'self'; "
	                  "worker-src 'self'; form-action 'self'; base-uri 'none'; "
	                  "frame-ancestors 'none'; require-trusted-types-for 'script'; "
	                  "trusted-types soyka");
	return count;
}

static void answer(struct shop_turn *turn, int status, json_t *body, const char *cookie)
{
	struct http_pair pairs[SHOP_PAIRS];
	size_t count = put_security(pairs);
	char *text = json_dumps(body, JSON_COMPACT);

	CHECK(text != NULL);
	pairs[count++] = HTTP_PAIR("Cache-Control", "no-store");
	if (cookie)
		pairs[count++] = HTTP_PAIR_TEXT("Set-Cookie", cookie);
	serve_reply(turn->request, &(struct serve_reply){ .status = status,
	                                                  .type = "application/json",
	                                                  .pairs = pairs,
	                                                  .pair_count = count,
	                                                  .body = bytes_text(text) });
	free(text);
	json_decref(body);
	json_decref(turn->body);
	json_decref(turn->scratch);
	free(turn);
}

void shop_reply(struct shop_turn *turn, int status, json_t *body)
{
	answer(turn, status, body, NULL);
}

void shop_reply_with_cookie(struct shop_turn *turn, json_t *body, const char *cookie)
{
	answer(turn, 200, body, cookie);
}

void shop_reply_error(struct shop_turn *turn, int status, const char *code, json_t *more)
{
	json_t *error = more ? more : json_object();

	json_object_set_new(error, "code", json_string(code));
	answer(turn, status, json_pack("{s:o}", "error", error), NULL);
}

void shop_reply_broken(struct shop_turn *turn, struct result result)
{
	log_event(LOG_ERROR, "request_failed", LOG_RESULT(result));
	shop_reply_error(turn, 500, "our_fault", NULL);
}

struct bytes shop_body_text(const struct shop_turn *turn, const char *name)
{
	const json_t *value = json_object_get(turn->body, name);

	return json_is_string(value)
	               ? bytes_from(json_string_value(value), json_string_length(value))
	               : bytes_text("");
}

const char *shop_json_text(const json_t *object, ...)
{
	va_list names;
	const char *name;

	va_start(names, object);
	while ((name = va_arg(names, const char *)))
		object = json_object_get(object, name);
	va_end(names);
	return json_string_value(object);
}
