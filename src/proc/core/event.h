// Events: what has changed, for merchants. Written in the transaction of the change; the body is
// the object as it is rendered at that moment. To be called after the object's row was written.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "domain/money.h"

struct core;

enum event_type {
#define EVENT(name, number, type) EVENT_##name = number,
#include "core/events.def"
#undef EVENT
};

void event_customer(struct core *core, enum event_type type, const struct customer *customer);
void event_card(struct core *core, enum event_type type, const struct card *card);
void event_setup_intent(struct core *core, enum event_type type, const struct setup_intent *intent);
void event_payment_intent(struct core *core, enum event_type type,
                          const struct payment_intent *intent);
void event_charge(struct core *core, enum event_type type, const struct payment_intent *intent,
                  const struct attempt *attempt);
void event_refund(struct core *core, enum event_type type, const struct refund *refund);
void event_session(struct core *core, enum event_type type, const struct session *session);

// The same with `previous_attributes`: a JSON object of the members that changed, with their old
// values.
void event_customer_changed(struct core *core, const struct customer *customer,
                            struct bytes previous);
void event_card_changed(struct core *core, const struct card *card, struct bytes previous);

// Appends the event as merchants get it; nothing when there is no such event.
void event_render(struct core *core, int64_t event, struct buffer *buffer);

// Which events somebody wants: bits by the numbers of events.def.
struct event_set {
	uint64_t bits[2];
};
bool event_set_has(const struct event_set *set, int type);
// Adds what the name stands for: an event, `*`, or `payment_intent.*`. False: no event of ours.
bool event_set_add(struct event_set *set, const char *name);

// "customer.created"; NULL when there is no such event.
const char *event_name(int type);
