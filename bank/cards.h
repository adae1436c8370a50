// The cards that the bank has issued: a table of numbers and ranges with how each behaves, and what
// the control page changed since (an override of one number). Documented for people on /control.
#pragma once

#include "base/bytes.h"

#include <stdint.h>

// Room for what DE39 says: two characters of 1987, by which the desk goes, or the three or four
// digits of the host's own edition that the control page named.
enum { BANK_CODE = 5 };

// How 3-D Secure goes for the card.
enum bank_challenge {
	BANK_FRICTIONLESS,
	BANK_CODE_BY_SMS,
	BANK_TAP_IN_APP,
	BANK_DECOUPLED,    // tap within a day, without a challenge window
	BANK_ATTEMPTED,    // transStatus A
	BANK_REFUSED,      // transStatus N, without a challenge
	BANK_UNAVAILABLE,  // transStatus U
	BANK_NOT_ENROLLED, // no 3-D Secure for this range
	BANK_DS_FAILS,     // the directory server answers with an error
};

// What goes wrong with the host's answer; the message itself has been processed.
enum bank_fault {
	BANK_FAULT_NONE,
	BANK_FAULT_SILENT,     // no answer
	BANK_FAULT_LATE,       // the answer comes after host.h's late_ms
	BANK_FAULT_TWICE,      // the answer comes twice
	BANK_FAULT_WRONG_STAN, // the answer carries another DE11
	BANK_FAULT_HALF_FRAME, // half of the answer, then nothing; the line is closed
	BANK_FAULT_HANG_UP,    // the line is closed instead of an answer
	BANK_FAULT_GARBAGE,    // a frame of the right length with nonsense in it
	BANK_FAULT_WRONG_MAC,  // on a line with MACs: a wrong one
	BANK_FAULT_COUNT,
};

// How a card behaves; all of it can be changed on the control page. Response codes are DE39.
struct bank_behaviour {
	enum bank_challenge challenge;
	char verify_code[BANK_CODE];  // "00" where the card data is right
	char payment_code[BANK_CODE]; // "00" where there is money
	char advice_code[BANK_CODE];  // of captures, reversals and refunds; empty or "00": as the
	                              // ledger says
	char cvc_result; // 0: compare with the card's code; else the answer, 'M', 'N', 'P', 'U'
	bool verify_wants_proof; // 1A unless the message brings a value of our access control
	                         // server
	bool payment_wants_proof;
	bool first_wants_proof; // payments with a card that is not on file yet
	enum bank_fault verify_fault;
	enum bank_fault payment_fault;
	enum bank_fault advice_fault; // captures and reversals
};

// One row of the table: the numbers from `first` to `last`, as long as these, that pass Luhn.
struct bank_card_row {
	const char *first, *last;
	const char *brand; // "visa", "mastercard", "mir", "amex", "unionpay", "discover", "diners",
	                   // "jcb"
	struct bank_behaviour behaviour;
	const char *note; // one sentence for the control page
};

struct bank_card {
	char number[20];
	const struct bank_card_row *row;
	const char *cvc; // "123", or "1234"
	struct bank_behaviour behaviour;
};

struct bank_cards;

struct bank_cards *bank_cards_new(void);
void bank_cards_free(struct bank_cards *cards);

// Is there such a card? `number` is digits. Luhn is checked.
bool bank_cards_find(const struct bank_cards *cards, struct bytes number,
                     struct bank_card *ret_card);

// Gives an issued card another behaviour from now on, or its own again (NULL). False when there is
// no such card.
bool bank_cards_change(struct bank_cards *cards, struct bytes number,
                       const struct bank_behaviour *behaviour);

// The table, for the control page and for the ranges that the directory server knows. NULL past the
// end.
const struct bank_card_row *bank_cards_row(size_t index);

// "silent", "late", … and back; bank_fault_read() is false for an unknown name.
const char *bank_fault_name(enum bank_fault fault);
bool bank_fault_read(struct bytes name, enum bank_fault *ret_fault);
const char *bank_challenge_name(enum bank_challenge challenge);
bool bank_challenge_read(struct bytes name, enum bank_challenge *ret_challenge);
