// What merchants want: to link cards, to be paid with them, to capture, cancel, give back, and to
// remove cards; and what of it they believe, because they were told.
#include "shop.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const statuses[STATUSES] = { "requires_payment_method",
	                                        "requires_confirmation",
	                                        "requires_action",
	                                        "processing",
	                                        "requires_capture",
	                                        "succeeded",
	                                        "canceled",
	                                        "" };
enum { TOLD_ACTION = 2, TOLD_PROCESSING, TOLD_CAPTURABLE, TOLD_SUCCEEDED, TOLD_CANCELED };

int order_status(const json_t *object)
{
	const char *text = json_string_value(json_object_get(object, "status"));

	for (int i = 0; text && i < STATUSES; i++)
		if (strcmp(statuses[i], text) == 0)
			return i;
	return -1;
}

static bool copy_id(const json_t *object, const char *name, char ret_id[static ID_MAX])
{
	const char *text = json_string_value(json_object_get(object, name));

	return text && bytes_copy_text(bytes_text(text), ret_id, ID_MAX);
}

// --- what was said stays true

static bool is_lawful(const struct order *order, int now)
{
	if (order->told & 1 << TOLD_SUCCEEDED && now != TOLD_SUCCEEDED)
		return false;
	if (order->told & 1 << TOLD_CANCELED && now != TOLD_CANCELED)
		return false;
	return !(order->told & 1 << TOLD_CAPTURABLE) || now >= TOLD_CAPTURABLE;
}

void order_told(struct order *order, const json_t *object, bool fresh)
{
	int status = order_status(object);
	int64_t received = json_integer_value(json_object_get(object, "amount_received"));

	if (status < 0)
		return;
	if (fresh && !is_lawful(order, status))
		sim_fail("order %d (%s) is %s, and an answer said otherwise (%x)", order->number,
		         order->intent, statuses[status], order->told);
	if (fresh && status >= TOLD_CAPTURABLE && status != TOLD_CANCELED && !order->may_pay &&
	    order->paying == 0)
		sim_fail("order %d (%s) is %s, and every try to pay it was refused", order->number,
		         order->intent, statuses[status]);
	if (fresh && order->received_told && received != order->received_told)
		sim_fail("order %d (%s): %lld was received, then %lld", order->number,
		         order->intent, (long long)order->received_told, (long long)received);
	order->told |= 1u << status;
	if (received)
		order->received_told = received;
	copy_id(object, "id", order->intent);
}

// --- steps

static void end_order(struct order *order)
{
	if (!order->done)
		shop.open_orders--;
	order->done = true;
}

static void intent_call(struct order *order, enum deed deed, const char *what, const char *body)
{
	char path[120];

	snprintf(path, sizeof(path), "/v1/%s/%s/%s",
	         order->links ? "setup_intents" : "payment_intents", order->intent, what);
	if (deed == DEED_CONFIRM)
		order->paying++;
	shop_call(order, deed, path, "%s", body);
}

static void link_card(struct order *order)
{
	char body[200];

	snprintf(
	        body, sizeof(body),
	        "payment_method_data[type]=card&payment_method_data[card][encrypted]=card-%d-%d-%d",
	        (int)chance_below(CARDS), order->number, order->tries);
	intent_call(order, DEED_LINK, "confirm", body);
}

// One that was linked, or now and then a test token, which needs no link.
static const char *pick_card(const struct order *order)
{
	int start = (int)chance_below(CARDS);

	if (chance_of(100))
		return "pm_card_visa";
	for (int i = 0; i < CARDS; i++) {
		const struct shop_card *card =
		        &shop.customers[order->customer].cards[(start + i) % CARDS];
		if (card->id[0] && !card->removed)
			return card->id;
	}
	return NULL;
}

static void begin(void *what);

static void later(struct order *order, int64_t wait_ms)
{
	struct order **room = world_room(sizeof(struct order *));

	*room = order;
	world_after(wait_ms, begin, (void *)room);
}

static void create(struct order *order)
{
	shop_call(order, DEED_CREATE, "/v1/payment_intents",
	          "amount=%lld&currency=rub&customer=%s&metadata[order]=%d%s%s",
	          (long long)order->amount, shop.customers[order->customer].id, order->number,
	          order->manual ? "&capture_method=manual" : "",
	          order->keeps ? "&setup_future_usage=off_session" : "");
}

static void pay(struct order *order)
{
	if (order->typed) {
		create(order);
		return;
	}
	const char *card = pick_card(order);
	if (!card) {
		if (++order->tries > 8 || sim.calm)
			end_order(order);
		else
			later(order, chance_between(1000, 8000));
		return;
	}
	snprintf(order->card, sizeof(order->card), "%s", card);
	const char *customer = shop.customers[order->customer].id;
	const char *manual = order->manual ? "&capture_method=manual" : "";
	if (order->two_steps) {
		create(order);
		return;
	}
	order->paying++;
	shop_call(order, DEED_PAY, "/v1/payment_intents",
	          "amount=%lld&currency=rub&customer=%s&payment_method=%s&confirm=true"
	          "&off_session=%s&metadata[order]=%d%s",
	          (long long)order->amount, customer, card, order->by_merchant ? "true" : "false",
	          order->number, manual);
}

static void confirm_typed(struct order *order)
{
	char body[200];

	snprintf(body, sizeof(body),
	         "payment_method_data[type]=card&payment_method_data[card][encrypted]=card-%d-%d-%"
	         "d%s",
	         (int)chance_below(CARDS), order->number, order->tries,
	         order->by_merchant ? "&error_on_requires_action=true" : "");
	intent_call(order, DEED_CONFIRM, "confirm", body);
}

static void confirm(struct order *order)
{
	char body[150];

	if (order->typed) {
		confirm_typed(order);
		return;
	}
	const char *card = pick_card(order);
	if (!card) {
		end_order(order);
		return;
	}
	snprintf(body, sizeof(body), "payment_method=%s&off_session=%s", card,
	         order->by_merchant ? "true" : "false");
	intent_call(order, DEED_CONFIRM, "confirm", body);
}

static void begin(void *what)
{
	struct order *order = *(struct order **)what;

	if (shop.customers[order->customer].id[0] == '\0') {
		if (!shop.customers[order->customer].wanted) {
			shop.customers[order->customer].wanted = true;
			shop_call(order, DEED_CUSTOMER, "/v1/customers", "email=c%d@example.org",
			          order->customer);
		} else {
			later(order, 1500);
		}
		return;
	}
	if (order->links)
		shop_call(order, DEED_SETUP, "/v1/setup_intents", "customer=%s&metadata[order]=%d",
		          shop.customers[order->customer].id, order->number);
	else
		pay(order);
}

// --- what an answer leads to

static void keep_card(struct order *order, const json_t *answer)
{
	char id[ID_MAX];

	if (order_status(answer) != TOLD_SUCCEEDED || !copy_id(answer, "payment_method", id))
		return;
	order->told |= 1u << TOLD_SUCCEEDED;
	snprintf(order->card, sizeof(order->card), "%s", id);
	struct shop_card *cards = shop.customers[order->customer].cards;
	for (int i = 0; i < CARDS; i++) {
		if (cards[i].id[0] && strcmp(cards[i].id, id) != 0)
			continue;
		snprintf(cards[i].id, sizeof(cards[i].id), "%s", id);
		return;
	}
}

static void remove_card(struct order *order)
{
	char path[120];

	for (int i = 0; i < CARDS; i++) {
		struct shop_card *card = &shop.customers[order->customer].cards[i];
		if (!card->id[0] || card->removed)
			continue;
		card->removed = true;
		snprintf(path, sizeof(path), "/v1/payment_methods/%s/detach", card->id);
		shop_call(order, DEED_DETACH, path, "%s", "");
		return;
	}
}

static void refund(struct order *order)
{
	int64_t left = order->received_told - order->refunded;
	int64_t amount = chance_of(500) ? left : chance_between(1, left < 1 ? 1 : left);

	struct call *call =
	        shop_call(order, DEED_REFUND, "/v1/refunds", "payment_intent=%s&amount=%lld",
	                  order->intent, (long long)amount);
	call->amount = amount;
	order->refunded += amount;
}

static void after_hold(struct order *order)
{
	char body[64] = "";

	switch (chance_below(5)) {
	case 0: intent_call(order, DEED_CANCEL, "cancel", ""); break;
	case 1: end_order(order); break; // the hold ends by itself
	case 2:
		snprintf(body, sizeof(body), "amount_to_capture=%lld",
		         (long long)chance_between(1, order->amount));
		intent_call(order, DEED_CAPTURE, "capture", body);
		break;
	default: intent_call(order, DEED_CAPTURE, "capture", ""); break;
	}
}

static void plan(struct order *order, int64_t wait_ms, void (*happen)(void *what))
{
	struct order **room = world_room(sizeof(struct order *));

	*room = order;
	world_after(wait_ms, happen, (void *)room);
}

static void look(void *what)
{
	struct order *order = *(struct order **)what;
	char path[120];

	snprintf(path, sizeof(path), "/v1/%s/%s",
	         order->links ? "setup_intents" : "payment_intents", order->intent);
	shop_call(order, DEED_LOOK, path, "%s", "");
}

// The shopper has to act, or the bank is being asked: the merchant looks again, but not for ever.
static bool waits_for_the_shopper(struct order *order, const json_t *object)
{
	const char *secret = json_string_value(json_object_get(object, "client_secret"));
	int status = order_status(object);

	if ((status != TOLD_ACTION && status != TOLD_PROCESSING) || order->looks++ > 6)
		return false;
	if (status == TOLD_ACTION && secret && order->looks == 1)
		shopper_comes(secret);
	plan(order, chance_between(2000, 20000), look);
	return true;
}

static void after_payment(struct order *order, int status)
{
	if (status == TOLD_CAPTURABLE) {
		after_hold(order);
	} else if (status == TOLD_SUCCEEDED && order->received_told > order->refunded &&
	           chance_of(500)) {
		refund(order);
	} else if (status == 0 && order->tries++ < 2 && chance_of(600)) {
		confirm(order);
	} else if (status < TOLD_CAPTURABLE && status >= 0 && chance_of(700)) {
		intent_call(order, DEED_CANCEL, "cancel", "");
	} else {
		end_order(order);
	}
}

static void after_link(struct order *order, struct call *call, const json_t *answer)
{
	if (call->deed == DEED_SETUP && call->status == 200) {
		copy_id(answer, "id", order->intent);
		link_card(order);
		return;
	}
	if (call->status == 200 && waits_for_the_shopper(order, answer))
		return;
	if (call->deed != DEED_CANCEL && order_status(answer) == TOLD_ACTION) {
		intent_call(order, DEED_CANCEL, "cancel", ""); // the shopper does not come back
		return;
	}
	if (call->status == 200)
		keep_card(order, answer);
	else if (call->deed == DEED_LINK && order->tries++ < 3) {
		link_card(order);
		return;
	}
	end_order(order);
}

static bool refund_failed(const json_t *answer)
{
	const char *status = json_string_value(json_object_get(answer, "status"));

	return status && strcmp(status, "failed") == 0;
}

static void after_money(struct order *order, struct call *call, const json_t *answer)
{
	const json_t *error = json_object_get(answer, "error");
	int status = order_status(error ? json_object_get(error, "payment_intent") : answer);

	if (call->deed == DEED_REFUND && (call->status != 200 || refund_failed(answer)))
		order->refunded -= call->amount;
	if (order->done)
		return;
	if (call->deed == DEED_CANCEL) {
		end_order(order);
		return;
	}
	if (call->deed == DEED_REFUND)
		status = order->received_told ? TOLD_SUCCEEDED : -1;
	if (call->deed == DEED_CREATE && call->status == 200)
		confirm(order);
	else if (!waits_for_the_shopper(order, answer))
		after_payment(order, status);
}

void order_decided(struct call *call, const json_t *answer)
{
	struct order *order = call->order;

	if (call->deed == DEED_PAY || call->deed == DEED_CONFIRM) {
		order->paying--;
		order->may_pay |= call->status == 200;
	}
	if (call->deed == DEED_DETACH || shop.asking_again)
		return;
	if (call->deed == DEED_CUSTOMER) {
		copy_id(answer, "id", shop.customers[order->customer].id);
		later(order, 1);
	} else if (order->links) {
		after_link(order, call, answer);
	} else {
		after_money(order, call, answer);
	}
}

// --- orders come in

static void sudden_cancel(void *what)
{
	struct order *order = *(struct order **)what;

	if (order->intent[0] && !order->links)
		intent_call(order, DEED_CANCEL, "cancel", "");
}

static void sudden_removal(void *what)
{
	remove_card(*(struct order **)what);
}

// Whatever comes to mind, in the middle of whatever runs.
static void sudden_money(void *what)
{
	struct order *order = *(struct order **)what;

	if (!order->intent[0] || order->links)
		return;
	switch (chance_below(3)) {
	case 0: refund(order); break;
	case 1: intent_call(order, DEED_CAPTURE, "capture", ""); break;
	default: intent_call(order, DEED_CANCEL, "cancel", "cancellation_reason=duplicate"); break;
	}
}

static void add_order(bool links, int64_t wait_ms)
{
	struct order *order = world_room(sizeof(*order));

	order->number = ++shop.order_count;
	order->links = links;
	order->customer = (int)chance_below(CUSTOMERS);
	order->amount = chance_between(1, 100000);
	order->two_steps = chance_of(300);
	order->by_merchant = chance_of(500);
	order->manual = chance_of(400);
	order->typed = !links && chance_of(250);
	order->keeps = order->typed && chance_of(500);
	order->next = shop.orders;
	shop.orders = order;
	shop.open_orders++;
	plan(order, wait_ms, begin);
	if (chance_of(80))
		plan(order, wait_ms + chance_below(30000), sudden_cancel);
	if (chance_of(60))
		plan(order, wait_ms + chance_below(60000), sudden_removal);
	for (int i = 0; i < 3; i++)
		if (chance_of(60))
			plan(order, wait_ms + chance_below(60000), sudden_money);
}

void orders_begin(void)
{
	int64_t links = chance_between(1, 4), payments = chance_between(2, 10);
	int64_t span_ms = chance_of(500) ? 5000 : 120000; // all at once, or one by one

	for (int64_t i = 0; i < links; i++)
		add_order(true, chance_below(span_ms / 4));
	for (int64_t i = 0; i < payments; i++)
		add_order(false, span_ms / 8 + chance_below(span_ms));
}
