// One-time codes: bound to their transaction, taken once, in time, three tries, three sends.
#include "code.h"

#include "base/tap.h"

static const uint8_t key[32] = "a key for tests, of 32 bytes....";

TEST(a_code_is_taken_once)
{
	struct code code = { 0 };
	char text[CODE_DIGITS + 1];

	code_make(&code, key, "transaction", 1000, text);
	EXPECT(strspn(text, "0123456789") == CODE_DIGITS);
	EXPECT(code_check(&code, key, "transaction", bytes_text(text), 1001) == CODE_RIGHT);
	EXPECT(code_check(&code, key, "transaction", bytes_text(text), 1002) == CODE_EXPIRED);
}

TEST(a_code_belongs_to_its_transaction)
{
	struct code code = { 0 };
	char text[CODE_DIGITS + 1];

	code_make(&code, key, "transaction", 1000, text);
	EXPECT(code_check(&code, key, "another", bytes_text(text), 1001) == CODE_WRONG);
	EXPECT(code_check(&code, key, "transaction", bytes_text(text), 1001) == CODE_RIGHT);
}

TEST(a_code_is_good_for_five_minutes)
{
	struct code code = { 0 };
	char text[CODE_DIGITS + 1];

	code_make(&code, key, "t", 0, text);
	EXPECT(code_check(&code, key, "t", bytes_text(text), CODE_LIFE_MS) == CODE_EXPIRED);
	EXPECT(code.tries == 0);
	EXPECT(code_check(&code, key, "t", bytes_text(text), CODE_LIFE_MS - 1) == CODE_RIGHT);
}

TEST(three_wrong_ones_end_it_and_the_right_one_comes_too_late)
{
	struct code code = { 0 };
	char text[CODE_DIGITS + 1];

	code_make(&code, key, "t", 0, text);
	EXPECT(code_check(&code, key, "t", bytes_text(""), 1) == CODE_WRONG);
	EXPECT(code_check(&code, key, "t", bytes_text("abcdefghijklmnopq"), 1) == CODE_WRONG);
	EXPECT(code_check(&code, key, "t", bytes_text("12345"), 1) == CODE_USED_UP);
	EXPECT(code_check(&code, key, "t", bytes_text(text), 1) == CODE_USED_UP);
}

TEST(a_new_code_ends_the_old_one)
{
	struct code code = { 0 };
	char first[CODE_DIGITS + 1];
	char second[CODE_DIGITS + 1];

	code_make(&code, key, "t", 0, first);
	do { // one in a million is the same again
		code.sends = 1;
		code_make(&code, key, "t", CODE_PAUSE_MS, second);
	} while (strcmp(first, second) == 0);
	EXPECT(code_check(&code, key, "t", bytes_text(first), CODE_PAUSE_MS) == CODE_WRONG);
	EXPECT(code_check(&code, key, "t", bytes_text(second), CODE_PAUSE_MS) == CODE_RIGHT);
}

TEST(codes_are_sent_three_times_half_a_minute_apart)
{
	struct code code = { 0 };
	char text[CODE_DIGITS + 1];

	EXPECT(code_may_send(&code, 0));
	code_make(&code, key, "t", 0, text);
	EXPECT(!code_may_send(&code, CODE_PAUSE_MS - 1));
	EXPECT(code_wait_ms(&code, 10000) == 20000);
	EXPECT(code_may_send(&code, CODE_PAUSE_MS));
	code_make(&code, key, "t", CODE_PAUSE_MS, text);
	code_make(&code, key, "t", 2 * CODE_PAUSE_MS, text);
	EXPECT(!code_may_send(&code, 10 * CODE_PAUSE_MS));
	EXPECT(code_wait_ms(&code, 10 * CODE_PAUSE_MS) == -1);
}

TAP_MAIN
