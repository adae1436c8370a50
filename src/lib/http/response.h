// Writes the head of a response (RFC 9112 section 4). What could split a response is refused.
#pragma once

#include "http/fields.h"

// "OK", "Not Found", …; "Unknown" for what is not in the table.
const char *http_reason(int status);

// True when a response of this status has no body and no Content-Length (1xx, 204, 304).
bool http_status_is_bare(int status);

// Appends status line, fields, Content-Length (not when the status is bare), `Connection: close` if
// asked for, and the empty line. ERROR_INPUT: a name or value may not be sent; `out` is as before.
MUST_USE struct result http_response_put(struct buffer *out, int status,
                                         const struct http_pair *pairs, size_t count,
                                         size_t content_length, bool close);
