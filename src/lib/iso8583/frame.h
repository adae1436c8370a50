// Frames: how messages are told apart in a stream of bytes. A length header, with or without
// itself counted, then a TPDU (five bytes: 60, destination, source) and a header of fixed bytes
// where the line has them, then the message. A frame of length zero is a keep-alive.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#define ISO8583_TPDU 5
// The longest header of fixed bytes.
#define ISO8583_FIXED_MAX 32
// The largest length, TPDU and header together.
#define ISO8583_FRAME_OVERHEAD (4 + ISO8583_TPDU + ISO8583_FIXED_MAX)

enum iso8583_header {
	ISO8583_HEADER_BINARY_2, // big-endian
	ISO8583_HEADER_BINARY_4,
	ISO8583_HEADER_BCD_2,   // two bytes, four digits
	ISO8583_HEADER_ASCII_4, // four digits as characters
	ISO8583_HEADERS,
};

struct iso8583_framing {
	enum iso8583_header header;
	bool inclusive; // the length counts its own bytes
	bool tpdu;
	size_t max; // the longest message
	// What stands before every message that is written; as many bytes are dropped, whatever
	// they are, from every message that is read.
	uint8_t fixed[ISO8583_FIXED_MAX];
	size_t fixed_length;
};

// "binary2", "binary4", "bcd2", "ascii4".
MUST_USE bool iso8583_header_named(struct bytes name, enum iso8583_header *ret_header);

// Looks at the start of a stream. *ret_consumed is 0 while the frame is not complete; else it is
// the whole frame's length, ret_message the message in it (empty: keep-alive) and ret_tpdu its TPDU
// (empty where the line has none). Both are views of `stream`. A failure (ERROR_INPUT: not a
// header; ERROR_LIMIT: longer than `max`) means that the stream cannot be read any further.
MUST_USE struct result iso8583_frame_read(const struct iso8583_framing *framing,
                                          struct bytes stream, struct bytes *ret_message,
                                          struct bytes *ret_tpdu, size_t *ret_consumed);

// How many bytes stand before the message.
size_t iso8583_frame_overhead(const struct iso8583_framing *framing);

// Writes length, TPDU (five bytes; ignored where the line has none) and header for a message of
// `length` bytes, which is to stand right behind. ERROR_LIMIT: the header cannot say such a length.
MUST_USE struct result iso8583_frame_write(const struct iso8583_framing *framing, size_t length,
                                           const uint8_t *tpdu, uint8_t *to);
