// The request parser (RFC 9112 sections 2 to 7). The head is read line by line, each line once it
// is whole; so what is said about an input does not depend on how it was cut.
#include "http/request.h"

#include "base/check.h"

enum stage { IN_REQUEST_LINE, IN_FIELDS, IN_BODY, IS_WHOLE, IS_REFUSED };
enum { MAX_METHOD = 16 };

// Fields that RFC 9110 defines as one value, and those of ours: a second one would be a second way
// to read the request.
static const char *const single_fields[] = {
	"authorization", "content-type",    "expect",         "origin",         "user-agent",
	"referer",       "idempotency-key", "stripe-version", "stripe-account", "stripe-context",
};

void http_request_init(struct http_request *request, const struct http_limits *limits)
{
	CHECK(limits->fields <= HTTP_MAX_FIELDS);
	request->limits = *limits;
	request->fields.count = 0;
	request->fields.data = NULL;
	request->wants_continue = false;
	request->status = 0;
	request->detail = "";
	request->line_at = 0;
	request->scanned = 0;
	request->stage = IN_REQUEST_LINE;
}

bool http_request_has_head(const struct http_request *request)
{
	return request->stage == IN_BODY || request->stage == IS_WHOLE;
}

static enum http_progress refuse(struct http_request *request, int status, const char *detail)
{
	request->stage = IS_REFUSED;
	request->status = status;
	request->detail = detail;
	return HTTP_REFUSED;
}

static bool is_method(struct bytes method)
{
	if (method.length == 0 || method.length > MAX_METHOD)
		return false;
	for (size_t i = 0; i < method.length; i++)
		if (method.data[i] < 'A' || method.data[i] > 'Z')
			return false;
	return true;
}

// Origin-form only (RFC 9112 section 3.2.1): we are no proxy, and a target with an authority would
// be a second Host.
static bool is_origin_form(struct bytes target)
{
	size_t mark = bytes_find(target, '?');

	return target.length > 0 && target.data[0] == '/' &&
	       http_is_escaped(bytes_slice(target, 0, mark), HTTP_PATH) &&
	       http_is_escaped(bytes_slice(target, mark + 1, target.length), HTTP_QUERY);
}

static enum http_progress read_request_line(struct http_request *request, struct bytes line)
{
	size_t method_length = bytes_find(line, ' ');
	struct bytes rest = bytes_slice(line, method_length + 1, line.length);
	size_t target_length = bytes_find(rest, ' ');
	struct bytes version = bytes_slice(rest, target_length + 1, rest.length);

	if (!is_method(bytes_slice(line, 0, method_length)))
		return refuse(request, 400, "The request line does not begin with a method.");
	if (target_length > request->limits.target)
		return refuse(request, 414, "The request target is too long.");
	if (!bytes_equal_text(version, "HTTP/1.1"))
		return refuse(request, 400, "The request line does not end in HTTP/1.1.");
	if (!is_origin_form(bytes_slice(rest, 0, target_length)))
		return refuse(request, 400,
		              "The request target is not a path with an optional query.");
	request->method_length = (uint32_t)method_length;
	request->target_length = (uint32_t)target_length;
	request->stage = IN_FIELDS;
	return HTTP_MORE;
}

static enum http_progress check_host(struct http_request *request)
{
	struct bytes host;
	uint16_t port;

	if (http_fields_count(&request->fields, "host") != 1)
		return refuse(request, 400, "There must be exactly one Host header.");
	if (!http_read_host(http_fields_get(&request->fields, "host"), &host, &port))
		return refuse(request, 400, "The Host header is not a valid host.");
	return HTTP_MORE;
}

static enum http_progress check_single_fields(struct http_request *request)
{
	for (size_t i = 0; i < sizeof(single_fields) / sizeof(single_fields[0]); i++)
		if (http_fields_count(&request->fields, single_fields[i]) > 1)
			return refuse(request, 400, "A header that may come once came twice.");
	return HTTP_MORE;
}

static bool equal_ignoring_case(struct bytes text, const char *lower_case)
{
	if (text.length != strlen(lower_case))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.data[i];
		if (byte >= 'A' && byte <= 'Z')
			byte = (uint8_t)(byte + ('a' - 'A'));
		if (byte != (uint8_t)lower_case[i])
			return false;
	}
	return true;
}

static enum http_progress check_expect(struct http_request *request)
{
	struct bytes expect = http_fields_get(&request->fields, "expect");

	if (!expect.data)
		return HTTP_MORE;
	if (!equal_ignoring_case(expect, "100-continue"))
		return refuse(request, 417, "The expectation is not known.");
	request->wants_continue = request->framing.framing != HTTP_BODY_NONE;
	return HTTP_MORE;
}

static struct bytes method_of(const struct http_request *request, const struct buffer *in)
{
	return bytes_from(in->data, request->method_length);
}

// Content of GET, HEAD and TRACE has no meaning, and RFC 9110 section 9.3.1 names it as a means of
// request smuggling that may be refused.
static bool method_has_content(struct bytes method)
{
	return !bytes_equal_text(method, "GET") && !bytes_equal_text(method, "HEAD") &&
	       !bytes_equal_text(method, "TRACE");
}

static enum http_progress begin_body(struct http_request *request, const struct buffer *in)
{
	struct http_body *framing = &request->framing;

	if (http_body_begin(framing, &request->fields, request->line_at, request->limits.body) ==
	    HTTP_REFUSED)
		return framing->over_limit
		               ? refuse(request, 413, "The body is too long.")
		               : refuse(request, 400, "The length of the body is not clear.");
	bool content = framing->framing == HTTP_BODY_CHUNKED || framing->left > 0;
	if (content && !method_has_content(method_of(request, in)))
		return refuse(request, 400, "A request of this method may not have a body.");
	return HTTP_MORE;
}

static enum http_progress end_head(struct http_request *request, const struct buffer *in)
{
	if (check_host(request) == HTTP_REFUSED || check_single_fields(request) == HTTP_REFUSED ||
	    begin_body(request, in) == HTTP_REFUSED)
		return HTTP_REFUSED;
	request->stage = IN_BODY;
	request->keep_alive = !http_fields_list_has(&request->fields, "connection", "close");
	return check_expect(request);
}

static enum http_progress read_field(struct http_request *request, struct buffer *in, size_t at,
                                     size_t length)
{
	if (length == 0)
		return end_head(request, in);
	if (in->data[at] == ' ' || in->data[at] == '\t')
		return refuse(request, 400, "A header is folded over several lines.");
	if (request->fields.count == request->limits.fields)
		return refuse(request, 431, "There are too many headers.");
	if (!http_fields_add(&request->fields, in->data, at, length))
		return refuse(request, 400, "A header is malformed.");
	return HTTP_MORE;
}

static enum http_progress read_line(struct http_request *request, struct buffer *in)
{
	size_t length = 0;
	bool too_long;
	size_t at = request->line_at;
	enum http_progress line =
	        http_line(in, at, &request->scanned, request->limits.head, &length, &too_long);

	if (line == HTTP_MORE)
		return HTTP_MORE;
	if (line == HTTP_REFUSED && !too_long)
		return refuse(request, 400, "A line ends without CR LF.");
	if (line == HTTP_REFUSED)
		return request->stage == IN_REQUEST_LINE
		               ? refuse(request, 414, "The request line is too long.")
		               : refuse(request, 431, "The headers are too long.");
	request->line_at = request->scanned;
	if (request->stage == IN_REQUEST_LINE)
		return read_request_line(request, bytes_from(in->data + at, length));
	return read_field(request, in, at, length);
}

static enum http_progress finish(struct http_request *request, const struct buffer *in)
{
	size_t target_at = request->method_length + 1;

	request->stage = IS_WHOLE;
	request->method = method_of(request, in);
	request->target = bytes_from(in->data + target_at, request->target_length);
	size_t mark = bytes_find(request->target, '?');
	request->path = bytes_slice(request->target, 0, mark);
	request->query = bytes_slice(request->target, mark + 1, request->target.length);
	request->host = http_fields_get(&request->fields, "host");
	request->body = bytes_from(in->data + request->framing.at, request->framing.length);
	request->length = request->framing.at + request->framing.length;
	return HTTP_WHOLE;
}

enum http_progress http_request_read(struct http_request *request, struct buffer *in)
{
	request->fields.data = in->data; // the buffer may have moved
	while (request->stage == IN_REQUEST_LINE || request->stage == IN_FIELDS) {
		size_t before = request->line_at;
		if (read_line(request, in) == HTTP_REFUSED)
			return HTTP_REFUSED;
		if (request->line_at == before)
			return HTTP_MORE;
	}
	if (request->stage == IS_REFUSED)
		return HTTP_REFUSED;
	if (request->stage == IS_WHOLE)
		return HTTP_WHOLE;
	enum http_progress body = http_body_read(&request->framing, in);
	if (body == HTTP_REFUSED)
		return request->framing.over_limit
		               ? refuse(request, 413, "The body is too long.")
		               : refuse(request, 400, "The chunks of the body are malformed.");
	return body == HTTP_WHOLE ? finish(request, in) : HTTP_MORE;
}
