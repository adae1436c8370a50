// Frames of every kind: written, read back, cut at every byte, and refused.
#include "base/tap.h"
#include "iso8583/frame.h"

#include <stdlib.h>

static const uint8_t tpdu[5] = { 0x60, 0x00, 0x03, 0x00, 0x01 };

static void round_trip(struct iso8583_framing framing, size_t length)
{
	uint8_t *wire = malloc(ISO8583_FRAME_OVERHEAD + length);
	size_t overhead = iso8583_frame_overhead(&framing);
	struct bytes message, found_tpdu;
	size_t consumed;

	REQUIRE(wire);
	memset(wire + overhead, 0xa5, length);
	EXPECT(result_ok(iso8583_frame_write(&framing, length, tpdu, wire)));
	for (size_t part = 0; part < overhead + length; part++) {
		EXPECT(result_ok(iso8583_frame_read(&framing, bytes_from(wire, part), &message,
		                                    &found_tpdu, &consumed)));
		EXPECT(consumed == 0);
	}
	EXPECT(result_ok(iso8583_frame_read(&framing, bytes_from(wire, overhead + length), &message,
	                                    &found_tpdu, &consumed)));
	EXPECT(consumed == overhead + length && message.length == length);
	EXPECT(message.data == wire + overhead);
	EXPECT(!framing.tpdu || bytes_equal(found_tpdu, BYTES_ARRAY(tpdu)));
	free(wire);
}

TEST(every_kind_is_read_as_it_was_written)
{
	for (int kind = 0; kind < ISO8583_HEADERS; kind++)
		for (int inclusive = 0; inclusive < 2; inclusive++)
			for (int with_tpdu = 0; with_tpdu < 2; with_tpdu++) {
				struct iso8583_framing framing = { (enum iso8583_header)kind,
					                           inclusive, with_tpdu, 4096 };
				round_trip(framing, 1);
				round_trip(framing, 164);
				round_trip(framing, 300);
			}
}

TEST(a_fixed_header_stands_before_every_message)
{
	struct iso8583_framing framing = { ISO8583_HEADER_BINARY_2, true, true, 4096 };
	uint8_t wire[ISO8583_FRAME_OVERHEAD];
	struct bytes message, found_tpdu;
	size_t consumed;

	memcpy(framing.fixed, "ISO026000010", 12);
	framing.fixed_length = 12;
	round_trip(framing, 164);
	EXPECT(result_ok(iso8583_frame_write(&framing, 3, tpdu, wire)));
	EXPECT(iso8583_frame_overhead(&framing) == 19 && wire[1] == 22);
	EXPECT(memcmp(wire + 7, "ISO026000010", 12) == 0);
	// The bank's own header may say something else; it may not be missing.
	memcpy(wire + 7, "ISO099999999", 12);
	EXPECT(result_ok(iso8583_frame_read(&framing, bytes_from(wire, 22), &message, &found_tpdu,
	                                    &consumed)));
	EXPECT(consumed == 22 && message.length == 3);
	wire[1] = 18;
	EXPECT(iso8583_frame_read(&framing, bytes_from(wire, 22), &message, &found_tpdu, &consumed)
	               .error == ERROR_INPUT);
}

static struct result read_text(struct iso8583_framing framing, const char *text, size_t length,
                               size_t *ret_consumed)
{
	struct bytes message, found_tpdu;

	return iso8583_frame_read(&framing, bytes_from(text, length), &message, &found_tpdu,
	                          ret_consumed);
}

TEST(a_keep_alive_is_an_empty_frame)
{
	struct iso8583_framing framing = { ISO8583_HEADER_BINARY_2, false, true, 4096 };
	size_t consumed;

	EXPECT(result_ok(read_text(framing, "\0\0", 2, &consumed)));
	EXPECT(consumed == 2);
}

TEST(headers_that_lie_are_refused)
{
	struct iso8583_framing ascii = { ISO8583_HEADER_ASCII_4, false, false, 4096 };
	struct iso8583_framing own = { ISO8583_HEADER_ASCII_4, true, false, 4096 };
	struct iso8583_framing binary = { ISO8583_HEADER_BINARY_2, false, false, 4096 };
	struct iso8583_framing four = { ISO8583_HEADER_BINARY_4, false, false, 4096 };
	struct iso8583_framing packed = { ISO8583_HEADER_BCD_2, false, false, 4096 };
	struct iso8583_framing with_tpdu = { ISO8583_HEADER_BINARY_2, false, true, 4096 };
	size_t consumed;

	EXPECT(read_text(ascii, "00-1", 4, &consumed).error == ERROR_INPUT);
	EXPECT(read_text(ascii, "4097", 4, &consumed).error == ERROR_LIMIT);
	EXPECT(result_ok(read_text(ascii, "4096", 4, &consumed)) && consumed == 0);
	EXPECT(read_text(own, "0003", 4, &consumed).error == ERROR_INPUT);
	EXPECT(read_text(binary, "\xff\xff", 2, &consumed).error == ERROR_LIMIT);
	EXPECT(read_text(four, "\xff\xff\xff\xff", 4, &consumed).error == ERROR_LIMIT);
	EXPECT(read_text(packed, "\x1a\x00", 2, &consumed).error == ERROR_INPUT);
	EXPECT(read_text(with_tpdu,
	                 "\x00\x04...."
	                 "",
	                 6, &consumed)
	               .error == ERROR_INPUT);
}

TEST(a_length_that_the_header_cannot_say_is_not_written)
{
	struct iso8583_framing framing = { ISO8583_HEADER_ASCII_4, true, true, 10000 };
	uint8_t wire[16];

	EXPECT(result_ok(iso8583_frame_write(&framing, 9990, tpdu, wire)));
	EXPECT(iso8583_frame_write(&framing, 9991, tpdu, wire).error == ERROR_LIMIT);
}

TAP_MAIN
