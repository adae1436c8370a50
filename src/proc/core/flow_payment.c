// Payments with a linked card: one commit before the line leaves, one with the outcome. The rules
// are in lib/domain/payment.c.
#include "core/money.h"

#include "base/cleanup.h"
#include "base/check.h"
#include "core/checkout.h"
#include "core/event.h"

#include <stdlib.h>

static const int64_t day_ms = 24 * 3600 * 1000;

struct flow_policy flows_policy(const struct core *core, int64_t connection)
{
	const struct connection_policy own = connections_policy_of(core, connection);
	struct flow_policy policy = core->flows->policy;

	policy.hold_ms = own.hold_days * day_ms;
	policy.release_by_reversal = own.release == RELEASE_REVERSAL;
	return policy;
}

bool payment_has_elsewhere(struct core *core, const struct attempt *row)
{
	return connections_after(core, row) != NULL;
}

// What the authorization says of the authentication that the issuer asked for before.
static void take_proof(struct authentication *to, const struct authentication *from)
{
	memcpy(to->transaction, from->transaction, sizeof(to->transaction));
	memcpy(to->ds_transaction, from->ds_transaction, sizeof(to->ds_transaction));
	memcpy(to->version, from->version, sizeof(to->version));
	memcpy(to->eci, from->eci, sizeof(to->eci));
	memcpy(to->value, from->value, sizeof(to->value));
}

// Whether the card is one that its bank has heard of as a card on file: a link told it, or a first
// payment with the card of a test token, which needs no link.
static bool is_stored(struct core *core, int64_t id)
{
	struct card card cleanup(card_done) = { 0 };

	if (!store_load(core->store, STORE_CARDS, id, &card))
		return true;
	bool once = card.removed_ms && !card.customer; // see ATTEMPT_CARD_ONCE
	return !once && (card.state & CARD_PROVEN || card.network_transaction_id[0]);
}

// `before` is the attempt that the issuer wanted an authentication for; NULL: this is the first.
static struct live *start_attempt(struct core *core, struct payment_intent *intent, int flags,
                                  int64_t connection, const struct live *before)
{
	struct attempt row = {
		.id = core_next_id(core),
		.merchant = intent->merchant,
		.kind = ATTEMPT_PAYMENT,
		.intent = intent->id,
		.customer = intent->customer,
		.card = intent->card,
		.connection = connection,
		.state = ATTEMPT_SENT,
		.deadline_ms = core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS,
		.stan = flows_new_stan(core),
		.sent_ms = core->now_ms,
		.amount = intent->amount,
		.flags = flags & ~(ATTEMPT_SINGLE_MESSAGE | ATTEMPT_STORED_CREDENTIAL),
	};

	memcpy(row.currency, intent->currency, sizeof(row.currency));
	if (is_stored(core, row.card))
		row.flags |= ATTEMPT_STORED_CREDENTIAL;
	if (connections_policy_of(core, connection).single_message &&
	    !(row.flags & ATTEMPT_MANUAL_CAPTURE))
		row.flags |= ATTEMPT_SINGLE_MESSAGE;
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

static int flags_of(const struct payment_intent *intent)
{
	bool merchant = intent->flags & (PAYMENT_OFF_SESSION | PAYMENT_NO_ACTION);

	return (merchant ? ATTEMPT_BY_MERCHANT : 0) |
	       (intent->flags & PAYMENT_MANUAL_CAPTURE ? ATTEMPT_MANUAL_CAPTURE : 0);
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
	bool alive = intent.attempt &&
	             store_load(core->store, STORE_ATTEMPTS, intent.attempt, &live) &&
	             !flow_is_over(live.state);
	if (alive || link_is_opening(core, intent.id)) {
		outcome = (struct flow_outcome){ .end = FLOW_BUSY, .problem = PROBLEM_RUNNING };
		flows_tell(core, done, owner, &outcome);
		return;
	}
	const struct connection *connection =
	        connections_pick_for(core, true, intent.merchant, intent.card, intent.currency);
	if (!connection) {
		outcome.problem = PROBLEM_NO_CONNECTION;
		flows_tell(core, done, owner, &outcome);
		return;
	}
	struct live *started =
	        start_attempt(core, &intent, flags_of(&intent), connection->number, NULL);
	flow_wait(core, started->row.id, done, owner);
}

bool payment_keeps_card(const struct payment_intent *intent)
{
	json_t *details = json_loads(intent->details ? intent->details : "{}", 0, NULL);
	bool later = json_string_length(json_object_get(details, "setup_future_usage")) > 0;

	json_decref(details);
	return later;
}

// A first payment that is made with an eye to later ones: those will name it, and the card goes on
// file with its customer.
static void keep_card(struct core *core, const struct payment_intent *intent,
                      const struct attempt *row)
{
	struct card card cleanup(card_done) = { 0 };

	if (row->flags & ATTEMPT_STORED_CREDENTIAL || !payment_keeps_card(intent) ||
	    !store_load(core->store, STORE_CARDS, row->card, &card))
		return;
	memcpy(card.network_transaction_id, row->network_transaction_id,
	       sizeof(card.network_transaction_id));
	bool attach = !card.customer && intent->customer && !card.removed_ms &&
	              link_customer_is_here(core, intent->customer);
	if (attach)
		card.customer = intent->customer;
	store_update(core->store, STORE_CARDS, &card);
	if (attach)
		event_card(core, EVENT_PAYMENT_METHOD_ATTACHED, &card);
}

static void paid(struct core *core, struct payment_intent *intent, const struct live *live,
                 const struct flow_event *event)
{
	if (event->kind != EVENT_CAPTURE)
		keep_card(core, intent, &live->row);
	intent->received = live->row.captured;
	intent->capturable = 0;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_charge(core,
	             event->kind == EVENT_CAPTURE ? EVENT_CHARGE_CAPTURED : EVENT_CHARGE_SUCCEEDED,
	             intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_SUCCEEDED, intent);
	if (event->kind != EVENT_CAPTURE) // its session ended with the hold
		checkout_paid(core, intent);
	metric_add(METRIC_PAYMENTS_DONE, 1);
}

static void held(struct core *core, struct payment_intent *intent, const struct live *live)
{
	keep_card(core, intent, &live->row);
	intent->capturable = live->row.amount;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_charge(core, EVENT_CHARGE_SUCCEEDED, intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_AMOUNT_CAPTURABLE_UPDATED, intent);
	checkout_paid(core, intent);
	metric_add(METRIC_PAYMENTS_HELD, 1);
}

// A cancel brings its reason; a hold whose life is over has its own.
static void released(struct core *core, struct payment_intent *intent, const struct live *live,
                     const struct flow_event *event)
{
	intent->capturable = intent->received = 0;
	intent->canceled_ms = core->now_ms;
	if (!intent->canceled && event->kind != EVENT_CANCEL)
		intent->canceled = event->kind == EVENT_TIMER ? CANCEL_EXPIRED : CANCEL_AUTOMATIC;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_charge(core, EVENT_CHARGE_REFUNDED, intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_CANCELED, intent);
	metric_add(METRIC_PAYMENTS_RELEASED, 1);
}

// A card that could not be linked was charged nothing: there is no charge that failed.
static void failed(struct core *core, struct payment_intent *intent, const struct live *live)
{
	bool charged = live->row.kind == ATTEMPT_PAYMENT;

	intent->card = 0;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	if (charged)
		event_charge(core, EVENT_CHARGE_FAILED, intent, &live->row);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_PAYMENT_FAILED, intent);
	if (!charged)
		return;
	metric_add(live->row.state == ATTEMPT_GIVEN_UP ? METRIC_PAYMENTS_UNKNOWN
	                                               : METRIC_PAYMENTS_DECLINED,
	           1);
}

// The same payment once more: with the proof, now that the issuer knows the shopper, or on the next
// connection, since not one byte left on this one. Who waited for the first attempt waits for this.
void payment_again(struct core *core, struct live *live, unsigned effects)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	bool proven = effects & FLOW_PAY_AGAIN;
	const struct connection *next =
	        proven ? connections_pick_for(core, true, live->row.merchant, live->row.card,
	                                      live->row.currency)
	               : connections_after(core, &live->row);

	if (!store_load(core->store, STORE_PAYMENT_INTENTS, live->row.intent, &intent) ||
	    intent.attempt != live->row.id)
		return;
	if (!next) {
		intent.status = INTENT_REQUIRES_PAYMENT_METHOD;
		failed(core, &intent, live);
		return;
	}
	int flags = live->row.flags | (proven ? ATTEMPT_AUTHENTICATED : 0);
	struct live *again = start_attempt(core, &intent, flags, next->number, live);
	again->waiters = live->waiters;
	live->waiters = NULL;
}

// In one commit: the card that was typed for this payment is linked, and the payment begins.
void payment_linked(struct core *core, struct live *link)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!store_load(core->store, STORE_PAYMENT_INTENTS, link->row.intent, &intent) ||
	    intent.attempt != link->row.id)
		return;
	const struct connection *connection =
	        connections_pick_for(core, true, intent.merchant, link->row.card, intent.currency);
	if (!connection) { // it was taken away while the issuer asked the shopper
		link->row.problem = PROBLEM_NO_CONNECTION;
		flows_make_code(core, link->row.id);
		store_update(core->store, STORE_ATTEMPTS, &link->row);
		intent.status = INTENT_REQUIRES_PAYMENT_METHOD;
		failed(core, &intent, link);
		return;
	}
	// The issuer was asked about this payment: what it said goes with it.
	bool proven = link->authentication.eci[0] || link->authentication.value[0];
	int flags = flags_of(&intent) | (proven ? ATTEMPT_AUTHENTICATED : 0);
	intent.card = link->row.card;
	struct live *payment =
	        start_attempt(core, &intent, flags, connection->number, proven ? link : NULL);
	payment->waiters = link->waiters;
	link->waiters = NULL;
}

void payment_stepped(struct core *core, struct live *live, const struct flow_event *event,
                     const struct flow_step *step)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (step->effects & (FLOW_PAY_AGAIN | FLOW_PAY_ELSEWHERE) ||
	    !store_load(core->store, STORE_PAYMENT_INTENTS, live->row.intent, &intent) ||
	    intent.attempt != live->row.id || intent.status == INTENT_CANCELED)
		return;
	enum intent_status status = flow_intent_status(live->row.state);
	if (status == intent.status)
		return;
	intent.status = status;
	switch (status) {
	case INTENT_SUCCEEDED: paid(core, &intent, live, event); break;
	case INTENT_REQUIRES_PAYMENT_METHOD: failed(core, &intent, live); break;
	case INTENT_REQUIRES_CAPTURE: held(core, &intent, live); break;
	case INTENT_CANCELED: released(core, &intent, live, event); break;
	case INTENT_REQUIRES_ACTION:
		store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
		event_payment_intent(core, EVENT_PAYMENT_INTENT_REQUIRES_ACTION, &intent);
		break;
	default: store_update(core->store, STORE_PAYMENT_INTENTS, &intent); break;
	}
}

// --- what is held

bool flow_capture(struct core *core, int64_t attempt, int64_t amount)
{
	const struct flow_event event = { .kind = EVENT_CAPTURE, .amount = amount };

	return flows_event_of(core, attempt, &event);
}

// A few at a time: the rest comes with the next look.
void payment_holds_due(struct core *core)
{
	enum { HOLDS_AT_ONCE = 100 };
	int64_t ids[HOLDS_AT_ONCE];
	size_t count = 0;
	struct attempt row;
	struct store_query query =
	        store_ask(core->store, STORE_ATTEMPTS_HELD_TOO_LONG, STORE_N(core->now_ms));

	while (count < HOLDS_AT_ONCE && store_step(&query)) {
		store_read(&query, STORE_ATTEMPTS, &row);
		ids[count++] = row.id;
	}
	store_end(&query);
	for (size_t i = 0; i < count; i++)
		flows_event_of(core, ids[i], &(struct flow_event){ .kind = EVENT_TIMER });
	if (count == HOLDS_AT_ONCE)
		due_add(&core->flows->due, core->now_ms + 100, DUE_HOLDS, 0);
}
