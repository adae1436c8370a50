// The lines from core to web and to vault: what is put into them waits until core lets it leave.
#pragma once

#include "core/core.h"

#include <stdbool.h>

void lines_begin(void); // of a run
void lines_end(void);

void lines_answer(uint64_t serial, const struct reply *reply);
void lines_tell_vault(enum wire_number number, const struct wire_value *values);
void lines_drop(void); // core is dead
void lines_drop_to_vault(void);

bool lines_may_leave(void); // something waits
// What waits leaves, one after the other, until core `dies`.
void lines_flush(bool (*dies)(void));
