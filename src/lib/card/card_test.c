// Tests of numbers, brands, masks and expiry dates, over the sandbox's cards and the edges of every
// range.
#include "base/tap.h"
#include "card/expiry.h"
#include "card/number.h"

#include <stdio.h>

static const struct {
	const char *number;
	const char *brand;
	const char *masked;
} known[] = {
	{ "4242424242424242", "visa", "424242******4242" },
	{ "4222222222222", "visa", "42222****2222" },
	{ "4000000000000000006", "visa", "400000*********0006" },
	{ "5555555555554444", "mastercard", "555555******4444" },
	{ "2223003122003222", "mastercard", "222300******3222" },
	{ "2200000000000004", "mir", "220000******0004" },
	{ "378282246310005", "amex", "378282*****0005" },
	{ "6205500000000000004", "unionpay", "620550*********0004" },
	{ "3566002020360505", "jcb", "356600******0505" },
	{ "30569309025904", "diners", "305693****5904" },
	{ "3056930009020004", "diners", "305693******0004" },
	{ "6011111111111117", "discover", "601111******1117" },
	{ "6759649826438453", "maestro", "675964******8453" },
	{ "501800000009", "maestro", "5018****0009" },
};

TEST(known_numbers_are_valid_and_have_their_brand_and_mask)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct card_brand *brand = NULL;
		char masked[CARD_MASKED_MAX];
		struct bytes number = bytes_text(known[i].number);
		EXPECT(card_number_is_valid(number, &brand));
		EXPECT(strcmp(brand->name, known[i].brand) == 0);
		REQUIRE(number.length >= CARD_NUMBER_MIN);
		card_mask(number, masked);
		EXPECT(strcmp(masked, known[i].masked) == 0);
	}
}

TEST(every_wrong_check_digit_is_refused)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char number[CARD_NUMBER_MAX + 1];
		size_t length = strlen(known[i].number);
		memcpy(number, known[i].number, length + 1);
		for (char digit = '0'; digit <= '9'; digit++) {
			number[length - 1] = digit;
			EXPECT(card_number_is_valid(bytes_text(number), NULL) ==
			       (digit == known[i].number[length - 1]));
		}
	}
}

TEST(neighbours_that_swap_places_are_refused)
{
	EXPECT(card_luhn(BYTES_LITERAL("79927398713")));
	EXPECT(!card_luhn(BYTES_LITERAL("97927398713")));
	EXPECT(!card_luhn(BYTES_LITERAL("79927398731")));
}

TEST(what_is_not_twelve_to_nineteen_digits_is_refused)
{
	static const char *const wrong[] = {
		"",
		"0",
		"00000000000",          // 11
		"42424242424242424242", // 20
		"4242 4242 4242 4242",
		"4242-4242-4242-4242",
		"424242424242424a",
		"+424242424242424",
		"424242424242424\xd9\xa2", // an Arabic-Indic digit
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		EXPECT(!card_number_is_valid(bytes_text(wrong[i]), NULL));
	EXPECT(!card_number_is_valid(BYTES_NONE, NULL));
	EXPECT(!card_number_is_valid(bytes_from("4242424242424242\0", 17), NULL));
}

TEST(a_length_that_the_brand_does_not_have_is_refused)
{
	static const char *const wrong[] = {
		"42424242424242426", // Visa, 17
		"3782822463100003",  // Amex, 16
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		EXPECT(card_luhn(bytes_text(wrong[i])));
		EXPECT(!card_number_is_valid(bytes_text(wrong[i]), NULL));
	}
}

static const char *brand_of(uint32_t prefix)
{
	static char number[16];

	snprintf(number, sizeof(number), "%06u", prefix);
	return card_brand_of(bytes_text(number))->name;
}

TEST(ranges_end_where_they_end)
{
	EXPECT(strcmp(brand_of(222099), "unknown") == 0);
	EXPECT(strcmp(brand_of(222100), "mastercard") == 0);
	EXPECT(strcmp(brand_of(272099), "mastercard") == 0);
	EXPECT(strcmp(brand_of(272100), "unknown") == 0);
	EXPECT(strcmp(brand_of(219999), "unknown") == 0);
	EXPECT(strcmp(brand_of(220000), "mir") == 0);
	EXPECT(strcmp(brand_of(220499), "mir") == 0);
	EXPECT(strcmp(brand_of(220500), "unknown") == 0);
	EXPECT(strcmp(brand_of(352799), "unknown") == 0);
	EXPECT(strcmp(brand_of(352800), "jcb") == 0);
	EXPECT(strcmp(brand_of(601099), "maestro") == 0);
	EXPECT(strcmp(brand_of(601100), "discover") == 0);
	EXPECT(strcmp(brand_of(601200), "maestro") == 0);
	EXPECT(strcmp(card_brand_of(BYTES_LITERAL("42424"))->name, "unknown") == 0);
}

TEST(no_two_ranges_of_different_brands_overlap)
{
	for (size_t i = 0; card_brand_at(i + 1); i++)
		for (size_t k = i + 1; card_brand_at(k + 1); k++)
			EXPECT(card_brand_at(i)->last < card_brand_at(k)->first ||
			       card_brand_at(k)->last < card_brand_at(i)->first);
}

TEST(names_fit_the_wire)
{
	for (size_t i = 0; card_brand_at(i); i++)
		EXPECT(strlen(card_brand_at(i)->name) <= CARD_BRAND_NAME_MAX);
}

TEST(codes_have_the_length_of_their_brand)
{
	const struct card_brand *visa = card_brand_of(BYTES_LITERAL("424242"));
	const struct card_brand *amex = card_brand_of(BYTES_LITERAL("378282"));

	EXPECT(card_code_is_valid(BYTES_LITERAL("123"), visa));
	EXPECT(!card_code_is_valid(BYTES_LITERAL("12"), visa));
	EXPECT(!card_code_is_valid(BYTES_LITERAL("1234"), visa));
	EXPECT(!card_code_is_valid(BYTES_LITERAL("12a"), visa));
	EXPECT(!card_code_is_valid(BYTES_NONE, visa));
	EXPECT(card_code_is_valid(BYTES_LITERAL("1234"), amex));
	EXPECT(!card_code_is_valid(BYTES_LITERAL("123"), amex));
}

TEST(last_four)
{
	char last4[CARD_LAST4 + 1];

	card_last4(BYTES_LITERAL("378282246310005"), last4);
	EXPECT(strcmp(last4, "0005") == 0);
}

TEST(a_card_is_good_until_its_month_has_ended_everywhere)
{
	// 2026-11-01T12:00:00Z is the first moment at which October is over in UTC-12.
	const int64_t november = 1793534400000;

	EXPECT(card_expiry_check(10, 2026, november - 1) == CARD_EXPIRY_GOOD);
	EXPECT(card_expiry_check(10, 2026, november) == CARD_EXPIRY_OVER);
	EXPECT(card_expiry_check(11, 2026, november) == CARD_EXPIRY_GOOD);
	EXPECT(card_expiry_check(12, 2025, november) == CARD_EXPIRY_OVER);
	EXPECT(card_expiry_check(1, 2027, november) == CARD_EXPIRY_GOOD);
	EXPECT(card_expiry_check(0, 2027, november) == CARD_EXPIRY_BAD_MONTH);
	EXPECT(card_expiry_check(13, 2027, november) == CARD_EXPIRY_BAD_MONTH);
	EXPECT(card_expiry_check(-1, 2027, november) == CARD_EXPIRY_BAD_MONTH);
	EXPECT(card_expiry_check(1, 30, november) == CARD_EXPIRY_BAD_YEAR);
	EXPECT(card_expiry_check(1, 1999, november) == CARD_EXPIRY_BAD_YEAR);
	EXPECT(card_expiry_check(1, 2076, november) == CARD_EXPIRY_GOOD);
	EXPECT(card_expiry_check(1, 2077, november) == CARD_EXPIRY_BAD_YEAR);
}

TAP_MAIN
