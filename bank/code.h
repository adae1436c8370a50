// One-time codes of the bank: six digits, kept as a keyed hash that is bound to one transaction,
// good for five minutes, three tries a challenge, three sends that are thirty seconds apart. A new
// code ends the one before.
#pragma once

#include "base/bytes.h"

enum {
	CODE_DIGITS = 6,
	CODE_TRIES = 3,
	CODE_SENDS = 3,
	CODE_LIFE_MS = 5 * 60 * 1000,
	CODE_PAUSE_MS = 30 * 1000,
};

struct code {
	uint8_t hash[32];
	int64_t sent_at_ms;
	unsigned sends;
	unsigned tries; // wrong ones
	bool valid;     // there is a code that was not used
};

enum code_verdict { CODE_RIGHT, CODE_WRONG, CODE_EXPIRED, CODE_USED_UP };

// May another code be sent now?
bool code_may_send(const struct code *code, int64_t now_ms);
// How long until then; 0 when now, -1 when never.
int64_t code_wait_ms(const struct code *code, int64_t now_ms);

// Makes a new code, for which `bound` (the transaction's id) and `key` will be needed again. The
// text is the caller's to send and to wipe.
void code_make(struct code *code, const uint8_t key[static 32], const char *bound, int64_t now_ms,
               char ret_text[static CODE_DIGITS + 1]);

// Compares in constant time. A right code is used up by it; a wrong one counts.
enum code_verdict code_check(struct code *code, const uint8_t key[static 32], const char *bound,
                             struct bytes text, int64_t now_ms);
