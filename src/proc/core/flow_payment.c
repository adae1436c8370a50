// Payments with a linked card: one commit before the line leaves, one with the outcome. The rules
// are in lib/domain/payment.c.
#include "core/flows.h"

#include "base/cleanup.h"
#include "base/check.h"
#include "core/checkout.h"
#include "core/event.h"

#include <stdlib.h>

// What the authorization says of the authentication that the issuer asked for before.
static void take_proof(struct authentication *to, const struct authentication *from)
{
	memcpy(to->transaction, from->transaction, sizeof(to->transaction));
	memcpy(to->ds_transaction, from->ds_transaction, sizeof(to->ds_transaction));
	memcpy(to->version, from->version, sizeof(to->version));
	memcpy(to->eci, from->eci, sizeof(to->eci));
	memcpy(to->value, from->value, sizeof(to->value));
}

// `before` is the attempt that the issuer wanted an authentication for; NULL: this is the first.
static struct live *start_attempt(struct core *core, struct payment_intent *intent, int flags,
                                  const struct live *before)
{
	struct attempt row = {
		.id = core_next_id(core),
		.merchant = intent->merchant,
		.kind = ATTEMPT_PAYMENT,
		.intent = intent->id,
		.customer = intent->customer,
		.card = intent->card,
		.connection = connections_pick(core, true)->number,
		.state = ATTEMPT_SENT,
		.deadline_ms = core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS,
		.stan = flows_new_stan(core),
		.sent_ms = core->now_ms,
		.amount = intent->amount,
		.flags = flags | ATTEMPT_STORED_CREDENTIAL,
	};

	memcpy(row.currency, intent->currency, sizeof(row.currency));
	store_insert(core->store, STORE_ATTEMPTS, &row);
	intent->attempt = row.id;
	intent->status = INTENT_PROCESSING;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	struct live *live = flows_add(core, &row);
	if (before) {
		take_proof(&live->authentication, &before->authentication);
		authentication_save(core, row.id, &live->authentication);
	}
	bank_authorize(core, live);
	metric_add(METRIC_PAYMENTS_STARTED, 1);
	return live;
}

void flow_pay(struct core *core, const struct flow_payment_start *start, flow_done *done,
              void *owner)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct flow_outcome outcome = { .end = FLOW_REFUSED, .problem = PROBLEM_OUR_FAULT };
	struct attempt live;

	if (!store_load(core->store, STORE_PAYMENT_INTENTS, start->intent, &intent)) {
		flows_tell(core, done, owner, &outcome);
		return;
	}
	if (intent.attempt && store_load(core->store, STORE_ATTEMPTS, intent.attempt, &live) &&
	    !flow_is_over(live.state)) {
		outcome = (struct flow_outcome){ .end = FLOW_BUSY, .problem = PROBLEM_RUNNING };
		flows_tell(core, done, owner, &outcome);
		return;
	}
	if (!connections_pick(core, true)) {
		outcome.problem = PROBLEM_NO_CONNECTION;
		flows_tell(core, done, owner, &outcome);
		return;
	}
	int flags =
	        intent.flags & (PAYMENT_OFF_SESSION | PAYMENT_NO_ACTION) ? ATTEMPT_BY_MERCHANT : 0;
	if (intent.flags & PAYMENT_MANUAL_CAPTURE)
		flags |= ATTEMPT_MANUAL_CAPTURE;
	struct live *started = start_attempt(core, &intent, flags, NULL);
	flow_wait(core, started->row.id, done, owner);
}

static void paid(struct core *core, struct payment_intent *intent, const struct live *live)
{
	intent->received = live->row.amount;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_charge(core, EVENT_CHARGE_SUCCEEDED, intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_SUCCEEDED, intent);
	checkout_paid(core, intent);
	metric_add(METRIC_PAYMENTS_DONE, 1);
}

static void failed(struct core *core, struct payment_intent *intent, const struct live *live)
{
	intent->card = 0;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_charge(core, EVENT_CHARGE_FAILED, intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_PAYMENT_FAILED, intent);
	checkout_refused(core, intent);
	metric_add(live->row.state == ATTEMPT_GIVEN_UP ? METRIC_PAYMENTS_UNKNOWN
	                                               : METRIC_PAYMENTS_DECLINED,
	           1);
}

// The issuer knows the shopper now: the same payment once more, with the proof. Who waited for the
// first attempt waits for this one.
void payment_again(struct core *core, struct live *live)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!store_load(core->store, STORE_PAYMENT_INTENTS, live->row.intent, &intent) ||
	    intent.attempt != live->row.id)
		return;
	if (!connections_pick(core, true)) {
		intent.status = INTENT_REQUIRES_PAYMENT_METHOD;
		failed(core, &intent, live);
		return;
	}
	struct live *next =
	        start_attempt(core, &intent, live->row.flags | ATTEMPT_AUTHENTICATED, live);
	next->waiters = live->waiters;
	live->waiters = NULL;
}

void payment_stepped(struct core *core, struct live *live, const struct flow_step *step)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (step->effects & FLOW_PAY_AGAIN ||
	    !store_load(core->store, STORE_PAYMENT_INTENTS, live->row.intent, &intent) ||
	    intent.attempt != live->row.id || intent.status == INTENT_CANCELED)
		return;
	enum intent_status status = flow_intent_status(live->row.state);
	if (status == intent.status)
		return;
	intent.status = status;
	switch (status) {
	case INTENT_SUCCEEDED: paid(core, &intent, live); break;
	case INTENT_REQUIRES_PAYMENT_METHOD: failed(core, &intent, live); break;
	case INTENT_REQUIRES_CAPTURE:
		intent.capturable = live->row.amount;
		store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
		event_payment_intent(core, EVENT_PAYMENT_INTENT_AMOUNT_CAPTURABLE_UPDATED, &intent);
		checkout_paid(core, &intent);
		break;
	case INTENT_REQUIRES_ACTION:
		store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
		event_payment_intent(core, EVENT_PAYMENT_INTENT_REQUIRES_ACTION, &intent);
		break;
	default: store_update(core->store, STORE_PAYMENT_INTENTS, &intent); break;
	}
}
