// The parent's loop: children, root's control socket, signals, time.
#include "parent/parent.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STOP_MS = 10000, CLIENT_OUT_LIMIT = 64 * 1024, POLLS = 2 + CHILDREN + CLIENTS_MAX };

// --- messages of children

static void say_ready(struct parent *parent)
{
	for (int i = 0; i < CHILDREN; i++)
		if (!parent->children[i].ready)
			return;
	if (!parent->said_ready)
		log_event(LOG_INFO, "ready",
		          LOG_NUMBER("ms", clock_monotonic_ms() - parent->begun_ms),
		          LOG_NUMBER("port", parent->config.listen_public));
	parent->said_ready = true;
}

static void on_sealed(struct parent *parent, const struct wire_message *message)
{
	uint64_t id = message->fields[WIRE_CONNECTION_SEALED_ID].number;

	for (int i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		if (!client->open || client->sealing != id)
			continue;
		client->sealing = 0;
		const struct wire_value values[] = {
			[WIRE_CLI_SEALED_PROBLEM] = message->fields[WIRE_CONNECTION_SEALED_PROBLEM],
			[WIRE_CLI_SEALED_BLOB] = message->fields[WIRE_CONNECTION_SEALED_BLOB],
		};
		if (!result_ok(wire_channel_put(&client->channel, WIRE_CLI_SEALED, values)))
			log_event(LOG_WARN, "client_gone");
	}
}

static void handle_child(struct parent *parent, enum child_kind kind,
                         const struct wire_message *message)
{
	switch (message->row->number) {
	case WIRE_READY_VAULT:
	case WIRE_READY_CORE:
	case WIRE_READY_WEB:
		parent->children[kind].ready = true;
		say_ready(parent);
		break;
	case WIRE_CONNECTION_SEALED: on_sealed(parent, message); break;
	case WIRE_START_DRIVER: driver_start(parent, message); break;
	case WIRE_STOP_DRIVER:
		driver_stop(parent, (uint32_t)message->fields[WIRE_STOP_DRIVER_CONNECTION].number);
		break;
	default: break;
	}
}

static void read_child(struct parent *parent, enum child_kind kind)
{
	struct child *child = &parent->children[kind];
	struct wire_message message;
	struct result result = wire_channel_read(&child->channel);
	bool got = true;

	while (result_ok(result) && got) {
		result = wire_channel_next(&child->channel, &message, &got);
		if (result_ok(result) && got)
			handle_child(parent, kind, &message);
	}
	if (result_ok(result))
		return;
	if (result.error == ERROR_INPUT)
		log_event(LOG_ERROR, "catalogue_broken", LOG_TEXT("program", child_name(kind)),
		          LOG_RESULT(result));
	if (child->pid)
		kill(child->pid, SIGKILL); // its line is over; it is reaped and started anew
	wire_channel_done(&child->channel);
}

// --- root's control socket

static void client_close(struct client *client)
{
	wire_channel_done(&client->channel);
	*client = (struct client){ 0 };
}

static void seal(struct parent *parent, struct client *client, const struct wire_message *message)
{
	struct child *vault = &parent->children[CHILD_VAULT];
	const struct wire_value *f = message->fields;
	const char *problem = "vault is away; try again in a moment";
	int file = driver_open(parent, f[WIRE_CLI_SEAL_DRIVER].bytes);

	if (file < 0) {
		problem = "there is no such driver, or others than its owner may write it";
	} else if (vault->pid && !client->sealing) {
		client->sealing = ++parent->next_sealing;
		const struct wire_value values[] = {
			[WIRE_SEAL_CONNECTION_ID] = WIRE_N(client->sealing),
			[WIRE_SEAL_CONNECTION_NAME] = f[WIRE_CLI_SEAL_NAME],
			[WIRE_SEAL_CONNECTION_DRIVER] = f[WIRE_CLI_SEAL_DRIVER],
			[WIRE_SEAL_CONNECTION_PARAMETERS] = f[WIRE_CLI_SEAL_PARAMETERS],
		};
		if (result_ok(wire_channel_put_descriptors(&vault->channel, WIRE_SEAL_CONNECTION,
		                                           values, &file)))
			problem = NULL;
	}
	if (file >= 0)
		close(file);
	if (!problem)
		return;
	client->sealing = 0;
	const struct wire_value values[] = {
		[WIRE_CLI_SEALED_PROBLEM] = WIRE_B(bytes_text(problem)),
		[WIRE_CLI_SEALED_BLOB] = WIRE_B(BYTES_NONE),
	};
	if (!result_ok(wire_channel_put(&client->channel, WIRE_CLI_SEALED, values)))
		client_close(client);
}

static void tell_status(struct parent *parent, struct client *client)
{
	struct buffer text;

	buffer_init(&text, 4096);
	for (int i = 0; i < CHILDREN; i++)
		buffer_printf(&text, "%-8s %s pid %d\n", child_name((enum child_kind)i),
		              parent->children[i].ready ? "ready   "
		              : parent->children[i].pid ? "starting"
		                                        : "ended   ",
		              (int)parent->children[i].pid);
	for (int i = 0; i < DRIVERS_MAX; i++)
		if (parent->drivers[i].pid)
			buffer_printf(&text, "driver-%s running  pid %d\n", parent->drivers[i].name,
			              (int)parent->drivers[i].pid);
	const struct wire_value values[] = { WIRE_B(buffer_view(&text)) };
	if (!result_ok(wire_channel_put(&client->channel, WIRE_CLI_STATUS_IS, values)))
		log_event(LOG_WARN, "client_gone");
	buffer_done(&text);
}

static void read_client(struct parent *parent, struct client *client)
{
	struct wire_message message;
	struct result result = wire_channel_read(&client->channel);
	bool got = true;

	while (client->open && result_ok(result) && got) {
		result = wire_channel_next(&client->channel, &message, &got);
		if (!result_ok(result) || !got)
			break;
		if (message.row->number == WIRE_CLI_SEAL)
			seal(parent, client, &message);
		else
			tell_status(parent, client);
	}
	if (client->open && !result_ok(result))
		client_close(client);
}

// The socket's mode lets only its owner in; the credentials are looked at all the same.
static void accept_client(struct parent *parent)
{
	struct ucred who;
	socklen_t size = sizeof(who);
	int fd = accept4(parent->root_socket, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	bool allowed = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
	               (who.uid == 0 || who.uid == geteuid());
	for (int i = 0; allowed && i < CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		if (client->open)
			continue;
		client->open = true;
		wire_channel_init(&client->channel, fd, WIRE_PARENT, WIRE_CLI, CLIENT_OUT_LIMIT);
		return;
	}
	close(fd);
}

// --- signals and time

static void reap(struct parent *parent)
{
	int status;

	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
		if (driver_gone(parent, pid, status))
			continue;
		for (int i = 0; i < CHILDREN; i++)
			if (parent->children[i].pid == pid)
				child_gone(parent, (enum child_kind)i, status);
	}
}

static void begin_stop(struct parent *parent)
{
	if (parent->stopping)
		return;
	log_event(LOG_INFO, "stopping");
	parent->stopping = 1;
	parent->stop_by_ms = clock_monotonic_ms() + STOP_MS;
	child_stop(parent, CHILD_WEB);
}

static void on_signal(struct parent *parent, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD)
			begin_stop(parent);
	}
	reap(parent);
}

// From the outside in: web, core, vault. A program that does not end in its time is ended.
static void go_on_stopping(struct parent *parent)
{
	static const enum child_kind order[] = { CHILD_WEB, CHILD_CORE, CHILD_VAULT };
	int64_t now = clock_monotonic_ms();

	while (parent->stopping <= CHILDREN) {
		struct child *child = &parent->children[order[parent->stopping - 1]];
		if (child->pid && now < parent->stop_by_ms)
			return;
		if (child->pid) {
			kill(child->pid, SIGKILL);
			return;
		}
		if (parent->stopping++ < CHILDREN)
			child_stop(parent, order[parent->stopping - 1]);
		parent->stop_by_ms = now + STOP_MS;
	}
}

static int64_t start_what_is_due(struct parent *parent)
{
	int64_t now = clock_monotonic_ms();
	int64_t next = parent->stopping ? 1000 : -1;

	for (int i = 0; i < CHILDREN; i++) {
		struct child *child = &parent->children[i];
		if (child->start_at_ms && child->start_at_ms <= now)
			child_start(parent, (enum child_kind)i);
		else if (child->start_at_ms && (next < 0 || child->start_at_ms - now < next))
			next = child->start_at_ms - now;
	}
	return next;
}

// --- the loop

static void add_poll(struct pollfd *polls, int *count, const struct wire_channel *channel)
{
	short events = POLLIN;

	if (wire_channel_waiting(channel))
		events |= POLLOUT;
	polls[(*count)++] = (struct pollfd){ .fd = channel->fd, .events = events };
}

static void flush_all(struct parent *parent)
{
	for (int i = 0; i < CHILDREN; i++)
		if (wire_channel_is_open(&parent->children[i].channel) &&
		    !result_ok(wire_channel_flush(&parent->children[i].channel)))
			wire_channel_done(&parent->children[i].channel);
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (parent->clients[i].open &&
		    !result_ok(wire_channel_flush(&parent->clients[i].channel)))
			client_close(&parent->clients[i]);
}

static void turn(struct parent *parent, int signals)
{
	struct pollfd polls[POLLS];
	int count = 0;
	int64_t wait_ms = start_what_is_due(parent);

	polls[count++] = (struct pollfd){ .fd = signals, .events = POLLIN };
	polls[count++] = (struct pollfd){ .fd = parent->root_socket, .events = POLLIN };
	for (int i = 0; i < CHILDREN; i++)
		add_poll(polls, &count, &parent->children[i].channel);
	for (int i = 0; i < CLIENTS_MAX; i++) {
		add_poll(polls, &count, &parent->clients[i].channel);
		if (!parent->clients[i].open)
			polls[count - 1].fd = -1;
	}
	if (poll(polls, (nfds_t)count, (int)wait_ms) < 0)
		return;
	for (int i = 0; i < CLIENTS_MAX; i++)
		if (polls[2 + CHILDREN + i].revents & (POLLIN | POLLHUP | POLLERR))
			read_client(parent, &parent->clients[i]);
	for (int i = 0; i < CHILDREN; i++)
		if (polls[2 + i].revents & (POLLIN | POLLHUP | POLLERR))
			read_child(parent, (enum child_kind)i);
	if (polls[1].revents)
		accept_client(parent);
	if (polls[0].revents)
		on_signal(parent, signals);
	flush_all(parent);
}

static int watch_signals(void)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGCHLD);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGHUP);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

// Programs are beside `onfile` itself unless the configuration says where they are.
static bool find_programs(struct parent *parent)
{
	char self[CONFIG_TEXT_MAX];
	ssize_t length;

	if (parent->config.programs[0])
		return true;
	length = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (length <= 0)
		return false;
	while (length > 0 && self[length - 1] != '/')
		length--;
	return bytes_copy_text(bytes_from(self, (size_t)length), parent->config.programs,
	                       CONFIG_TEXT_MAX);
}

int parent_serve(const char *config_path, int64_t begun_ms)
{
	static struct parent parent = { .listeners = { -1, -1, -1 },
		                        .root_socket = -1,
		                        .operator_socket = -1 };
	struct config_error error;
	char sentence[800];

	log_init("onfile");
	parent.begun_ms = begun_ms;
	parent.config_path = config_path;
	if (!result_ok(config_read(config_path, &parent.config, &error))) {
		fprintf(stderr, "onfile: %s\n", error.text);
		return 2;
	}
	for (int i = 0; i < CHILDREN; i++)
		parent.children[i].channel.fd = -1;
	if (!find_programs(&parent) || !sockets_open(&parent, sentence, sizeof(sentence))) {
		fprintf(stderr, "onfile: %s\n", sentence);
		sockets_close(&parent);
		return 1;
	}
	int signals = watch_signals();
	child_start(&parent, CHILD_VAULT);
	child_start(&parent, CHILD_CORE);
	child_start(&parent, CHILD_WEB);
	while (parent.stopping <= CHILDREN) {
		turn(&parent, signals);
		if (parent.stopping)
			go_on_stopping(&parent);
	}
	drivers_end(&parent);
	sockets_close(&parent);
	log_event(LOG_INFO, "stopped");
	return 0;
}
