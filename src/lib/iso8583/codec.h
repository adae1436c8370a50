// ISO 8583 messages, packed and unpacked by a dialect (dialect.h), without allocation. Every length
// is checked against what is left before it is used; an error names field and offset. What the
// fields mean is the driver's business; what is inside them is part.h's.
#pragma once

#include "base/buffer.h"
#include "base/result.h"
#include "iso8583/dialect.h"

// The longest message on the wire, and the room for values that have to be decoded from it.
#define ISO8583_MESSAGE_MAX 8192
#define ISO8583_ROOM (2 * (ISO8583_MESSAGE_MAX + 1))
#define ISO8583_MAPS 3

// A message. Values are views: of the wire that was unpacked, of what the caller has set, or of
// `room`; the message must not be copied. About 20 KiB, of which only what is used is touched.
struct iso8583_message {
	char mti[4];
	uint64_t present[ISO8583_MAPS]; // fields 1 to 64 and so on, most significant bit first
	size_t room_used;
	// The first field that the dialect does not have ends what can be read: from its first byte
	// on everything is kept as it is, with the bits that announce it.
	int unknown_field; // 0: there is none
	struct bytes unknown;
	uint64_t unknown_present[ISO8583_MAPS];
	struct bytes values[ISO8583_FIELDS + 1]; // valid where `present` says so
	uint16_t offsets[ISO8583_FIELDS + 1];    // where the field starts, if it was unpacked
	uint8_t room[ISO8583_ROOM];
};

// Where an error is.
struct iso8583_place {
	int field;     // 0: the message type; 1: the bitmaps
	size_t offset; // in bytes, from the start of the message
};

void iso8583_begin(struct iso8583_message *message, const char mti[static 4]);
// Wipes what the message holds itself. For cleanup(iso8583_wipe).
void iso8583_wipe(struct iso8583_message *message);

static inline bool iso8583_has(const struct iso8583_message *message, int field)
{
	return message->present[(field - 1) >> 6] >> (63 - ((field - 1) & 63)) & 1;
}

// The value as it is on the wire (padding included); BYTES_NONE when the message does not have it.
struct bytes iso8583_get(const struct iso8583_message *message, int field);
// The same without spaces at the end.
struct bytes iso8583_get_trimmed(const struct iso8583_message *message, int field);

// Sets a field, 2 to 192; the bytes stay the caller's and must live until the message is packed.
void iso8583_set(struct iso8583_message *message, int field, struct bytes value);
// Sets a field to a number as `digits` digits, in the message's own room; what does not fit is cut
// off on the left.
void iso8583_set_number(struct iso8583_message *message, int field, uint64_t number, int digits);
void iso8583_unset(struct iso8583_message *message, int field);

// Writes the message to `to` (capacity bytes) and says how long it is. ERROR_INPUT: a value does
// not fit its field; ERROR_LIMIT: no room left. `ret_place` is set on failure.
MUST_USE struct result iso8583_pack(const struct iso8583_dialect *dialect,
                                    const struct iso8583_message *message, uint8_t *to,
                                    size_t capacity, size_t *ret_length,
                                    struct iso8583_place *ret_place);

// Reads one message that must fill `wire` exactly; `wire` must live as long as the message is used.
// ERROR_INPUT: not a message of this dialect; ERROR_LIMIT: longer than ISO8583_MESSAGE_MAX. After a
// failure the message has the fields before the one that failed, so that a log can say whose it
// was. What is inside fields is not looked at.
MUST_USE struct result iso8583_unpack(const struct iso8583_dialect *dialect, struct bytes wire,
                                      struct iso8583_message *ret_message,
                                      struct iso8583_place *ret_place);

// Appends one line for a log: "0100 2=[hidden 16] 3=000000 …". Only fields that the dialect marks
// as printable are shown, of those only printable characters, and no digits that look like a card
// number; of all others the length.
void iso8583_describe(const struct iso8583_dialect *dialect, const struct iso8583_message *message,
                      struct buffer *buffer);

// The field, if its value may be shown as a whole: when it is printable, and so are all the parts
// that stand in it one after the other. NULL: it has other parts, or hidden ones; what of them may
// be shown is shown part by part.
const struct iso8583_field *iso8583_shown(const struct iso8583_dialect *dialect,
                                          const struct iso8583_field *field);

// Appends a value as a log may show it, by the field's mark (NULL: hidden).
void iso8583_describe_value(const struct iso8583_field *field, struct bytes value,
                            struct buffer *buffer);

// The answer's message type: digit 3 is one more, the repeat bit of digit 4 is cleared (0101 →
// 0110, 0421 → 0430). False when `mti` is not that of a request or an advice.
bool iso8583_answer_mti(const char mti[static 4], char ret_mti[static 4]);
