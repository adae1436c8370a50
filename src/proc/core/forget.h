// What nobody looks at any more is forgotten: rows for the guards, of which each link leaves two,
// and pages' sessions that are over. There may be millions: a few rows at a time.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core;

// How far a walk of the used cards has come; all zero at its beginning.
struct forget {
	uint8_t last[32];
	size_t length;
};

// To be called once an hour, and then forget_some() while it says that there is more.
void forget_begin(struct core *core);
bool forget_some(struct core *core);
