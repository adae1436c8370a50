// Every form that a dialect can give a field: a small dialect, the value, and the bytes that it has
// to become and to be read from; then what must be refused in that form.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "iso8583/codec.h"

#include <stdlib.h>

static struct iso8583_message message, second;
static struct iso8583_place place;

// Field 3 alone, in a message of type 0100 with a binary bitmap: the field's line, the value, and
// the field's bytes.
static const struct {
	const char *line, *value, *hex;
} forms[] = {
	{ "n 6 ascii", "003010", "303033303130" },
	{ "n 6 ascii pad=left,0", "10", "303030303130" },
	{ "n 6 bcd", "003010", "003010" },
	{ "n 5 bcd odd=left", "12345", "012345" },
	{ "n 5 bcd odd=right", "12345", "123450" },
	{ "n 5 bcd odd=left fill=F", "12345", "f12345" },
	{ "n 5 bcd odd=right fill=F", "12345", "12345f" },
	{ "n 5 bcd odd=right fill=F", "45", "00045f" },
	{ "n 5 bcd odd=left pad=right,0", "45", "045000" },
	{ "n 3 ebcdic037", "123", "f1f2f3" },
	{ "an 4 ebcdic037", "Ab 1", "c18240f1" },
	{ "ans 3 ebcdic037", "[^]", "bab0bb" },
	{ "ans 3 ebcdic1047", "[^]", "ad5fbd" },
	{ "ans 5 ascii", "ab", "6162202020" },
	{ "ans 5 ascii pad=left,-", "ab", "2d2d2d6162" },
	{ "x+n 9 ascii", "C11", "433030303030303131" },
	{ "x+n 9 bcd", "D12345678", "4412345678" },
	{ "x+n 8 bcd odd=left", "C1234567", "4301234567" },
	{ "x+n 4 ebcdic037", "C1", "c3f0f0f1" },
	{ "b 3 hex", "\x01\xab\xff", "303141424646" },
	{ "b 3 binary", "\x01\xab\xff", "01abff" },
	{ "b 2 ebcdic-hex", "\x1a\xf0", "f1c1c6f0" },
	{ "z ..37 LL prefix=bcd bcd odd=right", "4111=25",
	  "07"
	  "4111d250" },
	{ "ans ..9 L prefix=ascii", "abc", "33616263" },
	{ "ans ..9 L prefix=bcd", "abc", "03616263" },
	{ "ans ..99 LL prefix=bcd", "abc", "03616263" },
	{ "ans ..999 LLL prefix=bcd", "abc", "0003616263" },
	{ "ans ..9999 LLLL prefix=bcd", "abc", "0003616263" },
	{ "ans ..999 LLLLL prefix=bcd", "abc", "000003616263" },
	{ "ans ..999 LLLLLL prefix=ascii", "abc", "303030303033616263" },
	{ "ans ..99 LL prefix=ebcdic", "abc", "f0f3616263" },
	{ "ans ..255 L prefix=binary", "abc", "03616263" },
	{ "ans ..999 LL prefix=binary", "abc", "0003616263" },
	{ "n ..19 LL prefix=bcd bcd odd=right", "123", "031230" },
	{ "n ..19 LL prefix=bcd bcd odd=left", "123", "030123" },
	{ "n ..19 L prefix=binary bcd count=bytes odd=right fill=F", "123", "02123f" },
	{ "n ..19 L prefix=binary bcd count=bytes odd=left fill=F", "123", "02f123" },
	{ "n ..19 L prefix=binary bcd count=bytes odd=left", "1234567890123456789",
	  "0a01234567890123456789" },
	{ "n ..19 L prefix=binary bcd count=bytes odd=left", "1234", "021234" },
	{ "x+n ..9 L prefix=binary bcd count=bytes odd=right fill=F", "C123", "0343123f" },
	{ "x+n ..9 L prefix=binary bcd count=bytes odd=left fill=F", "C123", "0343f123" },
	{ "b ..20 LL prefix=ascii hex count=characters", "\xab\xcd", "303441424344" },
	{ "b ..20 LL prefix=ascii hex count=bytes", "\xab\xcd", "303241424344" },
	{ "b ..20 LL prefix=ascii hex", "\xab\xcd", "303241424344" },
};

static bool read_form(const char *line, struct iso8583_dialect **ret_dialect)
{
	struct iso8583_mistake mistake;
	char text[300];

	snprintf(
	        text, sizeof text,
	        "dialect form\nmti bcd\nbitmap binary\nfield 3 %s \"Form\"\nfield 4 n 1 \"Next\"\n",
	        line);
	if (result_ok(iso8583_dialect_read(bytes_text(text), ret_dialect, &mistake)))
		return true;
	printf("# %s: %s\n", line, mistake.text);
	return false;
}

static bool is_padded(struct bytes read, struct bytes set)
{
	return read.length >= set.length &&
	       (set.data[0] == 'C' || memmem(read.data, read.length, set.data, set.length));
}

static void test_form(const char *line, struct bytes value, const char *hex)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	uint8_t packed[256], expected[64];
	size_t length, field = strlen(hex) / 2;

	REQUIRE(read_form(line, &dialect));
	REQUIRE(hex_read(bytes_text(hex), expected, field));
	iso8583_begin(&message, "0100");
	iso8583_set(&message, 3, value);
	bool good = result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length,
	                                   &place)) &&
	            bytes_equal(bytes_from(packed + 10, length - 10), bytes_from(expected, field));
	EXPECT(good);
	if (!good)
		printf("# %s: not %s\n", line, hex);
	EXPECT(result_ok(iso8583_unpack(dialect, bytes_from(packed, length), &second, &place)));
	EXPECT(is_padded(iso8583_get(&second, 3), value));
	uint8_t again[256];
	size_t again_length;
	EXPECT(result_ok(iso8583_pack(dialect, &second, again, sizeof again, &again_length,
	                              &place)) &&
	       bytes_equal(bytes_from(again, again_length), bytes_from(packed, length)));
	for (size_t cut = 0; cut < length; cut++)
		EXPECT(!result_ok(
		        iso8583_unpack(dialect, bytes_from(packed, cut), &second, &place)));
	for (size_t room = 0; room < length; room++)
		EXPECT(iso8583_pack(dialect, &message, again, room, &again_length, &place).error ==
		       ERROR_LIMIT);
}

TEST(every_form_of_a_field)
{
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
		test_form(forms[i].line, bytes_text(forms[i].value), forms[i].hex);
}

// What must not be read in a form: the field's line, its bytes, and where the error is in them.
static const struct {
	const char *line, *hex;
	size_t offset;
} refusals[] = {
	{ "n 6 ascii", "30303330313a", 6 },
	{ "n 6 bcd", "00301a", 3 },
	{ "n 5 bcd odd=left", "112345", 3 },
	{ "n 5 bcd odd=right fill=F", "123450", 3 },
	{ "n 3 ebcdic037", "f1f2fa", 3 },
	{ "a 3 ascii", "613162", 3 },
	{ "x+n 9 bcd", "4512345678", 1 },
	{ "b 3 hex", "30314142464a", 6 },
	{ "ans ..99 LL prefix=ascii", "2d31", 2 },
	{ "ans ..99 LL prefix=ascii", "3a30", 2 },
	{ "ans ..99 LL prefix=ebcdic", "3033", 2 },
	{ "ans ..99 LL prefix=bcd", "0a", 1 },
	{ "ans ..20 LL prefix=bcd", "21", 1 },
	{ "ans ..20 LL prefix=binary", "ffff", 2 },
	{ "ans ..20 LLLLLL prefix=binary", "ffffffffffff", 6 },
	{ "n ..5 L prefix=binary bcd count=bytes odd=left", "03112345", 4 },
	{ "n ..5 L prefix=binary bcd count=bytes odd=left", "04", 1 },
	{ "n ..5 L prefix=binary bcd count=bytes odd=left fill=F", "02f12f", 3 },
	{ "x+n ..5 L prefix=binary bcd count=bytes", "00", 1 },
	{ "b ..20 LL prefix=ascii hex count=characters", "3033414243", 2 },
};

TEST(what_a_form_does_not_have_is_refused)
{
	for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
		struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
		uint8_t wire[64] = { 0x01, 0x00, 0x20 };
		size_t length = strlen(refusals[i].hex) / 2;
		REQUIRE(read_form(refusals[i].line, &dialect));
		REQUIRE(hex_read(bytes_text(refusals[i].hex), wire + 10, length));
		bool refused = !result_ok(iso8583_unpack(dialect, bytes_from(wire, 10 + length),
		                                         &message, &place)) &&
		               place.field == 3 && place.offset == 10 + refusals[i].offset;
		EXPECT(refused);
		if (!refused)
			printf("# %s %s: field %d, byte %zu\n", refusals[i].line, refusals[i].hex,
			       place.field, place.offset);
	}
}

// The whole message in hexadecimal for a file without field lines of its own.
static void test_maps(const char *head, const char *fields, const char *hex)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct iso8583_mistake mistake;
	uint8_t wire[256], packed[256];
	size_t length;
	char text[400];

	snprintf(text, sizeof text,
	         "dialect maps\n%s\nfield 2 n ..19 LL \"x\"\nfield 70 n 3 \"x\"\n%s\n", head,
	         fields);
	REQUIRE(result_ok(iso8583_dialect_read(bytes_text(text), &dialect, &mistake)));
	REQUIRE(hex_read(bytes_text(hex), wire, strlen(hex) / 2));
	struct bytes whole = bytes_from(wire, strlen(hex) / 2);
	bool good = result_ok(iso8583_unpack(dialect, whole, &message, &place));
	EXPECT(good);
	if (!good)
		printf("# %s: field %d, byte %zu\n", head, place.field, place.offset);
	EXPECT(bytes_equal_text(iso8583_get(&message, 70), "301"));
	EXPECT(!fields[0] || bytes_equal_text(iso8583_get(&message, 130), "7"));
	EXPECT(result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)) &&
	       bytes_equal(bytes_from(packed, length), whole));
	for (size_t cut = 0; cut < whole.length; cut++)
		EXPECT(!result_ok(
		        iso8583_unpack(dialect, bytes_from(wire, cut), &message, &place)));
}

TEST(bitmaps)
{
	static const char third[] = "field 130 n 1 \"x\"";

	test_maps("mti bcd\nbitmap binary", "",
	          "0800"
	          "8000000000000000"
	          "0400000000000000"
	          "333031");
	test_maps("mti bcd\nbitmap binary always=2", "",
	          "0800"
	          "0000000000000000"
	          "0400000000000000"
	          "333031");
	test_maps("mti bcd\nbitmap binary third=next", third,
	          "0800"
	          "8000000000000000"
	          "8400000000000000"
	          "4000000000000000"
	          "333031"
	          "37");
	test_maps("mti bcd\nbitmap binary third=field65", third,
	          "0800"
	          "8000000000000000"
	          "8400000000000000"
	          "4000000000000000"
	          "333031"
	          "37");
	test_maps("mti ascii\nbitmap hex", "",
	          "30383030"
	          "38303030303030303030303030303030"
	          "30343030303030303030303030303030"
	          "333031");
}

TEST(the_third_bitmap_in_its_place)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct iso8583_mistake mistake;
	uint8_t packed[256];
	size_t length;

	REQUIRE(result_ok(iso8583_dialect_read(
	        BYTES_LITERAL("dialect maps\nmti bcd\nbitmap binary third=field65\n"
	                      "field 64 n 1 \"x\"\nfield 66 n 1 \"x\"\nfield 130 n 1 \"x\"\n"),
	        &dialect, &mistake)));
	iso8583_begin(&message, "0800");
	for (int field = 64; field <= 130; field += field == 64 ? 2 : 64)
		iso8583_set(&message, field, BYTES_LITERAL("5"));
	REQUIRE(result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)));
	// Type, two bitmaps, field 64, the third bitmap, fields 66 and 130.
	EXPECT(length == 2 + 16 + 1 + 8 + 2 && packed[18] == '5' && packed[19] == 0x40);
}

TEST(a_field_that_the_dialect_does_not_have_is_kept)
{
	static const char file[] = "dialect few\nmti bcd\nbitmap binary\nfield 3 n 2 \"x\"\n"
	                           "field 39 an 2 \"x\"\n";
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct iso8583_mistake mistake;
	uint8_t wire[64], packed[64];
	size_t length;

	REQUIRE(result_ok(iso8583_dialect_read(bytes_text(file), &dialect, &mistake)));
	REQUIRE(hex_read(bytes_text("0110"
	                            "a000000002010004"
	                            "8000000000000000"
	                            "3030"
	                            "3030"
	                            "ab"),
	                 wire, 23));
	REQUIRE(result_ok(iso8583_unpack(dialect, bytes_from(wire, 23), &message, &place)));
	EXPECT(bytes_equal_text(iso8583_get(&message, 39), "00"));
	EXPECT(message.unknown_field == 48 && message.unknown.length == 1);
	EXPECT(!iso8583_has(&message, 48) && !iso8583_has(&message, 62));
	EXPECT(result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)) &&
	       bytes_equal(bytes_from(packed, length), bytes_from(wire, 23)));
	// A field behind it would have no place.
	iso8583_set(&message, 39, BYTES_LITERAL("05"));
	EXPECT(result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)));
	iso8583_set(&message, 64, BYTES_LITERAL("12345678"));
	EXPECT(!result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)));
	EXPECT(place.field == 64);
	dialect->refuse_unknown = true;
	EXPECT(!result_ok(iso8583_unpack(dialect, bytes_from(wire, 23), &message, &place)));
	EXPECT(place.field == 48 && place.offset == 22);
}

TAP_MAIN
