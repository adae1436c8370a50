// What is packed comes back byte by byte, whatever it is; what was packed by an earlier version
// too.
#include "store/phrases.h"

#include "base/cleanup.h"
#include "base/tap.h"

static const uint8_t known[] = {
#include "store_phrases.h"
};

static void pack(struct bytes text, struct buffer *packed)
{
	struct store_phrases *phrases = store_phrases_new();

	if (phrases)
		store_pack(phrases, text, packed);
	store_phrases_free(phrases);
}

static bool comes_back(struct bytes text, size_t *ret_packed)
{
	struct buffer packed cleanup(buffer_done) = { 0 };
	struct buffer back cleanup(buffer_done) = { 0 };

	buffer_init(&packed, 1 << 20);
	buffer_init(&back, 1 << 20);
	pack(text, &packed);
	*ret_packed = packed.length;
	return !packed.failed && store_unpack(buffer_view(&packed), &back) &&
	       bytes_equal(buffer_view(&back), text);
}

static bool unpacks_to(struct bytes packed, const char *text)
{
	struct buffer back cleanup(buffer_done) = { 0 };

	buffer_init(&back, 1000);
	return store_unpack(packed, &back) && bytes_equal_text(buffer_view(&back), text);
}

static bool is_refused(struct bytes packed)
{
	struct buffer back cleanup(buffer_done) = { 0 };

	buffer_init(&back, 1000);
	return !store_unpack(packed, &back);
}

TEST(a_body_of_an_event_takes_little)
{
	struct bytes body = BYTES_LITERAL(
	        "{\"data\":{\"object\":{\"id\":\"cus_09JbpbDZFEp7LXAXtEbMB0\",\"object\":"
	        "\"customer\","
	        "\"address\":null,\"balance\":0,\"created\":1795826143,\"currency\":null,"
	        "\"default_source\":null,\"delinquent\":false,\"description\":null,"
	        "\"discount\":null,\"email\":\"shopper-999@shop.example\","
	        "\"invoice_prefix\":null,\"invoice_settings\":{\"custom_fields\":null,");
	size_t length;

	EXPECT(comes_back(body, &length));
	EXPECT(length * 4 < body.length);
}

// So that a search of the file for a card's number cannot miss one that a text holds.
TEST(what_is_no_phrase_stands_there_letter_by_letter)
{
	struct bytes text = BYTES_LITERAL("{\"data\":{\"object\":{\"id\":\"4242424242424242\"}}}");
	struct buffer packed cleanup(buffer_done) = { 0 };

	buffer_init(&packed, 1000);
	pack(text, &packed);
	EXPECT(packed.length < text.length);
	EXPECT(memmem(packed.data, packed.length, "4242424242424242", 16) != NULL);
	for (size_t i = 0, digits = 0; i < sizeof(known); i++) {
		digits = known[i] >= '0' && known[i] <= '9' ? digits + 1 : 0;
		EXPECT(digits < 4); // the shortest phrase
	}
}

TEST(any_bytes_come_back)
{
	uint8_t bytes[600];
	uint32_t state = 1;
	size_t length;

	for (size_t size = 0; size < sizeof(bytes); size++) {
		for (size_t i = 0; i < size; i++) {
			state = state * 1664525u + 1013904223u;
			bytes[i] = (uint8_t)(state >> 24);
		}
		EXPECT(comes_back(bytes_from(bytes, size), &length) && length <= 2 * size);
	}
}

// Cut at every place, so that every phrase is met in part, and at its end.
TEST(parts_of_texts_come_back)
{
	static const char text[] = ",\"metadata\":{},\"next_action\":null,\"on_behalf_of\":null,"
	                           "\"payment_method\":\"pm_\x1f\"\n\""
	                           "payment_method\":\"pm_\",\"idempotency_key\":null}}";
	size_t length;

	for (size_t from = 0; from < sizeof(text); from++)
		for (size_t to = from; to < sizeof(text); to++)
			EXPECT(comes_back(bytes_from(text + from, to - from), &length));
}

// These bytes are in books that exist. A text that was stored before there were phrases is one
// without any.
TEST(what_was_packed_is_read)
{
	static const uint8_t packed[] = { 1, 180, 7, 'Q', 0x1f, 3, '7' };

	EXPECT(unpacks_to(BYTES_ARRAY(packed), "\"currency\":Q\x03"
	                                       "7"));
	EXPECT(unpacks_to(BYTES_LITERAL("{\"a\":\"\xd0\x98\"}"), "{\"a\":\"\xd0\x98\"}"));
}

TEST(what_is_not_packed_is_refused)
{
	EXPECT(is_refused(BYTES_LITERAL("\0ab")));
	EXPECT(is_refused(BYTES_LITERAL("a\x01")));
	EXPECT(is_refused(BYTES_LITERAL("a\x01\x02")));
	EXPECT(is_refused(BYTES_LITERAL("a\x1f")));
	EXPECT(is_refused(BYTES_LITERAL("\x1e\xff\xff"))); // behind the last phrase
}

// FNV-1a of the phrases as far as they were in use. New ones come after them: then this goes on
// being true.
TEST(phrases_stay_where_they_are)
{
	enum { IN_USE = 5199 };
	uint64_t digest = 0xcbf29ce484222325u;

	REQUIRE(sizeof(known) >= IN_USE);
	for (size_t i = 0; i < IN_USE; i++)
		digest = (digest ^ known[i]) * 0x100000001b3u;
	EXPECT(digest == 0xfb12d4882df60df6u);
}

TAP_MAIN
