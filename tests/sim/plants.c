// Bugs that are there only when `--plant NAME` asks for them, so that the checker is known to see.
// They are put where the linker lets the simulator step in (--wrap, see meson.build), or into the
// simulator's own part of the turn: the product has no line for them.
#include "parts.h"

#include "core/flows.h"
#include "domain/flow.h"
#include "crypto/mac.h"
#include "disk.h"

#include <string.h>

bool plant_is(const char *name)
{
	return sim.plant && strcmp(sim.plant, name) == 0;
}

// --- chance of the product

void __wrap_crypto_random(void *ret_bytes, size_t length);
void __wrap_crypto_random(void *ret_bytes, size_t length)
{
	chance_bytes(ret_bytes, length);
}

// --- the flow of a payment

struct flow_step __real_payment_next(const struct flow_facts *facts, const struct flow_event *event,
                                     const struct flow_policy *policy, int64_t now_ms);
struct flow_step __wrap_payment_next(const struct flow_facts *facts, const struct flow_event *event,
                                     const struct flow_policy *policy, int64_t now_ms);
struct flow_step __wrap_payment_next(const struct flow_facts *facts, const struct flow_event *event,
                                     const struct flow_policy *policy, int64_t now_ms)
{
	struct flow_step step = __real_payment_next(facts, event, policy, now_ms);

	if (plant_is("revive_on_late_approval") && facts->state == ATTEMPT_GIVEN_UP &&
	    event->kind == EVENT_APPROVED)
		return (struct flow_step){ .next = ATTEMPT_PAID, .effects = FLOW_CAPTURE };
	if (plant_is("time_out_is_failure") && facts->state == ATTEMPT_SENT &&
	    (event->kind == EVENT_TIMER || event->kind == EVENT_UNKNOWN))
		return (struct flow_step){ .next = ATTEMPT_OVER, .problem = PROBLEM_NO_ANSWER };
	if (plant_is("believe_any_amount") && facts->state == ATTEMPT_SENT && event->differs)
		return (struct flow_step){ .next = ATTEMPT_PAID, .effects = FLOW_CAPTURE };
	if (plant_is("forget_the_late_one") && facts->state == ATTEMPT_OVER)
		step.effects = FLOW_IGNORED;
	return step;
}

struct flow_step __real_link_next(const struct flow_facts *facts, const struct flow_event *event,
                                  const struct flow_policy *policy, int64_t now_ms);
struct flow_step __wrap_link_next(const struct flow_facts *facts, const struct flow_event *event,
                                  const struct flow_policy *policy, int64_t now_ms);
struct flow_step __wrap_link_next(const struct flow_facts *facts, const struct flow_event *event,
                                  const struct flow_policy *policy, int64_t now_ms)
{
	if (plant_is("link_without_approval") && facts->state == ATTEMPT_VERIFYING &&
	    event->kind == EVENT_DECLINED)
		return (struct flow_step){ .next = ATTEMPT_LINKED, .effects = FLOW_SAVE };
	return __real_link_next(facts, event, policy, now_ms);
}

// --- the store

void __real_store_insert(struct store *store, enum store_table table, const void *object);
void __wrap_store_insert(struct store *store, enum store_table table, const void *object);
void __wrap_store_insert(struct store *store, enum store_table table, const void *object)
{
	const struct advice *advice = object;

	if (table == STORE_ADVICES &&
	    ((plant_is("drop_a_reversal") && advice->kind == ADVICE_REVERSE) ||
	     (plant_is("drop_a_capture") && advice->kind == ADVICE_CAPTURE)))
		return;
	__real_store_insert(store, table, object);
}

int __real_store_execute(struct store *store, enum store_statement statement,
                         const struct store_value *values, size_t count);
int __wrap_store_execute(struct store *store, enum store_statement statement,
                         const struct store_value *values, size_t count);
int __wrap_store_execute(struct store *store, enum store_statement statement,
                         const struct store_value *values, size_t count)
{
	if (plant_is("claim_no_key") && statement == STORE_IDEMPOTENCY_CLAIM)
		return 1;
	if (plant_is("keep_no_answer") &&
	    (statement == STORE_IDEMPOTENCY_END || statement == STORE_IDEMPOTENCY_STORE))
		return 1;
	return __real_store_execute(store, statement, values, count);
}

// --- timers

void __real_due_add(struct due *due, int64_t at_ms, int kind, int64_t id);
void __wrap_due_add(struct due *due, int64_t at_ms, int kind, int64_t id);
void __wrap_due_add(struct due *due, int64_t at_ms, int kind, int64_t id)
{
	if (plant_is("forget_a_timer") && kind == DUE_ADVICE && chance_of(30))
		return;
	if (plant_is("forget_a_deadline") && kind == DUE_ATTEMPT && chance_of(30))
		return;
	__real_due_add(due, at_ms, kind, id);
}

// --- a turn

void plants_turn(struct core *core)
{
	if (plant_is("reuse_a_stan")) {
		core->flows->next_stan = 0;
		memset(core->flows->stans, 0, sizeof(core->flows->stans));
	}
	disk.lies = plant_is("no_fsync");
}
