// Single values, read from the wire and written to it: what unpack.c and pack.c do with fields and
// part.c with parts. Inside the codec only.
#pragma once

#include "base/result.h"
#include "iso8583/dialect.h"

// How a value is read and written, made of type and encoding when the dialect is read.
enum iso8583_way {
	ISO8583_WAY_PLAIN,
	ISO8583_WAY_BCD,
	ISO8583_WAY_TRACK,  // BCD of 0x30 to 0x3f
	ISO8583_WAY_SIGNED, // a character, then BCD
	ISO8583_WAY_HEX,
	ISO8583_WAY_EBCDIC,
};

// What a length prefix says, as the length of the value.
enum iso8583_convert {
	ISO8583_SAME,
	ISO8583_TWICE,  // bytes of BCD: two characters each
	ISO8583_SIGNED, // bytes of a sign and BCD
	ISO8583_HALF,   // hexadecimal characters: two for each byte
};

// What is left of the wire, and of the room for values that have to be decoded.
struct iso8583_reader {
	const uint8_t *at;
	size_t left;
	uint8_t *room;
	size_t room_left;
};

// Takes a field off the front: length prefix and value. ERROR_INPUT: it is not one.
MUST_USE struct result iso8583_read_field(struct iso8583_reader *reader,
                                          const struct iso8583_field *field,
                                          struct bytes *ret_value);
// Takes only the length prefix; what it counts is the dialect's choice.
MUST_USE struct result iso8583_read_length(struct iso8583_reader *reader,
                                           const struct iso8583_field *field, size_t *ret_count);
// Takes a value whose length was said elsewhere, in the field's own unit (field->count).
MUST_USE struct result iso8583_read_counted(struct iso8583_reader *reader,
                                            const struct iso8583_field *field, size_t count,
                                            struct bytes *ret_value);
// How many bytes of the wire a count of the field's unit is.
size_t iso8583_counted_bytes(const struct iso8583_field *field, size_t count);

struct iso8583_writer {
	uint8_t *at;
	size_t left;
};

// Writes a value with its length prefix, if it has one. ERROR_INPUT: it does not fit the field;
// ERROR_LIMIT: no room left.
MUST_USE struct result iso8583_write_field(struct iso8583_writer *writer,
                                           const struct iso8583_field *field, struct bytes value);
// Writes the length prefix alone.
MUST_USE struct result iso8583_write_length(struct iso8583_writer *writer,
                                            const struct iso8583_field *field, size_t count);
// Writes the value alone. `ret_count`: its length in the field's unit.
MUST_USE struct result iso8583_write_value(struct iso8583_writer *writer,
                                           const struct iso8583_field *field, struct bytes value,
                                           size_t *ret_count);

// Fills in the computed members of a field.
void iso8583_prepare(struct iso8583_field *field);
