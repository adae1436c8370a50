// The client's side: writes a request, reads the response, as strictly as request.h reads requests.
// Pure bytes; whoever has the socket calls in. Used by programs that call others over HTTP.
#pragma once

#include "http/body.h"
#include "http/fields.h"

// Appends a whole request with Host and, where there is a body or the method is POST, PUT or PATCH,
// Content-Length. ERROR_INPUT: method, target, host or a field may not be sent; `out` is as before.
MUST_USE struct result http_request_put(struct buffer *out, const char *method, const char *target,
                                        const char *host, const struct http_pair *pairs,
                                        size_t count, struct bytes body);

struct http_response {
	// Valid after HTTP_WHOLE, for as long as the buffer is not changed.
	int status;
	struct http_fields fields;
	struct bytes body;
	bool keep_alive; // the connection may be used again
	size_t length;   // bytes at the front of the buffer that this response takes

	const char *detail; // after HTTP_REFUSED

	struct http_limits limits;
	struct http_body framing;
	size_t line_at, scanned;
	bool of_head;
	int stage;
};

// Starts a response. `of_head`: it answers a HEAD request, which has no body whatever it says.
void http_response_init(struct http_response *response, const struct http_limits *limits,
                        bool of_head);

// Reads on, as http_request_read() does. `at_end`: the server has closed its side; a body without
// length ends here, and anything else that is not whole is refused. Interim responses (1xx) are
// dropped from the buffer.
enum http_progress http_response_read(struct http_response *response, struct buffer *in,
                                      bool at_end);

static inline struct bytes http_response_get(const struct http_response *response, const char *name)
{
	return http_fields_get(&response->fields, name);
}
