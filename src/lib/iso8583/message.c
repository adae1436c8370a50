// Messages in memory: fields set and read, and the line for the log.
#include "base/check.h"
#include "iso8583/codec.h"

#include <string.h>

static uint64_t bit_of(int field)
{
	CHECK(field >= 2 && field <= ISO8583_FIELDS);
	return (uint64_t)1 << (63 - ((field - 1) & 63));
}

void iso8583_begin(struct iso8583_message *message, const char mti[static 4])
{
	memcpy(message->mti, mti, 4);
	message->present[0] = 0;
	message->present[1] = 0;
	message->room_used = 0;
}

void iso8583_wipe(struct iso8583_message *message)
{
	explicit_bzero(message->room, message->room_used);
	explicit_bzero(message, offsetof(struct iso8583_message, values));
}

struct bytes iso8583_get(const struct iso8583_message *message, int field)
{
	return iso8583_has(message, field) ? message->values[field] : BYTES_NONE;
}

struct bytes iso8583_get_trimmed(const struct iso8583_message *message, int field)
{
	struct bytes value = iso8583_get(message, field);

	while (value.length > 0 && value.data[value.length - 1] == ' ')
		value.length--;
	return value;
}

void iso8583_set(struct iso8583_message *message, int field, struct bytes value)
{
	message->present[(field - 1) >> 6] |= bit_of(field);
	message->values[field] = value;
}

void iso8583_set_number(struct iso8583_message *message, int field, uint64_t number, int digits)
{
	uint8_t *to = message->room + message->room_used;

	CHECK(digits > 0 && (size_t)digits <= sizeof message->room - message->room_used);
	for (int i = digits - 1; i >= 0; i--) {
		to[i] = (uint8_t)('0' + number % 10);
		number /= 10;
	}
	message->room_used += (size_t)digits;
	iso8583_set(message, field, bytes_from(to, (size_t)digits));
}

void iso8583_unset(struct iso8583_message *message, int field)
{
	message->present[(field - 1) >> 6] &= ~bit_of(field);
}

bool iso8583_answer_mti(const char mti[static 4], char ret_mti[static 4])
{
	bool request = (mti[2] - '0') % 2 == 0;

	memcpy(ret_mti, mti, 4);
	ret_mti[2] = (char)(mti[2] + 1);
	ret_mti[3] = (char)('0' + ((mti[3] - '0') & ~1));
	return request;
}

static void describe_value(const struct iso8583_field *field, struct bytes value,
                           struct buffer *buffer)
{
	if (field->secrecy != ISO8583_PRINTABLE) {
		buffer_printf(buffer, "[hidden %zu]", value.length);
		return;
	}
	for (size_t i = 0; i < value.length; i++) {
		uint8_t byte = value.data[i];
		buffer_put_byte(buffer, byte > 0x20 && byte < 0x7f ? byte : '_');
	}
}

void iso8583_describe(const struct iso8583_dialect *dialect, const struct iso8583_message *message,
                      struct buffer *buffer)
{
	buffer_put(buffer, bytes_from(message->mti, 4));
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		if (!iso8583_has(message, i))
			continue;
		buffer_printf(buffer, " %d=", i);
		describe_value(&dialect->fields[i], message->values[i], buffer);
	}
}
