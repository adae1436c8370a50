// base64url as the browser carries it, and the one rule about addresses: plain http is for
// loopback. RFC 4648 section 5; EMV 3-D Secure 2.2.0 requirement 193.

#include "emv3ds/encode.h"

#include "base/text.h"

#include <strings.h>

static int base64url_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

struct result emv3ds_base64url_read(struct bytes text, struct buffer *buffer)
{
	uint32_t bits = 0;
	unsigned count = 0;
	unsigned padding = 0;

	for (size_t i = 0; i < text.length; i++) {
		uint8_t c = text.data[i];
		int digit = base64url_digit(c);

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		if (digit < 0 || padding)
			return FAIL(ERROR_INPUT, "not base64url");
		bits = bits << 6 | (uint32_t)digit;
		if (++count % 4 != 1)
			buffer_put_byte(buffer, (uint8_t)(bits >> (6 - 2 * ((count - 1) % 4))));
	}
	if (count % 4 == 1 || (padding && (count + padding) % 4 != 0) || padding > 2)
		return FAIL(ERROR_INPUT, "base64url of a length that cannot be");
	return buffer_result(buffer);
}

static struct bytes after_scheme(struct bytes url, bool *ret_plain)
{
	*ret_plain = bytes_start_with(url, "http://");
	if (*ret_plain)
		return bytes_slice(url, 7, url.length);
	if (bytes_start_with(url, "https://"))
		return bytes_slice(url, 8, url.length);
	return BYTES_NONE;
}

// Host and port, up to the path or the query.
static struct bytes authority(struct bytes url)
{
	bool plain;
	struct bytes rest = after_scheme(url, &plain);
	size_t end = 0;

	while (end < rest.length && rest.data[end] != '/' && rest.data[end] != '?')
		end++;
	return bytes_slice(rest, 0, end);
}

static bool port_ok(struct bytes text)
{
	uint64_t port;

	return text.length == 0 ||
	       (text.data[0] == ':' &&
	        text_to_number(bytes_slice(text, 1, text.length), 65535, &port) && port > 0);
}

struct bytes emv3ds_url_host(struct bytes url)
{
	struct bytes whole = authority(url);
	size_t bracket = bytes_find(whole, ']');

	if (whole.length && whole.data[0] == '[')
		return bytes_slice(whole, 0, bracket + 1);
	return bytes_slice(whole, 0, bytes_find(whole, ':'));
}

struct bytes emv3ds_url_origin(struct bytes url)
{
	struct bytes whole = authority(url);

	return bytes_from(url.data, (size_t)(whole.data - url.data) + whole.length);
}

bool emv3ds_host_is_loopback(struct bytes host)
{
	static const char name[] = "localhost";
	size_t length = sizeof(name) - 1;
	bool dotted = true;

	if (bytes_equal_text(host, "[::1]"))
		return true;
	for (size_t i = 0; i < host.length; i++)
		dotted = dotted &&
		         (host.data[i] == '.' || (host.data[i] >= '0' && host.data[i] <= '9'));
	if (dotted && bytes_start_with(host, "127."))
		return true;
	if (host.length < length ||
	    strncasecmp((const char *)host.data + host.length - length, name, length) != 0)
		return false;
	return host.length == length || host.data[host.length - length - 1] == '.';
}

bool emv3ds_url_ok(struct bytes url)
{
	bool plain;
	struct bytes host;
	struct bytes whole;

	for (size_t i = 0; i < url.length; i++)
		if (url.data[i] <= ' ' || url.data[i] >= 0x7f ||
		    strchr("\"<>\\^`{|}#", url.data[i]))
			return false;
	if (after_scheme(url, &plain).length == 0)
		return false;
	whole = authority(url);
	host = emv3ds_url_host(url);
	if (host.length == 0 || bytes_find(whole, '@') < whole.length ||
	    !port_ok(bytes_slice(whole, host.length, whole.length)))
		return false;
	for (size_t i = 0; i < host.length && host.data[0] != '['; i++)
		if (host.data[i] != '.' && host.data[i] != '-' && base64url_digit(host.data[i]) < 0)
			return false;
	return !plain || emv3ds_host_is_loopback(host);
}
