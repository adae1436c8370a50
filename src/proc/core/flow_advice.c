// Reversals and captures on their own clocks. The rules are in lib/domain/advice.c.
#include "core/flows.h"

#include "base/cleanup.h"
#include "domain/advice.h"

#include "base/log.h"

static const struct advice_policy *policy_of(const struct core *core)
{
	static struct advice_policy policy = { .late_window_ms = 60 * 1000,
		                               .attention_ms = 24 * 3600 * 1000 };

	policy.answer_ms = core->flows->policy.bank_ms + 2000;
	return &policy;
}

static bool has_reversal(struct core *core, int64_t attempt)
{
	struct store_query query =
	        store_ask(core->store, STORE_ADVICES_OF_ATTEMPT, STORE_N(attempt));
	struct advice advice;
	bool found = false;

	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		found |= advice.kind == ADVICE_REVERSE;
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
	    store_one_number(core->store, STORE_CARD_ADVICES, 0, STORE_N(card.id)) > 0)
		return;
	memset(card.sealed, 0, sizeof(card.sealed));
	card.sealed_length = 0;
	store_update(core->store, STORE_CARDS, &card);
}

static void settle(struct core *core, const struct advice *advice, const struct attempt *attempt)
{
	bool acknowledged = advice->state == ADVICE_ACKNOWLEDGED;
	const char *name = advice->kind == ADVICE_REVERSE ? "reversal" : "capture";

	flows_free_stan(core, advice->stan);
	if (advice->kind == ADVICE_REVERSE)
		flows_free_stan(core, attempt->stan);
	metric_add(acknowledged ? METRIC_ADVICES_ACKNOWLEDGED : METRIC_ADVICES_NEED_ATTENTION, 1);
	if (advice->kind == ADVICE_REVERSE || !acknowledged)
		flows_step(core, attempt->id, "%s %s after %d tries", name,
		           acknowledged ? "acknowledged" : "needs attention", advice->tries);
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
	struct advice_step next =
	        advice_next(advice, event, original_deadline_ms, policy_of(core), core->now_ms);
	bool settled = next.next != advice->state &&
	               (next.next == ADVICE_ACKNOWLEDGED || next.next == ADVICE_NEEDS_ATTENTION);
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

void advice_answer(struct core *core, int64_t id, const json_t *answer)
{
	struct advice advice;
	struct bytes outcome = bytes_text(json_string_value(json_object_get(answer, "outcome")));
	struct bytes code = bytes_text(json_string_value(json_object_get(answer, "response_code")));
	enum advice_event event = ADVICE_UNANSWERED;

	if (!store_load(core->store, STORE_ADVICES, id, &advice))
		return;
	if (bytes_equal_text(outcome, "approved"))
		event = ADVICE_ACCEPTED;
	else if (bytes_equal_text(outcome, "declined"))
		event = json_is_true(json_object_get(answer, "no_original")) ? ADVICE_NO_ORIGINAL
		                                                             : ADVICE_REFUSED;
	bytes_copy_text(code, advice.response_code, sizeof(advice.response_code));
	step(core, &advice, event);
}

void advices_recover(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_ADVICES_OPEN, NULL, 0);
	struct advice advice;

	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
		core->flows->stans[advice.stan / 8] =
		        (uint8_t)(core->flows->stans[advice.stan / 8] | 1 << (advice.stan % 8));
	}
}
