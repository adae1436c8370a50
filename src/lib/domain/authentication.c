// 3-D Secure as a part of both machines: the range is looked up, the browser prepared, the issuer
// asked, the shopper challenged. The times are those of EMV 3-D Secure 2.2: 10 s for the method
// frame, and of flows.md: 30 minutes for a challenge.
#include "domain/machine.h"

enum {
	LOOK_UP_MS = 15 * 1000,
	METHOD_MS = 10 * 1000,
	SHOPPER_MS = 30 * 60 * 1000,
	GRACE_MS = 60 * 60 * 1000,
	MINUTE_MS = 60 * 1000,
};

struct flow_step machine_look_up(const struct flow_now *now, unsigned effects)
{
	return machine_go(now, ATTEMPT_LOOKING_UP, LOOK_UP_MS + FLOW_GRACE_MS,
	                  effects | FLOW_LOOK_UP);
}

int64_t flow_longest_ms(enum attempt_state state, const struct flow_policy *policy)
{
	switch (state) {
	case ATTEMPT_VERIFYING:
	case ATTEMPT_SENT:
	case ATTEMPT_AUTHENTICATING: return policy->bank_ms + FLOW_GRACE_MS;
	case ATTEMPT_LOOKING_UP: return LOOK_UP_MS + FLOW_GRACE_MS;
	case ATTEMPT_PREPARING:
	case ATTEMPT_CHALLENGING: return SHOPPER_MS;
	case ATTEMPT_WAITING: return (int64_t)policy->decoupled_minutes * MINUTE_MS + GRACE_MS;
	default: return 0;
	}
}

// The issuer is asked as soon as the browser is known and the method frame is done with.
static struct flow_step prepare(const struct flow_now *now, bool browser, char method)
{
	struct flow_step step;

	if (browser && method)
		step = machine_ask_bank(now, ATTEMPT_AUTHENTICATING, FLOW_AUTHENTICATE);
	else
		step = machine_go(now, ATTEMPT_PREPARING, browser ? METHOD_MS : SHOPPER_MS, 0);
	step.method = method;
	return step;
}

static struct flow_step enrolled(const struct flow_now *now)
{
	return prepare(now, now->facts->browser, now->event->method ? 0 : 'U');
}

static struct flow_step browser_known(const struct flow_now *now)
{
	return prepare(now, true, now->facts->method);
}

static struct flow_step method_done(const struct flow_now *now)
{
	return prepare(now, now->facts->browser, 'Y');
}

// A browser that is there but whose method frame never came back goes on without it; a shopper who
// never came is not confirmed.
static struct flow_step prepare_timer(const struct flow_now *now)
{
	if (now->facts->browser)
		return prepare(now, true, 'N');
	return machine_over(now, PROBLEM_NOT_CONFIRMED_IN_TIME, 0);
}

static struct flow_step away(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_NO_ANSWER, 0);
}

// The issuer could not, or would not, find out who is there; nothing that a guesser could learn
// from.
static struct flow_step not_confirmable(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_NOT_CONFIRMABLE, 0);
}

static struct flow_step not_in_time(const struct flow_now *now)
{
	return machine_over(now, PROBLEM_NOT_CONFIRMED_IN_TIME, 0);
}

static struct flow_step challenge(const struct flow_now *now)
{
	return machine_go(now, ATTEMPT_CHALLENGING, SHOPPER_MS, 0);
}

static struct flow_step wait_for_app(const struct flow_now *now)
{
	int64_t wait_ms = (int64_t)now->policy->decoupled_minutes * MINUTE_MS;

	if (wait_ms == 0)
		return not_confirmable(now);
	return machine_go(now, ATTEMPT_WAITING, wait_ms + GRACE_MS, 0);
}

// transStatus (EMV 3-D Secure 2.2, table A.17). Denied and rejected count for the guards; what the
// issuer could not do does not.
static struct flow_step judge(const struct flow_now *now, bool asked,
                              struct flow_step (*passed)(const struct flow_now *now))
{
	switch (now->event->status) {
	case 'Y': return passed(now);
	case 'A': return now->policy->accept_attempted ? passed(now) : not_confirmable(now);
	case 'C': return asked ? not_confirmable(now) : challenge(now);
	case 'D': return asked ? not_confirmable(now) : wait_for_app(now);
	case 'N':
	case 'R': return machine_over(now, PROBLEM_NOT_CONFIRMED, FLOW_COUNT);
	default: return not_confirmable(now);
	}
}

static const struct flow_row rows[] = {
	{ ATTEMPT_LOOKING_UP, EVENT_ENROLLED, enrolled },
	{ ATTEMPT_LOOKING_UP, EVENT_DIRECTORY_AWAY, away },
	{ ATTEMPT_LOOKING_UP, EVENT_TIMER, away },
	{ ATTEMPT_PREPARING, EVENT_BROWSER, browser_known },
	{ ATTEMPT_PREPARING, EVENT_METHOD_DONE, method_done },
	{ ATTEMPT_PREPARING, EVENT_TIMER, prepare_timer },
	{ ATTEMPT_AUTHENTICATING, EVENT_DECLINED, away },
	{ ATTEMPT_AUTHENTICATING, EVENT_NOT_SENT, away },
	{ ATTEMPT_AUTHENTICATING, EVENT_UNKNOWN, away },
	{ ATTEMPT_AUTHENTICATING, EVENT_TIMER, away },
	{ ATTEMPT_CHALLENGING, EVENT_TIMER, not_in_time },
	{ ATTEMPT_WAITING, EVENT_TIMER, not_in_time },
};

struct flow_step authentication_run(const struct flow_now *now,
                                    struct flow_step (*passed)(const struct flow_now *now))
{
	enum attempt_state state = now->facts->state;
	enum flow_event_kind kind = now->event->kind;

	if (state == ATTEMPT_LOOKING_UP && kind == EVENT_NOT_ENROLLED)
		return now->policy->accept_unenrolled ? passed(now)
		                                      : machine_over(now, PROBLEM_NOT_ENROLLED, 0);
	if (state == ATTEMPT_AUTHENTICATING && kind == EVENT_STATUS)
		return judge(now, false, passed);
	if ((state == ATTEMPT_CHALLENGING || state == ATTEMPT_WAITING) && kind == EVENT_RESULT)
		return judge(now, true, passed);
	return machine_run(rows, sizeof(rows) / sizeof(rows[0]), now);
}
