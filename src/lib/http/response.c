// Heads of responses (RFC 9112 section 4), each field checked before it is written.
#include "http/response.h"

#include <stdio.h>

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{ 100, "Continue" },
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 301, "Moved Permanently" },
	{ 302, "Found" },
	{ 303, "See Other" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 402, "Payment Required" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 406, "Not Acceptable" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 410, "Gone" },
	{ 413, "Content Too Large" },
	{ 414, "URI Too Long" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 422, "Unprocessable Content" },
	{ 424, "Failed Dependency" },
	{ 429, "Too Many Requests" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 504, "Gateway Timeout" },
};

const char *http_reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}

bool http_status_is_bare(int status)
{
	return status < 200 || status == 204 || status == 304;
}

static void put_number(struct buffer *out, size_t number)
{
	char digits[24];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	buffer_put(out, bytes_from(digits + at, sizeof(digits) - at));
}

static struct result put_head(struct buffer *out, int status, const struct http_pair *pairs,
                              size_t count, size_t content_length, bool close)
{
	buffer_put(out, BYTES_LITERAL("HTTP/1.1 "));
	put_number(out, (size_t)status);
	buffer_put_byte(out, ' ');
	buffer_put_text(out, http_reason(status));
	buffer_put(out, BYTES_LITERAL("\r\n"));
	for (size_t i = 0; i < count; i++)
		TRY(http_fields_put(out, pairs[i].name, pairs[i].value));
	if (!http_status_is_bare(status)) {
		buffer_put(out, BYTES_LITERAL("Content-Length: "));
		put_number(out, content_length);
		buffer_put(out, BYTES_LITERAL("\r\n"));
	}
	if (close)
		buffer_put(out, BYTES_LITERAL("Connection: close\r\n"));
	buffer_put(out, BYTES_LITERAL("\r\n"));
	return buffer_result(out);
}

struct result http_response_put(struct buffer *out, int status, const struct http_pair *pairs,
                                size_t count, size_t content_length, bool close)
{
	size_t before = out->length;

	if (status < 100 || status > 599)
		return FAIL(ERROR_INPUT, "a status is not between 100 and 599");
	struct result result = put_head(out, status, pairs, count, content_length, close);
	if (!result_ok(result))
		out->length = before;
	return result;
}
