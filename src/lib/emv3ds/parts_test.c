// Card ranges, browser data, base64url and addresses of 3-D Secure.

#include "emv3ds/build.h"
#include "emv3ds/encode.h"
#include "emv3ds/ranges.h"

#include "base/cleanup.h"
#include "base/tap.h"

#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

static json_t *range(const char *start, const char *end, const char *action, const char *from,
                     const char *to, const char *method)
{
	json_t *entry = json_object();

	emv3ds_put(entry, "startRange", start);
	emv3ds_put(entry, "endRange", end);
	emv3ds_put(entry, "actionInd", action);
	emv3ds_put(entry, "acsStartProtocolVersion", from);
	emv3ds_put(entry, "acsEndProtocolVersion", to);
	emv3ds_put(entry, "threeDSMethodURL", method);
	return entry;
}

// A PRes with up to three ranges.
static json_t *pres(const char *serial, json_t *a, json_t *b, json_t *c)
{
	json_t *message = emv3ds_new(EMV3DS_PRES);
	json_t *list = json_array();

	emv3ds_put(message, "serialNum", serial);
	emv3ds_put(message, "dsStartProtocolVersion", "2.1.0");
	emv3ds_put(message, "dsEndProtocolVersion", "2.2.0");
	if (a)
		json_array_append_new(list, a);
	if (b)
		json_array_append_new(list, b);
	if (c)
		json_array_append_new(list, c);
	json_object_set_new(message, "cardRangeData", list);
	return message;
}

static const char *method_of(const struct emv3ds_ranges *ranges, const char *number)
{
	const struct emv3ds_range *found = emv3ds_ranges_find(ranges, bytes_text(number));

	if (!found)
		return "not enrolled";
	return emv3ds_ranges_method(ranges, found) ? emv3ds_ranges_method(ranges, found) : "none";
}

static json_t *three_ranges(void)
{
	return pres(
	        "1", range("5000000000000000", "5999999999999999", NULL, "2.1.0", "2.1.0", NULL),
	        range("4000000000000000", "4099999999999999", NULL, "2.1.0", "2.3.1", "https://m"),
	        range("6205500000000000000", "6205509999999999999", NULL, "2.2.0", "2.2.0", NULL));
}

TEST(a_number_is_found_in_its_range_only)
{
	cleanup(emv3ds_ranges_done) struct emv3ds_ranges ranges;
	cleanup(cleanup_json) json_t *message = three_ranges();

	emv3ds_ranges_init(&ranges);
	EXPECT(strcmp(method_of(&ranges, "4000002500003155"), "not enrolled") == 0);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, message, true)));
	EXPECT(strcmp(method_of(&ranges, "4000000000000000"), "https://m") == 0);
	EXPECT(strcmp(method_of(&ranges, "4099999999999999"), "https://m") == 0);
	EXPECT(strcmp(method_of(&ranges, "4100000000000000"), "not enrolled") == 0);
	EXPECT(strcmp(method_of(&ranges, "3999999999999999"), "not enrolled") == 0);
	EXPECT(strcmp(method_of(&ranges, "400000000000000"), "not enrolled") == 0);
	EXPECT(strcmp(method_of(&ranges, "6205500000000000004"), "none") == 0);
	// its access control server speaks 2.1.0 alone
	EXPECT(strcmp(method_of(&ranges, "5555555555554444"), "not enrolled") == 0);
}

TEST(a_partial_list_adds_changes_and_deletes)
{
	cleanup(emv3ds_ranges_done) struct emv3ds_ranges ranges;
	cleanup(cleanup_json) json_t *all = three_ranges();
	cleanup(cleanup_json) json_t *part = pres(
	        "2",
	        range("5000000000000000", "5999999999999999", "M", "2.1.0", "2.2.0", "https://n"),
	        range("4000000000000000", "4099999999999999", "D", "2.1.0", "2.2.0", NULL),
	        range("2200000000000000", "2204999999999999", "A", "2.1.0", "2.2.0", "https://m"));
	cleanup(cleanup_json) json_t *nothing = pres("3", NULL, NULL, NULL);

	emv3ds_ranges_init(&ranges);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, all, true)));
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, part, false)));
	EXPECT(ranges.count == 3);
	EXPECT(strcmp(ranges.serial, "2") == 0);
	EXPECT(strcmp(method_of(&ranges, "5555555555554444"), "https://n") == 0);
	EXPECT(strcmp(method_of(&ranges, "4000002500003155"), "not enrolled") == 0);
	EXPECT(strcmp(method_of(&ranges, "2200000000000004"), "https://m") == 0);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, nothing, false)));
	EXPECT(ranges.count == 3);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, nothing, true)));
	EXPECT(ranges.count == 0);
}

TEST(a_faulty_list_changes_nothing)
{
	cleanup(emv3ds_ranges_done) struct emv3ds_ranges ranges;
	cleanup(cleanup_json) json_t *all = three_ranges();
	cleanup(cleanup_json) json_t *overlap = pres(
	        "2", range("4050000000000000", "4060000000000000", "A", "2.2.0", "2.2.0", NULL),
	        NULL, NULL);
	cleanup(cleanup_json) json_t *unknown = pres(
	        "2", range("4050000000000000", "4060000000000000", "D", "2.2.0", "2.2.0", NULL),
	        NULL, NULL);

	emv3ds_ranges_init(&ranges);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, all, true)));
	EXPECT(emv3ds_ranges_apply(&ranges, overlap, false).error == ERROR_INPUT);
	EXPECT(emv3ds_ranges_apply(&ranges, unknown, false).error == ERROR_INPUT);
	EXPECT(ranges.count == 3 && strcmp(ranges.serial, "1") == 0);
	EXPECT(strcmp(method_of(&ranges, "4000002500003155"), "https://m") == 0);
}

TEST(every_edge_of_many_ranges_is_found)
{
	cleanup(emv3ds_ranges_done) struct emv3ds_ranges ranges;
	cleanup(cleanup_json) json_t *message = pres("1", NULL, NULL, NULL);
	char start[20];
	char end[20];
	char url[32];

	for (int i = 999; i >= 0; i--) {
		snprintf(start, sizeof(start), "4%03d000000000000", i);
		snprintf(end, sizeof(end), "4%03d499999999999", i);
		snprintf(url, sizeof(url), "https://m%d", i % 7);
		json_array_append_new(json_object_get(message, "cardRangeData"),
		                      range(start, end, NULL, "2.2.0", "2.2.0", url));
	}
	emv3ds_ranges_init(&ranges);
	REQUIRE(result_ok(emv3ds_ranges_apply(&ranges, message, true)));
	EXPECT(ranges.url_count == 7);
	for (int i = 0; i < 1000; i++) {
		snprintf(url, sizeof(url), "https://m%d", i % 7);
		snprintf(end, sizeof(end), "4%03d499999999999", i);
		EXPECT(strcmp(method_of(&ranges, end), url) == 0);
		snprintf(end, sizeof(end), "4%03d500000000000", i);
		EXPECT(strcmp(method_of(&ranges, end), "not enrolled") == 0);
	}
}

TEST(real_screens_are_mapped_to_known_depths)
{
	EXPECT(emv3ds_color_depth(30) == 24);
	EXPECT(emv3ds_color_depth(24) == 24);
	EXPECT(emv3ds_color_depth(48) == 48);
	EXPECT(emv3ds_color_depth(64) == 48);
	EXPECT(emv3ds_color_depth(2) == 1);
	EXPECT(emv3ds_color_depth(0) == 1);
	EXPECT(emv3ds_color_depth(-5) == 1);
}

TEST(browser_texts_are_cut_between_characters)
{
	cleanup(cleanup_json) json_t *message = emv3ds_new(EMV3DS_AREQ);
	static char agent[6001];
	struct emv3ds_browser browser = { "*/*", agent, "127.0.0.1", "zh-Hant-TW", true,
		                          false, 30,    900,         1440,         -180 };

	for (int i = 0; i < 3000; i++)
		memcpy(agent + 2 * i, "я", 2);
	REQUIRE(emv3ds_put_browser(message, &browser));
	EXPECT(strlen(emv3ds_text(message, "browserUserAgent")) == 4096);
	EXPECT(strcmp(emv3ds_text(message, "browserLanguage"), "zh-Hant-") == 0);
	EXPECT(strcmp(emv3ds_text(message, "browserColorDepth"), "24") == 0);
	EXPECT(strcmp(emv3ds_text(message, "browserTZ"), "-180") == 0);
	EXPECT(json_is_true(json_object_get(message, "browserJavascriptEnabled")));
}

TEST(without_javascript_its_values_are_left_out)
{
	cleanup(cleanup_json) json_t *message = emv3ds_new(EMV3DS_AREQ);
	struct emv3ds_browser browser = { .accept_header = "*/*",
		                          .user_agent = "x",
		                          .language = "ru" };

	REQUIRE(emv3ds_put_browser(message, &browser));
	EXPECT(json_is_false(json_object_get(message, "browserJavascriptEnabled")));
	EXPECT(json_object_get(message, "browserTZ") == NULL);
	EXPECT(json_object_get(message, "browserIP") == NULL);
}

static bool decodes(const char *text, const char *expected)
{
	cleanup(buffer_done) struct buffer buffer = { 0 };

	buffer_init(&buffer, 100);
	if (!result_ok(emv3ds_base64url_read(bytes_text(text), &buffer)))
		return expected == NULL;
	return expected && bytes_equal_text(buffer_view(&buffer), expected);
}

TEST(base64url_is_read_with_and_without_padding)
{
	EXPECT(decodes("eyJhIjoxfQ", "{\"a\":1}"));
	EXPECT(decodes("eyJhIjoxfQ==", "{\"a\":1}"));
	EXPECT(decodes("eyJh\r\nIjox fQ", "{\"a\":1}"));
	EXPECT(decodes("YWI=", "ab"));
	EXPECT(decodes("_-8", "\xff\xef"));
	EXPECT(decodes("", ""));
	EXPECT(decodes("YWI==", NULL));
	EXPECT(decodes("Y", NULL));
	EXPECT(decodes("YW=I", NULL));
	EXPECT(decodes("a+b/", NULL));
}

TEST(plain_http_is_for_loopback)
{
	static const char *const good[] = { "https://a.example",   "https://a.example:8443/x?y=1",
		                            "http://localhost/x",  "http://bank.localhost:8084",
		                            "http://127.0.0.1:1/", "https://[2001:db8::1]:1/" };
	static const char *const bad[] = { "http://a.example",     "http://127.0.0.1.example/",
		                           "http://notlocalhost/", "https://",
		                           "https://a.example:0/", "https://a.example:99999/",
		                           "https://a@b.example/", "https://a.example/\"x",
		                           "https://a.example/#x", "ftp://localhost/",
		                           "https://a b/" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		EXPECT(emv3ds_url_ok(bytes_text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!emv3ds_url_ok(bytes_text(bad[i])));
}

TEST(an_origin_ends_with_the_port)
{
	struct bytes url = BYTES_LITERAL("https://acs.example:8443/a/b?c");

	EXPECT(bytes_equal_text(emv3ds_url_origin(url), "https://acs.example:8443"));
	EXPECT(bytes_equal_text(emv3ds_url_host(url), "acs.example"));
	EXPECT(bytes_equal_text(emv3ds_url_host(BYTES_LITERAL("http://[::1]:80/")), "[::1]"));
}

TEST(creq_is_written_as_base64url_without_padding)
{
	cleanup(cleanup_json) json_t *creq = emv3ds_creq("t", "a", "05");
	cleanup(buffer_done) struct buffer text = { 0 };
	cleanup(buffer_done) struct buffer back = { 0 };

	buffer_init(&text, 1000);
	buffer_init(&back, 1000);
	REQUIRE(result_ok(emv3ds_write_base64url(creq, &text)));
	EXPECT(bytes_find(buffer_view(&text), '=') == text.length);
	REQUIRE(result_ok(emv3ds_base64url_read(buffer_view(&text), &back)));
	EXPECT(strstr(buffer_text(&back), "\"challengeWindowSize\":\"05\"") != NULL);
}

TAP_MAIN
