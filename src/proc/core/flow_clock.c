// A clock that was set back: what was to happen within seconds would wait for as long as the clock
// was wrong. No timer may be further away than the longest that its state may last.
#include "core/flows.h"

enum { JITTER_MS = 1000, OPENING_MS = 10000, ADVICE_PAUSE_MS = 3600 * 1000 };

static void hurry_attempts(struct core *core)
{
	const struct map *lives = &core->flows->lives;

	for (size_t i = 0; i < lives->capacity; i++) {
		struct live *live = lives->slots[i].value;
		int64_t longest_ms =
		        live ? flow_longest_ms(live->row.state, &core->flows->policy) : 0;
		if (!live || longest_ms == 0 || live->row.deadline_ms <= core->now_ms + longest_ms)
			continue;
		live->row.deadline_ms = core->now_ms + longest_ms;
		store_update(core->store, STORE_ATTEMPTS, &live->row);
		due_add(&core->flows->due, live->row.deadline_ms, DUE_ATTEMPT, live->row.id);
	}
}

static void hurry_advices(struct core *core)
{
	struct advice advice;

	if (store_one_number(core->store, STORE_ADVICES_LATER_THAN, 0,
	                     STORE_N(core->now_ms + ADVICE_PAUSE_MS)) == 0)
		return;
	store_run(core->store, STORE_ADVICES_HURRY, STORE_N(core->now_ms),
	          STORE_N(core->now_ms + ADVICE_PAUSE_MS));
	struct store_query query = store_begin(core->store, STORE_ADVICES_OPEN, NULL, 0);
	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		due_add(&core->flows->due, advice.due_ms, DUE_ADVICE, advice.id);
	}
}

static void hurry_openings(struct core *core)
{
	const struct map *openings = &core->flows->openings;

	for (size_t i = 0; i < openings->capacity; i++)
		if (openings->slots[i].value)
			due_add(&core->flows->due, core->now_ms + OPENING_MS, DUE_OPENING,
			        openings->slots[i].key);
}

static void hurry_refunds(struct core *core)
{
	const struct map *refunds = &core->flows->refunds;
	int64_t wait_ms = core->flows->policy.bank_ms + FLOW_GRACE_MS;

	for (size_t i = 0; i < refunds->capacity; i++)
		if (refunds->slots[i].value)
			due_add(&core->flows->due, core->now_ms + wait_ms, DUE_REFUND,
			        refunds->slots[i].key);
}

void flows_hurry(struct core *core)
{
	hurry_attempts(core);
	hurry_advices(core);
	hurry_openings(core);
	hurry_refunds(core);
}

void flows_watch_clock(struct core *core)
{
	int64_t before_ms = core->flows->clock_ms;

	core->flows->clock_ms = core->now_ms;
	if (core->now_ms + JITTER_MS < before_ms)
		flows_hurry(core);
}
