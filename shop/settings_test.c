// Tests of the configuration file: what is taken, what stops the start and what is then said.
#include "settings.h"

#include "base/tap.h"

#define GOOD                                                                                       \
	"# a shop\n"                                                                               \
	"port = 8080\nurl = https://shop.example:8443\nonfile_url = http://127.0.0.1:8081\n"       \
	"secret_key = sk_test_1\nsms_url = http://127.0.0.1:8084/sms\n"                            \
	"data = /tmp/x\nweb = web\ntokens = web/static/tokens.css\n"

static bool refuses(const char *text, const char *sentence)
{
	struct shop_settings settings;
	struct buffer why;

	buffer_init(&why, 512);
	bool refused =
	        !result_ok(shop_settings_parse(bytes_text(text), "shop.conf", &settings, &why));
	bool said = strcmp(buffer_text(&why), sentence) == 0;
	if (!said)
		printf("# said: %s\n", buffer_text(&why));
	buffer_done(&why);
	return refused && said;
}

TEST(a_whole_file_is_taken_with_its_defaults)
{
	struct shop_settings settings;
	struct buffer why;

	buffer_init(&why, 512);
	REQUIRE(result_ok(shop_settings_parse(
	        bytes_text(GOOD "sms.per_day = 0 \r\n\n\tlisten=::1\n"), "x", &settings, &why)));
	EXPECT(settings.port == 8080);
	EXPECT(strcmp(settings.host, "shop.example") == 0);
	EXPECT(settings.https);
	EXPECT(strcmp(settings.listen, "::1") == 0);
	EXPECT(settings.sms_per_minute == 1);
	EXPECT(settings.sms_per_ten_minutes == 3);
	EXPECT(settings.sms_per_day == 0);
	shop_settings_done(&settings);
	EXPECT(settings.secret_key[0] == 0);
	buffer_done(&why);
}

TEST(what_is_wrong_is_named_with_its_line_and_without_its_value)
{
	EXPECT(refuses("", "shop.conf: missing key: port"));
	EXPECT(refuses("port = 80\n\ncolour = red\n", "shop.conf:3: unknown key: colour"));
	EXPECT(refuses("port = 80\nport = 80\n", "shop.conf:2: key given twice: port"));
	EXPECT(refuses("port = 65536\n", "shop.conf:1: bad value: port"));
	EXPECT(refuses("port = 080\n", "shop.conf:1: bad value: port"));
	EXPECT(refuses("secret_key =\n", "shop.conf:1: bad value: secret_key"));
	EXPECT(refuses("url = shop.example\n", "shop.conf:1: bad value: url"));
	EXPECT(refuses("url = http://shop.example/\n", "shop.conf:1: bad value: url"));
	EXPECT(refuses("port 80\n", "shop.conf:1: unknown key: port 80"));
}

TAP_MAIN
