// Subfields: written, found, and refused where they are cut.
#include "base/tap.h"
#include "iso8583/tagged.h"

TEST(what_is_put_is_found)
{
	uint8_t field[32];
	size_t length = 0;

	EXPECT(iso8583_tagged_put(field, sizeof field, &length, "01", BYTES_LITERAL("C")));
	EXPECT(iso8583_tagged_put(field, sizeof field, &length, "02", BYTES_NONE));
	EXPECT(iso8583_tagged_put(field, sizeof field, &length, "03",
	                          BYTES_LITERAL("123456789012345")));
	EXPECT(bytes_equal_text(bytes_from(field, length), "0101C0315123456789012345"));
	EXPECT(bytes_equal_text(iso8583_tagged_get(bytes_from(field, length), "01"), "C"));
	EXPECT(iso8583_tagged_get(bytes_from(field, length), "02").length == 0);
	EXPECT(iso8583_tagged_get(bytes_from(field, length), "03").length == 15);
	EXPECT(!iso8583_tagged_put(field, sizeof field, &length, "04", BYTES_LITERAL("12345")));
	EXPECT(iso8583_tagged_put(field, sizeof field, &length, "04", BYTES_LITERAL("1234")));
}

TEST(what_is_cut_is_broken)
{
	static const char *const fields[] = { "0", "010", "0101", "01-1C", "0102C", "0101C0" };
	struct bytes tag, value;
	bool broken;

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct bytes rest = bytes_text(fields[i]);
		while (iso8583_tagged_next(&rest, &tag, &value, &broken))
			;
		EXPECT(broken);
	}
}

TAP_MAIN
