// Writing a message: the mirror of unpack.c. A value is looked at by type and length before a byte
// of it is written.
#include "iso8583/charset.h"
#include "iso8583/codec.h"
#include "iso8583/ebcdic.h"
#include "iso8583/value.h"

#include <endian.h>

#define NO_ROOM FAIL(ERROR_LIMIT, "the message does not fit its buffer")
#define BIT_1 ((uint64_t)1 << 63)

static uint8_t *take(struct iso8583_writer *writer, size_t length)
{
	uint8_t *taken = writer->at;

	writer->at += length;
	writer->left -= length;
	return taken;
}

#define EACH_BYTE(value) ((uint64_t)(value)*0x0101010101010101u)

// Eight characters of 0x30 to 0x3f as four bytes.
static inline void squeeze(const uint8_t *from, uint8_t *to)
{
	uint64_t wide;

	memcpy(&wide, from, sizeof wide);
	wide = be64toh(wide) & EACH_BYTE(15);
	wide = (wide | wide >> 4) & 0x00ff00ff00ff00ff;
	wide = (wide | wide >> 8) & 0x0000ffff0000ffff;
	uint32_t word = htobe32((uint32_t)(wide | wide >> 16));
	memcpy(to, &word, sizeof word);
}

// Characters of 0x30 to 0x3f as half bytes, the last byte's spare one 0. The last word of an even
// number overlaps the one before it.
static inline void squeeze_all(const uint8_t *from, size_t count, uint8_t *to)
{
	if (count >= 8 && count % 2 == 0) {
		for (size_t i = 0; i + 8 < count; i += 8)
			squeeze(from + i, to + i / 2);
		squeeze(from + count - 8, to + count / 2 - 4);
		return;
	}
	for (; count >= 8; count -= 8, from += 8, to += 4)
		squeeze(from, to);
	for (; count > 1; count -= 2, from += 2)
		*to++ = (uint8_t)(from[0] << 4 | (from[1] & 15));
	if (count == 1)
		*to = (uint8_t)(from[0] << 4);
}

// Writes a value that is `fill` shorter than it has to be as half bytes. What fills is a digit.
static struct result write_filled_bcd(struct iso8583_writer *writer,
                                      const struct iso8583_field *field, struct bytes value,
                                      size_t fill)
{
	bool before = field->padding == ISO8583_PAD_LEFT;
	size_t count = fill + value.length;
	bool spare_before = count % 2 == 1 && field->odd == ISO8583_ODD_LEFT;
	size_t bytes = (count + 1) / 2;

	if (bytes > writer->left)
		return NO_ROOM;
	uint8_t *to = take(writer, bytes);
	for (size_t i = 0; i < 2 * bytes; i++) {
		size_t at = i - spare_before; // SIZE_MAX: the spare one in front
		size_t in_value = at - (before ? fill : 0);
		uint8_t half = field->filler;
		if (at < count)
			half = (in_value < value.length ? value.data[in_value] : field->pad) & 15;
		to[i / 2] = (uint8_t)(i % 2 == 0 ? half << 4 : to[i / 2] | half);
	}
	return RESULT_OK;
}

static inline struct result write_bcd(struct iso8583_writer *writer,
                                      const struct iso8583_field *field, struct bytes value,
                                      size_t fill)
{
	size_t bytes = (value.length + 1) / 2;

	if (fill > 0)
		return write_filled_bcd(writer, field, value, fill);
	if (bytes > writer->left)
		return NO_ROOM;
	uint8_t *to = take(writer, bytes);
	if (value.length % 2 == 0) {
		squeeze_all(value.data, value.length, to);
	} else if (field->odd == ISO8583_ODD_LEFT) {
		to[0] = (uint8_t)(field->filler << 4 | (value.data[0] & 15));
		squeeze_all(value.data + 1, value.length - 1, to + 1);
	} else {
		squeeze_all(value.data, value.length, to);
		to[bytes - 1] |= field->filler;
	}
	return RESULT_OK;
}

static struct result write_hex(struct iso8583_writer *writer, enum iso8583_encoding encoding,
                               struct bytes value)
{
	static const char digits[2][17] = {
		"0123456789ABCDEF",
		"\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9\xc1\xc2\xc3\xc4\xc5\xc6",
	};
	const char *digit = digits[encoding == ISO8583_EBCDIC_HEX];

	if (value.length > writer->left / 2)
		return NO_ROOM;
	uint8_t *to = take(writer, value.length * 2);
	for (size_t i = 0; i < value.length; i++) {
		to[2 * i] = (uint8_t)digit[value.data[i] >> 4];
		to[2 * i + 1] = (uint8_t)digit[value.data[i] & 15];
	}
	return RESULT_OK;
}

static inline struct result write_length(struct iso8583_writer *writer,
                                         const struct iso8583_field *field, size_t count)
{
	size_t bytes = field->prefix_bytes;

	if (bytes > writer->left)
		return NO_ROOM;
	uint8_t *to = take(writer, bytes);
	for (size_t i = bytes; i > 0; i--)
		switch (field->prefix_encoding) {
		case ISO8583_BCD:
			to[i - 1] = (uint8_t)(count / 10 % 10 << 4 | count % 10);
			count /= 100;
			break;
		case ISO8583_BINARY:
			to[i - 1] = (uint8_t)count;
			count >>= 8;
			break;
		default:
			to[i - 1] =
			        (uint8_t)((field->prefix_encoding == ISO8583_ASCII ? '0' : 0xf0) +
			                  count % 10);
			count /= 10;
			break;
		}
	return RESULT_OK;
}

// The value as characters, filled up to `fill` more on the side that the padding says.
static inline struct result write_plain(struct iso8583_writer *writer,
                                        const struct iso8583_field *field, struct bytes value,
                                        size_t fill)
{
	if (value.length > writer->left || fill > writer->left - value.length)
		return NO_ROOM;
	uint8_t *to = take(writer, value.length + fill);
	if (fill > 0 && field->padding == ISO8583_PAD_LEFT) {
		memset(to, field->pad, fill);
		to += fill;
	} else if (fill > 0) {
		memset(to + value.length, field->pad, fill);
	}
	if (value.length > 0)
		memcpy(to, value.data, value.length);
	return RESULT_OK;
}

static struct result write_ebcdic(struct iso8583_writer *writer, const struct iso8583_field *field,
                                  struct bytes value, size_t fill)
{
	const uint8_t *page = iso8583_to_ebcdic[field->encoding == ISO8583_EBCDIC_1047];
	uint8_t *to = writer->at;

	TRY(write_plain(writer, field, value, fill));
	for (; to < writer->at; to++)
		*to = page[*to];
	return RESULT_OK;
}

// A sign is written before what fills the digits.
static struct result write_signed(struct iso8583_writer *writer, const struct iso8583_field *field,
                                  struct bytes value, size_t fill)
{
	struct bytes digits = bytes_slice(value, 1, value.length - 1);

	if (writer->left == 0)
		return NO_ROOM;
	*take(writer, 1) = field->way == ISO8583_WAY_EBCDIC
	                           ? iso8583_to_ebcdic[ISO8583_PAGE_037][value.data[0]]
	                           : value.data[0];
	if (field->way == ISO8583_WAY_SIGNED)
		return write_bcd(writer, field, digits, fill);
	if (field->way == ISO8583_WAY_EBCDIC)
		return write_ebcdic(writer, field, digits, fill);
	return write_plain(writer, field, digits, fill);
}

static inline struct result write_filled(struct iso8583_writer *writer,
                                         const struct iso8583_field *field, struct bytes value,
                                         size_t fill)
{
	if (value.length == 0)
		return RESULT_OK;
	if (field->type == ISO8583_XN)
		return write_signed(writer, field, value, fill);
	switch ((enum iso8583_way)field->way) {
	case ISO8583_WAY_BCD:
	case ISO8583_WAY_TRACK: return write_bcd(writer, field, value, fill);
	case ISO8583_WAY_HEX: return write_hex(writer, field->encoding, value);
	case ISO8583_WAY_EBCDIC: return write_ebcdic(writer, field, value, fill);
	default: return write_plain(writer, field, value, fill);
	}
}

static inline struct result check_value(const struct iso8583_field *field, struct bytes value)
{
	if (value.length > field->max)
		return FAIL(ERROR_INPUT, "the value is longer than the dialect allows");
	if (!iso8583_fits_type(field->type, value))
		return FAIL(ERROR_INPUT, "a character that this type of field does not have");
	return RESULT_OK;
}

static size_t count_of(const struct iso8583_field *field, size_t length)
{
	switch ((enum iso8583_convert)field->convert) {
	case ISO8583_TWICE: return (length + 1) / 2;
	case ISO8583_SIGNED: return length > 0 ? 1 + length / 2 : 0;
	case ISO8583_HALF: return length * 2;
	default: return length;
	}
}

static inline struct result write_field(struct iso8583_writer *writer,
                                        const struct iso8583_field *field, struct bytes value)
{
	size_t fill = 0;

	TRY(check_value(field, value));
	if (field->prefix > 0) {
		size_t count = field->convert == ISO8583_SAME ? value.length
		                                              : count_of(field, value.length);
		TRY(write_length(writer, field, count));
	} else {
		fill = field->max - value.length;
		if (fill > 0 && (field->padding == ISO8583_PAD_NONE || value.length == 0))
			return FAIL(ERROR_INPUT, "the value is shorter than its fixed length");
	}
	return write_filled(writer, field, value, fill);
}

struct result iso8583_write_field(struct iso8583_writer *writer, const struct iso8583_field *field,
                                  struct bytes value)
{
	return write_field(writer, field, value);
}

struct result iso8583_write_length(struct iso8583_writer *writer, const struct iso8583_field *field,
                                   size_t count)
{
	return write_length(writer, field, count);
}

struct result iso8583_write_value(struct iso8583_writer *writer, const struct iso8583_field *field,
                                  struct bytes value, size_t *ret_count)
{
	TRY(check_value(field, value));
	*ret_count = count_of(field, value.length);
	return write_filled(writer, field, value, 0);
}

static struct result write_bitmap(struct iso8583_writer *writer,
                                  const struct iso8583_dialect *dialect, uint64_t bits)
{
	uint64_t wire = htobe64(bits);
	struct bytes bytes = bytes_from(&wire, sizeof wire);

	if (dialect->bitmap != ISO8583_BINARY)
		return write_hex(writer, dialect->bitmap, bytes);
	if (writer->left < sizeof wire)
		return NO_ROOM;
	memcpy(take(writer, sizeof wire), &wire, sizeof wire);
	return RESULT_OK;
}

// The bits of the fields that are set, and of those that were kept.
struct maps {
	uint64_t bits[ISO8583_MAPS];
	bool third_in_place; // to be written as field 65
};

static struct result make_maps(const struct iso8583_dialect *dialect,
                               const struct iso8583_message *message, struct maps *ret_maps)
{
	uint64_t *bits = ret_maps->bits;

	for (int map = 0; map < ISO8583_MAPS; map++)
		bits[map] = message->present[map] | message->unknown_present[map];
	ret_maps->third_in_place = false;
	if (dialect->maps == 0 && bits[2] != 0) {
		if (dialect->third == ISO8583_THIRD_NONE)
			return FAIL(ERROR_INPUT, "the dialect has no third bitmap");
		bits[1] |= BIT_1;
		ret_maps->third_in_place = dialect->third == ISO8583_THIRD_FIELD_65;
	}
	if (dialect->maps == 0 && bits[1] != 0)
		bits[0] |= BIT_1;
	for (int map = dialect->maps; dialect->maps > 0 && map < ISO8583_MAPS; map++)
		if (bits[map] != 0)
			return FAIL(ERROR_INPUT, "the dialect has no bitmap for this field");
	return RESULT_OK;
}

static struct result write_maps(struct iso8583_writer *writer,
                                const struct iso8583_dialect *dialect, const struct maps *maps)
{
	int count = 1 + (maps->bits[1] != 0) + (maps->bits[2] != 0 && !maps->third_in_place);

	if (dialect->maps > 0)
		count = dialect->maps;
	for (int map = 0; map < count; map++)
		TRY(write_bitmap(writer, dialect, maps->bits[map]));
	return RESULT_OK;
}

static struct result write_fields(struct iso8583_writer *writer,
                                  const struct iso8583_dialect *dialect,
                                  const struct iso8583_message *message, const struct maps *maps,
                                  int *ret_field)
{
	for (int map = 0; map < ISO8583_MAPS; map++) {
		uint64_t bits = message->present[map];
		if (map == 1 && maps->third_in_place)
			bits |= BIT_1;
		while (bits) {
			int zeros = __builtin_clzll(bits);
			int number = map * 64 + zeros + 1;
			const struct iso8583_field *field = &dialect->fields[number];
			bits &= ~(BIT_1 >> zeros);
			*ret_field = number;
			if (number == 65 && maps->third_in_place)
				TRY(write_bitmap(writer, dialect, maps->bits[2]));
			else if (field->type == ISO8583_UNUSED)
				return FAIL(ERROR_INPUT, "the dialect does not have this field");
			else
				TRY(write_field(writer, field, message->values[number]));
		}
	}
	return RESULT_OK;
}

// What was kept goes behind the fields before it; a field after it has no place any more.
static struct result write_unknown(struct iso8583_writer *writer,
                                   const struct iso8583_message *message, int *ret_field)
{
	if (message->unknown_field == 0)
		return RESULT_OK;
	for (int field = message->unknown_field; field <= ISO8583_FIELDS; field++)
		if (iso8583_has(message, field)) {
			*ret_field = field;
			return FAIL(ERROR_INPUT,
			            "a field after one that the dialect does not have");
		}
	*ret_field = message->unknown_field;
	if (message->unknown.length > writer->left)
		return NO_ROOM;
	memcpy(take(writer, message->unknown.length), message->unknown.data,
	       message->unknown.length);
	return RESULT_OK;
}

static struct result write_message(struct iso8583_writer *writer,
                                   const struct iso8583_dialect *dialect,
                                   const struct iso8583_message *message, int *ret_field)
{
	struct maps maps;

	*ret_field = 0;
	TRY(write_field(writer, &dialect->mti, bytes_from(message->mti, 4)));
	*ret_field = 1;
	TRY(make_maps(dialect, message, &maps));
	TRY(write_maps(writer, dialect, &maps));
	TRY(write_fields(writer, dialect, message, &maps, ret_field));
	return write_unknown(writer, message, ret_field);
}

struct result iso8583_pack(const struct iso8583_dialect *dialect,
                           const struct iso8583_message *message, uint8_t *to, size_t capacity,
                           size_t *ret_length, struct iso8583_place *ret_place)
{
	struct iso8583_writer writer = { to, capacity };
	int field = 0;
	struct result result = write_message(&writer, dialect, message, &field);

	*ret_length = capacity - writer.left;
	if (!result_ok(result))
		*ret_place = (struct iso8583_place){ field, *ret_length };
	return result;
}
