// Refunds: what becomes of one is what becomes of its advice (lib/domain/advice.c). Who asked for
// it waits for the bank's first answer, but not without end: a refund may be pending for days.
#include "core/money.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/event.h"

#include <stdlib.h>

static const int64_t day_ms = 24 * 3600 * 1000;

int64_t flow_refundable_until_ms(const struct core *core, const struct attempt *attempt)
{
	return core_id_ms(attempt->id) + core->config.refund_days * day_ms;
}

static void tell(struct core *core, int64_t refund)
{
	const struct flow_outcome outcome = { .end = FLOW_AT_REST };
	struct waiter *waiter = map_take(&core->flows->refunds, refund);

	while (waiter) {
		struct waiter *next = waiter->next;
		flows_tell(core, waiter->done, waiter->owner, &outcome);
		free(waiter);
		waiter = next;
	}
}

static void wait_for(struct core *core, int64_t refund, flow_done *done, void *owner)
{
	struct waiter *waiter = calloc(1, sizeof(*waiter));

	CHECK(waiter);
	*waiter = (struct waiter){ map_get(&core->flows->refunds, refund), done, owner };
	map_put(&core->flows->refunds, refund, waiter);
	due_add(&core->flows->due, core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS,
	        DUE_REFUND, refund);
}

bool flow_refund(struct core *core, const struct refund *refund, flow_done *done, void *owner)
{
	const struct flow_event event = { .kind = EVENT_REFUND, .amount = refund->amount };
	struct live room;
	struct live *live = flows_any(core, refund->attempt, &room);

	if (live)
		live->refund = refund->id;
	bool begun = live && flows_event(core, live, &event);
	authentication_free(&room.authentication);
	if (!begun)
		return false;
	metric_add(METRIC_REFUNDS_STARTED, 1);
	wait_for(core, refund->id, done, owner);
	return true;
}

static bool find_advice(struct core *core, const struct refund *refund, struct advice *ret_advice)
{
	struct store_query query = store_ask(core->store, STORE_ADVICE_OF_REFUND,
	                                     STORE_N(refund->attempt), STORE_N(refund->id));
	bool found = store_step(&query);

	if (found)
		store_read(&query, STORE_ADVICES, ret_advice);
	store_end(&query);
	return found;
}

// Worth waiting for: nothing was heard of it yet.
static bool is_fresh(const struct advice *advice)
{
	return advice->state == ADVICE_SENT ||
	       (advice->state == ADVICE_QUEUED && advice->tries == 0);
}

void flow_refund_wait(struct core *core, int64_t id, flow_done *done, void *owner)
{
	struct refund refund cleanup(refund_done) = { 0 };
	struct advice advice;

	if (store_load(core->store, STORE_REFUNDS, id, &refund) &&
	    find_advice(core, &refund, &advice) && is_fresh(&advice))
		wait_for(core, id, done, owner);
	else
		flows_tell(core, done, owner, &(struct flow_outcome){ .end = FLOW_AT_REST });
}

void refund_waited(struct core *core, int64_t refund)
{
	tell(core, refund);
}

static void give_back(struct core *core, const struct refund *refund)
{
	struct attempt attempt;

	if (!store_load(core->store, STORE_ATTEMPTS, refund->attempt, &attempt))
		return;
	attempt.refunded -= refund->amount;
	store_update(core->store, STORE_ATTEMPTS, &attempt);
}

// A refund that failed, and then was made after all.
static void take_again(struct core *core, const struct refund *refund)
{
	struct attempt attempt;

	if (!store_load(core->store, STORE_ATTEMPTS, refund->attempt, &attempt))
		return;
	attempt.refunded += refund->amount;
	store_update(core->store, STORE_ATTEMPTS, &attempt);
}

static void done(struct core *core, const struct refund *refund)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct attempt attempt;

	event_refund(core, EVENT_REFUND_UPDATED, refund);
	if (store_load(core->store, STORE_ATTEMPTS, refund->attempt, &attempt) &&
	    store_load(core->store, STORE_PAYMENT_INTENTS, refund->intent, &intent))
		event_charge(core, EVENT_CHARGE_REFUNDED, &intent, &attempt);
	metric_add(METRIC_REFUNDS_DONE, 1);
}

void refund_stepped(struct core *core, const struct advice *advice)
{
	struct refund refund cleanup(refund_done) = { 0 };
	enum refund_status status = refund_status_of(advice->state);

	if (!store_load(core->store, STORE_REFUNDS, advice->refund, &refund))
		return;
	if (status != refund.status) {
		if (status == REFUND_FAILED)
			give_back(core, &refund);
		if (refund.status == REFUND_FAILED)
			take_again(core, &refund);
		refund.status = status;
		store_update(core->store, STORE_REFUNDS, &refund);
		switch (status) {
		case REFUND_SUCCEEDED: done(core, &refund); break;
		case REFUND_FAILED:
			event_refund(core, EVENT_REFUND_FAILED, &refund);
			metric_add(METRIC_REFUNDS_FAILED, 1);
			break;
		default: event_refund(core, EVENT_REFUND_UPDATED, &refund); break;
		}
	}
	if (!is_fresh(advice))
		tell(core, refund.id);
}

void refund_answered(struct core *core, int64_t id, struct bytes decline_code)
{
	struct refund refund cleanup(refund_done) = { 0 };

	if (decline_code.length == 0 || !text_is_printable(decline_code) ||
	    !store_load(core->store, STORE_REFUNDS, id, &refund))
		return;
	bytes_copy_text(decline_code, refund.decline_code, sizeof(refund.decline_code));
	store_update(core->store, STORE_REFUNDS, &refund);
}

void refunds_free(struct flows *flows)
{
	for (size_t i = 0; i < flows->refunds.capacity; i++) {
		struct waiter *waiter = flows->refunds.slots[i].value;
		while (waiter) {
			struct waiter *next = waiter->next;
			free(waiter);
			waiter = next;
		}
	}
	map_done(&flows->refunds);
}
