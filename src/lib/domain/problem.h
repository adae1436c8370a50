// Outcomes that are not a success: what they are called in the API, who can fix them, what a
// shopper is told. The rows are in problem.def; this only looks them up and fills in what a
// sentence leaves open. Pure: no clock, no language detection.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "domain/problem.def"

#include <stdbool.h>

enum problem {
	PROBLEM_NONE = 0,
#define PROBLEM_ENUM(name, number, ...) PROBLEM_##name = number,
	PROBLEM_ROWS(PROBLEM_ENUM)
#undef PROBLEM_ENUM
};

enum problem_flag {
	PROBLEM_COUNTS = 1,      // what a guesser could learn from: counts for the guards of a link
	PROBLEM_ISSUER = 2,      // the issuer said so
	PROBLEM_HIDDEN = 4,      // lost, stolen, fraud: a shopper must not see the difference
	PROBLEM_INTENT_CODE = 8, // the code begins with setup_intent_ or payment_intent_
	PROBLEM_DRIVER = 16,     // found by decline_code
};

enum problem_who { WHO_SHOPPER, WHO_BANK, WHO_SHOP, WHO_OPERATOR, WHO_WAIT };
enum problem_again {
	AGAIN_NOW,
	AGAIN_AFTER_CALL,
	AGAIN_LATER,
	AGAIN_MINUTES,
	AGAIN_AT,
	AGAIN_NEVER
};
enum problem_language { PROBLEM_ENGLISH, PROBLEM_RUSSIAN, PROBLEM_LANGUAGES };
// What the shopper was doing: some sentences and codes depend on it.
enum problem_deed { PROBLEM_LINK, PROBLEM_PAYMENT, PROBLEM_DEEDS };

// What rows of one kind have in common.
struct problem_group {
	enum problem_who who;
	enum problem_again again;
	const char *titles[PROBLEM_LANGUAGES];
	const char *sentences[PROBLEM_DEEDS][PROBLEM_LANGUAGES];
};

// All texts are static and never NULL; "" is none.
struct problem_row {
	enum problem problem;
	const char *name; // "LOST_CARD", for support and the log
	const struct problem_group *group;
	const char *type, *code, *decline_code;
	int status; // HTTP
	const char *advice_code, *field;
	int flags;
};

// The row of a problem. A number that is no row's (an old store, 0) is our fault: OUR_FAULT.
const struct problem_row *problem_row(int problem);
// The row that a shopper may see: lost, stolen and fraud look like any other refusal.
const struct problem_row *problem_shown(int problem);
// The code for the API: setup_intent_authentication_failure, …
const char *problem_code(const struct problem_row *row, enum problem_deed deed);
// All rows in their order, for tests and documents; NULL past the end.
const struct problem_row *problem_at(size_t index);

// The problem that a driver's decline_code means (docs/drivers.md); unknown ones are
// GENERIC_DECLINE: the bank refuses.
enum problem problem_of_decline(struct bytes decline_code);
// The problem that vault names when a card cannot be opened (CARD_OPENED_PROBLEM): unreadable,
// other_intent, stale, invalid_number, … Unknown ones are UNREADABLE.
enum problem problem_of_opening(struct bytes name);

const char *problem_who_name(enum problem_who who);       // "shopper", …
const char *problem_again_name(enum problem_again again); // "after_call", …

// What a sentence leaves open. NULL is ""; without a time the sentence that would say it is left
// out.
struct problem_fill {
	const char *time;      // "14:05"
	const char *support;   // whom to write to
	const char *reference; // the short code of the attempt
};

// Appends the sentence for the shopper, UTF-8.
void problem_sentence(struct buffer *buffer, const struct problem_row *row, enum problem_deed deed,
                      enum problem_language language, const struct problem_fill *fill);
