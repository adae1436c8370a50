// The line's states. Everything that changes one goes through set_state(), which is also where a
// test learns how far it is.
#include "driver.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "tls/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 30000
#define SIGN_OFF_MS 2000
#define INCOMING_LIMIT (4 * 65536)
// What the kernel takes counts as sent. It takes little, so that a bank that has stopped reading
// does not find old requests when it reads again.
#define SEND_BUFFER 65536

static void set_state(struct driver *driver, struct line *line, enum line_state state,
                      int64_t timer_ms)
{
	static const char *const names[] = { "down",       "resolving", "connecting",  "greeting",
		                             "signing_on", "up",        "signing_off", "over" };
	enum line_state before = line->state;

	line->state = state;
	line->timer_ms = timer_ms;
	log_event(LOG_DEBUG, "line", LOG_TEXT("state", names[state]));
	if (line->probe && state != before)
		probe_moved(driver, state);
}

void line_init(struct line *line, bool probe)
{
	*line = (struct line){ .fd = -1, .pause_ms = PAUSE_FIRST_MS, .probe = probe };
	buffer_init_secret(&line->incoming, INCOMING_LIMIT);
}

static void close_line(struct line *line)
{
	resolve_drop(line->look_up);
	line->look_up = NULL;
	tls_free(line->tls);
	line->tls = NULL;
	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
	line_drop_frames(line);
	buffer_done(&line->incoming);
	line->echo_open = false;
	line->bank_leaves = false;
}

void line_done(struct line *line)
{
	close_line(line);
}

struct result line_check_host(const struct driver *driver)
{
	const struct parameters *parameters = &driver->parameters;
	struct addresses addresses;

	if (parameters->tls || parameters->plain_network)
		return RESULT_OK;
	if (resolve_literal(parameters->host, parameters->port, &addresses) &&
	    resolve_is_loopback(&addresses.list[0]))
		return RESULT_OK;
	return FAIL(ERROR_DENIED, "without TLS only 127.0.0.1, ::1 and localhost are dialled; set "
	                          "tls to required (or plain_network to accepted, when the "
	                          "network on the way is protected otherwise)");
}

// Between half of the pause and all of it, so that many drivers do not come back in step.
static int64_t uneven(int64_t pause_ms)
{
	uint32_t random;

	CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
	return pause_ms / 2 + (int64_t)(random % (uint64_t)(pause_ms / 2 + 1));
}

static void give_up_all(struct driver *driver, struct line *line, const char *detail)
{
	struct flight_entry *next;

	for (struct flight_entry *entry = driver->flight.live.first; entry; entry = next) {
		next = entry->after;
		if (entry->line == line)
			driver_give_up(driver, entry, detail);
	}
}

void line_break(struct driver *driver, struct line *line, const char *detail)
{
	bool over = line->state == LINE_SIGNING_OFF || driver->input_over || line->probe;
	bool was_up = line->state == LINE_UP || line->state == LINE_SIGNING_OFF;
	char why[256];

	// The sentence may belong to what is closed now.
	snprintf(why, sizeof why, "%s", detail);
	if (line->probe)
		probe_broke(driver, why);
	close_line(line);
	give_up_all(driver, line, why);
	if (over) {
		set_state(driver, line, LINE_OVER, INT64_MAX);
		if (was_up && !line->probe)
			driver->up--;
		return;
	}
	set_state(driver, line, LINE_DOWN, clock_monotonic_ms() + uneven(line->pause_ms));
	line->pause_ms = line->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : line->pause_ms * 2;
	driver_line_down(driver, was_up, why);
}

void line_break_errno(struct driver *driver, struct line *line, const char *what, int error)
{
	char detail[200];

	snprintf(detail, sizeof detail, "%s: %s", what, strerror(error));
	line_break(driver, line, detail);
}

static void go_up(struct driver *driver, struct line *line)
{
	line->pause_ms = PAUSE_FIRST_MS;
	line->heard_ms = clock_monotonic_ms();
	set_state(driver, line, LINE_UP,
	          driver->parameters.echo_interval_ms > 0 && !line->probe
	                  ? line->heard_ms + driver->parameters.echo_interval_ms
	                  : INT64_MAX);
	if (!line->probe)
		driver_line_up(driver);
}

static void sign_on(struct driver *driver, struct line *line)
{
	if (!driver->parameters.sign_on) {
		go_up(driver, line);
		return;
	}
	set_state(driver, line, LINE_SIGNING_ON, INT64_MAX);
	struct result result = driver_send_network(driver, line, ISO8583_WHEN_SIGN_ON,
	                                           driver->parameters.sign_on_timeout_ms);
	if (!result_ok(result))
		line_break(driver, line, result.detail);
}

void line_greeted(struct driver *driver, struct line *line)
{
	sign_on(driver, line);
}

static void connected(struct driver *driver, struct line *line)
{
	const struct parameters *parameters = &driver->parameters;
	const char *name = parameters->tls_name[0] ? parameters->tls_name : parameters->host;

	if (!driver->tls) {
		sign_on(driver, line);
		return;
	}
	set_state(driver, line, LINE_GREETING,
	          clock_monotonic_ms() + parameters->connect_timeout_ms);
	struct result result = tls_connect(driver->tls, name, &line->tls);
	if (result_ok(result))
		result = tls_receive(line->tls, BYTES_NONE, &line->incoming);
	if (!result_ok(result))
		line_break(driver, line, result.detail);
}

// Tries the addresses one after the other, each as long as the limit says.
static void dial(struct driver *driver, struct line *line, const char *why, int error)
{
	while (line->address < line->addresses.count) {
		const struct sockaddr_storage *address = &line->addresses.list[line->address];
		socklen_t length = line->addresses.lengths[line->address++];
		if (!driver->tls && !driver->parameters.plain_network &&
		    !resolve_is_loopback(address)) {
			why = "without TLS the bank's address has to be on this machine";
			error = 0;
			continue;
		}
		line->fd =
		        socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (line->fd < 0) {
			why = "no socket could be made";
			error = errno;
			continue;
		}
		setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
		setsockopt(line->fd, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
		setsockopt(line->fd, SOL_SOCKET, SO_SNDBUF, &(int){ SEND_BUFFER }, sizeof(int));
		set_state(driver, line, LINE_CONNECTING,
		          clock_monotonic_ms() + driver->parameters.connect_timeout_ms);
		if (connect(line->fd, (const struct sockaddr *)address, length) == 0) {
			connected(driver, line);
			return;
		}
		if (errno == EINPROGRESS)
			return;
		why = "the bank does not take the connection";
		error = errno;
		close(line->fd);
		line->fd = -1;
	}
	if (error)
		line_break_errno(driver, line, why, error);
	else
		line_break(driver, line, why);
}

void line_open(struct driver *driver, struct line *line)
{
	const struct parameters *parameters = &driver->parameters;

	line->address = 0;
	buffer_init_secret(&line->incoming, INCOMING_LIMIT);
	set_state(driver, line, LINE_RESOLVING,
	          clock_monotonic_ms() + parameters->connect_timeout_ms);
	if (resolve_literal(parameters->host, parameters->port, &line->addresses)) {
		dial(driver, line, "the host has no address", 0);
		return;
	}
	line->look_up = resolve_start(parameters->host, parameters->port);
	if (!line->look_up)
		line_break(driver, line, "the bank's name cannot be looked up: no thread");
}

static void finish_resolving(struct driver *driver, struct line *line)
{
	char detail[200];
	const char *why;

	resolve_finish(line->look_up, &line->addresses, &why);
	line->look_up = NULL;
	snprintf(detail, sizeof detail, "the bank's name cannot be resolved: %s", why);
	dial(driver, line, detail, 0);
}

static void finish_connecting(struct driver *driver, struct line *line)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(line->fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (!error) {
		connected(driver, line);
		return;
	}
	close(line->fd);
	line->fd = -1;
	dial(driver, line, "the bank does not take the connection", error);
}

static void keep_alive(struct driver *driver, struct line *line, int64_t tick_ms)
{
	int64_t due_ms = line->heard_ms + driver->parameters.echo_interval_ms;

	if (tick_ms < due_ms || line->echo_open) {
		line->timer_ms = tick_ms < due_ms ? due_ms : tick_ms + 1000;
		return;
	}
	line->echo_open = true;
	line->timer_ms = tick_ms + driver->parameters.echo_interval_ms;
	struct result result = driver_send_network(driver, line, ISO8583_WHEN_ECHO,
	                                           driver->parameters.echo_timeout_ms);
	if (!result_ok(result))
		line_break(driver, line, result.detail);
}

static void on_timer(struct driver *driver, struct line *line, int64_t tick_ms)
{
	switch (line->state) {
	case LINE_DOWN: line_open(driver, line); break;
	case LINE_RESOLVING:
		line_break(driver, line, "the bank's name was not resolved in time");
		break;
	case LINE_CONNECTING:
		close(line->fd);
		line->fd = -1;
		dial(driver, line, "the bank did not take the connection in time", 0);
		break;
	case LINE_GREETING:
		line_break(driver, line, "the bank did not finish the TLS handshake in time");
		break;
	case LINE_UP: keep_alive(driver, line, tick_ms); break;
	case LINE_SIGNING_OFF: line_break(driver, line, "signed off"); break;
	default: break;
	}
}

short line_events(const struct line *line, int *ret_fd)
{
	*ret_fd = line->look_up ? resolve_fd(line->look_up) : line->fd;
	if (*ret_fd < 0 || line->look_up)
		return POLLIN;
	if (line->state == LINE_CONNECTING)
		return POLLOUT;
	bool waits = line->first || (line->tls && tls_pending(line->tls).length > 0);
	return (short)(POLLIN | (waits ? POLLOUT : 0));
}

void line_turn(struct driver *driver, struct line *line, short events, int64_t tick_ms)
{
	if (tick_ms >= line->timer_ms)
		on_timer(driver, line, tick_ms);
	else if (line->look_up && events)
		finish_resolving(driver, line);
	else if (line->fd >= 0 && line->state == LINE_CONNECTING && events)
		finish_connecting(driver, line);
	else if (line->fd >= 0 && events & (POLLIN | POLLHUP | POLLERR))
		line_read(driver, line, tick_ms);
	if (line->fd >= 0 && line->state != LINE_CONNECTING)
		line_flush(driver, line);
	if (line->fd >= 0 && line->bank_leaves && !line->first)
		line_break(driver, line, "the bank signed off");
}

void line_answered(struct driver *driver, struct line *line, bool good, const char *code)
{
	char detail[64];

	line->echo_open = false;
	if (line->state == LINE_SIGNING_ON && good) {
		go_up(driver, line);
	} else if (line->state == LINE_SIGNING_ON) {
		snprintf(detail, sizeof detail, "the bank refused the sign-on: %s", code);
		driver->probe.refused = line->probe;
		line_break(driver, line, detail);
	} else if (line->state == LINE_SIGNING_OFF) {
		line_break(driver, line, "signed off");
	} else if (line->probe) {
		probe_answered(driver, good, code);
	}
}

void line_unanswered(struct driver *driver, struct line *line)
{
	line->echo_open = false;
	// A bank that answers everything but echoes is alive.
	if (line->state == LINE_UP && !line->probe &&
	    clock_monotonic_ms() - line->heard_ms < driver->parameters.echo_timeout_ms)
		return;
	line_break(driver, line,
	           line->state == LINE_SIGNING_ON    ? "the bank did not answer the sign-on"
	           : line->state == LINE_SIGNING_OFF ? "the bank did not answer the sign-off"
	                                             : "the bank did not answer an echo");
}

void line_sign_off(struct driver *driver, struct line *line)
{
	if (line->state != LINE_UP || !driver->parameters.sign_on) {
		line_break(driver, line, "no more requests");
		return;
	}
	set_state(driver, line, LINE_SIGNING_OFF, clock_monotonic_ms() + SIGN_OFF_MS);
	struct result result =
	        driver_send_network(driver, line, ISO8583_WHEN_SIGN_OFF, SIGN_OFF_MS);
	if (!result_ok(result))
		line_break(driver, line, result.detail);
}
