// Reading a message. Every step takes what it needs from what is left and says so when that is not
// enough; nothing is computed from a length before the length has been compared.
#include "base/check.h"
#include "iso8583/charset.h"
#include "iso8583/codec.h"
#include "iso8583/ebcdic.h"
#include "iso8583/value.h"

#include <endian.h>

#define ENDS FAIL(ERROR_INPUT, "the message ends inside the field")
#define BAD_CHARACTER FAIL(ERROR_INPUT, "a character that this type of field does not have")
#define BAD_LENGTH FAIL(ERROR_INPUT, "the length is not a number")
#define TOO_LONG FAIL(ERROR_INPUT, "the length is more than the dialect allows")
#define ODD_LENGTH FAIL(ERROR_INPUT, "an odd number of hexadecimal characters")
#define BAD_PADDING FAIL(ERROR_INPUT, "the spare half byte is not what the dialect says")
#define NO_ROOM FAIL(ERROR_LIMIT, "there is no room to decode the value")

static const uint8_t *take(struct iso8583_reader *reader, size_t length)
{
	const uint8_t *taken = reader->at;

	reader->at += length;
	reader->left -= length;
	return taken;
}

static uint8_t *take_room(struct iso8583_reader *reader, size_t length)
{
	uint8_t *taken = reader->room;

	reader->room += length;
	reader->room_left -= length;
	return taken;
}

#define EACH_BYTE(value) ((uint64_t)(value)*0x0101010101010101u)

// The eight half bytes of four bytes as eight bytes, the first one first in memory.
static inline uint64_t spread(const uint8_t *from)
{
	uint32_t word;

	memcpy(&word, from, sizeof word);
	uint64_t wide = be32toh(word);
	wide = (wide << 16 | wide) & 0x0000ffff0000ffff;
	wide = (wide << 8 | wide) & 0x00ff00ff00ff00ff;
	wide = (wide << 4 | wide) & 0x0f0f0f0f0f0f0f0f;
	return htobe64(wide);
}

// 10 to 15 become 16 and more.
static inline uint64_t not_digits(uint64_t halves)
{
	return (halves + EACH_BYTE(6)) & EACH_BYTE(0x10);
}

static inline uint64_t spread_four(const uint8_t *from, uint8_t *to)
{
	uint64_t halves = spread(from);
	uint64_t characters = halves + EACH_BYTE('0');

	memcpy(to, &characters, sizeof characters);
	return not_digits(halves);
}

// Less than four bytes.
static inline uint64_t spread_few(const uint8_t *from, size_t bytes, uint8_t *to)
{
	uint64_t wrong = 0;

	for (size_t i = 0; i < bytes; i++) {
		unsigned high = from[i] >> 4, low = from[i] & 15u;
		to[2 * i] = (uint8_t)('0' + high);
		to[2 * i + 1] = (uint8_t)('0' + low);
		wrong |= ((high + 6) | (low + 6)) & 0x10;
	}
	return wrong;
}

// Writes every half byte as a character of 0x30 to 0x3f. Not 0 when one of them is no digit. The
// last word overlaps the one before it.
static inline uint64_t spread_all(const uint8_t *from, size_t bytes, uint8_t *to)
{
	uint64_t wrong = 0;

	if (bytes < 4)
		return spread_few(from, bytes, to);
	for (size_t i = 0; i + 4 < bytes; i += 4)
		wrong |= spread_four(from + i, to + 2 * i);
	return wrong | spread_four(from + bytes - 4, to + 2 * bytes - 8);
}

// Decodes `count` digits (or track characters) of two a byte.
static inline struct result read_bcd(struct iso8583_reader *reader,
                                     const struct iso8583_field *field, size_t count,
                                     struct bytes *ret_value)
{
	size_t bytes = (count + 1) / 2;
	bool spare = count % 2 == 1;
	bool left = field->odd == ISO8583_ODD_LEFT;

	if (bytes > reader->left)
		return ENDS;
	if (bytes * 2 > reader->room_left)
		return NO_ROOM;
	uint8_t *to = take_room(reader, bytes * 2);
	const uint8_t *from = take(reader, bytes);
	uint64_t wrong = spread_all(from, bytes, to);
	uint8_t *value = spare && left ? to + 1 : to;
	*ret_value = bytes_from(value, count);
	if (spare && to[left ? 0 : count] != '0' + field->filler)
		return BAD_PADDING;
	if (!wrong || field->way == ISO8583_WAY_TRACK)
		return RESULT_OK;
	// The half byte that is not a digit may be the spare one.
	return iso8583_fits_type(ISO8583_N, *ret_value) ? RESULT_OK : BAD_CHARACTER;
}

// -1: not a hexadecimal character. In EBCDIC the letters and digits of both pages are the same.
static int hex_digit(uint8_t character, bool ebcdic)
{
	if (ebcdic)
		character = iso8583_from_ebcdic[ISO8583_PAGE_037][character];
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

static struct result read_hex(struct iso8583_reader *reader, enum iso8583_encoding encoding,
                              size_t count, struct bytes *ret_value)
{
	bool ebcdic = encoding == ISO8583_EBCDIC_HEX;

	if (reader->left / 2 < count)
		return ENDS;
	if (count > reader->room_left)
		return NO_ROOM;
	uint8_t *to = take_room(reader, count);
	const uint8_t *from = take(reader, count * 2);
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(from[2 * i], ebcdic);
		int low = hex_digit(from[2 * i + 1], ebcdic);
		if (high < 0 || low < 0)
			return BAD_CHARACTER;
		to[i] = (uint8_t)(high << 4 | low);
	}
	*ret_value = bytes_from(to, count);
	return RESULT_OK;
}

static struct result read_ebcdic(struct iso8583_reader *reader, const struct iso8583_field *field,
                                 size_t length, struct bytes *ret_value)
{
	const uint8_t *page = iso8583_from_ebcdic[field->encoding == ISO8583_EBCDIC_1047];

	if (length > reader->left)
		return ENDS;
	if (length > reader->room_left)
		return NO_ROOM;
	uint8_t *to = take_room(reader, length);
	const uint8_t *from = take(reader, length);
	for (size_t i = 0; i < length; i++)
		to[i] = page[from[i]];
	*ret_value = bytes_from(to, length);
	return iso8583_fits_type(field->type, *ret_value) ? RESULT_OK : BAD_CHARACTER;
}

static inline struct result read_plain(struct iso8583_reader *reader,
                                       const struct iso8583_field *field, size_t length,
                                       struct bytes *ret_value)
{
	if (length > reader->left)
		return ENDS;
	*ret_value = bytes_from(take(reader, length), length);
	return iso8583_fits_type(field->type, *ret_value) ? RESULT_OK : BAD_CHARACTER;
}

// A sign as a character, then the digits packed. The sign is put right before the first digit,
// where the spare half byte was if there was one.
static struct result read_signed(struct iso8583_reader *reader, const struct iso8583_field *field,
                                 size_t length, struct bytes *ret_value)
{
	struct bytes digits;

	if (length == 0 || reader->left == 0)
		return ENDS;
	if (reader->room_left == 0)
		return NO_ROOM;
	take_room(reader, 1);
	uint8_t sign = *take(reader, 1);
	if (sign != 'C' && sign != 'D')
		return BAD_CHARACTER;
	TRY(read_bcd(reader, field, length - 1, &digits));
	uint8_t *value = (uint8_t *)(uintptr_t)digits.data - 1;
	*value = sign;
	*ret_value = bytes_from(value, length);
	return RESULT_OK;
}

static inline struct result read_of_length(struct iso8583_reader *reader,
                                           const struct iso8583_field *field, size_t length,
                                           struct bytes *ret_value)
{
	switch ((enum iso8583_way)field->way) {
	case ISO8583_WAY_BCD:
	case ISO8583_WAY_TRACK: return read_bcd(reader, field, length, ret_value);
	case ISO8583_WAY_SIGNED: return read_signed(reader, field, length, ret_value);
	case ISO8583_WAY_HEX: return read_hex(reader, field->encoding, length, ret_value);
	case ISO8583_WAY_EBCDIC: return read_ebcdic(reader, field, length, ret_value);
	default: return read_plain(reader, field, length, ret_value);
	}
}

static struct result read_wide_length(const uint8_t *from, size_t bytes, unsigned base,
                                      uint8_t zero, size_t *ret_count)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes; i++) {
		unsigned digit = (unsigned)from[i] - zero;
		if (digit >= base)
			return BAD_LENGTH;
		count = count * base + digit;
	}
	*ret_count = count;
	return RESULT_OK;
}

static struct result read_bcd_length(const uint8_t *from, size_t bytes, size_t *ret_count)
{
	size_t count = 0;

	for (size_t i = 0; i < bytes; i++) {
		unsigned high = from[i] >> 4, low = from[i] & 15u;
		if (high > 9 || low > 9)
			return BAD_LENGTH;
		count = count * 100 + high * 10 + low;
	}
	*ret_count = count;
	return RESULT_OK;
}

static inline struct result read_length(struct iso8583_reader *reader,
                                        const struct iso8583_field *field, size_t *ret_count)
{
	size_t bytes = field->prefix_bytes;

	if (bytes > reader->left)
		return ENDS;
	const uint8_t *from = take(reader, bytes);
	switch (field->prefix_encoding) {
	case ISO8583_BCD: return read_bcd_length(from, bytes, ret_count);
	case ISO8583_ASCII: return read_wide_length(from, bytes, 10, '0', ret_count);
	case ISO8583_BINARY: return read_wide_length(from, bytes, 256, 0, ret_count);
	default: return read_wide_length(from, bytes, 10, 0xf0, ret_count);
	}
}

// A count of bytes cannot tell an even number of digits from an odd one: the spare half byte is
// known by its filler, if no digit looks like it or if the value would be too long with it.
static struct result drop_spare(const struct iso8583_field *field, struct bytes *value)
{
	size_t sign = field->type == ISO8583_XN;
	bool left = field->odd == ISO8583_ODD_LEFT;

	if (value->length <= sign)
		return RESULT_OK;
	size_t spare = left ? sign : value->length - 1;
	bool filled = value->data[spare] == '0' + field->filler;
	bool too_long = value->length > field->max;
	if (too_long && !filled)
		return BAD_PADDING;
	if (filled && (too_long || field->filler > 9)) {
		if (left && sign)
			((uint8_t *)(uintptr_t)value->data)[1] = value->data[0];
		value->data += left;
		value->length--;
	}
	return iso8583_fits_type(field->type, *value) ? RESULT_OK : BAD_CHARACTER;
}

static struct result read_converted(struct iso8583_reader *reader,
                                    const struct iso8583_field *field, size_t count,
                                    struct bytes *ret_value)
{
	size_t sign = field->convert == ISO8583_SIGNED;

	if (field->convert == ISO8583_HALF && count % 2 == 1)
		return ODD_LENGTH;
	if (field->convert == ISO8583_HALF)
		return count / 2 > field->max ? TOO_LONG
		                              : read_of_length(reader, field, count / 2, ret_value);
	if (count > sign + (field->max - sign + 1) / 2)
		return TOO_LONG;
	if (count == 0)
		return read_of_length(reader, field, 0, ret_value);
	// The characters are looked at after the spare half byte has gone.
	struct iso8583_field any = *field;
	any.way = ISO8583_WAY_TRACK;
	if (sign)
		TRY(read_signed(reader, &any, 2 * count - 1, ret_value));
	else
		TRY(read_bcd(reader, &any, 2 * count, ret_value));
	return drop_spare(field, ret_value);
}

static inline struct result read_counted(struct iso8583_reader *reader,
                                         const struct iso8583_field *field, size_t count,
                                         struct bytes *ret_value)
{
	if (field->convert != ISO8583_SAME)
		return read_converted(reader, field, count, ret_value);
	if (count > field->max)
		return TOO_LONG;
	return read_of_length(reader, field, count, ret_value);
}

static inline struct result read_field(struct iso8583_reader *reader,
                                       const struct iso8583_field *field, struct bytes *ret_value)
{
	size_t count;

	if (field->prefix == 0)
		return read_of_length(reader, field, field->max, ret_value);
	TRY(read_length(reader, field, &count));
	return read_counted(reader, field, count, ret_value);
}

struct result iso8583_read_field(struct iso8583_reader *reader, const struct iso8583_field *field,
                                 struct bytes *ret_value)
{
	return read_field(reader, field, ret_value);
}

struct result iso8583_read_length(struct iso8583_reader *reader, const struct iso8583_field *field,
                                  size_t *ret_count)
{
	return read_length(reader, field, ret_count);
}

struct result iso8583_read_counted(struct iso8583_reader *reader, const struct iso8583_field *field,
                                   size_t count, struct bytes *ret_value)
{
	return read_counted(reader, field, count, ret_value);
}

static struct result read_bitmap(struct iso8583_reader *reader,
                                 const struct iso8583_dialect *dialect, uint64_t *ret_bits)
{
	struct bytes bytes;
	uint64_t bits;

	if (dialect->bitmap != ISO8583_BINARY)
		TRY(read_hex(reader, dialect->bitmap, sizeof bits, &bytes));
	else if (reader->left < sizeof bits)
		return ENDS;
	else
		bytes = bytes_from(take(reader, sizeof bits), sizeof bits);
	memcpy(&bits, bytes.data, sizeof bits);
	*ret_bits = be64toh(bits);
	return RESULT_OK;
}

#define BIT_1 ((uint64_t)1 << 63)

static struct result read_bitmaps(struct iso8583_reader *reader,
                                  const struct iso8583_dialect *dialect, uint64_t *present)
{
	if (dialect->maps > 0) {
		for (int map = 0; map < dialect->maps; map++)
			TRY(read_bitmap(reader, dialect, &present[map]));
		return present[0] & BIT_1 ? FAIL(ERROR_INPUT, "bit 1 is set") : RESULT_OK;
	}
	TRY(read_bitmap(reader, dialect, &present[0]));
	if (!(present[0] & BIT_1))
		return RESULT_OK;
	present[0] &= ~BIT_1;
	if (reader->left == 0)
		return FAIL(ERROR_INPUT, "bit 1 is set, and there is no second bitmap");
	TRY(read_bitmap(reader, dialect, &present[1]));
	if (dialect->third != ISO8583_THIRD_NEXT || !(present[1] & BIT_1))
		return RESULT_OK;
	present[1] &= ~BIT_1;
	return read_bitmap(reader, dialect, &present[2]);
}

// The field is not in the dialect, so nobody knows where it ends: it and all that follow are kept
// as they came.
static struct result keep_unknown(struct iso8583_reader *reader,
                                  const struct iso8583_dialect *dialect,
                                  struct iso8583_message *message, int number)
{
	if (dialect->refuse_unknown)
		return FAIL(ERROR_INPUT, "the dialect does not have this field");
	if (reader->left == 0)
		return ENDS;
	message->unknown_field = number;
	message->unknown = bytes_from(reader->at, reader->left);
	take(reader, reader->left);
	for (int map = 0; map < ISO8583_MAPS; map++) {
		int below = number - 1 - 64 * map; // how many fields of this bitmap were read
		uint64_t read = below >= 64 ? UINT64_MAX : below <= 0 ? 0 : ~(UINT64_MAX >> below);
		message->unknown_present[map] = message->present[map] & ~read;
		message->present[map] &= read;
	}
	return RESULT_OK;
}

static struct result read_other(struct iso8583_reader *reader,
                                const struct iso8583_dialect *dialect,
                                struct iso8583_message *message, int number)
{
	if (number != 65 || dialect->third != ISO8583_THIRD_FIELD_65)
		return keep_unknown(reader, dialect, message, number);
	message->present[1] &= ~BIT_1;
	return read_bitmap(reader, dialect, &message->present[2]);
}

static struct result read_fields(struct iso8583_reader *reader,
                                 const struct iso8583_dialect *dialect,
                                 struct iso8583_message *message, const uint8_t *start,
                                 int *ret_field)
{
	for (int map = 0; map < ISO8583_MAPS; map++) {
		uint64_t bits = message->present[map];
		while (bits) {
			int zeros = __builtin_clzll(bits);
			int number = map * 64 + zeros + 1;
			const struct iso8583_field *field = &dialect->fields[number];
			bits &= ~(BIT_1 >> zeros);
			*ret_field = number;
			message->offsets[number] = (uint16_t)(reader->at - start);
			if (field->type == ISO8583_UNUSED) {
				TRY(read_other(reader, dialect, message, number));
				if (message->unknown_field > 0)
					return RESULT_OK;
				continue;
			}
			TRY(read_field(reader, field, &message->values[number]));
		}
	}
	return RESULT_OK;
}

static struct result read_message(struct iso8583_reader *reader,
                                  const struct iso8583_dialect *dialect,
                                  struct iso8583_message *message, int *ret_field)
{
	const uint8_t *start = reader->at;
	struct bytes mti;

	*ret_field = 0;
	TRY(read_field(reader, &dialect->mti, &mti));
	memcpy(message->mti, mti.data, 4);
	*ret_field = 1;
	message->offsets[1] = (uint16_t)(reader->at - start);
	TRY(read_bitmaps(reader, dialect, message->present));
	TRY(read_fields(reader, dialect, message, start, ret_field));
	if (reader->left > 0)
		return FAIL(ERROR_INPUT, "there are bytes after the last field");
	return RESULT_OK;
}

// The field that failed, and those after it, have no value.
static void keep_below(struct iso8583_message *message, int field)
{
	for (int i = 0; i < ISO8583_MAPS; i++) {
		int below = field - 1 - 64 * i; // how many fields of this bitmap were read
		if (field < 2 || below <= 0)
			message->present[i] = 0;
		else if (below < 64)
			message->present[i] &= ~(UINT64_MAX >> below);
	}
}

struct result iso8583_unpack(const struct iso8583_dialect *dialect, struct bytes wire,
                             struct iso8583_message *ret_message, struct iso8583_place *ret_place)
{
	struct iso8583_reader reader = { wire.data, wire.length, ret_message->room,
		                         sizeof ret_message->room };
	int field = 0;

	iso8583_begin(ret_message, "0000");
	if (wire.length > ISO8583_MESSAGE_MAX) {
		*ret_place = (struct iso8583_place){ 0, 0 };
		return FAIL(ERROR_LIMIT, "the message is longer than any that we take");
	}
	struct result result = read_message(&reader, dialect, ret_message, &field);
	ret_message->room_used = sizeof ret_message->room - reader.room_left;
	if (!result_ok(result)) {
		*ret_place = (struct iso8583_place){ field, wire.length - reader.left };
		keep_below(ret_message, field);
	}
	return result;
}
