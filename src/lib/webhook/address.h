// Which addresses a webhook may be delivered to. Merchants choose the URLs, and the program that
// dials them stands inside the operator's network: what is not the public Internet is refused
// unless the operator allows it. To be asked about the address that a socket is about to be
// connected to, after names were resolved, so that no name can lead elsewhere. The special ranges
// are those of the IANA registries (RFC 6890); IPv4 addresses inside of IPv6 ones (mapped: RFC 4291
// section 2.5.5, translated: RFC 6052) count as what they hold.
#pragma once

#include "net/range.h"

// True when the address may be connected to: it is of the Internet, or in one of the ranges that
// the operator allows besides. Of other families than IPv4 and IPv6: never.
bool webhook_address_fits(const struct sockaddr *address, const struct net_ranges *allowed);
