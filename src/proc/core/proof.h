// The proof of work that a browser has to bring when the guards ask for one: a number `answer` so
// that SHA-256(nonce ":" answer) begins with so many zero bits. The nonce names the intent, the
// difficulty and the time, under an HMAC, so that nothing has to be kept; each is good once, for
// ten minutes.
#pragma once

#include "core/core.h"

enum { PROOF_NONCE_CAPACITY = 96 };

void proof_nonce(struct core *core, int64_t intent, int bits,
                 char ret_nonce[static PROOF_NONCE_CAPACITY]);
// `proof` is "nonce:answer". True when it is right for this intent with at least so many bits, and
// new.
bool proof_check(struct core *core, int64_t intent, int bits, struct bytes proof);
