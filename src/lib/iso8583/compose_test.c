// Messages put together by a dialect's lines `place` and `send`, and every mistake in them.
#include "base/cleanup.h"
#include "base/tap.h"
#include "iso8583/compose.h"
#include "iso8583/part.h"

#define HEAD                                                                                       \
	"dialect d\nmti ascii\nbitmap hex\n"                                                       \
	"field 22 an 12 \"a\"\nfield 11 n 6 \"b\"\n"                                               \
	"field 24 n 3 \"c\"\n"                                                                     \
	"field 48 ans ..99 LL content=tagged,2,ascii,LL,ascii \"d\"\n"                             \
	"part 48.01 an 1 \"e\"\npart 48.20 n ..4 \"f\"\n"                                          \
	"field 34 b ..999 LLL content=tagged,1,binary,LL,binary \"g\"\n"                           \
	"part 34.74 b ..99 content=bitmap,2,binary,chained \"h\"\n"                                \
	"part 34.74.2 an 1 \"i\"\npart 34.74.20 b ..9 L \"j\"\n"                                   \
	"part 34.75 b 2 \"k\"\n"

static struct iso8583_dialect *read_dialect(const char *lines)
{
	struct iso8583_dialect *dialect;
	struct iso8583_mistake mistake;
	char text[2000];

	snprintf(text, sizeof text, HEAD "%s", lines);
	if (!result_ok(iso8583_dialect_read(bytes_text(text), &dialect, &mistake)))
		printf("# %zu:%zu %s\n", mistake.line, mistake.column, mistake.text);
	return dialect;
}

static const struct {
	const char *line, *said;
} mistakes[] = {
	{ "edition 1988", "write edition 1987, edition 1993 or" },
	{ "edition", "write edition 1987, edition 1993 or" },
	{ "place cvc", "write place WHAT PATH" },
	{ "place code 48.20", "no code to place" },
	{ "place cvc 47", "no line above this one for field 47" },
	{ "place cvc 0", "no line above this one for field 0" },
	{ "place cvc 48.21", "no line above this one for part 48.21" },
	{ "place cvc 22.1", "no line above this one for part 22.1" },
	{ "place cvc 48.20.1", "no line above this one for part 48.20.1" },
	{ "place 3ds-value 48.20", "does not fit there" },
	{ "place cvc 48.20\nplace cvc 11", "has a place already: 48.20" },
	{ "send 22", "write send PATH WHEN=VALUE" },
	{ "send 23 any=1", "no line above this one for field 23" },
	{ "send 22 sometimes=1", "write WHEN=VALUE" },
	{ "send 22 any", "write WHEN=VALUE" },
	{ "send 22 any=", "write WHEN=VALUE" },
	{ "send 22 verify+=1", "write WHEN=VALUE" },
	{ "send 22 =1", "write WHEN=VALUE" },
	{ "send 24 any=1234", "does not fit there" },
	{ "send 24 any=abc", "does not fit there" },
	{ "send 34.75 any=0", "in hexadecimal" },
	{ "send 34.75 any=0g", "in hexadecimal" },
	{ "send 34.75 any=000000", "does not fit there" },
};

TEST(every_mistake_is_told)
{
	for (size_t i = 0; i < sizeof mistakes / sizeof mistakes[0]; i++) {
		struct iso8583_dialect *dialect;
		struct iso8583_mistake mistake;
		char text[2000];
		snprintf(text, sizeof text, HEAD "%s\n", mistakes[i].line);
		EXPECT(!result_ok(iso8583_dialect_read(bytes_text(text), &dialect, &mistake)));
		bool told = strstr(mistake.text, mistakes[i].said) != NULL;
		EXPECT(told);
		if (!told)
			printf("# %s: %s\n", mistakes[i].line, mistake.text);
	}
}

TEST(the_first_value_whose_situation_is_true_is_sent)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) =
	        read_dialect("send 24 reverse+part=401 reverse=400 sign-on=801\n");
	REQUIRE(dialect && dialect->roles.send_count == 1);
	const struct iso8583_roles *roles = &dialect->roles;
	const struct iso8583_send *send = &roles->sends[0];
	uint32_t any = ISO8583_WHEN_ANY;

	EXPECT(bytes_equal_text(iso8583_send_value(roles, send, any | ISO8583_WHEN_REVERSE),
	                        "400"));
	EXPECT(bytes_equal_text(
	        iso8583_send_value(roles, send, ISO8583_WHEN_REVERSE | ISO8583_WHEN_PART), "401"));
	EXPECT(iso8583_send_value(roles, send, any | ISO8583_WHEN_PART).length == 0);
	EXPECT(iso8583_send_meaning(roles, send, BYTES_LITERAL("801")) == ISO8583_WHEN_SIGN_ON);
	EXPECT(iso8583_send_meaning(roles, send, BYTES_LITERAL("802")) == 0);
	EXPECT(iso8583_send_for(roles, ISO8583_WHEN_SIGN_ON) == send);
	EXPECT(iso8583_send_for(roles, ISO8583_WHEN_ECHO) == NULL);
}

// Parts at two depths, put in any order, come out in the order of their tags and bits.
TEST(parts_are_written_in_their_order_and_read_back)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) =
	        read_dialect("send 48.01 any=C\nplace cvc 48.20\nsend 34.74.20 any=beef\n"
	                     "send 34.74.2 any=1\nsend 34.75 any=0102\nplace category 11\n");
	static struct iso8583_message message;
	static uint8_t room[ISO8583_ROOM];
	struct iso8583_composer composer;
	struct bytes value;
	REQUIRE(dialect);
	const struct iso8583_roles *roles = &dialect->roles;

	iso8583_begin(&message, "0100");
	iso8583_compose_begin(&composer, dialect, &message);
	iso8583_compose_put(&composer, &roles->places[ISO8583_ROLE_CVC], BYTES_LITERAL("99"));
	iso8583_compose_put(&composer, &roles->places[ISO8583_ROLE_CVC], BYTES_LITERAL("123"));
	iso8583_compose_put(&composer, &roles->places[ISO8583_ROLE_PROOF_ECI], BYTES_LITERAL("05"));
	iso8583_compose_put(&composer, &roles->places[ISO8583_ROLE_CATEGORY],
	                    BYTES_LITERAL("5999"));
	for (size_t i = 0; i < roles->send_count; i++)
		iso8583_compose_put(&composer, &roles->sends[i].spot,
		                    iso8583_send_value(roles, &roles->sends[i], ISO8583_WHEN_ANY));
	REQUIRE(result_ok(iso8583_compose_end(&composer)));
	EXPECT(bytes_equal_text(iso8583_get(&message, 48), "0101C2003123"));
	EXPECT(bytes_equal_text(iso8583_get(&message, 11), "5999"));
	EXPECT(bytes_equal(iso8583_get(&message, 34),
	                   BYTES_LITERAL("\x74\x00\x07\xc0\x00\x10"
	                                 "1"
	                                 "2\xbe\xef\x75\x00\x02\x01\x02")));
	REQUIRE(result_ok(
	        iso8583_part_get(dialect, &message, "34.74.20", room, sizeof room, &value)));
	EXPECT(bytes_equal(value, BYTES_LITERAL("\xbe\xef")));
}

TEST(a_value_that_does_not_fit_its_part_is_an_error)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) =
	        read_dialect("place cvc 48.20\n");
	static struct iso8583_message message;
	struct iso8583_composer composer;
	REQUIRE(dialect);

	iso8583_begin(&message, "0100");
	iso8583_compose_begin(&composer, dialect, &message);
	iso8583_compose_put(&composer, &dialect->roles.places[ISO8583_ROLE_CVC],
	                    BYTES_LITERAL("12345"));
	EXPECT(iso8583_compose_end(&composer).error == ERROR_INPUT);
}

struct told {
	char words[400];
	int count;
};

static void note_missing(void *context, const char *word, const char *lost)
{
	struct told *told = context;
	size_t length = strlen(told->words);

	snprintf(told->words + length, sizeof told->words - length, "%s ", word);
	told->count++;
	EXPECT(lost[0]);
}

TEST(what_has_no_place_is_told)
{
	struct told all = { 0 }, some = { 0 }, none = { 0 }, unspoken = { 0 };
	struct iso8583_dialect *empty cleanup(iso8583_dialect_done) =
	        read_dialect("edition 1987\n");
	struct iso8583_dialect *part cleanup(iso8583_dialect_done) =
	        read_dialect("edition 1987\nplace cvc 48.20\nplace local-time 11\n"
	                     "send 24 stored=001 merchant=002 sign-on=801\n");
	struct iso8583_dialect *silent cleanup(iso8583_dialect_done) = read_dialect("");
	struct iso8583_dialect *shipped cleanup(iso8583_dialect_done) = NULL;
	REQUIRE(empty && part && silent &&
	        result_ok(iso8583_dialect_find(BYTES_LITERAL("1987-bcd"), &shipped)));

	iso8583_roles_missing(&empty->roles, note_missing, &all);
	EXPECT(strcmp(all.words,
	              "category original network-transaction-id cvc cvc-result 3ds-version "
	              "eci 3ds-value ds-transaction local-date-time replacement stored "
	              "merchant sign-on ") == 0);
	iso8583_roles_missing(&part->roles, note_missing, &some);
	EXPECT(some.count == all.count - 5 && !strstr(some.words, "cvc cvc-result"));
	iso8583_roles_missing(&silent->roles, note_missing, &unspoken);
	iso8583_roles_missing(&shipped->roles, note_missing, &none);
	EXPECT(unspoken.count == 0 && none.count == 0);
	iso8583_dialect_done(&shipped);
	REQUIRE(result_ok(iso8583_dialect_find(BYTES_LITERAL("cmf"), &shipped)));
	iso8583_roles_missing(&shipped->roles, note_missing, &none);
	EXPECT(strcmp(none.words, "eci ") == 0);
}

TAP_MAIN
