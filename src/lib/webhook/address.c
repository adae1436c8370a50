// The table of what is not the Internet. See address.h.
#include "webhook/address.h"

#include "base/check.h"

enum { MAPPED_BITS = 96 };

// RFC 6890 and the registries that grew from it; an IPv4 range is written as mapped.
static const struct {
	const char *address;
	int bits;
} special[] = {
	{ "::ffff:0.0.0.0", 104 },      // this network
	{ "::ffff:10.0.0.0", 104 },     // private
	{ "::ffff:100.64.0.0", 106 },   // shared by carriers
	{ "::ffff:127.0.0.0", 104 },    // loopback
	{ "::ffff:169.254.0.0", 112 },  // link-local, and cloud providers' metadata
	{ "::ffff:172.16.0.0", 108 },   // private
	{ "::ffff:192.0.0.0", 120 },    // protocol assignments
	{ "::ffff:192.0.2.0", 120 },    // documentation
	{ "::ffff:192.88.99.0", 120 },  // 6to4 relays
	{ "::ffff:192.168.0.0", 112 },  // private
	{ "::ffff:198.18.0.0", 111 },   // benchmarks
	{ "::ffff:198.51.100.0", 120 }, // documentation
	{ "::ffff:203.0.113.0", 120 },  // documentation
	{ "::ffff:224.0.0.0", 100 },    // multicast
	{ "::ffff:240.0.0.0", 100 },    // reserved, and broadcast
	{ "2001::", 23 },               // protocol assignments, Teredo among them
	{ "2001:db8::", 32 },           // documentation
	{ "2002::", 16 },               // 6to4
	{ "3fff::", 20 },               // documentation
};

static bool is_in(const struct net_address *address, const char *network, int bits)
{
	struct net_range range = { .bits = bits };

	CHECK(net_address_read(bytes_text(network), &range.address));
	return net_range_holds(&range, address);
}

static bool is_public(const struct net_address *address)
{
	// Of IPv6 only the global unicast range is handed out.
	if (!is_in(address, "::ffff:0.0.0.0", MAPPED_BITS) && !is_in(address, "2000::", 3))
		return false;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (is_in(address, special[i].address, special[i].bits))
			return false;
	return true;
}

// An IPv4 address that is translated (RFC 6052) is what it holds.
static void translate(struct net_address *address)
{
	const struct net_address before = *address;

	if (is_in(address, "64:ff9b::", MAPPED_BITS))
		net_address_map(before.bytes + MAPPED_BITS / 8, address);
}

bool webhook_address_fits(const struct sockaddr *address, const struct net_ranges *allowed)
{
	struct net_address dialled;

	if (!net_address_of(address, &dialled))
		return false;
	translate(&dialled);
	return net_ranges_hold(allowed, &dialled) || is_public(&dialled);
}
