// The table of brands: which number ranges, number lengths and code lengths each has. Adding a
// brand, or a range of one, is one line in brand.c.
#pragma once

#include "base/bytes.h"

enum { CARD_CODE_MAX = 4, CARD_BRAND_NAME_MAX = 16 };

struct card_brand {
	const char *name;    // as the API says it: "visa", "amex", …; "unknown"
	uint32_t first;      // lowest and highest first six digits of the range
	uint32_t last;       //
	uint32_t lengths;    // bit n: a number of n digits exists
	uint8_t code_length; // digits of the code (CVC) on the card
};

// The row of the narrowest range that holds the number's first six digits; the row "unknown" when
// there is none, or when the text is not at least six digits. Never NULL.
const struct card_brand *card_brand_of(struct bytes number);

// The rows by position, NULL after the last; the last row is "unknown".
const struct card_brand *card_brand_at(size_t index);
