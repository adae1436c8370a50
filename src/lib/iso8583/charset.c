// The character sets of the field types, as one table of bits.
#include "iso8583/charset.h"

enum { DIGIT = 1, LETTER = 2, SPACE = 4, OTHER = 8, TRACK = 16, ALL = 32 };

// clang-format off
static const uint8_t classes[256] = {
	[0x00 ... 0x1f] = ALL,
	[' '] = SPACE | ALL,
	['!' ... '/'] = OTHER | ALL,
	['0' ... '9'] = DIGIT | TRACK | ALL,
	[':' ... '?'] = OTHER | TRACK | ALL,
	['@'] = OTHER | ALL,
	['A' ... 'Z'] = LETTER | ALL,
	['[' ... '`'] = OTHER | ALL,
	['a' ... 'z'] = LETTER | ALL,
	['{' ... '~'] = OTHER | ALL,
	[0x7f ... 0xff] = ALL,
};
// clang-format on

static const uint8_t allowed[ISO8583_TYPES] = {
	[ISO8583_UNUSED] = 0,
	[ISO8583_N] = DIGIT,
	[ISO8583_XN] = DIGIT,
	[ISO8583_A] = LETTER | SPACE,
	[ISO8583_AN] = DIGIT | LETTER | SPACE,
	[ISO8583_NS] = DIGIT | SPACE | OTHER,
	[ISO8583_ANS] = DIGIT | LETTER | SPACE | OTHER,
	[ISO8583_Z] = TRACK,
	[ISO8583_B] = ALL,
};

bool iso8583_fits_slowly(enum iso8583_type type, struct bytes value)
{
	uint8_t set = allowed[type];
	bool fits = true;

	if (type == ISO8583_B)
		return true;
	if (type == ISO8583_XN) {
		if (value.length == 0 || (value.data[0] != 'C' && value.data[0] != 'D'))
			return false;
		value = bytes_slice(value, 1, value.length);
	}
	for (size_t i = 0; i < value.length; i++)
		fits &= (classes[value.data[i]] & set) != 0;
	return fits;
}
