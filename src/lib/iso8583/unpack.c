// Reading a message. Every step takes what it needs from what is left and says so when that is not
// enough; nothing is computed from a length before the length has been compared.
#include "base/check.h"
#include "iso8583/charset.h"
#include "iso8583/codec.h"

struct reader {
	const uint8_t *at;
	size_t left;
	struct iso8583_message *message;
};

#define ENDS FAIL(ERROR_INPUT, "the message ends inside the field")
#define BAD_CHARACTER FAIL(ERROR_INPUT, "a character that this type of field does not have")
#define BAD_LENGTH FAIL(ERROR_INPUT, "the length is not a number")
#define TOO_LONG FAIL(ERROR_INPUT, "the length is more than the dialect allows")
#define BAD_PADDING FAIL(ERROR_INPUT, "the spare half byte is not zero")

static const uint8_t *take(struct reader *reader, size_t length)
{
	const uint8_t *taken = reader->at;

	reader->at += length;
	reader->left -= length;
	return taken;
}

static uint8_t *room(struct reader *reader, size_t length)
{
	struct iso8583_message *message = reader->message;
	uint8_t *taken = message->room + message->room_used;

	// A byte of the wire becomes two characters at most, and the room is twice a message.
	CHECK(length <= sizeof message->room - message->room_used);
	message->room_used += length;
	return taken;
}

// Decodes `count` digits (or track characters) of two a byte.
static inline struct result read_bcd(struct reader *reader, size_t count, enum iso8583_odd odd,
                                     bool track, struct bytes *ret_value)
{
	size_t bytes = (count + 1) / 2;
	unsigned wrong = 0;

	if (bytes > reader->left)
		return ENDS;
	uint8_t *to = room(reader, bytes * 2);
	const uint8_t *from = take(reader, bytes);
	for (size_t i = 0; i < bytes; i++) {
		uint8_t high = (uint8_t)('0' + (from[i] >> 4));
		uint8_t low = (uint8_t)('0' + (from[i] & 15));
		to[2 * i] = high;
		to[2 * i + 1] = low;
		// 0x3a to 0x3f, which stand for A to F, become 0x40 and more.
		wrong |= (high + 6u) | (low + 6u);
	}
	if (!track && wrong & 0x40)
		return BAD_CHARACTER;
	if (count % 2 == 1 && to[odd == ISO8583_ODD_LEFT ? 0 : count] != '0')
		return BAD_PADDING;
	*ret_value = bytes_from(count % 2 == 1 && odd == ISO8583_ODD_LEFT ? to + 1 : to, count);
	return RESULT_OK;
}

static int hex_digit(uint8_t character)
{
	if (character >= '0' && character <= '9')
		return character - '0';
	if (character >= 'A' && character <= 'F')
		return character - 'A' + 10;
	if (character >= 'a' && character <= 'f')
		return character - 'a' + 10;
	return -1;
}

static struct result read_hex(struct reader *reader, size_t count, struct bytes *ret_value)
{
	if (reader->left / 2 < count)
		return ENDS;
	uint8_t *to = room(reader, count);
	const uint8_t *from = take(reader, count * 2);
	for (size_t i = 0; i < count; i++) {
		int high = hex_digit(from[2 * i]);
		int low = hex_digit(from[2 * i + 1]);
		if (high < 0 || low < 0)
			return BAD_CHARACTER;
		to[i] = (uint8_t)(high << 4 | low);
	}
	*ret_value = bytes_from(to, count);
	return RESULT_OK;
}

static inline struct result read_length(struct reader *reader, const struct iso8583_field *field,
                                        size_t *ret_length)
{
	bool packed = field->prefix_encoding == ISO8583_BCD;
	size_t bytes = packed ? (field->prefix + 1u) / 2 : field->prefix;
	size_t length = 0;
	bool wrong = false;

	if (bytes > reader->left)
		return ENDS;
	const uint8_t *from = take(reader, bytes);
	for (size_t i = 0; i < bytes; i++) {
		unsigned high = packed ? from[i] >> 4 : 0;
		unsigned low = packed ? from[i] & 15u : from[i] - (unsigned)'0';
		wrong |= high > 9 || low > 9;
		length = packed ? length * 100 + high * 10 + low : length * 10 + low;
	}
	if (wrong)
		return BAD_LENGTH;
	if (length > field->max)
		return TOO_LONG;
	*ret_length = length;
	return RESULT_OK;
}

static inline struct result read_plain(struct reader *reader, const struct iso8583_field *field,
                                       size_t length, struct bytes *ret_value)
{
	if (length > reader->left)
		return ENDS;
	*ret_value = bytes_from(take(reader, length), length);
	return iso8583_fits_type(field->type, *ret_value) ? RESULT_OK : BAD_CHARACTER;
}

// A sign as a character, then the digits packed.
static struct result read_signed_bcd(struct reader *reader, const struct iso8583_field *field,
                                     size_t length, struct bytes *ret_value)
{
	struct bytes digits;

	if (length == 0 || reader->left == 0)
		return ENDS;
	uint8_t *sign = room(reader, 1);
	*sign = *take(reader, 1);
	if (*sign != 'C' && *sign != 'D')
		return BAD_CHARACTER;
	TRY(read_bcd(reader, length - 1, field->odd, false, &digits));
	if (digits.data != sign + 1)
		return BAD_PADDING; // an odd count with the pad in front: no dialect has it
	*ret_value = bytes_from(sign, length);
	return RESULT_OK;
}

static inline struct result read_field(struct reader *reader, const struct iso8583_field *field,
                                       struct bytes *ret_value)
{
	size_t length = field->max;

	if (field->prefix > 0)
		TRY(read_length(reader, field, &length));
	switch (field->encoding) {
	case ISO8583_BCD:
		if (field->type == ISO8583_XN)
			return read_signed_bcd(reader, field, length, ret_value);
		return read_bcd(reader, length, field->odd, field->type == ISO8583_Z, ret_value);
	case ISO8583_HEX: return read_hex(reader, length, ret_value);
	default: return read_plain(reader, field, length, ret_value);
	}
}

static struct result read_mti(struct reader *reader, const struct iso8583_dialect *dialect)
{
	static const struct iso8583_field ascii = { .max = 4, .type = ISO8583_N };
	static const struct iso8583_field packed = { .max = 4,
		                                     .type = ISO8583_N,
		                                     .encoding = ISO8583_BCD };
	struct bytes mti;

	TRY(read_field(reader, dialect->mti == ISO8583_BCD ? &packed : &ascii, &mti));
	memcpy(reader->message->mti, mti.data, 4);
	return RESULT_OK;
}

static struct result read_bitmap(struct reader *reader, const struct iso8583_dialect *dialect,
                                 uint64_t *ret_bits)
{
	struct bytes bytes;
	uint64_t bits = 0;

	if (dialect->bitmap == ISO8583_HEX) {
		TRY(read_hex(reader, 8, &bytes));
	} else if (reader->left < 8) {
		return ENDS;
	} else {
		bytes = bytes_from(take(reader, 8), 8);
	}
	for (size_t i = 0; i < 8; i++)
		bits = bits << 8 | bytes.data[i];
	*ret_bits = bits;
	return RESULT_OK;
}

#define BIT_1 ((uint64_t)1 << 63)

static struct result read_bitmaps(struct reader *reader, const struct iso8583_dialect *dialect)
{
	uint64_t *present = reader->message->present;

	TRY(read_bitmap(reader, dialect, &present[0]));
	if (!(present[0] & BIT_1))
		return RESULT_OK;
	present[0] &= ~BIT_1;
	return read_bitmap(reader, dialect, &present[1]);
}

static struct result read_fields(struct reader *reader, const struct iso8583_dialect *dialect,
                                 int *ret_field)
{
	for (int map = 0; map < 2; map++) {
		uint64_t bits = reader->message->present[map];
		while (bits) {
			int zeros = __builtin_clzll(bits);
			int number = map * 64 + zeros + 1;
			const struct iso8583_field *field = &dialect->fields[number];
			bits &= ~(BIT_1 >> zeros);
			*ret_field = number;
			if (field->type == ISO8583_UNUSED)
				return FAIL(ERROR_INPUT, "the dialect does not have this field");
			TRY(read_field(reader, field, &reader->message->values[number]));
		}
	}
	return RESULT_OK;
}

static struct result read_message(struct reader *reader, const struct iso8583_dialect *dialect,
                                  int *ret_field)
{
	*ret_field = 0;
	TRY(read_mti(reader, dialect));
	*ret_field = 1;
	TRY(read_bitmaps(reader, dialect));
	TRY(read_fields(reader, dialect, ret_field));
	if (reader->left > 0)
		return FAIL(ERROR_INPUT, "there are bytes after the last field");
	return RESULT_OK;
}

// The field that failed, and those after it, have no value.
static void keep_below(struct iso8583_message *message, int field)
{
	for (int i = 0; i < 2; i++) {
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
	struct reader reader = { wire.data, wire.length, ret_message };
	int field = 0;

	iso8583_begin(ret_message, "0000");
	if (wire.length > ISO8583_MESSAGE_MAX) {
		*ret_place = (struct iso8583_place){ 0, 0 };
		return FAIL(ERROR_LIMIT, "the message is longer than any that we take");
	}
	struct result result = read_message(&reader, dialect, &field);
	if (!result_ok(result)) {
		*ret_place = (struct iso8583_place){ field, wire.length - reader.left };
		keep_below(ret_message, field);
	}
	return result;
}
