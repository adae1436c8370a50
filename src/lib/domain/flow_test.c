// Tests of the flows as tables: one line a case. state event → state problem effects.
#include "domain/advice.h"
#include "domain/flow.h"

#include "base/tap.h"

static const struct flow_policy policy = { .accept_unenrolled = true,
	                                   .accept_code_unchecked = true,
	                                   .bank_ms = 20000 };
static const struct flow_policy strict = { .bank_ms = 20000,
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
		{ S(LOOKING_UP), E(ENROLLED, .method = true), ATTEMPT_PREPARING, 0, 0, 0 },
		{ S(LOOKING_UP, .browser = true), E(ENROLLED, .method = true), ATTEMPT_PREPARING, 0,
		  0, 0 },
		{ S(LOOKING_UP, .browser = true), E(ENROLLED), ATTEMPT_AUTHENTICATING, 0,
		  FLOW_AUTHENTICATE, 0 },
		{ S(LOOKING_UP), E(ENROLLED), ATTEMPT_PREPARING, 0, 0, 0 },
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
		{ S(PAID), E(TIMER), ATTEMPT_PAID, 0, FLOW_IGNORED, 0 },
	};

	check_rows(rows, sizeof(rows) / sizeof(rows[0]), payment_next);
}

TEST(an_advice_repeats_with_growing_pauses_until_it_is_acknowledged)
{
	static const struct advice_policy limits = { 20000, 60000, 24 * 3600 * 1000 };
	struct advice advice = { .kind = ADVICE_REVERSE, .first_ms = 1000, .due_ms = 1000 };
	const int64_t pauses[] = { 5, 15, 60, 300, 900, 3600, 3600 };
	int64_t now = 1000;

	for (size_t i = 0; i < sizeof(pauses) / sizeof(pauses[0]); i++) {
		struct advice_step step = advice_next(&advice, ADVICE_DUE, 900, &limits, now);
		EXPECT(step.send && step.next == ADVICE_SENT && step.due_ms == now + 20000);
		advice.state = step.next;
		advice.tries = step.tries;
		now = step.due_ms;
		step = advice_next(&advice, ADVICE_DUE, 900, &limits, now);
		EXPECT(!step.send && step.next == ADVICE_QUEUED &&
		       step.due_ms == now + pauses[i] * 1000);
		advice.state = step.next;
		now = step.due_ms;
	}
	EXPECT(advice_next(&advice, ADVICE_ACCEPTED, 900, &limits, now).next ==
	       ADVICE_ACKNOWLEDGED);
	EXPECT(advice_next(&advice, ADVICE_UNANSWERED, 900, &limits, 24 * 3600 * 1000 + 1000)
	               .next == ADVICE_NEEDS_ATTENTION);
	EXPECT(advice_next(&advice, ADVICE_REFUSED, 900, &limits, now).next ==
	       ADVICE_NEEDS_ATTENTION);
}

TEST(no_original_is_believed_only_after_the_late_window)
{
	static const struct advice_policy limits = { 20000, 60000, 24 * 3600 * 1000 };
	struct advice advice = {
		.kind = ADVICE_REVERSE, .state = ADVICE_SENT, .tries = 5, .first_ms = 1000
	};

	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90000).next ==
	       ADVICE_QUEUED);
	advice.tries = 4; // the clock may have been set to tomorrow
	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90001).next ==
	       ADVICE_QUEUED);
	advice.tries = 5;
	EXPECT(advice_next(&advice, ADVICE_NO_ORIGINAL, 30000, &limits, 90001).next ==
	       ADVICE_WITHOUT_ORIGINAL);
}

TAP_MAIN
