// The table of problems: every row is whole, the texts are those that were agreed, a driver's codes
// find their rows, nothing is given away about lost and stolen cards.
#include "base/tap.h"
#include "base/text.h"
#include "domain/problem.h"

static const char *const driver_codes[] = {
	"do_not_honor",
	"insufficient_funds",
	"expired_card",
	"incorrect_cvc",
	"incorrect_number",
	"lost_card",
	"stolen_card",
	"fraudulent",
	"pickup_card",
	"issuer_not_available",
	"processing_error",
	"card_not_supported",
	"withdrawal_count_limit_exceeded",
	"card_velocity_exceeded",
	"transaction_not_allowed",
	"restricted_card",
	"stop_payment_order",
	"revocation_of_authorization",
	"revocation_of_all_authorizations",
	"authentication_required",
	"invalid_account",
	"generic_decline",
};

static const char *sentence(int problem, enum problem_deed deed, enum problem_language language,
                            const struct problem_fill *fill, struct buffer *buffer)
{
	buffer_reset(buffer);
	problem_sentence(buffer, problem_row(problem), deed, language, fill);
	return buffer_text(buffer);
}

TEST(rows_are_whole_and_numbers_are_unique)
{
	const struct problem_row *row;

	for (size_t i = 0; (row = problem_at(i)); i++) {
		EXPECT(row->problem > 0 && problem_row((int)row->problem) == row);
		EXPECT(row->status >= 400 && row->status <= 599);
		EXPECT(row->type[0] && row->code[0]);
		for (int deed = 0; deed < PROBLEM_DEEDS; deed++)
			for (int language = 0; language < PROBLEM_LANGUAGES; language++) {
				const char *text = row->group->sentences[deed][language];
				EXPECT(text[0] && text_is_utf8(bytes_text(text)));
			}
		for (size_t j = 0; j < i; j++)
			EXPECT(problem_at(j)->problem != row->problem);
		EXPECT((row->status == 402) == (strcmp(row->type, "card_error") == 0 ||
		                                (row->flags & PROBLEM_INTENT_CODE)));
	}
	EXPECT(problem_row(0) == problem_row(PROBLEM_OUR_FAULT));
	EXPECT(problem_row(9999) == problem_row(PROBLEM_OUR_FAULT));
}

TEST(every_code_of_a_driver_has_its_row)
{
	for (size_t i = 0; i < sizeof(driver_codes) / sizeof(driver_codes[0]); i++) {
		const struct problem_row *row =
		        problem_row((int)problem_of_decline(bytes_text(driver_codes[i])));
		EXPECT(strcmp(row->decline_code, driver_codes[i]) == 0);
	}
	EXPECT(problem_of_decline(BYTES_LITERAL("no_such_code")) == PROBLEM_GENERIC_DECLINE);
	EXPECT(problem_of_decline(BYTES_NONE) == PROBLEM_GENERIC_DECLINE);
	EXPECT(problem_of_opening(BYTES_LITERAL("stale")) == PROBLEM_STALE);
	EXPECT(problem_of_opening(BYTES_LITERAL("?")) == PROBLEM_UNREADABLE);
}

TEST(lost_and_stolen_look_like_any_other_refusal)
{
	const int hidden[] = { PROBLEM_LOST_CARD, PROBLEM_STOLEN_CARD, PROBLEM_FRAUDULENT,
		               PROBLEM_PICKUP_CARD, PROBLEM_CARD_BLOCKED };

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
		EXPECT(problem_shown(hidden[i])->problem == PROBLEM_GENERIC_DECLINE);
		EXPECT(problem_row(hidden[i])->group->again == AGAIN_NEVER);
		EXPECT(strcmp(problem_row(hidden[i])->group->sentences[0][0],
		              problem_row(PROBLEM_DO_NOT_HONOR)->group->sentences[0][0]) == 0);
	}
	EXPECT(problem_shown(PROBLEM_INCORRECT_CVC)->problem == PROBLEM_INCORRECT_CVC);
}

TEST(sentences_of_links_and_payments_and_what_is_filled_in)
{
	struct buffer buffer;
	struct problem_fill fill = { "14:05", "help@shop.example", "K7Q2-M4" };

	buffer_init(&buffer, 1024);
	EXPECT(!strcmp(sentence(PROBLEM_NO_ANSWER, PROBLEM_LINK, PROBLEM_ENGLISH, NULL, &buffer),
	               "The bank did not answer. Try again in a few minutes."));
	EXPECT(!strcmp(sentence(PROBLEM_NO_ANSWER, PROBLEM_PAYMENT, PROBLEM_ENGLISH, NULL, &buffer),
	               "The bank did not answer, the payment is cancelled. If your bank holds the "
	               "money, the hold will be released. Try again in a few minutes."));
	EXPECT(!strcmp(
	        sentence(PROBLEM_TOO_MANY_TRIES, PROBLEM_LINK, PROBLEM_RUSSIAN, &fill, &buffer),
	        "Слишком много попыток. Повторите после 14:05."));
	EXPECT(!strcmp(sentence(PROBLEM_OUR_FAULT, PROBLEM_LINK, PROBLEM_ENGLISH, &fill, &buffer),
	               "This is our fault and we are on it. Write to help@shop.example with the "
	               "code K7Q2-M4."));
	buffer_done(&buffer);
}

TEST(codes_name_the_kind_of_intent_where_stripe_does)
{
	EXPECT(!strcmp(problem_code(problem_row(PROBLEM_NOT_CONFIRMED), PROBLEM_LINK),
	               "setup_intent_authentication_failure"));
	EXPECT(!strcmp(problem_code(problem_row(PROBLEM_CANCELLED), PROBLEM_PAYMENT),
	               "payment_intent_authentication_failure"));
	EXPECT(!strcmp(problem_code(problem_row(PROBLEM_LOST_CARD), PROBLEM_LINK),
	               "card_declined"));
}

TAP_MAIN
