// Absolute http and https URLs (RFC 3986, RFC 9110 section 4.2).
#include "http/url.h"

#include "http/fields.h"

static uint16_t default_port(bool https)
{
	return https ? 443 : 80;
}

static bool read_authority(struct bytes text, struct http_url *url)
{
	uint16_t port = 0;

	if (!http_read_host(text, &url->host, &port))
		return false;
	url->has_port = port != 0;
	url->port = port ? port : default_port(url->https);
	return true;
}

struct result http_url_read(struct bytes text, struct http_url *ret_url)
{
	size_t authority_at;

	*ret_url = (struct http_url){ 0 };
	if (text.length > HTTP_URL_MAX)
		return FAIL(ERROR_LIMIT, "a URL is too long");
	ret_url->https = bytes_start_with(text, "https://");
	if (!ret_url->https && !bytes_start_with(text, "http://"))
		return FAIL(ERROR_INPUT, "a URL does not begin with http:// or https://");
	authority_at = ret_url->https ? 8 : 7;
	struct bytes rest = bytes_slice(text, authority_at, text.length);
	size_t slash = bytes_find(rest, '/');
	if (!read_authority(bytes_slice(rest, 0, slash), ret_url))
		return FAIL(ERROR_INPUT, "a URL's host or port is malformed");
	ret_url->path = bytes_slice(rest, slash, rest.length);
	size_t mark = bytes_find(ret_url->path, '?');
	if (!http_is_escaped(bytes_slice(ret_url->path, 0, mark), HTTP_PATH) ||
	    !http_is_escaped(bytes_slice(ret_url->path, mark + 1, rest.length), HTTP_QUERY))
		return FAIL(ERROR_INPUT, "a URL's path or query is malformed");
	return RESULT_OK;
}

bool http_url_is_origin(struct bytes text)
{
	struct http_url url;

	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] >= 'A' && text.data[i] <= 'Z')
			return false;
	return result_ok(http_url_read(text, &url)) && url.path.length == 0;
}

void http_url_put_host(const struct http_url *url, struct buffer *buffer)
{
	for (size_t i = 0; i < url->host.length; i++) {
		uint8_t byte = url->host.data[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (uint8_t)(byte + ('a' - 'A'));
		buffer_put_byte(buffer, byte);
	}
	if (url->port != default_port(url->https))
		buffer_printf(buffer, ":%u", url->port);
}

void http_url_put_origin(const struct http_url *url, struct buffer *buffer)
{
	buffer_put_text(buffer, url->https ? "https://" : "http://");
	http_url_put_host(url, buffer);
}
