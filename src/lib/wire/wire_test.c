// Tests of frames and channels: round trips, every wrong frame refused, descriptors handed over.
#include "base/tap.h"
#include "wire/channel.h"

#include <sys/socket.h>
#include <unistd.h>

static const struct wire_value gone[] = { [WIRE_REQUEST_GONE_SERIAL] = WIRE_N(77) };

TEST(every_row_goes_through_its_own_decoder)
{
	for (size_t i = 0; wire_row_at(i); i++) {
		const struct wire_row *row = wire_row_at(i);
		struct wire_value values[WIRE_MAX_FIELDS] = { 0 };
		struct wire_message back;
		struct buffer frame;
		size_t length;

		for (uint8_t f = 0; f < row->count; f++)
			values[f] = row->fields[f].kind == WIRE_NUMBER
			                    ? WIRE_N(row->fields[f].limit)
			                    : WIRE_B(bytes_text("x"));
		buffer_init(&frame, 1 << 20);
		EXPECT(row->count <= WIRE_MAX_FIELDS);
		EXPECT(result_ok(wire_encode(&frame, row->number, values)));
		for (size_t cut = 0; cut < frame.length; cut++) {
			EXPECT(result_ok(wire_decode(bytes_slice(buffer_view(&frame), 0, cut),
			                             row->sender, row->receiver, &back, &length)));
			EXPECT(length == 0);
		}
		EXPECT(result_ok(wire_decode(buffer_view(&frame), row->sender, row->receiver, &back,
		                             &length)));
		EXPECT(length == frame.length && back.row == row);
		for (uint8_t f = 0; f < row->count; f++)
			EXPECT(back.fields[f].number == values[f].number &&
			       bytes_equal(back.fields[f].bytes, values[f].bytes));
		buffer_done(&frame);
	}
}

TEST(numbers_of_messages_are_unique)
{
	for (size_t i = 0; wire_row_at(i); i++)
		EXPECT(wire_row(wire_row_at(i)->number) == wire_row_at(i));
}

TEST(what_breaks_the_catalogue_is_refused)
{
	struct wire_message message;
	struct buffer frame;
	size_t length;

	buffer_init(&frame, 1000);
	EXPECT(result_ok(wire_encode(&frame, WIRE_REQUEST_GONE, gone)));
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_CORE, WIRE_WEB, &message, &length)));
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_WEB, WIRE_VAULT, &message, &length)));
	frame.data[0]++; // one byte more than the row has
	buffer_put_byte(&frame, 0);
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_WEB, WIRE_CORE, &message, &length)));
	frame.data[0] = 1;
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_WEB, WIRE_CORE, &message, &length)));
	frame.data[3] = 0x7f;
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_WEB, WIRE_CORE, &message, &length)));
	const struct wire_value late[] = { WIRE_N(1), WIRE_N(1), WIRE_N(9), WIRE_B(BYTES_NONE),
		                           WIRE_B(BYTES_NONE) };
	EXPECT(wire_encode(&frame, WIRE_DRIVER_ANSWER, late).error == ERROR_LIMIT);
	buffer_done(&frame);
}

TEST(a_field_longer_than_the_frame_is_refused)
{
	const struct wire_value keys[] = { WIRE_B(bytes_text("{}")) };
	struct wire_message message;
	struct buffer frame;
	size_t length;

	buffer_init(&frame, 1000);
	EXPECT(result_ok(wire_encode(&frame, WIRE_CARD_KEYS, keys)));
	frame.data[6] = 200;
	EXPECT(!result_ok(
	        wire_decode(buffer_view(&frame), WIRE_VAULT, WIRE_CORE, &message, &length)));
	buffer_done(&frame);
}

TEST(a_channel_carries_messages_and_descriptors)
{
	struct wire_channel parent, core;
	struct wire_message message;
	int pair[2];
	int pipe_ends[2];
	bool got = false;

	REQUIRE(result_ok(wire_pair(pair)) && pipe(pipe_ends) == 0);
	wire_channel_init(&parent, pair[0], WIRE_PARENT, WIRE_CORE, 1000);
	wire_channel_init(&core, pair[1], WIRE_CORE, WIRE_PARENT, 1000);
	const struct wire_value kind[] = { WIRE_N(1) };
	EXPECT(result_ok(wire_channel_put_descriptors(&parent, WIRE_HANDOVER_PEER_CORE, kind,
	                                              &pipe_ends[1])));
	EXPECT(result_ok(wire_channel_read(&core)));
	EXPECT(result_ok(wire_channel_next(&core, &message, &got)) && got);
	EXPECT(message.row->number == WIRE_HANDOVER_PEER_CORE && message.descriptors[0] >= 0);
	EXPECT(write(message.descriptors[0], "x", 1) == 1);
	char byte = 0;
	EXPECT(read(pipe_ends[0], &byte, 1) == 1 && byte == 'x');
	EXPECT(result_ok(wire_channel_next(&core, &message, &got)) && !got);
	close(message.descriptors[0]);
	close(pipe_ends[0]);
	close(pipe_ends[1]);
	wire_channel_done(&parent);
	EXPECT(wire_channel_read(&core).error == ERROR_CLOSED);
	wire_channel_done(&core);
}

TEST(a_handover_without_its_descriptor_is_refused)
{
	struct wire_channel core;
	struct wire_message message;
	struct buffer frame;
	int pair[2];
	bool got;

	REQUIRE(result_ok(wire_pair(pair)));
	wire_channel_init(&core, pair[1], WIRE_CORE, WIRE_PARENT, 1000);
	buffer_init(&frame, 100);
	const struct wire_value kind[] = { WIRE_N(1) };
	EXPECT(result_ok(wire_encode(&frame, WIRE_HANDOVER_PEER_CORE, kind)));
	EXPECT(send(pair[0], frame.data, frame.length, 0) == (ssize_t)frame.length);
	EXPECT(result_ok(wire_channel_read(&core)));
	EXPECT(wire_channel_next(&core, &message, &got).error == ERROR_INPUT);
	buffer_done(&frame);
	close(pair[0]);
	wire_channel_done(&core);
}

// Eight times what may wait goes through while something always waits.
TEST(a_line_that_is_never_empty_does_not_fill_up)
{
	enum { OUT = 512 * 1024, ROUNDS = 64, BODY = 64 * 1024 };
	static uint8_t body[BODY];
	struct wire_channel web, core;
	struct wire_message message;
	int pair[2];
	int arrived = 0;

	REQUIRE(result_ok(wire_pair(pair)));
	wire_channel_init(&core, pair[0], WIRE_CORE, WIRE_WEB, OUT);
	wire_channel_init(&web, pair[1], WIRE_WEB, WIRE_CORE, OUT);
	const struct wire_value reply[WIRE_FIELDS_OF_REPLY] = { [WIRE_REPLY_BODY] =
		                                                        WIRE_B(BYTES_ARRAY(body)) };
	for (int i = 0; i < ROUNDS; i++) {
		bool got = true;
		while (core.out.length - core.out_taken < 4 * BODY) {
			REQUIRE(result_ok(wire_channel_put(&core, WIRE_REPLY, reply)));
			REQUIRE(i > 0 || result_ok(wire_channel_flush(&core)));
		}
		REQUIRE(result_ok(wire_channel_read(&web)));
		while (result_ok(wire_channel_next(&web, &message, &got)) && got)
			arrived++;
		REQUIRE(result_ok(wire_channel_flush(&core)) && wire_channel_waiting(&core));
	}
	EXPECT(arrived >= ROUNDS);
	wire_channel_done(&core);
	wire_channel_done(&web);
}

TAP_MAIN
