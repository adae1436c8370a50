// Both machines walked over all states, events and facts, against what must hold whatever happens:
// nothing that is over comes back, nothing waits without end, no money is held without an owner.
#include "domain/flow.h"

#include "base/tap.h"

enum { NOW_MS = 1000000, STATES = ATTEMPT_OVER + 1 };

static const char statuses[] = "YACDNRUI?";

struct walk {
	struct flow_facts facts;
	struct flow_event event;
	struct flow_policy policy;
	struct flow_step step;
	bool link;
};

static bool link_lives_in(enum attempt_state state)
{
	return state >= ATTEMPT_VERIFYING && state <= ATTEMPT_WAITING;
}

static bool payment_lives_in(enum attempt_state state)
{
	return state == ATTEMPT_SENT || state == ATTEMPT_HELD ||
	       (state >= ATTEMPT_LOOKING_UP && state <= ATTEMPT_WAITING);
}

// What the bits of `n` say: every combination is walked.
static struct walk walk_of(bool link, int state, int event, char status, unsigned n)
{
	struct walk walk = {
		.link = link,
		.facts = { .state = (enum attempt_state)state,
		           .flags = (n & 1 ? ATTEMPT_MANUAL_CAPTURE : 0) |
		                    (n & 2 ? ATTEMPT_AUTHENTICATED : 0),
		           .browser = n & 4,
		           .method = n & 8 ? 'Y' : 0,
		           .ask_again = n & 16,
		           .present = link || n & 32,
		           .elsewhere = n & 64,
		           .open = 500,
		           .code = n & 64 },
		.event = { .kind = (enum flow_event_kind)event,
		           .status = status,
		           .problem = PROBLEM_DO_NOT_HONOR,
		           .cvc_check = n & 1 ? CHECK_FAIL : CHECK_PASS,
		           .method = n & 2,
		           .amount = n & 4   ? 500
		                     : n & 8 ? 200
		                             : 501,
		           .differs = n & 128 },
		.policy = { .accept_unenrolled = n & 256,
		            .accept_attempted = n & 512,
		            .accept_code_unchecked = n & 1024,
		            .decoupled_minutes = n & 2048 ? 60 : 0,
		            .bank_ms = 20000,
		            .release_by_reversal = n & 512,
		            .hold_ms = 600000 },
	};

	walk.step =
	        (link ? link_next : payment_next)(&walk.facts, &walk.event, &walk.policy, NOW_MS);
	return walk;
}

// Only two events bring a status.
static const char *statuses_of(int event)
{
	return event == EVENT_STATUS || event == EVENT_RESULT ? statuses : "Y";
}

// Walks every combination and returns how many did not hold.
static long broken(bool link, bool (*holds)(const struct walk *walk))
{
	long count = 0;

	for (int state = ATTEMPT_VERIFYING; state < STATES; state++)
		for (int event = 0; event < FLOW_EVENTS; event++)
			for (const char *status = statuses_of(event); *status; status++)
				for (unsigned n = 0; n < 4096; n++) {
					struct walk walk = walk_of(link, state, event, *status, n);
					if (holds(&walk))
						continue;
					if (count++ == 0)
						printf("# %s: %s on %s (status %c, %#x) gives %s, "
						       "effects %#x\n",
						       link ? "link" : "payment",
						       flow_state_name(walk.facts.state),
						       flow_event_name(walk.event.kind), *status, n,
						       flow_state_name(walk.step.next),
						       walk.step.effects);
				}
	return count;
}

static bool lives(const struct walk *walk, enum attempt_state state)
{
	return walk->link ? link_lives_in(state) : payment_lives_in(state);
}

static bool changed(const struct walk *walk)
{
	return !(walk->step.effects & FLOW_IGNORED);
}

static bool what_lives_has_a_deadline(const struct walk *walk)
{
	if (!changed(walk))
		return walk->step.next == walk->facts.state;
	if (flow_is_over(walk->step.next))
		return walk->step.deadline_ms == 0;
	return walk->step.deadline_ms > NOW_MS && lives(walk, walk->step.next);
}

static bool what_is_over_stays(const struct walk *walk)
{
	if (!flow_is_over(walk->facts.state))
		return true;
	if (!walk->link && walk->event.kind == EVENT_CAPTURE_FAILED &&
	    walk->facts.state == ATTEMPT_PAID)
		return walk->step.next == ATTEMPT_RELEASED;
	return walk->step.next == walk->facts.state &&
	       (walk->step.effects & ~(unsigned)(FLOW_IGNORED | FLOW_REVERSE | FLOW_REFUND)) == 0;
}

static bool a_deadline_always_ends_the_state(const struct walk *walk)
{
	if (walk->event.kind != EVENT_TIMER || !lives(walk, walk->facts.state))
		return true;
	return changed(walk) && walk->step.next != walk->facts.state;
}

static bool going_back_always_works(const struct walk *walk)
{
	if (walk->event.kind != EVENT_CANCEL || !lives(walk, walk->facts.state))
		return true;
	if (walk->facts.state == ATTEMPT_SENT)
		return !changed(walk); // only the bank's answer, or its absence, ends it
	if (walk->facts.state == ATTEMPT_HELD)
		return walk->step.next == ATTEMPT_RELEASED && walk->step.effects == FLOW_REVERSE;
	return walk->step.next == ATTEMPT_OVER && walk->step.problem == PROBLEM_CANCELLED;
}

static bool an_end_has_a_reason(const struct walk *walk)
{
	if (!changed(walk) || flow_is_over(walk->facts.state) || !flow_is_over(walk->step.next))
		return true;
	bool good = walk->step.next == ATTEMPT_LINKED || walk->step.next == ATTEMPT_PAID ||
	            walk->step.next == ATTEMPT_HELD || walk->step.next == ATTEMPT_RELEASED;
	return good == (walk->step.problem == PROBLEM_NONE);
}

static bool is_confirmed(const struct walk *walk)
{
	bool said = walk->event.status == 'Y' ||
	            (walk->event.status == 'A' && walk->policy.accept_attempted);

	switch (walk->event.kind) {
	case EVENT_STATUS: return said && walk->facts.state == ATTEMPT_AUTHENTICATING;
	case EVENT_RESULT:
		return said && (walk->facts.state == ATTEMPT_CHALLENGING ||
		                walk->facts.state == ATTEMPT_WAITING);
	case EVENT_NOT_ENROLLED:
		return walk->policy.accept_unenrolled && walk->facts.state == ATTEMPT_LOOKING_UP;
	case EVENT_APPROVED: // the second question, after the proof
		return walk->facts.ask_again && walk->facts.state == ATTEMPT_VERIFYING;
	default: return false;
	}
}

static bool a_card_is_saved_only_when_the_bank_confirmed(const struct walk *walk)
{
	bool saves = walk->step.effects & FLOW_SAVE;

	if (saves != (changed(walk) && walk->step.next == ATTEMPT_LINKED))
		return false;
	if (saves)
		return walk->link && is_confirmed(walk);
	return !(walk->link && walk->event.kind != EVENT_APPROVED && is_confirmed(walk)) ||
	       (walk->facts.ask_again && walk->step.effects & FLOW_VERIFY);
}

static bool the_code_is_forgotten(const struct walk *walk)
{
	if (!walk->link || walk->facts.state != ATTEMPT_VERIFYING || !changed(walk))
		return true;
	// The second question is asked without it: it was forgotten before.
	return walk->facts.ask_again || walk->step.effects & FLOW_FORGET_CODE;
}

// After these the bank may hold the money, and did not before this step.
static bool may_hold(const struct walk *walk)
{
	enum flow_event_kind kind = walk->event.kind;

	if (walk->facts.state == ATTEMPT_SENT)
		return kind == EVENT_APPROVED || kind == EVENT_UNKNOWN || kind == EVENT_TIMER;
	return kind == EVENT_APPROVED &&
	       (walk->facts.state == ATTEMPT_GIVEN_UP || walk->facts.state == ATTEMPT_OVER);
}

static bool is_kept(enum attempt_state state)
{
	return state == ATTEMPT_PAID || state == ATTEMPT_HELD;
}

// What is held stays held, is captured, or is reversed.
static bool a_hold_has_an_owner(const struct walk *walk)
{
	bool reverses = walk->step.effects & FLOW_REVERSE;
	bool takes = walk->step.effects & FLOW_CAPTURE;

	if (walk->facts.state != ATTEMPT_HELD || !changed(walk))
		return true;
	return walk->step.next == ATTEMPT_PAID ? takes && !reverses
	                                       : walk->step.next == ATTEMPT_RELEASED && reverses;
}

static bool new_money_has_an_owner(const struct walk *walk)
{
	bool reverses = walk->step.effects & FLOW_REVERSE;
	bool kept = changed(walk) && is_kept(walk->step.next) && !is_kept(walk->facts.state);

	if (walk->facts.state == ATTEMPT_HELD)
		return true;
	if (walk->facts.state == ATTEMPT_PAID && walk->event.kind == EVENT_CAPTURE_FAILED)
		return reverses; // what was never taken is not held any longer
	return may_hold(walk) == (reverses || kept) && !(reverses && kept);
}

static bool money_is_taken_only_when_the_bank_said_so(const struct walk *walk)
{
	bool takes = walk->step.effects & FLOW_CAPTURE;

	if (walk->facts.state == ATTEMPT_HELD)
		return true;
	if (!changed(walk) || !is_kept(walk->step.next) || is_kept(walk->facts.state))
		return !takes;
	return walk->event.kind == EVENT_APPROVED && !walk->event.differs &&
	       (walk->step.next == ATTEMPT_PAID) == takes;
}

static bool no_more_is_taken_or_given_than_there_is(const struct walk *walk)
{
	const unsigned moves = FLOW_CAPTURE | FLOW_RELEASE | FLOW_REFUND;
	enum flow_event_kind kind = walk->event.kind;

	if (kind != EVENT_CAPTURE && kind != EVENT_REFUND)
		return !(walk->step.effects & (FLOW_RELEASE | FLOW_REFUND));
	if (walk->event.amount > walk->facts.open)
		return !changed(walk);
	if (kind == EVENT_REFUND)
		return (walk->step.effects & moves) ==
		       (walk->facts.state == ATTEMPT_PAID ? FLOW_REFUND : 0u);
	bool rest = walk->event.amount < walk->facts.open && walk->policy.release_by_reversal;
	return (walk->step.effects & moves) == (walk->facts.state != ATTEMPT_HELD ? 0u
	                                        : rest ? FLOW_CAPTURE | FLOW_RELEASE
	                                               : (unsigned)FLOW_CAPTURE);
}

// Only where not one byte left may another bank be asked for the same money.
static bool another_line_is_asked_only_when_nothing_left(const struct walk *walk)
{
	bool asks = walk->step.effects & FLOW_PAY_ELSEWHERE;

	return asks == (!walk->link && walk->facts.state == ATTEMPT_SENT &&
	                walk->event.kind == EVENT_NOT_SENT && walk->facts.elsewhere);
}

static bool money_is_asked_for_again_only_with_the_proof(const struct walk *walk)
{
	bool again = walk->step.effects & FLOW_PAY_AGAIN;

	return !again || (is_confirmed(walk) && walk->step.next == ATTEMPT_OVER);
}

static bool a_machine_does_its_own_work_only(const struct walk *walk)
{
	const unsigned of_links = FLOW_VERIFY | FLOW_SAVE | FLOW_FORGET_CODE;
	const unsigned of_payments = FLOW_REVERSE | FLOW_CAPTURE | FLOW_PAY_AGAIN |
	                             FLOW_PAY_ELSEWHERE | FLOW_RELEASE | FLOW_REFUND;

	return !(walk->step.effects & (walk->link ? of_payments : of_links));
}

static bool (*const rules[])(const struct walk *walk) = {
	what_lives_has_a_deadline,
	what_is_over_stays,
	a_deadline_always_ends_the_state,
	going_back_always_works,
	an_end_has_a_reason,
	a_card_is_saved_only_when_the_bank_confirmed,
	a_machine_does_its_own_work_only,
};

TEST(what_holds_for_both_machines)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		EXPECT(broken(true, rules[i]) == 0);
		EXPECT(broken(false, rules[i]) == 0);
	}
}

TEST(a_link_forgets_the_code_with_the_banks_answer)
{
	EXPECT(broken(true, the_code_is_forgotten) == 0);
}

TEST(no_money_is_held_without_an_owner)
{
	EXPECT(broken(false, a_hold_has_an_owner) == 0);
	EXPECT(broken(false, new_money_has_an_owner) == 0);
	EXPECT(broken(false, money_is_taken_only_when_the_bank_said_so) == 0);
	EXPECT(broken(false, money_is_asked_for_again_only_with_the_proof) == 0);
	EXPECT(broken(false, no_more_is_taken_or_given_than_there_is) == 0);
	EXPECT(broken(false, another_line_is_asked_only_when_nothing_left) == 0);
}

TEST(every_state_and_event_has_a_name)
{
	for (int state = ATTEMPT_VERIFYING; state < STATES; state++)
		EXPECT(strcmp(flow_state_name((enum attempt_state)state), "unknown") != 0);
	for (int event = 0; event < FLOW_EVENTS; event++)
		EXPECT(event == EVENT_UNKNOWN ||
		       strcmp(flow_event_name((enum flow_event_kind)event), "unknown") != 0);
}

TAP_MAIN
