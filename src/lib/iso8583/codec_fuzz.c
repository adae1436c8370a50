// libFuzzer target: any bytes as a message in either dialect. What is read must be written back to
// bytes that read the same.
#include "base/check.h"
#include "iso8583/codec.h"
#include "iso8583/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const struct iso8583_dialect *dialect, const struct iso8583_message *message)
{
	static struct iso8583_message second;
	uint8_t packed[ISO8583_MESSAGE_MAX + 8];
	struct iso8583_place place;
	size_t length;

	CHECK(result_ok(iso8583_pack(dialect, message, packed, sizeof packed, &length, &place)));
	CHECK(result_ok(iso8583_unpack(dialect, bytes_from(packed, length), &second, &place)));
	for (int i = 2; i <= ISO8583_FIELDS; i++)
		CHECK(bytes_equal(iso8583_get(message, i), iso8583_get(&second, i)));
}

static void read_frames(struct bytes stream, enum iso8583_header header)
{
	struct iso8583_framing framing = { header, stream.length % 2 == 1, true, 1024 };
	struct bytes message, tpdu;
	size_t consumed = 1;

	while (consumed > 0 &&
	       result_ok(iso8583_frame_read(&framing, stream, &message, &tpdu, &consumed)))
		stream = bytes_slice(stream, consumed, stream.length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct iso8583_message message;
	struct bytes wire = bytes_from(data, size);
	struct iso8583_place place;

	if (result_ok(iso8583_unpack(&iso8583_1987_bcd, wire, &message, &place)))
		again(&iso8583_1987_bcd, &message);
	else
		CHECK(size > ISO8583_MESSAGE_MAX || place.offset <= size);
	if (result_ok(iso8583_unpack(&iso8583_1987_ascii, wire, &message, &place)))
		again(&iso8583_1987_ascii, &message);
	for (int header = 0; header < ISO8583_HEADERS; header++)
		read_frames(wire, (enum iso8583_header)header);
	return 0;
}
