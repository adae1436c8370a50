// Writing a message: the mirror of unpack.c. A value is looked at by type and length before a byte
// of it is written.
#include "iso8583/charset.h"
#include "iso8583/codec.h"

struct writer {
	uint8_t *at;
	size_t left;
};

#define NO_ROOM FAIL(ERROR_LIMIT, "the message does not fit its buffer")
#define BIT_1 ((uint64_t)1 << 63)

static uint8_t *take(struct writer *writer, size_t length)
{
	uint8_t *taken = writer->at;

	writer->at += length;
	writer->left -= length;
	return taken;
}

// Writes characters of 0x30 to 0x3f as half bytes; `zeros` are written before them.
static inline struct result write_bcd(struct writer *writer, struct bytes value, size_t zeros,
                                      enum iso8583_odd odd)
{
	size_t count = zeros + value.length;
	size_t bytes = (count + 1) / 2;

	if (bytes > writer->left)
		return NO_ROOM;
	uint8_t *to = take(writer, bytes);
	if (count % 2 == 1 && odd == ISO8583_ODD_LEFT)
		zeros++;
	size_t skip = zeros / 2;
	const uint8_t *from = value.data;
	size_t left = value.length;
	memset(to, 0, skip);
	to += skip;
	if (zeros % 2 == 1) {
		*to++ = from[0] & 15;
		from++;
		left--;
	}
	for (; left > 1; left -= 2, from += 2)
		*to++ = (uint8_t)(from[0] << 4 | (from[1] & 15));
	if (left == 1)
		*to = (uint8_t)(from[0] << 4);
	return RESULT_OK;
}

static struct result write_hex(struct writer *writer, struct bytes value)
{
	static const char digits[] = "0123456789ABCDEF";

	if (value.length > writer->left / 2)
		return NO_ROOM;
	uint8_t *to = take(writer, value.length * 2);
	for (size_t i = 0; i < value.length; i++) {
		to[2 * i] = (uint8_t)digits[value.data[i] >> 4];
		to[2 * i + 1] = (uint8_t)digits[value.data[i] & 15];
	}
	return RESULT_OK;
}

static inline struct result write_length(struct writer *writer, const struct iso8583_field *field,
                                         size_t length)
{
	bool packed = field->prefix_encoding == ISO8583_BCD;
	size_t bytes = packed ? (field->prefix + 1u) / 2 : field->prefix;

	if (bytes > writer->left)
		return NO_ROOM;
	uint8_t *to = take(writer, bytes);
	for (size_t i = bytes; i > 0; i--) {
		if (packed) {
			to[i - 1] = (uint8_t)(length / 10 % 10 << 4 | length % 10);
			length /= 100;
		} else {
			to[i - 1] = (uint8_t)('0' + length % 10);
			length /= 10;
		}
	}
	return RESULT_OK;
}

// The value as characters, filled up to `fill` more on the side that the padding says.
static inline struct result write_plain(struct writer *writer, const struct iso8583_field *field,
                                        struct bytes value, size_t fill)
{
	if (value.length > writer->left || fill > writer->left - value.length)
		return NO_ROOM;
	uint8_t *to = take(writer, value.length + fill);
	if (field->padding == ISO8583_PAD_LEFT_ZERO) {
		if (fill > 0)
			memset(to, '0', fill);
		to += fill;
	} else if (fill > 0) {
		memset(to + value.length, ' ', fill);
	}
	memcpy(to, value.data, value.length);
	return RESULT_OK;
}

// A sign is written before the zeros that fill the digits.
static struct result write_signed(struct writer *writer, const struct iso8583_field *field,
                                  struct bytes value, size_t fill)
{
	struct bytes digits = bytes_slice(value, 1, value.length - 1);

	if (writer->left == 0)
		return NO_ROOM;
	*take(writer, 1) = value.data[0];
	if (field->encoding == ISO8583_BCD)
		return write_bcd(writer, digits, fill, field->odd);
	return write_plain(writer, field, digits, fill);
}

static inline struct result write_field(struct writer *writer, const struct iso8583_field *field,
                                        struct bytes value)
{
	size_t fill = field->prefix > 0 ? 0 : field->max - value.length;

	if (value.length > field->max)
		return FAIL(ERROR_INPUT, "the value is longer than the dialect allows");
	if (!iso8583_fits_type(field->type, value))
		return FAIL(ERROR_INPUT, "a character that this type of field does not have");
	if (fill > 0 && (field->padding == ISO8583_PAD_NONE || value.length == 0))
		return FAIL(ERROR_INPUT, "the value is shorter than its fixed length");
	if (field->prefix > 0)
		TRY(write_length(writer, field, value.length));
	if (value.length == 0)
		return RESULT_OK;
	if (field->type == ISO8583_XN)
		return write_signed(writer, field, value, fill);
	switch (field->encoding) {
	case ISO8583_BCD: return write_bcd(writer, value, fill, field->odd);
	case ISO8583_HEX: return write_hex(writer, value);
	default: return write_plain(writer, field, value, fill);
	}
}

static struct result write_mti(struct writer *writer, const struct iso8583_dialect *dialect,
                               const char mti[static 4])
{
	struct iso8583_field field = { .max = 4, .type = ISO8583_N, .encoding = dialect->mti };

	return write_field(writer, &field, bytes_from(mti, 4));
}

static struct result write_bitmap(struct writer *writer, const struct iso8583_dialect *dialect,
                                  uint64_t bits)
{
	uint8_t bytes[8];

	for (int i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(bits >> (56 - 8 * i));
	if (dialect->bitmap == ISO8583_HEX)
		return write_hex(writer, BYTES_ARRAY(bytes));
	if (writer->left < 8)
		return NO_ROOM;
	memcpy(take(writer, 8), bytes, 8);
	return RESULT_OK;
}

static struct result write_message(struct writer *writer, const struct iso8583_dialect *dialect,
                                   const struct iso8583_message *message, int *ret_field)
{
	bool secondary = message->present[1] != 0;

	*ret_field = 0;
	TRY(write_mti(writer, dialect, message->mti));
	*ret_field = 1;
	TRY(write_bitmap(writer, dialect, message->present[0] | (secondary ? BIT_1 : 0)));
	if (secondary)
		TRY(write_bitmap(writer, dialect, message->present[1]));
	for (int map = 0; map < 2; map++) {
		uint64_t bits = message->present[map];
		while (bits) {
			int zeros = __builtin_clzll(bits);
			int number = map * 64 + zeros + 1;
			bits &= ~(BIT_1 >> zeros);
			*ret_field = number;
			if (dialect->fields[number].type == ISO8583_UNUSED)
				return FAIL(ERROR_INPUT, "the dialect does not have this field");
			TRY(write_field(writer, &dialect->fields[number], message->values[number]));
		}
	}
	return RESULT_OK;
}

struct result iso8583_pack(const struct iso8583_dialect *dialect,
                           const struct iso8583_message *message, uint8_t *to, size_t capacity,
                           size_t *ret_length, struct iso8583_place *ret_place)
{
	struct writer writer = { to, capacity };
	int field = 0;
	struct result result = write_message(&writer, dialect, message, &field);

	*ret_length = capacity - writer.left;
	if (!result_ok(result))
		*ret_place = (struct iso8583_place){ field, *ret_length };
	return result;
}
