// Tests of telephone numbers: what people type, and what is refused.
#include "phone.h"

#include "base/tap.h"

static bool becomes(const char *typed, const char *phone)
{
	char got[SHOP_PHONE_TEXT];

	return shop_phone_parse(bytes_text(typed), got) && strcmp(got, phone) == 0;
}

TEST(what_people_type_becomes_e164)
{
	EXPECT(becomes("+7 900 123-45-67", "+79001234567"));
	EXPECT(becomes("8 (900) 123-45-67", "+79001234567"));
	EXPECT(becomes("9001234567", "+79001234567"));
	EXPECT(becomes("79001234567", "+79001234567"));
	EXPECT(becomes("+7\xc2\xa0"
	               "900\xc2\xa0"
	               "123 45 67",
	               "+79001234567"));
	EXPECT(becomes("+7 701 123 45 67", "+77011234567"));
	EXPECT(becomes("+49 151 23456789", "+4915123456789"));
	EXPECT(becomes("+1 (415) 555-2671", "+14155552671"));
	EXPECT(becomes("+290 12345", "+29012345"));
}

TEST(what_is_no_number_is_refused)
{
	const char *bad[] = { "",
		              "+",
		              "12345",
		              "+7 900 123-45-6",
		              "+7 900 123-45-678",
		              "+7 495 123-45-67",
		              "8 495 123 45 67",
		              "+0 900 123 45 67",
		              "+12345678901234567",
		              "+1234567",
		              "4915123456789",
		              "+7+9001234567",
		              "7 900 123+45 67",
		              "+7 900 123-45-67 ext 5",
		              ("+7 900 \xd0\xb0"
		               "23-45-67"),
		              "+7 900 123-45-67\n" };
	char got[SHOP_PHONE_TEXT];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!shop_phone_parse(bytes_text(bad[i]), got));
	EXPECT(!shop_phone_parse(BYTES_LITERAL("+7 900 123-45\0-67"), got));
}

TEST(numbers_are_shown_as_people_write_them)
{
	char shown[SHOP_PHONE_SHOWN];

	shop_phone_show("+79001234567", shown);
	EXPECT(strcmp(shown, "+7 900 123-45-67") == 0);
	shop_phone_show("+4915123456789", shown);
	EXPECT(strcmp(shown, "+4915123456789") == 0);
}

TAP_MAIN
