// Tests of lines, of the table of requests and of the queue of answers.
#include "answers.h"
#include "base/cleanup.h"
#include "base/tap.h"
#include "lines.h"
#include "requests.h"

TEST(the_id_must_be_the_first_member)
{
	static const struct {
		const char *line;
		int64_t id; // -1: not readable
	} cases[] = {
		{ "{\"id\":7,\"outcome\":\"approved\"}", 7 },
		{ "{ \"id\" : 7 , \"outcome\":\"approved\"}", 7 },
		{ "{\"id\":0,\"state\":\"up\"}", 0 },
		{ "{\"id\":9223372036854775807}", INT64_MAX },
		{ "{\"id\":9223372036854775808}", -1 },
		{ "{\"id\":-1}", -1 },
		{ "{\"id\":07}", -1 },
		{ "{\"id\":7.0}", -1 },
		{ "{\"id\":\"7\"}", -1 },
		{ "{\"outcome\":\"approved\",\"id\":7}", -1 },
		{ "{\"id\":7", -1 },
		{ "{\"id\":7,", -1 },
		{ "{\"id\":7,\"outcome\":\"approved\"", -1 },
		{ "{\"id\":", -1 },
		{ "{", -1 },
		{ "", -1 },
		{ "[7]", -1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t id = -1;
		bool read = vault_line_id(bytes_text(cases[i].line), &id);
		EXPECT(read == (cases[i].id >= 0));
		EXPECT(!read || id == cases[i].id);
	}
}

static bool put(struct buffer *buffer, const char *line, const char *number, const char *code)
{
	buffer_init_secret(buffer, 1024);
	return vault_line_put(buffer, bytes_text(line), bytes_text(number), 2, 2031,
	                      bytes_text(code));
}

TEST(the_card_is_the_first_member_of_a_request)
{
	static const char line[] = "{\"id\":7,\"op\":\"verify\"}";
	cleanup(buffer_done) struct buffer with_code = { 0 };
	cleanup(buffer_done) struct buffer without_code = { 0 };
	cleanup(buffer_done) struct buffer without_card = { 0 };

	EXPECT(put(&with_code, line, "4242424242424242", "123"));
	EXPECT(strcmp(buffer_text(&with_code),
	              "{\"card\":{\"number\":\"4242424242424242\",\"exp_month\":2,\"exp_year\":"
	              "2031,"
	              "\"cvc\":\"123\"},\"id\":7,\"op\":\"verify\"}\n") == 0);
	EXPECT(put(&without_code, line, "4242424242424242", ""));
	EXPECT(strcmp(buffer_text(&without_code), "{\"card\":{\"number\":\"4242424242424242\","
	                                          "\"exp_month\":2,\"exp_year\":2031},"
	                                          "\"id\":7,\"op\":\"verify\"}\n") == 0);
	EXPECT(put(&without_card, line, "", ""));
	EXPECT(strcmp(buffer_text(&without_card), "{\"id\":7,\"op\":\"verify\"}\n") == 0);
}

TEST(what_is_not_one_line_with_an_object_is_refused)
{
	static const char *const wrong[] = { "",         "{",         "{}",
		                             "[\"id\"]", "{\"id\":7", "{\"id\":7}\n{\"id\":8}" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		cleanup(buffer_done) struct buffer buffer = { 0 };
		EXPECT(!put(&buffer, wrong[i], "4242424242424242", ""));
	}
}

TEST(notices_are_read)
{
	struct vault_notice notice;

	vault_notice_read(BYTES_LITERAL("{\"id\":0,\"state\":\"up\"}"), &notice);
	EXPECT(notice.kind == VAULT_NOTICE_UP);
	vault_notice_done(&notice);
	vault_notice_read(BYTES_LITERAL("{\"id\":0,\"state\":\"down\",\"detail\":\"no route\"}"),
	                  &notice);
	EXPECT(notice.kind == VAULT_NOTICE_DOWN && strcmp(notice.detail, "no route") == 0);
	vault_notice_done(&notice);
	vault_notice_read(
	        BYTES_LITERAL("{\"id\":0,\"late\":{\"request\":7,\"outcome\":\"approved\"}}"),
	        &notice);
	EXPECT(notice.kind == VAULT_NOTICE_LATE && notice.request == 7);
	EXPECT(strcmp(buffer_text(&notice.answer), "{\"request\":7,\"outcome\":\"approved\"}") ==
	       0);
	vault_notice_done(&notice);
	vault_notice_read(BYTES_LITERAL("{\"id\":0,\"late\":{\"request\":0}}"), &notice);
	EXPECT(notice.kind == VAULT_NOTICE_NONE);
	vault_notice_done(&notice);
	vault_notice_read(BYTES_LITERAL("{\"id\":0,\"state\":\"sideways\"}"), &notice);
	EXPECT(notice.kind == VAULT_NOTICE_NONE);
	vault_notice_done(&notice);
}

static struct vault_requests requests;

static void carry(struct secret_pool *pool, struct vault_request *request, const char *number)
{
	struct secret secret;

	REQUIRE(result_ok(secret_take(pool, strlen(number), &secret)));
	memcpy(secret.data, number, strlen(number));
	vault_requests_carry(&requests, request, &secret);
}

TEST(a_number_in_flight_is_found_in_runs_of_digits)
{
	struct vault_request_list list = { 0 };
	struct secret_pool *pool = NULL;

	REQUIRE(result_ok(secret_pool_new(32, 2, &pool)));
	struct vault_request *first = vault_requests_add(&requests, &list, 1, 9, 0);
	struct vault_request *second = vault_requests_add(&requests, &list, 2, 9, 0);
	carry(pool, first, "4242424242424242");
	carry(pool, second, "378282246310005");
	static const struct {
		const char *line;
		bool holds;
	} cases[] = {
		{ "{\"id\":1,\"rrn\":\"626512000001\"}", false },
		{ "{\"id\":1,\"rrn\":\"424242424242\"}", false },
		{ "{\"id\":1,\"pan\":\"4242424242424242\"}", true },
		{ "{\"id\":1,\"pan\":\"378282246310005\"}", true }, // another request's
		{ "{\"id\":1,\"track\":\"004242424242424242=3012\"}", true },
		{ "4242424242424242", true },
		{ "{\"id\":1,\"pan\":\"4242424242424241\"}", false },
		{ "", false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		EXPECT(vault_requests_number_in(&requests, &list, first, NULL,
		                                bytes_text(cases[i].line)) == cases[i].holds);
	EXPECT(vault_requests_find(&requests, 2) == second);
	vault_requests_remove(&requests, &list, second);
	EXPECT(vault_requests_find(&requests, 2) == NULL);
	EXPECT(!vault_requests_number_in(&requests, &list, first, NULL,
	                                 BYTES_LITERAL("378282246310005")));
	vault_requests_remove(&requests, &list, first);
	EXPECT(requests.open == 0 && list.first == NULL && list.last == NULL);
	EXPECT(secret_pool_free_slots(pool) == 2);
	secret_pool_free(pool);
}

TEST(answers_are_kept_until_they_are_taken_and_sent_again_to_a_new_core)
{
	struct vault_answers answers;
	struct wire_channel channel;
	int pair[2];

	REQUIRE(result_ok(wire_pair(pair)));
	wire_channel_init(&channel, pair[0], WIRE_VAULT, WIRE_CORE, 100000);
	vault_answers_init(&answers);
	for (int64_t id = 1; id <= 3; id++)
		vault_answers_add(&answers, id, 9, VAULT_ANSWERED, "", BYTES_LITERAL("{\"id\":1}"));
	EXPECT(!vault_answers_taken(&answers, 1)); // not sent yet
	vault_answers_send(&answers, &channel);
	size_t all = channel.out.length;
	EXPECT(all > 0);
	EXPECT(vault_answers_taken(&answers, 3));
	EXPECT(vault_answers_taken(&answers, 1));
	EXPECT(!vault_answers_taken(&answers, 1));
	vault_answers_add(&answers, 4, 9, VAULT_UNKNOWN, "why", BYTES_NONE);
	EXPECT(answers.count == 2);
	buffer_reset(&channel.out);
	vault_answers_resend(&answers);
	vault_answers_send(&answers, &channel);
	EXPECT(channel.out.length > 0 && channel.out.length < all);
	EXPECT(vault_answers_taken(&answers, 2) && vault_answers_taken(&answers, 4));
	EXPECT(answers.count == 0 && answers.bytes == 0 && answers.first == NULL);
	vault_answers_done(&answers);
	wire_channel_done(&channel);
	close(pair[1]);
}

TEST(answers_that_do_not_fit_the_channel_wait)
{
	struct vault_answers answers;
	struct wire_channel channel;
	int pair[2];
	static uint8_t line[60000];

	REQUIRE(result_ok(wire_pair(pair)));
	wire_channel_init(&channel, pair[0], WIRE_VAULT, WIRE_CORE, 100000);
	vault_answers_init(&answers);
	vault_answers_add(&answers, 1, 9, VAULT_ANSWERED, "", BYTES_ARRAY(line));
	vault_answers_add(&answers, 2, 9, VAULT_ANSWERED, "", BYTES_ARRAY(line));
	vault_answers_send(&answers, &channel);
	EXPECT(vault_answers_taken(&answers, 1));
	EXPECT(!vault_answers_taken(&answers, 2));
	buffer_reset(&channel.out);
	vault_answers_send(&answers, &channel);
	EXPECT(vault_answers_taken(&answers, 2));
	vault_answers_done(&answers);
	wire_channel_done(&channel);
	close(pair[1]);
}

TAP_MAIN
