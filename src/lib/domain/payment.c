// A payment with a linked card. A time-out is unknown, never failed: an authorization whose fate
// nobody here knows is given up and reversed in one commit. flows.md, "Payment attempt".
#include "domain/machine.h"

static struct flow_step approved(const struct flow_now *now)
{
	if (now->event->differs) {
		struct flow_step step = machine_go(now, ATTEMPT_GIVEN_UP, 0, FLOW_REVERSE);
		step.problem = PROBLEM_ANSWER_DIFFERS;
		return step;
	}
	if (now->facts->flags & ATTEMPT_MANUAL_CAPTURE)
		return machine_go(now, ATTEMPT_HELD, 0, 0);
	return machine_go(now, ATTEMPT_PAID, 0, FLOW_CAPTURE);
}

static struct flow_step declined(const struct flow_now *now)
{
	return machine_over(now, now->event->problem, 0);
}

static struct flow_step needs_authentication(const struct flow_now *now)
{
	if (!now->facts->present || now->facts->flags & ATTEMPT_AUTHENTICATED)
		return machine_over(now, PROBLEM_AUTHENTICATION_REQUIRED, 0);
	return machine_look_up(now, 0);
}

static struct flow_step not_sent(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_NO_ANSWER, 0);
}

static struct flow_step unknown(const struct flow_now *now)
{
	struct flow_step step = machine_go(now, ATTEMPT_GIVEN_UP, 0, FLOW_REVERSE);

	step.problem = PROBLEM_NO_ANSWER;
	return step;
}

// An approval that comes after all never revives a payment that was given up: it is taken back.
static struct flow_step late_approval(const struct flow_now *now)
{
	struct flow_step step = machine_go(now, now->facts->state, 0, FLOW_REVERSE);

	step.problem = PROBLEM_NO_ANSWER;
	return step;
}

static struct flow_step cancel(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_CANCELLED, 0);
}

static struct flow_step pay_again(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_AUTHENTICATION_REQUIRED, FLOW_PAY_AGAIN);
}

static const struct flow_row rows[] = {
	{ ATTEMPT_SENT, EVENT_APPROVED, approved },
	{ ATTEMPT_SENT, EVENT_DECLINED, declined },
	{ ATTEMPT_SENT, EVENT_NEEDS_AUTHENTICATION, needs_authentication },
	{ ATTEMPT_SENT, EVENT_NOT_SENT, not_sent },
	{ ATTEMPT_SENT, EVENT_UNKNOWN, unknown },
	{ ATTEMPT_SENT, EVENT_TIMER, unknown },
	{ ATTEMPT_GIVEN_UP, EVENT_APPROVED, late_approval },
	{ ATTEMPT_OVER, EVENT_APPROVED, late_approval },
	{ ATTEMPT_LOOKING_UP, EVENT_CANCEL, cancel },
	{ ATTEMPT_PREPARING, EVENT_CANCEL, cancel },
	{ ATTEMPT_AUTHENTICATING, EVENT_CANCEL, cancel },
	{ ATTEMPT_CHALLENGING, EVENT_CANCEL, cancel },
	{ ATTEMPT_WAITING, EVENT_CANCEL, cancel },
};

struct flow_step payment_next(const struct flow_facts *facts, const struct flow_event *event,
                              const struct flow_policy *policy, int64_t now_ms)
{
	const struct flow_now now = { facts, event, policy, now_ms };
	struct flow_step step = machine_run(rows, sizeof(rows) / sizeof(rows[0]), &now);

	return step.effects & FLOW_IGNORED ? authentication_run(&now, pay_again) : step;
}
