// A checkout session in payment mode: the shopper pays with a card on file, or with one that is
// typed for its PaymentIntent (flow_subject.c).
#pragma once

#include "core/flow.h"

// Pays with a card on file of the session's customer; `done` as of flow_pay().
void checkout_pay(struct core *core, const struct session *session, int64_t card, flow_done *done,
                  void *owner);
// The payment of a session was made: the session is complete.
void checkout_paid(struct core *core, const struct payment_intent *intent);
