// Framing and decoding of bodies (RFC 9112 sections 6 and 7.1), in place.
#include "http/body.h"

#include "base/text.h"

enum { SIZE_LINE = 10, MAX_SIZE_DIGITS = 8 };
enum stage { IN_SIZE, IN_CHUNK, AFTER_CHUNK, AFTER_LAST };

static enum http_progress refuse(struct http_body *body, bool over_limit)
{
	body->over_limit = over_limit;
	return HTTP_REFUSED;
}

// Content-Length: digits, no sign, no leading zero, once (RFC 9112 section 6.3 allows to refuse the
// same value twice, so we do).
static enum http_progress begin_length(struct http_body *body, struct bytes value)
{
	if (text_to_number(value, body->limit, &body->left)) {
		body->framing = HTTP_BODY_LENGTH;
		return HTTP_MORE;
	}
	bool odd = !text_is_digits(value) || (value.length > 1 && value.data[0] == '0');
	return refuse(body, !odd);
}

enum http_progress http_body_begin(struct http_body *body, const struct http_fields *fields,
                                   size_t at, size_t limit)
{
	size_t lengths = http_fields_count(fields, "content-length");
	size_t codings = http_fields_count(fields, "transfer-encoding");

	*body = (struct http_body){ .limit = limit, .at = at, .scan = at };
	if (lengths + codings == 0)
		return HTTP_WHOLE;
	if (lengths + codings > 1)
		return refuse(body, false);
	if (lengths)
		return begin_length(body, http_fields_get(fields, "content-length"));
	if (!bytes_equal_text(http_fields_get(fields, "transfer-encoding"), "chunked"))
		return refuse(body, false);
	body->framing = HTTP_BODY_CHUNKED;
	return HTTP_MORE;
}

static enum http_progress read_length(struct http_body *body, const struct buffer *in)
{
	size_t there = in->length - body->at;

	if (there < body->left)
		return HTTP_MORE;
	body->length = (size_t)body->left;
	return HTTP_WHOLE;
}

// One step of a chunked body says whether there may be a next one (HTTP_WHOLE: go on).
static enum http_progress read_size(struct http_body *body, const struct buffer *in)
{
	size_t looked = body->scan;
	size_t length = 0;
	bool too_long;
	uint64_t size = 0;
	enum http_progress line =
	        http_line(in, body->scan, &looked, body->scan + SIZE_LINE, &length, &too_long);

	if (line == HTTP_MORE)
		return HTTP_MORE;
	if (line == HTTP_REFUSED || length == 0 || length > MAX_SIZE_DIGITS)
		return refuse(body, false);
	for (size_t i = 0; i < length; i++) {
		int digit = http_hex(in->data[body->scan + i]);
		if (digit < 0 || (digit == 0 && i == 0 && length > 1))
			return refuse(body, false);
		size = size << 4 | (uint64_t)digit;
	}
	if (size > body->limit - body->length)
		return refuse(body, true);
	body->scan = looked;
	body->left = size;
	body->stage = size ? IN_CHUNK : AFTER_LAST;
	return HTTP_WHOLE;
}

static enum http_progress read_chunk(struct http_body *body, const struct buffer *in)
{
	size_t there = in->length - body->scan;
	size_t count = there < body->left ? there : (size_t)body->left;

	if (count)
		memmove(in->data + body->at + body->length, in->data + body->scan, count);
	body->length += count;
	body->scan += count;
	body->left -= count;
	if (body->left)
		return HTTP_MORE;
	body->stage = AFTER_CHUNK;
	return HTTP_WHOLE;
}

// The CR LF after a chunk, and the empty line after the last one. Anything else there would be a
// longer chunk or a trailer.
static enum http_progress read_end(struct http_body *body, const struct buffer *in)
{
	size_t there = in->length - body->scan;

	if ((there >= 1 && in->data[body->scan] != '\r') ||
	    (there >= 2 && in->data[body->scan + 1] != '\n'))
		return refuse(body, false);
	if (there < 2)
		return HTTP_MORE;
	body->scan += 2;
	return HTTP_WHOLE;
}

static enum http_progress read_step(struct http_body *body, const struct buffer *in, bool *ret_last)
{
	switch ((enum stage)body->stage) {
	case IN_SIZE: return read_size(body, in);
	case IN_CHUNK: return read_chunk(body, in);
	case AFTER_CHUNK: body->stage = IN_SIZE; break;
	case AFTER_LAST: *ret_last = true; break;
	}
	enum http_progress end = read_end(body, in);
	if (end == HTTP_MORE)
		body->stage = *ret_last ? AFTER_LAST : AFTER_CHUNK;
	return end;
}

// Moves what was not decoded yet behind what was, so that the framing of many small chunks does not
// fill the buffer.
static void close_gap(struct http_body *body, struct buffer *in)
{
	size_t decoded_end = body->at + body->length;
	size_t gap = body->scan - decoded_end;

	if (gap == 0)
		return;
	memmove(in->data + decoded_end, in->data + body->scan, in->length - body->scan);
	in->length -= gap;
	if (in->secret)
		explicit_bzero(in->data + in->length, gap);
	body->scan = decoded_end;
}

static enum http_progress read_chunked(struct http_body *body, struct buffer *in)
{
	enum http_progress step = HTTP_WHOLE;
	bool last = false;

	while (step == HTTP_WHOLE && !last)
		step = read_step(body, in, &last);
	if (step != HTTP_REFUSED)
		close_gap(body, in);
	return step;
}

static enum http_progress read_to_end(struct http_body *body, const struct buffer *in)
{
	body->length = in->length - body->at;
	return body->length > body->limit ? refuse(body, true) : HTTP_MORE;
}

enum http_progress http_body_read(struct http_body *body, struct buffer *in)
{
	switch (body->framing) {
	case HTTP_BODY_NONE: return HTTP_WHOLE;
	case HTTP_BODY_LENGTH: return read_length(body, in);
	case HTTP_BODY_CHUNKED: return read_chunked(body, in);
	case HTTP_BODY_TO_END: return read_to_end(body, in);
	}
	return HTTP_REFUSED;
}
