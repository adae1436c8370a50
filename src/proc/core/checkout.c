// See checkout.h.
#include "core/checkout.h"

#include "base/cleanup.h"
#include "core/api.h"
#include "core/event.h"
#include "core/pages.h"

#include <stdlib.h>

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
	pages_changed(core, intent->id);
}
