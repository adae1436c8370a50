// Tests of the flows as tables: one line a case. state event → state problem effects.
#include "domain/advice.h"
#include "domain/flow.h"

#include "base/tap.h"

static const struct flow_policy policy = { .accept_unenrolled = true,
	                                   .accept_code_unchecked = true,
	                                   .bank_ms = 20000,
	                                   .hold_ms = 600000 };
static const struct flow_policy strict = { .bank_ms = 20000,
	                                   .hold_ms = 600000,
	                                   .release_by_reversal = true,
	                                   .decoupled_minutes = 60,
	                                   .accept_attempted = true };

struct row {
	struct flow_facts facts;
	struct flow_event event;
	enum attempt_state next;
	enum problem problem;
	unsigned effects;
	const struct flow_policy *policy;
};

static void check_rows(const struct row *rows, size_t count,
                       struct flow_step (*next)(const struct flow_facts *,
                                                const struct flow_event *,
                                                const struct flow_policy *, int64_t))
{
	for (size_t i = 0; i < count; i++) {
		struct flow_step step = next(&rows[i].facts, &rows[i].event,
		                             rows[i].policy ? rows[i].policy : &policy, 1000);
		bool same = step.next == rows[i].next && step.problem == rows[i].problem &&
		            step.effects == rows[i].effects;
		if (!same)
			printf("# row %zu: %s on %s gives %s, problem %d, effects %#x\n", i,
			       flow_state_name(rows[i].facts.state),
			       flow_event_name(rows[i].event.kind), flow_state_name(step.next),
			       (int)step.problem, step.effects);
		EXPECT(same);
		EXPECT((step.deadline_ms != 0) ==
		       (!flow_is_over(step.next) && !(step.effects & FLOW_IGNORED)));
	}
}

#define S(state_, ...)                                                                             \
	{                                                                                          \
		.state = ATTEMPT_##state_, ##__VA_ARGS__                                           \
	}
#define E(kind_, ...)                                                                              \
	{                                                                                          \
		.kind = EVENT_##kind_, ##__VA_ARGS__                                               \
	}

TEST(a_link_follows_its_table)
{
	static const struct row rows[] = {
		{ S(VERIFYING, .code = true), E(APPROVED, .cvc_check = CHECK_PASS),
		  ATTEMPT_LOOKING_UP, 0, FLOW_FORGET_CODE | FLOW_LOOK_UP, 0 },
		{ S(VERIFYING, .code = true), E(APPROVED, .cvc_check = CHECK_FAIL), ATTEMPT_OVER,
		  PROBLEM_INCORRECT_CVC, FLOW_FORGET_CODE | FLOW_COUNT, 0 },
		{ S(VERIFYING, .code = true), E(APPROVED, .cvc_check = CHECK_UNCHECKED),
		  ATTEMPT_LOOKING_UP, 0, FLOW_FORGET_CODE | FLOW_LOOK_UP, 0 },
		{ S(VERIFYING, .code = true), E(APPROVED, .cvc_check = CHECK_UNCHECKED),
		  ATTEMPT_OVER, PROBLEM_CODE_UNCHECKED, FLOW_FORGET_CODE, &strict },
		{ S(VERIFYING), E(UNKNOWN), ATTEMPT_OVER, PROBLEM_NO_ANSWER, FLOW_FORGET_CODE, 0 },
		{ S(VERIFYING), E(NOT_SENT), ATTEMPT_OVER, PROBLEM_NO_ANSWER, FLOW_FORGET_CODE, 0 },
		{ S(VERIFYING), E(TIMER), ATTEMPT_OVER, PROBLEM_NO_ANSWER, FLOW_FORGET_CODE, 0 },
		{ S(VERIFYING), E(NEEDS_AUTHENTICATION), ATTEMPT_LOOKING_UP, 0,
		  FLOW_FORGET_CODE | FLOW_LOOK_UP, 0 },
		{ S(VERIFYING, .ask_again = true), E(APPROVED), ATTEMPT_LINKED, 0, FLOW_SAVE, 0 },
		{ S(VERIFYING), E(CANCEL), ATTEMPT_OVER, PROBLEM_CANCELLED, FLOW_FORGET_CODE, 0 },
		{ S(LOOKING_UP), E(NOT_ENROLLED), ATTEMPT_LINKED, 0, FLOW_SAVE, 0 },
		{ S(LOOKING_UP), E(NOT_ENROLLED), ATTEMPT_OVER, PROBLEM_NOT_ENROLLED, 0, &strict },
		{ S(LOOKING_UP), E(DIRECTORY_AWAY), ATTEMPT_OVER, PROBLEM_NO_ANSWER, 0, 0 },
		{ S(LOOKING_UP), E(ENROLLED), ATTEMPT_OVER, PROBLEM_AUTHENTICATION_REQUIRED, 0, 0 },
		{ S(LOOKING_UP, .present = true), E(ENROLLED, .method = true), ATTEMPT_PREPARING, 0,
		  0, 0 },
		{ S(LOOKING_UP, .present = true, .browser = true), E(ENROLLED, .method = true),
		  ATTEMPT_PREPARING, 0, 0, 0 },
		{ S(LOOKING_UP, .present = true, .browser = true), E(ENROLLED),
		  ATTEMPT_AUTHENTICATING, 0, FLOW_AUTHENTICATE, 0 },
		{ S(LOOKING_UP, .present = true), E(ENROLLED), ATTEMPT_PREPARING, 0, 0, 0 },
		{ S(PREPARING, .method = 'U'), E(BROWSER), ATTEMPT_AUTHENTICATING, 0,
		  FLOW_AUTHENTICATE, 0 },
		{ S(PREPARING), E(BROWSER), ATTEMPT_PREPARING, 0, 0, 0 },
		{ S(PREPARING, .browser = true), E(METHOD_DONE), ATTEMPT_AUTHENTICATING, 0,
		  FLOW_AUTHENTICATE, 0 },
		{ S(PREPARING, .browser = true), E(TIMER), ATTEMPT_AUTHENTICATING, 0,
		  FLOW_AUTHENTICATE, 0 },
		{ S(PREPARING), E(TIMER), ATTEMPT_OVER, PROBLEM_NOT_CONFIRMED_IN_TIME, 0, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'Y'), ATTEMPT_LINKED, 0, FLOW_SAVE, 0 },
		{ S(AUTHENTICATING, .ask_again = true), E(STATUS, .status = 'Y'), ATTEMPT_VERIFYING,
		  0, FLOW_VERIFY, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'A'), ATTEMPT_OVER,
		  PROBLEM_NOT_CONFIRMABLE, 0, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'A'), ATTEMPT_LINKED, 0, FLOW_SAVE,
		  &strict },
		{ S(AUTHENTICATING), E(STATUS, .status = 'C'), ATTEMPT_CHALLENGING, 0, 0, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'D'), ATTEMPT_OVER,
		  PROBLEM_NOT_CONFIRMABLE, 0, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'D'), ATTEMPT_WAITING, 0, 0, &strict },
		{ S(AUTHENTICATING), E(STATUS, .status = 'N'), ATTEMPT_OVER, PROBLEM_NOT_CONFIRMED,
		  FLOW_COUNT, 0 },
		{ S(AUTHENTICATING), E(STATUS, .status = 'I'), ATTEMPT_OVER,
		  PROBLEM_NOT_CONFIRMABLE, 0, 0 },
		{ S(AUTHENTICATING), E(UNKNOWN), ATTEMPT_OVER, PROBLEM_NO_ANSWER, 0, 0 },
		{ S(CHALLENGING), E(RESULT, .status = 'Y'), ATTEMPT_LINKED, 0, FLOW_SAVE, 0 },
		{ S(CHALLENGING), E(RESULT, .status = 'N'), ATTEMPT_OVER, PROBLEM_NOT_CONFIRMED,
		  FLOW_COUNT, 0 },
		{ S(CHALLENGING), E(RESULT, .status = 'C'), ATTEMPT_OVER, PROBLEM_NOT_CONFIRMABLE,
		  0, 0 },
		{ S(CHALLENGING), E(STATUS, .status = 'Y'), ATTEMPT_CHALLENGING, 0, FLOW_IGNORED,
		  0 },
		{ S(CHALLENGING), E(CANCEL), ATTEMPT_OVER, PROBLEM_CANCELLED, FLOW_FORGET_CODE, 0 },
		{ S(WAITING), E(RESULT, .status = 'Y'), ATTEMPT_LINKED, 0, FLOW_SAVE, 0 },
		{ S(OVER), E(RESULT, .status = 'Y'), ATTEMPT_OVER, 0, FLOW_IGNORED, 0 },
		{ S(LINKED), E(RESULT, .status = 'N'), ATTEMPT_LINKED, 0, FLOW_IGNORED, 0 },
		{ S(LINKED), E(CANCEL), ATTEMPT_LINKED, 0, FLOW_IGNORED, 0 },
		{ S(LINKED), E(TIMER), ATTEMPT_LINKED, 0, FLOW_IGNORED, 0 },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]), link_next);
}

TEST(a_card_that_is_only_attached_asks_no_shopper)
{
	static const struct row rows[] = {
		{ S(VERIFYING, .flags = ATTEMPT_ATTACH, .code = true),
		  E(APPROVED, .cvc_check = CHECK_PASS), ATTEMPT_LINKED, 0,
		  FLOW_FORGET_CODE | FLOW_SAVE, 0 },
		{ S(VERIFYING, .flags = ATTEMPT_ATTACH, .code = true),
		  E(APPROVED, .cvc_check = CHECK_FAIL), ATTEMPT_OVER, PROBLEM_INCORRECT_CVC,
		  FLOW_FORGET_CODE | FLOW_COUNT, 0 },
		{ S(VERIFYING, .flags = ATTEMPT_ATTACH), E(NEEDS_AUTHENTICATION), ATTEMPT_LINKED, 0,
		  FLOW_FORGET_CODE | FLOW_SAVE, 0 },
		{ S(VERIFYING, .flags = ATTEMPT_ATTACH), E(TIMER), ATTEMPT_OVER, PROBLEM_NO_ANSWER,
		  FLOW_FORGET_CODE, 0 },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]), link_next);
}

TEST(a_payment_follows_its_table)
{
	static const struct row rows[] = {
		{ S(SENT), E(APPROVED), ATTEMPT_PAID, 0, FLOW_CAPTURE, 0 },
		{ S(SENT, .flags = ATTEMPT_MANUAL_CAPTURE), E(APPROVED), ATTEMPT_HELD, 0, 0, 0 },
		{ S(SENT), E(APPROVED, .differs = true), ATTEMPT_GIVEN_UP, PROBLEM_ANSWER_DIFFERS,
		  FLOW_REVERSE, 0 },
		{ S(SENT), E(UNKNOWN), ATTEMPT_GIVEN_UP, PROBLEM_NO_ANSWER, FLOW_REVERSE, 0 },
		{ S(SENT), E(TIMER), ATTEMPT_GIVEN_UP, PROBLEM_NO_ANSWER, FLOW_REVERSE, 0 },
		{ S(SENT), E(NOT_SENT), ATTEMPT_OVER, PROBLEM_NO_ANSWER, 0, 0 },
		{ S(SENT), E(CANCEL), ATTEMPT_SENT, 0, FLOW_IGNORED, 0 },
		{ S(SENT), E(NEEDS_AUTHENTICATION), ATTEMPT_OVER, PROBLEM_AUTHENTICATION_REQUIRED,
		  0, 0 },
		{ S(SENT, .present = true), E(NEEDS_AUTHENTICATION), ATTEMPT_LOOKING_UP, 0,
		  FLOW_LOOK_UP, 0 },
		{ S(SENT, .present = true, .flags = ATTEMPT_AUTHENTICATED), E(NEEDS_AUTHENTICATION),
		  ATTEMPT_OVER, PROBLEM_AUTHENTICATION_REQUIRED, 0, 0 },
		{ S(CHALLENGING), E(RESULT, .status = 'Y'), ATTEMPT_OVER,
		  PROBLEM_AUTHENTICATION_REQUIRED, FLOW_PAY_AGAIN, 0 },
		{ S(GIVEN_UP), E(APPROVED), ATTEMPT_GIVEN_UP, PROBLEM_NO_ANSWER, FLOW_REVERSE, 0 },
		{ S(OVER), E(APPROVED), ATTEMPT_OVER, PROBLEM_NO_ANSWER, FLOW_REVERSE, 0 },
		{ S(GIVEN_UP), E(DECLINED, .problem = PROBLEM_NO_ANSWER), ATTEMPT_GIVEN_UP, 0,
		  FLOW_IGNORED, 0 },
		{ S(PAID), E(APPROVED), ATTEMPT_PAID, 0, FLOW_IGNORED, 0 },
		{ S(SENT, .flags = ATTEMPT_SINGLE_MESSAGE), E(APPROVED), ATTEMPT_PAID, 0, 0, 0 },
		{ S(SENT, .flags = ATTEMPT_SINGLE_MESSAGE), E(APPROVED, .differs = true),
		  ATTEMPT_GIVEN_UP, PROBLEM_ANSWER_DIFFERS, FLOW_REVERSE, 0 },
		{ S(SENT, .elsewhere = true), E(NOT_SENT), ATTEMPT_OVER, PROBLEM_NO_ANSWER,
		  FLOW_PAY_ELSEWHERE, 0 },
		{ S(SENT, .elsewhere = true), E(UNKNOWN), ATTEMPT_GIVEN_UP, PROBLEM_NO_ANSWER,
		  FLOW_REVERSE, 0 },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 500), ATTEMPT_PAID, 0, FLOW_CAPTURE,
		  0 },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 500), ATTEMPT_PAID, 0, FLOW_CAPTURE,
		  &strict },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 200), ATTEMPT_PAID, 0, FLOW_CAPTURE,
		  0 },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 200), ATTEMPT_PAID, 0,
		  FLOW_CAPTURE | FLOW_RELEASE, &strict },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 501), ATTEMPT_HELD, 0, FLOW_IGNORED,
		  0 },
		{ S(HELD, .open = 500), E(CAPTURE, .amount = 0), ATTEMPT_HELD, 0, FLOW_IGNORED, 0 },
		{ S(HELD), E(CANCEL), ATTEMPT_RELEASED, 0, FLOW_REVERSE, 0 },
		{ S(HELD), E(TIMER), ATTEMPT_RELEASED, 0, FLOW_REVERSE, 0 },
		{ S(HELD), E(APPROVED), ATTEMPT_HELD, 0, FLOW_IGNORED, 0 },
		{ S(PAID, .open = 500), E(CAPTURE, .amount = 200), ATTEMPT_PAID, 0, FLOW_IGNORED,
		  0 },
		{ S(PAID, .open = 500), E(REFUND, .amount = 500), ATTEMPT_PAID, 0, FLOW_REFUND, 0 },
		{ S(PAID, .open = 500), E(REFUND, .amount = 501), ATTEMPT_PAID, 0, FLOW_IGNORED,
		  0 },
		{ S(PAID, .open = 0), E(REFUND, .amount = 0), ATTEMPT_PAID, 0, FLOW_IGNORED, 0 },
		{ S(PAID), E(CANCEL), ATTEMPT_PAID, 0, FLOW_IGNORED, 0 },
		{ S(PAID), E(CAPTURE_FAILED), ATTEMPT_RELEASED, 0, FLOW_REVERSE, 0 },
		{ S(RELEASED, .open = 500), E(CAPTURE, .amount = 200), ATTEMPT_RELEASED, 0,
		  FLOW_IGNORED, 0 },
		{ S(RELEASED), E(APPROVED), ATTEMPT_RELEASED, 0, FLOW_IGNORED, 0 },
		{ S(PAID), E(TIMER), ATTEMPT_PAID, 0, FLOW_IGNORED, 0 },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]), payment_next);
}

enum { DAY_MS = 24 * 3600 * 1000 };
static const struct advice_policy limits = { .answer_ms = 20000,
	                                     .late_window_ms = 60000,
	                                     .attention_ms = DAY_MS };
static const struct advice_policy repeats = {
	.answer_ms = 20000, .late_window_ms = 60000, .attention_ms = DAY_MS, .refund_repeats = true
};

static void take(struct advice *advice, const struct advice_step *step)
{
	advice->state = step->next;
	advice->due_ms = step->due_ms;
	advice->tries = step->tries;
	advice->transmissions = step->transmissions;
}

TEST(an_advice_repeats_with_growing_pauses_until_it_is_acknowledged)
{
	struct advice advice = { .kind = ADVICE_REVERSE, .first_ms = 1000, .due_ms = 1000 };
	const int64_t pauses[] = { 5, 15, 60, 300, 900, 3600, 3600 };
	int64_t now = 1000;

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		struct advice_step step = advice_next(&advice, ADVICE_DUE, 900, &limits, now);
		EXPECT(step.send && step.next == ADVICE_SENT && step.due_ms == now + 20000);
		EXPECT(step.transmissions == (int)i + 1);
		take(&advice, &step);
		now = step.due_ms;
		step = advice_next(&advice, ADVICE_DUE, 900, &limits, now);
		EXPECT(!step.send && step.next == ADVICE_QUEUED &&
		       step.due_ms == now + pauses[i] * 1000);
		take(&advice, &step);
		now = step.due_ms;
	}
	EXPECT(advice_next(&advice, ADVICE_ACCEPTED, 900, &limits, now).next ==
	       ADVICE_ACKNOWLEDGED);
	EXPECT(advice_next(&advice, ADVICE_UNANSWERED, 900, &limits, now).ignored);
	EXPECT(advice_next(&advice, ADVICE_IS_REFUSED, 900, &limits, now).next ==
	       ADVICE_NEEDS_ATTENTION);
	advice.state = ADVICE_SENT;
	EXPECT(advice_next(&advice, ADVICE_UNANSWERED, 900, &limits, DAY_MS + 1000).next ==
	       ADVICE_NEEDS_ATTENTION);
}

TEST(no_original_is_believed_only_after_the_late_window)
{
	struct advice advice = { .kind = ADVICE_REVERSE,
		                 .state = ADVICE_SENT,
		                 .tries = 4,
		                 .transmissions = 4,
		                 .first_ms = 1000 };

	// The clock may have been set to tomorrow.
	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90001).next ==
	       ADVICE_QUEUED);
	advice.tries = 5;

	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90000).next ==
	       ADVICE_QUEUED);
	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90001).next ==
	       ADVICE_WITHOUT_ORIGINAL);
}

TEST(a_refund_is_told_twice_only_to_a_bank_that_recognises_repeats)
{
	struct advice refund = { .kind = ADVICE_REFUND, .first_ms = 1000, .due_ms = 1000 };
	struct advice_step step = advice_next(&refund, ADVICE_DUE, 0, &limits, 1000);

	take(&refund, &step);
	EXPECT(step.send && refund.transmissions == 1);
	EXPECT(advice_next(&refund, ADVICE_UNANSWERED, 0, &limits, 2000).next ==
	       ADVICE_NEEDS_ATTENTION);
	EXPECT(advice_next(&refund, ADVICE_DUE, 0, &limits, 21000).next == ADVICE_NEEDS_ATTENTION);
	EXPECT(advice_next(&refund, ADVICE_UNANSWERED, 0, &repeats, 2000).next == ADVICE_QUEUED);
	EXPECT(advice_next(&refund, ADVICE_IS_REFUSED, 0, &limits, 2000).next == ADVICE_REFUSED);
	step = advice_next(&refund, ADVICE_NOT_SENT, 0, &limits, 2000);
	EXPECT(step.next == ADVICE_QUEUED && step.transmissions == 0 && step.tries == 1);
}

TEST(a_refusal_of_a_repeat_says_nothing_about_the_first_time)
{
	const struct advice refund = { .kind = ADVICE_REFUND,
		                       .state = ADVICE_SENT,
		                       .tries = 2,
		                       .transmissions = 2,
		                       .first_ms = 1000 };

	EXPECT(advice_next(&refund, ADVICE_IS_REFUSED, 0, &repeats, 9000).next ==
	       ADVICE_NEEDS_ATTENTION);
	EXPECT(advice_next(&refund, ADVICE_ACCEPTED, 0, &repeats, 9000).next ==
	       ADVICE_ACKNOWLEDGED);
}

TEST(only_a_person_ends_what_needs_attention)
{
	for (int kind = ADVICE_REVERSE; kind <= ADVICE_REFUND; kind++)
		for (int event = 0; event < ADVICE_EVENTS; event++) {
			const struct advice advice = { .kind = (enum advice_kind)kind,
				                       .state = ADVICE_NEEDS_ATTENTION,
				                       .tries = 3,
				                       .transmissions = 3 };
			struct advice_step step =
			        advice_next(&advice, (enum advice_event)event, 0, &limits, DAY_MS);
			bool by_someone = event >= ADVICE_RESOLVE_DONE || event == ADVICE_ACCEPTED;
			EXPECT(step.ignored == !by_someone);
			EXPECT(!step.send);
			EXPECT(step.renew == (event == ADVICE_RESOLVE_AGAIN));
		}
}

struct advice_walk {
	struct advice advice;
	enum advice_event event;
	const struct advice_policy *bank;
	struct advice_step step;
};

// What is open has a time; what is at rest has none and sends nothing.
static bool what_is_open_has_a_time(const struct advice_walk *walk)
{
	const struct advice_step *step = &walk->step;

	if (step->send && step->next != ADVICE_SENT)
		return false;
	return step->ignored || (step->next != walk->advice.state &&
	                         (step->due_ms != 0) == !advice_is_settled(step->next));
}

// What is over is opened again by the bank only, and then for a person's eyes.
static bool what_is_over_stays_over(const struct advice_walk *walk)
{
	if (!advice_is_over(walk->advice.state) || walk->step.ignored)
		return true;
	return walk->event == ADVICE_ACCEPTED && (walk->step.next == ADVICE_NEEDS_ATTENTION ||
	                                          walk->step.next == ADVICE_ACKNOWLEDGED);
}

// Nothing that may have reached the bank goes out again as a second refund.
static bool no_refund_is_made_twice(const struct advice_walk *walk)
{
	return walk->advice.kind != ADVICE_REFUND || walk->bank != &limits ||
	       walk->advice.state != ADVICE_SENT || walk->step.next != ADVICE_QUEUED ||
	       walk->event == ADVICE_NOT_SENT;
}

static bool a_time_out_never_ends_anything(const struct advice_walk *walk)
{
	if (walk->event != ADVICE_DUE && walk->event != ADVICE_UNANSWERED &&
	    walk->event != ADVICE_NOT_SENT)
		return true;
	return !advice_is_over(walk->step.next) || advice_is_over(walk->advice.state);
}

// Every kind, state and event, with the policy both ways and at three times.
static long broken(bool (*holds)(const struct advice_walk *walk))
{
	const int64_t times[] = { 2000, 100000, 2LL * DAY_MS };
	const unsigned count = 4u * 8 * ADVICE_EVENTS * 2 * 3 * 2;
	long broken = 0;

	for (unsigned n = 0; n < count; n++) {
		struct advice_walk walk = {
			.advice = { .kind = (enum advice_kind)(n % 4 + 1),
			            .state = (enum advice_state)(n / 4 % 8),
			            .tries = n / 32 % 2 ? 2 : 9,
			            .transmissions = 1 + (int)(n / 32 % 2),
			            .first_ms = 1000 },
			.event = (enum advice_event)(n / 64 % ADVICE_EVENTS),
			.bank = n / 64 / ADVICE_EVENTS % 2 ? &limits : &repeats,
		};
		walk.step = advice_next(&walk.advice, walk.event, 900, walk.bank,
		                        times[n / 128 / ADVICE_EVENTS % 3]);
		if (!holds(&walk) && broken++ == 0)
			printf("# %s %s on %s gives %s\n", advice_kind_name(walk.advice.kind),
			       advice_state_name(walk.advice.state), advice_event_name(walk.event),
			       advice_state_name(walk.step.next));
	}
	return broken;
}

TEST(what_holds_for_every_advice)
{
	EXPECT(broken(what_is_open_has_a_time) == 0);
	EXPECT(broken(what_is_over_stays_over) == 0);
	EXPECT(broken(no_refund_is_made_twice) == 0);
	EXPECT(broken(a_time_out_never_ends_anything) == 0);
}

TEST(a_refund_shows_what_became_of_it)
{
	EXPECT(refund_status_of(ADVICE_QUEUED) == REFUND_PENDING);
	EXPECT(refund_status_of(ADVICE_SENT) == REFUND_PENDING);
	EXPECT(refund_status_of(ADVICE_NEEDS_ATTENTION) == REFUND_PENDING);
	EXPECT(refund_status_of(ADVICE_ACKNOWLEDGED) == REFUND_SUCCEEDED);
	EXPECT(refund_status_of(ADVICE_RESOLVED_DONE) == REFUND_SUCCEEDED);
	EXPECT(refund_status_of(ADVICE_REFUSED) == REFUND_FAILED);
	EXPECT(refund_status_of(ADVICE_RESOLVED_FAILED) == REFUND_FAILED);
}

TAP_MAIN
