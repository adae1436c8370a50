// A checkout session in payment mode: the shopper pays with a card on file, or links one and pays
// with it. Two flows that exist already, one after the other: the link's last commit is the
// payment's first.
#pragma once

#include "core/flow.h"

// The card of a payment session was linked, in this commit: the payment with it begins.
void checkout_linked(struct core *core, struct session *session, int64_t card);
// Pays with a card on file of the session's customer; `done` as of flow_pay().
void checkout_pay(struct core *core, const struct session *session, int64_t card, flow_done *done,
                  void *owner);
// The payment of a session was made, or refused: the session is complete, or open for another card.
void checkout_paid(struct core *core, const struct payment_intent *intent);
void checkout_refused(struct core *core, const struct payment_intent *intent);
