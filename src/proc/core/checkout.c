// See checkout.h.
#include "core/checkout.h"

#include "base/cleanup.h"
#include "core/api.h"
#include "core/event.h"
#include "core/pages.h"

#include <stdlib.h>

static void nobody_waits(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	(void)core;
	(void)owner;
	(void)outcome; // the page follows the state
}

// A SetupIntent that succeeded links no other card: a payment that was refused needs a new one. A
// card that is not to be kept is linked to nobody.
static void renew_link(struct core *core, struct session *session)
{
	struct setup_intent old cleanup(setup_intent_done) = { 0 };
	struct setup_intent next cleanup(setup_intent_done) = { 0 };

	if (!store_load(core->store, STORE_SETUP_INTENTS, session->intent, &old) ||
	    old.status != INTENT_SUCCEEDED)
		return;
	next = (struct setup_intent){ .id = core_next_id(core),
		                      .merchant = old.merchant,
		                      .customer = old.customer,
		                      .session = session->id,
		                      .details = api_details_text(api_details_read(old.details)) };
	store_insert(core->store, STORE_SETUP_INTENTS, &next);
	session->intent = next.id;
	store_update(core->store, STORE_SESSIONS, session);
	event_setup_intent(core, EVENT_SETUP_INTENT_CREATED, &next);
	pages_changed(core, old.id);
}

void checkout_pay(struct core *core, const struct session *session, int64_t card, flow_done *done,
                  void *owner)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (store_load(core->store, STORE_PAYMENT_INTENTS, session->payment, &intent) &&
	    (intent.status == INTENT_REQUIRES_PAYMENT_METHOD ||
	     intent.status == INTENT_REQUIRES_CONFIRMATION)) {
		intent.card = card;
		intent.status = INTENT_REQUIRES_CONFIRMATION;
		store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
	}
	flow_pay(core, &(struct flow_payment_start){ .intent = session->payment }, done, owner);
}

void checkout_linked(struct core *core, struct session *session, int64_t card)
{
	checkout_pay(core, session, card, nobody_waits, NULL);
}

static bool session_of(struct core *core, const struct payment_intent *intent,
                       struct session *session)
{
	if (!(intent->flags & PAYMENT_OF_SESSION))
		return false;
	json_t *details = api_details_read(intent->details);
	int64_t id = json_integer_value(json_object_get(details, "session"));
	json_decref(details);
	return id && store_load(core->store, STORE_SESSIONS, id, session) &&
	       session->status == SESSION_OPEN;
}

void checkout_paid(struct core *core, const struct payment_intent *intent)
{
	struct session session cleanup(session_done) = { 0 };

	if (!session_of(core, intent, &session))
		return;
	session.status = SESSION_COMPLETE;
	store_update(core->store, STORE_SESSIONS, &session);
	event_session(core, EVENT_CHECKOUT_SESSION_COMPLETED, &session);
	pages_changed(core, session.intent);
}

void checkout_refused(struct core *core, const struct payment_intent *intent)
{
	struct session session cleanup(session_done) = { 0 };

	if (session_of(core, intent, &session))
		renew_link(core, &session);
}
