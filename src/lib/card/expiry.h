// Expiry dates. A card is good until the end of its month anywhere on Earth. The clock is the
// caller's.
#pragma once

#include <stdint.h>

enum card_expiry {
	CARD_EXPIRY_GOOD,
	CARD_EXPIRY_BAD_MONTH, // not 1 to 12
	CARD_EXPIRY_BAD_YEAR,  // before 2000, or more than 50 years ahead: not a date on a card
	CARD_EXPIRY_OVER,
};

// `year` has four digits. `now_ms` is Unix time in milliseconds.
enum card_expiry card_expiry_check(int64_t month, int64_t year, int64_t now_ms);
