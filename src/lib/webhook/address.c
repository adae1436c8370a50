// The table of what is not the Internet. See address.h.
#include "webhook/address.h"

#include "base/bytes.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { MAPPED_BITS = 96, WORD_MAX = 64 };

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

static bool is_in(const uint8_t address[static WEBHOOK_ADDRESS_BYTES],
                  const uint8_t range[static WEBHOOK_ADDRESS_BYTES], int bits)
{
	size_t whole = (size_t)bits / 8;
	uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));

	return memcmp(address, range, whole) == 0 &&
	       (bits % 8 == 0 || (address[whole] & mask) == (range[whole] & mask));
}

static bool is_in_text(const uint8_t address[static WEBHOOK_ADDRESS_BYTES], const char *range,
                       int bits)
{
	uint8_t network[WEBHOOK_ADDRESS_BYTES];

	return inet_pton(AF_INET6, range, network) == 1 && is_in(address, network, bits);
}

static bool is_public(const uint8_t address[static WEBHOOK_ADDRESS_BYTES])
{
	bool mapped = is_in_text(address, "::ffff:0.0.0.0", MAPPED_BITS);

	// Of IPv6 only the global unicast range is handed out.
	if (!mapped && !is_in_text(address, "2000::", 3))
		return false;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (is_in_text(address, special[i].address, special[i].bits))
			return false;
	return true;
}

static void map(const uint8_t ipv4[static 4], uint8_t ret_address[static WEBHOOK_ADDRESS_BYTES])
{
	memset(ret_address, 0, 10);
	ret_address[10] = ret_address[11] = 0xff;
	memcpy(ret_address + 12, ipv4, 4);
}

// One form for every address: an IPv4 one inside of an IPv6 one is what it holds.
static bool normalize(const struct sockaddr *from, uint8_t ret[static WEBHOOK_ADDRESS_BYTES])
{
	if (from->sa_family == AF_INET) {
		map((const uint8_t *)&((const struct sockaddr_in *)(const void *)from)->sin_addr,
		    ret);
		return true;
	}
	if (from->sa_family != AF_INET6)
		return false;
	memcpy(ret, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr,
	       WEBHOOK_ADDRESS_BYTES);
	if (is_in_text(ret, "64:ff9b::", MAPPED_BITS)) {
		uint8_t held[4];
		memcpy(held, ret + 12, sizeof(held));
		map(held, ret);
	}
	return true;
}

bool webhook_address_fits(const struct sockaddr *address, const struct webhook_ranges *allowed)
{
	uint8_t bytes[WEBHOOK_ADDRESS_BYTES];

	if (!normalize(address, bytes))
		return false;
	for (size_t i = 0; i < allowed->count; i++)
		if (is_in(bytes, allowed->ranges[i].address, allowed->ranges[i].bits))
			return true;
	return is_public(bytes);
}

static bool add(struct webhook_ranges *ranges, const char *address, int most, uint64_t bits)
{
	struct webhook_range *range = &ranges->ranges[ranges->count];
	uint8_t ipv4[4];

	if (most == 32 && inet_pton(AF_INET, address, ipv4) == 1) {
		map(ipv4, range->address);
		range->bits = (int)bits + MAPPED_BITS;
	} else if (most == 128 && inet_pton(AF_INET6, address, range->address) == 1) {
		range->bits = (int)bits;
	} else {
		return false;
	}
	ranges->count++;
	return true;
}

static bool add_word(struct webhook_ranges *ranges, struct bytes word)
{
	size_t slash = bytes_find(word, '/');
	char address[WORD_MAX];
	uint64_t bits;

	if (bytes_equal_text(word, "loopback"))
		return ranges->count + 2 <= WEBHOOK_RANGES_MAX && add(ranges, "127.0.0.0", 32, 8) &&
		       add(ranges, "::1", 128, 128);
	if (!bytes_copy_text(bytes_slice(word, 0, slash), address, sizeof(address)))
		return false;
	int most = strchr(address, ':') ? 128 : 32;
	bits = (uint64_t)most;
	if (slash < word.length &&
	    !text_to_number(bytes_slice(word, slash + 1, word.length), (uint64_t)most, &bits))
		return false;
	return add(ranges, address, most, bits);
}

struct result webhook_ranges_read(const char *text, struct webhook_ranges *ret_ranges)
{
	struct bytes rest = bytes_text(text);

	ret_ranges->count = 0;
	if (bytes_equal_text(rest, "none"))
		return RESULT_OK;
	while (rest.length) {
		size_t end = bytes_find(rest, ' ');
		struct bytes word = bytes_slice(rest, 0, end);
		rest = bytes_slice(rest, end + 1, rest.length);
		if (word.length == 0)
			continue;
		if (ret_ranges->count == WEBHOOK_RANGES_MAX)
			return FAIL(ERROR_LIMIT, "too many ranges of addresses");
		if (!add_word(ret_ranges, word))
			return FAIL(ERROR_INPUT, "not `none`, `loopback` or a range of addresses");
	}
	return RESULT_OK;
}
