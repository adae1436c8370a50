// Two dialects of ISO 8583:1987 over one list of fields (fields_1987.def). ASCII: everything in
// characters, bitmaps and fixed binary fields in hexadecimal. BCD: digits packed (a spare half byte
// is on the left in fixed fields, on the right in variable ones), lengths in BCD, bitmaps binary.
#include "iso8583/dialect.h"

#define TYPE_N ISO8583_N
#define TYPE_XN ISO8583_XN
#define TYPE_AN ISO8583_AN
#define TYPE_ANS ISO8583_ANS
#define TYPE_Z ISO8583_Z
#define TYPE_B ISO8583_B
#define TYPE_RAW ISO8583_B

#define ASCII_N ISO8583_ASCII
#define ASCII_XN ISO8583_ASCII
#define ASCII_AN ISO8583_ASCII
#define ASCII_ANS ISO8583_ASCII
#define ASCII_Z ISO8583_ASCII
#define ASCII_B ISO8583_HEX
#define ASCII_RAW ISO8583_BINARY

#define BCD_N ISO8583_BCD
#define BCD_XN ISO8583_BCD
#define BCD_AN ISO8583_ASCII
#define BCD_ANS ISO8583_ASCII
#define BCD_Z ISO8583_BCD
#define BCD_B ISO8583_BINARY
#define BCD_RAW ISO8583_BINARY

#define PAD_N ISO8583_PAD_LEFT_ZERO
#define PAD_XN ISO8583_PAD_LEFT_ZERO
#define PAD_AN ISO8583_PAD_RIGHT_SPACE
#define PAD_ANS ISO8583_PAD_RIGHT_SPACE
#define PAD_Z ISO8583_PAD_NONE
#define PAD_B ISO8583_PAD_NONE
#define PAD_RAW ISO8583_PAD_NONE

#define ODD(prefix_digits) ((prefix_digits) > 0 ? ISO8583_ODD_RIGHT : ISO8583_ODD_LEFT)

const struct iso8583_dialect iso8583_1987_ascii = {
	.name = "1987-ascii",
	.mti = ISO8583_ASCII,
	.bitmap = ISO8583_HEX,
	.fields = {
#define FIELD(number, kind, longest, prefix_digits, shown, title)                                  \
	[number] = { title,         longest,    TYPE_##kind,        ASCII_##kind,   prefix_digits, \
		     ISO8583_ASCII, PAD_##kind, ODD(prefix_digits), ISO8583_##shown },
#include "fields_1987.def"
#undef FIELD
	},
};

const struct iso8583_dialect iso8583_1987_bcd = {
	.name = "1987-bcd",
	.mti = ISO8583_BCD,
	.bitmap = ISO8583_BINARY,
	.fields = {
#define FIELD(number, kind, longest, prefix_digits, shown, title)                                  \
	[number] = { title,       longest,    TYPE_##kind,        BCD_##kind,     prefix_digits,   \
		     ISO8583_BCD, PAD_##kind, ODD(prefix_digits), ISO8583_##shown },
#include "fields_1987.def"
#undef FIELD
	},
};

const struct iso8583_dialect *iso8583_dialect_named(struct bytes name)
{
	static const struct iso8583_dialect *const dialects[] = { &iso8583_1987_ascii,
		                                                  &iso8583_1987_bcd };

	for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++)
		if (bytes_equal_text(name, dialects[i]->name))
			return dialects[i];
	return NULL;
}
