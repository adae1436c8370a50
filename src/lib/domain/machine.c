// Running the rows of a machine, and the names of states and events.
#include "domain/machine.h"

struct flow_step machine_run(const struct flow_row *rows, size_t count, const struct flow_now *now)
{
	for (size_t i = 0; i < count; i++)
		if (rows[i].state == now->facts->state && rows[i].event == now->event->kind)
			return rows[i].act(now);
	return (struct flow_step){ .next = now->facts->state,
		                   .effects = FLOW_IGNORED,
		                   .method = now->facts->method,
		                   .ask_again = now->facts->ask_again };
}

struct flow_step machine_over(const struct flow_now *now, enum problem problem, unsigned effects)
{
	return (struct flow_step){ .next = ATTEMPT_OVER,
		                   .problem = problem,
		                   .effects = effects,
		                   .method = now->facts->method,
		                   .ask_again = now->facts->ask_again };
}

struct flow_step machine_go(const struct flow_now *now, enum attempt_state next, int64_t wait_ms,
                            unsigned effects)
{
	return (struct flow_step){ .next = next,
		                   .effects = effects,
		                   .deadline_ms = wait_ms ? now->now_ms + wait_ms : 0,
		                   .method = now->facts->method,
		                   .ask_again = now->facts->ask_again };
}

struct flow_step machine_ask_bank(const struct flow_now *now, enum attempt_state next,
                                  unsigned effects)
{
	return machine_go(now, next, now->policy->bank_ms + FLOW_GRACE_MS, effects);
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
	};

	return kind < FLOW_EVENTS ? names[kind] : "unknown";
}

bool flow_is_over(enum attempt_state state)
{
	return state == ATTEMPT_LINKED || state == ATTEMPT_PAID || state == ATTEMPT_HELD ||
	       state == ATTEMPT_GIVEN_UP || state == ATTEMPT_RELEASED || state == ATTEMPT_OVER;
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
