// Linking a card: the bank verifies number, date and code for zero amount, the issuer confirms the
// shopper (authentication.c), and one commit saves the card. flows.md, "Link attempt".
#include "domain/machine.h"

static struct flow_step confirmed(const struct flow_now *now)
{
	if (now->facts->ask_again)
		return machine_ask_bank(now, ATTEMPT_VERIFYING, FLOW_VERIFY);
	return machine_go(now, ATTEMPT_LINKED, 0, FLOW_SAVE);
}

static bool code_is_good_enough(const struct flow_now *now)
{
	if (!now->facts->code || now->event->cvc_check == CHECK_PASS)
		return true;
	return now->policy->accept_code_unchecked;
}

static struct flow_step approved(const struct flow_now *now)
{
	// The second question, with the authentication's result, is asked without the code.
	if (now->facts->ask_again)
		return machine_go(now, ATTEMPT_LINKED, 0, FLOW_SAVE);
	if (now->facts->code && now->event->cvc_check == CHECK_FAIL)
		return machine_over(now, PROBLEM_INCORRECT_CVC, FLOW_FORGET_CODE | FLOW_COUNT);
	if (!code_is_good_enough(now))
		return machine_over(now, PROBLEM_CODE_UNCHECKED, FLOW_FORGET_CODE);
	return machine_look_up(now, FLOW_FORGET_CODE);
}

static struct flow_step declined(const struct flow_now *now)
{
	unsigned counts =
	        problem_row((int)now->event->problem)->flags & PROBLEM_COUNTS ? FLOW_COUNT : 0;

	return machine_over(now, now->event->problem, FLOW_FORGET_CODE | counts);
}

static struct flow_step needs_authentication(const struct flow_now *now)
{
	if (now->facts->ask_again)
		return machine_over(now, PROBLEM_NOT_CONFIRMED, FLOW_FORGET_CODE);
	if (now->event->cvc_check == CHECK_FAIL)
		return machine_over(now, PROBLEM_INCORRECT_CVC, FLOW_FORGET_CODE | FLOW_COUNT);
	struct flow_step step = machine_look_up(now, FLOW_FORGET_CODE);
	step.ask_again = true;
	return step;
}

// Zero amount: there is nothing to take back.
static struct flow_step no_answer(const struct flow_now *now)
{
	enum problem why = now->event->problem ? now->event->problem : PROBLEM_NO_ANSWER;

	return machine_over(now, why, FLOW_FORGET_CODE);
}

static struct flow_step cancel(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_CANCELLED, FLOW_FORGET_CODE);
}

static const struct flow_row rows[] = {
	{ ATTEMPT_VERIFYING, EVENT_APPROVED, approved },
	{ ATTEMPT_VERIFYING, EVENT_DECLINED, declined },
	{ ATTEMPT_VERIFYING, EVENT_NEEDS_AUTHENTICATION, needs_authentication },
	{ ATTEMPT_VERIFYING, EVENT_NOT_SENT, no_answer },
	{ ATTEMPT_VERIFYING, EVENT_UNKNOWN, no_answer },
	{ ATTEMPT_VERIFYING, EVENT_TIMER, no_answer },
	{ ATTEMPT_VERIFYING, EVENT_CANCEL, cancel },
	{ ATTEMPT_LOOKING_UP, EVENT_CANCEL, cancel },
	{ ATTEMPT_PREPARING, EVENT_CANCEL, cancel },
	{ ATTEMPT_AUTHENTICATING, EVENT_CANCEL, cancel },
	{ ATTEMPT_CHALLENGING, EVENT_CANCEL, cancel },
	{ ATTEMPT_WAITING, EVENT_CANCEL, cancel },
};

struct flow_step link_next(const struct flow_facts *facts, const struct flow_event *event,
                           const struct flow_policy *policy, int64_t now_ms)
{
	const struct flow_now now = { facts, event, policy, now_ms };
	struct flow_step step = machine_run(rows, sizeof(rows) / sizeof(rows[0]), &now);

	return step.effects & FLOW_IGNORED ? authentication_run(&now, confirmed) : step;
}
