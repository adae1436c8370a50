// Attempts at work: events in, steps of lib/domain stored, effects carried out, waiters told. What
// is in memory here can be made anew from the store: see recover().
#include "core/money.h"
#include "core/guards.h"

#include "base/cleanup.h"
#include "base/check.h"
#include "base/log.h"
#include "core/event.h"

#include <stdlib.h>

enum { STEPS_MAX = 200, SWEEP_MS = 3600 * 1000, FORGET_MS = 50, HOLDS_MS = 60 * 1000 };

struct question *flows_ask(struct core *core, enum question_kind kind, int64_t id, int64_t subject)
{
	struct question *question = calloc(1, sizeof(*question));

	CHECK(question);
	*question = (struct question){
		.id = id, .kind = kind, .subject = subject, .asked_ms = core->now_ms
	};
	map_put(&core->flows->questions, id, question);
	return question;
}

// --- attempts in memory

struct live *flows_add(struct core *core, const struct attempt *row)
{
	struct live *live = calloc(1, sizeof(*live));

	CHECK(live);
	live->row = *row;
	map_put(&core->flows->lives, row->id, live);
	if (row->deadline_ms)
		due_add(&core->flows->due, row->deadline_ms, DUE_ATTEMPT, row->id);
	return live;
}

static void live_free(struct live *live)
{
	while (live->waiters) {
		struct waiter *waiter = live->waiters;
		live->waiters = waiter->next;
		free(waiter);
	}
	authentication_free(&live->authentication);
	free(live);
}

struct live *flows_live(struct core *core, int64_t attempt)
{
	return attempt ? map_get(&core->flows->lives, attempt) : NULL;
}

struct live *flows_any(struct core *core, int64_t attempt, struct live *room)
{
	struct live *live = flows_live(core, attempt);

	*room = (struct live){ 0 };
	if (live || !store_load(core->store, STORE_ATTEMPTS, attempt, &room->row))
		return live;
	authentication_load(core, attempt, &room->authentication);
	return room;
}

bool flows_is_linking(const struct core *core, int64_t customer)
{
	const struct map *lives = &core->flows->lives;

	for (size_t i = 0; customer && i < lives->capacity; i++) {
		const struct live *live = lives->slots[i].value;
		if (live && live->row.customer == customer && live->row.kind == ATTEMPT_LINK)
			return true;
	}
	return false;
}

// --- telling those who wait

void flows_tell(struct core *core, flow_done *done, void *owner, const struct flow_outcome *outcome)
{
	struct told *told = calloc(1, sizeof(*told));
	struct told **last = &core->flows->told;

	CHECK(told);
	*told = (struct told){ .done = done, .owner = owner, .outcome = *outcome };
	while (*last)
		last = &(*last)->next;
	*last = told;
	core_wake(core);
}

static void tell_waiters(struct core *core, struct live *live, enum flow_end end)
{
	const struct flow_outcome outcome = { .end = end,
		                              .problem = live->row.problem,
		                              .attempt = live->row.id };

	while (live->waiters) {
		struct waiter *waiter = live->waiters;
		live->waiters = waiter->next;
		flows_tell(core, waiter->done, waiter->owner, &outcome);
		free(waiter);
	}
}

// Callbacks may start new flows, which may tell somebody: taken one by one until none is left.
static void call_told(struct core *core)
{
	while (core->flows->told) {
		struct told *told = core->flows->told;
		core->flows->told = told->next;
		told->done(core, told->owner, &told->outcome);
		free(told);
	}
}

static bool wants_the_shopper(enum attempt_state state)
{
	return flow_intent_status(state) == INTENT_REQUIRES_ACTION;
}

void flow_wait(struct core *core, int64_t attempt, flow_done *done, void *owner)
{
	struct live *live = flows_live(core, attempt);
	struct flow_outcome outcome = { .end = FLOW_AT_REST, .attempt = attempt };
	struct attempt row;

	if (live && !wants_the_shopper(live->row.state)) {
		struct waiter *waiter = calloc(1, sizeof(*waiter));
		CHECK(waiter);
		*waiter = (struct waiter){ live->waiters, done, owner };
		live->waiters = waiter;
		return;
	}
	if (live) {
		outcome.end = FLOW_ACTION;
	} else if (store_load(core->store, STORE_ATTEMPTS, attempt, &row)) {
		outcome.problem = row.problem;
	}
	flows_tell(core, done, owner, &outcome);
}

static void forget_in_list(struct waiter **list, const void *owner)
{
	while (*list) {
		struct waiter *waiter = *list;
		if (waiter->owner != owner) {
			list = &waiter->next;
			continue;
		}
		*list = waiter->next;
		free(waiter);
	}
}

void flow_forget(struct core *core, void *owner)
{
	struct flows *flows = core->flows;

	for (size_t i = 0; i < flows->lives.capacity; i++)
		if (flows->lives.slots[i].value)
			forget_in_list(&((struct live *)flows->lives.slots[i].value)->waiters,
			               owner);
	for (size_t i = 0; i < flows->openings.capacity; i++) {
		struct opening *opening = flows->openings.slots[i].value;
		if (opening && opening->waiter.owner == owner)
			opening->waiter.done = NULL;
	}
	for (size_t i = 0; i < flows->refunds.capacity; i++)
		if (flows->refunds.slots[i].key)
			forget_in_list((struct waiter **)&flows->refunds.slots[i].value, owner);
	for (struct told **told = &flows->told; *told;) {
		struct told *one = *told;
		if (one->owner != owner) {
			told = &one->next;
			continue;
		}
		*told = one->next;
		free(one);
	}
}

// --- events and steps

// What can still be captured, or given back.
static int64_t open_amount(const struct attempt *row)
{
	if (row->state == ATTEMPT_HELD)
		return row->amount;
	return row->state == ATTEMPT_PAID ? row->captured - row->refunded : 0;
}

static struct flow_facts facts_of(struct core *core, const struct live *live,
                                  const struct flow_event *event)
{
	struct flow_facts facts = {
		.state = live->row.state,
		.flags = live->row.flags,
		.browser = live->authentication.browser != NULL,
		.method = live->authentication.method,
		.ask_again = live->authentication.ask_again,
		.code = live->authentication.code,
		.present = !(live->row.flags & ATTEMPT_BY_MERCHANT),
		.open = open_amount(&live->row),
		.elsewhere = live->row.kind == ATTEMPT_PAYMENT && event->kind == EVENT_NOT_SENT &&
		             payment_has_elsewhere(core, &live->row),
	};
	return facts;
}

static void update_setup_intent(struct core *core, struct live *live)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };

	if (!store_load(core->store, STORE_SETUP_INTENTS, live->row.intent, &intent) ||
	    intent.attempt != live->row.id || intent.status == INTENT_CANCELED)
		return;
	enum intent_status status = flow_intent_status(live->row.state);
	if (status == intent.status)
		return;
	intent.status = status;
	intent.card = status == INTENT_REQUIRES_PAYMENT_METHOD ? 0 : live->row.card;
	store_update(core->store, STORE_SETUP_INTENTS, &intent);
	if (status == INTENT_REQUIRES_ACTION)
		event_setup_intent(core, EVENT_SETUP_INTENT_REQUIRES_ACTION, &intent);
	if (status == INTENT_REQUIRES_PAYMENT_METHOD)
		event_setup_intent(core, EVENT_SETUP_INTENT_SETUP_FAILED, &intent);
}

// The parts of a step that both kinds of attempt have in common.
static void carry_out(struct core *core, struct live *live, unsigned effects)
{
	struct card card cleanup(card_done) = { 0 };

	if (effects & FLOW_FORGET_CODE && live->authentication.code &&
	    store_load(core->store, STORE_CARDS, live->row.card, &card))
		core_tell_vault(core, WIRE_FORGET_CODE,
		                (const struct wire_value[]){ [WIRE_FORGET_CODE_HANDLE] = WIRE_B(
		                                                     BYTES_ARRAY(card.handle)) });
	if (effects & FLOW_VERIFY)
		bank_verify(core, live);
	if (effects & FLOW_LOOK_UP)
		authentication_look_up(core, live);
	if (effects & FLOW_AUTHENTICATE)
		authentication_ask(core, live);
}

// The bank's messages that a step of a payment leads to, in their order.
static void carry_out_money(struct core *core, const struct live *live,
                            const struct flow_event *event, unsigned effects)
{
	const struct attempt *row = &live->row;

	if (effects & FLOW_REVERSE)
		advice_queue(core, row, ADVICE_REVERSE, row->amount, 0);
	if (effects & FLOW_CAPTURE)
		advice_queue(core, row, ADVICE_CAPTURE, row->captured, 0);
	if (effects & FLOW_RELEASE)
		advice_queue(core, row, ADVICE_RELEASE, row->amount - row->captured, 0);
	if (effects & FLOW_REFUND)
		advice_queue(core, row, ADVICE_REFUND, event->amount, live->refund);
}

static enum trial trial_of(const struct flow_step *step)
{
	bool issuer = problem_row((int)step->problem)->flags & PROBLEM_ISSUER;

	if (step->effects & FLOW_COUNT)
		return issuer ? TRIAL_REFUSED_WRONG : TRIAL_WRONG;
	return issuer ? TRIAL_REFUSED : TRIAL_OTHER;
}

static void link_stepped(struct core *core, struct live *live, const struct flow_event *event,
                         const struct flow_step *step)
{
	if (step->effects & FLOW_SAVE) {
		link_saved(core, live);
	} else if (step->next == ATTEMPT_OVER) {
		guards_note(core, &live->row, live->authentication.address, trial_of(step));
		link_failed(core, live);
	}
	if (!(live->row.flags & ATTEMPT_FOR_PAYMENT))
		update_setup_intent(core, live);
	else if (!(step->effects & FLOW_SAVE)) // then the payment's attempt speaks for the intent
		payment_stepped(core, live, event, step);
}

// An attempt that has just come to rest leaves the memory. Its number on the wire stays in use
// while an advice about it is open (flow_advice.c), but not for the days that a hold may last: that
// was answered, and number and time together (DE7, DE11) name it.
static void rest(struct core *core, struct live *live)
{
	const struct attempt *row = &live->row;
	bool free = row->kind == ATTEMPT_LINK || row->state == ATTEMPT_OVER ||
	            row->state == ATTEMPT_HELD || row->flags & ATTEMPT_SINGLE_MESSAGE;

	tell_waiters(core, live, FLOW_AT_REST);
	if (free && row->state != ATTEMPT_GIVEN_UP)
		flows_free_stan(core, row->stan);
	map_take(&core->flows->lives, live->row.id);
	live_free(live);
}

static void note_step(struct core *core, struct live *live, const struct flow_event *event,
                      const struct flow_step *step)
{
	if (step->next == ATTEMPT_PAID && event->kind == EVENT_APPROVED)
		return; // the row itself tells the story of a payment that just succeeded
	if (event->amount)
		flows_step(core, live->row.id, "%s %lld: %s -> %s", flow_event_name(event->kind),
		           (long long)event->amount, flow_state_name(live->row.state),
		           flow_state_name(step->next));
	else if (step->problem)
		flows_step(core, live->row.id, "%s: %s -> %s (%s)", flow_event_name(event->kind),
		           flow_state_name(live->row.state), flow_state_name(step->next),
		           problem_row((int)step->problem)->name);
	else
		flows_step(core, live->row.id, "%s: %s -> %s", flow_event_name(event->kind),
		           flow_state_name(live->row.state), flow_state_name(step->next));
}

static void take_step(struct core *core, struct live *live, const struct flow_step *step)
{
	struct attempt *row = &live->row;
	bool late = flow_is_over(row->state); // an answer after the end; the outcome stays

	if (step->problem && !late)
		row->problem = (int)step->problem;
	row->state = step->next;
	row->deadline_ms = step->deadline_ms;
	if (row->deadline_ms && !flow_is_at_rest(row->state))
		due_add(&core->flows->due, row->deadline_ms, DUE_ATTEMPT, row->id);
	live->authentication.method = step->method;
	live->authentication.ask_again = step->ask_again;
	if (step->problem && !late)
		flows_make_code(core, row->id);
}

// Written down for support, but not without end: the same event may come again and again.
static void note_ignored(struct core *core, const struct live *live, const struct flow_event *event)
{
	if (store_one_number(core->store, STORE_STEP_COUNT, 0, STORE_N(live->row.id)) < STEPS_MAX)
		flows_step(core, live->row.id, "%s: means nothing while %s",
		           flow_event_name(event->kind), flow_state_name(live->row.state));
}

// Most payments have no facts of an authentication, and write no row for them.
static bool has_facts(const struct live *live)
{
	return live->row.kind == ATTEMPT_LINK || live->authentication.transaction[0];
}

static struct flow_step next_step(struct core *core, const struct live *live,
                                  const struct flow_event *event)
{
	static const struct flow_event cancel = { .kind = EVENT_CANCEL };
	struct flow_facts facts = facts_of(core, live, event);

	if (live->row.kind == ATTEMPT_PAYMENT) {
		const struct flow_policy policy = flows_policy(core, live->row.connection);
		return payment_next(&facts, event, &policy, core->now_ms);
	}
	struct flow_step step = link_next(&facts, event, &core->flows->policy, core->now_ms);
	if (step.effects & FLOW_SAVE && !link_customer_is_here(core, live->row.customer))
		return link_next(&facts, &cancel, &core->flows->policy, core->now_ms);
	return step;
}

// How much is taken.
static void count_money(struct attempt *row, const struct flow_event *event,
                        const struct flow_step *step)
{
	if (event->kind == EVENT_CAPTURE)
		row->captured = event->amount;
	else if (event->kind == EVENT_REFUND)
		row->refunded += event->amount;
	else if (event->kind == EVENT_CAPTURE_FAILED)
		row->captured = 0;
	else if (step->next == ATTEMPT_PAID)
		row->captured = row->amount;
}

bool flows_event(struct core *core, struct live *live, const struct flow_event *event)
{
	bool link = live->row.kind == ATTEMPT_LINK;
	bool rested = flow_is_at_rest(live->row.state);
	struct flow_step step = next_step(core, live, event);
	bool late = flow_is_over(live->row.state) && step.next == live->row.state;
	int64_t intent = live->row.intent;

	if (step.effects & FLOW_IGNORED) {
		note_ignored(core, live, event);
		return false;
	}
	note_step(core, live, event, &step);
	take_step(core, live, &step);
	if (!link)
		count_money(&live->row, event, &step);
	carry_out(core, live, step.effects);
	carry_out_money(core, live, event, step.effects);
	if (has_facts(live))
		authentication_save(core, live->row.id, &live->authentication);
	if (step.problem) // the events of a failure show why, from the attempt's row
		store_update(core->store, STORE_ATTEMPTS, &live->row);
	if (link)
		link_stepped(core, live, event, &step);
	else if (!late)
		payment_stepped(core, live, event, &step);
	store_update(core->store, STORE_ATTEMPTS, &live->row);
	if (wants_the_shopper(live->row.state))
		tell_waiters(core, live, FLOW_ACTION);
	if (step.effects & (FLOW_PAY_AGAIN | FLOW_PAY_ELSEWHERE))
		payment_again(core, live, step.effects);
	if (!rested && flow_is_at_rest(live->row.state))
		rest(core, live);
	pages_changed(core, intent);
	return true;
}

bool flows_event_of(struct core *core, int64_t attempt, const struct flow_event *event)
{
	struct live room;
	struct live *live = flows_any(core, attempt, &room);
	bool done = live && flows_event(core, live, event);

	authentication_free(&room.authentication);
	return done;
}

void flow_cancel(struct core *core, int64_t attempt)
{
	struct attempt row;

	if (flows_live(core, attempt) ||
	    (store_load(core->store, STORE_ATTEMPTS, attempt, &row) && row.state == ATTEMPT_HELD))
		flows_event_of(core, attempt, &(struct flow_event){ .kind = EVENT_CANCEL });
}

// --- time

static void attempt_due(struct core *core, int64_t id)
{
	struct live *live = flows_live(core, id);

	if (live && live->row.deadline_ms <= core->now_ms)
		flows_event(core, live, &(struct flow_event){ .kind = EVENT_TIMER });
}

static void unenrolled_due(struct core *core, int64_t id)
{
	struct live *live = flows_live(core, id);

	if (live && live->row.state == ATTEMPT_LOOKING_UP)
		flows_event(core, live, &(struct flow_event){ .kind = EVENT_NOT_ENROLLED });
}

static void opening_due(struct core *core, int64_t id)
{
	struct opening *opening = map_take(&core->flows->openings, id);

	if (opening)
		link_opening_over(core, opening, PROBLEM_INTERRUPTED);
}

static void sweep(struct core *core)
{
	forget_begin(core);
	cards_sweep(core);
	due_add(&core->flows->due, core->now_ms, DUE_FORGET, 0);
	due_add(&core->flows->due, core->now_ms + SWEEP_MS, DUE_SWEEP, 0);
}

static void forget(struct core *core)
{
	if (forget_some(core))
		due_add(&core->flows->due, core->now_ms + FORGET_MS, DUE_FORGET, 0);
}

static void holds(struct core *core)
{
	payment_holds_due(core);
	due_add(&core->flows->due, core->now_ms + HOLDS_MS, DUE_HOLDS, 0);
}

void flows_timer(struct core *core)
{
	struct due_entry entry;

	flows_watch_clock(core);
	while (due_take(&core->flows->due, core->now_ms, &entry)) {
		switch (entry.kind) {
		case DUE_ATTEMPT: attempt_due(core, entry.id); break;
		case DUE_ADVICE: advice_due(core, entry.id); break;
		case DUE_OPENING: opening_due(core, entry.id); break;
		case DUE_UNENROLLED: unenrolled_due(core, entry.id); break;
		case DUE_SWEEP: sweep(core); break;
		case DUE_FORGET: forget(core); break;
		case DUE_HOLDS: holds(core); break;
		case DUE_REFUND: refund_waited(core, entry.id); break;
		}
	}
	call_told(core);
}

int64_t flows_next_timer(const struct core *core)
{
	return core->flows->told ? core->now_ms : due_first_ms(&core->flows->due);
}

// --- start

// Everything that was alive goes on: payments wait for their answer until their deadline; links
// whose code was lost with vault end with "start again" when their deadline comes.
static void recover(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_ATTEMPTS_ALIVE, NULL, 0);
	struct attempt row;

	while (store_step(&query)) {
		store_read(&query, STORE_ATTEMPTS, &row);
		flows_add(core, &row);
		flows_keep_stan(core, row.stan);
	}
	for (size_t i = 0; i < core->flows->lives.capacity; i++) {
		struct live *live = core->flows->lives.slots[i].value;
		if (live)
			authentication_load(core, live->row.id, &live->authentication);
	}
	advices_recover(core);
	flows_hurry(core);
	flows_start_stans(core);
}

struct flows *flows_new(struct core *core)
{
	struct flows *flows = calloc(1, sizeof(*flows));
	const struct config *config = &core->config;

	CHECK(flows);
	core->flows = flows;
	flows->policy = (struct flow_policy){
		.accept_unenrolled = config->link_unenrolled_accept,
		.accept_attempted = config->link_attempted_accept,
		.accept_code_unchecked = config->link_code_unchecked_accept,
		.decoupled_minutes = (int)config->link_decoupled_minutes,
		.bank_ms = config->bank_deadline_ms,
	};
	connections_load(core);
	recover(core);
	due_add(&flows->due, core->now_ms + SWEEP_MS, DUE_SWEEP, 0);
	due_add(&flows->due, core->now_ms, DUE_FORGET, 0);
	due_add(&flows->due, core->now_ms, DUE_HOLDS, 0);
	return flows;
}

void flows_free(struct flows *flows)
{
	for (size_t i = 0; i < flows->lives.capacity; i++)
		if (flows->lives.slots[i].value)
			live_free(flows->lives.slots[i].value);
	for (size_t i = 0; i < flows->questions.capacity; i++)
		free(flows->questions.slots[i].value);
	for (size_t i = 0; i < flows->openings.capacity; i++)
		opening_free(flows->openings.slots[i].value);
	while (flows->told) {
		struct told *told = flows->told;
		flows->told = told->next;
		free(told);
	}
	map_done(&flows->lives);
	map_done(&flows->questions);
	map_done(&flows->openings);
	refunds_free(flows);
	due_done(&flows->due);
	while (flows->connections) {
		struct connection *connection = flows->connections;
		flows->connections = connection->next;
		free(connection);
	}
	free(flows);
}
