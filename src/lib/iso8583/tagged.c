// Tag, length, value in characters.
#include "iso8583/tagged.h"

static bool digit(uint8_t byte)
{
	return byte >= '0' && byte <= '9';
}

bool iso8583_tagged_next(struct bytes *rest, struct bytes *ret_tag, struct bytes *ret_value,
                         bool *ret_broken)
{
	const uint8_t *at = rest->data;

	*ret_broken = false;
	if (rest->length == 0)
		return false;
	*ret_broken = true;
	if (rest->length < 4 || !digit(at[2]) || !digit(at[3]))
		return false;
	size_t length = (size_t)(at[2] - '0') * 10 + (size_t)(at[3] - '0');
	if (length > rest->length - 4)
		return false;
	*ret_broken = false;
	*ret_tag = bytes_from(at, 2);
	*ret_value = bytes_from(at + 4, length);
	*rest = bytes_from(at + 4 + length, rest->length - 4 - length);
	return true;
}

struct bytes iso8583_tagged_get(struct bytes field, const char *tag)
{
	struct bytes found, value;
	bool broken;

	while (iso8583_tagged_next(&field, &found, &value, &broken))
		if (bytes_equal_text(found, tag))
			return value;
	return BYTES_NONE;
}

bool iso8583_tagged_put(uint8_t *to, size_t capacity, size_t *length, const char *tag,
                        struct bytes value)
{
	size_t left = capacity - *length;
	uint8_t *at = to + *length;

	if (value.length == 0)
		return true;
	if (value.length > 99 || left < 4 || value.length > left - 4)
		return false;
	memcpy(at, tag, 2);
	at[2] = (uint8_t)('0' + value.length / 10);
	at[3] = (uint8_t)('0' + value.length % 10);
	memcpy(at + 4, value.data, value.length);
	*length += 4 + value.length;
	return true;
}
