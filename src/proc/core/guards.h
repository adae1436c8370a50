// The guards against trying out cards (product.md): what is asked before a card is opened, what
// needs the card's fingerprint, and how each link ended.
#pragma once

#include "core/core.h"
#include "domain/objects.h"

enum { GUARD_WINDOW = 100 };

// How the last links of the whole shop ended, newest first in the store; here as a ring, so that a
// link does not read a hundred rows. Filled from the store when it is looked at first.
struct guard_window {
	bool refused[GUARD_WINDOW];
	int count, next;
	int64_t refusals, last_ms;
	bool known;
};

struct guard_verdict {
	int problem;      // 0: go on
	int64_t again_ms; // PROBLEM_TOO_MANY_TRIES: when
	int proof_bits;   // above 0: with this proof of work only
};
// How a link ended, as the table trials keeps it.
enum trial {
	TRIAL_LINKED = 0,
	TRIAL_WRONG = 1,         // counts for shopper, address and card; no issuer was asked
	TRIAL_OTHER = 2,         // counts for nobody
	TRIAL_REFUSED_WRONG = 3, // counts for all, the whole shop too: the issuer said so
	TRIAL_REFUSED = 4,       // counts for the whole shop only
	TRIAL_LINKED_AGAIN = 5,  // a card that was on file already
};
// What is asked before a card is opened, and what needs the card's fingerprint.
struct guard_verdict guards_before(struct core *core, int64_t customer, const char *address);
struct guard_verdict guards_card(struct core *core, int64_t customer, struct bytes fingerprint);
void guards_note(struct core *core, const struct attempt *attempt, const char *address,
                 enum trial trial);
// Percent of the last links that issuers refused; 0 while there are too few to tell.
int guards_refused_percent(struct core *core);
