// What differs between the editions of ISO 8583 and is no matter of fields, one row each. Where
// values go is the dialect's to say (iso8583/roles.h).
#pragma once

#include "iso8583/roles.h"

#include <stddef.h>
#include <stdint.h>

// The message that another one is about.
struct reference {
	const char *stan;     // 6 digits
	const char *sent_at;  // 10, DE7
	const char *local_at; // 12; only where the edition has `original_local`
	const char *acquirer; // up to 11, ends with a zero
};

struct edition {
	char digit;           // the first one of every message type
	char network_mti[5];  // of our own messages
	const char *accepted; // DE39: what we say to a network message of the bank,
	const char *refused;  // and what to one that we cannot do
	const char *verify;   // DE3 of a verification, unless the connection says otherwise
	bool original_local;  // the original is named by its local time
	bool amounts_whole;   // an amount begins with its currency and its number of decimals
	void (*write_original)(char *to, size_t capacity, const struct reference *reference);
};

// How many digits an amount has.
enum { AMOUNT_DIGITS = 12, WHOLE_AMOUNT_DIGITS = 16 };

// The amount as the edition writes it, as a number of 12 or 16 digits. False: nobody knows how many
// decimals this currency (three digits) has.
bool edition_amount(const struct edition *edition, const char *currency, uint64_t amount,
                    uint64_t *ret_number);

// NULL when the driver builds no messages of this edition.
const struct edition *edition_row(enum iso8583_edition edition);
