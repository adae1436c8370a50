// Bugs that are there only when `--plant NAME` asks for them, so that the checker is known to see.
// They are put where the linker lets the simulator step in (--wrap, see meson.build), or into the
// simulator's own part of the turn: the product has no line for them.
#include "parts.h"

#include "core/event.h"
#include "core/money.h"
#include "domain/advice.h"
#include "domain/flow.h"
#include "crypto/mac.h"
#include "disk.h"

#include <sqlite3.h>
#include <string.h>

static const struct {
	const char *name, *what;
} plants[] = {
	{ "drop_a_reversal", "a reversal gets no row" },
	{ "drop_a_capture", "a capture gets no row" },
	{ "answer_before_commit", "what a turn says leaves before the turn is committed" },
	{ "answer_before_fsync", "what a turn says leaves before its commit is durable" },
	{ "copy_without_fsync",
	  "the log is copied before it is durable, and begins anew before the file is" },
	{ "begin_anew_while_held", "the log begins anew although it is held" },
	{ "no_fsync", "fsync says yes and does nothing" },
	{ "trust_the_cache", "what was not fsynced before a crash is believed after it" },
	{ "reuse_a_stan", "numbers on the wire begin anew" },
	{ "reuse_a_key",
	  "after a crash row keys go on behind the last row, whatever was asked since" },
	{ "revive_on_late_approval", "a payment that was given up is paid after all" },
	{ "time_out_is_failure", "no answer is a no: nothing is reversed" },
	{ "believe_any_amount", "an approval of another amount is taken" },
	{ "believe_no_original", "a reversal ends with the first `no original`" },
	{ "cancel_without_reversal", "a cancel leaves the hold at the bank" },
	{ "cancel_takes_the_money", "a cancel captures what it releases" },
	{ "capture_it_all", "a capture in part takes everything" },
	{ "release_nothing", "what a capture in part leaves is not given back" },
	{ "refund_twice", "a refund of which nothing is known is told once more" },
	{ "refund_without_end", "nobody remembers what was given back" },
	{ "hold_forever", "nobody looks whether the life of a hold is over" },
	{ "tell_nobody", "a payment succeeds without an event" },
	{ "ask_another_bank", "a payment of which nothing is known is tried on another line" },
	{ "pay_without_proof", "a shopper who should prove who they are need not" },
	{ "believe_any_status", "a card is saved that its issuer did not confirm" },
	{ "link_without_approval", "a card is saved that the bank refused" },
	{ "one_card_twice", "a card that the customer has is saved once more" },
	{ "claim_no_key", "work begins without its idempotency key" },
	{ "keep_no_answer", "answers are not kept with their keys" },
	{ "forget_a_timer", "some advices get no timer" },
	{ "forget_a_deadline", "some attempts get no timer" },
	{ "ignore_the_clock", "nobody sees that the clock was set back" },
};

const char *plant_at(size_t index, const char **ret_what)
{
	if (index >= sizeof(plants) / sizeof(plants[0]))
		return NULL;
	*ret_what = plants[index].what;
	return plants[index].name;
}

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

static unsigned effects_of_an_answer(const struct flow_event *event, struct flow_step *step)
{
	bool unknown = event->kind == EVENT_UNKNOWN || event->kind == EVENT_TIMER;

	if (plant_is("ask_another_bank") && unknown && sim.policy->second) {
		step->next = ATTEMPT_OVER;
		return FLOW_PAY_ELSEWHERE;
	}
	if (plant_is("pay_without_proof") && step->next == ATTEMPT_LOOKING_UP) {
		*step = (struct flow_step){ .next = ATTEMPT_OVER,
			                    .problem = PROBLEM_AUTHENTICATION_REQUIRED };
		return FLOW_PAY_AGAIN;
	}
	return step->effects;
}

static unsigned effects_of_a_cancel(unsigned effects)
{
	if (plant_is("cancel_without_reversal"))
		return 0;
	return plant_is("cancel_takes_the_money") ? effects | FLOW_CAPTURE : effects;
}

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
	if (facts->state == ATTEMPT_HELD && event->kind == EVENT_CANCEL)
		step.effects = effects_of_a_cancel(step.effects);
	if (facts->state == ATTEMPT_SENT)
		step.effects = effects_of_an_answer(event, &step);
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
	if (plant_is("believe_any_status") &&
	    (event->kind == EVENT_STATUS || event->kind == EVENT_RESULT) &&
	    (event->status == 'N' || event->status == 'U') && !flow_is_over(facts->state))
		return (struct flow_step){ .next = ATTEMPT_LINKED, .effects = FLOW_SAVE };
	return __real_link_next(facts, event, policy, now_ms);
}

struct advice_step __real_advice_next(const struct advice *advice, enum advice_event event,
                                      int64_t original_deadline_ms,
                                      const struct advice_policy *policy, int64_t now_ms);
struct advice_step __wrap_advice_next(const struct advice *advice, enum advice_event event,
                                      int64_t original_deadline_ms,
                                      const struct advice_policy *policy, int64_t now_ms);
struct advice_step __wrap_advice_next(const struct advice *advice, enum advice_event event,
                                      int64_t original_deadline_ms,
                                      const struct advice_policy *policy, int64_t now_ms)
{
	if (plant_is("believe_no_original") && event == ADVICE_NO_ORIGINAL &&
	    advice->kind == ADVICE_REVERSE)
		return (struct advice_step){ ADVICE_WITHOUT_ORIGINAL, false, 0, advice->tries };
	struct advice_policy believed = *policy;
	if (plant_is("refund_twice"))
		believed.refund_repeats = true;
	return __real_advice_next(advice, event, original_deadline_ms, &believed, now_ms);
}

bool __real_bank_advice(struct core *core, const struct advice *advice,
                        const struct attempt *attempt, int64_t deadline_ms);
bool __wrap_bank_advice(struct core *core, const struct advice *advice,
                        const struct attempt *attempt, int64_t deadline_ms);
bool __wrap_bank_advice(struct core *core, const struct advice *advice,
                        const struct attempt *attempt, int64_t deadline_ms)
{
	struct advice sent = *advice;

	if (plant_is("capture_it_all") && sent.kind == ADVICE_CAPTURE)
		sent.amount = attempt->amount;
	return __real_bank_advice(core, &sent, attempt, deadline_ms);
}

// --- the store

void __real_store_insert(struct store *store, enum store_table table, const void *object);
void __wrap_store_insert(struct store *store, enum store_table table, const void *object);
void __wrap_store_insert(struct store *store, enum store_table table, const void *object)
{
	const struct advice *advice = object;

	if (table == STORE_ADVICES &&
	    ((plant_is("drop_a_reversal") && advice->kind == ADVICE_REVERSE) ||
	     (plant_is("drop_a_capture") && advice->kind == ADVICE_CAPTURE) ||
	     (plant_is("release_nothing") && advice->kind == ADVICE_RELEASE)))
		return;
	__real_store_insert(store, table, object);
}

void __real_store_update(struct store *store, enum store_table table, const void *object);
void __wrap_store_update(struct store *store, enum store_table table, const void *object);
void __wrap_store_update(struct store *store, enum store_table table, const void *object)
{
	if (plant_is("refund_without_end") && table == STORE_ATTEMPTS) {
		struct attempt attempt = *(const struct attempt *)object;
		attempt.refunded = 0;
		__real_store_update(store, table, &attempt);
		return;
	}
	__real_store_update(store, table, object);
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
	if (plant_is("tell_nobody") && statement == STORE_EVENT_INSERT &&
	    values[2].number == EVENT_PAYMENT_INTENT_SUCCEEDED)
		return 1;
	return __real_store_execute(store, statement, values, count);
}

int64_t __real_store_one(struct store *store, enum store_statement statement, int64_t otherwise,
                         const struct store_value *values, size_t count);
int64_t __wrap_store_one(struct store *store, enum store_statement statement, int64_t otherwise,
                         const struct store_value *values, size_t count);
int64_t __wrap_store_one(struct store *store, enum store_statement statement, int64_t otherwise,
                         const struct store_value *values, size_t count)
{
	if (plant_is("one_card_twice") && statement == STORE_CARD_SAME)
		return 0;
	return __real_store_one(store, statement, otherwise, values, count);
}

int __real_sqlite3_wal_checkpoint_v2(sqlite3 *connection, const char *database, int mode,
                                     int *ret_pages, int *ret_copied);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *connection, const char *database, int mode,
                                     int *ret_pages, int *ret_copied);
int __wrap_sqlite3_wal_checkpoint_v2(sqlite3 *connection, const char *database, int mode,
                                     int *ret_pages, int *ret_copied)
{
	if (plant_is("copy_without_fsync"))
		sqlite3_exec(connection, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
	return __real_sqlite3_wal_checkpoint_v2(connection, database, mode, ret_pages, ret_copied);
}

// The store asks for the file system only to make its log durable before it reads it.
sqlite3_vfs *__real_sqlite3_vfs_find(const char *name);
sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name);

static int nothing_is_there(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there)
{
	(void)vfs;
	(void)name;
	(void)flags;
	*ret_there = 0;
	return SQLITE_OK;
}

sqlite3_vfs *__wrap_sqlite3_vfs_find(const char *name)
{
	static sqlite3_vfs blind;

	if (!plant_is("trust_the_cache"))
		return __real_sqlite3_vfs_find(name);
	blind.xAccess = nothing_is_there;
	return &blind;
}

void __real_core_ids_start(struct core *core);
void __wrap_core_ids_start(struct core *core);
void __wrap_core_ids_start(struct core *core)
{
	if (plant_is("reuse_a_key"))
		core->last_id = store_last_id(core->store);
	else
		__real_core_ids_start(core);
}

// --- timers

void __real_due_add(struct due *due, int64_t at_ms, int kind, int64_t id);
void __wrap_due_add(struct due *due, int64_t at_ms, int kind, int64_t id);
void __wrap_due_add(struct due *due, int64_t at_ms, int kind, int64_t id)
{
	if (plant_is("forget_a_timer") && kind == DUE_ADVICE && chance_of(30))
		return;
	if (plant_is("hold_forever") && kind == DUE_HOLDS)
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
	if (plant_is("ignore_the_clock"))
		core->flows->clock_ms = 0;
	disk.lies = plant_is("no_fsync");
}
