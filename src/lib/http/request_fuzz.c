// Any bytes as requests: whatever is said about them does not depend on how they were cut, a whole
// request lies inside its buffer, and one that is taken names its length in one way only.
#include "http/request.h"

#include "base/check.h"
#include "base/cleanup.h"

enum { ROOM = 1024 * 1024, STEPS = 4 };

static const struct http_limits limits = { .head = 1024, .fields = 20, .target = 200, .body = 400 };

static enum http_progress read_in_steps(struct bytes input, size_t step,
                                        struct http_request *request, struct buffer *in)
{
	enum http_progress progress = HTTP_MORE;

	http_request_init(request, &limits);
	for (size_t at = 0; at < input.length && progress == HTTP_MORE; at += step) {
		buffer_put(in, bytes_slice(input, at, step));
		progress = http_request_read(request, in);
	}
	return progress;
}

static void check_whole(const struct http_request *request, const struct buffer *in)
{
	CHECK(request->length <= in->length);
	CHECK(request->target.length <= limits.target && request->target.data[0] == '/');
	CHECK(request->body.length <= limits.body);
	CHECK(http_fields_count(&request->fields, "host") == 1);
	CHECK(http_fields_count(&request->fields, "content-length") +
	              http_fields_count(&request->fields, "transfer-encoding") <=
	      1);
	for (size_t i = 0; i < request->fields.count; i++)
		CHECK(http_all_of(http_fields_name(&request->fields, i), HTTP_TOKEN) &&
		      http_all_of(http_fields_value(&request->fields, i), HTTP_VALUE));
}

static void check_equal(const struct http_request *a, const struct http_request *b)
{
	CHECK(bytes_equal(a->method, b->method) && bytes_equal(a->target, b->target));
	CHECK(bytes_equal(a->path, b->path) && bytes_equal(a->query, b->query));
	CHECK(bytes_equal(a->body, b->body) && bytes_equal(a->host, b->host));
	CHECK(a->fields.count == b->fields.count && a->length == b->length);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const size_t steps[STEPS] = { 1, 2, 7, 100 };
	cleanup(buffer_done) struct buffer whole;
	cleanup(buffer_done) struct buffer cut;
	struct http_request of_whole;
	struct http_request of_cut;

	buffer_init(&whole, ROOM);
	buffer_init_secret(&cut, ROOM);
	enum http_progress progress =
	        read_in_steps(bytes_from(data, length), length, &of_whole, &whole);
	if (progress == HTTP_WHOLE)
		check_whole(&of_whole, &whole);
	for (int i = 0; i < STEPS; i++) {
		buffer_reset(&cut);
		CHECK(read_in_steps(bytes_from(data, length), steps[i], &of_cut, &cut) == progress);
		if (progress == HTTP_WHOLE)
			check_equal(&of_whole, &of_cut);
		if (progress == HTTP_REFUSED)
			CHECK(of_whole.status == of_cut.status && of_whole.detail == of_cut.detail);
	}
	return 0;
}
