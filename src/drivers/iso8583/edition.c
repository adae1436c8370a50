// The editions: their numbers, and how each names an earlier message.
#include "edition.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// DE90: type 4 (written by the caller), DE11 6, DE7 10, DE32 11 and DE33 11 with zeros in front.
static void write_1987(char *to, size_t capacity, const struct reference *reference)
{
	snprintf(to, capacity, "%.6s%.10s%011llu%011d", reference->stan, reference->sent_at,
	         strtoull(reference->acquirer, NULL, 10), 0);
}

// DE56: type 4 (written by the caller), DE11 6, DE12 12, DE32 behind its length.
static void write_1993(char *to, size_t capacity, const struct reference *reference)
{
	snprintf(to, capacity, "%.6s%.12s%02zu%s", reference->stan, reference->local_at,
	         strlen(reference->acquirer), reference->acquirer);
}

// DE56: type 4 (written by the caller), DE11 12, DE12 14, DE32 up to the end: with a length of its
// own the longest one would not fit the 41 digits of the field.
static void write_2003(char *to, size_t capacity, const struct reference *reference)
{
	snprintf(to, capacity, "%012llu20%.12s%s", strtoull(reference->stan, NULL, 10),
	         reference->local_at, reference->acquirer);
}

static const struct edition editions[ISO8583_EDITIONS] = {
	[ISO8583_1987] = { '0', "0800", "00", "40", "000000", false, false, write_1987 },
	[ISO8583_1993] = { '1', "1804", "800", "902", "000000", true, false, write_1993 },
	[ISO8583_2003] = { '2', "2804", "0000", "1015", "330000", true, true, write_2003 },
};

static const struct {
	const char *digits;
	unsigned decimals;
} currencies[] = {
#define CURRENCY(letters, digits, decimals) { digits, decimals },
#include "domain/currencies.def"
#undef CURRENCY
};

bool edition_amount(const struct edition *edition, const char *currency, uint64_t amount,
                    uint64_t *ret_number)
{
	uint64_t one = 1000000000000; // where the currency and its decimals begin

	*ret_number = amount;
	if (!edition->amounts_whole)
		return true;
	for (size_t i = 0; i < sizeof currencies / sizeof currencies[0]; i++)
		if (strncmp(currency, currencies[i].digits, 3) == 0) {
			*ret_number += (strtoull(currencies[i].digits, NULL, 10) * 10 +
			                currencies[i].decimals) *
			               one;
			return true;
		}
	return false;
}

const struct edition *edition_row(enum iso8583_edition edition)
{
	return edition == ISO8583_NO_EDITION ? NULL : &editions[edition];
}
