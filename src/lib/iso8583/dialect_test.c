// The reader of dialect files: what is shipped, what every mistake is told as, and the two code
// pages against the C library.
#include "base/cleanup.h"
#include "base/tap.h"
#include "iso8583/codec.h"
#include "iso8583/ebcdic.h"

#include <iconv.h>
#include <stdlib.h>

static void print_mistake(void *context, const struct iso8583_mistake *mistake)
{
	(void)context;
	printf("# line %zu, column %zu: %s\n", mistake->line, mistake->column, mistake->text);
}

TEST(the_shipped_dialects_have_no_mistake)
{
	for (size_t i = 0; iso8583_dialect_shipped(i); i++) {
		struct bytes name = bytes_text(iso8583_dialect_shipped(i));
		struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
		EXPECT(iso8583_dialect_lint(iso8583_dialect_text(name), print_mistake, NULL) == 0);
		REQUIRE(result_ok(iso8583_dialect_find(name, &dialect)));
		EXPECT(bytes_equal_text(name, dialect->name));
		EXPECT(dialect->fields[2].secrecy == ISO8583_HIDDEN);
	}
}

#define HEAD "dialect d\nmti bcd\nbitmap binary\n"

// A file after HEAD (so that its first line is line 4), and where and what its only mistake is.
static const struct {
	const char *text;
	size_t line, column;
	const char *said;
} mistakes[] = {
	{ "fields 3", 4, 1,
	  "write dialect, mti, bitmap, unknown, default, field, part, edition, place or send" },
	{ "field 1 n 1 \"x\"", 4, 7, "from 2 to 192" },
	{ "field 193 n 1 \"x\"", 4, 7, "from 2 to 192" },
	{ "field -3 n 1 \"x\"", 4, 7, "from 2 to 192" },
	{ "field 3 n", 4, 1, "write field NUMBER TYPE LENGTH" },
	{ "field 3 num 6 \"x\"", 4, 9, "no type num: n, x+n" },
	{ "field 3 n 0 \"x\"", 4, 11, "from 1 to 9999" },
	{ "field 3 n six \"x\"", 4, 11, "from 1 to 9999" },
	{ "field 3 n 10000 \"x\"", 4, 11, "from 1 to 9999" },
	{ "field 3 n ..6 \"x\"", 4, 11, "write L to LLLLLL" },
	{ "field 3 n 6 LL \"x\"", 4, 11, "write ..6" },
	{ "field 3 n ..100 LL \"x\"", 4, 11, "99 at most: write one more L" },
	{ "field 3 n 6", 4, 1, "the name is missing" },
	{ "field 3 n 6 \"x", 4, 13, "no closing quote" },
	{ "field 3 n 6 \"\"", 4, 13, "printable UTF-8" },
	{ "field 3 n 6 \"\x1b[2J\"", 4, 13, "printable UTF-8" },
	{ "field 3 n 6 \"x\" \"y\"", 4, 17, "one is enough" },
	{ "field 3 n 6 secret \"x\"", 4, 13, "secret is not known here" },
	{ "field 3 n 6 ascii bcd \"x\"", 4, 19, "bcd says again" },
	{ "field 3 n 6 binary \"x\"", 4, 9, "bcd for n, x+n and z" },
	{ "field 64 b 8 ascii \"x\"", 4, 10, "binary, hex or ebcdic-hex" },
	{ "field 3 n 6 odd=left \"x\"", 4, 9, "for bcd alone" },
	{ "field 3 n 6 pad=left,a \"x\"", 4, 9, "cannot hold the character" },
	{ "field 3 n 6 pad=left \"x\"", 4, 13, "write pad=none" },
	{ "field 3 n ..6 L prefix=hex \"x\"", 4, 17, "prefix=ebcdic" },
	{ "field 3 n ..6 L count=nibbles \"x\"", 4, 17, "count=bytes" },
	{ "field 3 b ..6 L content=tlv \"x\"", 4, 17, "content=ber" },
	{ "field 3 b ..6 L content=tagged,5,ascii,LL,ascii \"x\"", 4, 17, "content=tagged,2" },
	{ "field 28 x+n 1 \"x\"", 4, 14, "at least 2" },
	{ "field 2 n ..19 LL printable \"x\"", 4, 7, "cannot be printable: write hidden" },
	{ "field 3 n 6 \"x\"\nfield 3 n 6 \"x\"", 5, 7, "field 3 is in line 4 already" },
	{ "field 129 n 6 \"x\"", 4, 1, "no bitmap for field 129" },
	{ "part 3.1 n 2 \"x\"", 4, 6, "has no content=" },
	{ "part 3 n 2 \"x\"", 4, 6, "55.9F02" },
	{ "field 3 n 6 content=positional \"x\"\npart 3.2 n 2 \"x\"", 5, 6, "in the order" },
	{ "field 3 b ..9 L content=ber \"x\"\npart 3.9F0 n 2 \"x\"", 5, 6, "9F0 is no tag" },
	{ "field 3 b ..9 L content=ber \"x\"\npart 3.9C n 2 L \"x\"", 5, 13, "leave L" },
	{ "field 3 b ..9 L content=ber \"x\"\npart 3.9C n 2 \"x\"\npart 3.9C n 2 \"x\"", 6, 6,
	  "described already" },
	{ "field 3 b ..9 L content=ber \"x\"\npart 3.E1.E2 n 2 \"x\"", 5, 6, "3.E1 is missing" },
	{ "field 3 b ..9 L content=bitmap,1,binary \"x\"\npart 3.9 n 2 \"x\"", 5, 6, "no bit" },
	{ "unknown perhaps", 4, 9, "unknown keep, or unknown refuse" },
	{ "default q bcd", 4, 9, "write default, then a type" },
	{ "default * content=ber", 4, 11, "belongs to one field" },
	{ "mti hex", 4, 5, "write mti ascii" },
	{ "bitmap bcd", 4, 8, "write bitmap binary" },
	{ "bitmap binary third", 4, 15, "third=next" },
	{ "bitmap binary third=next\nfield 65 b 1 \"x\"", 5, 1, "remove the line" },
	{ "\"a name\"", 4, 1, "begins with a word" },
	{ "field 3 \xc3\xa9 6 \"x\"", 4, 9, "printable ASCII" },
};

struct seen {
	int count;
	struct iso8583_mistake first;
};

static void note(void *context, const struct iso8583_mistake *mistake)
{
	struct seen *seen = context;

	if (seen->count++ == 0)
		seen->first = *mistake;
}

TEST(every_mistake_is_told_with_its_place)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct iso8583_dialect *dialect;
		struct iso8583_mistake mistake;
		struct seen seen = { 0 };
		char text[400];
		snprintf(text, sizeof text, HEAD "%s\n", mistakes[i].text);
		EXPECT(iso8583_dialect_lint(bytes_text(text), note, &seen) == 1 && seen.count == 1);
		bool same = seen.first.line == mistakes[i].line &&
		            seen.first.column == mistakes[i].column &&
		            strstr(seen.first.text, mistakes[i].said);
		EXPECT(same);
		if (!same || seen.count != 1)
			printf("# %s: %d at %zu:%zu: %s\n", mistakes[i].text, seen.count,
			       seen.first.line, seen.first.column, seen.first.text);
		EXPECT(iso8583_dialect_read(bytes_text(text), &dialect, &mistake).error ==
		               ERROR_INPUT &&
		       !dialect);
		EXPECT(mistake.line == mistakes[i].line &&
		       strcmp(mistake.text, seen.first.text) == 0);
	}
}

TEST(what_is_missing_is_told)
{
	struct seen seen = { 0 };

	EXPECT(iso8583_dialect_lint(BYTES_NONE, note, &seen) == 3);
	EXPECT(seen.first.line == 0 && strstr(seen.first.text, "write dialect NAME"));
}

TEST(every_mistake_of_a_file_is_told_at_once)
{
	struct seen seen = { 0 };

	EXPECT(iso8583_dialect_lint(BYTES_LITERAL(HEAD "field 3 q 1 \"x\"\nfield 4 n 1\nfoo\n"),
	                            note, &seen) == 3);
}

TEST(a_file_is_bounded)
{
	struct iso8583_dialect *dialect;
	struct iso8583_mistake mistake;
	size_t length = ISO8583_DIALECT_MAX + 1;
	char *text = malloc(length);

	REQUIRE(text);
	memset(text, '\n', length);
	EXPECT(iso8583_dialect_read(bytes_from(text, length), &dialect, &mistake).error ==
	       ERROR_LIMIT);
	memset(text, ' ', length);
	memcpy(text, HEAD, sizeof HEAD - 1);
	EXPECT(iso8583_dialect_read(bytes_from(text, 2000), &dialect, &mistake).error ==
	       ERROR_INPUT);
	EXPECT(mistake.line == 4 && strstr(mistake.text, "longer than 500 bytes"));
	free(text);
}

// Every prefix of a shipped file is read without harm: as a dialect, or with a mistake.
TEST(a_file_may_end_anywhere)
{
	struct bytes text = iso8583_dialect_text(BYTES_LITERAL("cmf"));

	for (size_t length = 0; length < text.length; length += 61) {
		struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
		struct iso8583_mistake mistake;
		uint8_t *copy = malloc(length + 1);
		REQUIRE(copy);
		memcpy(copy + 1, text.data, length);
		struct result result =
		        iso8583_dialect_read(bytes_from(copy + 1, length), &dialect, &mistake);
		EXPECT(result_ok(result) == (dialect != NULL) &&
		       !result_ok(result) == !!mistake.text[0]);
		free(copy);
	}
}

TEST(the_code_pages_are_those_of_the_c_library)
{
	static const char *const names[] = { "IBM037", "IBM1047" };

	for (int page = 0; page < ISO8583_PAGES; page++) {
		iconv_t converter = iconv_open("ISO-8859-1", names[page]);
		char from[256], to[256];
		char *in = from, *out = to;
		size_t in_left = sizeof from, out_left = sizeof to;
		REQUIRE(converter != (iconv_t)-1);
		for (int i = 0; i < 256; i++)
			from[i] = (char)i;
		EXPECT(iconv(converter, &in, &in_left, &out, &out_left) == 0 && out_left == 0);
		EXPECT(memcmp(to, iso8583_from_ebcdic[page], sizeof to) == 0);
		for (int i = 0; i < 256; i++)
			EXPECT(iso8583_to_ebcdic[page][iso8583_from_ebcdic[page][i]] == i);
		iconv_close(converter);
	}
}

TAP_MAIN
