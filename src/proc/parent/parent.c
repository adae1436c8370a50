// The parent's loop: what is readable, what is due, who ended. Stopping is the same loop with a
// place in the order web, courier, core, vault, drivers and a limit for each.
#include "parent.h"

#include "state.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOPPING_DRIVERS = -1, STOPPED = -2, POLLED_MAX = 2 + PARENT_CHILDREN + PARENT_CLIENTS_MAX };

static void init(struct parent *parent, const struct config *config, const char *config_path)
{
	static const struct child programs[PARENT_CHILDREN] = {
		[CHILD_VAULT] = { WIRE_VAULT, "vault", WIRE_STOP_VAULT, .channel.fd = -1 },
		[CHILD_CORE] = { WIRE_CORE, "core", WIRE_STOP_CORE, .channel.fd = -1 },
		[CHILD_COURIER] = { WIRE_COURIER, "courier", WIRE_STOP_COURIER, .channel.fd = -1 },
		[CHILD_WEB] = { WIRE_WEB, "web", WIRE_STOP_WEB, .channel.fd = -1 },
	};

	*parent = (struct parent){ .config = config,
		                   .config_path = config_path,
		                   .programs = -1,
		                   .drivers_folder = -1,
		                   .run = -1,
		                   .signals = -1,
		                   .listeners = { -1, -1, -1 },
		                   .root_control = -1,
		                   .operator_control = -1,
		                   .began_ms = clock_monotonic_ms() };
	memcpy(parent->children, programs, sizeof(programs));
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++)
		parent->clients[i].channel.fd = -1;
}

static bool watch_signals(struct parent *parent)
{
	const struct rlimit no_core = { 0, 0 };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	signal(SIGPIPE, SIG_IGN);
	// What a driver started and left behind comes to us to be reaped.
	return setrlimit(RLIMIT_CORE, &no_core) == 0 &&
	       prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0 &&
	       sigprocmask(SIG_BLOCK, &set, NULL) == 0 &&
	       (parent->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) >= 0;
}

// --- stopping

static void stop_next(struct parent *parent)
{
	parent->stop_until_ms = clock_monotonic_ms() + PARENT_STOP_MS;
	while (--parent->stopping_place >= 0) {
		struct child *child = &parent->children[parent->stopping_place];
		if (!child->pid)
			continue;
		child_tell(child, child->stop, NULL);
		return;
	}
	if (parent->stopping_place == STOPPING_DRIVERS)
		drivers_stop(parent); // their pipes ended with vault
}

static void begin_stopping(struct parent *parent, int number)
{
	log_event(LOG_INFO, "stopping", LOG_NUMBER("signal", number));
	if (parent->stopping) {
		parent->in_a_hurry = true;
		parent->stop_until_ms = 0;
		return;
	}
	parent->stopping = true;
	parent->stopping_place = PARENT_CHILDREN;
	stop_next(parent);
}

// Goes on in the order when the one that is being stopped has ended; kills it when its time is
// over.
static void look_at_stopping(struct parent *parent, int64_t now_ms)
{
	while (parent->stopping_place >= 0) {
		struct child *child = &parent->children[parent->stopping_place];
		if (child->pid && now_ms >= parent->stop_until_ms) {
			child_kill(child, "it did not end in time");
			parent->stop_until_ms = INT64_MAX;
		}
		if (child->pid)
			return;
		stop_next(parent);
		if (parent->in_a_hurry)
			parent->stop_until_ms = 0;
	}
	if (parent->stopping_place == STOPPING_DRIVERS && !drivers_run(parent))
		parent->stopping_place = STOPPED;
}

// --- who ended

static void reap(struct parent *parent)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (driver_ended(parent, pid, status))
			continue;
		for (int i = 0; i < PARENT_CHILDREN; i++)
			if (parent->children[i].pid == pid)
				child_ended(parent, &parent->children[i], status);
	}
}

static void take_signals(struct parent *parent)
{
	struct signalfd_siginfo info;

	while (read(parent->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			reap(parent);
		else if (info.ssi_signo != SIGHUP)
			begin_stopping(parent, (int)info.ssi_signo);
	}
}

// --- what is due

// Starts what is to be started. Returns when to look again.
static int64_t look(struct parent *parent)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t next = INT64_MAX;

	for (int i = 0; i < PARENT_CHILDREN && !parent->stopping; i++) {
		struct child *child = &parent->children[i];
		if (!child->pid && child->start_at_ms <= now_ms)
			child_start(parent, child);
		if (!child->pid && child->start_at_ms < next)
			next = child->start_at_ms;
	}
	int64_t drivers = drivers_look(parent, now_ms);
	if (drivers < next)
		next = drivers;
	if (parent->stopping)
		look_at_stopping(parent, now_ms);
	if (parent->stopping && parent->stop_until_ms < next)
		next = parent->stop_until_ms;
	return next;
}

static int wait_ms(int64_t until_ms)
{
	if (until_ms == INT64_MAX)
		return -1;
	int64_t wait = until_ms - clock_monotonic_ms();
	return wait < 0 ? 0 : wait > PARENT_STOP_MS ? PARENT_STOP_MS : (int)wait;
}

// --- what is readable

struct polled {
	struct pollfd fds[POLLED_MAX];
	nfds_t count;
};

static void poll_add(struct polled *polled, int fd, bool writes)
{
	CHECK(polled->count < POLLED_MAX);
	polled->fds[polled->count++] =
	        (struct pollfd){ .fd = fd, .events = (short)(POLLIN | (writes ? POLLOUT : 0)) };
}

// A closed line has descriptor -1, which poll() passes over; places stay where they are.
static void gather(struct parent *parent, struct polled *polled)
{
	polled->count = 0;
	poll_add(polled, parent->signals, false);
	poll_add(polled, parent->root_control, false);
	for (int i = 0; i < PARENT_CHILDREN; i++)
		poll_add(polled, parent->children[i].channel.fd,
		         wire_channel_waiting(&parent->children[i].channel));
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++)
		poll_add(polled, parent->clients[i].channel.fd,
		         wire_channel_waiting(&parent->clients[i].channel));
}

static void flush_child(struct child *child)
{
	struct result result = wire_channel_flush(&child->channel);

	if (!result_ok(result) && result.error != ERROR_CLOSED)
		child_kill(child, result.detail);
}

// A descriptor that was closed in this turn is not served, even when its number came back.
static bool serves(const struct wire_channel *channel, const struct pollfd *polled, short events)
{
	return polled->revents & events && channel->fd == polled->fd;
}

static void serve(struct parent *parent, const struct polled *polled)
{
	const struct pollfd *fds = polled->fds;
	enum { READABLE = POLLIN | POLLHUP | POLLERR };

	for (int i = 0; i < PARENT_CHILDREN; i++) {
		struct child *child = &parent->children[i];
		if (serves(&child->channel, &fds[2 + i], POLLOUT))
			flush_child(child);
		if (serves(&child->channel, &fds[2 + i], READABLE))
			child_readable(parent, child);
	}
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		const struct pollfd *fd = &fds[2 + PARENT_CHILDREN + i];
		if (serves(&client->channel, fd, POLLOUT))
			control_flush(client);
		if (serves(&client->channel, fd, READABLE))
			control_readable(parent, client);
	}
	if (fds[1].revents)
		control_accept(parent);
	if (fds[0].revents)
		take_signals(parent);
}

static void run(struct parent *parent)
{
	struct polled polled;

	for (;;) {
		int64_t next = look(parent);
		if (parent->stopping && parent->stopping_place == STOPPED)
			return;
		gather(parent, &polled);
		if (poll(polled.fds, polled.count, wait_ms(next)) > 0)
			serve(parent, &polled);
	}
}

int parent_serve(const struct config *config, const char *config_path, const char *own_folder)
{
	static struct parent parent;

	init(&parent, config, config_path);
	if (!watch_signals(&parent)) {
		(void)fprintf(stderr, "onfile: the signals cannot be watched: %m\n");
		return 1;
	}
	if (!parent_open(&parent, own_folder)) {
		parent_close(&parent);
		return 1;
	}
	log_event(LOG_INFO, "starting", LOG_TEXT("version", ONFILE_VERSION),
	          LOG_NUMBER("pid", getpid()));
	run(&parent);
	parent_close(&parent);
	log_event(LOG_INFO, "stopped");
	return 0;
}
