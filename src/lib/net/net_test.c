// Addresses and ranges, as they are read and as they hold.
#include "net/range.h"

#include "base/tap.h"

#include <netinet/in.h>

static bool holds(const char *ranges, const char *address)
{
	struct net_ranges read;
	struct net_address one;

	return result_ok(net_ranges_read(ranges, &read)) &&
	       net_address_read(bytes_text(address), &one) && net_ranges_hold(&read, &one);
}

TEST(an_address_is_written_as_it_is_read)
{
	static const char *const same[] = { "192.0.2.1", "0.0.0.0", "2001:db8::1", "::1", "::" };
	static const char *const none[] = {
		"",           "1.2.3",    "1.2.3.4:5", "[::1]",   "fe80::1%1",
		" 192.0.2.1", "01.2.3.4", "1.2.3.4/8", "unknown", "::ffff:1.2.3.4.5"
	};
	struct net_address address;
	char text[NET_ADDRESS_TEXT];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		REQUIRE(net_address_read(bytes_text(same[i]), &address));
		net_address_text(&address, text);
		EXPECT(strcmp(text, same[i]) == 0);
	}
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		EXPECT(!net_address_read(bytes_text(none[i]), &address));
	// One address, one form.
	REQUIRE(net_address_read(BYTES_LITERAL("::ffff:192.0.2.1"), &address));
	net_address_text(&address, text);
	EXPECT(strcmp(text, "192.0.2.1") == 0);
}

TEST(a_socket_has_the_same_address)
{
	struct sockaddr_in ipv4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct net_address address;
	char text[NET_ADDRESS_TEXT];

	REQUIRE(net_address_of((const struct sockaddr *)&ipv4, &address));
	net_address_text(&address, text);
	EXPECT(strcmp(text, "192.0.2.1") == 0);
	REQUIRE(net_address_of((const struct sockaddr *)&ipv6, &address));
	net_address_text(&address, text);
	EXPECT(strcmp(text, "::1") == 0);
	EXPECT(!net_address_of(&(struct sockaddr){ .sa_family = AF_UNIX }, &address));
}

TEST(a_range_holds_what_begins_like_it)
{
	EXPECT(holds("loopback", "127.9.9.9") && holds("loopback", "::1"));
	EXPECT(!holds("loopback", "128.0.0.1") && !holds("loopback", "::2"));
	EXPECT(holds("10.1.0.0/16", "10.1.255.255") && !holds("10.1.0.0/16", "10.2.0.0"));
	EXPECT(holds("10.1.0.0/16", "::ffff:10.1.2.3"));
	EXPECT(holds("192.168.0.128/25", "192.168.0.129"));
	EXPECT(!holds("192.168.0.128/25", "192.168.0.127"));
	EXPECT(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.6"));
	EXPECT(holds("fd00::/8  10.0.0.1", "fd01::1") && holds("fd00::/8  10.0.0.1", "10.0.0.1"));
	EXPECT(holds("0.0.0.0/0", "8.8.8.8") && !holds("0.0.0.0/0", "2001:db8::1"));
	EXPECT(holds("::/0", "8.8.8.8"));
	EXPECT(!holds("none", "127.0.0.1") && !holds("", "127.0.0.1"));
}

TEST(ranges_are_read_strictly)
{
	static const char *const bad[] = { "nothing",   "10.0.0.0/33",   "10.0.0/8",    "::1/129",
		                           "10.0.0.0/", "none loopback", "10.0.0.0/08", "/8" };
	struct net_ranges ranges;
	char many[1024] = "";

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(net_ranges_read(bad[i], &ranges).error == ERROR_INPUT);
	for (int i = 0; i <= NET_RANGES_MAX; i++)
		strcat(many, "10.0.0.1 ");
	EXPECT(net_ranges_read(many, &ranges).error == ERROR_LIMIT);
	EXPECT(result_ok(net_ranges_read("", &ranges)) && ranges.count == 0);
}

TAP_MAIN
