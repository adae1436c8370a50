// The driver without a socket: requests are queued and counted as sent, answers are handed to it as
// if they had come. Response codes of every edition, matching, parameters, terminals and MACs.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/tap.h"

#include <stdio.h>

#define RRN "632815000042"

static struct driver driver;

static bool start(const char *more)
{
	struct buffer sentence cleanup(buffer_done) = { 0 };
	char text[600];

	snprintf(text, sizeof text, "{\"host\":\"127.0.0.1\",\"port\":1,\"acquirer\":\"400123\"%s}",
	         more);
	json_t *json = json_loads(text, 0, NULL);
	CHECK(json);
	log_init("test");
	log_set_level((enum log_level)(LOG_ERROR + 1));
	buffer_init(&sentence, 2048);
	driver = (struct driver){ .now_ms = 1000000 };
	struct result result = parameters_read(json, &driver.parameters, &sentence);
	json_decref(json);
	if (!result_ok(result))
		return false;
	flight_init(&driver.flight);
	for (size_t i = 0; i < LINES_MAX; i++)
		line_init(&driver.lines[i], false);
	driver.lines[0].state = LINE_UP;
	driver.up = 1;
	driver.mac = mac_new(&driver.parameters);
	buffer_init(&driver.output, 1 << 20);
	return true;
}

static void stop(void)
{
	while (driver.flight.live.first)
		driver_give_up(&driver, driver.flight.live.first, "the test stops");
	for (size_t i = 0; i < LINES_MAX; i++)
		line_done(&driver.lines[i]);
	flight_done(&driver.flight);
	buffer_done(&driver.output);
	mac_free(driver.mac);
	parameters_done(&driver.parameters);
}

// Sends an operation, and lets its frame have left. NULL: it was refused.
static struct flight_entry *ask(const char *op, const char *rrn)
{
	char line[1000];

	snprintf(line, sizeof line,
	         "{\"id\":7,\"op\":\"%s\",\"deadline_ms\":2000000,\"stan\":\"000042\",\"sent_at\":"
	         "\"1127120000\",\"local_at\":\"261127150000\",\"terminal\":\"TERM0001\","
	         "\"merchant\":\"M\",\"rrn\":\"%s\",\"amount\":1000,\"currency\":\"643\","
	         "\"card\":{\"number\":\"4242424242424242\",\"exp_month\":12,\"exp_year\":2030},"
	         "\"initiator\":\"customer\",\"credential\":\"first\","
	         "\"original\":{\"mti\":\"0100\",\"stan\":\"000007\",\"sent_at\":\"1127110000\","
	         "\"local_at\":\"261127140000\",\"amount\":1000}}",
	         op, rrn);
	buffer_reset(&driver.output);
	driver_read_line(&driver, bytes_text(line));
	struct flight_entry *entry = driver.flight.live.last;
	if (!entry)
		return NULL;
	line_unqueue(entry->line, entry);
	entry->state = FLIGHT_SENT;
	return entry;
}

static const char *const answer_fields[] = {
	[7] = "1127120000", [11] = "000042", [37] = RRN, [41] = "TERM0001"
};

// The bank's answer with this code, in which field `other` (0: none) is another message's.
static const char *come(const struct flight_entry *entry, const char *code, int other)
{
	static struct iso8583_message message;
	static uint8_t wire[1000];
	struct iso8583_place place;
	size_t length;

	iso8583_begin(&message, entry->mti);
	for (int i = 0; i <= 41; i++)
		if (answer_fields[i])
			iso8583_set(&message, i, bytes_text(answer_fields[i]));
	if (other == 41)
		iso8583_set(&message, 41, BYTES_LITERAL("TERM0002"));
	else if (other > 0)
		iso8583_set_number(&message, other, 1, (int)strlen(answer_fields[other]));
	iso8583_set(&message, 39, bytes_text(code));
	CHECK(result_ok(iso8583_pack(driver.parameters.dialect, &message, wire, sizeof wire,
	                             &length, &place)));
	buffer_reset(&driver.output);
	driver_message_came(&driver, &driver.lines[0], bytes_from(wire, length));
	return buffer_text(&driver.output);
}

enum { APPROVED = 1, DECLINED = 0 };
enum {
	CVC_FAILED = 1,
	PROOF_WANTED = 2,
	ORIGINAL_UNKNOWN = 4,
	FOR_REVERSAL = 8,
	FOR_ADVICE = 16,
	FOR_NETWORK = 32,
	REVERSED_BEFORE = 64
};

static const struct {
	const char *code;
	int outcome;
	const char *decline_code;
	int flags;
} codes[] = {
#define CODE(code, outcome, decline_code, flags) { code, outcome, decline_code, flags },
#include "codes.def"
#undef CODE
	{ "ZZ", DECLINED, "generic_decline", 0 },
	{ "777", DECLINED, "generic_decline", 0 },
};

// By the length of a code.
static const char *const editions[] = {
	[2] = "", [3] = ",\"dialect\":\"1993-bcd\"", [4] = ",\"dialect\":\"cmf\""
};

static bool says(const char *output, const char *member, const char *value)
{
	const char *quote = strcmp(value, "true") == 0 ? "" : "\"";
	char text[100];

	snprintf(text, sizeof text, "\"%s\":%s%s%s", member, quote, value, quote);
	return strstr(output, text) != NULL;
}

TEST(every_code_is_what_the_table_says_in_its_edition)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
		bool reversal = codes[i].flags & FOR_REVERSAL, advice = codes[i].flags & FOR_ADVICE;
		bool network = codes[i].flags & FOR_NETWORK;
		const char *op = reversal ? "reverse" : advice ? "capture" : "authorize";
		REQUIRE(start(editions[strlen(codes[i].code)]));
		struct flight_entry *entry = ask(op, RRN);
		REQUIRE(entry);
		const char *output = come(entry, codes[i].code, 0);
		const char *wanted = network            ? "unknown"
		                     : codes[i].outcome ? "approved"
		                                        : "declined";
		bool good =
		        says(output, "outcome", wanted) &&
		        (network || codes[i].outcome || strstr(output, codes[i].decline_code)) &&
		        says(output, "authentication_required", "true") ==
		                ((codes[i].flags & PROOF_WANTED) != 0);
		EXPECT(good);
		if (!good)
			printf("# %s: %s\n", codes[i].code, output);
		for (size_t j = 0; j < i; j++)
			EXPECT(strcmp(codes[i].code, codes[j].code) != 0);
		stop();
	}
}

// What answers a reversal, an advice or a network message approves no payment.
TEST(a_code_of_another_kind_of_message_is_unknown)
{
	static const struct {
		const char *op, *code, *outcome;
	} rows[] = {
		{ "authorize", "400", "unknown" }, { "authorize", "800", "unknown" },
		{ "authorize", "900", "unknown" }, { "reverse", "400", "approved" },
		{ "reverse", "900", "approved" },  { "capture", "901", "approved" },
		{ "capture", "400", "unknown" },   { "refund", "900", "unknown" },
		{ "refund", "000", "approved" },   { "reverse", "914", "declined" },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		REQUIRE(start(editions[3]));
		struct flight_entry *entry = ask(rows[i].op, RRN);
		REQUIRE(entry);
		EXPECT(says(come(entry, rows[i].code, 0), "outcome", rows[i].outcome));
		stop();
	}
}

TEST(an_answer_is_matched_by_the_fields_of_the_connection)
{
	static const struct {
		const char *parameter;
		int other; // the field that differs
		bool matched;
	} rows[] = {
		{ "", 0, true },
		{ "", 7, false },
		{ "", 11, false },
		{ "", 41, false },
		{ "", 37, true },
		{ ",\"match\":\"11\"", 7, true },
		{ ",\"match\":\"11\"", 11, false },
		{ ",\"match\":\"37\"", 11, true },
		{ ",\"match\":\"37\"", 37, false },
		{ ",\"match\":\"11,37,41\"", 41, false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		REQUIRE(start(rows[i].parameter));
		struct flight_entry *entry = ask("authorize", RRN);
		REQUIRE(entry);
		const char *output = come(entry, "00", rows[i].other);
		EXPECT(says(output, "outcome", "approved") == rows[i].matched);
		EXPECT((driver.flight.live.count == 0) == rows[i].matched);
		stop();
	}
}

TEST(numbers_that_are_in_use_or_were_not_long_ago_are_refused)
{
	REQUIRE(start(""));
	struct flight_entry *entry = ask("authorize", RRN);
	REQUIRE(entry);
	ask("authorize", RRN);
	EXPECT(driver.flight.live.count == 1 && strstr(buffer_text(&driver.output), "not_sent"));
	driver_give_up(&driver, entry, "no answer");
	EXPECT(driver.flight.late.count == 1 && strstr(buffer_text(&driver.output), "unknown"));
	EXPECT(!ask("authorize", RRN) && strstr(buffer_text(&driver.output), "not long ago"));
	EXPECT(strstr(come(entry, "00", 0), "\"late\":{\"request\":7,\"outcome\":\"approved\""));
	EXPECT(ask("authorize", RRN) != NULL);
	stop();
}

TEST(parameters_are_taken_or_refused)
{
	static const struct {
		const char *more;
		bool good;
	} rows[] = {
		{ "", true },
		{ ",\"dialect\":\"1993-bcd\"", true },
		{ ",\"dialect\":\"cmf\"", true },
		{ ",\"terminals\":\"TERM0001-TERM0008,TERM0011\"", true },
		{ ",\"terminals\":\"TERM0008-TERM0001\"", false },
		{ ",\"terminals\":\"TERM01-TERM0008\"", false },
		{ ",\"terminals\":\"TERM0001-XERM0008\"", false },
		{ ",\"terminals\":\"TERM0001-TERM9999\"", false },
		{ ",\"terminals\":\"TERM00001\"", false },
		{ ",\"terminals\":\",A\"", false },
		{ ",\"match\":\"7,41\"", false },
		{ ",\"match\":\"11,11\"", false },
		{ ",\"match\":\"12\"", false },
		{ ",\"mac\":\"cmac\"", false },
		{ ",\"mac\":\"retail\",\"mac_key\":\"000102030405060708090a0b0c0d0e0f\"", true },
		{ ",\"mac\":\"retail\",\"mac_key\":\"00\"", false },
		{ ",\"mac\":\"cmac\",\"mac_key\":\"000102030405060708090a0b0c0d0e0f\",\"dialect\":"
		  "\"dialect d\\nmti bcd\\nbitmap binary\\nfield 39 an 2 \\\"a\\\"\\nfield 64 b 8 "
		  "\\\"m\\\"\\nedition 1987\\n\"",
		  true },
		{ ",\"mac\":\"cmac\",\"mac_key\":\"000102030405060708090a0b0c0d0e0f\",\"dialect\":"
		  "\"dialect d\\nmti bcd\\nbitmap binary\\nfield 39 an 2 \\\"a\\\"\\nfield 64 b 3 "
		  "\\\"m\\\"\\nedition 1987\\n\"",
		  false },
		{ ",\"client_certificate\":\"/a\"", false },
		{ ",\"length_header\":\"binary3\"", false },
		{ ",\"fixed_header\":\"0\"", false },
		{ ",\"lines\":17", false },
	};

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		bool good = start(rows[i].more);
		EXPECT(good == rows[i].good);
		if (good != rows[i].good)
			printf("# %s\n", rows[i].more);
		if (good)
			stop();
		else
			parameters_done(&driver.parameters);
	}
}

// All messages with the same DE37 have the same terminal, and others come to others.
TEST(a_terminal_belongs_to_a_payment)
{
	char seen[2][TERMINAL + 1] = { "", "" };
	bool others = false;

	for (int i = 0; i < 40; i++) {
		char rrn[13];
		snprintf(rrn, sizeof rrn, "6328150000%02d", i % 100);
		for (int j = 0; j < 2; j++) {
			REQUIRE(start(",\"terminals\":\"TERM0001-TERM0009\""));
			struct flight_entry *entry = ask(j ? "reverse" : "authorize", rrn);
			REQUIRE(entry);
			others |= j == 0 && i > 0 &&
			          memcmp(seen[0], entry->key.terminal, TERMINAL) != 0;
			memcpy(seen[j], entry->key.terminal, TERMINAL);
			stop();
		}
		EXPECT(memcmp(seen[0], seen[1], TERMINAL) == 0);
		EXPECT(memcmp(seen[0], "TERM000", 7) == 0);
	}
	EXPECT(others);
}

TEST(a_mac_is_in_64_or_128_and_covers_every_byte)
{
	static struct iso8583_message message, back;
	uint8_t wire[300];
	size_t length;
	struct iso8583_place place;

	REQUIRE(start(",\"mac\":\"cmac\",\"mac_key\":\"000102030405060708090a0b0c0d0e0f\""));
	const struct iso8583_dialect *dialect = driver.parameters.dialect;
	EXPECT(mac_wanted(&driver.parameters, "0110") && !mac_wanted(&driver.parameters, "0810"));
	for (int high = 0; high < 2; high++) {
		iso8583_begin(&message, "0110");
		iso8583_set(&message, 39, BYTES_LITERAL("00"));
		if (high)
			iso8583_set(&message, 70, BYTES_LITERAL("301"));
		mac_reserve(driver.parameters.dialect, &message);
		EXPECT(iso8583_has(&message, high ? 128 : 64));
		REQUIRE(result_ok(
		        iso8583_pack(dialect, &message, wire, sizeof wire, &length, &place)));
		mac_put(driver.mac, dialect, &message, wire, length);
		for (size_t i = 0; i <= length; i++) {
			if (i < length)
				wire[i] ^= 1;
			if (result_ok(iso8583_unpack(dialect, bytes_from(wire, length), &back,
			                             &place)))
				EXPECT((mac_check(driver.mac, dialect, &back,
				                  bytes_from(wire, length)) == NULL) ==
				       (i == length));
			if (i < length)
				wire[i] ^= 1;
		}
	}
	stop();
}

TAP_MAIN
