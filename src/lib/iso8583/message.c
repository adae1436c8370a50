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
	for (int map = 0; map < ISO8583_MAPS; map++) {
		message->present[map] = 0;
		message->unknown_present[map] = 0;
	}
	message->room_used = 0;
	message->unknown_field = 0;
	message->unknown = BYTES_NONE;
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

enum { CARD_DIGITS_MIN = 13, CARD_DIGITS_MAX = 19 };

// A value as characters: its bytes, or its half bytes in hexadecimal.
struct view {
	struct bytes value;
	bool halves;
};

static size_t view_length(const struct view *view)
{
	return view->halves ? 2 * view->value.length : view->value.length;
}

static uint8_t view_at(const struct view *view, size_t at)
{
	if (!view->halves)
		return view->value.data[at];
	uint8_t byte = view->value.data[at / 2];
	return (uint8_t) "0123456789abcdef"[at % 2 ? byte & 15 : byte >> 4];
}

static bool is_digit_at(const struct view *view, size_t at)
{
	return at < view_length(view) && view_at(view, at) >= '0' && view_at(view, at) <= '9';
}

// How many of the digits from here on look like a card number: no digit before or after them, a
// first one that is not 0, a last one that checks (ISO/IEC 7812-1 annex B). 0: they do not.
static size_t card_number_length(const struct view *view, size_t from)
{
	size_t length = 0;
	unsigned sum = 0;

	if (from > 0 && is_digit_at(view, from - 1))
		return 0;
	while (length <= CARD_DIGITS_MAX && is_digit_at(view, from + length))
		length++;
	if (length < CARD_DIGITS_MIN || length > CARD_DIGITS_MAX || view_at(view, from) == '0')
		return 0;
	for (size_t i = 0; i < length; i++) {
		unsigned digit = view_at(view, from + length - 1 - i) - (unsigned)'0';
		unsigned twice = digit * 2;
		sum += i % 2 == 0 ? digit : twice > 9 ? twice - 9 : twice;
	}
	return sum % 10 == 0 ? length : 0;
}

void iso8583_describe_value(const struct iso8583_field *field, struct bytes value,
                            struct buffer *buffer)
{
	if (!field || field->secrecy != ISO8583_PRINTABLE) {
		buffer_printf(buffer, "[hidden %zu]", value.length);
		return;
	}
	// Bytes may hold digits packed, or as characters.
	const struct view characters = { value, false };
	const struct view view = { value, field->type == ISO8583_B };
	for (size_t i = 0; i < view_length(&view); i++) {
		size_t card = card_number_length(&view, i);
		size_t written =
		        view.halves && i % 2 == 0 ? card_number_length(&characters, i / 2) : 0;
		uint8_t character = view_at(&view, i);
		if (written > 0 || card > 0) {
			buffer_printf(buffer, "[hidden %zu]", written > 0 ? written : card);
			i += written > 0 ? 2 * written - 1 : card - 1;
		} else {
			buffer_put_byte(buffer,
			                character > 0x20 && character < 0x7f ? character : '_');
		}
	}
}

const struct iso8583_field *iso8583_shown(const struct iso8583_dialect *dialect,
                                          const struct iso8583_field *field)
{
	const struct iso8583_content *content = iso8583_content_of(dialect, field);

	if (field->secrecy != ISO8583_PRINTABLE || (content && content->kind != ISO8583_POSITIONAL))
		return NULL;
	for (uint16_t at = content ? content->first : 0; at > 0; at = dialect->parts[at - 1].next)
		if (!iso8583_shown(dialect, &dialect->parts[at - 1]))
			return NULL;
	return field;
}

void iso8583_describe(const struct iso8583_dialect *dialect, const struct iso8583_message *message,
                      struct buffer *buffer)
{
	buffer_put(buffer, bytes_from(message->mti, 4));
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		if (!iso8583_has(message, i))
			continue;
		buffer_printf(buffer, " %d=", i);
		iso8583_describe_value(iso8583_shown(dialect, &dialect->fields[i]),
		                       message->values[i], buffer);
	}
	if (message->unknown_field > 0)
		buffer_printf(buffer, " %d+=[hidden %zu]", message->unknown_field,
		              message->unknown.length);
}
