// Any bytes as a form and as a URL: what is read, written again and read again is the same.
#include "http/form.h"
#include "http/url.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

static void check_form(struct bytes text)
{
	cleanup(buffer_done) struct buffer again;
	cleanup(http_form_done) struct http_form first;
	cleanup(http_form_done) struct http_form second = { 0 };

	buffer_init(&again, 4 * text.length + 4096);
	if (!result_ok(http_form_read(text, &first)))
		return;
	for (size_t i = 0; i < first.count; i++) {
		CHECK(text_is_utf8(first.pairs[i].name) && text_is_utf8(first.pairs[i].value));
		http_form_put(&again, first.pairs[i].name, first.pairs[i].value);
	}
	CHECK(!again.failed && result_ok(http_form_read(buffer_view(&again), &second)));
	CHECK(first.count == second.count);
	for (size_t i = 0; i < first.count; i++)
		CHECK(bytes_equal(first.pairs[i].name, second.pairs[i].name) &&
		      bytes_equal(first.pairs[i].value, second.pairs[i].value));
}

static void check_url(struct bytes text)
{
	cleanup(buffer_done) struct buffer origin;
	struct http_url url;

	buffer_init(&origin, HTTP_URL_MAX + 64);
	if (!result_ok(http_url_read(text, &url)))
		return;
	http_url_put_origin(&url, &origin);
	CHECK(!origin.failed && http_url_is_origin(buffer_view(&origin)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
	check_form(bytes_from(data, length));
	check_url(bytes_from(data, length));
	return 0;
}
