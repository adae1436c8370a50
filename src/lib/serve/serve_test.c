// Connections, pipelining, refusals, clients that go, files: the server with real sockets on
// loopback.
#include "serve/harness.h"

#include "base/tap.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

// The date as libc writes it, now or a moment ago. time() reads a coarser clock than the server: it
// may still be in the second before.
static bool is_now(struct bytes date)
{
	time_t now = time(NULL);
	char text[64];

	for (time_t at = now - 2; at <= now + 1; at++) {
		strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime(&at));
		if (bytes_equal_text(date, text))
			return true;
	}
	return false;
}

TEST(answers_and_keeps_the_connection)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	struct http_response response;

	EXPECT(say(fd, GET("/hello")) && answered(fd, &in, 200, "hello\n"));
	EXPECT(say(fd, GET("/nothing")) && answered(fd, &in, 404, "there is nothing here\n"));
	EXPECT(say(fd, GET("/peer")) && answered(fd, &in, 200, "127.0.0.1"));
	EXPECT(say(fd, "HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n"));
	EXPECT(hear(fd, &in, &response, true) && response.status == 200);
	EXPECT(bytes_equal_text(http_response_get(&response, "content-length"), "6"));
	EXPECT(is_now(http_response_get(&response, "date")));
	buffer_drop(&in, response.length);
	EXPECT(say(fd, "GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	EXPECT(answered(fd, &in, 200, "hello\n") && ended(fd, &in));
	stop(&fixture);
}

TEST(takes_a_request_byte_by_byte)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	const char *text = "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
	                   "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	for (const char *at = text; *at; at++)
		EXPECT(send(fd, at, 1, MSG_NOSIGNAL) == 1);
	EXPECT(answered(fd, &in, 200, "abcde"));
	stop(&fixture);
}

TEST(answers_pipelined_requests_in_order)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	CLIENT(other, other_in, fixture);

	EXPECT(say(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst" GET(
	                       "/hello") GET("/nothing")));
	EXPECT(comes_true(&fixture, "held=1"));
	EXPECT(say(other, GET("/release")) && answered(other, &other_in, 200, "released\n"));
	EXPECT(answered(fd, &in, 200, "first"));
	EXPECT(answered(fd, &in, 200, "hello\n"));
	EXPECT(answered(fd, &in, 404, "there is nothing here\n"));
	stop(&fixture);
}

TEST(takes_more_pipelined_requests_than_it_reads_at_once)
{
	enum { COUNT = 10000 };
	START(fixture);
	CLIENT(fd, in, fixture);
	CLIENT(other, other_in, fixture);
	cleanup(buffer_done) struct buffer out;

	buffer_init(&out, ROOM);
	EXPECT(say(fd, GET("/hold")));
	EXPECT(comes_true(&fixture, "held=1"));
	for (int i = 0; i < COUNT; i++)
		buffer_put_text(&out, GET("/hello"));
	// More than the socket's buffers and the server take before the first answer, so that a
	// part is sent after it.
	size_t half = out.length / 4;
	EXPECT(send(fd, out.data, half, MSG_NOSIGNAL) == (ssize_t)half);
	EXPECT(say(other, GET("/release")) && answered(other, &other_in, 200, "released\n"));
	EXPECT(answered(fd, &in, 200, ""));
	for (int i = 0; i < COUNT / 4; i++)
		EXPECT(answered(fd, &in, 200, "hello\n"));
	EXPECT(say(fd, buffer_text(&out)));
	for (int i = 0; i < COUNT; i++)
		EXPECT(answered(fd, &in, 200, "hello\n"));
	stop(&fixture);
}

TEST(answers_a_client_that_has_closed_its_side)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	CLIENT(other, other_in, fixture);

	EXPECT(say(fd, GET("/hello") GET("/hold") GET("/hello")));
	shutdown(fd, SHUT_WR);
	EXPECT(comes_true(&fixture, "held=1"));
	EXPECT(say(other, GET("/release")) && answered(other, &other_in, 200, "released\n"));
	EXPECT(answered(fd, &in, 200, "hello\n"));
	EXPECT(answered(fd, &in, 200, ""));
	EXPECT(answered(fd, &in, 200, "hello\n"));
	EXPECT(ended(fd, &in));
	stop(&fixture);
}

TEST(refuses_and_closes)
{
	START(fixture);

	EXPECT(is_refused(&fixture, "GET / HTTP/1.0\r\n\r\n", 400,
	                  "The request line does not end in HTTP/1.1.\n"));
	EXPECT(is_refused(&fixture, "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417,
	                  "The expectation is not known.\n"));
	// What follows a refused request is never answered.
	EXPECT(is_refused(&fixture, "GET / HTTP/1.1\r\nHost: h\nA: b\r\n\r\n" GET("/hello"), 400,
	                  "A line ends without CR LF.\n"));
	stop(&fixture);
}

// The client still sends when it is refused, and yet gets to read why.
TEST(a_refusal_reaches_a_client_that_still_sends)
{
	START(fixture);
	CLIENT(fd, in, fixture);

	EXPECT(say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"));
	for (int i = 0; i < 1000; i++)
		EXPECT(send(fd, big, 1000, MSG_NOSIGNAL) == 1000);
	EXPECT(answered(fd, &in, 413, "The body is too long.\n"));
	EXPECT(ended(fd, &in));
	stop(&fixture);
}

static void make_refusal(struct serve_reply *reply, const char *detail, void *owner)
{
	(void)detail;
	(void)owner;
	reply->type = "application/json";
	reply->body = BYTES_LITERAL("{\"error\":{}}");
}

TEST(its_owner_makes_the_body_of_a_refusal)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.on_refusal = make_refusal;
	options.limits.head = 100;
	start(&fixture, &options);
	CLIENT(fd, in, fixture);
	struct http_response response;

	EXPECT(say(fd, "GET / HTTP/1.1\r\nHost: h\r\nA: 012345678901234567890123456789012345678901"
	               "2345678901234567890123456789012345678901234567890123456789\r\n\r\n"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 431 && bytes_equal_text(response.body, "{\"error\":{}}"));
	EXPECT(bytes_equal_text(http_response_get(&response, "content-type"), "application/json"));
	EXPECT(bytes_equal_text(http_response_get(&response, "connection"), "close"));
	stop(&fixture);
}

TEST(an_answer_that_may_not_be_sent_becomes_500)
{
	START(fixture);
	CLIENT(fd, in, fixture);

	EXPECT(say(fd, GET("/split")));
	EXPECT(answered(fd, &in, 500, "The answer could not be sent.\n") && ended(fd, &in));
	stop(&fixture);
}

TEST(handlers_can_end_a_connection)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	CLIENT(other, other_in, fixture);

	EXPECT(say(fd, GET("/last")) && answered(fd, &in, 200, "bye") && ended(fd, &in));
	EXPECT(say(other, GET("/drop")) && ended(other, &other_in));
	stop(&fixture);
}

TEST(tells_of_a_client_that_has_gone)
{
	START(fixture);
	cleanup(cleanup_fd) int fd = dial(&fixture);

	EXPECT(say(fd, GET("/hold")));
	EXPECT(comes_true(&fixture, "held=1"));
	reset(&fd);
	EXPECT(comes_true(&fixture, "gone=1 connections=1 held=0"));
	stop(&fixture);
}

TEST(an_answer_to_a_client_that_has_gone_is_harmless)
{
	START(fixture);
	CLIENT(other, other_in, fixture);
	cleanup(cleanup_fd) int fd = dial(&fixture);

	fixture.forget_when_gone = false;
	EXPECT(say(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"));
	EXPECT(comes_true(&fixture, "held=1"));
	reset(&fd);
	EXPECT(comes_true(&fixture, "gone=1 connections=2 held=1"));
	EXPECT(say(other, GET("/release")) && answered(other, &other_in, 200, "released\n"));
	stop(&fixture);
}

TEST(writes_as_fast_as_the_client_reads)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	struct http_response response;

	for (size_t i = 0; i < BIG; i++)
		big[i] = (uint8_t)(i * 7 + i / 1000);
	EXPECT(say(fd, GET("/big") GET("/hello")));
	EXPECT(comes_true(&fixture, "connections=2"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(bytes_equal(response.body, BYTES_ARRAY(big)));
	buffer_drop(&in, response.length);
	EXPECT(answered(fd, &in, 200, "hello\n"));
	stop(&fixture);
}

TEST(asks_for_the_body_that_was_announced)
{
	START(fixture);
	CLIENT(fd, in, fixture);
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	char got[sizeof(interim)] = "";

	EXPECT(say(fd, "POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
	               "Content-Length: 4\r\n\r\n"));
	EXPECT(recv(fd, got, sizeof(interim) - 1, MSG_WAITALL) == sizeof(interim) - 1);
	EXPECT(strcmp(got, interim) == 0);
	EXPECT(say(fd, "body") && answered(fd, &in, 200, "body"));
	stop(&fixture);
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	CHECK(file);
	fputs(text, file);
	fclose(file);
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	CHECK(remove(path) == 0);
}

static void check_files(const struct fixture *fixture)
{
	CLIENT(fd, in, *fixture);
	struct http_response response;
	char etag[32];
	char request[256];

	EXPECT(say(fd, GET("/s/a.css")) && hear(fd, &in, &response, false));
	EXPECT(bytes_equal_text(response.body, "a{}"));
	EXPECT(bytes_equal_text(http_response_get(&response, "content-type"),
	                        "text/css; charset=utf-8"));
	EXPECT(bytes_equal_text(http_response_get(&response, "cache-control"), "no-cache"));
	EXPECT(bytes_copy_text(http_response_get(&response, "etag"), etag, sizeof(etag)));
	buffer_drop(&in, response.length);
	snprintf(request, sizeof(request),
	         "GET /s/a.css HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"x\", W/%s\r\n\r\n", etag);
	EXPECT(say(fd, request) && hear(fd, &in, &response, false));
	EXPECT(response.status == 304 && response.body.length == 0);
	buffer_drop(&in, response.length);
	EXPECT(say(fd, "GET /s/a.css HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"x\"\r\n\r\n"));
	EXPECT(answered(fd, &in, 200, "a{}"));
	EXPECT(say(fd, GET("/s/below/b.txt")) && answered(fd, &in, 200, "b"));
	EXPECT(say(fd, GET("/s/.hidden")) && answered(fd, &in, 404, "there is nothing here\n"));
	EXPECT(say(fd, GET("/s/below")) && answered(fd, &in, 404, "there is nothing here\n"));
	EXPECT(say(fd, GET("/s/below/../a.css")) &&
	       answered(fd, &in, 404, "there is nothing here\n"));
	EXPECT(say(fd, "POST /s/a.css HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"));
	EXPECT(answered(fd, &in, 405, "GET or HEAD only\n"));
}

TEST(serves_a_folder_from_memory)
{
	char folder[] = "/tmp/serve-test-XXXXXX";
	char below[64];
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	REQUIRE(mkdtemp(folder));
	snprintf(below, sizeof(below), "%s/below", folder);
	REQUIRE(mkdir(below, 0700) == 0);
	write_file(folder, "a.css", "a{}");
	write_file(folder, ".hidden", "no");
	write_file(below, "b.txt", "b");
	EXPECT(result_ok(serve_static_load(folder, "/s", &fixture.files)));
	remove_file(below, "b.txt");
	remove_file(folder, ".hidden");
	remove_file(folder, "a.css");
	CHECK(rmdir(below) == 0 && rmdir(folder) == 0);
	REQUIRE(fixture.files);
	start(&fixture, &options);
	check_files(&fixture);
	stop(&fixture);
	serve_static_free(fixture.files);
}

TAP_MAIN
