// Checking and masking of card numbers.
#include "card/number.h"

#include "base/check.h"
#include "base/text.h"

enum { SHOWN_FIRST = 6, HIDDEN_MIN = 4 };

bool card_luhn(struct bytes number)
{
	unsigned sum = 0;

	if (!text_is_digits(number))
		return false;
	for (size_t i = 0; i < number.length; i++) {
		unsigned digit = (unsigned)(number.data[number.length - 1 - i] - '0');
		if (i % 2 == 1)
			digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

bool card_number_is_valid(struct bytes number, const struct card_brand **ret_brand)
{
	const struct card_brand *brand = card_brand_of(number);

	if (ret_brand)
		*ret_brand = brand;
	if (number.length < CARD_NUMBER_MIN || number.length > CARD_NUMBER_MAX)
		return false;
	return (brand->lengths >> number.length & 1) && card_luhn(number);
}

void card_last4(struct bytes number, char ret_last4[static CARD_LAST4 + 1])
{
	CHECK(number.length >= CARD_NUMBER_MIN);
	memcpy(ret_last4, number.data + number.length - CARD_LAST4, CARD_LAST4);
	ret_last4[CARD_LAST4] = '\0';
}

void card_mask(struct bytes number, char ret_masked[static CARD_MASKED_MAX])
{
	CHECK(number.length >= CARD_NUMBER_MIN && number.length <= CARD_NUMBER_MAX);
	size_t first = number.length - CARD_LAST4 - HIDDEN_MIN;
	if (first > SHOWN_FIRST)
		first = SHOWN_FIRST;
	memset(ret_masked, '*', number.length);
	memcpy(ret_masked, number.data, first);
	memcpy(ret_masked + number.length - CARD_LAST4, number.data + number.length - CARD_LAST4,
	       CARD_LAST4);
	ret_masked[number.length] = '\0';
}

bool card_code_is_valid(struct bytes code, const struct card_brand *brand)
{
	return code.length == brand->code_length && text_is_digits(code);
}
