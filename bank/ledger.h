// The bank's ledger: accounts of cards, authorizations and what became of them. In memory, and when
// a file is named every event is appended to it and read again at the next start. Amounts are in
// minor units; an account does not tell currencies apart.
#pragma once

#include "cards.h"

#include "base/bytes.h"
#include "base/result.h"

#include <stdint.h>

struct bank_ledger;

// What a card can spend. May be changed by the control page.
struct bank_account {
	int64_t balance_minor; // what was captured is gone from it
	int64_t held_minor;
	int64_t limit_minor; // for one payment
};

enum bank_entry_state {
	BANK_REFUSED_ENTRY,
	BANK_VERIFIED,
	BANK_HELD,
	BANK_CAPTURED,
	BANK_REVERSED
};

#define BANK_KEY 64

// A verification, an authorization or a payment in one message, approved or not, with everything
// that its answer said.
struct bank_entry {
	char key[BANK_KEY]; // of the message (desk.c)
	char number[20];
	char currency[4];
	char rrn[13];
	char terminal[9];
	char merchant[16];
	char code[BANK_CODE];
	char approval_code[7];
	char transaction[16]; // network transaction id
	char cvc_result;      // 0: none
	enum bank_entry_state state;
	int64_t amount_minor;   // what was held at first
	int64_t held_minor;     // what still is
	int64_t captured_minor; // of it
	int64_t reversed_minor; // of it
	int64_t refunded_minor; // of what was captured
	int64_t at_ms;
};

// Money that moved: a line of the settlement file. What was reversed before it was settled has an
// amount of 0 and no line.
struct bank_movement {
	const struct bank_entry *entry;
	bool refund; // else a capture
	char stan[7];
	char approval_code[7];
	int64_t amount_minor;
	int64_t at_ms;
};

// What an advice or a refund was answered.
struct bank_answer {
	char code[BANK_CODE];
	char approval_code[7];
};

// What the ledger adds up to, for those who compare books.
struct bank_totals {
	uint64_t verifications, approvals, refusals, captures, reversals, unknown_reversals,
	        refunds;
	int64_t held_minor, captured_minor, reversed_minor, refunded_minor;
};

// `file` may be NULL. ERROR_SYSTEM: it cannot be opened; ERROR_INPUT: it is not a ledger.
MUST_USE struct result ledger_new(const char *file, struct bank_ledger **ret_ledger);
void ledger_free(struct bank_ledger *ledger);
// Writes out what was appended to the file.
void ledger_flush(struct bank_ledger *ledger);

struct bank_account *ledger_account(struct bank_ledger *ledger, const char *number);

// The entry of a message, NULL when there is none.
struct bank_entry *ledger_find(const struct bank_ledger *ledger, const char *key);
// Notes a verification or an authorization as its state says; holds the money of a BANK_HELD one.
void ledger_add(struct bank_ledger *ledger, const struct bank_entry *entry);
// Takes `amount_minor` of what is held. The rest is let go unless `keep_rest`.
void ledger_capture(struct bank_ledger *ledger, struct bank_entry *entry,
                    const struct bank_movement *movement, bool keep_rest);
// Lets `amount_minor` of what is held go.
void ledger_reverse(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor);
// Gives back `amount_minor` of a payment in one message, as if it had never been captured.
void ledger_undo(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor);
// Gives back a part of what was captured, or all of it.
void ledger_refund(struct bank_ledger *ledger, struct bank_entry *entry,
                   const struct bank_movement *movement);
// A reversal came for a message that never did: should it still come, it is refused.
void ledger_forbid(struct bank_ledger *ledger, const char *key);
bool ledger_is_forbidden(const struct bank_ledger *ledger, const char *key);
// The answers to advices and refunds by their own key, so that a repeat gets the same.
void ledger_note_answer(struct bank_ledger *ledger, const char *key,
                        const struct bank_answer *answer);
const struct bank_answer *ledger_answer(const struct bank_ledger *ledger,
                                        const char *key); // NULL: none

// All entries, oldest first, for the control page and the settlement.
size_t ledger_count(const struct bank_ledger *ledger);
const struct bank_entry *ledger_at(const struct bank_ledger *ledger, size_t index);
// All movements, oldest first; NULL past the end.
const struct bank_movement *ledger_movement(const struct bank_ledger *ledger, size_t index);
// The file's name; NULL when the ledger is in memory alone.
const char *ledger_file(const struct bank_ledger *ledger);
struct bank_totals ledger_totals(const struct bank_ledger *ledger);
