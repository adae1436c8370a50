// Whose request it is when it came through a proxy.
#pragma once

#include "http/fields.h"
#include "net/range.h"

// The shopper's address. It is the client's (`peer`) unless that is one of the operator's proxies:
// then it is the last address of X-Forwarded-For that is no proxy. What stands before it was said
// by nobody whom we trust, and is not looked at. The first one when all are proxies; the peer when
// the field did not come: the proxy's own requests, such as probes.
//
// False: a proxy said something that is no address; whose request it is cannot be known.
MUST_USE bool forwarded_shopper(const struct net_ranges *proxies, const struct http_fields *fields,
                                const char *peer, char ret_address[static NET_ADDRESS_TEXT]);
