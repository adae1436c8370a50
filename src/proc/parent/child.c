// The four programs: starting one, handing it what is its own, noticing that it ended.
#include "state.h"

#include "launch.h"
#include "pause.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void child_kill(struct child *child, const char *why)
{
	if (!child->pid)
		return;
	log_event(LOG_ERROR, "program_killed", LOG_TEXT("program", child->name),
	          LOG_NUMBER("pid", child->pid), LOG_TEXT("detail", why));
	kill(child->pid, SIGKILL);
	wire_channel_done(&child->channel);
}

void child_hung_up(const struct parent *parent, struct child *child)
{
	wire_channel_done(&child->channel);
	if (!parent->stopping)
		kill(child->pid, SIGKILL); // does nothing to one that is ending
}

void child_tell(struct child *child, enum wire_number number, const struct wire_value *values)
{
	if (!child_runs(child))
		return;
	struct result result = wire_channel_put(&child->channel, number, values);
	if (result_ok(result))
		result = wire_channel_flush(&child->channel);
	// One that has just ended is noticed by its end, not by this.
	if (!result_ok(result) && result.error != ERROR_CLOSED)
		child_kill(child, result.detail);
}

void child_hand(struct child *child, enum wire_number number, const struct wire_value *values,
                const int *descriptors)
{
	if (!child_runs(child))
		return;
	struct result result =
	        wire_channel_put_descriptors(&child->channel, number, values, descriptors);
	if (!result_ok(result) && result.error != ERROR_CLOSED)
		child_kill(child, result.detail);
}

// Core's neighbours: how each gets its end of the line, and which kind core's end is.
static const struct {
	enum wire_number number;
	int kind; // HANDOVER_PEER_CORE_KIND
} neighbours[PARENT_CHILDREN] = {
	[CHILD_WEB] = { WIRE_HANDOVER_PEER_WEB, 0 },
	[CHILD_VAULT] = { WIRE_HANDOVER_PEER_VAULT, 1 },
	[CHILD_COURIER] = { WIRE_HANDOVER_PEER_COURIER, 2 },
};

// A new line between core and one of its neighbours.
static void connect_core(struct parent *parent, enum child_place neighbour)
{
	struct child *core = &parent->children[CHILD_CORE];
	struct child *other = &parent->children[neighbour];
	int pair[2];

	if (!child_runs(core) || !child_runs(other))
		return;
	if (!result_ok(wire_pair(pair))) {
		log_event(LOG_ERROR, "no_line", LOG_NUMBER("errno", errno));
		return;
	}
	child_hand(other, neighbours[neighbour].number, NULL, &pair[1]);
	child_hand(core, WIRE_HANDOVER_PEER_CORE,
	           (const struct wire_value[]){ [WIRE_HANDOVER_PEER_CORE_KIND] =
	                                                WIRE_N(neighbours[neighbour].kind) },
	           &pair[0]);
	close(pair[0]);
	close(pair[1]);
}

static void hand_over(struct parent *parent, struct child *child)
{
	if (child->program == WIRE_WEB)
		for (int i = 0; i < PARENT_LISTENERS; i++)
			child_hand(child, WIRE_HANDOVER_LISTENER,
			           (const struct wire_value[]){ [WIRE_HANDOVER_LISTENER_KIND] =
			                                                WIRE_N(i) },
			           &parent->listeners[i]);
	if (child->program == WIRE_CORE)
		child_hand(child, WIRE_HANDOVER_CONTROL, NULL, &parent->operator_control);
	for (int i = 0; i < PARENT_CHILDREN; i++)
		if (i != CHILD_CORE &&
		    (child->program == WIRE_CORE || child == &parent->children[i]))
			connect_core(parent, (enum child_place)i);
}

// Tries again later, as after an end.
static void not_started(struct child *child, const char *why, int64_t now_ms)
{
	child->start_at_ms = now_ms + pause_after(&child->failures, 0);
	log_event(LOG_ERROR, "program_not_started", LOG_TEXT("program", child->name),
	          LOG_TEXT("detail", why), LOG_NUMBER("errno", errno));
}

void child_start(struct parent *parent, struct child *child)
{
	const char *why = "";
	int program cleanup(cleanup_fd) = launch_open(parent->programs, child->name, &why);
	int theirs cleanup(cleanup_fd) = -1;
	int64_t now_ms = clock_monotonic_ms();
	int pair[2];

	if (program < 0) {
		not_started(child, why, now_ms);
		return;
	}
	if (!result_ok(wire_pair(pair))) {
		not_started(child, "no pair of sockets", now_ms);
		return;
	}
	theirs = pair[1];
	child->pid = launch(&(struct launch){ .program = program,
	                                      .folder = parent->programs,
	                                      .name = child->name,
	                                      .argument = parent->config_path,
	                                      .input = -1,
	                                      .output = -1,
	                                      .channel = theirs });
	if (child->pid < 0) {
		child->pid = 0;
		close(pair[0]);
		not_started(child, "no new process", now_ms);
		return;
	}
	child->started_ms = now_ms;
	child->ready = false;
	wire_channel_init(&child->channel, pair[0], WIRE_PARENT, child->program, PARENT_OUT_LIMIT);
	// The parameters of connections pass through the lines to vault.
	child->channel.in.secret = child->channel.out.secret = child->program == WIRE_VAULT;
	log_event(LOG_INFO, "program_started", LOG_TEXT("program", child->name),
	          LOG_NUMBER("pid", child->pid));
	hand_over(parent, child);
}

void child_ended(struct parent *parent, struct child *child, int status)
{
	int64_t now_ms = clock_monotonic_ms();
	bool wanted = parent->stopping;

	log_event(wanted ? LOG_INFO : LOG_ERROR, "program_ended", LOG_TEXT("program", child->name),
	          LOG_NUMBER("pid", child->pid),
	          LOG_NUMBER("status", WIFEXITED(status) ? WEXITSTATUS(status) : -1),
	          LOG_NUMBER("signal", WIFSIGNALED(status) ? WTERMSIG(status) : 0));
	child->pid = 0;
	child->ready = false;
	wire_channel_done(&child->channel);
	if (child->program == WIRE_VAULT) {
		control_vault_gone(parent);
		if (!parent->stopping)
			drivers_stop(parent);
	}
	if (wanted)
		return;
	child->restarts++;
	child->start_at_ms = now_ms + pause_after(&child->failures, now_ms - child->started_ms);
}
