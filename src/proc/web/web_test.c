// The program web as it runs, jail and all: the test plays its parent, its core and its clients.
// The program and the folder of the pages come by environment (meson.build).
#include "serve/harness.h"
#include "wire/channel.h"

#include "base/tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

enum { DOORS = 3, OUT = 4 * 1024 * 1024, WAIT_MS = 5000 };

struct world {
	pid_t pid;
	struct wire_channel parent;
	struct wire_channel core;
	struct fixture door[DOORS]; // for dial(): only their ports
	char config[64];
};

static void write_config(struct world *world)
{
	snprintf(world->config, sizeof(world->config), "/tmp/web-test-XXXXXX");
	int fd = mkstemp(world->config);
	CHECK(fd >= 0);
	dprintf(fd,
	        "data = /tmp\nkeys = /tmp\nrun = /tmp\ndrivers = /tmp\npages = %s\n"
	        "public_url = http://localhost\nresults_url = http://localhost\n",
	        getenv("PAGES"));
	close(fd);
}

static int listening(uint16_t *ret_port)
{
	struct sockaddr_in where = { .sin_family = AF_INET,
		                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(where);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0 && bind(fd, (struct sockaddr *)&where, length) == 0 && listen(fd, 100) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)&where, &length) == 0);
	*ret_port = ntohs(where.sin_port);
	return fd;
}

// Waits for the next message of a line; false at its end.
static bool take(struct wire_channel *channel, struct wire_message *ret_message)
{
	bool got = false;

	for (;;) {
		if (!result_ok(wire_channel_next(channel, ret_message, &got)))
			return false;
		if (got)
			return true;
		struct pollfd wait = { .fd = channel->fd, .events = POLLIN };
		if (poll(&wait, 1, WAIT_MS) != 1 || !result_ok(wire_channel_read(channel)))
			return false;
	}
}

static void give_core(struct world *world)
{
	int pair[2];

	wire_channel_done(&world->core);
	CHECK(result_ok(wire_pair(pair)));
	wire_channel_init(&world->core, pair[0], WIRE_CORE, WIRE_WEB, OUT);
	CHECK(result_ok(wire_channel_put_descriptors(&world->parent, WIRE_HANDOVER_PEER_WEB, NULL,
	                                             &pair[1])));
	close(pair[1]);
}

static void exec_web(const char *config, int fd)
{
	if (dup2(fd, 3) == 3)
		execl(getenv("WEB"), "web", config, (char *)NULL);
	_exit(127);
}

static void begin(struct world *world)
{
	struct wire_message message;
	int pair[2];

	*world = (struct world){ .core = { .fd = -1 } };
	write_config(world);
	CHECK(result_ok(wire_pair(pair)));
	world->pid = fork();
	if (world->pid == 0)
		exec_web(world->config, pair[1]);
	close(pair[1]);
	wire_channel_init(&world->parent, pair[0], WIRE_PARENT, WIRE_WEB, OUT);
	CHECK(take(&world->parent, &message) && message.row->number == WIRE_READY_WEB);
	for (int i = 0; i < DOORS; i++) {
		int fd = listening(&world->door[i].port);
		struct wire_value kind = WIRE_N(i);
		CHECK(result_ok(wire_channel_put_descriptors(&world->parent, WIRE_HANDOVER_LISTENER,
		                                             &kind, &fd)));
		close(fd);
	}
}

// Ends web and says its exit status; -1 when it was killed, by its jail for example.
static int finish(struct world *world)
{
	int status = 0;

	CHECK(waitpid(world->pid, &status, 0) == world->pid);
	wire_channel_done(&world->parent);
	wire_channel_done(&world->core);
	unlink(world->config);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int end(struct world *world)
{
	CHECK(result_ok(wire_channel_put(&world->parent, WIRE_STOP_WEB, NULL)));
	CHECK(result_ok(wire_channel_flush(&world->parent)));
	return finish(world);
}

#define TEXT(place, text) [WIRE_##place] = { .bytes = { (const uint8_t *)(text), strlen(text) } }

static void reply(struct world *world, const struct wire_value *values)
{
	CHECK(result_ok(wire_channel_put(&world->core, WIRE_REPLY, values)));
	CHECK(result_ok(wire_channel_flush(&world->core)));
}

#define REPLY(world, of, status, kind, ...)                                                        \
	reply(world, (struct wire_value[WIRE_FIELDS_OF_REPLY]){                                    \
	                     [WIRE_REPLY_SERIAL] = (of).fields[WIRE_REQUEST_SERIAL],               \
	                     [WIRE_REPLY_STATUS] = WIRE_N(status),                                 \
	                     [WIRE_REPLY_KIND] = WIRE_N(kind),                                     \
	                     __VA_ARGS__ })

static bool field_is(const struct wire_message *message, int place, const char *text)
{
	return bytes_equal_text(message->fields[place].bytes, text);
}

static bool header_is(const struct http_response *response, const char *name, const char *text)
{
	struct bytes value = http_response_get(response, name);

	if (bytes_equal_text(value, text))
		return true;
	printf("# %s: %.*s\n", name, (int)value.length, (const char *)value.data);
	return false;
}

static bool holds(struct bytes whole, const char *part)
{
	size_t length = strlen(part);

	return whole.length >= length && memmem(whole.data, whole.length, part, length) != NULL;
}

TEST(carries_a_request_to_core_and_the_reply_back)
{
	struct world world;
	struct wire_message message;
	struct http_response response;

	begin(&world);
	give_core(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, "POST /v1/customers?a[b]=c HTTP/1.1\r\nHost: localhost:8081\r\n"
	               "Authorization: Bearer sk_test_1\r\nIdempotency-Key: key-1\r\n"
	               "Stripe-Version: 2026\r\nUser-Agent: \xd0\xa1\r\nContent-Length: 3\r\n"
	               "Content-Type: application/x-www-form-urlencoded\r\n\r\na=b"));
	REQUIRE(take(&world.core, &message) && message.row->number == WIRE_REQUEST);
	EXPECT(message.fields[WIRE_REQUEST_LISTENER].number == 0);
	EXPECT(message.fields[WIRE_REQUEST_SERIAL].number >> 48 == 0);
	EXPECT(field_is(&message, WIRE_REQUEST_METHOD, "POST"));
	EXPECT(field_is(&message, WIRE_REQUEST_TARGET, "/v1/customers?a[b]=c"));
	EXPECT(field_is(&message, WIRE_REQUEST_PEER, "127.0.0.1"));
	EXPECT(field_is(&message, WIRE_REQUEST_HOST, "localhost:8081"));
	EXPECT(field_is(&message, WIRE_REQUEST_AUTHORIZATION, "Bearer sk_test_1"));
	EXPECT(field_is(&message, WIRE_REQUEST_IDEMPOTENCY_KEY, "key-1"));
	EXPECT(field_is(&message, WIRE_REQUEST_VERSION, "2026"));
	EXPECT(field_is(&message, WIRE_REQUEST_USER_AGENT, "\xd0\xa1"));
	EXPECT(field_is(&message, WIRE_REQUEST_ORIGIN, ""));
	EXPECT(field_is(&message, WIRE_REQUEST_BODY, "a=b"));
	REPLY(&world, message, 402, 0, TEXT(REPLY_REQUEST_ID, "req_1"), TEXT(REPLY_VERSION, "2026"),
	      TEXT(REPLY_BODY, "{\"error\":{}}"), [WIRE_REPLY_FLAGS] = WIRE_N(1 | 2 | 8),
	      [WIRE_REPLY_RETRY_AFTER] = WIRE_N(7));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 402 && bytes_equal_text(response.body, "{\"error\":{}}"));
	EXPECT(header_is(&response, "content-type", "application/json"));
	EXPECT(header_is(&response, "request-id", "req_1"));
	EXPECT(header_is(&response, "stripe-version", "2026"));
	EXPECT(header_is(&response, "idempotency-key", "key-1"));
	EXPECT(header_is(&response, "idempotent-replayed", "true"));
	EXPECT(header_is(&response, "stripe-should-retry", "false"));
	EXPECT(header_is(&response, "retry-after", "7"));
	EXPECT(header_is(&response, "access-control-allow-origin", "*"));
	EXPECT(header_is(&response, "cache-control", "no-store"));
	EXPECT(header_is(&response, "referrer-policy", "no-referrer"));
	EXPECT(header_is(&response, "x-content-type-options", "nosniff"));
	EXPECT(end(&world) == 0);
}

TEST(gives_redirects_and_texts)
{
	struct world world;
	struct wire_message message;
	struct http_response response;

	begin(&world);
	give_core(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, GET("/c/x") GET("/c/y")));
	REQUIRE(take(&world.core, &message));
	REPLY(&world, message, 303, 2, TEXT(REPLY_LOCATION, "https://shop.example/?a=b"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 303);
	EXPECT(header_is(&response, "location", "https://shop.example/?a=b"));
	buffer_drop(&in, response.length);
	REQUIRE(take(&world.core, &message));
	REPLY(&world, message, 303, 2, TEXT(REPLY_LOCATION, "/x\r\nSet-Cookie: a=b"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 500 && holds(response.body, "internal_error"));
	CLIENT(metrics, metrics_in, world.door[2]);
	EXPECT(say(metrics, GET("/livez") GET("/metrics")));
	EXPECT(answered(metrics, &metrics_in, 200, "ok\n"));
	REQUIRE(take(&world.core, &message));
	EXPECT(message.fields[WIRE_REQUEST_LISTENER].number == 2);
	REPLY(&world, message, 200, 3, TEXT(REPLY_BODY, "onfile_up 1\n"));
	EXPECT(answered(metrics, &metrics_in, 200, "onfile_up 1\n"));
	EXPECT(end(&world) == 0);
}

static const char base_policy[] = "default-src 'none'; script-src 'self'; style-src 'self'; "
                                  "img-src 'self' data:; connect-src 'self'; base-uri 'none'";

// Asks for a page that core names with this origin and ancestor; the policy without its base.
static bool policy_is(struct world *world, const char *page, const char *origin,
                      const char *ancestor, const char *expected)
{
	CLIENT(fd, in, world->door[0]);
	struct wire_message message;
	struct http_response response;

	if (!say(fd, GET("/c/x")) || !take(&world->core, &message))
		return false;
	REPLY(world, message, 200, 1, TEXT(REPLY_PAGE, page), TEXT(REPLY_CSP_ORIGIN, origin),
	      TEXT(REPLY_FRAME_ANCESTOR, ancestor));
	if (!hear(fd, &in, &response, false))
		return false;
	if (response.status != 200)
		return expected == NULL && response.status == 500;
	struct bytes policy = http_response_get(&response, "content-security-policy");
	bool good = expected && bytes_start_with(policy, base_policy) &&
	            bytes_equal_text(bytes_slice(policy, sizeof(base_policy) - 1, policy.length),
	                             expected) &&
	            header_is(&response, "referrer-policy", "strict-origin") &&
	            header_is(&response, "cache-control", "no-store") &&
	            header_is(&response, "content-type", "text/html; charset=utf-8");
	if (!good)
		printf("# %.*s\n", (int)policy.length, (const char *)policy.data);
	return good;
}

TEST(each_page_has_its_policy)
{
	struct world world;

	begin(&world);
	give_core(&world);
	EXPECT(policy_is(&world, "card.html", "", "",
	                 "; frame-src 'self'; form-action 'none'; frame-ancestors 'none'"));
	EXPECT(policy_is(&world, "card.html", "https://not.for.this.page", "https://shop.example",
	                 "; frame-src 'self'; form-action 'none'; "
	                 "frame-ancestors https://shop.example"));
	EXPECT(policy_is(&world, "challenge.html", "https://ACS.example:443", "",
	                 "; frame-src 'self' https://acs.example; form-action "
	                 "https://acs.example; frame-ancestors 'none'"));
	EXPECT(policy_is(&world, "method.html", "http://localhost:9000",
	                 "'self' https://shop.example",
	                 "; frame-src 'self' http://localhost:9000; form-action "
	                 "http://localhost:9000; frame-ancestors 'self' https://shop.example"));
	EXPECT(policy_is(&world, "returned.html", "", "",
	                 "; frame-src 'none'; form-action 'none'"));
	EXPECT(policy_is(&world, "challenge.html", "https://a; script-src *", "", NULL));
	EXPECT(policy_is(&world, "challenge.html", "https://a https://b", "", NULL));
	EXPECT(policy_is(&world, "challenge.html", "*", "", NULL));
	EXPECT(policy_is(&world, "card.html", "", "*", NULL));
	EXPECT(policy_is(&world, "card.html", "", "https://a/x", NULL));
	EXPECT(policy_is(&world, "../static/tokens.css", "", "", NULL));
	EXPECT(policy_is(&world, "no.html", "", "", NULL));
	EXPECT(end(&world) == 0);
}

TEST(the_bank_may_read_the_code_from_the_phone)
{
	struct world world;
	struct wire_message message;
	struct http_response response;

	begin(&world);
	give_core(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, GET("/c/x/challenge")));
	REQUIRE(take(&world.core, &message));
	REPLY(&world, message, 200, 1, TEXT(REPLY_PAGE, "challenge.html"),
	      TEXT(REPLY_CSP_ORIGIN, "https://acs.example"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(holds(http_response_get(&response, "permissions-policy"),
	             "otp-credentials=(self \"https://acs.example\")"));
	EXPECT(holds(response.body, "/static/challenge.js"));
	EXPECT(end(&world) == 0);
}

TEST(answers_files_itself)
{
	struct world world;
	struct http_response response;

	begin(&world); // without core
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, GET("/static/tokens.css") GET("/icon.svg") GET("/static/none.css")));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 200 &&
	       header_is(&response, "content-type", "text/css; charset=utf-8"));
	buffer_drop(&in, response.length);
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 200 && header_is(&response, "content-type", "image/svg+xml"));
	buffer_drop(&in, response.length);
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 404 && holds(response.body, "{\"error\":{\"type\":"));
	buffer_drop(&in, response.length);
	EXPECT(say(fd, "DELETE /static/tokens.css HTTP/1.1\r\nHost: h\r\n\r\n"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 405 && header_is(&response, "allow", "GET, HEAD"));
	EXPECT(end(&world) == 0);
}

TEST(its_own_errors_have_the_shape_of_the_api)
{
	struct world world;
	struct http_response response;

	begin(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, "GET /v1/x HTTP/1.0\r\n\r\n"));
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 400 && !response.keep_alive);
	EXPECT(header_is(&response, "content-type", "application/json"));
	EXPECT(bytes_start_with(http_response_get(&response, "request-id"), "req_"));
	EXPECT(bytes_equal_text(response.body,
	                        "{\"error\":{\"type\":\"invalid_request_error\","
	                        "\"code\":\"request_malformed\",\"message\":"
	                        "\"The request line does not end in HTTP/1.1.\"}}\n"));
	CLIENT(odd, odd_in, world.door[0]);
	EXPECT(say(odd, "GET /v1/x HTTP/1.1\r\nHost: h\r\nUser-Agent: \xff\r\n\r\n"));
	REQUIRE(hear(odd, &odd_in, &response, false));
	EXPECT(response.status == 400 && holds(response.body, "not UTF-8"));
	EXPECT(end(&world) == 0);
}

TEST(waits_for_a_core_that_comes_back)
{
	struct world world;
	struct wire_message message;
	struct http_response response;

	begin(&world);
	CLIENT(fd, in, world.door[0]);
	CLIENT(other, other_in, world.door[0]);
	EXPECT(say(fd, GET("/v1/one")));
	EXPECT(say(other, "POST /v1/two HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\na"));
	give_core(&world);
	for (int i = 0; i < 2; i++) {
		REQUIRE(take(&world.core, &message));
		bool one = field_is(&message, WIRE_REQUEST_TARGET, "/v1/one");
		EXPECT(one || field_is(&message, WIRE_REQUEST_BODY, "a"));
		if (one)
			REPLY(&world, message, 200, 0, TEXT(REPLY_BODY, "{}"));
	}
	EXPECT(answered(fd, &in, 200, "{}"));
	// The other one was sent to a core that now dies.
	wire_channel_done(&world.core);
	REQUIRE(hear(other, &other_in, &response, false));
	EXPECT(response.status == 503 && holds(response.body, "\"type\":\"api_error\""));
	EXPECT(header_is(&response, "stripe-should-retry", "true"));
	EXPECT(header_is(&response, "retry-after", "1"));
	buffer_drop(&other_in, response.length);
	// Nobody comes: the wait is bounded, and the connection lives on.
	EXPECT(say(other, GET("/v1/three")));
	EXPECT(say(fd, "GET /c/x HTTP/1.1\r\nHost: h\r\nAccept: text/html,*/*\r\n\r\n"));
	REQUIRE(hear(other, &other_in, &response, false));
	EXPECT(response.status == 503 && response.keep_alive);
	EXPECT(http_response_get(&response, "stripe-should-retry").data == NULL);
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 503 && holds(response.body, "/static/away.js"));
	EXPECT(end(&world) == 0);
}

TEST(tells_core_of_a_client_that_has_gone)
{
	struct world world;
	struct wire_message message;
	struct wire_message gone;

	begin(&world);
	give_core(&world);
	cleanup(cleanup_fd) int fd = dial(&world.door[0]);
	EXPECT(say(fd, GET("/c/x/state?after=1")));
	REQUIRE(take(&world.core, &message));
	uint64_t serial = message.fields[WIRE_REQUEST_SERIAL].number;
	reset(&fd);
	REQUIRE(take(&world.core, &gone) && gone.row->number == WIRE_REQUEST_GONE);
	EXPECT(gone.fields[WIRE_REQUEST_GONE_SERIAL].number == serial);
	// A reply to it, and one to nobody, change nothing, not even for the next one in its place.
	CLIENT(next, next_in, world.door[0]);
	EXPECT(say(next, GET("/v1/x")));
	REQUIRE(take(&world.core, &message));
	EXPECT(message.fields[WIRE_REQUEST_SERIAL].number != serial);
	gone.fields[WIRE_REQUEST_SERIAL] = WIRE_N(serial);
	REPLY(&world, gone, 200, 0, TEXT(REPLY_BODY, "wrong"));
	gone.fields[WIRE_REQUEST_SERIAL] = WIRE_N(0);
	REPLY(&world, gone, 200, 0, TEXT(REPLY_BODY, "wrong"));
	REPLY(&world, message, 200, 0, TEXT(REPLY_BODY, "right"));
	EXPECT(answered(next, &next_in, 200, "right"));
	EXPECT(end(&world) == 0);
}

TEST(a_core_that_breaks_the_catalogue_is_left)
{
	struct world world;
	struct wire_message message;
	struct http_response response;

	begin(&world);
	give_core(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, GET("/v1/x")));
	REQUIRE(take(&world.core, &message));
	EXPECT(write(world.core.fd, "\xff\xff\xff\xff\xff\xff", 6) == 6);
	REQUIRE(hear(fd, &in, &response, false));
	EXPECT(response.status == 503);
	EXPECT(!take(&world.core, &message));
	EXPECT(end(&world) == 0);
}

TEST(stops_when_its_parent_dies)
{
	struct world world;

	begin(&world);
	wire_channel_done(&world.parent);
	EXPECT(finish(&world) == 1);
}

TEST(a_stop_waits_for_the_answers)
{
	struct world world;
	struct wire_message message;

	begin(&world);
	give_core(&world);
	CLIENT(fd, in, world.door[0]);
	EXPECT(say(fd, GET("/v1/x")));
	REQUIRE(take(&world.core, &message));
	CHECK(result_ok(wire_channel_put(&world.parent, WIRE_STOP_WEB, NULL)));
	CHECK(result_ok(wire_channel_flush(&world.parent)));
	REPLY(&world, message, 200, 0, TEXT(REPLY_BODY, "{}"));
	EXPECT(answered(fd, &in, 200, "{}"));
	EXPECT(ended(fd, &in));
	cleanup_fd(&fd);
	EXPECT(finish(&world) == 0);
}

TAP_MAIN
