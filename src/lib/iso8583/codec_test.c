// The codec against messages that other projects published, message M in two dialects byte for
// byte, and everything that must be refused.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "iso8583/charset.h"
#include "iso8583/codec.h"

#include <stdio.h>
#include <stdlib.h>

static struct iso8583_message message;
static struct iso8583_place place;
static struct iso8583_dialect *ascii, *bcd;

__attribute__((constructor)) static void find_dialects(void)
{
	if (!result_ok(iso8583_dialect_find(BYTES_LITERAL("1987-ascii"), &ascii)) ||
	    !result_ok(iso8583_dialect_find(BYTES_LITERAL("1987-bcd"), &bcd)))
		abort();
}

__attribute__((destructor)) static void free_dialects(void)
{
	iso8583_dialect_free(ascii);
	iso8583_dialect_free(bcd);
}

static struct bytes from_hex(const char *hex, uint8_t *to, size_t capacity)
{
	size_t length = strlen(hex) / 2;

	if (length > capacity || !hex_read(bytes_text(hex), to, length))
		abort();
	return bytes_from(to, length);
}

// Sets "2=1234|3=0" in the message; the text must live as long as the message.
static void set_fields(const char *text)
{
	while (*text) {
		char *end;
		int field = (int)strtol(text, &end, 10);
		size_t length = strcspn(end + 1, "|");
		iso8583_set(&message, field, bytes_from(end + 1, length));
		text = end + 1 + length + (end[1 + length] == '|');
	}
}

static bool packs_to(const struct iso8583_dialect *dialect, struct bytes wire)
{
	uint8_t packed[ISO8583_MESSAGE_MAX];
	size_t length;

	return result_ok(iso8583_pack(dialect, &message, packed, sizeof packed, &length, &place)) &&
	       bytes_equal(bytes_from(packed, length), wire);
}

static bool unpacks(const struct iso8583_dialect *dialect, struct bytes wire)
{
	return result_ok(iso8583_unpack(dialect, wire, &message, &place));
}

// The value that was read is the one that was set, but for the padding of a fixed field.
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

static bool reads_as(const char *text)
{
	int count = 0;

	for (int i = 2; i <= ISO8583_FIELDS; i++)
		count += iso8583_has(&message, i);
	while (*text) {
		char *end;
		int field = (int)strtol(text, &end, 10);
		size_t length = strcspn(end + 1, "|");
		if (!iso8583_has(&message, field) ||
		    !same_value(iso8583_get(&message, field), bytes_from(end + 1, length)))
			return false;
		count--;
		text = end + 1 + length + (end[1 + length] == '|');
	}
	return count == 0;
}

static const char m_ascii[] =
        "0100723C648108E1800816411111111111111100000000000001234508211530451234561530450821291259"
        "998401005906400123623315123456TERM0001MERCHANT0000001ONFILE TEST SHOP       AUCKLAND    "
        "   NZ0129203123010118400160000010000600840";
static const char m_bcd[] =
        "0100723c648108e1800816411111111111111100000000000001234508211530451234561530450821291259"
        "990840010059064001233632333331353132333435365445524d303030314d45524348414e54303030303030"
        "314f4e46494c4520544553542053484f50202020202020204155434b4c414e44202020202020204e5a001239"
        "3230333132333031303131383430001630303030303130303030363030383430";
static const char m_fields[] =
        "2=4111111111111111|3=000000|4=000000012345|7=0821153045|11=123456|12=153045|13=0821|"
        "14=2912|18=5999|19=840|22=100|25=59|32=400123|37=623315123456|41=TERM0001|"
        "42=MERCHANT0000001|43=ONFILE TEST SHOP       AUCKLAND       NZ|48=920312301011|49=840|"
        "61=0000010000600840";

static void test_m(const struct iso8583_dialect *dialect, struct bytes wire)
{
	iso8583_begin(&message, "0100");
	set_fields(m_fields);
	EXPECT(packs_to(dialect, wire));
	REQUIRE(unpacks(dialect, wire));
	EXPECT(reads_as(m_fields));
	EXPECT(packs_to(dialect, wire));
	// Every prefix is refused, in a place that it has, from memory that ends where it ends.
	for (size_t length = 0; length < wire.length; length++) {
		uint8_t *part = malloc(length + 1);
		REQUIRE(part);
		memcpy(part + 1, wire.data, length);
		EXPECT(!unpacks(dialect, bytes_from(part + 1, length)));
		EXPECT(place.offset <= length);
		for (int i = place.field < 2 ? 2 : place.field; i <= ISO8583_FIELDS; i++)
			EXPECT(!iso8583_has(&message, i));
		EXPECT(place.field <= 11 || bytes_equal_text(iso8583_get(&message, 11), "123456"));
		free(part);
	}
	// And a byte more.
	uint8_t more[512];
	memcpy(more, wire.data, wire.length);
	more[wire.length] = '0';
	EXPECT(!unpacks(dialect, bytes_from(more, wire.length + 1)));
	// A buffer that is too small by any number of bytes is an error of its own.
	for (size_t room = 0; room < wire.length; room++) {
		uint8_t packed[512];
		size_t length;
		REQUIRE(unpacks(dialect, wire));
		EXPECT(iso8583_pack(dialect, &message, packed, room, &length, &place).error ==
		       ERROR_LIMIT);
	}
}

TEST(message_m_in_ascii)
{
	test_m(ascii, bytes_text(m_ascii));
}

TEST(message_m_in_bcd)
{
	uint8_t bytes[256];

	test_m(bcd, from_hex(m_bcd, bytes, sizeof bytes));
}

static void refused(const struct iso8583_dialect *dialect, const char *hex, int field,
                    size_t offset)
{
	uint8_t bytes[256];

	EXPECT(!unpacks(dialect, from_hex(hex, bytes, sizeof bytes)));
	EXPECT(place.field == field && place.offset == offset);
	if (place.field != field || place.offset != offset)
		printf("# %s: field %d offset %zu\n", hex, place.field, place.offset);
}

TEST(what_is_wrong_is_refused_with_field_and_offset)
{
	refused(bcd, "01a00000000000000000", 0, 2);                   // type is not digits
	refused(bcd, "0100c000000000000000", 1, 10);                  // bit 1, no secondary
	refused(bcd, "0100800000000000000080000000000000", 1, 10);    // half a secondary
	refused(bcd, "010080000000000000008000000000000000", 65, 18); // a third bitmap
	refused(bcd, "0100400000000000000020", 2, 11);                // LL of 20, 19 at most
	refused(bcd, "01004000000000000000ff", 2, 11);                // LL is not digits
	refused(bcd, "0100400000000000000002a1", 2, 12);              // a digit that is none
	refused(bcd, "0100400000000000000003123f", 2, 13);            // the spare half byte
	refused(bcd, "010000000000000100009999", 48, 12);             // LLL of four digits
	refused(bcd, "01000010000000000000", 12, 10);                 // nothing left
	refused(ascii,
	        "30313030"
	        "34303030303030303030303030303030"
	        "2d31",
	        2, 22);                                                      // "-1"
	refused(ascii, "303130303030303030303030303030303030306730", 1, 20); // "g"
}

TEST(values_that_do_not_fit_are_not_packed)
{
	static const struct {
		int field;
		const char *value;
	} wrong[] = {
		{ 2, "41111111111111111111" },
		{ 2, "4111 1111" },
		{ 3, "0000000" },
		{ 4, "-1" },
		{ 3, "" },
		{ 28, "00000011" },
		{ 28, "C000000111" },
		{ 39, "000" },
		{ 52, "1234567" },
		{ 65, "1" },
		{ 43, "caf\xc3\xa9" },
	};
	uint8_t packed[256];
	size_t length;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		iso8583_begin(&message, "0100");
		iso8583_set(&message, wrong[i].field, bytes_text(wrong[i].value));
		EXPECT(iso8583_pack(bcd, &message, packed, sizeof packed, &length, &place).error ==
		       ERROR_INPUT);
		EXPECT(place.field == wrong[i].field);
	}
}

static bool belongs(enum iso8583_type type, uint8_t byte)
{
	bool digit = byte >= '0' && byte <= '9';
	bool letter = (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
	bool printable = byte >= 0x20 && byte <= 0x7e;

	const bool sets[ISO8583_TYPES] = {
		[ISO8583_N] = digit,
		[ISO8583_A] = letter || byte == ' ',
		[ISO8583_AN] = digit || letter || byte == ' ',
		[ISO8583_NS] = printable && !letter,
		[ISO8583_ANS] = printable,
		[ISO8583_Z] = byte >= 0x30 && byte <= 0x3f,
		[ISO8583_B] = true,
	};
	return sets[type];
}

// Every byte, in every place of every length that the eight at a time are cut into.
TEST(every_type_takes_its_characters_in_every_place)
{
	for (int type = ISO8583_N; type < ISO8583_TYPES; type++)
		for (size_t length = 1; length <= 20 && type != ISO8583_XN; length++)
			for (size_t at = 0; at < length; at++)
				for (unsigned byte = 0; byte < 256; byte++) {
					uint8_t text[20];
					memset(text, type == ISO8583_A ? 'x' : '7', sizeof text);
					text[at] = (uint8_t)byte;
					bool fits = iso8583_fits_type((enum iso8583_type)type,
					                              bytes_from(text, length));
					EXPECT(fits ==
					       belongs((enum iso8583_type)type, (uint8_t)byte));
				}
	EXPECT(iso8583_fits_type(ISO8583_N, BYTES_NONE));
	EXPECT(iso8583_fits_type(ISO8583_XN, BYTES_LITERAL("C12")));
	EXPECT(!iso8583_fits_type(ISO8583_XN, BYTES_LITERAL("E12")));
	EXPECT(!iso8583_fits_type(ISO8583_XN, BYTES_LITERAL("CC2")));
	EXPECT(!iso8583_fits_type(ISO8583_XN, BYTES_NONE));
}

TEST(an_empty_variable_field_survives)
{
	uint8_t bytes[16];
	struct bytes wire = from_hex("0100000000000001000000"
	                             "00",
	                             bytes, sizeof bytes);

	REQUIRE(unpacks(bcd, wire));
	EXPECT(iso8583_has(&message, 48) && iso8583_get(&message, 48).length == 0);
	EXPECT(packs_to(bcd, wire));
}

TEST(a_log_line_shows_what_is_marked_and_nothing_else)
{
	cleanup(buffer_done) struct buffer line;

	buffer_init(&line, 4096);
	REQUIRE(unpacks(ascii, bytes_text(m_ascii)));
	iso8583_describe(ascii, &message, &line);
	EXPECT(strstr(buffer_text(&line), "0100 2=[hidden 16] 3=000000 4=000000012345"));
	EXPECT(strstr(buffer_text(&line), "14=[hidden 4]"));
	EXPECT(strstr(buffer_text(&line), "48=[hidden 12]"));
	EXPECT(!strstr(buffer_text(&line), "4111"));
	EXPECT(!strstr(buffer_text(&line), "9203"));
}

TEST(nothing_is_left_after_a_wipe)
{
	uint8_t bytes[256];

	REQUIRE(unpacks(bcd, from_hex(m_bcd, bytes, sizeof bytes)));
	EXPECT(memmem(message.room, sizeof message.room, "4111111111111111", 16));
	iso8583_wipe(&message);
	EXPECT(!memmem(message.room, sizeof message.room, "4111111111111111", 16));
	EXPECT(!iso8583_has(&message, 2));
}

TEST(answers_have_the_repeat_bit_cleared)
{
	static const char *const pairs[][2] = {
		{ "0100", "0110" }, { "0101", "0110" }, { "0220", "0230" }, { "0221", "0230" },
		{ "0420", "0430" }, { "0421", "0430" }, { "0800", "0810" },
	};
	char answer[4];

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		EXPECT(iso8583_answer_mti(pairs[i][0], answer) && !memcmp(answer, pairs[i][1], 4));
	EXPECT(!iso8583_answer_mti("0110", answer));
}

TEST(dialects_by_name)
{
	struct iso8583_dialect *none;

	EXPECT(strcmp(bcd->name, "1987-bcd") == 0 && strcmp(ascii->name, "1987-ascii") == 0);
	EXPECT(iso8583_dialect_find(BYTES_LITERAL("1987"), &none).error == ERROR_NOT_FOUND);
}

TAP_MAIN
