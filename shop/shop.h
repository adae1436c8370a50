// The running shop and one request in it. A handler gets a `struct shop_turn` and must end it, now
// or after calls to onfile, with exactly one of the shop_reply functions, which frees it.
#pragma once

#include "client.h"
#include "data.h"
#include "goods.h"
#include "settings.h"

#include "serve/serve.h"
#include "serve/static.h"

#define SHOP_PAIRS 16

struct shop_payment; // orders.c: a payment whose call to onfile is out

struct shop {
	uv_loop_t *loop;
	struct shop_settings settings;
	struct shop_data *data;
	struct shop_client *client;
	struct shop_goods goods;
	struct serve *serve;
	struct serve_static *web;    // the shop's own files
	struct serve_static *shared; // tokens and brand marks, under /static
	char version[17];            // changes with every file of the page
	struct shop_payment *payments;
	uv_timer_t tidy;
	uv_signal_t signals[2];
};

struct shop_turn {
	struct shop *shop;
	struct serve_request *request;
	struct shop_account account; // .row is 0 when nobody is signed in
	uint8_t session[SHOP_HASH];
	const char *language;      // "ru" or "en", static
	struct bytes part;         // the variable part of the path: /api/orders/PART/pay
	json_t *body;              // of a POST: an object
	json_t *scratch;           // what a handler keeps between two calls
	char text[SHOP_LINK_TEXT]; // the same, as text
	void (*then)(struct shop_turn *turn);
};

typedef void shop_handler(struct shop_turn *turn);

// routes.c
void shop_answer(struct serve_request *request, void *owner);
void shop_refusal(struct serve_reply *reply, const char *detail, void *owner);

// reply.c. JSON values are stolen.
void shop_reply(struct shop_turn *turn, int status, json_t *body);
void shop_reply_with_cookie(struct shop_turn *turn, json_t *body, const char *cookie);
// {"error": {"code": …}} plus what `more` holds (may be NULL).
void shop_reply_error(struct shop_turn *turn, int status, const char *code, json_t *more);
// 500 and a line in the log.
void shop_reply_broken(struct shop_turn *turn, struct result result);
// Fills in the fields that every page and file of the shop carries; returns how many.
size_t shop_page_pairs(struct http_pair ret_pairs[SHOP_PAIRS]);
// A member of the request's body: "" when it is not there or no text.
struct bytes shop_body_text(const struct shop_turn *turn, const char *name);
// The text behind a path of object members, or NULL: shop_json_text(body, "a", "b", NULL).
const char *shop_json_text(const json_t *object, ...) __attribute__((sentinel));

// pages.c
MUST_USE struct result shop_pages_load(struct shop *shop);
void shop_pages_answer(struct shop *shop, struct serve_request *request);
const char *shop_language(const struct serve_request *request);

// sign_in.c
shop_handler shop_get_me, shop_post_code, shop_post_sign_in, shop_post_sign_out, shop_post_profile;
// Fills in who asks, from the session's cookie.
void shop_recognise(struct shop_turn *turn);

// onfile.c
void shop_onfile(struct shop *shop, const char *method, const char *path, struct bytes form,
                 const char *idempotency, const char *language, shop_answered *done, void *context);
// Goes on with `then` once the account has a customer at onfile, or answers with an error.
void shop_with_customer(struct shop_turn *turn, void (*then)(struct shop_turn *turn));
// What the page shows of a refusal: messages and titles (each {en, ru}), who, again, at, reference;
// what onfile did not say is not there. Takes the error object (may be NULL); a new reference.
json_t *shop_onfile_error(const json_t *error);
// Answers a turn whose call to onfile did not give 200.
void shop_reply_onfile(struct shop_turn *turn, const struct shop_answer *answer);
// A name that may stand in a path: letters, digits, "_" and "-", not empty, at most 63.
bool shop_is_id(struct bytes id);

// cards.c
shop_handler shop_get_cards, shop_post_link, shop_get_linked, shop_post_manage;
json_t *shop_card_json(const json_t *method);

// orders.c
// Asks onfile about the orders whose answer was never seen: at the start, and every half minute.
void shop_orders_resolve(struct shop *shop);
shop_handler shop_get_orders, shop_get_order, shop_post_order, shop_post_pay;
