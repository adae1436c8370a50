// Events into the store.
#include "core/event.h"

#include "core/api.h"
#include "core/deliveries.h"

#include <stdlib.h>

const char *event_name(int type)
{
	switch (type) {
#define EVENT(name, number, text)                                                                  \
	case number:                                                                               \
		return text;
#include "core/events.def"
#undef EVENT
	default: return NULL;
	}
}

bool event_set_has(const struct event_set *set, int type)
{
	return type > 0 && type < 128 && set->bits[type / 64] >> (type % 64) & 1;
}

bool event_set_add(struct event_set *set, const char *name)
{
#define EVENT(name, number, text)                                                                  \
	_Static_assert((number) > 0 && (number) < 128, "an event_set has 128 bits");
#include "core/events.def"
#undef EVENT
	static const struct {
		const char *name;
		int number;
	} events[] = {
#define EVENT(name, number, text) { text, number },
#include "core/events.def"
#undef EVENT
	};
	size_t length = strlen(name);
	bool star = length && name[length - 1] == '*';
	bool found = false;

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (star ? strncmp(events[i].name, name, length - 1) != 0
		         : strcmp(events[i].name, name) != 0)
			continue;
		set->bits[events[i].number / 64] |= UINT64_C(1) << (events[i].number % 64);
		found = true;
	}
	return found;
}

void event_render(struct core *core, int64_t event, struct buffer *buffer)
{
	struct store_query query cleanup(store_end) =
	        store_ask(core->store, STORE_EVENT_LOAD, STORE_N(event));
	struct buffer body cleanup(buffer_done) = { 0 };
	struct merchant owner;
	struct api_view view;

	if (!store_step(&query))
		return;
	buffer_init(&body, API_REPLY_MAX);
	store_text(&query, 3, &body);
	api_view_of(core, store_number(&query, 0), &owner, &view);
	api_render_event(buffer, &view,
	                 &(struct api_event){ .id = event,
	                                      .type = event_name((int)store_number(&query, 1)),
	                                      .pending = store_one_number(core->store,
	                                                                  STORE_DELIVERIES_PENDING,
	                                                                  0, STORE_N(event)),
	                                      .body = buffer_view(&body) });
}

static void write_event(struct core *core, enum event_type type, int64_t merchant,
                        enum api_object kind, const void *object, struct bytes previous)
{
	const struct request *request = core->api ? core->api->request : NULL;
	struct buffer rendered cleanup(buffer_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };
	int64_t row = *(const int64_t *)object; // every struct begins with its row key
	int64_t event = core_next_id(core);
	struct merchant owner;
	struct api_view view;

	api_view_of(core, merchant, &owner, &view);
	buffer_init(&rendered, API_REPLY_MAX);
	buffer_init(&body, API_REPLY_MAX);
	api_render(&rendered, &view, kind, object, "");
	api_event_body(&body, buffer_view(&rendered), previous, request ? request->id : NULL,
	               request ? request->idempotency_key : BYTES_NONE);
	store_run(core->store, STORE_EVENT_INSERT, STORE_N(event), STORE_N(merchant), STORE_N(type),
	          STORE_N(row), STORE_P(buffer_view(&body)));
	deliveries_event(core, merchant, event, (int)type, row);
}

void event_customer(struct core *core, enum event_type type, const struct customer *customer)
{
	write_event(core, type, customer->merchant, API_CUSTOMER, customer, BYTES_NONE);
}

void event_customer_changed(struct core *core, const struct customer *customer,
                            struct bytes previous)
{
	write_event(core, EVENT_CUSTOMER_UPDATED, customer->merchant, API_CUSTOMER, customer,
	            previous);
}

void event_card(struct core *core, enum event_type type, const struct card *card)
{
	write_event(core, type, card->merchant, API_CARD, card, BYTES_NONE);
}

void event_card_changed(struct core *core, const struct card *card, struct bytes previous)
{
	write_event(core, EVENT_PAYMENT_METHOD_UPDATED, card->merchant, API_CARD, card, previous);
}

void event_setup_intent(struct core *core, enum event_type type, const struct setup_intent *intent)
{
	write_event(core, type, intent->merchant, API_SETUP_INTENT, intent, BYTES_NONE);
}

void event_payment_intent(struct core *core, enum event_type type,
                          const struct payment_intent *intent)
{
	write_event(core, type, intent->merchant, API_PAYMENT_INTENT, intent, BYTES_NONE);
}

void event_charge(struct core *core, enum event_type type, const struct payment_intent *intent,
                  const struct attempt *attempt)
{
	write_event(core, type, intent->merchant, API_CHARGE, attempt, BYTES_NONE);
}

void event_refund(struct core *core, enum event_type type, const struct refund *refund)
{
	write_event(core, type, refund->merchant, API_REFUND, refund, BYTES_NONE);
}

void event_session(struct core *core, enum event_type type, const struct session *session)
{
	write_event(core, type, session->merchant, API_SESSION, session, BYTES_NONE);
}
