// Advices: messages that the bank must have in the end (reversal, capture). They repeat on their
// own clock until the bank acknowledges them; none is ever dropped. flows.md, "Advices".
#pragma once

#include "domain/objects.h"

enum advice_event {
	ADVICE_DUE,         // its time has come: send it
	ADVICE_ACCEPTED,    // the bank acknowledged it
	ADVICE_NO_ORIGINAL, // the bank does not know what it is about
	ADVICE_REFUSED,     // any other no
	ADVICE_UNANSWERED,  // not sent, unknown, or its time is over
};

struct advice_policy {
	int64_t answer_ms;      // until the bank must have answered
	int64_t late_window_ms; // how long after the original's deadline it may still arrive at the
	                        // bank
	int64_t attention_ms;   // after this a person is called (24 h)
};

struct advice_step {
	enum advice_state next;
	bool send;      // write it to the bank now, as a repeat when tries was above 0
	int64_t due_ms; // of the next state
	int tries;
};

// True when nothing more is sent.
bool advice_is_settled(enum advice_state state);

// `original_deadline_ms` is when the authorization that the advice is about had to be answered.
struct advice_step advice_next(const struct advice *advice, enum advice_event event,
                               int64_t original_deadline_ms, const struct advice_policy *policy,
                               int64_t now_ms);
