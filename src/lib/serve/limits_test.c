// Deadlines, the limit of connections, stopping: the server with real sockets on loopback.
#include "serve/harness.h"

#include "base/tap.h"

static void use_short_times(struct serve_options *options)
{
	options->header_ms = 60;
	options->body_ms = 60;
	options->idle_ms = 60;
	options->write_ms = 60;
}

TEST(does_not_wait_for_ever)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	use_short_times(&options);
	start(&fixture, &options);
	EXPECT(is_refused(&fixture, "GET / HTT", 408, "The request took too long.\n"));
	EXPECT(is_refused(&fixture, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab",
	                  408, "The request took too long.\n"));
	CLIENT(silent, silent_in, fixture);
	EXPECT(ended(silent, &silent_in));
	CLIENT(idle, idle_in, fixture);
	EXPECT(say(idle, GET("/hello")) && answered(idle, &idle_in, 200, "hello\n"));
	EXPECT(ended(idle, &idle_in));
	CLIENT(deaf, deaf_in, fixture);
	char byte;
	EXPECT(say(deaf, GET("/big")) && recv(deaf, &byte, 1, MSG_PEEK) == 1); // it is being served
	EXPECT(comes_true(&fixture, "connections=1"));
	stop(&fixture);
}

// A head that comes bit by bit does not get more time with each bit.
TEST(a_slow_head_does_not_buy_time)
{
	struct fixture fixture = { 0 };
	struct serve_options options = options_of(&fixture);

	use_short_times(&options);
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
