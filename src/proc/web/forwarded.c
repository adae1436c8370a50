// See forwarded.h. X-Forwarded-For, since that is what proxies send; each appends the address that
// it was called from. Several fields are one list (RFC 9110 section 5.3).
#include "web/forwarded.h"

#include "base/bytes.h"

#include <stdio.h>

// "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711": some proxies
// add the port.
static bool read_element(struct bytes element, struct net_address *ret_address)
{
	size_t colon = bytes_find(element, ':');
	struct bytes after = bytes_slice(element, colon + 1, element.length);

	if (element.length && element.data[0] == '[') {
		size_t end = bytes_find(element, ']');
		return end < element.length &&
		       (end + 1 == element.length || element.data[end + 1] == ':') &&
		       net_address_read(bytes_slice(element, 1, end - 1), ret_address);
	}
	if (bytes_find(after, ':') == after.length)
		element = bytes_slice(element, 0, colon);
	return net_address_read(element, ret_address);
}

// Takes the last element off a list. False: there is none any more.
static bool take_last(struct bytes *list, struct bytes *ret_element)
{
	size_t from = list->length;

	if (!list->data)
		return false;
	while (from > 0 && list->data[from - 1] != ',')
		from--;
	*ret_element = bytes_trim(bytes_slice(*list, from, list->length));
	*list = from ? bytes_slice(*list, 0, from - 1) : BYTES_NONE;
	return true;
}

bool forwarded_shopper(const struct net_ranges *proxies, const struct http_fields *fields,
                       const char *peer, char ret_address[static NET_ADDRESS_TEXT])
{
	struct bytes element;
	struct net_address address;

	snprintf(ret_address, NET_ADDRESS_TEXT, "%s", peer);
	if (proxies->count == 0 || !net_address_read(bytes_text(peer), &address))
		return true;
	for (size_t i = fields->count; i-- > 0 && net_ranges_hold(proxies, &address);) {
		if (!bytes_equal_text(http_fields_name(fields, i), "x-forwarded-for"))
			continue;
		struct bytes list = http_fields_value(fields, i);
		while (net_ranges_hold(proxies, &address) && take_last(&list, &element))
			if (!read_element(element, &address))
				return false;
	}
	net_address_text(&address, ret_address);
	return true;
}
