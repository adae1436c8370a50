// See range.h.
#include "net/range.h"

#include "base/check.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { MAPPED_BITS = 96, IPV4_BITS = 32, IPV6_BITS = 128 };

static const uint8_t mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

void net_address_map(const uint8_t ipv4[static 4], struct net_address *ret_address)
{
	memcpy(ret_address->bytes, mapped, sizeof(mapped));
	memcpy(ret_address->bytes + sizeof(mapped), ipv4, NET_ADDRESS_BYTES - sizeof(mapped));
}

bool net_address_read(struct bytes text, struct net_address *ret_address)
{
	char copy[NET_ADDRESS_TEXT];
	struct in_addr ipv4;

	if (!bytes_copy_text(text, copy, sizeof(copy)))
		return false;
	if (inet_pton(AF_INET, copy, &ipv4) != 1)
		return inet_pton(AF_INET6, copy, ret_address->bytes) == 1;
	net_address_map((const uint8_t *)&ipv4, ret_address);
	return true;
}

bool net_address_of(const struct sockaddr *socket, struct net_address *ret_address)
{
	const void *whole = socket;

	if (socket->sa_family == AF_INET)
		net_address_map((const uint8_t *)&((const struct sockaddr_in *)whole)->sin_addr,
		                ret_address);
	else if (socket->sa_family == AF_INET6)
		memcpy(ret_address->bytes, &((const struct sockaddr_in6 *)whole)->sin6_addr,
		       NET_ADDRESS_BYTES);
	else
		return false;
	return true;
}

void net_address_text(const struct net_address *address, char ret_text[static NET_ADDRESS_TEXT])
{
	bool ipv4 = memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
	const uint8_t *from = address->bytes + (ipv4 ? sizeof(mapped) : 0);

	CHECK(inet_ntop(ipv4 ? AF_INET : AF_INET6, from, ret_text, NET_ADDRESS_TEXT));
}

bool net_range_holds(const struct net_range *range, const struct net_address *address)
{
	size_t whole = (size_t)range->bits / 8;
	int rest = range->bits % 8;
	uint8_t mask = (uint8_t)(0xff00 >> rest);

	return memcmp(address->bytes, range->address.bytes, whole) == 0 &&
	       (rest == 0 ||
	        (address->bytes[whole] & mask) == (range->address.bytes[whole] & mask));
}

bool net_ranges_hold(const struct net_ranges *ranges, const struct net_address *address)
{
	for (size_t i = 0; i < ranges->count; i++)
		if (net_range_holds(&ranges->ranges[i], address))
			return true;
	return false;
}

static bool add(struct net_ranges *ranges, struct bytes word)
{
	struct net_range *range = &ranges->ranges[ranges->count];
	size_t slash = bytes_find(word, '/');
	struct bytes address = bytes_slice(word, 0, slash);
	bool ipv4 = bytes_find(address, ':') == address.length;
	uint64_t most = ipv4 ? IPV4_BITS : IPV6_BITS;
	uint64_t bits = most;

	if (!net_address_read(address, &range->address) ||
	    (slash < word.length &&
	     !text_to_number(bytes_slice(word, slash + 1, word.length), most, &bits)))
		return false;
	range->bits = (int)bits + (ipv4 ? MAPPED_BITS : 0);
	ranges->count++;
	return true;
}

static struct result add_word(struct net_ranges *ranges, struct bytes word)
{
	static const struct bytes loopback[] = { BYTES_LITERAL("127.0.0.0/8"),
		                                 BYTES_LITERAL("::1") };
	bool all = bytes_equal_text(word, "loopback");
	const struct bytes *words = all ? loopback : &word;
	size_t count = all ? sizeof(loopback) / sizeof(loopback[0]) : 1;

	for (size_t i = 0; i < count; i++) {
		if (ranges->count == NET_RANGES_MAX)
			return FAIL(ERROR_LIMIT, "too many ranges of addresses");
		if (!add(ranges, words[i]))
			return FAIL(ERROR_INPUT, "not `none`, `loopback` or a range of addresses");
	}
	return RESULT_OK;
}

struct result net_ranges_read(const char *text, struct net_ranges *ret_ranges)
{
	struct bytes rest = bytes_text(text);

	ret_ranges->count = 0;
	if (bytes_equal_text(rest, "none"))
		return RESULT_OK;
	while (rest.length) {
		size_t end = bytes_find(rest, ' ');
		struct bytes word = bytes_slice(rest, 0, end);
		rest = bytes_slice(rest, end + 1, rest.length);
		if (word.length)
			TRY(add_word(ret_ranges, word));
	}
	return RESULT_OK;
}
