// Card numbers as texts: what is right about them, whose they are, what may be shown of them. A
// number is 12 to 19 decimal digits (ISO/IEC 7812-1) and nothing else: spaces and hyphens are the
// page's to remove. Nothing here keeps or prints a number.
#pragma once

#include "base/bytes.h"
#include "card/brand.h"

enum {
	CARD_NUMBER_MIN = 12,
	CARD_NUMBER_MAX = 19,
	CARD_LAST4 = 4,
	CARD_MASKED_MAX = CARD_NUMBER_MAX + 1, // with the terminating zero
};

// True when the last digit is the check digit of those before it (ISO/IEC 7812-1 annex B). Digits
// only.
bool card_luhn(struct bytes number);

// True when the number is digits, its length is one that its brand has (12 to 19 where the brand is
// not known) and its check digit fits. *ret_brand is the brand's row, CARD_UNKNOWN's when no range
// fits; NULL is allowed.
bool card_number_is_valid(struct bytes number, const struct card_brand **ret_brand);

// The last four digits and a zero. The number must be valid.
void card_last4(struct bytes number, char ret_last4[static CARD_LAST4 + 1]);

// First six and last four digits with '*' between: never more, and of a number shorter than 14
// digits fewer of the first ones, so that at least four stay hidden (PCI DSS 3.4.1). The number
// must be valid.
void card_mask(struct bytes number, char ret_masked[static CARD_MASKED_MAX]);

// True when the code on the card has the length that the brand uses, digits only.
bool card_code_is_valid(struct bytes code, const struct card_brand *brand);
