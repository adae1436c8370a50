// Who makes things go wrong.
#pragma once

#include <stdint.h>

// Chooses from the seed what may go wrong in this run, and how often.
void nemesis_choose(void);
void nemesis_begin(void);
int64_t nemesis_ends_ms(void);
// Something that was written becomes durable within this time: the power may go before.
void nemesis_disk_is_behind(int64_t for_ms);
// Core died and is started again after this time: the power may go before.
void nemesis_core_died(int64_t for_ms);
// Mends everything; from now on nothing goes wrong.
void nemesis_end(void);
