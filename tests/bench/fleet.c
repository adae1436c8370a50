// See fleet.h. Answers are read by their Content-Length only: what is measured here is the server.
#include "fleet.h"

#include "base/check.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 4 * 1024 * 1024, REQUEST_MAX = 64 * 1024, EVENTS = 256 };

struct ship {
	int fd;
	bool busy;
	uint64_t number;
	int64_t due_ns;
	struct buffer in;
	size_t head; // bytes of the answer's head; 0: not whole yet
	size_t whole;
	struct ship *next_free;
};

struct fleet {
	const struct fleet_work *work;
	struct fleet_result *result;
	struct ship *ships, *first_free, *last_free;
	struct buffer request;
	int poll, alarm;
	uint64_t asked;
	int64_t begun_ns, end_ns;
	int64_t *finished_ns; // beside result->latency_us
	size_t capacity;
	bool failed;
};

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool dial(struct fleet *fleet, struct ship *ship)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
		                             .sin_port = htons((uint16_t)fleet->work->port),
		                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	ship->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ship->fd < 0 ||
	    connect(ship->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		return false;
	setsockopt(ship->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	buffer_init(&ship->in, ANSWER_MAX);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = ship };
	CHECK(epoll_ctl(fleet->poll, EPOLL_CTL_ADD, ship->fd, &event) == 0);
	return true;
}

// Taken in turn, so that none is idle for as long as a server waits.
static void set_free(struct fleet *fleet, struct ship *ship)
{
	ship->next_free = NULL;
	*(fleet->first_free ? &fleet->last_free->next_free : &fleet->first_free) = ship;
	fleet->last_free = ship;
}

// When the request of this number is to be sent.
static int64_t due_ns(const struct fleet *fleet, uint64_t number)
{
	if (fleet->work->per_second <= 0)
		return now_ns();
	return fleet->begun_ns + (int64_t)((double)number * 1e9 / fleet->work->per_second);
}

static bool is_all_asked(const struct fleet *fleet, int64_t due)
{
	return (fleet->work->count && fleet->asked == fleet->work->count) ||
	       (fleet->work->seconds && due >= fleet->end_ns);
}

static void ask(struct fleet *fleet, struct ship *ship, int64_t due)
{
	buffer_reset(&fleet->request);
	fleet->work->make(fleet->work->owner, fleet->asked, &fleet->request);
	CHECK(!fleet->request.failed);
	ship->busy = true;
	ship->due_ns = due;
	ship->number = fleet->asked++;
	ship->head = 0;
	buffer_reset(&ship->in);
	// A request fits into the socket's buffer: there was an answer to the one before.
	if (send(ship->fd, fleet->request.data, fleet->request.length, MSG_NOSIGNAL) !=
	    (ssize_t)fleet->request.length)
		fleet->failed = true;
}

static void ask_what_is_due(struct fleet *fleet)
{
	while (fleet->first_free && !fleet->failed) {
		int64_t due = due_ns(fleet, fleet->asked);
		if (is_all_asked(fleet, due) || due > now_ns())
			return;
		struct ship *ship = fleet->first_free;
		fleet->first_free = ship->next_free;
		ask(fleet, ship, due);
	}
}

static void note(struct fleet *fleet, const struct ship *ship)
{
	struct fleet_result *result = fleet->result;
	int64_t now = now_ns();

	if (result->done == fleet->capacity) {
		fleet->capacity = fleet->capacity ? 2 * fleet->capacity : 65536;
		result->latency_us =
		        realloc(result->latency_us, fleet->capacity * sizeof(*result->latency_us));
		fleet->finished_ns =
		        realloc(fleet->finished_ns, fleet->capacity * sizeof(*fleet->finished_ns));
		CHECK(result->latency_us && fleet->finished_ns);
	}
	fleet->finished_ns[result->done] = now;
	result->latency_us[result->done++] = (uint32_t)((now - ship->due_ns) / 1000);
}

static void land(struct fleet *fleet, struct ship *ship)
{
	struct fleet_result *result = fleet->result;
	struct bytes answer = buffer_view(&ship->in);
	int status = (int)strtol((const char *)answer.data + 9, NULL, 10);
	struct bytes body = bytes_slice(answer, ship->head, ship->whole - ship->head);

	note(fleet, ship);
	if (!fleet->work->take(fleet->work->owner, ship->number, status, body)) {
		if (result->bad++ == 0)
			snprintf(result->first_bad, sizeof(result->first_bad), "%.*s",
			         (int)answer.length, (const char *)answer.data);
	}
	ship->busy = false;
	set_free(fleet, ship);
}

// Finds the end of the head and the length of the body; false: not yet there.
static bool read_head(struct ship *ship)
{
	static const char name[] = "\r\nContent-Length: ";
	const char *text = buffer_text(&ship->in);
	const char *end = strstr(text, "\r\n\r\n");

	if (!end || strncmp(text, "HTTP/1.1 ", 9) != 0)
		return false;
	const char *length = strstr(text, name);
	ship->head = (size_t)(end - text) + 4;
	ship->whole = ship->head;
	if (length && length < end)
		ship->whole += strtoul(length + sizeof(name) - 1, NULL, 10);
	return true;
}

static void read_answer(struct fleet *fleet, struct ship *ship)
{
	uint8_t *room = buffer_room(&ship->in, 16 * 1024);
	ssize_t got = room ? recv(ship->fd, room, 16 * 1024, MSG_DONTWAIT) : -1;

	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || !ship->busy) {
		fleet->failed = true;
		return;
	}
	buffer_grew(&ship->in, (size_t)got);
	if ((ship->head || read_head(ship)) && ship->in.length >= ship->whole)
		land(fleet, ship);
}

// In the open way an alarm rings when the next request is due.
static void set_alarm(struct fleet *fleet)
{
	int64_t due = due_ns(fleet, fleet->asked);
	struct itimerspec when = { .it_value = { .tv_sec = due / 1000000000,
		                                 .tv_nsec = due % 1000000000 } };

	if (fleet->work->per_second > 0)
		timerfd_settime(fleet->alarm, TFD_TIMER_ABSTIME, &when, NULL);
}

static void sail(struct fleet *fleet)
{
	struct epoll_event events[EVENTS];
	uint64_t rung;

	for (;;) {
		ask_what_is_due(fleet);
		if (fleet->failed || (fleet->result->done == fleet->asked &&
		                      is_all_asked(fleet, due_ns(fleet, fleet->asked))))
			return;
		set_alarm(fleet);
		int count = epoll_wait(fleet->poll, events, EVENTS, 30000);
		if (count <= 0) { // nothing for half a minute: the server is stuck
			fleet->failed = true;
			return;
		}
		for (int i = 0; i < count && !fleet->failed; i++) {
			if (events[i].data.ptr)
				read_answer(fleet, events[i].data.ptr);
			else if (read(fleet->alarm, &rung, sizeof(rung)) < 0)
				continue;
		}
	}
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void add_up(struct fleet *fleet)
{
	struct fleet_result *result = fleet->result;
	uint64_t inside = 0;

	if (result->done == 0)
		return;
	int64_t last = fleet->finished_ns[result->done - 1];
	int64_t tenth = (last - fleet->begun_ns) / 10;
	for (uint64_t i = 0; i < result->done; i++)
		inside += fleet->finished_ns[i] >= fleet->begun_ns + tenth &&
		          fleet->finished_ns[i] < last - tenth;
	result->seconds = (double)(last - fleet->begun_ns) * 1e-9;
	result->middle_rate = tenth ? (double)inside / ((double)tenth * 8e-9) : 0;
	qsort(result->latency_us, result->done, sizeof(*result->latency_us), compare);
}

bool fleet_run(const struct fleet_work *work, struct fleet_result *ret_result)
{
	struct fleet fleet = { .work = work, .result = ret_result };
	struct epoll_event event = { .events = EPOLLIN };

	*ret_result = (struct fleet_result){ 0 };
	fleet.poll = epoll_create1(EPOLL_CLOEXEC);
	fleet.alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	CHECK(fleet.poll >= 0 && fleet.alarm >= 0);
	CHECK(epoll_ctl(fleet.poll, EPOLL_CTL_ADD, fleet.alarm, &event) == 0);
	buffer_init(&fleet.request, REQUEST_MAX);
	fleet.ships = calloc(work->connections, sizeof(*fleet.ships));
	CHECK(fleet.ships);
	for (unsigned i = 0; i < work->connections; i++) {
		fleet.failed = !dial(&fleet, &fleet.ships[i]) || fleet.failed;
		set_free(&fleet, &fleet.ships[i]);
	}
	fleet.begun_ns = now_ns();
	fleet.end_ns = fleet.begun_ns + (int64_t)work->seconds * 1000000000;
	sail(&fleet);
	add_up(&fleet);
	for (unsigned i = 0; i < work->connections; i++) {
		close(fleet.ships[i].fd);
		buffer_done(&fleet.ships[i].in);
	}
	free(fleet.ships);
	free(fleet.finished_ns);
	buffer_done(&fleet.request);
	close(fleet.poll);
	close(fleet.alarm);
	return !fleet.failed;
}

void fleet_result_done(struct fleet_result *result)
{
	free(result->latency_us);
	result->latency_us = NULL;
}

uint32_t fleet_quantile(const struct fleet_result *result, double share)
{
	if (result->done == 0)
		return 0;
	uint64_t place = (uint64_t)(share * (double)result->done);
	return result->latency_us[place < result->done ? place : result->done - 1];
}
