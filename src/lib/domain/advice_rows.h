// The rows of the advices' machines, for advice.c and for the drawing of docs/states.md. Inside of
// lib/domain only.
#pragma once

#include "domain/advice.h"

struct advice_now {
	const struct advice *advice;
	int64_t original_deadline_ms;
	const struct advice_policy *policy;
	int64_t now_ms;
};

enum advice_clock {
	CLOCK_NONE,   // nothing happens by itself
	CLOCK_ANSWER, // the bank has to answer
	CLOCK_PAUSE,  // before it is sent again: 5 s, 15 s, 1 min, 5 min, 15 min, then hourly
	CLOCK_NOW,
};

enum { STEP_SEND = 1, STEP_NEVER_SENT = 2, STEP_RENEW = 4 };

struct advice_row {
	unsigned kinds; // bit 1 << kind for each kind that has this row
	enum advice_state state;
	enum advice_event event;
	bool (*when)(const struct advice_now *now); // NULL: always
	const char *condition;                      // its name
	enum advice_state next;
	enum advice_clock clock;
	int flags; // STEP_…
};

extern const struct advice_row advice_rows[];
extern const size_t advice_rows_count;
