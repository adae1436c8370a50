// Telephone numbers: E.164 (ITU-T E.164: a plus, a country code, at most 15 digits), with the two
// short forms that people in Russia type (8 9xx … and 9xx …).
#pragma once

#include "base/bytes.h"

#define SHOP_PHONE_TEXT 20
#define SHOP_PHONE_SHOWN 32

// Reads what a person typed (digits, plus, spaces, hyphens, brackets). Returns false when it is not
// a number that a mobile could have; for Russia it must be a mobile number (9xx).
bool shop_phone_parse(struct bytes typed, char ret_phone[SHOP_PHONE_TEXT]);
// "+79001234567" becomes "+7 900 123-45-67"; others stay as they are.
void shop_phone_show(const char *phone, char ret_shown[SHOP_PHONE_SHOWN]);
