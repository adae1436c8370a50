// Frames: four bytes of length (of what follows, little endian), two of the message's number, then
// its fields in order; a number is eight bytes, bytes are four of length and themselves.
#include "wire/wire.h"

#include "base/check.h"

enum { HEAD_BYTES = 4, FRAME_LIMIT = 2 * 1024 * 1024 };

#define FIELD_ROW(name, kind, limit) { #name, WIRE_##kind, limit },
#define FIELD_ROWS(name, number, sender, receiver, descriptors)                                    \
	static const struct wire_field fields_##name[WIRE_FIELDS_OF_##name + 1] = {                \
		WIRE_FIELDS_##name(FIELD_ROW){ NULL, WIRE_NUMBER, 0 }                              \
	};
WIRE_MESSAGES(FIELD_ROWS)

static const struct wire_row rows[] = {
#define ROW(name, number, sender, receiver, descriptors)                                           \
	{                                                                                          \
		#name,           number,      WIRE_##sender,                                       \
		WIRE_##receiver, descriptors, WIRE_FIELDS_OF_##name,                               \
		fields_##name                                                                      \
	},
	WIRE_MESSAGES(ROW)
};

static const size_t row_count = sizeof(rows) / sizeof(rows[0]);

const struct wire_row *wire_row_at(size_t index)
{
	return index < row_count ? &rows[index] : NULL;
}

const struct wire_row *wire_row(uint16_t number)
{
	for (size_t i = 0; i < row_count; i++)
		if (rows[i].number == number)
			return &rows[i];
	return NULL;
}

static void put_little(uint8_t *to, uint64_t number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t get_little(const uint8_t *from, int bytes)
{
	uint64_t number = 0;

	for (int i = bytes; i-- > 0;)
		number = number << 8 | from[i];
	return number;
}

static bool fits(const struct wire_field *field, const struct wire_value *value)
{
	return field->kind == WIRE_NUMBER ? value->number <= field->limit
	                                  : value->bytes.length <= field->limit;
}

static size_t encoded_length(const struct wire_field *field, const struct wire_value *value)
{
	return field->kind == WIRE_NUMBER ? 8 : 4 + value->bytes.length;
}

static uint8_t *put_field(uint8_t *at, const struct wire_field *field,
                          const struct wire_value *value)
{
	if (field->kind == WIRE_NUMBER) {
		put_little(at, value->number, 8);
		return at + 8;
	}
	put_little(at, value->bytes.length, 4);
	if (value->bytes.length)
		memcpy(at + 4, value->bytes.data, value->bytes.length);
	return at + 4 + value->bytes.length;
}

struct result wire_encode(struct buffer *buffer, enum wire_number number,
                          const struct wire_value *values)
{
	const struct wire_row *row = wire_row((uint16_t)number);
	size_t length = 2;

	CHECK(row);
	for (uint8_t i = 0; i < row->count; i++) {
		if (!fits(&row->fields[i], &values[i]))
			return FAIL(ERROR_LIMIT, "a field of a message is past its limit");
		length += encoded_length(&row->fields[i], &values[i]);
	}
	uint8_t *at = buffer_room(buffer, HEAD_BYTES + length);
	if (!at)
		return FAIL(ERROR_LIMIT, "a channel's buffer is full");
	put_little(at, length, HEAD_BYTES);
	put_little(at + HEAD_BYTES, row->number, 2);
	at += HEAD_BYTES + 2;
	for (uint8_t i = 0; i < row->count; i++)
		at = put_field(at, &row->fields[i], &values[i]);
	buffer_grew(buffer, HEAD_BYTES + length);
	return RESULT_OK;
}

// Takes one field from the front of *rest.
static bool take_field(struct bytes *rest, const struct wire_field *field,
                       struct wire_value *ret_value)
{
	size_t head = field->kind == WIRE_NUMBER ? 8 : 4;

	if (rest->length < head)
		return false;
	uint64_t number = get_little(rest->data, (int)head);
	*rest = bytes_slice(*rest, head, rest->length);
	if (field->kind == WIRE_NUMBER) {
		*ret_value = WIRE_N(number);
		return number <= field->limit;
	}
	if (number > field->limit || number > rest->length)
		return false;
	*ret_value = WIRE_B(bytes_slice(*rest, 0, number));
	*rest = bytes_slice(*rest, number, rest->length);
	return true;
}

static struct result decode_fields(struct bytes rest, struct wire_message *message)
{
	for (uint8_t i = 0; i < message->row->count; i++)
		if (!take_field(&rest, &message->row->fields[i], &message->fields[i]))
			return FAIL(ERROR_INPUT, "a field does not fit its row of the catalogue");
	if (rest.length)
		return FAIL(ERROR_INPUT, "a message is longer than its row of the catalogue");
	return RESULT_OK;
}

struct result wire_decode(struct bytes from, enum wire_program sender, enum wire_program receiver,
                          struct wire_message *ret_message, size_t *ret_length)
{
	*ret_length = 0;
	if (from.length < HEAD_BYTES)
		return RESULT_OK;
	uint64_t length = get_little(from.data, HEAD_BYTES);
	if (length < 2 || length > FRAME_LIMIT)
		return FAIL(ERROR_INPUT, "a frame of an impossible length");
	if (from.length - HEAD_BYTES < length)
		return RESULT_OK;
	const struct wire_row *row = wire_row((uint16_t)get_little(from.data + HEAD_BYTES, 2));
	if (!row || row->sender != sender || row->receiver != receiver)
		return FAIL(ERROR_INPUT, "a message that this neighbour may not send");
	ret_message->row = row;
	for (int i = 0; i < WIRE_MAX_DESCRIPTORS; i++)
		ret_message->descriptors[i] = -1;
	TRY(decode_fields(bytes_slice(from, HEAD_BYTES + 2, length - 2), ret_message));
	*ret_length = HEAD_BYTES + length;
	return RESULT_OK;
}
