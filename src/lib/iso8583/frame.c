// Frame headers as a table of kinds.
#include "iso8583/frame.h"

static bool read_binary(const uint8_t *from, size_t size, size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++)
		length = length << 8 | from[i];
	*ret_length = length;
	return true;
}

static bool read_bcd(const uint8_t *from, size_t size, size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		if (from[i] >> 4 > 9 || (from[i] & 15) > 9)
			return false;
		length = length * 100 + (size_t)(from[i] >> 4) * 10 + (from[i] & 15u);
	}
	*ret_length = length;
	return true;
}

static bool read_ascii(const uint8_t *from, size_t size, size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		if (from[i] < '0' || from[i] > '9')
			return false;
		length = length * 10 + (size_t)(from[i] - '0');
	}
	*ret_length = length;
	return true;
}

static void write_binary(uint8_t *to, size_t size, size_t length)
{
	for (size_t i = size; i > 0; i--, length >>= 8)
		to[i - 1] = (uint8_t)length;
}

static void write_bcd(uint8_t *to, size_t size, size_t length)
{
	for (size_t i = size; i > 0; i--, length /= 100)
		to[i - 1] = (uint8_t)(length / 10 % 10 << 4 | length % 10);
}

static void write_ascii(uint8_t *to, size_t size, size_t length)
{
	for (size_t i = size; i > 0; i--, length /= 10)
		to[i - 1] = (uint8_t)('0' + length % 10);
}

static const struct {
	const char *name;
	size_t size;
	size_t largest;
	bool (*read)(const uint8_t *from, size_t size, size_t *ret_length);
	void (*write)(uint8_t *to, size_t size, size_t length);
} kinds[ISO8583_HEADERS] = {
	[ISO8583_HEADER_BINARY_2] = { "binary2", 2, 0xffff, read_binary, write_binary },
	[ISO8583_HEADER_BINARY_4] = { "binary4", 4, 0xffffffff, read_binary, write_binary },
	[ISO8583_HEADER_BCD_2] = { "bcd2", 2, 9999, read_bcd, write_bcd },
	[ISO8583_HEADER_ASCII_4] = { "ascii4", 4, 9999, read_ascii, write_ascii },
};

bool iso8583_header_named(struct bytes name, enum iso8583_header *ret_header)
{
	for (int i = 0; i < ISO8583_HEADERS; i++)
		if (bytes_equal_text(name, kinds[i].name)) {
			*ret_header = (enum iso8583_header)i;
			return true;
		}
	return false;
}

static size_t overhead_in_length(const struct iso8583_framing *framing)
{
	return (framing->tpdu ? ISO8583_TPDU : 0) + framing->fixed_length;
}

static struct result split(const struct iso8583_framing *framing, struct bytes body,
                           struct bytes *ret_message, struct bytes *ret_tpdu)
{
	size_t tpdu = framing->tpdu && body.length > 0 ? ISO8583_TPDU : 0;
	size_t before = tpdu + (body.length > 0 ? framing->fixed_length : 0);

	if (body.length < before)
		return FAIL(ERROR_INPUT, "the frame is shorter than its TPDU and header");
	*ret_tpdu = bytes_from(body.data, tpdu);
	*ret_message = bytes_from(body.data + before, body.length - before);
	return RESULT_OK;
}

struct result iso8583_frame_read(const struct iso8583_framing *framing, struct bytes stream,
                                 struct bytes *ret_message, struct bytes *ret_tpdu,
                                 size_t *ret_consumed)
{
	size_t size = kinds[framing->header].size;
	size_t length;

	*ret_consumed = 0;
	if (stream.length < size)
		return RESULT_OK;
	if (!kinds[framing->header].read(stream.data, size, &length))
		return FAIL(ERROR_INPUT, "the length of the frame is not a number");
	if (framing->inclusive) {
		if (length < size)
			return FAIL(ERROR_INPUT, "the length of the frame does not count itself");
		length -= size;
	}
	if (length > framing->max + overhead_in_length(framing))
		return FAIL(ERROR_LIMIT, "the frame is longer than any that we take");
	if (stream.length - size < length)
		return RESULT_OK;
	TRY(split(framing, bytes_from(stream.data + size, length), ret_message, ret_tpdu));
	*ret_consumed = size + length;
	return RESULT_OK;
}

size_t iso8583_frame_overhead(const struct iso8583_framing *framing)
{
	return kinds[framing->header].size + overhead_in_length(framing);
}

struct result iso8583_frame_write(const struct iso8583_framing *framing, size_t length,
                                  const uint8_t *tpdu, uint8_t *to)
{
	size_t size = kinds[framing->header].size;

	length += overhead_in_length(framing) + (framing->inclusive ? size : 0);
	if (length > kinds[framing->header].largest)
		return FAIL(ERROR_LIMIT, "the header cannot say so long a length");
	kinds[framing->header].write(to, size, length);
	to += size;
	if (framing->tpdu) {
		memcpy(to, tpdu, ISO8583_TPDU);
		to += ISO8583_TPDU;
	}
	memcpy(to, framing->fixed, framing->fixed_length);
	return RESULT_OK;
}
