// What the request parser takes and what it refuses, each input cut at every byte: docs/http.md.
#include "http/request.h"

#include "base/cleanup.h"
#include "base/tap.h"

#include <stdlib.h>

enum { ROOM = 1024 * 1024 };

static const struct http_limits usual = { 16 * 1024, 100, 8 * 1024, 64 * 1024 };
static const struct http_limits *limits_now = &usual;

static void put_result(struct buffer *out, const struct http_request *request,
                       enum http_progress progress, const struct buffer *in, struct bytes unread)
{
	if (progress == HTTP_MORE) {
		buffer_put_text(out, "more");
		return;
	}
	if (progress == HTTP_REFUSED) {
		buffer_printf(out, "%d %s", request->status, request->detail);
		return;
	}
	buffer_put(out, request->method);
	buffer_put_byte(out, ' ');
	buffer_put(out, request->path);
	buffer_put_byte(out, '|');
	buffer_put(out, request->query);
	buffer_put_byte(out, '|');
	buffer_put(out, request->host);
	for (size_t i = 0; i < request->fields.count; i++) {
		buffer_put_byte(out, '|');
		buffer_put(out, http_fields_name(&request->fields, i));
		buffer_put_byte(out, '=');
		buffer_put(out, http_fields_value(&request->fields, i));
	}
	buffer_put_text(out, request->keep_alive ? "|keep|" : "|close|");
	buffer_put(out, request->body);
	buffer_put_byte(out, '|');
	buffer_put(out, bytes_slice(buffer_view(in), request->length, in->length));
	buffer_put(out, unread);
}

// Reads the input in pieces that end at `first_cut` and then every `step` bytes.
static void read_cut(struct bytes input, size_t first_cut, size_t step, struct buffer *out)
{
	cleanup(buffer_done) struct buffer in;
	struct http_request request;
	enum http_progress progress = HTTP_MORE;
	size_t at = 0;

	buffer_init_secret(&in, ROOM);
	http_request_init(&request, limits_now);
	while (at < input.length && progress == HTTP_MORE) {
		size_t piece = at < first_cut ? first_cut - at : step;
		struct bytes next = bytes_slice(input, at, piece);
		buffer_put(&in, next);
		at += next.length;
		progress = http_request_read(&request, &in);
	}
	put_result(out, &request, progress, &in, bytes_slice(input, at, input.length));
}

// The result as text; notes a failure when it depends on the cutting.
static const char *result_of(struct bytes input)
{
	static struct buffer whole;
	cleanup(buffer_done) struct buffer cut;

	buffer_done(&whole);
	buffer_init(&whole, ROOM);
	buffer_init(&cut, ROOM);
	read_cut(input, 0, input.length, &whole);
	for (size_t step = 1; step < 4; step++) {
		buffer_reset(&cut);
		read_cut(input, 0, step, &cut);
		EXPECT(bytes_equal(buffer_view(&whole), buffer_view(&cut)));
	}
	for (size_t first = 1; first < input.length && first < 2000; first++) {
		buffer_reset(&cut);
		read_cut(input, first, input.length, &cut);
		EXPECT(bytes_equal(buffer_view(&whole), buffer_view(&cut)));
	}
	return buffer_text(&whole);
}

static bool gives(struct bytes input, const char *expected)
{
	const char *result = result_of(input);

	if (strncmp(result, expected, strlen(expected)) == 0)
		return true;
	printf("# input:  %.*s\n# result: %s\n# wanted: %s\n", (int)input.length,
	       (const char *)input.data, result, expected);
	return false;
}

#define GIVES(text, expected) EXPECT(gives(BYTES_LITERAL(text), expected))
#define HEAD "Host: localhost:8081\r\n"

TEST(takes_what_the_usual_clients_send)
{
	GIVES("GET /v1/customers?limit=3&created[gte]=1 HTTP/1.1\r\n" HEAD
	      "Authorization: Bearer sk_test_1\r\nConnection: keep-alive\r\n\r\n",
	      "GET /v1/customers|limit=3&created[gte]=1|localhost:8081|host=localhost:8081|"
	      "authorization=Bearer sk_test_1|connection=keep-alive|keep||");
	GIVES("GET /v1/customers?created%5Bgte%5D=1 HTTP/1.1\r\n" HEAD "\r\n",
	      "GET /v1/customers|created%5Bgte%5D=1|");
	GIVES("POST /v1/customers HTTP/1.1\r\n" HEAD "Content-Length: 5\r\n\r\na=%20",
	      "POST "
	      "/v1/customers||localhost:8081|host=localhost:8081|content-length=5|keep|a=%20|");
	GIVES("POST /v1/x HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n", "POST /v1/x|");
	GIVES("DELETE /v1/customers/cus_1 HTTP/1.1\r\n" HEAD "\r\n", "DELETE /v1/customers/cus_1|");
	GIVES("POST /v1/x HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n"
	      "3\r\na=b\r\nA\r\n0123456789\r\n0\r\n\r\n",
	      "POST /v1/x||localhost:8081|host=localhost:8081|transfer-encoding=chunked|keep|"
	      "a=b0123456789|");
	GIVES("GET / HTTP/1.1\r\nHost: [::1]:80\r\nX-Empty:\r\nX-Blank: \t \r\n"
	      "User-Agent: \xd0\xa1 \t x \r\n\r\n",
	      "GET /||[::1]:80|host=[::1]:80|x-empty=|x-blank=|user-agent=\xd0\xa1 \t x|keep||");
	GIVES("GET / HTTP/1.1\r\n" HEAD "Connection: Upgrade, Close\r\n\r\n",
	      "GET /||localhost:8081|host=localhost:8081|connection=Upgrade, Close|close||");
	GIVES("OPTIONS /v1/x HTTP/1.1\r\n" HEAD "\r\n", "OPTIONS /v1/x|");
}

TEST(leaves_what_follows)
{
	GIVES("GET /1 HTTP/1.1\r\n" HEAD "\r\nGET /2 HTTP/1.1\r\n\r\n",
	      "GET /1||localhost:8081|host=localhost:8081|keep||GET /2 HTTP/1.1\r\n\r\n");
	GIVES("POST /1 HTTP/1.1\r\n" HEAD "Content-Length: 2\r\n\r\nabGET /2",
	      "POST /1||localhost:8081|host=localhost:8081|content-length=2|keep|ab|GET /2");
	GIVES("POST /1 HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n"
	      "1\r\na\r\n1\r\nb\r\n0\r\n\r\nGET /2",
	      "POST /1||localhost:8081|host=localhost:8081|transfer-encoding=chunked|keep|ab|GET "
	      "/2");
}

TEST(waits_for_the_rest)
{
	GIVES("GET / HTTP/1.1\r\n" HEAD, "more");
	GIVES("GET / HTTP/1.1\r\n" HEAD "\r", "more");
	GIVES("POST / HTTP/1.1\r\n" HEAD "Content-Length: 2\r\n\r\na", "more");
	GIVES("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r",
	      "more");
	GIVES("POST / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n1", "more");
}

TEST(refuses_odd_request_lines)
{
	GIVES("\r\nGET / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("\nGET / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("get / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("G3T / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("ABCDEFGHIJKLMNOPQ / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES(" GET / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET  / HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.1 \r\n" HEAD "\r\n", "400 ");
	GIVES("GET /  HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET\t/\tHTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.0\r\n" HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/2.0\r\n" HEAD "\r\n", "400 ");
	GIVES("GET / http/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.10\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\r\n" HEAD "\r\n", "400 ");
	GIVES("GET\r\n", "400 ");
	GIVES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\n" HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\rx HTTP/1.1\r\n" HEAD "\r\n", "400 ");
}

TEST(refuses_odd_targets)
{
	GIVES("GET http://localhost/ HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("CONNECT localhost:80 HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("OPTIONS * HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET x HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET ?x HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /a#b HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /[a] HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\"a\" HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /a\\b HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /a?b={} HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /%zz HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /?a=%4 HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\xd0\xa1 HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\0 HTTP/1.1\r\n" HEAD "\r\n", "400 ");
	GIVES("GET /\x7f HTTP/1.1\r\n" HEAD "\r\n", "400 ");
}

TEST(refuses_odd_headers)
{
	GIVES("GET / HTTP/1.1\r\n" HEAD "A : b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A\t: b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD ": b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\r\n c\r\n\r\n", "400 A header is folded");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\r\n\tc\r\n\r\n", "400 A header is folded");
	GIVES("GET / HTTP/1.1\r\n " HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\r\n\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\rc\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\0c\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\x01\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A: b\x7f\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A\0: b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "\"A\": b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "A\xc3\xa9: b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "Authorization: a\r\nAuthorization: b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "Idempotency-Key: a\r\nidempotency-key: a\r\n\r\n", "400 ");
}

TEST(refuses_odd_hosts)
{
	GIVES("GET / HTTP/1.1\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD HEAD "\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost:\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a:08\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: []\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: [1:2]\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: [:::]\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: ::1\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\nHost: %6c\r\n\r\n", "400 ");
}

#define POST "POST / HTTP/1.1\r\n" HEAD

TEST(refuses_unclear_lengths)
{
	GIVES(POST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n", "400 ");
	GIVES(POST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", "400 ");
	GIVES(POST "Content-Length: 1\r\nContent-Length: 1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: 1, 1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: +1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: -1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: 01\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: 0x1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: 1 1\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: 1.0\r\n\r\na", "400 ");
	GIVES(POST "Content-Length:\r\n\r\na", "400 ");
	GIVES(POST "Content-Length: one\r\n\r\na", "400 ");
	GIVES(POST "Transfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding: identity\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding:\r\n\r\n", "400 ");
	GIVES(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "Content-Length: 1\r\n\r\na", "400 ");
	GIVES("HEAD / HTTP/1.1\r\n" HEAD "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400 ");
	GIVES("GET / HTTP/1.1\r\n" HEAD "Content-Length: 0\r\n\r\n", "GET /|");
}

#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

TEST(refuses_odd_chunks)
{
	GIVES(CHUNKED "1;a=b\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "01\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\r\nx\r\n00\r\n\r\n", "400 ");
	GIVES(CHUNKED "+1\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "-1\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "0x1\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED " 1\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1 \r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\r\nxy\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\r\nx\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\r\nx\r0\r\n\r\n", "400 ");
	GIVES(CHUNKED "1\r\nx0\r\n\r\n", "400 ");
	GIVES(CHUNKED "0\r\nTrailer: x\r\n\r\n", "400 ");
	GIVES(CHUNKED "0\r\n\n", "400 ");
	GIVES(CHUNKED "123456789\r\n", "400 ");
	GIVES(CHUNKED "10000000000000001\r\nx\r\n0\r\n\r\n", "400 ");
	GIVES(CHUNKED "FFFFFFFF\r\n", "413 ");
}

TEST(knows_one_expectation)
{
	cleanup(buffer_done) struct buffer in;
	struct http_request request;

	GIVES(POST "Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", "417 ");
	GIVES(POST "Expect: 100-continue, x\r\nContent-Length: 1\r\n\r\na", "417 ");
	GIVES(POST "Expect:\r\nContent-Length: 1\r\n\r\na", "417 ");
	GIVES(POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\na", "POST /|");
	buffer_init(&in, ROOM);
	http_request_init(&request, limits_now);
	buffer_put_text(&in, POST "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n");
	EXPECT(http_request_read(&request, &in) == HTTP_MORE);
	EXPECT(http_request_has_head(&request) && request.wants_continue);
}

// A request whose target, header, count of headers and body are as long as asked for.
static const char *sized(size_t target, size_t value, size_t headers, size_t body, bool chunked)
{
	static struct buffer input;

	buffer_done(&input);
	buffer_init(&input, ROOM);
	buffer_put_text(&input, "POST /");
	for (size_t i = 1; i < target; i++)
		buffer_put_byte(&input, 't');
	buffer_put_text(&input, " HTTP/1.1\r\nHost: h\r\n");
	for (size_t i = 2; i < headers; i++)
		buffer_put_text(&input, "A: b\r\n");
	if (chunked)
		buffer_put_text(&input, "Transfer-Encoding: chunked\r\n");
	else
		buffer_printf(&input, "Content-Length: %zu\r\n", body);
	if (value) {
		buffer_put_text(&input, "V: ");
		for (size_t i = 0; i < value; i++)
			buffer_put_byte(&input, 'v');
		buffer_put_text(&input, "\r\n");
	}
	buffer_put_text(&input, "\r\n");
	for (size_t i = 0; i < body; i++)
		buffer_put_text(&input, chunked ? "1\r\nc\r\n" : "b");
	if (chunked)
		buffer_put_text(&input, "0\r\n\r\n");
	return result_of(buffer_view(&input));
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

// The buffer grows, and so moves, somewhere in the head; its wiped old copy must not be looked at.
TEST(a_head_may_move_while_it_is_read)
{
	for (size_t value = 1; value < 256; value++)
		EXPECT(begins(sized(1, value, 2, 0, false), "POST /|"));
	EXPECT(begins(sized(300, 700, 90, 3, true), "POST /ttt"));
}

TEST(keeps_its_limits_exactly)
{
	struct http_limits small = { .head = 120, .fields = 4, .target = 20, .body = 10 };
	// "POST / HTTP/1.1", "Host: h", "Content-Length: 0", "V: ", their ends and the empty line.
	size_t rest = 17 + 9 + 19 + 5 + 2;

	limits_now = &small;
	EXPECT(begins(sized(20, 0, 2, 0, false), "POST /t"));
	EXPECT(begins(sized(21, 0, 2, 0, false), "414 "));
	EXPECT(begins(sized(500, 0, 2, 0, false), "414 "));
	EXPECT(begins(sized(1, 0, 4, 0, false), "POST /|"));
	EXPECT(begins(sized(1, 0, 5, 0, false), "431 "));
	EXPECT(begins(sized(1, small.head - rest, 2, 0, false), "POST /|"));
	EXPECT(begins(sized(1, small.head - rest + 1, 2, 0, false), "431 "));
	EXPECT(begins(sized(1, 500, 2, 0, false), "431 "));
	EXPECT(begins(sized(1, 0, 2, 10, false), "POST /|"));
	EXPECT(begins(sized(1, 0, 2, 11, false), "413 "));
	EXPECT(begins(sized(1, 0, 2, 10, true), "POST /|"));
	EXPECT(begins(sized(1, 0, 2, 11, true), "413 "));
	GIVES(POST "Content-Length: 99999999999999999999999999\r\n\r\n", "413 ");
	limits_now = &usual;
}

TEST(many_small_chunks_do_not_fill_the_buffer)
{
	cleanup(buffer_done) struct buffer in;
	struct http_request request;

	buffer_init(&in, 60 * 1024);
	http_request_init(&request, &HTTP_LIMITS_DEFAULT);
	buffer_put_text(&in, CHUNKED);
	for (int i = 0; i < 50000; i++) {
		buffer_put_text(&in, "1\r\nc\r\n");
		REQUIRE(http_request_read(&request, &in) == HTTP_MORE);
	}
	buffer_put_text(&in, "0\r\n\r\n");
	REQUIRE(!in.failed && http_request_read(&request, &in) == HTTP_WHOLE);
	EXPECT(request.body.length == 50000);
}

TAP_MAIN
