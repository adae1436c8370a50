// Any bytes as a message in each shipped dialect. What is read is written back to bytes that read
// the same, and so are the parts inside its fields; what is shown of it never fails.
#include "base/check.h"
#include "base/cleanup.h"
#include "iso8583/explain.h"
#include "iso8583/part.h"

enum { DIALECTS = 4, PARTS = 64 };

static struct iso8583_dialect *dialects[DIALECTS];
static struct iso8583_message message, second;

int LLVMFuzzerInitialize(int *count, char ***words);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***words)
{
	(void)count;
	(void)words;
	for (size_t i = 0; i < DIALECTS; i++)
		CHECK(result_ok(iso8583_dialect_find(bytes_text(iso8583_dialect_shipped(i)),
		                                     &dialects[i])));
	CHECK(!iso8583_dialect_shipped(DIALECTS));
	return 0;
}

// How many parts there are, if all of them are known and can be read.
static size_t read_parts(const struct iso8583_dialect *dialect,
                         const struct iso8583_content *content, struct bytes value,
                         struct iso8583_part *parts, uint8_t *room, size_t capacity)
{
	struct iso8583_parts walk;
	bool end = false;
	size_t count = 0;

	iso8583_parts_begin(&walk, dialect, content, value, room, capacity);
	for (; count < PARTS; count++) {
		if (!result_ok(iso8583_parts_next(&walk, &parts[count], &end)))
			return 0;
		CHECK(parts[count].offset <= value.length);
		if (end)
			return count;
		if (!parts[count].field && content->kind != ISO8583_BER)
			return 0;
	}
	return 0;
}

// Not the bytes: a length or a bitmap may have been written longer than it had to be.
static void check_parts(const struct iso8583_dialect *dialect, const struct iso8583_field *field,
                        struct bytes value)
{
	const struct iso8583_content *content = iso8583_content_of(dialect, field);
	static struct iso8583_part parts[PARTS], again[PARTS];
	static uint8_t room[ISO8583_ROOM], more_room[ISO8583_ROOM], packed[2 * ISO8583_ROOM];
	size_t length, wrong;

	if (!content)
		return;
	size_t count = read_parts(dialect, content, value, parts, room, sizeof room);
	if (count == 0)
		return;
	CHECK(result_ok(iso8583_parts_pack(dialect, content, parts, count, packed, sizeof packed,
	                                   &length, &wrong)));
	CHECK(read_parts(dialect, content, bytes_from(packed, length), again, more_room,
	                 sizeof more_room) == count);
	for (size_t i = 0; i < count; i++)
		CHECK(parts[i].key == again[i].key && bytes_equal(parts[i].value, again[i].value));
}

static void check_message(const struct iso8583_dialect *dialect)
{
	static uint8_t packed[2 * ISO8583_MESSAGE_MAX];
	struct iso8583_place place;
	size_t length;

	CHECK(result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)));
	if (length > ISO8583_MESSAGE_MAX)
		return;
	CHECK(result_ok(iso8583_unpack(dialect, bytes_from(packed, length), &second, &place)));
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		CHECK(bytes_equal(iso8583_get(&message, i), iso8583_get(&second, i)));
		if (iso8583_has(&message, i))
			check_parts(dialect, &dialect->fields[i], message.values[i]);
	}
	CHECK(message.unknown_field == second.unknown_field);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes wire = bytes_from(data, size);
	struct iso8583_place place;

	for (int i = 0; i < DIALECTS; i++) {
		struct buffer shown cleanup(buffer_done) = { 0 };
		bool good = result_ok(iso8583_unpack(dialects[i], wire, &message, &place));
		if (good)
			check_message(dialects[i]);
		else
			CHECK(size > ISO8583_MESSAGE_MAX || place.offset <= size);
		buffer_init(&shown, 4 << 20);
		CHECK(result_ok(iso8583_explain(dialects[i], wire, &shown)) == good);
		CHECK(!shown.failed);
	}
	return 0;
}
