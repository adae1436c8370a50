// A dialect of ISO 8583 is data: for every field its type, length, length prefix, encoding,
// padding and secrecy, each an independent column. The codec (codec.h) is driven by this table
// alone. Dialects that come with the code are in dialect_1987.c; the struct holds nothing that a
// file could not say.
#pragma once

#include "base/bytes.h"

#include <stdint.h>

#define ISO8583_FIELDS 128

// Which characters a value may hold. Values are always handled in this form (digits as the
// characters 0 to 9), however they are encoded on the wire.
enum iso8583_type {
	ISO8583_UNUSED, // the dialect does not have the field
	ISO8583_N,      // digits
	ISO8583_XN,     // C or D, then digits; the sign counts in `max`
	ISO8583_AN,     // letters, digits and the space that pads
	ISO8583_ANS,    // printable characters
	ISO8583_Z,      // track data: 0x30 to 0x3f, so that a nibble is a character
	ISO8583_B,      // any bytes
	ISO8583_TYPES,
};

enum iso8583_encoding {
	ISO8583_ASCII,
	ISO8583_BCD,    // two characters a byte
	ISO8583_BINARY, // as it is
	ISO8583_HEX,    // bytes as two hexadecimal characters each
};

// What fills a value that is shorter than its fixed length.
enum iso8583_padding { ISO8583_PAD_NONE, ISO8583_PAD_LEFT_ZERO, ISO8583_PAD_RIGHT_SPACE };

// Where the spare half byte of an odd number of BCD digits is; it holds a zero.
enum iso8583_odd { ISO8583_ODD_LEFT, ISO8583_ODD_RIGHT };

// What a log may show of the field (codec.h, iso8583_describe).
enum iso8583_secrecy { ISO8583_HIDDEN, ISO8583_PRINTABLE };

struct iso8583_field {
	const char *name;
	uint16_t max; // digits, characters or bytes (of the value, not of the wire)
	uint8_t type; // enum iso8583_type
	uint8_t encoding;
	uint8_t prefix;          // digits of the length prefix (L to LLLLLL); 0: fixed length
	uint8_t prefix_encoding; // ISO8583_ASCII or ISO8583_BCD; it counts what `max` counts
	uint8_t padding;
	uint8_t odd;
	uint8_t secrecy;
};

struct iso8583_dialect {
	const char *name;
	uint8_t mti;    // encoding of the message type: ISO8583_ASCII or ISO8583_BCD
	uint8_t bitmap; // ISO8583_BINARY or ISO8583_HEX
	struct iso8583_field fields[ISO8583_FIELDS + 1]; // by number; 0 and 1 are unused
};

extern const struct iso8583_dialect iso8583_1987_ascii;
extern const struct iso8583_dialect iso8583_1987_bcd;

// "1987-ascii", "1987-bcd"; NULL for an unknown name.
const struct iso8583_dialect *iso8583_dialect_named(struct bytes name);
