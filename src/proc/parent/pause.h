// How long a program that ended stays down: not at all the first time, then 100 ms, 200 ms, … up to
// ten seconds; a program that ran for a minute begins anew. Pure.
#pragma once

#include <stdint.h>

enum { PAUSE_FIRST_MS = 100, PAUSE_LONGEST_MS = 10000, PAUSE_FORGIVEN_MS = 60000 };

// The pause before the next start of a program that ran for `ran_ms`; `failures` counts the ends
// that are not forgiven yet.
static inline int64_t pause_after(int *failures, int64_t ran_ms)
{
	int64_t pause_ms = PAUSE_FIRST_MS;

	if (ran_ms >= PAUSE_FORGIVEN_MS)
		*failures = 0;
	if ((*failures)++ == 0)
		return 0;
	for (int i = 2; i < *failures && pause_ms < PAUSE_LONGEST_MS; i++)
		pause_ms *= 2;
	return pause_ms < PAUSE_LONGEST_MS ? pause_ms : PAUSE_LONGEST_MS;
}
