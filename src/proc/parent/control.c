// Root's control socket: sealing a connection's parameters (passed on to vault, together with the
// driver's program file) and telling which programs run. One client asks one thing.
#include "state.h"

#include "launch.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void hang_up(struct client *client)
{
	wire_channel_done(&client->channel);
	client->asked = 0;
	client->opens = false;
	client->answered = false;
}

void control_flush(struct client *client)
{
	if (!result_ok(wire_channel_flush(&client->channel)) ||
	    (client->answered && !wire_channel_waiting(&client->channel)))
		hang_up(client);
}

static void answer(struct client *client, enum wire_number number, const struct wire_value *values)
{
	client->asked = 0;
	client->answered = true;
	if (result_ok(wire_channel_put(&client->channel, number, values)))
		control_flush(client);
	else
		hang_up(client);
}

static void answer_sealed(struct client *client, struct bytes problem, struct bytes blob)
{
	answer(client, WIRE_CLI_SEALED,
	       (const struct wire_value[]){ [WIRE_CLI_SEALED_PROBLEM] = WIRE_B(problem),
	                                    [WIRE_CLI_SEALED_BLOB] = WIRE_B(blob) });
}

static void answer_away(struct client *client)
{
	const struct bytes problem = BYTES_LITERAL("vault is away; try again in a moment");

	if (client->opens)
		answer(client, WIRE_CLI_OPENED,
		       (const struct wire_value[WIRE_FIELDS_OF_CLI_OPENED]){
		               [WIRE_CLI_OPENED_PROBLEM] = WIRE_B(problem) });
	else
		answer_sealed(client, problem, BYTES_NONE);
}

void control_accept(struct parent *parent)
{
	int fd cleanup(cleanup_fd) =
	        accept4(parent->root_control, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
		return;
	if (peer.uid != 0 && peer.uid != geteuid()) {
		log_event(LOG_WARN, "control_refused", LOG_NUMBER("pid", peer.pid));
		return;
	}
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		if (wire_channel_is_open(&client->channel))
			continue;
		wire_channel_init(&client->channel, fd, WIRE_PARENT, WIRE_CLI, PARENT_OUT_LIMIT);
		client->channel.in.secret = true; // the parameters of a connection
		fd = -1;
		return;
	}
}

static void on_seal(struct parent *parent, struct client *client,
                    const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct bytes driver = f[WIRE_CLI_SEAL_DRIVER].bytes;
	const char *why = "";
	int program cleanup(cleanup_fd) = driver_open(parent, driver, &why);
	struct child *vault = &parent->children[CHILD_VAULT];

	if (program < 0) {
		answer_sealed(client, bytes_text(why), BYTES_NONE);
		return;
	}
	client->asked = ++parent->last_asked;
	child_hand(vault, WIRE_SEAL_CONNECTION,
	           (const struct wire_value[]){
	                   [WIRE_SEAL_CONNECTION_ID] = WIRE_N(client->asked),
	                   [WIRE_SEAL_CONNECTION_NAME] = f[WIRE_CLI_SEAL_NAME],
	                   [WIRE_SEAL_CONNECTION_DRIVER] = f[WIRE_CLI_SEAL_DRIVER],
	                   [WIRE_SEAL_CONNECTION_PARAMETERS] = f[WIRE_CLI_SEAL_PARAMETERS],
	                   [WIRE_SEAL_CONNECTION_GRANTS] = f[WIRE_CLI_SEAL_GRANTS],
	                   [WIRE_SEAL_CONNECTION_SHOWN] = f[WIRE_CLI_SEAL_SHOWN],
	                   [WIRE_SEAL_CONNECTION_BASE] = f[WIRE_CLI_SEAL_BASE] },
	           &program);
	if (!child_runs(vault))
		answer_away(client);
}

static void on_open(struct parent *parent, struct client *client,
                    const struct wire_message *message)
{
	struct child *vault = &parent->children[CHILD_VAULT];
	const char *why = "";
	int program cleanup(cleanup_fd) =
	        driver_open(parent, message->fields[WIRE_CLI_OPEN_DRIVER].bytes, &why);

	client->asked = ++parent->last_asked;
	client->opens = true;
	if (program < 0) // vault hashes something that no driver is
		program = open("/dev/null", O_RDONLY | O_CLOEXEC);
	child_hand(vault, WIRE_OPEN_CONNECTION,
	           (const struct wire_value[]){
	                   [WIRE_OPEN_CONNECTION_ID] = WIRE_N(client->asked),
	                   [WIRE_OPEN_CONNECTION_NAME] = message->fields[WIRE_CLI_OPEN_NAME],
	                   [WIRE_OPEN_CONNECTION_BLOB] = message->fields[WIRE_CLI_OPEN_BLOB] },
	           &program);
	if (!child_runs(vault))
		answer_away(client);
}

static void put_child(struct buffer *text, const struct child *child, int64_t now_ms)
{
	if (child->pid)
		buffer_printf(text, "%-7s %-8s pid %d, for %lld s, started again %d times\n",
		              child->name, child->ready ? "ready" : "starting", child->pid,
		              (long long)((now_ms - child->started_ms) / 1000), child->restarts);
	else
		buffer_printf(text, "%-7s ended, started again %d times\n", child->name,
		              child->restarts);
}

static void on_status(struct parent *parent, struct client *client,
                      const struct wire_message *message)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	int64_t now_ms = clock_monotonic_ms();

	(void)message;
	buffer_init(&text, 4096); // the field's limit; what is past it is left out
	for (int i = 0; i < PARENT_CHILDREN; i++)
		put_child(&text, &parent->children[i], now_ms);
	for (int i = 0; i < PARENT_DRIVERS_MAX; i++) {
		const struct driver *driver = &parent->drivers[i];
		if (driver->pid)
			buffer_printf(&text, "driver-%s connection %u  up pid %d, for %lld s\n",
			              driver->name, driver->connection, driver->pid,
			              (long long)((now_ms - driver->started_ms) / 1000));
	}
	answer(client, WIRE_CLI_STATUS_IS,
	       (const struct wire_value[]){ [WIRE_CLI_STATUS_IS_TEXT] =
	                                            WIRE_B(buffer_view(&text)) });
}

static const struct {
	enum wire_number number;
	void (*handle)(struct parent *parent, struct client *client,
	               const struct wire_message *message);
} handlers[] = {
	{ WIRE_CLI_SEAL, on_seal },
	{ WIRE_CLI_OPEN, on_open },
	{ WIRE_CLI_STATUS, on_status },
};

static void handle(struct parent *parent, struct client *client, const struct wire_message *message)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].number == message->row->number)
			handlers[i].handle(parent, client, message);
}

void control_readable(struct parent *parent, struct client *client)
{
	struct wire_message message;
	bool got = false;
	struct result result = wire_channel_read(&client->channel);

	if (result_ok(result) && !client->asked && !client->answered)
		result = wire_channel_next(&client->channel, &message, &got);
	if (!result_ok(result))
		hang_up(client);
	else if (got)
		handle(parent, client, &message);
}

// The client that waits for this answer of vault; NULL: it hung up.
static struct client *find_client(struct parent *parent, uint64_t id, bool opens)
{
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		if (wire_channel_is_open(&client->channel) && client->asked &&
		    client->asked == id && client->opens == opens)
			return client;
	}
	return NULL;
}

void control_sealed(struct parent *parent, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct client *client = find_client(parent, f[WIRE_CONNECTION_SEALED_ID].number, false);

	if (client)
		answer_sealed(client, f[WIRE_CONNECTION_SEALED_PROBLEM].bytes,
		              f[WIRE_CONNECTION_SEALED_BLOB].bytes);
}

void control_opened(struct parent *parent, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct client *client = find_client(parent, f[WIRE_CONNECTION_OPENED_ID].number, true);

	// The fields after the id are those of the answer.
	if (client)
		answer(client, WIRE_CLI_OPENED, f + WIRE_CONNECTION_OPENED_PROBLEM);
}

void control_vault_gone(struct parent *parent)
{
	for (int i = 0; i < PARENT_CLIENTS_MAX; i++) {
		struct client *client = &parent->clients[i];
		if (wire_channel_is_open(&client->channel) && client->asked)
			answer_away(client);
	}
}
