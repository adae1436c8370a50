// The person who is called when an advice needs attention: looks into the bank's books, and tells
// core what was found out, as `onfile attention resolve` does.
#include "parts.h"

#include "core/money.h"

#include <stdio.h>

enum { AT_ONCE_MAX = 64 };

// Why a person may be called: the bank refused for good, the clock was set, or nobody knows what
// became of a refund.
static bool may_be_called(const struct advice *advice)
{
	return ledger_refuses() || sim.faults.clock_jumps || advice->kind == ADVICE_REFUND;
}

static bool is_done(struct core *core, const struct advice *advice)
{
	static const enum operation operations[] = { [ADVICE_REVERSE] = OP_REVERSE,
		                                     [ADVICE_CAPTURE] = OP_CAPTURE,
		                                     [ADVICE_RELEASE] = OP_REVERSE,
		                                     [ADVICE_REFUND] = OP_REFUND };
	struct attempt attempt;
	struct wire_key original;
	char stan[8];

	if (!store_load(core->store, STORE_ATTEMPTS, advice->attempt, &attempt))
		return false;
	check_key_of(attempt.connection, attempt.stan, attempt.sent_ms, &original);
	snprintf(stan, sizeof(stan), "%06u", (unsigned)advice->stan % 1000000u);
	return ledger_has_done(operations[advice->kind], stan, &original);
}

static void look_at(struct core *core, const struct advice *advice)
{
	enum advice_event found = ADVICE_RESOLVE_AGAIN;

	if (is_done(core, advice))
		found = ADVICE_RESOLVE_DONE;
	else if (advice->kind == ADVICE_REFUND && chance_of(500))
		found = ADVICE_RESOLVE_FAILED;
	TELL("a person: advice %lld is %s", (long long)advice->id,
	     found == ADVICE_RESOLVE_DONE ? "done" : "not done");
	if (!may_be_called(advice))
		sim_fail("advice %lld needs attention for no reason", (long long)advice->id);
	if (!advice_resolve(core, advice->id, found, "found in the bank's books"))
		sim_fail("advice %lld cannot be resolved", (long long)advice->id);
}

void person_comes(void)
{
	struct advice list[AT_ONCE_MAX];
	size_t count = 0;

	if (!host_is_up())
		return;
	host_core->now_ms = sim_wall_ms();
	struct store_query query = store_ask(host_core->store, STORE_ADVICES_ATTENTION, STORE_N(0));
	while (count < AT_ONCE_MAX && store_step(&query))
		store_read(&query, STORE_ADVICES, &list[count++]);
	store_end(&query);
	for (size_t i = 0; i < count && !sim_failed(); i++)
		look_at(host_core, &list[i]);
	host_soon();
}
