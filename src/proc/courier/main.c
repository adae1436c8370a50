// courier: delivers webhooks to merchants. Started by the parent, `courier CONFIG`, with the line
// to it as descriptor 3; the line to core comes over that. Core says what goes where, keeps what
// became of it and when to try again; courier derives the endpoint's secret, signs, dials
// (lib/webhook) and says how it ended. It has no store and never sees a card number.
#include "master.h"

#include "webhook/post.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "jail/jail.h"
#include "wire/channel.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>

enum {
	PARENT_FD = 3,
	FILES = 1024,
	OUT_LIMIT = 1024 * 1024,
	ALONE_MS = 15000, // without core
	GRACE_MS = 1000,  // for what is under way when it is told to stop
	WAIT_MS = 1000,
};

struct courier {
	struct webhook_poster *poster;
	uint8_t master[WEBHOOK_MASTER_BYTES];
	struct wire_channel parent, core;
	int64_t alone_since_ms; // monotonic; 0: core is there
	int64_t stop_at_ms;     // 0: not told to stop
	bool failed;
};

static void lose_core(struct courier *courier, struct result why)
{
	if (!wire_channel_is_open(&courier->core))
		return;
	if (why.error != ERROR_CLOSED)
		log_event(LOG_ERROR, "core_lost", LOG_RESULT(why));
	wire_channel_done(&courier->core);
	// Core begins anew with all that it has no answer for.
	webhook_drop(courier->poster);
	courier->alone_since_ms = clock_monotonic_ms();
}

static void tell_core(struct courier *courier, enum wire_number number,
                      const struct wire_value *values)
{
	if (!wire_channel_is_open(&courier->core))
		return;
	struct result result = wire_channel_put(&courier->core, number, values);
	if (!result_ok(result))
		lose_core(courier, result);
}

// --- deliveries

static void on_delivered(void *owner, int64_t id, const struct webhook_outcome *outcome)
{
	tell_core(owner, WIRE_DELIVERED,
	          (const struct wire_value[WIRE_FIELDS_OF_DELIVERED]){
	                  [WIRE_DELIVERED_ID] = WIRE_N(id),
	                  [WIRE_DELIVERED_STATUS] = WIRE_N(outcome->status),
	                  [WIRE_DELIVERED_DETAIL] = WIRE_B(bytes_text(outcome->detail)),
	                  [WIRE_DELIVERED_MS] = WIRE_N(outcome->ms) });
}

static void on_deliver(struct courier *courier, struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct webhook_key key cleanup(webhook_key_done);
	struct webhook_key old cleanup(webhook_key_done);
	int64_t id = (int64_t)f[WIRE_DELIVER_ID].number;
	int64_t endpoint = (int64_t)f[WIRE_DELIVER_ENDPOINT].number;
	uint32_t old_version = (uint32_t)f[WIRE_DELIVER_OLD_VERSION].number;

	if (webhook_under_way(courier->poster) >= WEBHOOK_AT_ONCE) {
		on_delivered(courier, id,
		             &(struct webhook_outcome){ .detail = "too many at a time" });
		return;
	}
	webhook_key_derive(courier->master, WEBHOOK_ENDPOINT, endpoint,
	                   (uint32_t)f[WIRE_DELIVER_VERSION].number, &key);
	webhook_key_derive(courier->master, WEBHOOK_ENDPOINT, endpoint, old_version, &old);
	webhook_send(courier->poster, &(struct webhook_post){ .id = id,
	                                                      .event = f[WIRE_DELIVER_EVENT].bytes,
	                                                      .url = f[WIRE_DELIVER_URL].bytes,
	                                                      .body = f[WIRE_DELIVER_BODY].bytes,
	                                                      .key = &key,
	                                                      .old = old_version ? &old : NULL });
}

static void on_secret_wanted(struct courier *courier, struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct webhook_key key cleanup(webhook_key_done);

	webhook_key_derive(courier->master,
	                   (enum webhook_purpose)f[WIRE_SECRET_WANTED_PURPOSE].number,
	                   (int64_t)f[WIRE_SECRET_WANTED_ID].number,
	                   (uint32_t)f[WIRE_SECRET_WANTED_VERSION].number, &key);
	tell_core(courier, WIRE_SECRET_IS,
	          (const struct wire_value[WIRE_FIELDS_OF_SECRET_IS]){
	                  [WIRE_SECRET_IS_ASK] = f[WIRE_SECRET_WANTED_ASK],
	                  [WIRE_SECRET_IS_SECRET] = WIRE_B(bytes_text(key.secret)) });
}

// --- the parent

static void on_handover(struct courier *courier, struct wire_message *message)
{
	lose_core(courier, FAIL(ERROR_CLOSED, "core was started anew"));
	wire_channel_init(&courier->core, message->descriptors[0], WIRE_COURIER, WIRE_CORE,
	                  OUT_LIMIT);
	courier->core.out.secret = true; // secrets of endpoints
	courier->alone_since_ms = 0;
}

static void on_stop(struct courier *courier, struct wire_message *message)
{
	(void)message;
	courier->stop_at_ms = clock_monotonic_ms() + GRACE_MS;
}

static const struct {
	enum wire_number number;
	void (*handle)(struct courier *courier, struct wire_message *message);
} handlers[] = {
	{ WIRE_DELIVER, on_deliver },
	{ WIRE_SECRET_WANTED, on_secret_wanted },
	{ WIRE_HANDOVER_PEER_COURIER, on_handover },
	{ WIRE_STOP_COURIER, on_stop },
};

// --- the loop

static struct result read_channel(struct courier *courier, struct wire_channel *channel)
{
	struct wire_message message;
	bool got = true;

	TRY(wire_channel_read(channel));
	while (got && wire_channel_is_open(channel)) {
		TRY(wire_channel_next(channel, &message, &got));
		for (size_t i = 0; got && i < sizeof(handlers) / sizeof(handlers[0]); i++)
			if (handlers[i].number == message.row->number)
				handlers[i].handle(courier, &message);
	}
	return RESULT_OK;
}

static struct pollfd polled(const struct wire_channel *channel)
{
	short writes = wire_channel_waiting(channel) ? POLLOUT : 0;

	return (struct pollfd){ .fd = channel->fd, .events = (short)(POLLIN | writes) };
}

static void serve_core(struct courier *courier, const struct pollfd *fd)
{
	struct result result = RESULT_OK;

	if (fd->revents & POLLIN && fd->fd == courier->core.fd)
		result = read_channel(courier, &courier->core);
	if (result_ok(result) && wire_channel_is_open(&courier->core))
		result = wire_channel_flush(&courier->core);
	if (!result_ok(result))
		lose_core(courier, result);
}

static void serve_parent(struct courier *courier, const struct pollfd *fd)
{
	struct result result = RESULT_OK;

	if (fd->revents & POLLIN)
		result = read_channel(courier, &courier->parent);
	if (result_ok(result))
		result = wire_channel_flush(&courier->parent);
	if (result_ok(result))
		return;
	// Without a parent there is nobody to work for.
	courier->failed = result.error != ERROR_CLOSED;
	courier->stop_at_ms = 1;
}

static bool goes_on(struct courier *courier)
{
	int64_t now_ms = clock_monotonic_ms();

	if (courier->stop_at_ms)
		return now_ms < courier->stop_at_ms && webhook_under_way(courier->poster) > 0;
	if (courier->alone_since_ms == 0 || now_ms - courier->alone_since_ms < ALONE_MS)
		return true;
	// Core lives but has given up the line: with a new courier it gets a new one.
	log_event(LOG_ERROR, "left_alone");
	courier->failed = true;
	return false;
}

static int wait_ms(const struct courier *courier)
{
	int64_t left = courier->stop_at_ms - clock_monotonic_ms();

	if (courier->stop_at_ms == 0)
		return WAIT_MS;
	return left < 0 ? 0 : left < WAIT_MS ? (int)left : WAIT_MS;
}

static int run(struct courier *courier)
{
	while (goes_on(courier)) {
		struct pollfd fds[2] = { polled(&courier->parent), polled(&courier->core) };
		webhook_wait(courier->poster, fds, 2, wait_ms(courier));
		serve_parent(courier, &fds[0]);
		serve_core(courier, &fds[1]);
	}
	if (wire_channel_is_open(&courier->core) && !result_ok(wire_channel_flush(&courier->core)))
		log_event(LOG_WARN, "core_not_told");
	return courier->failed ? 1 : 0;
}

// --- the start

static struct result open_keys(const char *path, uint8_t *ret_master)
{
	cleanup(cleanup_fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return FAIL(ERROR_SYSTEM, "the folder of the keys cannot be opened");
	return master_open(folder, ret_master);
}

static struct result prepare(struct courier *courier, const struct config *config)
{
	struct webhook_options options = { .ca_file = config->webhooks_ca_file,
		                           .done = on_delivered,
		                           .owner = courier };
	const char *allow = config->webhooks_allow;

	if (!allow[0])
		allow = config->live ? "none" : "loopback";
	TRY(net_ranges_read(allow, &options.allowed));
	TRY(open_keys(config->keys, courier->master));
	TRY(webhook_prepare());
	TRY(webhook_poster_new(&options, &courier->poster));
	return jail_enter(&(struct jail){ .user = config_user(config, CONFIG_USER_COURIER),
	                                  .allow = JAIL_DIAL | JAIL_READ | JAIL_THREADS,
	                                  .files = FILES });
}

static void set_log_level(const char *level)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(level, names[i]) == 0)
			log_set_level((enum log_level)i);
}

int main(int argc, char **argv)
{
	static struct courier courier = { .core.fd = -1 };
	static struct config config;
	struct config_error error = { "usage: courier CONFIG" };

	log_init("courier");
	signal(SIGPIPE, SIG_IGN);
	if (argc != 2 || !result_ok(config_read(argv[1], &config, &error))) {
		log_event(LOG_ERROR, "no_configuration", LOG_TEXT("detail", error.text));
		return 2;
	}
	set_log_level(config.log_level);
	struct result result = prepare(&courier, &config);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_start", LOG_RESULT(result));
		return 1;
	}
	wire_channel_init(&courier.parent, PARENT_FD, WIRE_COURIER, WIRE_PARENT, OUT_LIMIT);
	courier.alone_since_ms = clock_monotonic_ms();
	result = wire_channel_put(&courier.parent, WIRE_READY_COURIER, NULL);
	if (!result_ok(result))
		return 1;
	log_event(LOG_INFO, "ready");
	int status = run(&courier);
	webhook_poster_free(courier.poster);
	explicit_bzero(courier.master, sizeof(courier.master));
	log_event(LOG_INFO, "stopped");
	return status;
}
