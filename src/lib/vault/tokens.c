// The table of test tokens, and the cards that are made of them.
#include "vault/tokens.h"

#include "base/check.h"
#include "card/number.h"

#include <string.h>
#include <time.h>

static const struct {
	const char *name, *number;
} tokens[] = {
#define TOKEN(name, number) { name, number },
#include "vault/tokens.def"
#undef TOKEN
};

static const char *number_of(struct bytes token)
{
	static const char *const beginnings[] = { "pm_card_", "tok_" };

	for (size_t b = 0; b < sizeof(beginnings) / sizeof(beginnings[0]); b++) {
		if (!bytes_start_with(token, beginnings[b]))
			continue;
		struct bytes name = bytes_slice(token, strlen(beginnings[b]), token.length);
		for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++)
			if (bytes_equal_text(name, tokens[i].name))
				return tokens[i].number;
	}
	return NULL;
}

static struct result copy(struct secret_pool *cards, const char *digits, struct secret *ret_secret)
{
	size_t length = strlen(digits);

	TRY(secret_take(cards, length, ret_secret));
	memcpy(ret_secret->data, digits, length);
	return RESULT_OK;
}

struct result vault_token_card(struct bytes token, int64_t now_ms, struct secret_pool *cards,
                               struct vault_card *ret_card)
{
	const char *number = number_of(token);
	time_t seconds = (time_t)(now_ms / 1000);
	struct tm now;

	*ret_card = (struct vault_card){ 0 };
	if (!number)
		return FAIL(ERROR_INPUT, "there is no such test token");
	CHECK(gmtime_r(&seconds, &now));
	CHECK(card_number_is_valid(bytes_text(number), &ret_card->brand));
	ret_card->exp_month = (uint8_t)(now.tm_mon + 1);
	ret_card->exp_year = (uint16_t)(now.tm_year + 1900 + 1);
	struct result result = copy(cards, number, &ret_card->number);
	if (result_ok(result))
		result = copy(cards, ret_card->brand->code_length == 4 ? "1234" : "123",
		              &ret_card->code);
	if (!result_ok(result))
		vault_card_done(ret_card);
	return result;
}
