// Reads one HTTP/1.1 request from pure bytes: no socket, no clock, no memory of its own. What RFC
// 9112 and RFC 9110 let a server refuse is refused, nothing is repaired, and the result is the same
// for every way of cutting the input. docs/http.md lists what is refused and why.
#pragma once

#include "http/body.h"
#include "http/fields.h"

struct http_request {
	// Valid after HTTP_WHOLE, for as long as the buffer is not changed.
	struct bytes method; // upper-case letters
	struct bytes target; // path and query as they came, "/…"
	struct bytes path;   // the target up to "?"
	struct bytes query;  // what follows "?"; empty without
	struct bytes host;   // name and port as they came
	struct bytes body;
	struct http_fields fields;
	bool keep_alive; // the client has not said `Connection: close`
	size_t length;   // bytes at the front of the buffer that this request takes

	// Valid as soon as the head was read: the client waits for `100 Continue`.
	bool wants_continue;

	// Valid after HTTP_REFUSED: the status to answer with before closing (400, 413, 414, 417,
	// 431) and an English sentence that says why.
	int status;
	const char *detail;

	// The parser's own.
	struct http_limits limits;
	struct http_body framing;
	size_t line_at, scanned;
	uint32_t method_length, target_length;
	int stage;
};

// Starts a new request. Cheap: nothing is cleared that need not be.
void http_request_init(struct http_request *request, const struct http_limits *limits);

// Reads on. `in` begins with this request's first byte and holds all that has come since; only its
// end may have grown since the last call. Field names are lower-cased and chunks joined in place.
// HTTP_WHOLE: the request takes the first `length` bytes of `in`; drop them before the next one.
enum http_progress http_request_read(struct http_request *request, struct buffer *in);

// True once all of the head was read: what is missing is body.
bool http_request_has_head(const struct http_request *request);

// The value of a field (name in lower case); .data is NULL when it did not come.
static inline struct bytes http_request_get(const struct http_request *request, const char *name)
{
	return http_fields_get(&request->fields, name);
}
