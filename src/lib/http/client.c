// Writing requests and reading responses (RFC 9112), with the same strictness as request.c.
#include "http/client.h"

#include "base/check.h"

enum stage { IN_STATUS_LINE, IN_FIELDS, IN_BODY, IS_WHOLE, IS_REFUSED };

static bool method_sends_length(const char *method)
{
	return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
	       strcmp(method, "PATCH") == 0;
}

static bool may_be_sent(const char *method, const char *target, const char *host)
{
	struct bytes target_view = bytes_text(target);
	size_t mark = bytes_find(target_view, '?');
	struct bytes name;
	uint16_t port;

	return method[0] != '\0' && http_all_of(bytes_text(method), HTTP_TOKEN) &&
	       target[0] == '/' && http_is_escaped(bytes_slice(target_view, 0, mark), HTTP_PATH) &&
	       http_is_escaped(bytes_slice(target_view, mark + 1, target_view.length),
	                       HTTP_QUERY) &&
	       http_read_host(bytes_text(host), &name, &port);
}

static struct result put_request(struct buffer *out, const char *method, const char *target,
                                 const char *host, const struct http_pair *pairs, size_t count,
                                 struct bytes body)
{
	buffer_put_text(out, method);
	buffer_put_byte(out, ' ');
	buffer_put_text(out, target);
	buffer_put(out, BYTES_LITERAL(" HTTP/1.1\r\n"));
	TRY(http_fields_put(out, "Host", bytes_text(host)));
	for (size_t i = 0; i < count; i++)
		TRY(http_fields_put(out, pairs[i].name, pairs[i].value));
	if (body.length || method_sends_length(method))
		buffer_printf(out, "Content-Length: %zu\r\n", body.length);
	buffer_put(out, BYTES_LITERAL("\r\n"));
	buffer_put(out, body);
	return buffer_result(out);
}

struct result http_request_put(struct buffer *out, const char *method, const char *target,
                               const char *host, const struct http_pair *pairs, size_t count,
                               struct bytes body)
{
	size_t before = out->length;

	if (!may_be_sent(method, target, host))
		return FAIL(ERROR_INPUT, "a method, target or host may not be sent");
	struct result result = put_request(out, method, target, host, pairs, count, body);
	if (!result_ok(result))
		out->length = before;
	return result;
}

void http_response_init(struct http_response *response, const struct http_limits *limits,
                        bool of_head)
{
	CHECK(limits->fields <= HTTP_MAX_FIELDS);
	response->limits = *limits;
	response->of_head = of_head;
	response->fields.count = 0;
	response->fields.data = NULL;
	response->status = 0;
	response->detail = "";
	response->line_at = 0;
	response->scanned = 0;
	response->stage = IN_STATUS_LINE;
}

static enum http_progress refuse(struct http_response *response, const char *detail)
{
	response->stage = IS_REFUSED;
	response->detail = detail;
	return HTTP_REFUSED;
}

// "HTTP/1.1 " three digits, a space, and a reason that nobody reads.
static enum http_progress read_status_line(struct http_response *response, struct bytes line)
{
	int status = 0;

	if (line.length < 13 || !bytes_start_with(line, "HTTP/1.1 ") || line.data[12] != ' ' ||
	    !http_all_of(line, HTTP_VALUE))
		return refuse(response, "the status line is malformed");
	for (size_t i = 9; i < 12; i++) {
		if (line.data[i] < '0' || line.data[i] > '9')
			return refuse(response, "the status is not a number");
		status = status * 10 + (line.data[i] - '0');
	}
	if (status < 100 || status > 599 || status == 101)
		return refuse(response, "the status is one that we did not ask for");
	response->status = status;
	response->stage = IN_FIELDS;
	return HTTP_MORE;
}

// RFC 9112 section 6.3.
static enum http_progress begin_body(struct http_response *response)
{
	struct http_body *framing = &response->framing;
	enum http_progress begun = http_body_begin(framing, &response->fields, response->line_at,
	                                           response->limits.body);

	response->stage = IN_BODY;
	response->keep_alive = !http_fields_list_has(&response->fields, "connection", "close");
	// The length that a HEAD or a 304 announces is that of another answer.
	if (response->of_head || response->status == 204 || response->status == 304) {
		framing->framing = HTTP_BODY_NONE;
		return HTTP_MORE;
	}
	if (begun == HTTP_REFUSED)
		return refuse(response, framing->over_limit
		                                ? "the body is too long"
		                                : "the length of the body is not clear");
	if (begun == HTTP_WHOLE) {
		framing->framing = HTTP_BODY_TO_END;
		response->keep_alive = false;
	}
	return HTTP_MORE;
}

// An interim response has no body; the next one follows.
static enum http_progress skip_interim(struct http_response *response, struct buffer *in)
{
	buffer_drop(in, response->line_at);
	http_response_init(response, &response->limits, response->of_head);
	return HTTP_WHOLE;
}

static enum http_progress read_field(struct http_response *response, struct buffer *in, size_t at,
                                     size_t length)
{
	if (length == 0)
		return response->status < 200 ? skip_interim(response, in) : begin_body(response);
	if (response->fields.count == response->limits.fields)
		return refuse(response, "there are too many headers");
	if (!http_fields_add(&response->fields, in->data, at, length))
		return refuse(response, "a header is malformed");
	return HTTP_MORE;
}

// Reads one line of the head; HTTP_WHOLE: there may be a next one.
static enum http_progress read_line(struct http_response *response, struct buffer *in)
{
	size_t length = 0;
	bool too_long;
	size_t at = response->line_at;
	enum http_progress line =
	        http_line(in, at, &response->scanned, response->limits.head, &length, &too_long);

	if (line == HTTP_MORE)
		return HTTP_MORE;
	if (line == HTTP_REFUSED)
		return refuse(response, too_long ? "the head is too long" : "a line has a bare LF");
	response->line_at = response->scanned;
	enum http_progress read =
	        response->stage == IN_STATUS_LINE
	                ? read_status_line(response, bytes_from(in->data + at, length))
	                : read_field(response, in, at, length);
	return read == HTTP_REFUSED ? HTTP_REFUSED : HTTP_WHOLE;
}

static enum http_progress finish(struct http_response *response, const struct buffer *in)
{
	response->stage = IS_WHOLE;
	response->body = bytes_from(in->data + response->framing.at, response->framing.length);
	response->length = response->framing.at + response->framing.length;
	return HTTP_WHOLE;
}

enum http_progress http_response_read(struct http_response *response, struct buffer *in,
                                      bool at_end)
{
	enum http_progress line = HTTP_WHOLE;

	response->fields.data = in->data; // the buffer may have moved
	while (line == HTTP_WHOLE &&
	       (response->stage == IN_STATUS_LINE || response->stage == IN_FIELDS))
		line = read_line(response, in);
	if (response->stage == IS_REFUSED)
		return HTTP_REFUSED;
	if (response->stage == IS_WHOLE)
		return HTTP_WHOLE;
	if (response->stage != IN_BODY)
		return at_end ? refuse(response, "the server closed in the middle") : HTTP_MORE;
	enum http_progress body = http_body_read(&response->framing, in);
	if (body == HTTP_REFUSED)
		return refuse(response, response->framing.over_limit ? "the body is too long"
		                                                     : "the chunks are malformed");
	if (body == HTTP_WHOLE || (at_end && response->framing.framing == HTTP_BODY_TO_END))
		return finish(response, in);
	return at_end ? refuse(response, "the server closed in the middle") : HTTP_MORE;
}
