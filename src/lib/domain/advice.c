// When an advice is sent, repeated, believed, or shown to a person.
#include "domain/advice.h"

enum { BELIEVED_TRIES = 5 };

static int64_t pause_ms(int tries)
{
	static const int64_t seconds[] = { 5, 15, 60, 5 * 60, 15 * 60 };
	int last = (int)(sizeof(seconds) / sizeof(seconds[0]));

	return (tries < 1 ? 0 : tries <= last ? seconds[tries - 1] : 60 * 60) * 1000;
}

static struct advice_step again(const struct advice *advice, const struct advice_policy *policy,
                                int64_t now_ms)
{
	if (now_ms - advice->first_ms >= policy->attention_ms)
		return (struct advice_step){ ADVICE_NEEDS_ATTENTION, false, 0, advice->tries };
	return (struct advice_step){ ADVICE_QUEUED, false, now_ms + pause_ms(advice->tries),
		                     advice->tries };
}

bool advice_is_settled(enum advice_state state)
{
	return state != ADVICE_QUEUED && state != ADVICE_SENT;
}

struct advice_step advice_next(const struct advice *advice, enum advice_event event,
                               int64_t original_deadline_ms, const struct advice_policy *policy,
                               int64_t now_ms)
{
	if (event == ADVICE_ACCEPTED)
		return (struct advice_step){ ADVICE_ACKNOWLEDGED, false, 0, advice->tries };
	if (advice_is_settled(advice->state))
		return (struct advice_step){ advice->state, false, 0, advice->tries };
	switch (event) {
	case ADVICE_DUE:
		if (advice->state == ADVICE_SENT)
			return again(advice, policy, now_ms);
		return (struct advice_step){ ADVICE_SENT, true, now_ms + policy->answer_ms,
			                     advice->tries + 1 };
	case ADVICE_NO_ORIGINAL:
		// The original may still be on its way: only after its time is "unknown to us"
		// final. The clock alone does not say so, it may have been set: the pauses between
		// so many tries are longer than the window, too.
		if (advice->kind == ADVICE_REVERSE && advice->tries >= BELIEVED_TRIES &&
		    now_ms > original_deadline_ms + policy->late_window_ms)
			return (struct advice_step){ ADVICE_WITHOUT_ORIGINAL, false, 0,
				                     advice->tries };
		if (advice->kind == ADVICE_REVERSE)
			return again(advice, policy, now_ms);
		return (struct advice_step){ ADVICE_NEEDS_ATTENTION, false, 0, advice->tries };
	case ADVICE_REFUSED:
		return (struct advice_step){ ADVICE_NEEDS_ATTENTION, false, 0, advice->tries };
	default: return again(advice, policy, now_ms);
	}
}
