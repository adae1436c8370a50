// Which addresses a webhook may be delivered to. Merchants choose the URLs, and the program that
// dials them stands inside the operator's network: what is not the public Internet is refused
// unless the operator allows it. To be asked about the address that a socket is about to be
// connected to, after names were resolved, so that no name can lead elsewhere. The special ranges
// are those of the IANA registries (RFC 6890); IPv4 addresses inside of IPv6 ones (mapped: RFC 4291
// section 2.5.5, translated: RFC 6052) count as what they hold.
#pragma once

#include "base/result.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { WEBHOOK_RANGES_MAX = 32, WEBHOOK_ADDRESS_BYTES = 16 };

// An IPv6 range; IPv4 ones are the mapped ones.
struct webhook_range {
	uint8_t address[WEBHOOK_ADDRESS_BYTES];
	int bits;
};

struct webhook_ranges {
	struct webhook_range ranges[WEBHOOK_RANGES_MAX];
	size_t count;
};

// Reads what the operator allows besides the Internet: "none", or words that are `loopback` or a
// range (`10.1.0.0/16`, `fd00::/8`, `192.0.2.7`). ERROR_INPUT: a word is neither; ERROR_LIMIT: too
// many.
MUST_USE struct result webhook_ranges_read(const char *text, struct webhook_ranges *ret_ranges);

// True when the address may be connected to. Of other families than IPv4 and IPv6: never.
bool webhook_address_fits(const struct sockaddr *address, const struct webhook_ranges *allowed);
