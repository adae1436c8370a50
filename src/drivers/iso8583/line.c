// The line's states. Everything that changes one goes through set_state(). Without TLS only
// loopback is dialled; docs/iso8583.md says so to operators.
#include "driver.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

// A frame on its way out. It holds a card, so it comes from the wiping allocator.
struct line_frame {
	struct line_frame *next;
	struct flight_entry *entry; // NULL: an answer of ours
	size_t length, written;
	uint8_t bytes[];
};

#define PAUSE_FIRST_MS 100
#define PAUSE_MAX_MS 30000
#define SIGN_OFF_MS 2000
#define READ_AT_ONCE 65536
#define FRAMES_AT_ONCE 64
// What the kernel takes counts as sent. It takes little, so that a bank that has stopped reading
// does not find old requests when it reads again.
#define SEND_BUFFER 65536

static void set_state(struct line *line, enum line_state state, int64_t timer_ms)
{
	static const char *const names[] = { "down", "connecting",  "signing_on",
		                             "up",   "signing_off", "over" };

	line->state = state;
	line->timer_ms = timer_ms;
	log_event(LOG_DEBUG, "line", LOG_TEXT("state", names[state]));
}

void line_init(struct line *line)
{
	*line = (struct line){ .fd = -1, .pause_ms = PAUSE_FIRST_MS };
	buffer_init_secret(&line->incoming, READ_AT_ONCE * 4);
}

static void drop_frames(struct line *line)
{
	while (line->first) {
		struct line_frame *frame = line->first;
		line->first = frame->next;
		if (frame->entry)
			frame->entry->frame = NULL;
		secret_free(frame);
	}
	line->last = NULL;
}

void line_done(struct line *line)
{
	drop_frames(line);
	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
	buffer_done(&line->incoming);
}

// The loopback address that a host means. Names are not looked up: this program needs no DNS.
static bool read_host(const char *host, int64_t port, struct sockaddr_storage *ret_address,
                      socklen_t *ret_length)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret_address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret_address;
	size_t length = strlen(host);
	bool named = strcmp(host, "localhost") == 0 ||
	             (length > 10 && strcmp(host + length - 10, ".localhost") == 0);

	memset(ret_address, 0, sizeof *ret_address);
	if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons((uint16_t)port);
		*ret_length = sizeof *v6;
		return IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
	}
	if (inet_pton(AF_INET, named ? "127.0.0.1" : host, &v4->sin_addr) != 1)
		return false;
	v4->sin_family = AF_INET;
	v4->sin_port = htons((uint16_t)port);
	*ret_length = sizeof *v4;
	return ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

struct result line_check_host(const char *host)
{
	struct sockaddr_storage address;
	socklen_t length;

	if (!read_host(host, 1, &address, &length))
		return FAIL(ERROR_DENIED,
		            "this driver has no TLS yet, so it dials 127.0.0.1, ::1 and "
		            "localhost only; put the TLS tunnel to the bank there");
	return RESULT_OK;
}

// Between half of the pause and all of it, so that many drivers do not come back in step.
static int64_t uneven(int64_t pause_ms)
{
	uint32_t random;

	CHECK(getrandom(&random, sizeof random, 0) == sizeof random);
	return pause_ms / 2 + (int64_t)(random % (uint64_t)(pause_ms / 2 + 1));
}

static void tell_down(struct driver *driver, const char *detail)
{
	struct line *line = &driver->line;

	if (!line->told_down || strcmp(line->why, detail) != 0) {
		snprintf(line->why, sizeof line->why, "%s", detail);
		driver_tell_state(driver, "down", detail);
		log_event(LOG_WARN, "line_down", LOG_TEXT("detail", detail));
	}
	line->told_down = true;
}

void line_break(struct driver *driver, const char *detail)
{
	struct line *line = &driver->line;
	bool over = line->state == LINE_SIGNING_OFF || driver->input_over;
	struct flight_entry *next;

	if (line->fd >= 0)
		close(line->fd);
	line->fd = -1;
	buffer_done(&line->incoming);
	drop_frames(line);
	line->echo_open = false;
	for (struct flight_entry *entry = driver->flight.live.first; entry; entry = next) {
		next = entry->after;
		driver_give_up(driver, entry, detail);
	}
	if (over) {
		set_state(line, LINE_OVER, INT64_MAX);
		return;
	}
	set_state(line, LINE_DOWN, clock_monotonic_ms() + uneven(line->pause_ms));
	line->pause_ms = line->pause_ms * 2 > PAUSE_MAX_MS ? PAUSE_MAX_MS : line->pause_ms * 2;
	tell_down(driver, detail);
}

static void break_with_errno(struct driver *driver, const char *what, int error)
{
	char detail[160];

	snprintf(detail, sizeof detail, "%s: %s", what, strerror(error));
	line_break(driver, detail);
}

// Sends one of our own messages (0800) with this DE70.
static struct result send_network(struct driver *driver, const char *code, int64_t timeout_ms)
{
	struct iso8583_message *message = &driver->message;
	struct line *line = &driver->line;
	time_t now = (time_t)(driver->now_ms / 1000);
	struct flight_entry *entry;
	struct tm utc;
	char sent_at[16];

	gmtime_r(&now, &utc);
	strftime(sent_at, sizeof sent_at, "%m%d%H%M%S", &utc);
	line->stan = line->stan % 999999 + 1;
	iso8583_begin(message, "0800");
	iso8583_set(message, 7, bytes_text(sent_at));
	iso8583_set_number(message, 11, line->stan, 6);
	iso8583_set(message, 70, bytes_text(code));
	struct flight_key key = driver_key_of(message);
	TRY(driver_send(driver, &key, driver->now_ms + timeout_ms, &entry));
	entry->operation = OP_LINE;
	return RESULT_OK;
}

static void go_up(struct driver *driver)
{
	struct line *line = &driver->line;

	line->pause_ms = PAUSE_FIRST_MS;
	line->told_down = false;
	line->heard_ms = clock_monotonic_ms();
	set_state(line, LINE_UP,
	          driver->parameters.echo_interval_ms > 0
	                  ? line->heard_ms + driver->parameters.echo_interval_ms
	                  : INT64_MAX);
	driver_tell_state(driver, "up", NULL);
	log_event(LOG_INFO, "line_up");
}

static void connected(struct driver *driver)
{
	struct line *line = &driver->line;

	if (!driver->parameters.sign_on) {
		go_up(driver);
		return;
	}
	set_state(line, LINE_SIGNING_ON, INT64_MAX);
	struct result result = send_network(driver, "001", driver->parameters.sign_on_timeout_ms);
	if (!result_ok(result))
		line_break(driver, result.detail);
}

static void dial(struct driver *driver, int64_t tick_ms)
{
	struct line *line = &driver->line;
	struct sockaddr_storage address;
	socklen_t length;
	int on = 1;
	int kept = SEND_BUFFER;

	CHECK(read_host(driver->parameters.host, driver->parameters.port, &address, &length));
	line->fd = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (line->fd < 0) {
		break_with_errno(driver, "no socket could be made", errno);
		return;
	}
	setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	setsockopt(line->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(line->fd, SOL_SOCKET, SO_SNDBUF, &kept, sizeof kept);
	buffer_init_secret(&line->incoming, READ_AT_ONCE * 4);
	set_state(line, LINE_CONNECTING, tick_ms + driver->parameters.connect_timeout_ms);
	if (connect(line->fd, (struct sockaddr *)&address, length) == 0)
		connected(driver);
	else if (errno != EINPROGRESS)
		break_with_errno(driver, "the bank does not take the connection", errno);
}

static void finish_connecting(struct driver *driver)
{
	int error = 0;
	socklen_t length = sizeof error;

	getsockopt(driver->line.fd, SOL_SOCKET, SO_ERROR, &error, &length);
	if (error)
		break_with_errno(driver, "the bank does not take the connection", error);
	else
		connected(driver);
}

void line_queue(struct line *line, struct flight_entry *entry, struct bytes bytes)
{
	struct line_frame *frame = secret_malloc(sizeof *frame + bytes.length);

	CHECK(frame);
	*frame = (struct line_frame){ .entry = entry, .length = bytes.length };
	memcpy(frame->bytes, bytes.data, bytes.length);
	if (entry)
		entry->frame = frame;
	if (line->last)
		line->last->next = frame;
	else
		line->first = frame;
	line->last = frame;
}

void line_unqueue(struct line *line, struct flight_entry *entry)
{
	struct line_frame *before = NULL;
	struct line_frame **where = &line->first;

	if (!entry->frame)
		return;
	while (*where != entry->frame) {
		before = *where;
		where = &before->next;
	}
	*where = entry->frame->next;
	if (line->last == entry->frame)
		line->last = before;
	secret_free(entry->frame);
	entry->frame = NULL;
}

// Notes that `written` bytes of the queue have left; a frame that is out is wiped.
static void advance(struct line *line, size_t written)
{
	while (written > 0) {
		struct line_frame *frame = line->first;
		size_t left = frame->length - frame->written;
		size_t part = written < left ? written : left;
		frame->written += part;
		written -= part;
		if (frame->entry)
			frame->entry->state = part < left ? FLIGHT_WRITING : FLIGHT_SENT;
		if (part < left)
			return;
		if (frame->entry)
			frame->entry->frame = NULL;
		line->first = frame->next;
		if (!line->first)
			line->last = NULL;
		secret_free(frame);
	}
}

void line_flush(struct driver *driver)
{
	struct line *line = &driver->line;

	while (line->first) {
		struct iovec parts[FRAMES_AT_ONCE];
		int count = 0;
		for (struct line_frame *frame = line->first; frame && count < FRAMES_AT_ONCE;
		     frame = frame->next)
			parts[count++] = (struct iovec){ frame->bytes + frame->written,
				                         frame->length - frame->written };
		ssize_t written = writev(line->fd, parts, count);
		if (written < 0) {
			if (errno != EAGAIN && errno != EINTR)
				break_with_errno(driver, "the line broke while writing", errno);
			return;
		}
		advance(line, (size_t)written);
	}
}

// Hands on every whole frame that has come in.
static void take_frames(struct driver *driver)
{
	struct line *line = &driver->line;
	struct bytes message, tpdu;
	size_t consumed = 1, taken = 0;

	while (line->fd >= 0) {
		struct bytes rest = buffer_view(&line->incoming);
		rest = bytes_slice(rest, taken, rest.length);
		struct result result = iso8583_frame_read(&driver->parameters.framing, rest,
		                                          &message, &tpdu, &consumed);
		if (!result_ok(result)) {
			line_break(driver, result.detail);
			return;
		}
		if (consumed == 0)
			break;
		taken += consumed;
		if (message.length > 0)
			driver_message_came(driver, message);
	}
	if (line->fd >= 0)
		buffer_drop(&line->incoming, taken);
}

static void read_some(struct driver *driver, int64_t tick_ms)
{
	struct line *line = &driver->line;
	uint8_t *room = buffer_room(&line->incoming, READ_AT_ONCE);

	if (!room) {
		line_break(driver, "the bank sends a frame without an end");
		return;
	}
	ssize_t got = read(line->fd, room, READ_AT_ONCE);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0) {
		break_with_errno(driver, "the line broke while reading", errno);
		return;
	}
	if (got == 0) {
		line_break(driver, line->incoming.length > 0
		                           ? "the bank closed the line within a message"
		                           : "the bank closed the line");
		return;
	}
	buffer_grew(&line->incoming, (size_t)got);
	line->heard_ms = tick_ms;
	take_frames(driver);
}

static void keep_alive(struct driver *driver, int64_t tick_ms)
{
	struct line *line = &driver->line;
	int64_t due_ms = line->heard_ms + driver->parameters.echo_interval_ms;

	if (tick_ms < due_ms || line->echo_open) {
		line->timer_ms = tick_ms < due_ms ? due_ms : tick_ms + 1000;
		return;
	}
	line->echo_open = true;
	line->timer_ms = tick_ms + driver->parameters.echo_interval_ms;
	struct result result = send_network(driver, "301", driver->parameters.echo_timeout_ms);
	if (!result_ok(result))
		line_break(driver, result.detail);
}

static void on_timer(struct driver *driver, int64_t tick_ms)
{
	switch (driver->line.state) {
	case LINE_DOWN: dial(driver, tick_ms); break;
	case LINE_CONNECTING:
		line_break(driver, "the bank did not take the connection in time");
		break;
	case LINE_UP: keep_alive(driver, tick_ms); break;
	case LINE_SIGNING_OFF: line_break(driver, "signed off"); break;
	default: break;
	}
}

short line_events(const struct line *line)
{
	if (line->fd < 0)
		return 0;
	if (line->state == LINE_CONNECTING)
		return POLLOUT;
	return (short)(POLLIN | (line->first ? POLLOUT : 0));
}

void line_turn(struct driver *driver, short events, int64_t tick_ms)
{
	struct line *line = &driver->line;

	if (tick_ms >= line->timer_ms)
		on_timer(driver, tick_ms);
	if (line->fd >= 0 && line->state == LINE_CONNECTING && events)
		finish_connecting(driver);
	else if (line->fd >= 0 && events & (POLLIN | POLLHUP | POLLERR))
		read_some(driver, tick_ms);
	if (line->fd >= 0 && line->state != LINE_CONNECTING)
		line_flush(driver);
}

void line_answered(struct driver *driver, bool good)
{
	struct line *line = &driver->line;

	line->echo_open = false;
	if (line->state == LINE_SIGNING_ON && good)
		go_up(driver);
	else if (line->state == LINE_SIGNING_ON)
		line_break(driver, "the bank refused the sign-on");
	else if (line->state == LINE_SIGNING_OFF)
		line_break(driver, "signed off");
}

void line_unanswered(struct driver *driver)
{
	struct line *line = &driver->line;

	line->echo_open = false;
	// A bank that answers everything but echoes is alive.
	if (line->state == LINE_UP &&
	    clock_monotonic_ms() - line->heard_ms < driver->parameters.echo_timeout_ms)
		return;
	line_break(driver, driver->line.state == LINE_SIGNING_ON
	                           ? "the bank did not answer the sign-on"
	                           : "the bank did not answer an echo");
}

void line_note_unreadable(struct line *line, const char *why)
{
	line->unreadable++;
	log_event(LOG_WARN, "unreadable", LOG_TEXT("detail", why));
}

void line_sign_off(struct driver *driver)
{
	struct line *line = &driver->line;

	if (line->state != LINE_UP || !driver->parameters.sign_on) {
		line_break(driver, "no more requests");
		return;
	}
	set_state(line, LINE_SIGNING_OFF, clock_monotonic_ms() + SIGN_OFF_MS);
	struct result result = send_network(driver, "002", SIGN_OFF_MS);
	if (!result_ok(result))
		line_break(driver, result.detail);
}
