// Any bytes as a stream of frames, in every kind of framing: how it is cut does not matter, a
// message lies inside the stream, and what was read is written to the same bytes. The first byte
// chooses the framing.
#include "base/check.h"
#include "iso8583/frame.h"

enum { FRAMES = 64, LARGEST = 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_frame(const struct iso8583_framing *framing, struct bytes stream,
                        struct bytes message, struct bytes tpdu, size_t consumed)
{
	uint8_t head[ISO8583_FRAME_OVERHEAD + 64];
	size_t overhead = iso8583_frame_overhead(framing);

	CHECK(consumed <= stream.length && message.length <= framing->max);
	CHECK(message.length == 0 || (message.data >= stream.data &&
	                              message.data + message.length == stream.data + consumed));
	if (message.length == 0)
		return;
	CHECK(overhead + message.length == consumed && overhead <= sizeof head);
	CHECK(result_ok(iso8583_frame_write(framing, message.length, tpdu.data, head)));
	CHECK(memcmp(head, stream.data, overhead) == 0);
}

// Reads up to FRAMES frames; `step` bytes more are in sight at each turn.
static size_t read_frames(const struct iso8583_framing *framing, struct bytes stream, size_t step,
                          size_t *ret_taken)
{
	size_t sight = 0, taken = 0, count = 0;

	while (count < FRAMES) {
		struct bytes message, tpdu;
		struct bytes seen = bytes_slice(stream, taken, sight - taken);
		size_t consumed = 0;
		if (!result_ok(iso8583_frame_read(framing, seen, &message, &tpdu, &consumed)))
			break;
		if (consumed == 0 && sight == stream.length)
			break;
		if (consumed == 0) {
			sight = stream.length - sight < step ? stream.length : sight + step;
			continue;
		}
		check_frame(framing, seen, message, tpdu, consumed);
		taken += consumed;
		count++;
	}
	*ret_taken = taken;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t whole_taken, part_taken;

	if (size == 0)
		return 0;
	struct iso8583_framing framing = {
		.header = (enum iso8583_header)(data[0] % ISO8583_HEADERS),
		.inclusive = data[0] & 16,
		.tpdu = data[0] & 32,
		.max = LARGEST,
	};
	struct bytes stream = bytes_from(data + 1, size - 1);
	size_t whole = read_frames(&framing, stream, size, &whole_taken);
	size_t parts = read_frames(&framing, stream, 3, &part_taken);
	CHECK(whole == parts && whole_taken == part_taken);
	return 0;
}
