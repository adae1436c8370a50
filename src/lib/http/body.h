// The body of a request or a response, decoded in place in the buffer that is being read (RFC 9112
// section 6 and 7.1). Chunk extensions and trailers are refused. For request.c and client.c.
#pragma once

#include "http/fields.h"

enum http_framing { HTTP_BODY_NONE, HTTP_BODY_LENGTH, HTTP_BODY_CHUNKED, HTTP_BODY_TO_END };

struct http_body {
	enum http_framing framing;
	size_t limit;
	size_t at;     // where the body begins in the buffer
	size_t length; // how much of it is there, decoded, in one piece
	uint64_t left; // of the body, or of the chunk that is being read
	size_t scan;   // where the undecoded bytes begin
	int stage;
	bool over_limit; // why it was refused: true: too long; false: malformed
};

// Reads the framing from the fields. HTTP_REFUSED: not one clear framing, or (over_limit) too long;
// HTTP_MORE: there is a body, perhaps an empty one; HTTP_WHOLE: the fields announce none.
enum http_progress http_body_begin(struct http_body *body, const struct http_fields *fields,
                                   size_t at, size_t limit);

// Decodes what is there. HTTP_WHOLE: the body is data[at .. at + length) of the buffer, and what
// follows it in the buffer belongs to the next message. A body to the end of the line is never
// whole; its end is the caller's to see.
enum http_progress http_body_read(struct http_body *body, struct buffer *in);
