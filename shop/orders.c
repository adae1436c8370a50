// Orders, and how one is paid exactly once. The order is stored before onfile is asked; each try of
// the shopper has one idempotency key, made of the order and the try; an answer that was not seen
// (cut, too late, a crash) leaves the order PAYING, and the next look asks again with the same key,
// or retrieves the intent when its id is known. Who has no card yet pays on onfile's page, in a
// checkout session whose intent is the order's from the start; the card is kept for the next time.
#include "shop.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "http/form.h"

#include <stdio.h>
#include <stdlib.h>

#define ITEMS_MAX 30
#define COUNT_MAX 20
#define LIST_MAX 50
#define RESOLVE_MAX 20

struct shop_payment {
	struct shop *shop;
	struct shop_turn *turn; // who waits for the answer; NULL: nobody, the shop asks by itself
	const char *language;
	struct shop_order order;
	struct shop_payment *next;
};

static const char *const states[] = { "paying", "action", "paid", "failed" };

static json_t *order_json(const struct shop_order *order)
{
	json_t *json = json_pack(
	        "{s:s, s:o, s:I, s:I, s:I, s:s, s:I, s:{s:s, s:s, s:s}}", "id", order->id, "items",
	        json_loads(order->items, 0, NULL), "amount", (json_int_t)order->amount, "created",
	        (json_int_t)order->created / 1000, "paid", (json_int_t)order->paid / 1000, "state",
	        states[order->state], "attempt", (json_int_t)order->attempt, "card", "id",
	        order->card, "brand", order->brand, "last4", order->last4);

	if (order->action[0] && order->state == SHOP_ORDER_ACTION)
		json_object_set_new(json, "action", json_string(order->action));
	if (order->error[0])
		json_object_set_new(json, "error", json_loads(order->error, 0, NULL));
	return json;
}

static void reply_order(struct shop_turn *turn, const struct shop_order *order)
{
	shop_reply(turn, 200, json_pack("{s:o}", "order", order_json(order)));
}

static void set_error(struct shop_order *order, json_t *error)
{
	char *text = error ? json_dumps(error, JSON_COMPACT) : NULL;

	// What does not fit is left out: the page then has its own sentence.
	if (!text || !bytes_copy_text(bytes_text(text), order->error, sizeof order->error))
		(void)snprintf(order->error, sizeof order->error, "%s", error ? "{}" : "");
	free(text);
	json_decref(error);
}

static void keep_intent(struct shop_order *order, const json_t *intent)
{
	const char *id = json_is_string(intent) ? json_string_value(intent)
	                                        : shop_json_text(intent, "id", NULL);

	if (id && shop_is_id(bytes_text(id)))
		(void)bytes_copy_text(bytes_text(id), order->intent, sizeof order->intent);
}

static bool take_card(struct shop_order *order, const json_t *method)
{
	json_t *card = shop_card_json(method);
	bool fine = card &&
	            bytes_copy_text(bytes_text(shop_json_text(card, "id", NULL)), order->card,
	                            sizeof order->card) &&
	            bytes_copy_text(bytes_text(shop_json_text(card, "brand", NULL)), order->brand,
	                            sizeof order->brand) &&
	            bytes_copy_text(bytes_text(shop_json_text(card, "last4", NULL)), order->last4,
	                            sizeof order->last4);

	json_decref(card);
	return fine;
}

// Paid on onfile's page: the card is not known before it has paid.
static bool is_checkout(const struct shop_order *order)
{
	return order->card[0] == 0;
}

static void take_action(struct shop_order *order, const char *url)
{
	if (!url || !bytes_start_with(bytes_text(url), "http") ||
	    !bytes_copy_text(bytes_text(url), order->action, sizeof order->action))
		return; // stays PAYING: the next look retrieves the intent
	order->state = SHOP_ORDER_ACTION;
}

// What a PaymentIntent says about the order.
static void take_intent(struct shop_order *order, const json_t *intent)
{
	const char *status = shop_json_text(intent, "status", NULL);

	if (!status)
		return;
	keep_intent(order, intent);
	if (strcmp(status, "succeeded") == 0 || strcmp(status, "requires_capture") == 0) {
		if (is_checkout(order))
			(void)take_card(order, json_object_get(intent, "payment_method"));
		order->state = SHOP_ORDER_PAID;
		order->paid = clock_wall_ms();
		set_error(order, NULL);
	} else if (strcmp(status, "requires_action") == 0) {
		take_action(order,
		            shop_json_text(intent, "next_action", "redirect_to_url", "url", NULL));
	} else if (is_checkout(order) && strcmp(status, "requires_payment_method") == 0) {
		// The shopper may still pay on onfile's page.
	} else if (strcmp(status, "processing") == 0) {
		order->state = SHOP_ORDER_PAYING;
	} else { // requires_payment_method, canceled
		if (strcmp(status, "canceled") == 0)
			order->intent[0] = 0; // the next try needs another one
		order->state = SHOP_ORDER_FAILED;
		set_error(order, shop_onfile_error(json_object_get(intent, "last_payment_error")));
	}
}

// 400, 402 and 404 are decided: nothing was charged. No answer, 401, 403, 409, 429, 5xx and a key
// that onfile knows with another body are not: an earlier call under this key may have gone
// through, so the order stays PAYING.
static void take_answer(struct shop_order *order, const struct shop_answer *answer)
{
	const json_t *error = json_object_get(answer->body, "error");
	const char *type = shop_json_text(error, "type", NULL);
	bool decided = answer->status == 400 || answer->status == 402 || answer->status == 404;

	if (answer->status == 200 && json_object_get(answer->body, "payment_status")) {
		keep_intent(order, json_object_get(answer->body, "payment_intent"));
		take_action(order, shop_json_text(answer->body, "url", NULL));
	} else if (answer->status == 200) {
		take_intent(order, answer->body);
	} else if (decided && type && strcmp(type, "idempotency_error") != 0) {
		keep_intent(order, json_object_get(error, "payment_intent"));
		order->state = SHOP_ORDER_FAILED;
		set_error(order, shop_onfile_error(error));
	} else {
		log_event(LOG_WARN, "payment_unknown", LOG_NUMBER("status", answer->status));
	}
}

static void payment_answered(void *context, const struct shop_answer *answer)
{
	struct shop_payment *payment = context;
	struct shop_payment **at = &payment->shop->payments;

	while (*at != payment)
		at = &(*at)->next;
	*at = payment->next;
	take_answer(&payment->order, answer);
	struct result result = shop_order_change(payment->shop->data, &payment->order);
	if (!payment->turn && !result_ok(result))
		log_event(LOG_ERROR, "order_not_stored", LOG_RESULT(result));
	else if (payment->turn && !result_ok(result))
		shop_reply_broken(payment->turn, result);
	else if (payment->turn)
		reply_order(payment->turn, &payment->order);
	free(payment);
}

// The same order gives the same bytes at every repetition, since the key is compared with them:
// nothing here may depend on the language, the clock or the list of goods.
static void put_payment(const struct shop *shop, const struct shop_account *account,
                        const struct shop_order *order, struct buffer *form)
{
	char value[256];

	http_form_put_text(form, "payment_method", order->card);
	(void)snprintf(value, sizeof value, "%s/orders/%s", shop->settings.url, order->id);
	http_form_put_text(form, "return_url", value);
	if (order->intent[0])
		return; // a further try on the same intent: it has the rest already
	(void)snprintf(value, sizeof value, "%lld", (long long)order->amount);
	http_form_put_text(form, "amount", value);
	http_form_put_text(form, "currency", "rub");
	http_form_put_text(form, "customer", account->customer);
	http_form_put_text(form, "confirm", "true");
	(void)snprintf(value, sizeof value, "Soyka %s", order->id);
	http_form_put_text(form, "description", value);
	http_form_put_text(form, "metadata[order]", order->id);
}

// The same of a checkout session.
static void put_session(const struct shop *shop, const struct shop_account *account,
                        const struct shop_order *order, struct buffer *form)
{
	char value[256];

	http_form_put_text(form, "mode", "payment");
	http_form_put_text(form, "customer", account->customer);
	(void)snprintf(value, sizeof value, "%s/orders/%s", shop->settings.url, order->id);
	http_form_put_text(form, "success_url", value);
	http_form_put_text(form, "cancel_url", value);
	(void)snprintf(value, sizeof value, "Soyka %s", order->id);
	http_form_put_text(form, "line_items[0][price_data][product_data][name]", value);
	http_form_put_text(form, "payment_intent_data[description]", value);
	(void)snprintf(value, sizeof value, "%lld", (long long)order->amount);
	http_form_put_text(form, "line_items[0][price_data][unit_amount]", value);
	http_form_put_text(form, "line_items[0][price_data][currency]", "rub");
	http_form_put_text(form, "line_items[0][quantity]", "1");
	http_form_put_text(form, "payment_intent_data[metadata][order]", order->id);
	http_form_put_text(form, "payment_intent_data[setup_future_usage]", "on_session");
}

// Asks onfile about an order that is PAYING or ACTION, or pays it. The first call of a try and
// every repetition of it are the same request under the same key.
static void ask(struct shop_payment *payment, const struct shop_account *account, bool first_call)
{
	const struct shop_order *order = &payment->order;
	struct shop *shop = payment->shop;
	struct buffer form;
	char path[160];
	char key[64];

	payment->next = shop->payments;
	shop->payments = payment;
	if (order->intent[0] && !first_call) {
		(void)snprintf(path, sizeof path, "/v1/payment_intents/%s?expand[]=payment_method",
		               order->intent);
		shop_onfile(shop, "GET", path, BYTES_NONE, NULL, payment->language,
		            payment_answered, payment);
		return;
	}
	(void)snprintf(path, sizeof path, "/v1/payment_intents%s%s%s", order->intent[0] ? "/" : "",
	               order->intent, order->intent[0] ? "/confirm" : "");
	(void)snprintf(key, sizeof key, "soyka-%s-%lld", order->id, (long long)order->attempt);
	buffer_init(&form, 8192);
	if (is_checkout(order)) {
		(void)snprintf(path, sizeof path, "/v1/checkout/sessions");
		put_session(shop, account, order, &form);
	} else {
		put_payment(shop, account, order, &form);
	}
	shop_onfile(shop, "POST", path, buffer_view(&form), key, payment->language,
	            payment_answered, payment);
	buffer_done(&form);
}

static struct shop_payment *payment_new(struct shop *shop, struct shop_turn *turn,
                                        const char *language, const struct shop_order *order)
{
	struct shop_payment *payment = calloc(1, sizeof *payment);

	CHECK(payment != NULL);
	*payment = (struct shop_payment){ shop, turn, language, *order, NULL };
	return payment;
}

static void ask_for(struct shop_turn *turn, const struct shop_order *order, bool first_call)
{
	ask(payment_new(turn->shop, turn, turn->language, order), &turn->account, first_call);
}

static bool is_asking(const struct shop *shop, const char *order)
{
	for (const struct shop_payment *payment = shop->payments; payment; payment = payment->next)
		if (strcmp(payment->order.id, order) == 0)
			return true;
	return false;
}

// Answers with the order as it is, after asking onfile when that can change it.
static void look(struct shop_turn *turn, const struct shop_order *order)
{
	bool open = order->state == SHOP_ORDER_PAYING || order->state == SHOP_ORDER_ACTION;

	if (open && !is_asking(turn->shop, order->id))
		ask_for(turn, order, false);
	else
		reply_order(turn, order);
}

// Orders whose answer was never seen are not left to the shopper's next look.
static void resolve_one(void *context, const struct shop_order *order)
{
	struct shop *shop = context;
	struct shop_account account;

	if (is_asking(shop, order->id) ||
	    !result_ok(shop_account_get(shop->data, order->account, &account)))
		return;
	const char *language = account.language[0] == 'e' ? "en" : "ru";
	ask(payment_new(shop, NULL, language, order), &account, false);
}

void shop_orders_resolve(struct shop *shop)
{
	struct result result = shop_order_open(shop->data, RESOLVE_MAX, resolve_one, shop);

	if (!result_ok(result))
		log_event(LOG_ERROR, "orders_not_read", LOG_RESULT(result));
}

struct listing {
	json_t *orders;
};

static void list_one(void *context, const struct shop_order *order)
{
	struct listing *listing = context;

	json_array_append_new(listing->orders, order_json(order));
}

void shop_get_orders(struct shop_turn *turn)
{
	struct listing listing = { json_array() };
	struct result result =
	        shop_order_list(turn->shop->data, turn->account.row, LIST_MAX, list_one, &listing);

	if (result_ok(result)) {
		shop_reply(turn, 200, json_pack("{s:o}", "orders", listing.orders));
		return;
	}
	json_decref(listing.orders);
	shop_reply_broken(turn, result);
}

void shop_get_order(struct shop_turn *turn)
{
	struct shop_order order;
	struct result result =
	        shop_order_get(turn->shop->data, turn->account.row, turn->part, &order);

	if (result.error == ERROR_NOT_FOUND)
		shop_reply_error(turn, 404, "not_found", NULL);
	else if (!result_ok(result))
		shop_reply_broken(turn, result);
	else
		look(turn, &order);
}

// Checks the basket and adds it up with the shop's own prices.
static bool take_items(struct shop_turn *turn, struct shop_order *order)
{
	const json_t *items = json_object_get(turn->body, "items");
	size_t count = json_array_size(items);
	json_t *stored = json_array();
	bool fine = count > 0 && count <= ITEMS_MAX;

	for (size_t i = 0; fine && i < count; i++) {
		const json_t *item = json_array_get(items, i);
		const json_t *number = json_object_get(item, "count");
		const char *id = shop_json_text(item, "id", NULL);
		json_int_t pieces = json_integer_value(number);
		const struct shop_good *good =
		        id ? shop_goods_find(&turn->shop->goods, bytes_text(id)) : NULL;
		fine = good && json_is_integer(number) && pieces >= 1 && pieces <= COUNT_MAX;
		if (!fine)
			break;
		order->amount += good->price * pieces;
		json_array_append_new(stored, json_pack("{s:s, s:I, s:I}", "id", good->id, "count",
		                                        pieces, "price", (json_int_t)good->price));
	}
	char *text = json_dumps(stored, JSON_COMPACT);
	fine = fine && text && bytes_copy_text(bytes_text(text), order->items, sizeof order->items);
	free(text);
	json_decref(stored);
	return fine;
}

static void new_order_id(char ret_id[SHOP_ORDER_TEXT])
{
	// No letters that are mistaken for digits when somebody reads the number out.
	static const char letters[] = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t random[7];

	shop_random(random, sizeof random);
	memcpy(ret_id, "S-", 2);
	for (size_t i = 0; i < sizeof random; i++)
		ret_id[2 + i] = letters[random[i] % (sizeof letters - 1)];
	ret_id[2 + sizeof random] = 0;
}

// The order is stored, then paid. `method`: a card of this customer; NULL: on onfile's page.
static void place_order(struct shop_turn *turn, const json_t *method)
{
	struct shop_order order = { .account = turn->account.row,
		                    .state = SHOP_ORDER_PAYING,
		                    .attempt = 1,
		                    .created = clock_wall_ms() };

	if ((method && !take_card(&order, method)) || !take_items(turn, &order)) {
		shop_reply_error(turn, 400, "invalid", NULL);
		return;
	}
	new_order_id(order.id);
	(void)bytes_copy_text(shop_body_text(turn, "key"), order.page_key, sizeof order.page_key);
	struct result result = shop_order_add(turn->shop->data, &order);
	if (result_ok(result)) {
		ask_for(turn, &order, true);
		return;
	}
	// The same tap came twice at once: the first has made the order.
	if (result.error == ERROR_STATE)
		result = shop_order_by_key(turn->shop->data, turn->account.row, order.page_key,
		                           &order);
	if (result_ok(result))
		look(turn, &order);
	else
		shop_reply_broken(turn, result);
}

static void card_seen(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;

	if (answer->status == 200)
		place_order(turn, answer->body);
	else
		shop_reply_onfile(turn, answer);
}

static void order_on_page(struct shop_turn *turn)
{
	place_order(turn, NULL);
}

static void find_card(struct shop_turn *turn, shop_answered *done)
{
	struct bytes card = shop_body_text(turn, "card");
	char path[256];

	if (!turn->account.customer[0] || !shop_is_id(card)) {
		shop_reply_error(turn, 404, "not_found", NULL);
		return;
	}
	(void)snprintf(path, sizeof path, "/v1/customers/%s/payment_methods/%.*s",
	               turn->account.customer, (int)card.length, (const char *)card.data);
	shop_onfile(turn->shop, "GET", path, BYTES_NONE, NULL, turn->language, done, turn);
}

// POST /api/orders {items: [{id, count}], card, key}. `key` is the page's name for this tap.
// Without a card the answer's `action` is onfile's page, where the shopper pays with one.
void shop_post_order(struct shop_turn *turn)
{
	struct bytes key = shop_body_text(turn, "key");
	struct shop_order order = { 0 };
	char text[SHOP_TOKEN_TEXT];

	if (key.length < 16 || !shop_is_id(key) || !bytes_copy_text(key, text, sizeof text) ||
	    !take_items(turn, &order)) {
		shop_reply_error(turn, 400, "invalid", NULL);
		return;
	}
	struct result result = shop_order_by_key(turn->shop->data, turn->account.row, text, &order);
	if (result_ok(result))
		look(turn, &order);
	else if (result.error == ERROR_NOT_FOUND && !shop_body_text(turn, "card").length)
		shop_with_customer(turn, order_on_page);
	else if (result.error == ERROR_NOT_FOUND)
		find_card(turn, card_seen);
	else
		shop_reply_broken(turn, result);
}

static void next_card_seen(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	struct shop_order order;

	if (answer->status != 200) {
		shop_reply_onfile(turn, answer);
		return;
	}
	// Read again: another tab may have paid meanwhile.
	struct result result =
	        shop_order_get(turn->shop->data, turn->account.row, bytes_text(turn->text), &order);
	if (result_ok(result) && order.state != SHOP_ORDER_FAILED) {
		look(turn, &order);
		return;
	}
	if (result_ok(result) && !take_card(&order, answer->body))
		result = FAIL(ERROR_INPUT, "a card without brand or digits");
	order.state = SHOP_ORDER_PAYING;
	order.attempt++;
	set_error(&order, NULL);
	if (result_ok(result))
		result = shop_order_change(turn->shop->data, &order);
	if (result_ok(result))
		ask_for(turn, &order, true);
	else
		shop_reply_broken(turn, result);
}

// POST /api/orders/ORDER/pay {card}: a new try after a refusal.
void shop_post_pay(struct shop_turn *turn)
{
	struct shop_order order;
	struct result result =
	        shop_order_get(turn->shop->data, turn->account.row, turn->part, &order);

	if (result.error == ERROR_NOT_FOUND) {
		shop_reply_error(turn, 404, "not_found", NULL);
	} else if (!result_ok(result)) {
		shop_reply_broken(turn, result);
	} else if (order.state != SHOP_ORDER_FAILED) {
		look(turn, &order);
	} else {
		(void)snprintf(turn->text, sizeof turn->text, "%s", order.id);
		find_card(turn, next_card_seen);
	}
}
