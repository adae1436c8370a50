// A dialect of ISO 8583 is data: for every field its type, length, length prefix, encoding,
// padding, content and secrecy, each an independent column. The codec (codec.h) and the reader of
// nested content (part.h) are driven by this table alone. Dialects are text files
// (docs/iso8583-dialects.md); those that come with the code are in dialects/.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "iso8583/roles.h"

#include <stdint.h>

#define ISO8583_FIELDS 192
// The largest dialect file, and how many parts of fields one may describe.
#define ISO8583_DIALECT_MAX (256 * 1024)
#define ISO8583_PARTS_MAX 2048

// Which characters a value may hold. Values are always handled in this form (digits as the
// characters 0 to 9), however they are encoded on the wire.
enum iso8583_type {
	ISO8583_UNUSED, // the dialect does not have the field
	ISO8583_N,      // digits
	ISO8583_XN,     // C or D, then digits; the sign counts in `max`
	ISO8583_A,      // letters and the space that pads
	ISO8583_AN,     // letters, digits and the space that pads
	ISO8583_NS,     // digits and special characters
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
	ISO8583_EBCDIC_037,
	ISO8583_EBCDIC_1047,
	ISO8583_EBCDIC_HEX, // as HEX, the characters in EBCDIC
	ISO8583_ENCODINGS,
};

// What a length prefix counts. They differ for BCD (digits or bytes) and for hexadecimal
// (characters or the bytes that they stand for).
enum iso8583_count { ISO8583_COUNT_VALUE, ISO8583_COUNT_CHARACTERS, ISO8583_COUNT_BYTES };

// On which side a value that is shorter than its fixed length is filled.
enum iso8583_padding { ISO8583_PAD_NONE, ISO8583_PAD_LEFT, ISO8583_PAD_RIGHT };

// Where the spare half byte of an odd number of BCD digits is.
enum iso8583_odd { ISO8583_ODD_LEFT, ISO8583_ODD_RIGHT };

// What a log may show of the field (codec.h, iso8583_describe).
enum iso8583_secrecy { ISO8583_HIDDEN, ISO8583_PRINTABLE };

// The last three are computed when the dialect is read, so that the codec does not have to.
struct iso8583_field {
	const char *name;
	uint32_t max; // digits, characters or bytes (of the value, not of the wire)
	uint8_t type; // enum iso8583_type
	uint8_t encoding;
	uint8_t prefix;          // positions of the length prefix (L to LLLLLL); 0: fixed length
	uint8_t prefix_encoding; // ISO8583_ASCII, BCD, BINARY or EBCDIC_037
	uint8_t count;
	uint8_t padding;
	uint8_t pad; // the character that fills
	uint8_t odd;
	uint8_t filler; // the spare half byte: 0 to 15
	uint8_t secrecy;
	uint16_t content; // which of the dialect's contents is inside, from 1; 0: none
	uint16_t next;    // the next part of the same content, from 1; 0: the last
	uint32_t key;     // of a part: its tag as it is on the wire, its bit, or its position
	uint8_t prefix_bytes;
	uint8_t way;     // enum iso8583_way (value.h)
	uint8_t convert; // enum iso8583_convert (value.h)
};

enum iso8583_content_kind {
	ISO8583_POSITIONAL, // the parts one after the other
	ISO8583_TAGGED,     // tag, length, value
	ISO8583_BER,        // BER-TLV, as EMV has it
	ISO8583_BITMAP,     // a bitmap of its own, then the parts whose bits are set
	ISO8583_CONTENTS,
};

// What is inside a field or a part. Contents are written in the decoded form of the field that
// holds them.
struct iso8583_content {
	uint8_t kind;
	uint8_t tag_bytes; // ISO8583_TAGGED: bytes of a tag; ISO8583_BITMAP: bytes of the bitmap
	uint8_t tag_encoding;
	bool chained; // ISO8583_BITMAP: the first bit says that another bitmap follows it
	struct iso8583_field
	        unknown;      // length prefix of TAGGED; what a part not named here is read as
	uint16_t first, last; // its parts, from 1; 0: none
};

// Where the third bitmap is.
enum iso8583_third { ISO8583_THIRD_NONE, ISO8583_THIRD_NEXT, ISO8583_THIRD_FIELD_65 };

struct iso8583_dialect {
	char name[32];
	const char *title;
	struct iso8583_field mti;
	uint8_t bitmap; // ISO8583_BINARY, HEX or EBCDIC_HEX
	uint8_t third;  // enum iso8583_third
	uint8_t maps;   // 0: as bits 1 and 65 say; else always so many, and those bits are not used
	bool refuse_unknown; // fields and parts that the dialect does not have are errors
	struct iso8583_field fields[ISO8583_FIELDS + 1]; // by number; 0 and 1 are unused
	struct iso8583_field *parts;                     // of all contents
	struct iso8583_content *contents;
	char *texts;
	struct iso8583_roles roles; // for who builds messages; the codec does not look at it
};

// A mistake in a dialect file. Lines and columns count from 1; line 0 is the file as a whole.
struct iso8583_mistake {
	size_t line, column;
	char text[200]; // what is wrong and what to write instead, one sentence; printable
};

// Makes a dialect of a file's text. ERROR_INPUT: a mistake, the first one is in ret_mistake;
// ERROR_LIMIT: longer than ISO8583_DIALECT_MAX. The text is not needed afterwards.
MUST_USE struct result iso8583_dialect_read(struct bytes text, struct iso8583_dialect **ret_dialect,
                                            struct iso8583_mistake *ret_mistake);
// Accepts NULL.
void iso8583_dialect_free(struct iso8583_dialect *dialect);
// For cleanup(iso8583_dialect_done).
static inline void iso8583_dialect_done(struct iso8583_dialect **where)
{
	iso8583_dialect_free(*where);
	*where = NULL;
}

// Calls `tell` for every mistake in a dialect file, in the order of lines, and returns how many
// there are.
size_t iso8583_dialect_lint(struct bytes text,
                            void (*tell)(void *context, const struct iso8583_mistake *mistake),
                            void *context);

// The text of a dialect that comes with the code ("1987-ascii", "1987-bcd", "1993-bcd", "cmf");
// BYTES_NONE for an unknown name. `iso8583_dialect_shipped(i)` is the i-th name, NULL after the
// last.
struct bytes iso8583_dialect_text(struct bytes name);
const char *iso8583_dialect_shipped(size_t i);

// Reads a shipped dialect by name; ERROR_NOT_FOUND for an unknown one. The caller frees it.
MUST_USE struct result iso8583_dialect_find(struct bytes name,
                                            struct iso8583_dialect **ret_dialect);

// What is inside the field; NULL when the dialect does not say.
static inline const struct iso8583_content *iso8583_content_of(
        const struct iso8583_dialect *dialect, const struct iso8583_field *field)
{
	return field->content > 0 ? &dialect->contents[field->content - 1] : NULL;
}

// The part of a content with this key; NULL when the dialect does not have it.
const struct iso8583_field *iso8583_part_of(const struct iso8583_dialect *dialect,
                                            const struct iso8583_content *content, uint32_t key);
