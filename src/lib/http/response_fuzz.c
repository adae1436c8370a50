// Any bytes as responses: the result does not depend on how they were cut.
#include "http/client.h"

#include "base/check.h"
#include "base/cleanup.h"

enum { ROOM = 1024 * 1024, STEPS = 4 };

static const struct http_limits limits = { .head = 1024, .fields = 20, .target = 200, .body = 400 };

static enum http_progress read_in_steps(struct bytes input, size_t step, bool of_head,
                                        struct http_response *response, struct buffer *in)
{
	enum http_progress progress = HTTP_MORE;

	http_response_init(response, &limits, of_head);
	for (size_t at = 0; at < input.length && progress == HTTP_MORE; at += step) {
		buffer_put(in, bytes_slice(input, at, step));
		progress = http_response_read(response, in, input.length - at <= step);
	}
	return progress;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	static const size_t steps[STEPS] = { 1, 2, 7, 100 };
	cleanup(buffer_done) struct buffer whole;
	cleanup(buffer_done) struct buffer cut;
	struct http_response of_whole;
	struct http_response of_cut;
	bool of_head = length && data[length - 1] == 'H';

	buffer_init(&whole, ROOM);
	buffer_init_secret(&cut, ROOM);
	enum http_progress progress =
	        read_in_steps(bytes_from(data, length), length, of_head, &of_whole, &whole);
	for (int i = 0; i < STEPS; i++) {
		buffer_reset(&cut);
		CHECK(read_in_steps(bytes_from(data, length), steps[i], of_head, &of_cut, &cut) ==
		      progress);
		if (progress != HTTP_WHOLE)
			continue;
		CHECK(of_whole.status == of_cut.status && of_whole.length == of_cut.length);
		CHECK(bytes_equal(of_whole.body, of_cut.body));
		CHECK(of_whole.keep_alive == of_cut.keep_alive);
	}
	return 0;
}
