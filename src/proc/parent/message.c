// What children may say to the parent, one row each. Who may send what is in the catalogue, and the
// channel holds them to it; a number that makes no sense here is a broken child all the same.
#include "state.h"

#include "base/clock.h"
#include "base/log.h"

static void on_ready(struct parent *parent, struct child *child, const struct wire_message *message)
{
	(void)message;
	child->ready = true;
	for (int i = 0; i < PARENT_CHILDREN; i++)
		if (!parent->children[i].ready)
			return;
	if (parent->said_ready)
		return;
	parent->said_ready = true;
	log_event(LOG_INFO, "ready", LOG_NUMBER("ms", clock_monotonic_ms() - parent->began_ms),
	          LOG_TEXT("address", parent->config->listen_address),
	          LOG_NUMBER("port", parent->config->listen_public));
}

static void on_start_driver(struct parent *parent, struct child *child,
                            const struct wire_message *message)
{
	(void)child;
	driver_wanted(parent, (uint32_t)message->fields[WIRE_START_DRIVER_CONNECTION].number,
	              message->fields[WIRE_START_DRIVER_DRIVER].bytes,
	              message->fields[WIRE_START_DRIVER_GRANTS].bytes);
}

static void on_stop_driver(struct parent *parent, struct child *child,
                           const struct wire_message *message)
{
	(void)child;
	driver_stop(parent, (uint32_t)message->fields[WIRE_STOP_DRIVER_CONNECTION].number);
}

static void on_sealed(struct parent *parent, struct child *child,
                      const struct wire_message *message)
{
	(void)child;
	control_sealed(parent, message);
}

static void on_opened(struct parent *parent, struct child *child,
                      const struct wire_message *message)
{
	(void)child;
	control_opened(parent, message);
}

static const struct {
	enum wire_number number;
	void (*handle)(struct parent *parent, struct child *child,
	               const struct wire_message *message);
} handlers[] = {
	{ WIRE_READY_WEB, on_ready },          { WIRE_READY_CORE, on_ready },
	{ WIRE_READY_VAULT, on_ready },        { WIRE_START_DRIVER, on_start_driver },
	{ WIRE_STOP_DRIVER, on_stop_driver },  { WIRE_CONNECTION_SEALED, on_sealed },
	{ WIRE_CONNECTION_OPENED, on_opened }, { WIRE_READY_COURIER, on_ready },
};

static void handle(struct parent *parent, struct child *child, const struct wire_message *message)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].number == message->row->number)
			handlers[i].handle(parent, child, message);
}

void child_readable(struct parent *parent, struct child *child)
{
	struct wire_message message;
	bool got = true;
	struct result result = wire_channel_read(&child->channel);

	while (result_ok(result) && got) {
		result = wire_channel_next(&child->channel, &message, &got);
		if (result_ok(result) && got)
			handle(parent, child, &message);
		if (!wire_channel_is_open(&child->channel))
			return; // it was killed for what it said
	}
	if (result_ok(result))
		return;
	if (result.error == ERROR_CLOSED)
		child_hung_up(parent, child);
	else
		child_kill(child, result.detail);
}
