// The ranges of the card brands, by the first six digits. Sources: ISO/IEC 7812-1 for the form, the
// brands' public documents for the ranges. Where ranges lie inside one another the narrowest
// counts, so that their order here does not matter.
#include "card/brand.h"

#define LENGTH(n) (1u << (n))
#define FROM_TO(low, high) ((LENGTH((high) + 1) - 1) & ~(LENGTH(low) - 1))

// clang-format off
static const struct card_brand brands[] = {
	// name          first   last    lengths                       code
	{ "visa",        400000, 499999, LENGTH(13) | LENGTH(16) | LENGTH(19), 3 },
	{ "mastercard",  510000, 559999, LENGTH(16),                   3 },
	{ "mastercard",  222100, 272099, LENGTH(16),                   3 },
	{ "mir",         220000, 220499, FROM_TO(16, 19),              3 },
	{ "amex",        340000, 349999, LENGTH(15),                   4 },
	{ "amex",        370000, 379999, LENGTH(15),                   4 },
	{ "unionpay",    620000, 629999, FROM_TO(16, 19),              3 },
	{ "unionpay",    810000, 817199, FROM_TO(16, 19),              3 },
	{ "jcb",         352800, 358999, FROM_TO(16, 19),              3 },
	{ "diners",      300000, 305999, FROM_TO(14, 19),              3 },
	{ "diners",      309500, 309599, FROM_TO(14, 19),              3 },
	{ "diners",      360000, 369999, FROM_TO(14, 19),              3 },
	{ "diners",      380000, 399999, FROM_TO(14, 19),              3 },
	{ "discover",    601100, 601199, FROM_TO(16, 19),              3 },
	{ "discover",    644000, 659999, FROM_TO(16, 19),              3 },
	{ "maestro",     500000, 509999, FROM_TO(12, 19),              3 },
	{ "maestro",     560000, 589999, FROM_TO(12, 19),              3 },
	{ "maestro",     600000, 601099, FROM_TO(12, 19),              3 },
	{ "maestro",     601200, 619999, FROM_TO(12, 19),              3 },
	{ "maestro",     630000, 639999, FROM_TO(12, 19),              3 },
	{ "maestro",     660000, 699999, FROM_TO(12, 19),              3 },
	{ "unknown",     0,      999999, FROM_TO(12, 19),              3 },
};
// clang-format on

enum { BRANDS = sizeof(brands) / sizeof(brands[0]), PREFIX_DIGITS = 6 };

const struct card_brand *card_brand_at(size_t index)
{
	return index < BRANDS ? &brands[index] : NULL;
}

const struct card_brand *card_brand_of(struct bytes number)
{
	const struct card_brand *found = &brands[BRANDS - 1];
	uint32_t prefix = 0;

	if (number.length < PREFIX_DIGITS)
		return found;
	for (size_t i = 0; i < PREFIX_DIGITS; i++) {
		uint8_t digit = number.data[i];
		if (digit < '0' || digit > '9')
			return found;
		prefix = prefix * 10 + (uint32_t)(digit - '0');
	}
	for (size_t i = 0; i < BRANDS; i++)
		if (prefix >= brands[i].first && prefix <= brands[i].last &&
		    brands[i].last - brands[i].first < found->last - found->first)
			found = &brands[i];
	return found;
}
