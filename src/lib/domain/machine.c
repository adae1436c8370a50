// Running the rows of a machine, and the names of states and events. The times are those of EMV
// 3-D Secure 2.2: 10 s for the method frame, and of flows.md: 30 minutes for a challenge.
#include "domain/machine.h"

enum {
	DIRECTORY_MS = 15 * 1000,
	METHOD_MS = 10 * 1000,
	SHOPPER_MS = 30 * 60 * 1000,
	APP_GRACE_MS = 60 * 60 * 1000,
	MINUTE_MS = 60 * 1000,
};

static int64_t wait_ms(enum flow_wait wait, const struct flow_policy *policy)
{
	switch (wait) {
	case WAIT_BANK: return policy->bank_ms + FLOW_GRACE_MS;
	case WAIT_DIRECTORY: return DIRECTORY_MS + FLOW_GRACE_MS;
	case WAIT_METHOD: return METHOD_MS;
	case WAIT_SHOPPER: return SHOPPER_MS;
	case WAIT_APP: return (int64_t)policy->decoupled_minutes * MINUTE_MS + APP_GRACE_MS;
	case WAIT_HOLD: return policy->hold_ms;
	default: return 0;
	}
}

int64_t flow_longest_ms(enum attempt_state state, const struct flow_policy *policy)
{
	static const enum flow_wait waits[] = {
		[ATTEMPT_VERIFYING] = WAIT_BANK,
		[ATTEMPT_SENT] = WAIT_BANK,
		[ATTEMPT_AUTHENTICATING] = WAIT_BANK,
		[ATTEMPT_LOOKING_UP] = WAIT_DIRECTORY,
		[ATTEMPT_PREPARING] = WAIT_SHOPPER,
		[ATTEMPT_CHALLENGING] = WAIT_SHOPPER,
		[ATTEMPT_WAITING] = WAIT_APP,
		[ATTEMPT_HELD] = WAIT_HOLD,
		[ATTEMPT_OVER] = REST,
	};

	return wait_ms(waits[state], policy);
}

static const struct flow_row *find(const struct flow_row *rows, size_t count,
                                   const struct flow_now *now)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].state == now->facts->state && rows[i].event == now->event->kind &&
		    (!rows[i].when || rows[i].when(now)))
			return &rows[i];
	return NULL;
}

// What the machine does when the issuer knows the shopper; the last of these rows always fits.
static const struct flow_row *find_passed(const struct flow_machine *machine,
                                          const struct flow_now *now)
{
	size_t i = 0;

	while (i + 1 < machine->passed_count && !machine->passed[i].when(now))
		i++;
	return &machine->passed[i];
}

static char method_after(const struct flow_row *row, const struct flow_now *now)
{
	if (row->method == METHOD_PENDING)
		return 0;
	return row->method ? row->method : now->facts->method;
}

static enum problem problem_of(const struct flow_row *row, const struct flow_now *now)
{
	if (row->problem != PROBLEM_OF_EVENT)
		return (enum problem)row->problem;
	return now->event->problem ? now->event->problem : PROBLEM_NO_ANSWER;
}

struct flow_step machine_run(const struct flow_machine *machine, const struct flow_now *now)
{
	const struct flow_row *row = find(machine->rows, machine->count, now);

	if (!row)
		row = find(machine_authentication, machine_authentication_count, now);
	if (!row)
		return (struct flow_step){ .next = now->facts->state,
			                   .effects = FLOW_IGNORED,
			                   .method = now->facts->method,
			                   .ask_again = now->facts->ask_again };
	if ((int)row->next == ATTEMPT_PASSED)
		row = find_passed(machine, now);
	return (struct flow_step){
		.next = row->next,
		.problem = problem_of(row, now),
		.effects = row->effects,
		.deadline_ms = row->wait ? now->now_ms + wait_ms(row->wait, now->policy) : 0,
		.method = method_after(row, now),
		.ask_again = now->facts->ask_again || row->ask_again
	};
}

const char *flow_state_name(enum attempt_state state)
{
	static const char *const names[] = {
		[ATTEMPT_VERIFYING] = "verifying",
		[ATTEMPT_LOOKING_UP] = "looking_up",
		[ATTEMPT_PREPARING] = "preparing",
		[ATTEMPT_AUTHENTICATING] = "authenticating",
		[ATTEMPT_CHALLENGING] = "challenging",
		[ATTEMPT_WAITING] = "waiting",
		[ATTEMPT_LINKED] = "linked",
		[ATTEMPT_SENT] = "sent",
		[ATTEMPT_HELD] = "held",
		[ATTEMPT_PAID] = "paid",
		[ATTEMPT_GIVEN_UP] = "given_up",
		[ATTEMPT_RELEASED] = "released",
		[ATTEMPT_OVER] = "over",
	};

	return (size_t)state < sizeof(names) / sizeof(names[0]) && names[state] ? names[state]
	                                                                        : "unknown";
}

const char *flow_event_name(enum flow_event_kind kind)
{
	static const char *const names[FLOW_EVENTS] = {
		[EVENT_APPROVED] = "approved",
		[EVENT_DECLINED] = "declined",
		[EVENT_NEEDS_AUTHENTICATION] = "needs_authentication",
		[EVENT_NOT_SENT] = "not_sent",
		[EVENT_UNKNOWN] = "unknown",
		[EVENT_ENROLLED] = "enrolled",
		[EVENT_NOT_ENROLLED] = "not_enrolled",
		[EVENT_DIRECTORY_AWAY] = "directory_away",
		[EVENT_BROWSER] = "browser",
		[EVENT_METHOD_DONE] = "method_done",
		[EVENT_STATUS] = "status",
		[EVENT_RESULT] = "result",
		[EVENT_CANCEL] = "cancel",
		[EVENT_TIMER] = "timer",
		[EVENT_CAPTURE] = "capture",
		[EVENT_REFUND] = "refund",
		[EVENT_CAPTURE_FAILED] = "capture_failed",
	};

	return kind < FLOW_EVENTS ? names[kind] : "unknown";
}

bool flow_is_over(enum attempt_state state)
{
	return state == ATTEMPT_LINKED || state == ATTEMPT_PAID || state == ATTEMPT_GIVEN_UP ||
	       state == ATTEMPT_RELEASED || state == ATTEMPT_OVER;
}

bool flow_is_at_rest(enum attempt_state state)
{
	return state == ATTEMPT_HELD || flow_is_over(state);
}

enum intent_status flow_intent_status(enum attempt_state state)
{
	switch (state) {
	case ATTEMPT_PREPARING:
	case ATTEMPT_CHALLENGING:
	case ATTEMPT_WAITING: return INTENT_REQUIRES_ACTION;
	case ATTEMPT_LINKED:
	case ATTEMPT_PAID: return INTENT_SUCCEEDED;
	case ATTEMPT_HELD: return INTENT_REQUIRES_CAPTURE;
	case ATTEMPT_RELEASED: return INTENT_CANCELED;
	case ATTEMPT_GIVEN_UP:
	case ATTEMPT_OVER: return INTENT_REQUIRES_PAYMENT_METHOD;
	default: return INTENT_PROCESSING;
	}
}
