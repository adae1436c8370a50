// Deadlines, the limit of connections, stopping: the server with real sockets on loopback.
#include "serve/harness.h"

#include "base/tap.h"

enum { SHORT_MS = 60 };

// A client that the machine keeps from asking in time is let go without a word: it tries again.
static bool in_the_end(bool (*happens)(const struct fixture *fixture),
                       const struct fixture *fixture)
{
	uint64_t until = uv_hrtime() + WAIT_S * 1000000000ull;

	while (!happens(fixture))
		if (uv_hrtime() > until)
			return false;
	return true;
}

static bool an_open_head_is_refused(const struct fixture *fixture)
{
	return is_refused(fixture, "GET / HTT", 408, "The request took too long.\n");
}

// Each deadline is short by itself: no other may come first.
TEST(a_head_that_does_not_end_is_refused)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.header_ms = SHORT_MS;
	start(&fixture, &options);
	EXPECT(in_the_end(an_open_head_is_refused, &fixture));
	stop(&fixture);
}

TEST(a_body_that_does_not_end_is_refused)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.body_ms = SHORT_MS;
	start(&fixture, &options);
	EXPECT(is_refused(&fixture, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
	                  408, "The request took too long.\n"));
	stop(&fixture);
}

// Before its first byte it is let go, too.
static bool is_let_go_after_an_answer(const struct fixture *fixture)
{
	CLIENT(fd, in, *fixture);

	return say(fd, GET("/hello")) && answered(fd, &in, 200, "hello\n") && ended(fd, &in);
}

TEST(an_idle_client_is_let_go)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.header_ms = options.idle_ms = SHORT_MS;
	start(&fixture, &options);
	CLIENT(silent, silent_in, fixture);
	EXPECT(ended(silent, &silent_in));
	EXPECT(in_the_end(is_let_go_after_an_answer, &fixture));
	stop(&fixture);
}

TEST(a_client_that_does_not_read_is_let_go)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);
	char byte;

	options.write_ms = SHORT_MS;
	start(&fixture, &options);
	CLIENT(deaf, deaf_in, fixture);
	EXPECT(say(deaf, GET("/big")) && recv(deaf, &byte, 1, MSG_PEEK) == 1); // it is being served
	EXPECT(comes_true(&fixture, "connections=1"));
	stop(&fixture);
}

// A head that comes bit by bit does not get more time with each bit.
TEST(a_slow_head_does_not_buy_time)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.header_ms = SHORT_MS;
	start(&fixture, &options);
	CLIENT(fd, in, fixture);
	uint64_t began = uv_hrtime();
	struct timeval wait = { .tv_usec = 10000 };
	char byte;
	bool open = say(fd, "GET / HTTP/1.1\r\nA: ");

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	while (open && uv_hrtime() - began < WAIT_S * 1000000000ull)
		open = say(fd, "a") && recv(fd, &byte, 1, MSG_PEEK) < 0;
	EXPECT(!open);
	stop(&fixture);
}

static bool is_served(const struct fixture *fixture)
{
	CLIENT(fd, in, *fixture);
	struct http_response response;

	return say(fd, GET("/hello")) && hear(fd, &in, &response, false);
}

TEST(takes_no_more_clients_than_it_may)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	options.max_connections = 3;
	start(&fixture, &options);
	CLIENT(one, one_in, fixture);
	CLIENT(two, two_in, fixture);
	CLIENT(three, three_in, fixture);
	EXPECT(say(one, GET("/hold")) && say(two, GET("/hold")));
	EXPECT(say(three, GET("/hello")) && answered(three, &three_in, 200, "hello\n"));
	EXPECT(comes_true(&fixture, "held=2"));
	// The third one was idle, and gave its place to the one that asked.
	EXPECT(ended(three, &three_in));
	CLIENT(four, four_in, fixture);
	EXPECT(say(four, GET("/hold")));
	CLIENT(five, five_in, fixture);
	EXPECT(ended(five, &five_in));
	cleanup_fd(&one);
	stop(&fixture);
}

TEST(slow_senders_do_not_keep_others_out)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);
	uint64_t until = uv_hrtime() + WAIT_S * 1000000000ull;
	bool served = false;

	options.max_connections = 2;
	start(&fixture, &options);
	CLIENT(one, one_in, fixture);
	CLIENT(two, two_in, fixture);
	EXPECT(say(one, "GET / HTTP/1.1\r\nHost:") && say(two, "G"));
	while (!served && uv_hrtime() < until)
		served = is_served(&fixture);
	EXPECT(served);
	EXPECT(ended(one, &one_in) || ended(two, &two_in));
	stop(&fixture);
}

TEST(a_stop_lets_running_requests_end)
{
	START(fixture);
	CLIENT(idle, idle_in, fixture);
	CLIENT(fd, in, fixture);
	struct http_response response;

	fixture.grace_ms = 60000;
	fixture.answer_at_stop = true;
	EXPECT(say(idle, GET("/hello")) && answered(idle, &idle_in, 200, "hello\n"));
	EXPECT(say(fd, "POST /hold HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nfirst"));
	EXPECT(comes_true(&fixture, "held=1"));
	uv_async_send(&fixture.stop);
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 200 && !response.keep_alive);
	EXPECT(bytes_equal_text(response.body, "first"));
	EXPECT(ended(idle, &idle_in));
	cleanup_fd(&fd);
	uv_thread_join(&fixture.thread);
	EXPECT(fixture.done && uv_loop_close(&fixture.loop) == 0);
}

TEST(a_stop_does_not_wait_longer_than_its_grace)
{
	START(fixture);
	CLIENT(fd, in, fixture);

	fixture.grace_ms = 20;
	EXPECT(say(fd, GET("/hold")));
	EXPECT(comes_true(&fixture, "held=1"));
	stop(&fixture);
	EXPECT(fixture.gone == 1 && fixture.held_count == 0);
	EXPECT(ended(fd, &in));
}

TAP_MAIN
