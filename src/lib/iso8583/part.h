// What is inside a field: its parts, one after the other, as the dialect's content says
// (positional, tagged, BER-TLV, own bitmap). No allocation; lengths are checked against what is
// left, as in codec.h. Unknown tags are handed over as they are.
#pragma once

#include "iso8583/codec.h"
#include "iso8583/value.h"

#define ISO8583_PART_BITS 128

struct iso8583_part {
	const struct iso8583_field *field; // NULL: the dialect does not know the part
	uint32_t key;                      // as in the dialect: tag, bit or position
	uint8_t key_bytes;                 // of a tag
	struct bytes value;                // decoded; of an unknown part its bytes
	size_t offset;                     // where the part begins in the content, tag included
};

// A walk over the parts of one content. `room` is where values are decoded to.
struct iso8583_parts {
	const struct iso8583_dialect *dialect;
	const struct iso8583_content *content;
	struct iso8583_reader reader;
	const uint8_t *start;
	uint64_t bits[ISO8583_PART_BITS / 64];
	bool mapped;
	uint32_t last;
};

// `value` is the decoded value that holds the content; twice its length is always enough room.
void iso8583_parts_begin(struct iso8583_parts *parts, const struct iso8583_dialect *dialect,
                         const struct iso8583_content *content, struct bytes value, uint8_t *room,
                         size_t room_length);
// Takes the next part; *ret_end says that there is none. After a failure (ERROR_INPUT) key and
// offset of *ret_part say where, and the walk is over.
MUST_USE struct result iso8583_parts_next(struct iso8583_parts *parts,
                                          struct iso8583_part *ret_part, bool *ret_end);

// Writes parts as a content; of each the key and the value are used, and of a tag that the dialect
// does not know key_bytes. Bits and positions must ascend. *ret_wrong is the index of the part that
// failed.
MUST_USE struct result iso8583_parts_pack(const struct iso8583_dialect *dialect,
                                          const struct iso8583_content *content,
                                          const struct iso8583_part *parts, size_t count,
                                          uint8_t *to, size_t capacity, size_t *ret_length,
                                          size_t *ret_wrong);

// The value of one part of a message by its path ("55.9F02", "34.73.18"); BYTES_NONE when it is not
// there. ERROR_INPUT: what stands before it cannot be read; ERROR_NOT_FOUND: the dialect has no
// such path.
MUST_USE struct result iso8583_part_get(const struct iso8583_dialect *dialect,
                                        const struct iso8583_message *message, const char *path,
                                        uint8_t *room, size_t room_length, struct bytes *ret_value);

// Appends the key as a path writes it.
void iso8583_part_name(const struct iso8583_content *content, const struct iso8583_part *part,
                       struct buffer *buffer);
