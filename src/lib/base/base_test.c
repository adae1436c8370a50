// Tests of the base: views, buffers, strict texts.
#include "base/buffer.h"
#include "base/tap.h"
#include "base/text.h"

TEST(numbers_are_read_strictly)
{
	uint64_t n = 7;

	EXPECT(!text_to_number(BYTES_LITERAL("5"), 4, &n) &&
	       text_to_number(BYTES_LITERAL("4"), 4, &n));
	EXPECT(text_to_number(bytes_text("0"), 10, &n) && n == 0);
	EXPECT(text_to_number(bytes_text("18446744073709551615"), UINT64_MAX, &n) &&
	       n == UINT64_MAX);
	const char *bad[] = {
		"", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "11", "18446744073709551616"
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!text_to_number(bytes_text(bad[i]), 10, &n));
	EXPECT(!text_to_number(bytes_text("18446744073709551616"), UINT64_MAX, &n));
}

TEST(base64url_has_one_text_for_each_value)
{
	for (size_t length = 0; length < 40; length++) {
		uint8_t data[40];
		struct buffer text, back;
		for (size_t i = 0; i < length; i++)
			data[i] = (uint8_t)(i * 37 + length);
		buffer_init(&text, 100);
		buffer_init(&back, 100);
		base64url_put(&text, bytes_from(data, length));
		EXPECT(result_ok(base64url_read(buffer_view(&text), &back)));
		EXPECT(bytes_equal(buffer_view(&back), bytes_from(data, length)));
		buffer_done(&text);
		buffer_done(&back);
	}
	const char *bad[] = { "A", "AB", "AA=", "AA==", "A A", "AA\n", "a+b/", "ABCDE" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buffer back;
		buffer_init(&back, 100);
		EXPECT(!result_ok(base64url_read(bytes_text(bad[i]), &back)));
		buffer_done(&back);
	}
}

TEST(base64_takes_the_characters_of_its_alphabet_and_no_other)
{
	static const char common[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

	for (int c = 0; c < 256; c++) {
		const uint8_t text[] = { 'A', (uint8_t)c, 'A', 'A' };
		bool in_both = c && strchr(common, c);
		struct buffer back;
		buffer_init(&back, 100);
		EXPECT(result_ok(base64url_read(BYTES_ARRAY(text), &back)) ==
		       (in_both || c == '-' || c == '_'));
		EXPECT(result_ok(base64_read(BYTES_ARRAY(text), &back)) ==
		       (in_both || c == '+' || c == '/'));
		buffer_done(&back);
	}
}

TEST(utf8_is_checked_as_the_standard_says)
{
	EXPECT(text_is_utf8(bytes_text("Сойка ✓ 🐦")));
	const char *bad[] = { "\xc0\x80", "\xed\xa0\x80",     "\xf5\x80\x80\x80", "\xe2\x82",
		              "\x80",     "\xf0\x80\x80\x80", "\xf4\x90\x80\x80" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!text_is_utf8(bytes_text(bad[i])));
}

TEST(a_buffer_stops_at_its_limit_and_says_so)
{
	struct buffer buffer;

	buffer_init_secret(&buffer, 5);
	buffer_put_text(&buffer, "12345");
	EXPECT(result_ok(buffer_result(&buffer)));
	buffer_put_byte(&buffer, '6');
	EXPECT(buffer_result(&buffer).error == ERROR_LIMIT);
	EXPECT(strcmp(buffer_text(&buffer), "12345") == 0);
	buffer_drop(&buffer, 2);
	EXPECT(strcmp(buffer_text(&buffer), "345") == 0);
	buffer_done(&buffer);
}

TEST(a_buffer_writes_numbers_as_printf_does)
{
	static const int64_t numbers[] = { 0,         7,        -1, 10, -10, 1234567890123456789,
		                           INT64_MAX, INT64_MIN };
	struct buffer buffer;
	char expected[24];

	buffer_init(&buffer, 64);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		buffer_reset(&buffer);
		buffer_put_number(&buffer, numbers[i]);
		snprintf(expected, sizeof(expected), "%lld", (long long)numbers[i]);
		EXPECT(strcmp(buffer_text(&buffer), expected) == 0);
	}
	buffer_done(&buffer);
}

TEST(a_buffer_of_many_small_pieces_is_what_was_put)
{
	struct buffer buffer;
	char expected[3001] = "";

	buffer_init(&buffer, 3000);
	for (int i = 0; i < 3000; i++) {
		expected[i] = (char)('a' + i % 26);
		buffer_put(&buffer, bytes_from(&expected[i], 1));
		buffer_put(&buffer, BYTES_NONE);
	}
	EXPECT(result_ok(buffer_result(&buffer)) && strcmp(buffer_text(&buffer), expected) == 0);
	buffer_put_byte(&buffer, 'x');
	EXPECT(buffer.failed && buffer.length == 3000);
	buffer_put_text(&buffer, "");
	EXPECT(buffer.failed);
	buffer_done(&buffer);
}

TEST(base62_keeps_the_order_of_numbers)
{
	struct buffer buffer;
	uint64_t back;

	buffer_init(&buffer, 64);
	base62_put(&buffer, UINT64_MAX, 11);
	EXPECT(base62_read(buffer_view(&buffer), &back) && back == UINT64_MAX);
	EXPECT(!base62_read(bytes_text("zzzzzzzzzzzz"), &back));
	EXPECT(!base62_read(bytes_text("-"), &back));
	buffer_done(&buffer);
}

TEST(json_texts_are_escaped)
{
	struct buffer buffer;

	buffer_init(&buffer, 100);
	json_put_text(&buffer, bytes_from("a\"\\\n\x01я", 7));
	EXPECT(strcmp(buffer_text(&buffer), "\"a\\\"\\\\\\n\\u0001я\"") == 0);
	buffer_done(&buffer);
}

TAP_MAIN
