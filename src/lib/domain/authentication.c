// 3-D Secure as a part of both machines: the range is looked up, the browser prepared, the issuer
// asked, the shopper challenged. flows.md, "Link attempt"; EMV 3-D Secure 2.2, table A.17
// (transStatus). Denied and rejected count for the guards; what the issuer could not do does not.
#include "domain/machine.h"

static bool has_method_and_browser(const struct flow_now *now)
{
	return now->event->method && now->facts->browser;
}

static bool has_method(const struct flow_now *now)
{
	return now->event->method;
}

static bool browser_is_known(const struct flow_now *now)
{
	return now->facts->browser;
}

static bool method_is_done_with(const struct flow_now *now)
{
	return now->facts->method != 0;
}

static bool unenrolled_is_accepted(const struct flow_now *now)
{
	return now->policy->accept_unenrolled;
}

static bool is_confirmed(const struct flow_now *now)
{
	return now->event->status == 'Y' ||
	       (now->event->status == 'A' && now->policy->accept_attempted);
}

static bool is_refused(const struct flow_now *now)
{
	return now->event->status == 'N' || now->event->status == 'R';
}

static bool wants_challenge(const struct flow_now *now)
{
	return now->event->status == 'C';
}

static bool asks_in_its_app(const struct flow_now *now)
{
	return now->event->status == 'D' && now->policy->decoupled_minutes > 0;
}

#define AT_THE_RESULT(state)                                                                       \
	ROW(state, RESULT, is_confirmed, PASSED, NONE, 0, REST),                                   \
	        ROW(state, RESULT, is_refused, OVER, NOT_CONFIRMED, FLOW_COUNT, REST),             \
	        ROW(state, RESULT, ALWAYS, OVER, NOT_CONFIRMABLE, 0, REST),                        \
	        ROW(state, TIMER, ALWAYS, OVER, NOT_CONFIRMED_IN_TIME, 0, REST)

const struct flow_row machine_authentication[] = {
	ROW(LOOKING_UP, ENROLLED, has_method_and_browser, PREPARING, NONE, 0, WAIT_METHOD,
	    .method = METHOD_PENDING),
	ROW(LOOKING_UP, ENROLLED, has_method, PREPARING, NONE, 0, WAIT_SHOPPER,
	    .method = METHOD_PENDING),
	ROW(LOOKING_UP, ENROLLED, browser_is_known, AUTHENTICATING, NONE, FLOW_AUTHENTICATE,
	    WAIT_BANK, .method = 'U'),
	ROW(LOOKING_UP, ENROLLED, ALWAYS, PREPARING, NONE, 0, WAIT_SHOPPER, .method = 'U'),
	ROW(LOOKING_UP, NOT_ENROLLED, unenrolled_is_accepted, PASSED, NONE, 0, REST),
	ROW(LOOKING_UP, NOT_ENROLLED, ALWAYS, OVER, NOT_ENROLLED, 0, REST),
	ROW(LOOKING_UP, DIRECTORY_AWAY, ALWAYS, OVER, NO_ANSWER, 0, REST),
	ROW(LOOKING_UP, TIMER, ALWAYS, OVER, NO_ANSWER, 0, REST),

	// The issuer is asked as soon as the browser is known and the method frame is done with. A
	// browser that is there but whose frame never came back goes on without it; a shopper who
	// never came is not confirmed.
	ROW(PREPARING, BROWSER, method_is_done_with, AUTHENTICATING, NONE, FLOW_AUTHENTICATE,
	    WAIT_BANK),
	ROW(PREPARING, BROWSER, ALWAYS, PREPARING, NONE, 0, WAIT_METHOD),
	ROW(PREPARING, METHOD_DONE, browser_is_known, AUTHENTICATING, NONE, FLOW_AUTHENTICATE,
	    WAIT_BANK, .method = 'Y'),
	ROW(PREPARING, METHOD_DONE, ALWAYS, PREPARING, NONE, 0, WAIT_SHOPPER, .method = 'Y'),
	ROW(PREPARING, TIMER, browser_is_known, AUTHENTICATING, NONE, FLOW_AUTHENTICATE, WAIT_BANK,
	    .method = 'N'),
	ROW(PREPARING, TIMER, ALWAYS, OVER, NOT_CONFIRMED_IN_TIME, 0, REST),

	ROW(AUTHENTICATING, STATUS, is_confirmed, PASSED, NONE, 0, REST),
	ROW(AUTHENTICATING, STATUS, wants_challenge, CHALLENGING, NONE, 0, WAIT_SHOPPER),
	ROW(AUTHENTICATING, STATUS, asks_in_its_app, WAITING, NONE, 0, WAIT_APP),
	ROW(AUTHENTICATING, STATUS, is_refused, OVER, NOT_CONFIRMED, FLOW_COUNT, REST),
	ROW(AUTHENTICATING, STATUS, ALWAYS, OVER, NOT_CONFIRMABLE, 0, REST),
	ROW(AUTHENTICATING, DECLINED, ALWAYS, OVER, NO_ANSWER, 0, REST),
	ROW(AUTHENTICATING, NOT_SENT, ALWAYS, OVER, NO_ANSWER, 0, REST),
	ROW(AUTHENTICATING, UNKNOWN, ALWAYS, OVER, NO_ANSWER, 0, REST),
	ROW(AUTHENTICATING, TIMER, ALWAYS, OVER, NO_ANSWER, 0, REST),

	AT_THE_RESULT(CHALLENGING),
	AT_THE_RESULT(WAITING),
};

const size_t machine_authentication_count =
        sizeof(machine_authentication) / sizeof(machine_authentication[0]);
