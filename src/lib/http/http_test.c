// Writing heads and requests, reading responses, forms and URLs.
#include "http/client.h"
#include "http/form.h"
#include "http/request.h"
#include "http/response.h"
#include "http/url.h"

#include "base/cleanup.h"
#include "base/tap.h"

enum { ROOM = 256 * 1024 };

static bool holds(struct buffer *buffer, const char *text)
{
	if (bytes_equal_text(buffer_view(buffer), text))
		return true;
	printf("# got: %s\n", buffer_text(buffer));
	return false;
}

TEST(writes_a_response_head)
{
	cleanup(buffer_done) struct buffer out;
	struct http_pair pairs[] = { HTTP_PAIR("A", "b"), HTTP_PAIR("C", "") };

	buffer_init(&out, ROOM);
	EXPECT(result_ok(http_response_put(&out, 200, pairs, 2, 12, false)));
	EXPECT(holds(&out, "HTTP/1.1 200 OK\r\nA: b\r\nC: \r\nContent-Length: 12\r\n\r\n"));
	buffer_reset(&out);
	EXPECT(result_ok(http_response_put(&out, 304, NULL, 0, 12, true)));
	EXPECT(holds(&out, "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n"));
}

static bool may_send(const char *name, struct bytes value)
{
	cleanup(buffer_done) struct buffer out;
	struct http_pair pairs[] = { HTTP_PAIR("A", "b"), { name, value } };

	buffer_init(&out, ROOM);
	buffer_put_text(&out, "before");
	struct result result = http_response_put(&out, 200, pairs, 2, 0, false);
	EXPECT(result_ok(result) || holds(&out, "before"));
	return result_ok(result);
}

TEST(does_not_let_a_value_split_the_response)
{
	EXPECT(may_send("Location", BYTES_LITERAL("/a?b=c")));
	EXPECT(!may_send("Location", BYTES_LITERAL("/a\r\nSet-Cookie: b")));
	EXPECT(!may_send("Location", BYTES_LITERAL("/a\nb")));
	EXPECT(!may_send("Location", BYTES_LITERAL("/a\rb")));
	EXPECT(!may_send("Location", BYTES_LITERAL("/a\0b")));
	EXPECT(!may_send("Loca tion", BYTES_LITERAL("/a")));
	EXPECT(!may_send("Loca\r\ntion", BYTES_LITERAL("/a")));
	EXPECT(!may_send("", BYTES_LITERAL("/a")));
}

TEST(a_written_request_can_be_read)
{
	cleanup(buffer_done) struct buffer out;
	struct http_pair pair = HTTP_PAIR("Idempotency-Key", "k");
	struct http_request request;

	buffer_init(&out, ROOM);
	REQUIRE(result_ok(http_request_put(&out, "POST", "/v1/x?a[b]=c", "localhost:8081", &pair, 1,
	                                   BYTES_LITERAL("a=b"))));
	EXPECT(holds(&out, "POST /v1/x?a[b]=c HTTP/1.1\r\nHost: localhost:8081\r\n"
	                   "Idempotency-Key: k\r\nContent-Length: 3\r\n\r\na=b"));
	http_request_init(&request, &HTTP_LIMITS_DEFAULT);
	EXPECT(http_request_read(&request, &out) == HTTP_WHOLE);
	EXPECT(bytes_equal_text(request.body, "a=b"));
	EXPECT(bytes_equal_text(http_request_get(&request, "idempotency-key"), "k"));
	EXPECT(http_request_get(&request, "idempotency").data == NULL);
	buffer_reset(&out);
	REQUIRE(result_ok(http_request_put(&out, "GET", "/", "h", NULL, 0, BYTES_NONE)));
	EXPECT(holds(&out, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"));
	buffer_reset(&out);
	REQUIRE(result_ok(http_request_put(&out, "POST", "/", "h", NULL, 0, BYTES_NONE)));
	EXPECT(holds(&out, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
}

TEST(does_not_write_a_request_that_is_two)
{
	cleanup(buffer_done) struct buffer out;

	buffer_init(&out, ROOM);
	EXPECT(!result_ok(
	        http_request_put(&out, "GET", "/ HTTP/1.1\r\nA: b", "h", NULL, 0, BYTES_NONE)));
	EXPECT(!result_ok(http_request_put(&out, "GET", "http://h/", "h", NULL, 0, BYTES_NONE)));
	EXPECT(!result_ok(http_request_put(&out, "GET", "/", "h\r\nA: b", NULL, 0, BYTES_NONE)));
	EXPECT(!result_ok(http_request_put(&out, "G T", "/", "h", NULL, 0, BYTES_NONE)));
	EXPECT(out.length == 0);
}

// Reads a response cut every `step` bytes and says what came out.
static void read_response(struct bytes input, size_t step, bool of_head, bool at_end,
                          struct buffer *out)
{
	cleanup(buffer_done) struct buffer in;
	struct http_response response;
	enum http_progress progress = HTTP_MORE;
	size_t at = 0;

	buffer_init(&in, ROOM);
	http_response_init(&response, &HTTP_LIMITS_DEFAULT, of_head);
	while (at < input.length && progress == HTTP_MORE) {
		struct bytes next = bytes_slice(input, at, step);
		buffer_put(&in, next);
		at += next.length;
		progress = http_response_read(&response, &in, at_end && at == input.length);
	}
	if (progress != HTTP_WHOLE) {
		buffer_put_text(out, progress == HTTP_MORE ? "more" : "refused");
		return;
	}
	buffer_printf(out, "%d %s ", response.status, response.keep_alive ? "keep" : "close");
	buffer_put(out, response.body);
	buffer_put_byte(out, '|');
	buffer_put(out, bytes_slice(buffer_view(&in), response.length, in.length));
	buffer_put(out, bytes_slice(input, at, input.length));
}

static bool answers(struct bytes input, bool of_head, bool at_end, const char *expected)
{
	cleanup(buffer_done) struct buffer out;
	bool all = true;

	buffer_init(&out, ROOM);
	for (size_t step = 1; step <= input.length; step++) {
		buffer_reset(&out);
		read_response(input, step, of_head, at_end, &out);
		all = all && holds(&out, expected);
	}
	return all;
}

#define ANSWERS(text, expected) EXPECT(answers(BYTES_LITERAL(text), false, false, expected))
#define ENDED(text, expected) EXPECT(answers(BYTES_LITERAL(text), false, true, expected))

TEST(reads_responses)
{
	ANSWERS("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabX", "200 keep ab|X");
	ANSWERS("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "200 keep |");
	ANSWERS("HTTP/1.1 402 No\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
	        "2\r\nab\r\n0\r\n\r\n",
	        "402 close ab|");
	ANSWERS("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
	        "200 keep a|");
	ANSWERS("HTTP/1.1 204 No\r\n\r\nX", "204 keep |X");
	ENDED("HTTP/1.1 200 OK\r\n\r\nabc", "200 close abc|");
	EXPECT(answers(BYTES_LITERAL("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), true, false,
	               "200 keep |"));
}

TEST(refuses_odd_responses)
{
	ANSWERS("HTTP/1.0 200 OK\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 2000 OK\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 20x OK\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 200\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 099 X\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 101 X\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
	        "refused");
	ANSWERS("HTTP/1.1 200 OK\r\nContent-Length: 65537\r\n\r\n", "refused");
	ANSWERS("HTTP/1.1 200 OK\r\n A: b\r\n\r\n", "refused");
	ENDED("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "refused");
	ENDED("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "refused");
	ENDED("HTTP/1.1 200 OK\r\nA: b", "refused");
	ANSWERS("HTTP/1.1 200 OK\r\n\r\nabc", "more");
}

static void put_form(struct bytes text, struct buffer *out)
{
	struct http_form form;
	struct result result = http_form_read(text, &form);

	if (!result_ok(result))
		buffer_put_text(out, result.error == ERROR_LIMIT ? "limit" : "refused");
	for (size_t i = 0; result_ok(result) && i < form.count; i++) {
		buffer_put(out, form.pairs[i].name);
		buffer_put_byte(out, '>');
		buffer_put(out, form.pairs[i].value);
		buffer_put_byte(out, ';');
	}
	http_form_done(&form);
}

static bool form_is(struct bytes text, const char *expected)
{
	cleanup(buffer_done) struct buffer out;

	buffer_init(&out, ROOM);
	put_form(text, &out);
	return holds(&out, expected);
}

#define FORM(text, expected) EXPECT(form_is(BYTES_LITERAL(text), expected))

TEST(reads_forms)
{
	FORM("", "");
	FORM("a=b", "a>b;");
	FORM("a=b&a=c&d", "a>b;a>c;d>;");
	FORM("a[b][c]=x&a%5Bd%5d=y", "a[b][c]>x;a[d]>y;");
	FORM("name=%D0%98%D0%B2+%20x=y", "name>\xd0\x98\xd0\xb2  x=y;");
	FORM("&&a=&&=b&", "a>;>b;");
	FORM("a=%2B%26%3D%25", "a>+&=%;");
}

TEST(refuses_odd_forms)
{
	FORM("a=%", "refused");
	FORM("a=%4", "refused");
	FORM("a=%4g", "refused");
	FORM("a%=b", "refused");
	FORM("a=%00", "refused");
	FORM("a=\0", "refused");
	FORM("a=%ff", "refused");
	FORM("a=%C0%80", "refused");
	FORM("a=%ED%A0%80", "refused");
	FORM("a=\xff", "refused");
	FORM("a=%D0&b=%98", "refused");
}

TEST(counts_the_pairs_of_a_form)
{
	cleanup(buffer_done) struct buffer text;
	struct http_form form;

	buffer_init(&text, ROOM);
	for (int i = 0; i < HTTP_FORM_MAX_PAIRS; i++)
		buffer_put_text(&text, "a&");
	EXPECT(result_ok(http_form_read(buffer_view(&text), &form)));
	EXPECT(form.count == HTTP_FORM_MAX_PAIRS);
	http_form_done(&form);
	buffer_put_text(&text, "a");
	EXPECT(form_is(buffer_view(&text), "limit"));
}

TEST(finds_values_of_a_form)
{
	struct http_form form;

	REQUIRE(result_ok(http_form_read_secret(BYTES_LITERAL("a=1&b=&c"), &form)));
	EXPECT(bytes_equal_text(http_form_get(&form, "a"), "1"));
	EXPECT(http_form_get(&form, "b").data != NULL && http_form_get(&form, "b").length == 0);
	EXPECT(http_form_get(&form, "c").data != NULL);
	EXPECT(http_form_get(&form, "d").data == NULL);
	http_form_done(&form);
}

TEST(writes_forms_that_it_reads)
{
	cleanup(buffer_done) struct buffer out;

	buffer_init(&out, ROOM);
	http_form_put_text(&out, "a[b]", "x y&z=\xd0\x98+");
	http_form_put_text(&out, "c&", "");
	EXPECT(holds(&out, "a[b]=x%20y%26z%3D%D0%98%2B&c%26="));
	FORM("a[b]=x%20y%26z%3D%D0%98%2B&c%26=", "a[b]>x y&z=\xd0\x98+;c&>;");
}

static bool url_is(const char *text, const char *origin, uint16_t port, const char *path)
{
	cleanup(buffer_done) struct buffer out;
	struct http_url url;

	buffer_init(&out, ROOM);
	if (!result_ok(http_url_read(bytes_text(text), &url)))
		return false;
	http_url_put_origin(&url, &out);
	return holds(&out, origin) && url.port == port && bytes_equal_text(url.path, path);
}

TEST(reads_urls)
{
	struct http_url url;

	EXPECT(url_is("http://a", "http://a", 80, ""));
	EXPECT(url_is("https://A.example:443/x?y=z", "https://a.example", 443, "/x?y=z"));
	EXPECT(url_is("http://[::1]:8080/", "http://[::1]:8080", 8080, "/"));
	EXPECT(url_is("https://a:80/", "https://a:80", 80, "/"));
	const char *const bad[] = { "",           "a",          "//a",          "ftp://a",
		                    "http://",    "http:///x",  "http://u@a/",  "http://a/#b",
		                    "http://a b", "http://a:/", "http://a?b",   "http://a:x/",
		                    "HTTP://a",   "http://[/",  "http://a/%zz", "http://a\r\n" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!result_ok(http_url_read(bytes_text(bad[i]), &url)));
}

TEST(knows_an_origin)
{
	EXPECT(http_url_is_origin(BYTES_LITERAL("https://acs.example")));
	EXPECT(http_url_is_origin(BYTES_LITERAL("http://localhost:9000")));
	EXPECT(!http_url_is_origin(BYTES_LITERAL("https://acs.example/")));
	EXPECT(!http_url_is_origin(BYTES_LITERAL("https://ACS.example")));
	EXPECT(!http_url_is_origin(BYTES_LITERAL("https://acs.example; script-src *")));
	EXPECT(!http_url_is_origin(BYTES_LITERAL("https://a https://b")));
	EXPECT(!http_url_is_origin(BYTES_LITERAL("*")));
}

TAP_MAIN
