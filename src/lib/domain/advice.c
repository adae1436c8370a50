// When an advice is sent, repeated, believed, or shown to a person.
#include "domain/advice_rows.h"

enum {
	REVERSAL = 1 << ADVICE_REVERSE,
	CAPTURE = 1 << ADVICE_CAPTURE,
	RELEASE = 1 << ADVICE_RELEASE,
	REFUND = 1 << ADVICE_REFUND,
	ADVICES = REVERSAL | CAPTURE | RELEASE, // the bank may hear of them as often as need be
	ALL = ADVICES | REFUND,
};

// So many tries take longer, by their pauses, than any clock can be believed to be wrong.
enum { BELIEVED_TRIES = 5 };

// A clock that was set, or a day without power, calls nobody: it has been tried often, too.
static bool is_too_old(const struct advice_now *now)
{
	return now->advice->tries >= BELIEVED_TRIES &&
	       now->now_ms - now->advice->first_ms >= now->policy->attention_ms;
}

// The original may still be on its way: only after its time is "unknown to us" final. The clock
// alone does not say so, it may have been set: the pauses between so many tries are longer than the
// window, too.
static bool late_window_is_over(const struct advice_now *now)
{
	return now->advice->tries >= BELIEVED_TRIES &&
	       now->now_ms > now->original_deadline_ms + now->policy->late_window_ms;
}

static bool a_repeat_is_a_second_refund(const struct advice_now *now)
{
	return !now->policy->refund_repeats;
}

// The first transmission may have been taken, and this no be about the second.
static bool was_told_before(const struct advice_now *now)
{
	return now->advice->transmissions > 1;
}

#define ROW(kinds_, state_, event_, when_, next_, clock_, flags_)                                  \
	{                                                                                          \
		.kinds = kinds_, .state = ADVICE_##state_, .event = ADVICE_##event_,               \
		.when = when_, .condition = #when_, .next = ADVICE_##next_, .clock = clock_,       \
		.flags = flags_                                                                    \
	}
#define ALWAYS NULL
// Nobody knows whether the bank has it.
#define NO_ANSWER(event)                                                                           \
	ROW(REFUND, SENT, event, a_repeat_is_a_second_refund, NEEDS_ATTENTION, CLOCK_NONE, 0),     \
	        ROW(ALL, SENT, event, is_too_old, NEEDS_ATTENTION, CLOCK_NONE, 0),                 \
	        ROW(ALL, SENT, event, ALWAYS, QUEUED, CLOCK_PAUSE, 0)
// What the bank says while, or after, it was asked.
#define ANSWERS(state)                                                                             \
	ROW(ALL, state, ACCEPTED, ALWAYS, ACKNOWLEDGED, CLOCK_NONE, 0),                            \
	        ROW(REVERSAL, state, NO_ORIGINAL, late_window_is_over, WITHOUT_ORIGINAL,           \
	            CLOCK_NONE, 0),                                                                \
	        ROW(CAPTURE | RELEASE, state, NO_ORIGINAL, ALWAYS, NEEDS_ATTENTION, CLOCK_NONE,    \
	            0),                                                                            \
	        ROW(REFUND, state, NO_ORIGINAL, was_told_before, NEEDS_ATTENTION, CLOCK_NONE, 0),  \
	        ROW(REFUND, state, NO_ORIGINAL, ALWAYS, REFUSED, CLOCK_NONE, 0),                   \
	        ROW(REFUND, state, IS_REFUSED, was_told_before, NEEDS_ATTENTION, CLOCK_NONE, 0),   \
	        ROW(REFUND, state, IS_REFUSED, ALWAYS, REFUSED, CLOCK_NONE, 0),                    \
	        ROW(ADVICES, state, IS_REFUSED, ALWAYS, NEEDS_ATTENTION, CLOCK_NONE, 0)

const struct advice_row advice_rows[] = {
	ROW(ALL, QUEUED, DUE, ALWAYS, SENT, CLOCK_ANSWER, STEP_SEND),
	NO_ANSWER(DUE),
	NO_ANSWER(UNANSWERED),
	ROW(ALL, SENT, NOT_SENT, is_too_old, NEEDS_ATTENTION, CLOCK_NONE, STEP_NEVER_SENT),
	ROW(ALL, SENT, NOT_SENT, ALWAYS, QUEUED, CLOCK_PAUSE, STEP_NEVER_SENT),
	ANSWERS(SENT),
	ROW(REVERSAL, SENT, NO_ORIGINAL, is_too_old, NEEDS_ATTENTION, CLOCK_NONE, 0),
	ROW(REVERSAL, SENT, NO_ORIGINAL, ALWAYS, QUEUED, CLOCK_PAUSE, 0),
	ANSWERS(QUEUED), // an answer to an earlier transmission
	// An answer that comes after all is believed, whatever was thought before.
	ROW(ALL, NEEDS_ATTENTION, ACCEPTED, ALWAYS, ACKNOWLEDGED, CLOCK_NONE, 0),
	ROW(REVERSAL, WITHOUT_ORIGINAL, ACCEPTED, ALWAYS, ACKNOWLEDGED, CLOCK_NONE, 0),
	ROW(REFUND, REFUSED, ACCEPTED, ALWAYS, NEEDS_ATTENTION, CLOCK_NONE, 0),
	ROW(ALL, RESOLVED_FAILED, ACCEPTED, ALWAYS, NEEDS_ATTENTION, CLOCK_NONE, 0),
	ROW(ALL, NEEDS_ATTENTION, RESOLVE_DONE, ALWAYS, RESOLVED_DONE, CLOCK_NONE, 0),
	ROW(ALL, NEEDS_ATTENTION, RESOLVE_FAILED, ALWAYS, RESOLVED_FAILED, CLOCK_NONE, 0),
	ROW(ALL, NEEDS_ATTENTION, RESOLVE_AGAIN, ALWAYS, QUEUED, CLOCK_NOW, STEP_RENEW),
};

const size_t advice_rows_count = sizeof(advice_rows) / sizeof(advice_rows[0]);

static int64_t pause_ms(int tries)
{
	static const int64_t seconds[] = { 5, 15, 60, 5 * 60, 15 * 60 };
	int last = (int)(sizeof(seconds) / sizeof(seconds[0]));

	return (tries < 1 ? 0 : tries <= last ? seconds[tries - 1] : 60 * 60) * 1000;
}

static int64_t due_ms(const struct advice_now *now, enum advice_clock clock)
{
	switch (clock) {
	case CLOCK_ANSWER: return now->now_ms + now->policy->answer_ms;
	case CLOCK_PAUSE: return now->now_ms + pause_ms(now->advice->tries);
	case CLOCK_NOW: return now->now_ms;
	default: return 0;
	}
}

bool advice_is_settled(enum advice_state state)
{
	return state != ADVICE_QUEUED && state != ADVICE_SENT;
}

bool advice_is_over(enum advice_state state)
{
	return advice_is_settled(state) && state != ADVICE_NEEDS_ATTENTION;
}

struct advice_step advice_next(const struct advice *advice, enum advice_event event,
                               int64_t original_deadline_ms, const struct advice_policy *policy,
                               int64_t now_ms)
{
	const struct advice_now now = { advice, original_deadline_ms, policy, now_ms };
	struct advice_step step = { .next = advice->state,
		                    .ignored = true,
		                    .due_ms = advice->due_ms,
		                    .tries = advice->tries,
		                    .transmissions = advice->transmissions };

	for (size_t i = 0; i < advice_rows_count && step.ignored; i++) {
		const struct advice_row *row = &advice_rows[i];
		if (!(row->kinds & 1u << advice->kind) || row->state != advice->state ||
		    row->event != event || (row->when && !row->when(&now)))
			continue;
		step.ignored = false;
		step.next = row->next;
		step.due_ms = due_ms(&now, row->clock);
		step.send = row->flags & STEP_SEND;
		step.renew = row->flags & STEP_RENEW;
		step.tries += step.send;
		step.transmissions += step.send ? 1 : row->flags & STEP_NEVER_SENT ? -1 : 0;
	}
	return step;
}

enum refund_status refund_status_of(enum advice_state state)
{
	switch (state) {
	case ADVICE_ACKNOWLEDGED:
	case ADVICE_RESOLVED_DONE: return REFUND_SUCCEEDED;
	case ADVICE_REFUSED:
	case ADVICE_WITHOUT_ORIGINAL:
	case ADVICE_RESOLVED_FAILED: return REFUND_FAILED;
	default: return REFUND_PENDING;
	}
}

const char *advice_kind_name(enum advice_kind kind)
{
	static const char *const names[] = { "none", "reversal", "capture", "release", "refund" };

	return names[kind];
}

const char *advice_state_name(enum advice_state state)
{
	static const char *const names[] = { "queued",           "sent",
		                             "acknowledged",     "needs_attention",
		                             "without_original", "refused",
		                             "resolved_done",    "resolved_failed" };

	return names[state];
}

const char *advice_event_name(enum advice_event event)
{
	static const char *const names[ADVICE_EVENTS] = {
		"due",        "accepted",     "no_original",    "refused",      "not_sent",
		"unanswered", "resolve_done", "resolve_failed", "resolve_again"
	};

	return names[event];
}
