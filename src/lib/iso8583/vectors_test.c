// Messages that other projects published with their tests (tests/vectors/iso8583.json names
// project, commit, file and licence of each): they decode field for field and pack back to the same
// bytes; every prefix and every message with one byte changed is read without harm.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "iso8583/codec.h"
#include "iso8583/explain.h"
#include "iso8583/part.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

// Which dialect a vector is in, by the beginning of what it says about itself. A name with a slash
// is a file beside the vectors.
static const struct {
	const char *spec, *dialect;
} dialects[] = {
	{ "iso87-ascii", "1987-ascii" },
	{ "iso87-binary", "1987-bcd" },
	{ "iso87-EBCDIC", "/ebcdic.dialect" },
	{ "ASCII, ASCII-hex bitmap; DE55", "1987-ascii" },
	{ "ASCII, ASCII-hex bitmap 8 bytes", "1987-ascii" },
	{ "ASCII data, ASCII-hex bitmap", "/letters.dialect" },
	{ "ASCII; fixed 16-byte bitmap", "/two_maps.dialect" },
};

enum { VECTOR_COUNT = 32 };

struct vector {
	const char *id;
	struct iso8583_dialect *dialect;
	uint8_t bytes[256];
	struct bytes wire;
	json_t *json;
};

static struct iso8583_message message, second;
static struct iso8583_place place;

static struct iso8583_dialect *read_file(const char *name)
{
	struct iso8583_dialect *dialect;
	struct iso8583_mistake mistake;
	char path[512];
	static char text[65536];

	snprintf(path, sizeof path, "%s/iso8583%s", VECTORS, name);
	FILE *file = fopen(path, "re");
	if (!file)
		abort();
	size_t length = fread(text, 1, sizeof text, file);
	fclose(file);
	if (!result_ok(iso8583_dialect_read(bytes_from(text, length), &dialect, &mistake))) {
		printf("# %s:%zu: %s\n", name, mistake.line, mistake.text);
		abort();
	}
	return dialect;
}

static struct iso8583_dialect *dialect_of(const char *spec)
{
	struct iso8583_dialect *dialect;

	for (size_t i = 0; i < sizeof dialects / sizeof dialects[0]; i++) {
		const char *name = dialects[i].dialect;
		if (strncmp(spec, dialects[i].spec, strlen(dialects[i].spec)) != 0)
			continue;
		if (name[0] == '/')
			return read_file(name);
		return result_ok(iso8583_dialect_find(bytes_text(name), &dialect)) ? dialect : NULL;
	}
	printf("# no dialect for: %s\n", spec);
	return NULL;
}

// Calls `test` with every vector; how many there were.
static int each(void (*test)(const struct vector *vector))
{
	json_t *all = json_load_file(VECTORS "/iso8583.json", JSON_REJECT_DUPLICATES, NULL);
	json_t *json;
	size_t i;
	int count = 0;

	json_array_foreach(all, i, json)
	{
		struct vector vector = { .json = json };
		const char *hex = json_string_value(json_object_get(json, "hex"));
		size_t length = strlen(hex) / 2;
		vector.id = json_string_value(json_object_get(json, "id"));
		vector.dialect = dialect_of(json_string_value(json_object_get(json, "spec")));
		EXPECT(vector.dialect && length <= sizeof vector.bytes &&
		       hex_read(bytes_text(hex), vector.bytes, length));
		vector.wire = bytes_from(vector.bytes, length);
		if (vector.dialect)
			test(&vector);
		iso8583_dialect_free(vector.dialect);
		count++;
	}
	json_decref(all);
	return count;
}

// The value that was read is the one that was published, but for the padding of a fixed field.
static bool same_value(struct bytes read, struct bytes set)
{
	if (read.length < set.length)
		return false;
	size_t fill = read.length - set.length;
	if (fill == 0)
		return bytes_equal(read, set);
	if (read.data[read.length - 1] == ' ')
		return memcmp(read.data, set.data, set.length) == 0 && read.data[set.length] == ' ';
	if (set.data[0] == 'C' || set.data[0] == 'D')
		return read.data[0] == set.data[0] && same_value(bytes_slice(read, 1, read.length),
		                                                 bytes_slice(set, 1, set.length));
	return memcmp(read.data + fill, set.data, set.length) == 0 && read.data[0] == '0';
}

// Bytes are published in hexadecimal, but for erl8583's, whose field 55 is a text.
static bool is_hex(const struct vector *vector, int field)
{
	return vector->dialect->fields[field].type == ISO8583_B &&
	       strncmp(vector->id, "erl8583", 7) != 0;
}

static bool is_value(const struct vector *vector, int field, const char *set)
{
	struct bytes read = iso8583_get(&message, field);
	uint8_t bytes[256];
	size_t length = strlen(set) / 2;

	if (!is_hex(vector, field))
		return same_value(read, bytes_text(set));
	return length <= sizeof bytes && hex_read(bytes_text(set), bytes, length) &&
	       bytes_equal(read, bytes_from(bytes, length));
}

static bool has_field(const struct vector *vector, const char *path, const char *value)
{
	uint8_t room[512];
	struct bytes part;
	int field = (int)strtol(path, NULL, 10);

	if (!strchr(path, '.'))
		return iso8583_has(&message, field) && is_value(vector, field, value);
	return result_ok(iso8583_part_get(vector->dialect, &message, path, room, sizeof room,
	                                  &part)) &&
	       bytes_equal_text(part, value);
}

static bool packs_back(const struct iso8583_dialect *dialect, struct bytes wire)
{
	uint8_t packed[ISO8583_MESSAGE_MAX];
	size_t length;

	return result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)) &&
	       bytes_equal(bytes_from(packed, length), wire);
}

static void decode_one(const struct vector *vector)
{
	const char *path;
	json_t *value;
	int fields = 0;

	bool good = result_ok(iso8583_unpack(vector->dialect, vector->wire, &message, &place));
	EXPECT(good && message.unknown_field == 0);
	EXPECT(memcmp(message.mti, json_string_value(json_object_get(vector->json, "mti")), 4) ==
	       0);
	json_object_foreach(json_object_get(vector->json, "fields"), path, value)
	{
		bool same = has_field(vector, path, json_string_value(value));
		EXPECT(same);
		if (!same)
			printf("# %s: field %s\n", vector->id, path);
		fields += !strchr(path, '.');
	}
	for (int i = 2; i <= ISO8583_FIELDS; i++)
		fields -= iso8583_has(&message, i);
	EXPECT(fields == 0);
	EXPECT(packs_back(vector->dialect, vector->wire));
	if (!good || fields)
		printf("# %s: field %d, byte %zu\n", vector->id, place.field, place.offset);
}

TEST(decode_field_for_field_and_pack_back)
{
	EXPECT(each(decode_one) == VECTOR_COUNT);
}

// What was set as the documents say, padding left to the encoder.
static void encode_one(const struct vector *vector)
{
	static uint8_t bytes[8][256];
	const char *path;
	json_t *value;
	int raw = 0;

	iso8583_begin(&message, json_string_value(json_object_get(vector->json, "mti")));
	json_object_foreach(json_object_get(vector->json, "fields"), path, value)
	{
		struct bytes text = bytes_text(json_string_value(value));
		int field = (int)strtol(path, NULL, 10);
		if (strchr(path, '.'))
			continue;
		if (is_hex(vector, field)) {
			EXPECT(hex_read(text, bytes[raw], text.length / 2));
			text = bytes_from(bytes[raw++], text.length / 2);
		}
		iso8583_set(&message, field, text);
	}
	bool same = packs_back(vector->dialect, vector->wire);
	EXPECT(same);
	if (!same)
		printf("# %s: field %d\n", vector->id, place.field);
}

TEST(pack_what_was_set_to_the_same_bytes)
{
	EXPECT(each(encode_one) == VECTOR_COUNT);
}

// Reads from memory that ends where the message ends, so that a sanitizer sees a byte too many.
// What is read packs, and reads the same again.
static void read_copy(const struct vector *vector, struct bytes wire)
{
	uint8_t packed[ISO8583_MESSAGE_MAX];
	uint8_t *copy = malloc(wire.length + 1);
	size_t length;

	if (!copy)
		abort();
	if (wire.length > 0)
		memcpy(copy + 1, wire.data, wire.length);
	wire.data = copy + 1;
	if (!result_ok(iso8583_unpack(vector->dialect, wire, &message, &place))) {
		EXPECT(place.offset <= wire.length && place.field <= ISO8583_FIELDS);
	} else {
		EXPECT(result_ok(iso8583_pack(vector->dialect, &message, packed, sizeof packed,
		                              &length, &place)));
		EXPECT(result_ok(iso8583_unpack(vector->dialect, bytes_from(packed, length),
		                                &second, &place)));
		for (int i = 2; i <= ISO8583_FIELDS; i++)
			EXPECT(bytes_equal(iso8583_get(&message, i), iso8583_get(&second, i)));
		EXPECT(bytes_equal(message.unknown, second.unknown));
	}
	free(copy);
}

static void change_one(const struct vector *vector)
{
	uint8_t changed[sizeof vector->bytes];

	for (size_t at = 0; at < vector->wire.length; at++)
		for (int byte = 0; byte < 256; byte++) {
			memcpy(changed, vector->bytes, sizeof changed);
			changed[at] = (uint8_t)byte;
			read_copy(vector, bytes_from(changed, vector->wire.length));
		}
}

TEST(one_byte_changed_harms_nothing)
{
	EXPECT(each(change_one) == VECTOR_COUNT);
}

// Nothing that a person sees of a broken message holds the card number.
static void cut_one(const struct vector *vector)
{
	const char *card =
	        json_string_value(json_object_get(json_object_get(vector->json, "fields"), "2"));

	for (size_t length = 0; length <= vector->wire.length; length++) {
		struct buffer shown cleanup(buffer_done) = { 0 };
		buffer_init(&shown, 1 << 16);
		read_copy(vector, bytes_from(vector->bytes, length));
		bool whole = result_ok(iso8583_explain(vector->dialect,
		                                       bytes_from(vector->bytes, length), &shown));
		EXPECT(whole == (length == vector->wire.length));
		EXPECT(whole || strstr(buffer_text(&shown), "error at byte "));
		EXPECT(!card || !strstr(buffer_text(&shown), card));
	}
}

TEST(every_prefix_is_an_error_that_hides_what_is_secret)
{
	EXPECT(each(cut_one) == VECTOR_COUNT);
}

TAP_MAIN
