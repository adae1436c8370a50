// Absolute http and https URLs (RFC 9110 section 4.2), read strictly: no user, no fragment, no
// relative form. For clients, redirects and what goes into a Content-Security-Policy.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

enum { HTTP_URL_MAX = 8192 };

struct http_url {
	bool https;
	struct bytes host; // without port; an IPv6 address with its brackets
	uint16_t port;     // the scheme's default when the URL names none
	bool has_port;     // the URL names a port
	struct bytes path; // with the query; empty when the URL ends after the host
};

// The parts are views into `text`. ERROR_INPUT when it is not such a URL, ERROR_LIMIT when it is
// longer than HTTP_URL_MAX.
MUST_USE struct result http_url_read(struct bytes text, struct http_url *ret_url);

// True when the text is an origin and nothing else: scheme://host[:port], lower case.
bool http_url_is_origin(struct bytes text);

// Appends scheme://host[:port] in lower case, without the scheme's default port.
void http_url_put_origin(const struct http_url *url, struct buffer *buffer);
// Appends host[:port] as the Host field wants it.
void http_url_put_host(const struct http_url *url, struct buffer *buffer);
