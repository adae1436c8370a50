// Linking a card: the bank verifies number, date and code for zero amount, the issuer confirms the
// shopper (authentication.c), and one commit saves the card. flows.md, "Link attempt".
#include "domain/machine.h"

// The second question, with the authentication's result, is asked without the code.
static bool is_second_question(const struct flow_now *now)
{
	return now->facts->ask_again;
}

static bool code_is_wrong(const struct flow_now *now)
{
	return now->facts->code && now->event->cvc_check == CHECK_FAIL;
}

static bool bank_says_wrong_code(const struct flow_now *now)
{
	return now->event->cvc_check == CHECK_FAIL;
}

static bool code_is_not_checked(const struct flow_now *now)
{
	return now->facts->code && now->event->cvc_check != CHECK_PASS &&
	       !now->policy->accept_code_unchecked;
}

// A test token's card is attached, not proven.
static bool is_only_attached(const struct flow_now *now)
{
	return now->facts->flags & ATTEMPT_ATTACH;
}

// What the shopper could have guessed, not the bank's troubles.
static bool counts(const struct flow_now *now)
{
	return problem_row((int)now->event->problem)->flags & PROBLEM_COUNTS;
}

// The merchant wants no payment whose shopper has to do something.
static bool nobody_can_be_asked(const struct flow_now *now)
{
	return !now->facts->present;
}

#define GIVE_UP(state) ROW(state, CANCEL, ALWAYS, OVER, CANCELLED, FLOW_FORGET_CODE, REST)

static const struct flow_row rows[] = {
	ROW(VERIFYING, APPROVED, is_second_question, LINKED, NONE, FLOW_SAVE, REST),
	ROW(VERIFYING, APPROVED, code_is_wrong, OVER, INCORRECT_CVC, FLOW_FORGET_CODE | FLOW_COUNT,
	    REST),
	ROW(VERIFYING, APPROVED, code_is_not_checked, OVER, CODE_UNCHECKED, FLOW_FORGET_CODE, REST),
	ROW(VERIFYING, APPROVED, is_only_attached, LINKED, NONE, FLOW_FORGET_CODE | FLOW_SAVE,
	    REST),
	ROW(VERIFYING, APPROVED, ALWAYS, LOOKING_UP, NONE, FLOW_FORGET_CODE | FLOW_LOOK_UP,
	    WAIT_DIRECTORY),
	ROW(VERIFYING, DECLINED, counts, OVER, OF_EVENT, FLOW_FORGET_CODE | FLOW_COUNT, REST),
	ROW(VERIFYING, DECLINED, ALWAYS, OVER, OF_EVENT, FLOW_FORGET_CODE, REST),
	ROW(VERIFYING, NEEDS_AUTHENTICATION, is_second_question, OVER, NOT_CONFIRMED,
	    FLOW_FORGET_CODE, REST),
	ROW(VERIFYING, NEEDS_AUTHENTICATION, bank_says_wrong_code, OVER, INCORRECT_CVC,
	    FLOW_FORGET_CODE | FLOW_COUNT, REST),
	ROW(VERIFYING, NEEDS_AUTHENTICATION, is_only_attached, LINKED, NONE,
	    FLOW_FORGET_CODE | FLOW_SAVE, REST),
	ROW(VERIFYING, NEEDS_AUTHENTICATION, ALWAYS, LOOKING_UP, NONE,
	    FLOW_FORGET_CODE | FLOW_LOOK_UP, WAIT_DIRECTORY, .ask_again = true),
	// Zero amount: there is nothing to take back.
	ROW(VERIFYING, NOT_SENT, ALWAYS, OVER, OF_EVENT, FLOW_FORGET_CODE, REST),
	ROW(VERIFYING, UNKNOWN, ALWAYS, OVER, OF_EVENT, FLOW_FORGET_CODE, REST),
	ROW(VERIFYING, TIMER, ALWAYS, OVER, OF_EVENT, FLOW_FORGET_CODE, REST),
	ROW(LOOKING_UP, ENROLLED, nobody_can_be_asked, OVER, AUTHENTICATION_REQUIRED, 0, REST),
	GIVE_UP(VERIFYING),
	GIVE_UP(LOOKING_UP),
	GIVE_UP(PREPARING),
	GIVE_UP(AUTHENTICATING),
	GIVE_UP(CHALLENGING),
	GIVE_UP(WAITING),
};

static const struct flow_row passed[] = {
	ROW(PASSED, STATUS, is_second_question, VERIFYING, NONE, FLOW_VERIFY, WAIT_BANK),
	ROW(PASSED, STATUS, ALWAYS, LINKED, NONE, FLOW_SAVE, REST),
};

const struct flow_machine machine_link = { "link", rows, sizeof(rows) / sizeof(rows[0]), passed,
	                                   sizeof(passed) / sizeof(passed[0]) };

struct flow_step link_next(const struct flow_facts *facts, const struct flow_event *event,
                           const struct flow_policy *policy, int64_t now_ms)
{
	const struct flow_now now = { facts, event, policy, now_ms };

	return machine_run(&machine_link, &now);
}
