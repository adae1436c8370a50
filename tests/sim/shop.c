// Merchants send requests, wait, lose patience, and send them again with the same key until they
// are answered. The first answer that counts is remembered: it must come again, byte for byte.
#include "shop.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { TIMEOUT_MS = 70000, AGAIN_MIN_MS = 300, AGAIN_MAX_MS = 4000 };

struct waiting {
	struct waiting *next;
	uint64_t serial;
	struct call *call;
};

struct shop shop;
static struct waiting *waiting;

struct later {
	struct call *call;
	uint64_t serial;
};

static void send_now(struct call *call);

static void send_later(void *what)
{
	struct call *call = ((struct later *)what)->call;

	if (!call->decided && call->open == 0)
		send_now(call);
}

static void plan_again(struct call *call)
{
	struct later *later = world_room(sizeof(*later));

	later->call = call;
	int doubled = call->tries < 6 ? call->tries : 6;
	world_after(chance_between(AGAIN_MIN_MS, AGAIN_MAX_MS) << doubled / 2, send_later, later);
}

static struct waiting *stop_waiting(uint64_t serial)
{
	struct waiting **place = &waiting;

	while (*place && (*place)->serial != serial)
		place = &(*place)->next;
	struct waiting *found = *place;
	if (found) {
		*place = found->next;
		found->call->open--;
	}
	return found;
}

static void wait_is_over(void *what)
{
	const struct later *later = what;
	struct waiting *found = stop_waiting(later->serial);

	if (!found)
		return;
	free(found);
	TELL("shop: %s %s: no answer in time", later->call->key, later->call->path);
	if (!later->call->decided && later->call->open == 0)
		send_now(later->call);
}

// A second copy while the first is on its way.
static void send_a_copy(void *what)
{
	struct call *call = ((struct later *)what)->call;

	if (!call->decided)
		send_now(call);
}

static void send_now(struct call *call)
{
	uint64_t serial = host_request(&(struct call_text){
	        .method = call->method, .path = call->path, .body = call->body, .key = call->key });

	call->tries++;
	if (serial == 0) {
		plan_again(call);
		return;
	}
	TELL("shop: %s %s %s %s", call->key, call->method, call->path, call->body);
	struct waiting *one = world_room(sizeof(*one));
	*one = (struct waiting){ waiting, serial, call };
	waiting = one;
	call->open++;
	struct later *later = world_room(sizeof(*later));
	*later = (struct later){ call, serial };
	world_after(TIMEOUT_MS, wait_is_over, later);
	if (fault_of(sim.faults.impatient)) {
		later = world_room(sizeof(*later));
		later->call = call;
		world_after(chance_below(3000), send_a_copy, later);
	}
}

struct call *shop_call(struct order *order, enum deed deed, const char *path, const char *format,
                       ...)
{
	struct call *call = world_room(sizeof(*call));
	va_list arguments;

	call->order = order;
	call->deed = deed;
	call->method = deed == DEED_LOOK ? "GET" : "POST";
	CHECK(bytes_copy_text(bytes_text(path), call->path, sizeof(call->path)));
	va_start(arguments, format);
	vsnprintf(call->body, sizeof(call->body), format, arguments);
	va_end(arguments);
	if (deed != DEED_LOOK)
		snprintf(call->key, sizeof(call->key), "key-%d", ++shop.key_count);
	call->next = shop.calls;
	shop.calls = call;
	send_now(call);
	return call;
}

void shop_send_again(struct call *call)
{
	send_now(call);
}

// --- answers

static bool try_again(const struct call *call, const struct answer *answer)
{
	if (answer->status == 409 || answer->status == 429)
		return true;
	return answer->status >= 500 && !(answer->flags & REPLY_RETRY_NEVER) &&
	       call->tries < CALL_TRIES_MAX;
}

// A refusal before anything was started is not kept; what moved or might have moved something is.
static bool must_come_again(const struct call *call, const struct answer *answer)
{
	return call->key[0] &&
	       (answer->status == 200 || answer->status == 402 || answer->flags & REPLY_REPLAYED ||
	        (answer->status >= 500 && answer->flags & REPLY_RETRY_NEVER));
}

static void compare(struct call *call, const struct answer *answer)
{
	if (call->kept && !try_again(call, answer) &&
	    (answer->status != call->status || answer->length != call->said_length ||
	     memcmp(answer->body, call->body_said, answer->length) != 0))
		sim_fail("%s %s was answered %d and then %d:\n%s\n%s", call->key, call->path,
		         call->status, answer->status, call->body_said, answer->body);
}

static void remember(struct call *call, const struct answer *answer)
{
	call->status = answer->status;
	call->body_said = world_room(answer->length + 1);
	memcpy(call->body_said, answer->body, answer->length);
	call->said_length = answer->length;
	call->decided = true;
	call->kept = must_come_again(call, answer);
}

static void decide(struct call *call, const struct answer *answer)
{
	json_t *json = json_loadb(answer->body, answer->length, 0, NULL);
	const json_t *error = json_object_get(json, "error");
	const json_t *intent = json_object_get(error, "payment_intent");
	bool fresh = !(answer->flags & REPLY_REPLAYED);

	remember(call, answer);
	if (!json)
		sim_fail("%s is answered with what is no JSON: %s", call->path, answer->body);
	if (!call->order->links && call->deed != DEED_DETACH && call->deed != DEED_REFUND)
		order_told(call->order, error ? intent : json, fresh);
	order_decided(call, json);
	json_decref(json);
}

void shop_answer(const struct answer *answer)
{
	struct waiting *one = directory_answer(answer) ? NULL : stop_waiting(answer->serial);

	if (!one)
		return; // the client has gone
	struct call *call = one->call;
	free(one);
	TELL("shop: %s %s answered %d%s %.160s", call->key, call->path, answer->status,
	     answer->flags & REPLY_REPLAYED ? " (again)" : "", answer->body);
	if (call->decided)
		compare(call, answer);
	else if (try_again(call, answer))
		plan_again(call);
	else
		decide(call, answer);
}

void shop_core_died(void)
{
	while (waiting) {
		struct waiting *one = waiting;
		waiting = one->next;
		one->call->open--;
		if (!one->call->decided && one->call->open == 0)
			plan_again(one->call);
		free(one);
	}
}

// --- begin and end

void shop_begin(void)
{
	orders_begin();
}

void shop_end(void)
{
	while (waiting) {
		struct waiting *one = waiting;
		waiting = one->next;
		free(one);
	}
	while (shop.calls) {
		struct call *call = shop.calls;
		shop.calls = call->next;
		free(call->body_said);
		free(call);
	}
	while (shop.orders) {
		struct order *order = shop.orders;
		shop.orders = order->next;
		free(order);
	}
	memset(&shop, 0, sizeof(shop));
}

bool shop_is_done(void)
{
	for (const struct call *call = shop.calls; call; call = call->next)
		if (!call->decided)
			return false;
	return shop.open_orders == 0;
}

void shop_ask_again(void)
{
	shop.asking_again = true;
	for (struct call *call = shop.calls; call; call = call->next)
		if (call->decided && call->kept)
			send_now(call);
	for (struct order *order = shop.orders; order; order = order->next) {
		char path[100];
		snprintf(path, sizeof(path), "/v1/%s/%s",
		         order->links ? "setup_intents" : "payment_intents", order->intent);
		if (order->intent[0])
			shop_call(order, DEED_LOOK, path, "%s", "");
	}
}
