// Reversals, captures, releases and refunds, each on its own clock; what is about one payment goes
// in its order. The rules are in lib/domain/advice.c.
#include "core/money.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "core/event.h"

static const int64_t attention_ms = 24LL * 3600 * 1000;
static const int64_t longest_pause_ms = 3600 * 1000;

static struct advice_policy policy_of(const struct core *core, int64_t connection)
{
	const struct connection_policy own = connections_policy_of(core, connection);

	return (struct advice_policy){ .answer_ms = core->flows->policy.bank_ms + FLOW_GRACE_MS,
		                       .late_window_ms = own.late_window_s * 1000,
		                       .attention_ms = attention_ms,
		                       .refund_repeats = own.refund_repeats };
}

// One that ended because the bank did not know the original is none: the original may have come
// after it.
static bool has_reversal(struct core *core, int64_t attempt)
{
	struct store_query query =
	        store_ask(core->store, STORE_ADVICES_OF_ATTEMPT, STORE_N(attempt));
	struct advice advice;
	bool found = false;

	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		found |= advice.kind == ADVICE_REVERSE && advice.state != ADVICE_WITHOUT_ORIGINAL;
	}
	return found;
}

// The authorization's own number stays in use as long as a message about it may be taken for it:
// not when it was answered and its attempt was at rest before.
static bool keeps_original(const struct advice *advice, const struct attempt *attempt)
{
	if (advice->kind == ADVICE_CAPTURE)
		return !(attempt->flags & ATTEMPT_MANUAL_CAPTURE);
	return advice->kind == ADVICE_REVERSE && attempt->state != ATTEMPT_RELEASED;
}

void advice_queue(struct core *core, const struct attempt *attempt, enum advice_kind kind,
                  int64_t amount, int64_t refund)
{
	struct advice advice = { .id = core_next_id(core),
		                 .attempt = attempt->id,
		                 .refund = refund,
		                 .kind = kind,
		                 .due_ms = core->now_ms,
		                 .first_ms = core->now_ms,
		                 .amount = amount };

	if (kind == ADVICE_REVERSE && has_reversal(core, attempt->id))
		return;
	advice.stan = flows_new_stan(core);
	if (keeps_original(&advice, attempt))
		flows_keep_stan(core, attempt->stan);
	store_insert(core->store, STORE_ADVICES, &advice);
	due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
	if (kind == ADVICE_REVERSE)
		metric_add(METRIC_REVERSALS_QUEUED, 1);
	if (kind != ADVICE_CAPTURE)
		flows_step(core, attempt->id, "%s queued", advice_kind_name(kind));
}

// The first message about a payment has nothing before it, and most payments have one only.
static bool may_have_others(const struct attempt *attempt)
{
	return attempt->refunded > 0 || attempt->captured < attempt->amount;
}

static bool must_wait(struct core *core, const struct advice *advice)
{
	if (advice->kind != ADVICE_RELEASE && advice->kind != ADVICE_REFUND)
		return false;
	return store_one_number(core->store, STORE_ADVICES_BEFORE, 0, STORE_N(advice->attempt),
	                        STORE_N(advice->id)) > 0;
}

static void set_due(struct core *core, struct advice *advice, int64_t due_ms)
{
	advice->due_ms = due_ms;
	store_update(core->store, STORE_ADVICES, advice);
	due_add(&core->flows->due, due_ms, DUE_ADVICE, advice->id);
}

// What waited for this one goes now.
static void go_on(struct core *core, const struct advice *advice)
{
	int64_t id = store_one_number(core->store, STORE_ADVICE_NEXT, 0, STORE_N(advice->attempt),
	                              STORE_N(advice->id));
	struct advice next;

	if (id && store_load(core->store, STORE_ADVICES, id, &next))
		set_due(core, &next, core->now_ms);
}

static void call_for_a_person(struct core *core, const struct advice *advice,
                              const struct attempt *attempt)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	char code[24];

	metric_add(METRIC_ADVICES_NEED_ATTENTION, 1);
	flow_code(core, attempt->id, code, sizeof(code));
	if (!code[0])
		flows_make_code(core, attempt->id); // who looks at it wants its story
	log_event(LOG_ERROR, "advice_needs_attention", LOG_NUMBER("advice", advice->id),
	          LOG_NUMBER("attempt", attempt->id), LOG_NUMBER("tries", advice->tries),
	          LOG_TEXT("kind", advice_kind_name(advice->kind)),
	          LOG_TEXT("response_code", advice->response_code));
	if (store_load(core->store, STORE_PAYMENT_INTENTS, attempt->intent, &intent))
		event_charge(core, EVENT_ATTENTION_NEEDED, &intent, attempt);
}

static void note(struct core *core, const struct advice *advice)
{
	const char *how = advice->state == ADVICE_ACKNOWLEDGED ? "acknowledged"
	                  : advice->state == ADVICE_WITHOUT_ORIGINAL
	                          ? "ended: the bank has no original"
	                  : advice->state == ADVICE_REFUSED ? "refused"
	                                                    : "needs attention";

	if (advice->kind == ADVICE_CAPTURE && advice->state == ADVICE_ACKNOWLEDGED)
		return; // most payments: the row itself tells the story
	flows_step(core, advice->attempt, "%s %s after %d %s", advice_kind_name(advice->kind), how,
	           advice->tries, advice->tries == 1 ? "try" : "tries");
}

static void settle(struct core *core, const struct advice *advice, struct attempt *attempt)
{
	if (advice->state < ADVICE_RESOLVED_DONE)
		note(core, advice);
	if (advice->state == ADVICE_NEEDS_ATTENTION)
		call_for_a_person(core, advice, attempt);
	if (advice->state == ADVICE_ACKNOWLEDGED)
		metric_add(METRIC_ADVICES_ACKNOWLEDGED, 1);
	if (!advice_is_over(advice->state))
		return; // it stays open: what comes after it waits
	flows_free_stan(core, advice->stan);
	if (keeps_original(advice, attempt))
		flows_free_stan(core, attempt->stan);
	if (advice->kind == ADVICE_CAPTURE && advice->state == ADVICE_RESOLVED_FAILED)
		flows_event_of(core, attempt->id,
		               &(struct flow_event){ .kind = EVENT_CAPTURE_FAILED });
	if (may_have_others(attempt))
		go_on(core, advice);
	card_let_go(core, attempt->card);
}

static void transmit(struct core *core, struct advice *advice, const struct attempt *attempt)
{
	metric_add(METRIC_ADVICES_SENT, 1);
	bank_advice(core, advice, attempt, core->now_ms + core->flows->policy.bank_ms);
}

static bool step(struct core *core, struct advice *advice, enum advice_event event)
{
	struct attempt attempt;

	if (!store_load(core->store, STORE_ATTEMPTS, advice->attempt, &attempt))
		return false;
	int64_t original_deadline_ms = attempt.sent_ms + core->flows->policy.bank_ms;
	const struct advice_policy policy = policy_of(core, attempt.connection);
	struct advice_step next =
	        advice_next(advice, event, original_deadline_ms, &policy, core->now_ms);
	if (next.ignored)
		return false;
	bool settled = advice_is_settled(next.next);
	advice->state = next.next;
	advice->due_ms = next.due_ms;
	advice->tries = next.tries;
	advice->transmissions = next.transmissions;
	if (next.renew)
		advice->first_ms = core->now_ms;
	if (next.send) {
		advice->sent_ms = core->now_ms;
		advice->asked = core_next_id(core);
	}
	store_update(core->store, STORE_ADVICES, advice);
	if (next.due_ms)
		due_add(&core->flows->due, next.due_ms, DUE_ADVICE, advice->id);
	if (next.send)
		transmit(core, advice, &attempt);
	if (advice->kind == ADVICE_REFUND)
		refund_stepped(core, advice);
	if (settled)
		settle(core, advice, &attempt);
	return true;
}

void advice_due(struct core *core, int64_t id)
{
	struct advice advice;

	if (core->flows->stopping || !store_load(core->store, STORE_ADVICES, id, &advice) ||
	    advice.due_ms == 0 || advice.due_ms > core->now_ms)
		return;
	if (must_wait(core, &advice)) { // the one before wakes it; this is only that nothing sleeps
		set_due(core, &advice, core->now_ms + longest_pause_ms);
		return;
	}
	// The day after which a person is called begins when it could first be sent.
	if (advice.tries == 0)
		advice.first_ms = core->now_ms;
	step(core, &advice, ADVICE_DUE);
}

static struct bytes text_of(const json_t *answer, const char *member)
{
	return bytes_text(json_string_value(json_object_get(answer, member)));
}

static enum advice_event event_of(const json_t *answer)
{
	struct bytes outcome = text_of(answer, "outcome");

	if (bytes_equal_text(outcome, "approved"))
		return ADVICE_ACCEPTED;
	if (bytes_equal_text(outcome, "not_sent"))
		return ADVICE_NOT_SENT;
	if (!bytes_equal_text(outcome, "declined"))
		return ADVICE_UNANSWERED;
	if (json_is_true(json_object_get(answer, "no_original")))
		return ADVICE_NO_ORIGINAL;
	// A bank that cannot just now is no bank that will not.
	switch (problem_of_decline(text_of(answer, "decline_code"))) {
	case PROBLEM_ISSUER_AWAY:
	case PROBLEM_PROCESSING_ERROR: return ADVICE_UNANSWERED;
	default: return ADVICE_IS_REFUSED;
	}
}

void advice_answer(struct core *core, int64_t id, const json_t *answer)
{
	struct advice advice;
	struct bytes code = text_of(answer, "response_code");

	if (!store_load(core->store, STORE_ADVICES, id, &advice))
		return;
	if (text_is_printable(code))
		bytes_copy_text(code, advice.response_code, sizeof(advice.response_code));
	if (advice.kind == ADVICE_REFUND)
		refund_answered(core, advice.refund, text_of(answer, "decline_code"));
	step(core, &advice, event_of(answer));
}

bool advice_resolve(struct core *core, int64_t id, enum advice_event event, const char *by)
{
	struct advice advice;

	if (!store_load(core->store, STORE_ADVICES, id, &advice) ||
	    advice.state != ADVICE_NEEDS_ATTENTION || !step(core, &advice, event))
		return false;
	flows_step(core, advice.attempt, "%s %s: %s", advice_kind_name(advice.kind),
	           advice_event_name(event), by);
	log_event(LOG_INFO, "advice_resolved", LOG_NUMBER("advice", id),
	          LOG_NUMBER("attempt", advice.attempt),
	          LOG_TEXT("event", advice_event_name(event)));
	return true;
}

static void keep_numbers(struct core *core, const struct advice *advice)
{
	struct attempt attempt;

	flows_keep_stan(core, advice->stan);
	if (store_load(core->store, STORE_ATTEMPTS, advice->attempt, &attempt) &&
	    keeps_original(advice, &attempt))
		flows_keep_stan(core, attempt.stan);
}

void advices_recover(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_ADVICES_OPEN, NULL, 0);
	struct advice advice = { 0 };
	bool more = true;

	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
		keep_numbers(core, &advice);
	}
	store_end(&query);
	for (int64_t after = 0; more; after = advice.id) {
		query = store_ask(core->store, STORE_ADVICES_ATTENTION, STORE_N(after));
		for (more = false; store_step(&query); more = true) {
			store_read(&query, STORE_ADVICES, &advice);
			keep_numbers(core, &advice);
		}
		store_end(&query);
	}
}
