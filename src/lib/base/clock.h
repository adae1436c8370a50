// The only readers of the clock. Pure code (lib/domain) gets the time as a parameter instead.
#pragma once

#include <stdint.h>

// Milliseconds since 1970 in UTC: for what is stored, sent and shown.
int64_t clock_wall_ms(void);
// Milliseconds that never go back: for durations and time-outs inside one program.
int64_t clock_monotonic_ms(void);
// The same in microseconds.
int64_t clock_monotonic_us(void);
