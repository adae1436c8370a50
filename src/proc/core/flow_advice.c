// Reversals and captures on their own clocks. The rules are in lib/domain/advice.c.
#include "core/flows.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "domain/advice.h"

static struct advice_policy policy_of(const struct core *core)
{
	return (struct advice_policy){ .answer_ms = core->flows->policy.bank_ms + FLOW_GRACE_MS,
		                       .late_window_ms = 60 * 1000,
		                       .attention_ms = 24 * 3600 * 1000 };
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

void advice_queue(struct core *core, const struct attempt *attempt, enum advice_kind kind)
{
	struct advice advice = { .id = core_next_id(core),
		                 .attempt = attempt->id,
		                 .kind = kind,
		                 .due_ms = core->now_ms,
		                 .first_ms = core->now_ms,
		                 .amount = attempt->amount };

	if (kind == ADVICE_REVERSE && has_reversal(core, attempt->id))
		return;
	advice.stan = flows_new_stan(core);
	flows_keep_stan(core, attempt->stan);
	store_insert(core->store, STORE_ADVICES, &advice);
	due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
	if (kind == ADVICE_REVERSE) {
		metric_add(METRIC_REVERSALS_QUEUED, 1);
		flows_step(core, attempt->id, "reversal queued");
	}
}

// What a card is kept for may be over now.
static void let_card_go(struct core *core, const struct attempt *attempt)
{
	struct card card cleanup(card_done) = { 0 };

	if (!store_load(core->store, STORE_CARDS, attempt->card, &card) || card.removed_ms == 0 ||
	    store_one_number(core->store, STORE_CARD_IN_USE, 0, STORE_N(card.id)) > 0)
		return;
	memset(card.sealed, 0, sizeof(card.sealed));
	card.sealed_length = 0;
	store_update(core->store, STORE_CARDS, &card);
}

static void settle(struct core *core, const struct advice *advice, const struct attempt *attempt)
{
	bool acknowledged = advice->state != ADVICE_NEEDS_ATTENTION;
	const char *name = advice->kind == ADVICE_REVERSE ? "reversal" : "capture";
	const char *how = advice->state == ADVICE_ACKNOWLEDGED ? "acknowledged"
	                  : advice->state == ADVICE_WITHOUT_ORIGINAL
	                          ? "ended: the bank has no original"
	                          : "needs attention";

	flows_free_stan(core, advice->stan);
	flows_free_stan(core, attempt->stan);
	metric_add(acknowledged ? METRIC_ADVICES_ACKNOWLEDGED : METRIC_ADVICES_NEED_ATTENTION, 1);
	if (advice->kind == ADVICE_REVERSE || !acknowledged)
		flows_step(core, attempt->id, "%s %s after %d %s", name, how, advice->tries,
		           advice->tries == 1 ? "try" : "tries");
	if (!acknowledged)
		log_event(LOG_ERROR, "advice_needs_attention", LOG_NUMBER("advice", advice->id),
		          LOG_NUMBER("attempt", attempt->id), LOG_NUMBER("tries", advice->tries),
		          LOG_TEXT("response_code", advice->response_code));
	let_card_go(core, attempt);
}

static void step(struct core *core, struct advice *advice, enum advice_event event)
{
	struct attempt attempt;

	if (!store_load(core->store, STORE_ATTEMPTS, advice->attempt, &attempt))
		return;
	int64_t original_deadline_ms = attempt.sent_ms + core->flows->policy.bank_ms;
	const struct advice_policy policy = policy_of(core);
	struct advice_step next =
	        advice_next(advice, event, original_deadline_ms, &policy, core->now_ms);
	bool settled = next.next != advice->state && advice_is_settled(next.next);
	advice->state = next.next;
	advice->due_ms = next.due_ms;
	advice->tries = next.tries;
	if (next.send)
		advice->sent_ms = core->now_ms;
	store_update(core->store, STORE_ADVICES, advice);
	if (next.due_ms)
		due_add(&core->flows->due, next.due_ms, DUE_ADVICE, advice->id);
	if (next.send) {
		metric_add(METRIC_ADVICES_SENT, 1);
		bank_advice(core, advice, &attempt, core->now_ms + core->flows->policy.bank_ms);
	}
	if (settled)
		settle(core, advice, &attempt);
}

void advice_due(struct core *core, int64_t id)
{
	struct advice advice;

	if (!store_load(core->store, STORE_ADVICES, id, &advice) || advice.due_ms == 0 ||
	    advice.due_ms > core->now_ms)
		return;
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
	if (!bytes_equal_text(outcome, "declined"))
		return ADVICE_UNANSWERED;
	if (json_is_true(json_object_get(answer, "no_original")))
		return ADVICE_NO_ORIGINAL;
	// A bank that cannot just now is no bank that will not.
	switch (problem_of_decline(text_of(answer, "decline_code"))) {
	case PROBLEM_ISSUER_AWAY:
	case PROBLEM_PROCESSING_ERROR: return ADVICE_UNANSWERED;
	default: return ADVICE_REFUSED;
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
	step(core, &advice, event_of(answer));
}

void advices_recover(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_ADVICES_OPEN, NULL, 0);
	struct attempt attempt;
	struct advice advice;

	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
		flows_keep_stan(core, advice.stan);
		if (store_load(core->store, STORE_ATTEMPTS, advice.attempt, &attempt))
			flows_keep_stan(core, attempt.stan);
	}
}
