// Tests of the vault's process from outside: a rig plays the parent, core and a driver.
#include "base/clock.h"
#include "base/tap.h"
#include "rig.h"

#include <stdlib.h>
#include <unistd.h>

static int64_t soon(void)
{
	return clock_wall_ms() + 60000;
}

static bool running(struct rig *rig)
{
	return rig_init(rig) && rig_connect(rig) && rig_start_driver(rig, "/proc/self/exe") &&
	       rig_driver_reads(rig) && rig_driver_writes(rig, "{\"id\":0,\"state\":\"up\"}\n") &&
	       rig_expect_state(rig, 1);
}

static bool reads(struct rig *rig, const char *line)
{
	if (!rig_driver_reads(rig))
		return false;
	if (strcmp(rig->line, line) == 0)
		return true;
	printf("# the driver read: %s\n", rig->line);
	return false;
}

#define CARD "{\"card\":{\"number\":\"4242424242424242\",\"exp_month\":12,\"exp_year\":2040"

TEST(a_card_is_opened_and_core_sees_no_number)
{
	struct rig rig;
	struct wire_message opened;

	REQUIRE(rig_init(&rig));
	REQUIRE(rig_open_card(&rig, "378282246310005", "1234", &opened));
	EXPECT(opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes.length == 0);
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_BRAND].bytes, "amex"));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_LAST4].bytes, "0005"));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_NAME].bytes, "A. Person"));
	EXPECT(opened.fields[WIRE_CARD_OPENED_EXP_MONTH].number == 12);
	EXPECT(opened.fields[WIRE_CARD_OPENED_EXP_YEAR].number == 2040);
	EXPECT(opened.fields[WIRE_CARD_OPENED_USED].bytes.length == 32);
	EXPECT(opened.fields[WIRE_CARD_OPENED_FINGERPRINT].bytes.length == 32);
	EXPECT(memmem(rig.core.in.data, rig.core.in.length, "3782822463", 10) == NULL);
	REQUIRE(rig_open_card(&rig, "378282246310006", "1234", &opened));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes, "invalid_number"));
	EXPECT(opened.fields[WIRE_CARD_OPENED_SEALED].bytes.length == 0);
	EXPECT(rig_done(&rig));
}

static bool ask_test_card(struct rig *rig, const char *token, struct wire_message *ret_opened)
{
	return rig_send(rig, WIRE_TEST_CARD,
	                (const struct wire_value[WIRE_FIELDS_OF_TEST_CARD]){
	                        [WIRE_TEST_CARD_ID] = WIRE_N(43),
	                        [WIRE_TEST_CARD_MERCHANT] = WIRE_N(RIG_MERCHANT),
	                        [WIRE_TEST_CARD_TOKEN] = WIRE_B(bytes_text(token)) }) &&
	       rig_expect(&rig->core, WIRE_CARD_OPENED, ret_opened) &&
	       ret_opened->fields[WIRE_CARD_OPENED_ID].number == 43;
}

TEST(a_test_token_is_a_card_that_core_sees_no_number_of)
{
	struct rig rig;
	struct wire_message opened;
	uint8_t fingerprint[32];

	REQUIRE(rig_init(&rig));
	REQUIRE(rig_open_card(&rig, "4242424242424242", "123", &opened));
	memcpy(fingerprint, opened.fields[WIRE_CARD_OPENED_FINGERPRINT].bytes.data, 32);
	REQUIRE(ask_test_card(&rig, "pm_card_visa", &opened));
	EXPECT(opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes.length == 0);
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_BRAND].bytes, "visa"));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_LAST4].bytes, "4242"));
	EXPECT(opened.fields[WIRE_CARD_OPENED_SEALED].bytes.length > 16);
	EXPECT(bytes_equal(opened.fields[WIRE_CARD_OPENED_FINGERPRINT].bytes,
	                   BYTES_ARRAY(fingerprint)));
	EXPECT(memmem(rig.core.in.data, rig.core.in.length, "42424242", 8) == NULL);
	REQUIRE(ask_test_card(&rig, "pm_card_nobody", &opened));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes, "unknown_token"));
	EXPECT(opened.fields[WIRE_CARD_OPENED_SEALED].bytes.length == 0);
	EXPECT(rig_done(&rig));
}

TEST(a_live_vault_knows_no_test_tokens)
{
	struct rig rig;
	struct wire_message opened;

	REQUIRE(rig_init_live(&rig));
	REQUIRE(ask_test_card(&rig, "pm_card_visa", &opened));
	EXPECT(bytes_equal_text(opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes, "live_mode"));
	EXPECT(opened.fields[WIRE_CARD_OPENED_SEALED].bytes.length == 0);
	EXPECT(rig_done(&rig));
}

TEST(a_driver_gets_its_parameters_then_requests_with_the_card_in_front)
{
	struct rig rig;
	struct rig_card card;

	REQUIRE(rig_init(&rig) && rig_connect(&rig) && rig_start_driver(&rig, "/proc/self/exe"));
	EXPECT(reads(&rig,
	             "{\"contract\":1,\"parameters\":{\"host\":\"127.0.0.1\",\"key\":\"s\"}}"));
	REQUIRE(rig_store_card(&rig, "4242424242424242", "123", &card));
	EXPECT(rig_request(&rig, 7, &card, 2, soon()));
	EXPECT(reads(&rig, CARD ",\"cvc\":\"123\"},\"id\":7,\"op\":\"verify\"}"));
	EXPECT(rig_request(&rig, 8, &card, 2, soon())); // the code was used
	EXPECT(reads(&rig, CARD "},\"id\":8,\"op\":\"verify\"}"));
	EXPECT(rig_request(&rig, 9, NULL, 0, soon()));
	EXPECT(reads(&rig, "{\"id\":9,\"op\":\"verify\"}"));
	EXPECT(rig_driver_writes(&rig, "{\"id\":9,\"outcome\":\"approved\"}\n{\"id\":7,"
	                               "\"outcome\":\"declined\"}\n"));
	EXPECT(rig_expect_answer(&rig, 9, 0, "{\"id\":9,\"outcome\":\"approved\"}"));
	EXPECT(rig_expect_answer(&rig, 7, 0, "{\"id\":7,\"outcome\":\"declined\"}"));
	EXPECT(rig_driver_writes(&rig, "{\"id\":8,\"outcome\":\"unknown\"}\n"));
	EXPECT(rig_expect_answer(&rig, 8, 0, "{\"id\":8,\"outcome\":\"unknown\"}"));
	EXPECT(rig_done(&rig));
}

TEST(a_code_that_is_to_be_forgotten_is_forgotten)
{
	struct rig rig;
	struct rig_card card;

	REQUIRE(running(&rig) && rig_store_card(&rig, "4242424242424242", "123", &card));
	EXPECT(rig_send(&rig, WIRE_FORGET_CODE,
	                (const struct wire_value[]){ [WIRE_FORGET_CODE_HANDLE] =
	                                                     WIRE_B(BYTES_ARRAY(card.handle)) }));
	EXPECT(rig_request(&rig, 7, &card, 2, soon()));
	EXPECT(reads(&rig, CARD "},\"id\":7,\"op\":\"verify\"}"));
	EXPECT(rig_done(&rig));
}

TEST(answers_that_core_did_not_take_come_again)
{
	struct rig rig;

	REQUIRE(running(&rig));
	for (int64_t id = 1; id <= 3; id++)
		EXPECT(rig_request(&rig, id, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_driver_writes(&rig, "{\"id\":1}\n{\"id\":2}\n"));
	EXPECT(rig_expect_answer(&rig, 1, 0, "{\"id\":1}"));
	EXPECT(rig_expect_answer(&rig, 2, 0, "{\"id\":2}"));
	EXPECT(rig_taken(&rig, 1));
	// Another request behind it shows that the vault has read ANSWER_TAKEN.
	EXPECT(rig_request(&rig, 4, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_new_core(&rig));
	EXPECT(rig_expect_state(&rig, 1));
	EXPECT(rig_expect_answer(&rig, 2, 0, "{\"id\":2}"));
	EXPECT(rig_driver_writes(&rig, "{\"id\":3}\n"));
	EXPECT(rig_expect_answer(&rig, 3, 0, "{\"id\":3}"));
	EXPECT(rig_done(&rig));
}

TEST(an_answer_with_the_number_in_flight_is_unknown)
{
	struct rig rig;
	struct rig_card card;

	REQUIRE(running(&rig) && rig_store_card(&rig, "4242424242424242", "123", &card));
	EXPECT(rig_request(&rig, 7, &card, 1, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_request(&rig, 8, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_driver_writes(&rig, "{\"id\":7,\"pan\":\"4242424242424242\"}\n"));
	EXPECT(rig_expect_answer(&rig, 7, 2, ""));
	EXPECT(rig_driver_writes(&rig, "{\"id\":8}\n"));
	EXPECT(rig_expect_answer(&rig, 8, 0, "{\"id\":8}"));
	EXPECT(rig_done(&rig));
}

TEST(after_the_deadline_unknown_and_the_answer_is_late)
{
	struct rig rig;
	struct rig_card card;

	REQUIRE(running(&rig) && rig_store_card(&rig, "4242424242424242", "123", &card));
	EXPECT(rig_request(&rig, 7, &card, 1, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_request(&rig, 8, &card, 1, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_expect_answer(&rig, 7, 2, "") && rig_expect_answer(&rig, 8, 2, ""));
	// The number is known for one in flight though it is no longer kept.
	EXPECT(rig_driver_writes(&rig, "{\"id\":8,\"pan\":\"4242424242424242\"}\n"
	                               "{\"id\":7,\"outcome\":\"approved\"}\n"));
	EXPECT(rig_expect_answer(&rig, 7, 3, "{\"id\":7,\"outcome\":\"approved\"}"));
	EXPECT(rig_driver_writes(&rig,
	                         "{\"id\":0,\"late\":{\"request\":9,\"outcome\":\"approved\"}}\n"));
	EXPECT(rig_expect_answer(&rig, 9, 3, "{\"request\":9,\"outcome\":\"approved\"}"));
	EXPECT(rig_done(&rig));
}

// Two that pass side by side are a slow driver; one that passes after the other was given up, with
// not a word between them, is a driver that hangs.
TEST(a_driver_that_hangs_is_started_anew)
{
	struct rig rig;
	struct wire_message message;

	REQUIRE(running(&rig));
	EXPECT(rig_request(&rig, 1, NULL, 0, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_request(&rig, 2, NULL, 0, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_expect_answer(&rig, 1, 2, "") && rig_expect_answer(&rig, 2, 2, ""));
	EXPECT(rig_driver_writes(&rig, "{\"id\":1}\n")); // a word, if late: it lives
	EXPECT(rig_expect_answer(&rig, 1, 3, "{\"id\":1}"));
	EXPECT(rig_request(&rig, 3, NULL, 0, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_expect_answer(&rig, 3, 2, ""));
	EXPECT(rig_request(&rig, 4, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_request(&rig, 5, NULL, 0, clock_wall_ms() + 50) && rig_driver_reads(&rig));
	EXPECT(rig_expect_state(&rig, 2));
	EXPECT(rig_expect_answer(&rig, 5, 2, "") && rig_expect_answer(&rig, 4, 2, ""));
	EXPECT(rig_expect(&rig.parent, WIRE_STOP_DRIVER, &message));
	EXPECT(rig_expect(&rig.parent, WIRE_START_DRIVER, &message));
	EXPECT(rig_done(&rig));
}

TEST(a_request_past_its_deadline_is_not_sent)
{
	struct rig rig;

	REQUIRE(running(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, clock_wall_ms() - 1));
	EXPECT(rig_expect_answer(&rig, 7, 1, ""));
	EXPECT(rig_done(&rig));
}

TEST(without_a_driver_and_for_a_card_that_does_not_open_not_sent)
{
	struct rig rig;
	struct rig_card card;

	REQUIRE(rig_init(&rig));
	EXPECT(rig_request(&rig, 6, NULL, 0, soon()));
	EXPECT(rig_expect_answer(&rig, 6, 1, "")); // no such connection
	REQUIRE(rig_connect(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, soon()));
	EXPECT(rig_expect_answer(&rig, 7, 1, "")); // not started yet
	REQUIRE(rig_start_driver(&rig, "/proc/self/exe") && rig_driver_reads(&rig));
	REQUIRE(rig_store_card(&rig, "4242424242424242", "123", &card));
	card.sealed[20] ^= 1;
	EXPECT(rig_request(&rig, 8, &card, 1, soon()));
	EXPECT(rig_expect_answer(&rig, 8, 1, ""));
	EXPECT(rig_done(&rig));
}

// The driver does not read: its pipe holds 4 KiB. What went in is unknown when it dies, the rest
// was not sent.
TEST(when_a_driver_dies_not_sent_is_what_the_pipe_did_not_take)
{
	enum { REQUESTS = 400 };
	struct rig rig;
	int unknown = 0;
	int not_sent = 0;

	REQUIRE(running(&rig));
	for (int64_t id = 1; id <= REQUESTS; id++)
		REQUIRE(rig_request(&rig, id, NULL, 0, soon()));
	// Opening a card is answered behind the requests: they were all taken.
	struct wire_message message;
	REQUIRE(rig_open_card(&rig, "4242424242424242", "123", &message));
	rig_driver_dies(&rig);
	REQUIRE(rig_expect(&rig.parent, WIRE_STOP_DRIVER, &message));
	while (unknown + not_sent < REQUESTS) {
		REQUIRE(rig_expect(&rig.core,
		                   unknown + not_sent == 0 ? WIRE_CONNECTION_STATE
		                                           : WIRE_DRIVER_ANSWER,
		                   &message));
		if (message.row->number == WIRE_CONNECTION_STATE) {
			EXPECT(message.fields[WIRE_CONNECTION_STATE_STATE].number == 2);
			REQUIRE(rig_expect(&rig.core, WIRE_DRIVER_ANSWER, &message));
		}
		uint64_t state = message.fields[WIRE_DRIVER_ANSWER_STATE].number;
		EXPECT(message.fields[WIRE_DRIVER_ANSWER_ID].number ==
		       (uint64_t)(unknown + not_sent + 1));
		EXPECT(state == 2 || state == 1);
		EXPECT(state == 1 || not_sent == 0); // in the order in which they were written
		unknown += state == 2;
		not_sent += state == 1;
	}
	EXPECT(unknown > 100 && not_sent > 100);
	REQUIRE(rig_expect(&rig.parent, WIRE_START_DRIVER, &message));
	EXPECT(rig_start_driver(&rig, "/proc/self/exe"));
	EXPECT(reads(&rig,
	             "{\"contract\":1,\"parameters\":{\"host\":\"127.0.0.1\",\"key\":\"s\"}}"));
	EXPECT(rig_done(&rig));
}

TEST(pauses_between_starts_grow)
{
	struct rig rig;
	struct wire_message message;
	const struct wire_value failed[] = {
		[WIRE_DRIVER_FAILED_CONNECTION] = WIRE_N(RIG_CONNECTION),
		[WIRE_DRIVER_FAILED_DETAIL] = WIRE_B(BYTES_LITERAL("exit status 1")),
	};

	REQUIRE(rig_init(&rig) && rig_connect(&rig));
	for (int i = 0; i < 3; i++) {
		int64_t from_ms = clock_monotonic_ms();
		REQUIRE(rig_send(&rig, WIRE_DRIVER_FAILED, failed));
		REQUIRE(rig_expect_state(&rig, 2));
		REQUIRE(rig_expect(&rig.parent, WIRE_START_DRIVER, &message));
		REQUIRE(rig_expect_state(&rig, 0));
		EXPECT(clock_monotonic_ms() - from_ms >= 100 << i);
	}
	EXPECT(rig_done(&rig));
}

TEST(a_line_that_is_too_long_is_unknown_and_the_next_is_read)
{
	struct rig rig;

	REQUIRE(running(&rig));
	for (int64_t id = 1; id <= 3; id++)
		EXPECT(rig_request(&rig, id, NULL, 0, soon()) && rig_driver_reads(&rig));
	for (int i = 1; i <= 2; i++) {
		// Once just past the limit, once so long that it comes in many pieces.
		size_t length = i == 1 ? 65537 : 1000000;
		char *line = malloc(length + 2);
		REQUIRE(line);
		memset(line, 'x', length);
		memcpy(line, i == 1 ? "{\"id\":1,\"" : "{\"id\":2,\"", 9);
		memcpy(line + length - 1, "}\n", 3);
		EXPECT(rig_driver_writes(&rig, line));
		free(line);
		EXPECT(rig_expect_answer(&rig, i, 2, ""));
	}
	EXPECT(rig_driver_writes(&rig, "{\"id\":3}\n"));
	EXPECT(rig_expect_answer(&rig, 3, 0, "{\"id\":3}"));
	EXPECT(rig_done(&rig));
}

TEST(a_line_without_a_readable_head_stops_the_driver)
{
	struct rig rig;
	struct wire_message message;

	REQUIRE(running(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_driver_writes(&rig, "Traceback (most recent call last):\n"));
	EXPECT(rig_expect(&rig.parent, WIRE_STOP_DRIVER, &message));
	EXPECT(rig_expect_state(&rig, 2));
	EXPECT(rig_expect_answer(&rig, 7, 2, ""));
	EXPECT(rig_expect(&rig.parent, WIRE_START_DRIVER, &message));
	EXPECT(rig_done(&rig));
}

TEST(another_program_file_is_not_fed)
{
	struct rig rig;
	struct wire_message message;
	char byte;

	REQUIRE(rig_init(&rig) && rig_connect(&rig));
	REQUIRE(rig_start_driver(&rig, "/dev/null"));
	EXPECT(rig_expect(&rig.parent, WIRE_STOP_DRIVER, &message));
	EXPECT(rig_expect_state(&rig, 3));
	EXPECT(read(rig.driver_in, &byte, 1) == 0); // the end, and not one byte before it
	EXPECT(rig_request(&rig, 7, NULL, 0, soon()));
	EXPECT(rig_expect_answer(&rig, 7, 1, ""));
	EXPECT(rig_done(&rig));
}

TEST(a_changed_blob_starts_nothing)
{
	struct rig rig;

	REQUIRE(running(&rig));
	rig.blob.data[30] ^= 1;
	const struct wire_value connection[] = {
		[WIRE_CONNECTION_NUMBER] = WIRE_N(RIG_CONNECTION),
		[WIRE_CONNECTION_NAME] = WIRE_B(BYTES_LITERAL("main")),
		[WIRE_CONNECTION_BLOB] = WIRE_B(buffer_view(&rig.blob)),
	};
	EXPECT(rig_send(&rig, WIRE_CONNECTION, connection));
	EXPECT(rig_expect_state(&rig, 3));
	EXPECT(rig_done(&rig));
}

TEST(a_core_that_breaks_the_rules_is_cut_off_and_may_come_back)
{
	struct rig rig;
	struct wire_message message;

	REQUIRE(running(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, soon())); // a number that is in use
	EXPECT(rig_expect_end(&rig.core));
	EXPECT(rig_new_core(&rig) && rig_expect_state(&rig, 1));
	EXPECT(rig_driver_writes(&rig, "{\"id\":7}\n"));
	EXPECT(rig_expect_answer(&rig, 7, 0, "{\"id\":7}"));
	REQUIRE(write(rig.core.fd, "garbage garbage garbage", 23) == 23);
	EXPECT(rig_expect_end(&rig.core));
	EXPECT(rig_new_core(&rig) && rig_expect_state(&rig, 1));
	EXPECT(rig_expect_answer(&rig, 7, 0, "{\"id\":7}"));
	EXPECT(rig_open_card(&rig, "4242424242424242", "123", &message));
	EXPECT(rig_done(&rig));
}

TEST(when_told_to_stop_what_is_open_may_end)
{
	struct rig rig;

	REQUIRE(running(&rig));
	EXPECT(rig_request(&rig, 7, NULL, 0, soon()) && rig_driver_reads(&rig));
	EXPECT(rig_send(&rig, WIRE_STOP_VAULT, NULL));
	EXPECT(!rig_driver_reads(&rig)); // the end of its input
	EXPECT(rig_driver_writes(&rig, "{\"id\":7}\n"));
	EXPECT(rig_expect_answer(&rig, 7, 0, "{\"id\":7}"));
	EXPECT(rig_expect_end(&rig.parent));
	EXPECT(rig_done(&rig));
}

TAP_MAIN
