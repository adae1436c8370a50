// Every dialect that comes with the code, with every field and part filled: cut off at every byte,
// with every length spoiled, with every byte changed. Nothing is read past the end, an error names
// field and offset, and no byte of what is not marked printable is ever shown: not in ASCII, not in
// BCD, not in hexadecimal.
#include "base/check.h"
#include "base/tap.h"
#include "iso8583/explain.h"
#include "iso8583/part.h"

#include <stdlib.h>

enum { WIRE_MAX = ISO8583_MESSAGE_MAX, TEXTS_MAX = 64 * 1024, PARTS_MAX = 64 };

// What is planted where nothing may be shown, and how it would look.
struct plant {
	const char *digits, *letters;
	const char *looks[6];
};

static const struct plant plants[] = {
	// A card number, in printable fields too. Ten digits of it are looked for.
	{ "4111111111111111",
	  "QXZQXZQXZQXZQXZQ",
	  { "4111111111", "3431313131", "QXZQ", "51585a51" } },
	// Anything else, short ones too. No offset and no length has these digits.
	{ "8642864286428642", "QXZQXZQXZQXZQXZQ", { "8642", "38363432", "QXZQ", "51585a51" } },
};

static struct iso8583_dialect *dialect;
static struct iso8583_message message;
static struct iso8583_place place;
static uint8_t texts[TEXTS_MAX];
static size_t texts_used;
static struct buffer shown;

static uint8_t *keep(size_t length)
{
	uint8_t *kept = texts + texts_used;

	CHECK(length <= sizeof texts - texts_used);
	texts_used += length;
	return kept;
}

static bool is_text(const struct iso8583_field *field)
{
	return field->type == ISO8583_AN || field->type == ISO8583_ANS || field->type == ISO8583_A;
}

// Where a value may be shown, only what looks like a card number is planted, with its ends in
// sight.
static bool is_planted(const struct iso8583_field *field, const struct plant *plant)
{
	size_t length = strlen(plant->digits);

	if (field->secrecy != ISO8583_PRINTABLE)
		return true;
	return plant == &plants[0] &&
	       (field->type == ISO8583_B ? field->max >= length
	                                 : is_text(field) && field->max > length);
}

static uint8_t background(const struct iso8583_field *field, bool planted)
{
	switch (field->type) {
	case ISO8583_B: return 0xff;
	case ISO8583_A: return 'A';
	case ISO8583_AN:
	case ISO8583_ANS: return planted ? ' ' : '0';
	default: return '0';
	}
}

// A value without content: what is planted, or zeros.
static struct bytes fill_leaf(const struct iso8583_field *field, const struct plant *plant)
{
	const char *text = field->type == ISO8583_A ? plant->letters : plant->digits;
	bool planted = is_planted(field, plant), bytes = field->type == ISO8583_B;
	size_t length = strlen(text) < field->max ? strlen(text) : field->max;
	bool whole = field->prefix == 0 && (bytes || is_text(field) || !planted);
	size_t all = whole ? field->max : length;
	uint8_t *to = keep(all);

	memset(to, background(field, planted), all);
	if (planted)
		memcpy(to, text, length);
	if (field->type == ISO8583_XN)
		to[0] = 'C';
	// Packed into half bytes, in every second place.
	if (planted && bytes && length == 16 && texts_used % 2 == 0) {
		memset(to, 0xff, all);
		for (size_t i = 0; i < 8; i++)
			to[i] = (uint8_t)((text[2 * i] - '0') << 4 | (text[2 * i + 1] - '0'));
	}
	return bytes_from(to, all);
}

static struct bytes fill(const struct iso8583_field *field, const struct plant *plant)
{
	const struct iso8583_content *content = iso8583_content_of(dialect, field);
	struct iso8583_part parts[PARTS_MAX];
	size_t count = 0, length, wrong;

	if (!content || content->first == 0)
		return fill_leaf(field, plant);
	for (uint16_t at = content->first; at > 0; at = dialect->parts[at - 1].next) {
		const struct iso8583_field *part = &dialect->parts[at - 1];
		parts[count] =
		        (struct iso8583_part){ .key = part->key, .value = fill(part, plant) };
		// Behind a tag a fixed value has all of its length.
		if (part->prefix == 0 && parts[count].value.length < part->max) {
			uint8_t *to = keep(part->max);
			bool text = is_text(part);
			memset(to, text ? ' ' : '0', part->max);
			memcpy(text ? to : to + part->max - parts[count].value.length,
			       parts[count].value.data, parts[count].value.length);
			parts[count].value = bytes_from(to, part->max);
		}
		count++;
	}
	uint8_t *to = keep(2048);
	struct result result =
	        iso8583_parts_pack(dialect, content, parts, count, to, 2048, &length, &wrong);
	if (!result_ok(result))
		printf("# %s, part %zu: %s\n", field->name, wrong, result.detail);
	CHECK(result_ok(result));
	return bytes_from(to, length);
}

// A message with every field of the dialect that has not the place of a bitmap.
static struct bytes fill_message(const struct plant *plant, uint8_t wire[static WIRE_MAX])
{
	size_t length;

	texts_used = 0;
	iso8583_begin(&message, "0100");
	for (int i = 2; i <= ISO8583_FIELDS; i++)
		if (dialect->fields[i].type != ISO8583_UNUSED)
			iso8583_set(&message, i, fill(&dialect->fields[i], plant));
	struct result result = iso8583_pack(dialect, &message, wire, WIRE_MAX, &length, &place);
	if (!result_ok(result))
		printf("# %s: field %d: %s\n", dialect->name, place.field, result.detail);
	CHECK(result_ok(result));
	return bytes_from(wire, length);
}

static void for_each_dialect(void (*test)(const struct plant *plant, struct bytes wire))
{
	static uint8_t wire[WIRE_MAX];
	const char *name;

	buffer_init(&shown, 1 << 20);
	for (size_t i = 0; (name = iso8583_dialect_shipped(i)); i++) {
		REQUIRE(result_ok(iso8583_dialect_find(bytes_text(name), &dialect)));
		for (size_t j = 0; j < sizeof plants / sizeof plants[0]; j++)
			test(&plants[j], fill_message(&plants[j], wire));
		iso8583_dialect_free(dialect);
	}
	buffer_done(&shown);
}

static void expect_nothing_of(const struct plant *plant, const char *what, size_t at)
{
	const char *text = buffer_text(&shown);

	for (size_t i = 0; i < 4; i++) {
		const char *found = strstr(text, plant->looks[i]);
		EXPECT(!found);
		if (found)
			printf("# %s, %s %zu shows …%.60s\n", dialect->name, what, at,
			       found - text > 40 ? found - 40 : text);
	}
}

// Shows a copy that ends where its memory ends.
static struct result show(struct bytes wire)
{
	uint8_t *copy = malloc(wire.length + 1);

	CHECK(copy);
	memcpy(copy, wire.data, wire.length);
	buffer_reset(&shown);
	struct result result = iso8583_explain(dialect, bytes_from(copy, wire.length), &shown);
	free(copy);
	return result;
}

static void test_whole(const struct plant *plant, struct bytes wire)
{
	EXPECT(result_ok(show(wire)));
	EXPECT(strstr(buffer_text(&shown), "[hidden 16]") && !strstr(buffer_text(&shown), "  !  "));
	expect_nothing_of(plant, "whole", 0);
	REQUIRE(result_ok(iso8583_unpack(dialect, wire, &message, &place)));
	buffer_reset(&shown);
	iso8583_describe(dialect, &message, &shown);
	expect_nothing_of(plant, "log", 0);
	// The search finds what it should find.
	buffer_reset(&shown);
	buffer_put(&shown, iso8583_get(&message, 2));
	EXPECT(strstr(buffer_text(&shown), plant->looks[0]));
}

TEST(nothing_of_a_full_message_that_is_not_marked_is_shown)
{
	for_each_dialect(test_whole);
}

static void test_prefixes(const struct plant *plant, struct bytes wire)
{
	char wanted[64];

	for (size_t length = 0; length < wire.length; length++) {
		EXPECT(!result_ok(show(bytes_slice(wire, 0, length))));
		expect_nothing_of(plant, "prefix", length);
		EXPECT(!result_ok(
		        iso8583_unpack(dialect, bytes_slice(wire, 0, length), &message, &place)));
		snprintf(wanted, sizeof wanted, "error at byte %zu, field %d (", place.offset,
		         place.field);
		EXPECT(place.offset <= length && strstr(buffer_text(&shown), wanted));
		for (int i = place.field < 2 ? 2 : place.field; i <= ISO8583_FIELDS; i++)
			EXPECT(!iso8583_has(&message, i));
	}
}

TEST(every_prefix_is_refused_in_its_place_and_shows_nothing)
{
	for_each_dialect(test_prefixes);
}

// The field alone, with every prefix of its content inside a length that is right.
static void test_contents(const struct plant *plant, struct bytes wire)
{
	static uint8_t packed[WIRE_MAX];
	static struct iso8583_message alone;
	size_t length;

	REQUIRE(result_ok(iso8583_unpack(dialect, wire, &message, &place)));
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		const struct iso8583_field *field = &dialect->fields[i];
		if (!iso8583_has(&message, i) || field->content == 0 || field->prefix == 0)
			continue;
		struct bytes whole = iso8583_get(&message, i);
		for (size_t cut = 0; cut <= whole.length; cut++) {
			iso8583_begin(&alone, "0100");
			iso8583_set(&alone, i, bytes_slice(whole, 0, cut));
			REQUIRE(result_ok(iso8583_pack(dialect, &alone, packed, sizeof packed,
			                               &length, &place)));
			EXPECT(result_ok(show(bytes_from(packed, length))));
			expect_nothing_of(plant, "content", cut);
		}
	}
}

TEST(every_prefix_of_every_content_shows_nothing)
{
	for_each_dialect(test_contents);
}

static void expect_refused_at(struct bytes wire, int field, const char *what)
{
	bool refused = !result_ok(iso8583_unpack(dialect, wire, &message, &place)) &&
	               place.field == field && place.offset <= wire.length;

	EXPECT(refused);
	if (!refused)
		printf("# %s: field %d %s: told of field %d at %zu\n", dialect->name, field, what,
		       place.field, place.offset);
}

// A length prefix, in characters or packed. False: it has not so many digits.
static bool put_length(const struct iso8583_field *field, uint8_t *to, uint32_t length)
{
	bool ascii = field->prefix_encoding == ISO8583_ASCII;
	char digits[16];
	int count = ascii ? field->prefix_bytes : 2 * field->prefix_bytes;

	if (snprintf(digits, sizeof digits, "%0*u", count, length) > count)
		return false;
	for (int i = 0; i < count; i++)
		if (ascii)
			to[i] = (uint8_t)digits[i];
		else
			to[i / 2] = (uint8_t)(to[i / 2] << 4 | (digits[i] - '0'));
	return true;
}

// One more than each variable field may have; the largest length, and lengths that are no number:
// "-1", ":0", half bytes above nine.
static void test_lengths(const struct plant *plant, struct bytes wire)
{
	static uint8_t copy[WIRE_MAX];
	static uint16_t offsets[ISO8583_FIELDS + 1];

	(void)plant;
	REQUIRE(result_ok(iso8583_unpack(dialect, wire, &message, &place)));
	memcpy(offsets, message.offsets, sizeof offsets);
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		const struct iso8583_field *field = &dialect->fields[i];
		bool ascii = field->prefix_encoding == ISO8583_ASCII;
		if (field->type == ISO8583_UNUSED || field->prefix == 0)
			continue;
		memcpy(copy, wire.data, wire.length);
		if (put_length(field, copy + offsets[i], field->max + 1)) {
			expect_refused_at(bytes_from(copy, wire.length), i, "one too long");
			EXPECT(place.offset == offsets[i] + field->prefix_bytes ||
			       field->max + 1 > wire.length - offsets[i]);
		}
		memset(copy + offsets[i], ascii ? '9' : 0x99, field->prefix_bytes);
		// What a field of 99 may be is cut off so that it has not.
		struct bytes cut = bytes_from(copy, wire.length);
		if (field->max >= 99)
			cut = bytes_from(copy, offsets[i] + field->prefix_bytes + 40u < wire.length
			                               ? offsets[i] + field->prefix_bytes + 40u
			                               : wire.length);
		expect_refused_at(cut, i, "too long");
		for (size_t j = 0; j < field->prefix_bytes; j++) {
			static const uint8_t wrong[] = { '-', ':', 0xff, 0xa0, 0x0a };
			for (size_t k = ascii ? 0 : 2; k < sizeof wrong; k++) {
				memcpy(copy + offsets[i], wire.data + offsets[i],
				       field->prefix_bytes);
				copy[offsets[i] + j] = wrong[k];
				expect_refused_at(bytes_from(copy, wire.length), i, "no number");
			}
		}
	}
}

TEST(every_length_that_is_too_long_or_no_number_is_refused_at_its_field)
{
	for_each_dialect(test_lengths);
}

// Any byte changed to any of these is read as another message or refused, and shown without harm.
static void test_changes(const struct plant *plant, struct bytes wire)
{
	static const uint8_t masks[] = { 0x01, 0x10, 0x80, 0xff };
	static uint8_t copy[WIRE_MAX];

	if (plant != &plants[0])
		return;
	for (size_t at = 0; at < wire.length; at++)
		for (size_t i = 0; i < sizeof masks; i++) {
			memcpy(copy, wire.data, wire.length);
			copy[at] ^= masks[i];
			struct result result = iso8583_unpack(
			        dialect, bytes_from(copy, wire.length), &message, &place);
			EXPECT(result_ok(result) ||
			       (place.offset <= wire.length && place.field <= ISO8583_FIELDS));
			if (at % 4 == i)
				(void)!result_ok(show(bytes_from(copy, wire.length)));
		}
}

TEST(every_byte_may_be_another)
{
	for_each_dialect(test_changes);
}

TEST(bit_1_without_a_second_bitmap_is_refused_in_every_dialect)
{
	const char *name;

	for (size_t i = 0; (name = iso8583_dialect_shipped(i)); i++) {
		uint8_t wire[64];
		size_t length;
		REQUIRE(result_ok(iso8583_dialect_find(bytes_text(name), &dialect)));
		iso8583_begin(&message, "0800");
		iso8583_set(&message, 128, BYTES_LITERAL("12345678"));
		if (dialect->fields[128].max == 4)
			iso8583_set(&message, 128, BYTES_LITERAL("1234"));
		REQUIRE(result_ok(
		        iso8583_pack(dialect, &message, wire, sizeof wire, &length, &place)));
		bool hex = dialect->bitmap != ISO8583_BINARY;
		size_t first = (hex ? 4 : 2) + (hex ? 16u : 8u);
		expect_refused_at(bytes_from(wire, first), 1, "second bitmap");
		EXPECT(place.offset == first);
		expect_refused_at(bytes_from(wire, first + 3), 1, "second bitmap");
		iso8583_dialect_free(dialect);
	}
}

// A printable field with a part that is not: nothing of the whole is shown, but what is inside.
TEST(what_is_hidden_inside_a_printable_field_stays_hidden)
{
	static const char file[] =
	        "dialect d\nmti ascii\nbitmap binary\n"
	        "field 3 n 6 content=positional printable \"a\"\npart 3.1 n 2 printable \"b\"\n"
	        "part 3.2 n 4 hidden \"c\"\n"
	        "field 48 ans ..99 LL content=tagged,2,ascii,LL,ascii printable \"d\"\n"
	        "part 48.01 an ..9 printable \"e\"\n"
	        "field 61 n 6 content=positional printable \"f\"\npart 61.1 n 6 printable \"g\"\n";
	struct iso8583_mistake mistake;
	uint8_t wire[200];
	size_t length;

	buffer_init(&shown, 1 << 16);
	REQUIRE(result_ok(iso8583_dialect_read(bytes_text(file), &dialect, &mistake)));
	iso8583_begin(&message, "0100");
	iso8583_set(&message, 3, BYTES_LITERAL("778642"));
	iso8583_set(&message, 48, BYTES_LITERAL("0103abcXX048642"));
	iso8583_set(&message, 61, BYTES_LITERAL("123456"));
	REQUIRE(result_ok(iso8583_pack(dialect, &message, wire, sizeof wire, &length, &place)));
	EXPECT(result_ok(show(bytes_from(wire, length))));
	EXPECT(strstr(buffer_text(&shown), "77\n") && strstr(buffer_text(&shown), "abc\n") &&
	       strstr(buffer_text(&shown), "XX ") && strstr(buffer_text(&shown), "123456\n"));
	expect_nothing_of(&plants[1], "shown", 0);
	REQUIRE(result_ok(iso8583_unpack(dialect, bytes_from(wire, length), &message, &place)));
	buffer_reset(&shown);
	iso8583_describe(dialect, &message, &shown);
	EXPECT(strcmp(buffer_text(&shown), "0100 3=[hidden 6] 48=[hidden 15] 61=123456") == 0);
	iso8583_dialect_free(dialect);
	buffer_done(&shown);
}

TAP_MAIN
