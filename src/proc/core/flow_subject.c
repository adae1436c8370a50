// What a link is for: a SetupIntent, or a PaymentIntent that is paid with the card which is typed
// for it. Linking is the same for both; here is all that differs.
#include "core/subject.h"

#include "base/cleanup.h"
#include "core/money.h"

#include <string.h>

static void read_setup(const struct setup_intent *row, struct link_subject *subject)
{
	*subject = (struct link_subject){ .id = row->id,
		                          .merchant = row->merchant,
		                          .customer = row->customer,
		                          .session = row->session,
		                          .card = row->card,
		                          .attempt = row->attempt,
		                          .status = row->status,
		                          .kept = true };
}

// A card goes on file only when the merchant has said what for; else it is good for this payment.
static void read_payment(const struct payment_intent *row, struct link_subject *subject)
{
	*subject = (struct link_subject){ .payment = true,
		                          .id = row->id,
		                          .merchant = row->merchant,
		                          .card = row->card,
		                          .attempt = row->attempt,
		                          .status = row->status,
		                          .amount = row->amount,
		                          .kept = payment_keeps_card(row),
		                          .unasked = row->flags & PAYMENT_NO_ACTION };
	if (subject->kept)
		subject->customer = row->customer;
	memcpy(subject->currency, row->currency, sizeof(subject->currency));
}

bool subject_load(struct core *core, bool payment, int64_t id, struct link_subject *ret_subject)
{
	struct setup_intent setup cleanup(setup_intent_done) = { 0 };
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!payment && store_load(core->store, STORE_SETUP_INTENTS, id, &setup)) {
		read_setup(&setup, ret_subject);
		return true;
	}
	if (payment && store_load(core->store, STORE_PAYMENT_INTENTS, id, &intent)) {
		read_payment(&intent, ret_subject);
		return true;
	}
	*ret_subject = (struct link_subject){ .payment = payment };
	return false;
}

void subject_save(struct core *core, const struct link_subject *subject)
{
	struct setup_intent setup cleanup(setup_intent_done) = { 0 };
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!subject->payment &&
	    store_load(core->store, STORE_SETUP_INTENTS, subject->id, &setup)) {
		setup.card = subject->card;
		setup.attempt = subject->attempt;
		setup.status = subject->status;
		store_update(core->store, STORE_SETUP_INTENTS, &setup);
	}
	if (subject->payment &&
	    store_load(core->store, STORE_PAYMENT_INTENTS, subject->id, &intent)) {
		intent.card = subject->card;
		intent.attempt = subject->attempt;
		intent.status = subject->status;
		store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
	}
}

// A payment that the bank is being asked for is not begun a second time by a card that was on its
// way to vault.
bool subject_may_link(const struct link_subject *subject)
{
	if (subject->payment)
		return subject->status <= INTENT_REQUIRES_CONFIRMATION;
	return subject->status != INTENT_CANCELED && subject->status != INTENT_SUCCEEDED;
}

enum api_id_kind subject_id_kind(const struct link_subject *subject)
{
	return subject->payment ? API_ID_PAYMENT_INTENT : API_ID_SETUP_INTENT;
}
