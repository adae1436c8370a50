// Who is believed about whose request it is.
#include "web/forwarded.h"

#include "base/tap.h"

#include <stdio.h>

static struct http_fields fields;
static uint8_t head[1024];

// Fields as the reader keeps them, one for each line of the text.
static void set_fields(const char *lines)
{
	size_t at = 0, length = strlen(lines);

	fields = (struct http_fields){ .data = head };
	memcpy(head, lines, length);
	while (at < length) {
		size_t end = at;
		while (end < length && head[end] != '\n')
			end++;
		if (!http_fields_add(&fields, head, at, end - at))
			printf("# not a field in: %s\n", lines);
		at = end + 1;
	}
}

static const char *shopper(const char *proxies, const char *peer, const char *lines)
{
	static char address[NET_ADDRESS_TEXT];
	struct net_ranges ranges;

	set_fields(lines);
	if (!result_ok(net_ranges_read(proxies, &ranges)))
		return "no ranges";
	return forwarded_shopper(&ranges, &fields, peer, address) ? address : "refused";
}

TEST(who_is_no_proxy_is_believed_nothing)
{
	static const char said[] = "x-forwarded-for: 192.0.2.9";

	EXPECT(strcmp(shopper("none", "127.0.0.1", said), "127.0.0.1") == 0);
	EXPECT(strcmp(shopper("", "127.0.0.1", said), "127.0.0.1") == 0);
	EXPECT(strcmp(shopper("10.0.0.0/8", "192.0.2.1", said), "192.0.2.1") == 0);
	EXPECT(strcmp(shopper("loopback", "192.0.2.1", "x-forwarded-for: nonsense"), "192.0.2.1") ==
	       0);
}

TEST(a_proxy_says_who_called_it)
{
	static const struct {
		const char *lines, *shopper;
	} rows[] = {
		{ "x-forwarded-for: 192.0.2.9", "192.0.2.9" },
		{ "host: a\nx-forwarded-for: 192.0.2.9\naccept: b", "192.0.2.9" },
		{ "x-forwarded-for: 192.0.2.9:4711", "192.0.2.9" },
		{ "x-forwarded-for: 2001:db8::9", "2001:db8::9" },
		{ "x-forwarded-for: [2001:db8::9]", "2001:db8::9" },
		{ "x-forwarded-for: [2001:db8::9]:4711", "2001:db8::9" },
		{ "x-forwarded-for: ::ffff:192.0.2.9", "192.0.2.9" },
		// What the shopper wrote stands before what the proxy appended.
		{ "x-forwarded-for: 198.51.100.1, 192.0.2.9", "192.0.2.9" },
		{ "x-forwarded-for: nonsense,192.0.2.9", "192.0.2.9" },
		{ "x-forwarded-for: 10.0.0.1, 192.0.2.9", "192.0.2.9" },
		{ "x-forwarded-for: 198.51.100.1\nx-forwarded-for: 192.0.2.9", "192.0.2.9" },
		// A proxy behind a proxy.
		{ "x-forwarded-for: 198.51.100.1, 192.0.2.9, 10.0.0.7", "192.0.2.9" },
		{ "x-forwarded-for: 192.0.2.9\nx-forwarded-for: 10.0.0.7 , 10.0.0.8", "192.0.2.9" },
		{ "x-forwarded-for: 10.0.0.6, 10.0.0.7", "10.0.0.6" },
		{ "host: a", "127.0.0.1" },
		// What says nothing says nothing about the shopper.
		{ "x-forwarded-for: 192.0.2.9, unknown", "refused" },
		{ "x-forwarded-for:", "refused" },
		{ "x-forwarded-for: 192.0.2.9,", "refused" },
		{ "x-forwarded-for: [2001:db8::9", "refused" },
		{ "x-forwarded-for: [2001:db8::9]4711", "refused" },
		{ "x-forwarded-for: 192.0.2.9.", "refused" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *is = shopper("loopback 10.0.0.0/8", "127.0.0.1", rows[i].lines);
		if (strcmp(is, rows[i].shopper) != 0) {
			printf("# expected %s, not %s, of %s\n", rows[i].shopper, is,
			       rows[i].lines);
			EXPECT(strcmp(is, rows[i].shopper) == 0);
		}
	}
}

TAP_MAIN
