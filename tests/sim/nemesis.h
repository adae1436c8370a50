// Who makes things go wrong.
#pragma once

#include <stdint.h>

// Chooses from the seed what may go wrong in this run, and how often.
void nemesis_choose(void);
void nemesis_begin(void);
int64_t nemesis_ends_ms(void);
// Mends everything; from now on nothing goes wrong.
void nemesis_end(void);
