// Addresses of the Internet and ranges of them, as operators write them into the configuration.
// IPv4 addresses are kept as IPv6 ones: mapped (RFC 4291 section 2.5.5.2).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { NET_ADDRESS_BYTES = 16, NET_ADDRESS_TEXT = 46, NET_RANGES_MAX = 32 };

struct net_address {
	uint8_t bytes[NET_ADDRESS_BYTES];
};

// All addresses that begin with the first `bits` bits of this one.
struct net_range {
	struct net_address address;
	int bits;
};

struct net_ranges {
	struct net_range ranges[NET_RANGES_MAX];
	size_t count;
};

// Reads an address as it is written, IPv4 or IPv6, without port, brackets or zone. False: it is
// none.
MUST_USE bool net_address_read(struct bytes text, struct net_address *ret_address);
// The address of a socket. False: of another family than IPv4 and IPv6.
MUST_USE bool net_address_of(const struct sockaddr *socket, struct net_address *ret_address);
// The form of an IPv4 address, of four bytes.
void net_address_map(const uint8_t ipv4[static 4], struct net_address *ret_address);
// Writes it as it is read, IPv4 ones as such.
void net_address_text(const struct net_address *address, char ret_text[static NET_ADDRESS_TEXT]);

bool net_range_holds(const struct net_range *range, const struct net_address *address);
bool net_ranges_hold(const struct net_ranges *ranges, const struct net_address *address);

// Reads "none", or words that are `loopback` or a range (`10.1.0.0/16`, `fd00::/8`, `192.0.2.7`).
// ERROR_INPUT: a word is neither; ERROR_LIMIT: too many.
MUST_USE struct result net_ranges_read(const char *text, struct net_ranges *ret_ranges);
