// The table of sandbox cards: look-up, ranges, Luhn, overrides; and the values that were given out.
#include "bank.h"
#include "cards.h"

#include "base/tap.h"

#include <stdio.h>

static bool find(struct bank_cards *cards, const char *number, struct bank_card *ret_card)
{
	return bank_cards_find(cards, bytes_text(number), ret_card);
}

TEST(every_single_number_of_the_table_is_found_and_has_luhn)
{
	struct bank_cards *cards = bank_cards_new();
	const struct bank_card_row *row;
	struct bank_card card;
	size_t count = 0;

	for (; (row = bank_cards_row(count)); count++)
		if (strcmp(row->first, row->last) == 0)
			EXPECT(find(cards, row->first, &card) && card.row == row);
	EXPECT(count > 30);
	bank_cards_free(cards);
}

TEST(ranges_and_strangers)
{
	struct bank_cards *cards = bank_cards_new();
	struct bank_card card;

	EXPECT(find(cards, "2200000000000004", &card) && !strcmp(card.row->brand, "mir"));
	EXPECT(find(cards, "2204999999999991", &card));
	EXPECT(!find(cards, "2205000000000009", &card));
	EXPECT(!find(cards, "2200000000000005", &card));
	EXPECT(find(cards, "4100000000000001", &card));
	EXPECT(find(cards, "4100000000000019", &card));
	EXPECT(!find(cards, "4100000000000000", &card));
	EXPECT(!find(cards, "4111111111111111", &card));
	EXPECT(!find(cards, "", &card));
	EXPECT(!find(cards, "42424242424242424242424242424242", &card));
	EXPECT(find(cards, "378282246310005", &card) && !strcmp(card.cvc, "1234"));
	bank_cards_free(cards);
}

TEST(a_change_holds_until_it_is_taken_back)
{
	struct bank_cards *cards = bank_cards_new();
	struct bytes number = BYTES_LITERAL("4242424242424242");
	struct bank_behaviour behaviour = { BANK_TAP_IN_APP, "00", "51" };
	struct bank_card card;

	EXPECT(bank_cards_change(cards, number, &behaviour));
	EXPECT(bank_cards_find(cards, number, &card) && !strcmp(card.behaviour.payment_code, "51"));
	EXPECT(bank_cards_change(cards, number, NULL));
	EXPECT(bank_cards_find(cards, number, &card) && !strcmp(card.behaviour.payment_code, "00"));
	EXPECT(!bank_cards_change(cards, BYTES_LITERAL("4111111111111111"), &behaviour));
	bank_cards_free(cards);
}

TEST(a_value_fits_its_card_only_and_for_90_days)
{
	struct bank_authentications *given = bank_authentications_new();
	struct bytes number = BYTES_LITERAL("4242424242424242");
	struct bytes value = BYTES_LITERAL("AAABBEg0VhI0VniQEjRWAAAAAAA=");

	EXPECT(!bank_authentication_fits(given, number, value, 0));
	bank_authentication_note(given, "4242424242424242", (const char *)value.data, 1000);
	EXPECT(bank_authentication_fits(given, number, value, 1000));
	EXPECT(!bank_authentication_fits(given, BYTES_LITERAL("5555555555554444"), value, 1000));
	EXPECT(!bank_authentication_fits(given, number, value, 1000 + 90LL * 86400000));
	for (int i = 0; i < 70000; i++) {
		char other[32];
		snprintf(other, sizeof other, "other%d", i);
		bank_authentication_note(given, "4242424242424242", other, 1000);
	}
	EXPECT(!bank_authentication_fits(given, number, value, 1000));
	EXPECT(bank_authentication_fits(given, number, BYTES_LITERAL("other69999"), 1000));
	bank_authentications_free(given);
}

TAP_MAIN
