// A payment with a linked card. A time-out is unknown, never failed: an authorization whose fate
// nobody here knows is given up and reversed in one commit. flows.md, "Payment attempt".
#include "domain/machine.h"

// Another amount or currency, or a part of it.
static bool differs(const struct flow_now *now)
{
	return now->event->differs;
}

static bool is_manual(const struct flow_now *now)
{
	return now->facts->flags & ATTEMPT_MANUAL_CAPTURE;
}

static bool is_single_message(const struct flow_now *now)
{
	return now->facts->flags & ATTEMPT_SINGLE_MESSAGE;
}

static bool nobody_can_be_asked(const struct flow_now *now)
{
	return !now->facts->present || now->facts->flags & ATTEMPT_AUTHENTICATED;
}

static bool another_line_takes_it(const struct flow_now *now)
{
	return now->facts->elsewhere;
}

static bool is_all(const struct flow_now *now)
{
	return now->event->amount == now->facts->open;
}

static bool is_within(const struct flow_now *now)
{
	return now->event->amount > 0 && now->event->amount <= now->facts->open;
}

static bool rest_is_reversed(const struct flow_now *now)
{
	return is_within(now) && now->policy->release_by_reversal;
}

#define GIVE_UP(state) ROW(state, CANCEL, ALWAYS, OVER, CANCELLED, 0, REST)

static const struct flow_row rows[] = {
	ROW(SENT, APPROVED, differs, GIVEN_UP, ANSWER_DIFFERS, FLOW_REVERSE, REST),
	ROW(SENT, APPROVED, is_manual, HELD, NONE, 0, WAIT_HOLD),
	ROW(SENT, APPROVED, is_single_message, PAID, NONE, 0, REST),
	ROW(SENT, APPROVED, ALWAYS, PAID, NONE, FLOW_CAPTURE, REST),
	ROW(SENT, DECLINED, ALWAYS, OVER, OF_EVENT, 0, REST),
	ROW(SENT, NEEDS_AUTHENTICATION, nobody_can_be_asked, OVER, AUTHENTICATION_REQUIRED, 0,
	    REST),
	ROW(SENT, NEEDS_AUTHENTICATION, ALWAYS, LOOKING_UP, NONE, FLOW_LOOK_UP, WAIT_DIRECTORY),
	ROW(SENT, NOT_SENT, another_line_takes_it, OVER, NO_ANSWER, FLOW_PAY_ELSEWHERE, REST),
	ROW(SENT, NOT_SENT, ALWAYS, OVER, NO_ANSWER, 0, REST),
	ROW(SENT, UNKNOWN, ALWAYS, GIVEN_UP, NO_ANSWER, FLOW_REVERSE, REST),
	ROW(SENT, TIMER, ALWAYS, GIVEN_UP, NO_ANSWER, FLOW_REVERSE, REST),

	// An approval that comes after all never revives a payment: it is taken back.
	ROW(GIVEN_UP, APPROVED, ALWAYS, GIVEN_UP, NO_ANSWER, FLOW_REVERSE, REST),
	ROW(OVER, APPROVED, ALWAYS, OVER, NO_ANSWER, FLOW_REVERSE, REST),

	ROW(HELD, CAPTURE, is_all, PAID, NONE, FLOW_CAPTURE, REST),
	ROW(HELD, CAPTURE, rest_is_reversed, PAID, NONE, FLOW_CAPTURE | FLOW_RELEASE, REST),
	ROW(HELD, CAPTURE, is_within, PAID, NONE, FLOW_CAPTURE, REST),
	ROW(HELD, CANCEL, ALWAYS, RELEASED, NONE, FLOW_REVERSE, REST),
	ROW(HELD, TIMER, ALWAYS, RELEASED, NONE, FLOW_REVERSE, REST),

	ROW(PAID, REFUND, is_within, PAID, NONE, FLOW_REFUND, REST),
	ROW(PAID, CAPTURE_FAILED, ALWAYS, RELEASED, NONE, FLOW_REVERSE, REST),

	GIVE_UP(LOOKING_UP),
	GIVE_UP(PREPARING),
	GIVE_UP(AUTHENTICATING),
	GIVE_UP(CHALLENGING),
	GIVE_UP(WAITING),
};

// The same payment once more, with the proof.
static const struct flow_row passed[] = {
	ROW(PASSED, STATUS, ALWAYS, OVER, AUTHENTICATION_REQUIRED, FLOW_PAY_AGAIN, REST),
};

const struct flow_machine machine_payment = { "payment", rows, sizeof(rows) / sizeof(rows[0]),
	                                      passed, sizeof(passed) / sizeof(passed[0]) };

struct flow_step payment_next(const struct flow_facts *facts, const struct flow_event *event,
                              const struct flow_policy *policy, int64_t now_ms)
{
	const struct flow_now now = { facts, event, policy, now_ms };

	return machine_run(&machine_payment, &now);
}
