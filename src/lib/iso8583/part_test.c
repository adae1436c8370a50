// What is inside fields: the four kinds of content read, packed back, cut off at every byte and
// told wrong lengths.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "iso8583/explain.h"
#include "iso8583/part.h"

#include <stdlib.h>

static const char file[] =
        "dialect parts \"Parts\"\nmti ascii\nbitmap binary\n"
        "field 2 n ..19 LL hidden \"Card number\"\n"
        "field 3 n 6 content=positional printable \"Processing code\"\n"
        "part 3.1 n 2 printable \"Transaction\"\npart 3.2 n 2 printable \"From\"\n"
        "part 3.3 n 2 printable \"To\"\n"
        "field 48 ans ..999 LLL content=tagged,2,ascii,LL,ascii hidden \"Private\"\n"
        "part 48.01 an 1 printable \"Initiator\"\npart 48.20 n ..4 hidden \"CVC\"\n"
        "field 55 b ..999 LLL content=ber hidden \"Chip\"\n"
        "part 55.9F02 n 12 bcd printable \"Amount\"\npart 55.5F2A n 3 bcd printable \"Currency\"\n"
        "part 55.5A n ..19 bcd odd=right fill=F hidden \"Card number\"\n"
        "part 55.E1 b ..200 content=ber hidden \"Group\"\n"
        "part 55.E1.9A n 6 bcd printable \"Date\"\n"
        "field 62 b ..999 LLL content=bitmap,2,binary,chained hidden \"Own bitmap\"\n"
        "part 62.2 an 1 printable \"Two\"\npart 62.7 ans ..50 LL hidden \"Seven\"\n"
        "part 62.18 ans ..36 LL printable \"Eighteen\"\npart 62.30 n 2 printable \"Thirty\"\n"
        "field 63 b ..999 LLL content=tagged,1,binary,LL,binary hidden \"Datasets\"\n"
        "part 63.74 b ..99 content=bitmap,1,hex hidden \"Set\"\n"
        "part 63.74.3 an 2 printable \"Three\"\n";

static struct iso8583_dialect *dialect;
static uint8_t room[4096];

static void print_mistake(void *context, const struct iso8583_mistake *mistake)
{
	(void)context;
	printf("# line %zu, column %zu: %s\n", mistake->line, mistake->column, mistake->text);
}

__attribute__((constructor)) static void read_dialect(void)
{
	struct iso8583_mistake mistake;

	iso8583_dialect_lint(bytes_text(file), print_mistake, NULL);
	if (!result_ok(iso8583_dialect_read(bytes_text(file), &dialect, &mistake)))
		abort();
}

__attribute__((destructor)) static void free_dialect(void)
{
	iso8583_dialect_free(dialect);
}

static struct bytes from_hex(const char *hex, uint8_t *to, size_t capacity)
{
	size_t length = strlen(hex) / 2;

	if (length > capacity || !hex_read(bytes_text(hex), to, length))
		abort();
	return bytes_from(to, length);
}

// Reads all parts of a value; -1 when it cannot be read, with the result's sentence in *ret_why.
static int read_parts(int field, struct bytes value, struct iso8583_part *ret_parts, size_t most,
                      const char **ret_why)
{
	struct iso8583_parts parts;
	bool end = false;
	int count = 0;

	iso8583_parts_begin(&parts, dialect, iso8583_content_of(dialect, &dialect->fields[field]),
	                    value, room, sizeof room);
	while ((size_t)count < most) {
		struct result result = iso8583_parts_next(&parts, &ret_parts[count], &end);
		*ret_why = result.detail;
		if (!result_ok(result))
			return -1;
		if (end)
			return count;
		count++;
	}
	abort();
}

struct expected {
	uint32_t key;
	const char *value; // NULL: not looked at
};

static void test_content(int field, struct bytes value, const struct expected *expected)
{
	struct iso8583_part parts[16];
	uint8_t packed[512];
	size_t length, wrong;
	const char *why;
	int count = read_parts(field, value, parts, 16, &why);

	REQUIRE(count >= 0);
	for (int i = 0; i < count; i++) {
		EXPECT(parts[i].key == expected[i].key && parts[i].field);
		EXPECT(!expected[i].value || bytes_equal_text(parts[i].value, expected[i].value));
	}
	EXPECT(expected[count].key == 0);
	EXPECT(result_ok(iso8583_parts_pack(
	               dialect, iso8583_content_of(dialect, &dialect->fields[field]), parts,
	               (size_t)count, packed, sizeof packed, &length, &wrong)) &&
	       bytes_equal(bytes_from(packed, length), value));
	// Cut off anywhere it is an error, or fewer parts; never a byte past the end.
	for (size_t cut = 0; cut < value.length; cut++) {
		uint8_t *copy = malloc(cut + 1);
		REQUIRE(copy);
		memcpy(copy + 1, value.data, cut);
		EXPECT(read_parts(field, bytes_from(copy + 1, cut), parts, 16, &why) < count);
		free(copy);
	}
}

TEST(positional)
{
	test_content(3, BYTES_LITERAL("003010"),
	             (const struct expected[]){ { 1, "00" }, { 2, "30" }, { 3, "10" }, { 0 } });
}

TEST(tagged)
{
	test_content(48, BYTES_LITERAL("0101C2003123"),
	             (const struct expected[]){ { 0x3031, "C" }, { 0x3230, "123" }, { 0 } });
}

TEST(ber)
{
	uint8_t bytes[64];

	test_content(55, from_hex("9f02060000000123455f2a0206435a084111111111111111", bytes, 64),
	             (const struct expected[]){ { 0x9f02, "000000012345" },
	                                        { 0x5f2a, "643" },
	                                        { 0x5a, "4111111111111111" },
	                                        { 0 } });
	test_content(55, from_hex("5a08411111111111111f", bytes, 64),
	             (const struct expected[]){ { 0x5a, "411111111111111" }, { 0 } });
	test_content(55, from_hex("e1059a03250822", bytes, 64),
	             (const struct expected[]){ { 0xe1, NULL }, { 0 } });
}

TEST(own_bitmap_chained)
{
	uint8_t bytes[64];

	// Bits 1 (a second map), 2 and 7; of the second map 17 (a third one) and 18; of the
	// third 30.
	test_content(62, from_hex("c200c004413032414230333132333939", bytes, 64),
	             (const struct expected[]){
	                     { 2, "A" }, { 7, "AB" }, { 18, "123" }, { 30, "99" }, { 0 } });
}

TEST(datasets_with_a_bitmap_inside)
{
	uint8_t bytes[64];

	test_content(63, from_hex("74000432303939", bytes, 64),
	             (const struct expected[]){ { 0x74, "2099" }, { 0 } });
}

static void refused(int field, const char *hex, const char *why)
{
	struct iso8583_part parts[16];
	uint8_t bytes[64];
	const char *said;
	int count = read_parts(field, from_hex(hex, bytes, sizeof bytes), parts, 16, &said);

	EXPECT(count == -1 && strstr(said, why));
	if (count != -1 || !strstr(said, why))
		printf("# %s: %s\n", hex, said);
}

TEST(what_is_wrong_is_refused)
{
	refused(55, "9f0288800000000000000000", "a length that no content has"); // 2^63
	refused(55, "9f0280000000", "a length that no content has");             // indefinite
	refused(55, "9f0284ffffffff00", "a length that no content has");
	refused(55, "9f02850000000001ff", "a length that no content has");
	refused(55, "9f0286000000000001ff", "a length that no content has");
	refused(55, "9f028700000000000001ff", "a length that no content has");
	refused(55, "9f02880000000000000001ff", "a length that no content has");
	refused(55, "9f0289ffffffffffffffffff", "a length that no content has");
	refused(55, "9f02ff0000000001", "a length that no content has");
	refused(55, "9f028000000000000000", "a length that no content has");
	refused(55, "e1809a032508220000",
	        "a length that no content has"); // indefinite, constructed
	refused(55, "9f0283ffffff00", "the content ends inside the part");
	refused(55, "9f02820006", "the content ends inside the part");
	refused(55, "9f0281", "the content ends inside the part");
	refused(55, "9f", "the content ends inside the part");
	refused(55, "dfffffffff01", "a tag of more than four bytes");
	refused(55, "9f0205000000012345", "fixed length");
	refused(55, "9f0206a00000012345", "a character");
	refused(55, "5f2a021643", "spare half byte");
	refused(48, "3031ff43", "not a number");
	refused(48, "30313939", "the content ends inside the part");
	refused(62, "80808080808080808080808080808080808080", "go on without an end");
	refused(62, "40004142", "bytes after the last part");
	refused(63, "74ffff00", "the content ends inside the part");
}

TEST(what_is_not_known_is_kept)
{
	struct iso8583_part parts[16];
	uint8_t bytes[64], packed[64];
	const char *why;
	size_t length, wrong;
	struct bytes value = from_hex("df8101021234"
	                              "9f0206000000012345",
	                              bytes, 64);

	REQUIRE(read_parts(55, value, parts, 16, &why) == 2);
	EXPECT(!parts[0].field && parts[0].key == 0xdf8101 && parts[0].value.length == 2);
	EXPECT(parts[1].field && parts[1].offset == 6);
	EXPECT(result_ok(iso8583_parts_pack(dialect,
	                                    iso8583_content_of(dialect, &dialect->fields[55]),
	                                    parts, 2, packed, sizeof packed, &length, &wrong)) &&
	       bytes_equal(bytes_from(packed, length), value));
	REQUIRE(read_parts(48, BYTES_LITERAL("XX02ab0101C"), parts, 16, &why) == 2);
	EXPECT(!parts[0].field && bytes_equal_text(parts[0].value, "ab"));
	REQUIRE(read_parts(62, from_hex("41004155", bytes, 64), parts, 16, &why) == 2);
	EXPECT(!parts[1].field && parts[1].key == 8 && parts[1].value.length == 1);
	dialect->refuse_unknown = true;
	EXPECT(read_parts(55, value, parts, 16, &why) == -1);
	EXPECT(read_parts(48, BYTES_LITERAL("XX02ab0101C"), parts, 16, &why) == -1);
	EXPECT(read_parts(62, from_hex("41004155", bytes, 64), parts, 16, &why) == -1);
	dialect->refuse_unknown = false;
}

static struct iso8583_message message;

TEST(parts_by_path)
{
	uint8_t bytes[64];
	struct bytes value;

	iso8583_begin(&message, "0100");
	iso8583_set(&message, 55, from_hex("9f0206000000012345e1059a03250822", bytes, 64));
	EXPECT(result_ok(
	        iso8583_part_get(dialect, &message, "55.9F02", room, sizeof room, &value)));
	EXPECT(bytes_equal_text(value, "000000012345"));
	EXPECT(result_ok(
	        iso8583_part_get(dialect, &message, "55.E1.9A", room, sizeof room, &value)));
	EXPECT(bytes_equal_text(value, "250822"));
	EXPECT(result_ok(
	        iso8583_part_get(dialect, &message, "55.5F2A", room, sizeof room, &value)));
	EXPECT(value.length == 0);
	EXPECT(result_ok(iso8583_part_get(dialect, &message, "48.01", room, sizeof room, &value)));
	EXPECT(value.length == 0);
	EXPECT(iso8583_part_get(dialect, &message, "55.9F99", room, sizeof room, &value).error ==
	       ERROR_NOT_FOUND);
	EXPECT(iso8583_part_get(dialect, &message, "55.9F02", room, 3, &value).error ==
	       ERROR_LIMIT);
}

TEST(a_shown_message_has_parts_offsets_and_no_card_number)
{
	struct buffer shown cleanup(buffer_done) = { 0 };
	uint8_t wire[512], chip[64];
	struct iso8583_place place;
	size_t length;

	iso8583_begin(&message, "0100");
	iso8583_set(&message, 2, BYTES_LITERAL("4111111111111111"));
	iso8583_set(&message, 3, BYTES_LITERAL("003010"));
	iso8583_set(&message, 48, BYTES_LITERAL("0101C2003123"));
	iso8583_set(&message, 55,
	            from_hex("9f02060000000123455a084111111111111111df01029999", chip, 64));
	REQUIRE(result_ok(iso8583_pack(dialect, &message, wire, sizeof wire, &length, &place)));
	buffer_init(&shown, 1 << 16);
	EXPECT(result_ok(iso8583_explain(dialect, bytes_from(wire, length), &shown)));
	EXPECT(strstr(buffer_text(&shown), "    30  3       Processing code"));
	EXPECT(strstr(buffer_text(&shown), "    32    2       From "));
	EXPECT(strstr(buffer_text(&shown), "9F02    Amount  "));
	EXPECT(strstr(buffer_text(&shown), "DF01    (not in the dialect)"));
	EXPECT(strstr(buffer_text(&shown), "000000012345"));
	EXPECT(!strstr(buffer_text(&shown), "4111111111"));
	EXPECT(!strstr(buffer_text(&shown), "123\n"));
	EXPECT(!strstr(buffer_text(&shown), "9999"));
	EXPECT(!strstr(buffer_text(&shown), "411111"));
}

TEST(a_log_never_shows_what_looks_like_a_card_number)
{
	struct buffer shown cleanup(buffer_done) = { 0 };
	struct iso8583_field field = { .type = ISO8583_ANS, .secrecy = ISO8583_PRINTABLE };

	buffer_init(&shown, 1 << 16);
	iso8583_describe_value(&field,
	                       BYTES_LITERAL("a 4111111111111111, 0000004111111111111111, "
	                                     "4111111111111112 5500005555555559"),
	                       &shown);
	EXPECT(strcmp(buffer_text(&shown), "a_[hidden 16],_0000004111111111111111,_"
	                                   "4111111111111112_[hidden 16]") == 0);
	field.type = ISO8583_B;
	buffer_reset(&shown);
	iso8583_describe_value(
	        &field,
	        BYTES_LITERAL("\xf4\x11\x11\x11\x11\x11\x11\x11\x1f" // packed, within half bytes
	                      "\x41\x11\x11\x11\x11\x11\x11\x11\xff"
	                      "4111111111111111"),
	        &shown);
	EXPECT(strcmp(buffer_text(&shown), "f[hidden 16]f[hidden 16]ff[hidden 16]") == 0);
}

TAP_MAIN
