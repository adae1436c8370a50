// Telephone numbers as people type them and as E.164 writes them.
#include "phone.h"

#include <stdio.h>

#define MAX_TYPED 40

static bool is_space(struct bytes typed, size_t *at)
{
	// A no-break space, which formatted numbers often hold, is two bytes in UTF-8.
	if (typed.data[*at] == 0xc2 && *at + 1 < typed.length && typed.data[*at + 1] == 0xa0) {
		*at += 1;
		return true;
	}
	return typed.data[*at] && strchr(" ()-.", typed.data[*at]) != NULL;
}

// Leaves the digits; false when there is anything else than digits and separators.
static bool collect(struct bytes typed, char digits[16], size_t *ret_count, bool *ret_plus)
{
	*ret_count = 0;
	*ret_plus = false;
	for (size_t i = 0; i < typed.length; i++) {
		uint8_t c = typed.data[i];
		if (c >= '0' && c <= '9') {
			if (*ret_count == 15)
				return false;
			digits[(*ret_count)++] = (char)c;
		} else if (c == '+' && !*ret_plus && *ret_count == 0) {
			*ret_plus = true;
		} else if (!is_space(typed, &i)) {
			return false;
		}
	}
	digits[*ret_count] = 0;
	return true;
}

// Russia and Kazakhstan share +7; mobiles there begin with 9 and 7.
static bool is_possible(const char *digits, size_t count)
{
	if (digits[0] == '7')
		return count == 11 && (digits[1] == '9' || digits[1] == '7');
	return count >= 8 && digits[0] != '0';
}

bool shop_phone_parse(struct bytes typed, char ret_phone[SHOP_PHONE_TEXT])
{
	char digits[16];
	size_t count = 0;
	bool plus = false;

	ret_phone[0] = 0;
	if (typed.length > MAX_TYPED || !collect(typed, digits, &count, &plus))
		return false;
	if (!plus && count == 10 && digits[0] == '9')
		return snprintf(ret_phone, SHOP_PHONE_TEXT, "+7%s", digits) > 0;
	if (!plus && count == 11 && digits[0] == '8')
		digits[0] = '7';
	else if (!plus && (count != 11 || digits[0] != '7'))
		return false;
	return is_possible(digits, count) &&
	       snprintf(ret_phone, SHOP_PHONE_TEXT, "+%s", digits) > 0;
}

void shop_phone_show(const char *phone, char ret_shown[SHOP_PHONE_SHOWN])
{
	// Other countries group their digits in ways of their own; ungrouped is right everywhere.
	if (strlen(phone) == 12 && phone[1] == '7')
		(void)snprintf(ret_shown, SHOP_PHONE_SHOWN, "+7 %.3s %.3s-%.2s-%.2s", phone + 2,
		               phone + 5, phone + 8, phone + 10);
	else
		(void)snprintf(ret_shown, SHOP_PHONE_SHOWN, "%s", phone);
}
