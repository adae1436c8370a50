// Starting and ending vault, core and web, and the lines between them.
#include "parent/parent.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUT_LIMIT = 256 * 1024, LONG_LIFE_MS = 60000, PAUSE_MS = 100, PAUSE_MAX_MS = 10000 };

static const struct {
	const char *name;
	enum wire_program program;
	enum wire_number stop;
} rows[CHILDREN] = {
	[CHILD_VAULT] = { "vault", WIRE_VAULT, WIRE_STOP_VAULT },
	[CHILD_CORE] = { "core", WIRE_CORE, WIRE_STOP_CORE },
	[CHILD_WEB] = { "web", WIRE_WEB, WIRE_STOP_WEB },
};

const char *child_name(enum child_kind kind)
{
	return rows[kind].name;
}

void close_others(int but)
{
	if (but > 3)
		close_range(3, (unsigned)but - 1, 0);
	close_range(but < 3 ? 3 : (unsigned)but + 1, ~0u, 0);
}

char **clean_environment(void)
{
	static char *kept[4];
	static const char *const names[] = { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" };
	static char texts[3][512];
	int count = 0;

	for (int i = 0; i < 3; i++) {
		const char *value = getenv(names[i]);
		if (!value)
			continue;
		snprintf(texts[count], sizeof(texts[count]), "%s=%s", names[i], value);
		kept[count] = texts[count];
		count++;
	}
	kept[count] = NULL;
	return kept;
}

__attribute__((noreturn)) static void run(const struct parent *parent, enum child_kind kind,
                                          int channel, pid_t parent_pid)
{
	char path[CONFIG_TEXT_MAX + 32];
	char *arguments[] = { (char *)rows[kind].name, (char *)parent->config_path, NULL };
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent_pid)
		_exit(1);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0); // Ctrl-C is for the parent, which stops the others in their order
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(channel, 3) < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0)
		_exit(1);
	close_others(3);
	snprintf(path, sizeof(path), "%s/%s", parent->config.programs, rows[kind].name);
	execve(path, arguments, clean_environment());
	fprintf(stderr, "onfile: %s cannot be started: %m\n", path);
	_exit(1);
}

static void hand_listeners(struct parent *parent)
{
	struct child *web = &parent->children[CHILD_WEB];

	for (int i = 0; i < LISTENERS; i++) {
		const struct wire_value kind[] = { WIRE_N(i) };
		if (!result_ok(wire_channel_put_descriptors(&web->channel, WIRE_HANDOVER_LISTENER,
		                                            kind, &parent->listeners[i])))
			log_event(LOG_ERROR, "handover_failed", LOG_TEXT("program", "web"));
	}
}

static void hand_what_is_its_own(struct parent *parent, enum child_kind kind)
{
	struct child *core = &parent->children[CHILD_CORE];

	if (kind == CHILD_WEB)
		hand_listeners(parent);
	if (kind == CHILD_CORE &&
	    !result_ok(wire_channel_put_descriptors(&core->channel, WIRE_HANDOVER_CONTROL, NULL,
	                                            &parent->operator_socket)))
		log_event(LOG_ERROR, "handover_failed", LOG_TEXT("program", "core"));
	if (kind != CHILD_WEB)
		children_join(parent, CHILD_CORE, CHILD_VAULT);
	if (kind != CHILD_VAULT)
		children_join(parent, CHILD_WEB, CHILD_CORE);
}

void child_start(struct parent *parent, enum child_kind kind)
{
	struct child *child = &parent->children[kind];
	pid_t self = getpid();
	int pair[2];

	CHECK(child->pid == 0);
	child->start_at_ms = 0;
	if (!result_ok(wire_pair(pair))) {
		child->start_at_ms = clock_monotonic_ms() + PAUSE_MAX_MS;
		return;
	}
	child->pid = fork();
	if (child->pid == 0)
		run(parent, kind, pair[1], self);
	close(pair[1]);
	wire_channel_init(&child->channel, pair[0], WIRE_PARENT, rows[kind].program, OUT_LIMIT);
	child->ready = false;
	child->started_ms = clock_monotonic_ms();
	log_event(LOG_INFO, "started", LOG_TEXT("program", rows[kind].name),
	          LOG_NUMBER("pid", child->pid));
	hand_what_is_its_own(parent, kind);
}

// web-core is (0) to core and the one line of web; core-vault is (1) to core and the one line of
// vault.
void children_join(struct parent *parent, enum child_kind left, enum child_kind right)
{
	struct child *l = &parent->children[left];
	struct child *r = &parent->children[right];
	bool vault = right == CHILD_VAULT;
	const struct wire_value kind[] = { WIRE_N(vault ? 1 : 0) };
	int pair[2];

	if (!l->pid || !r->pid || !result_ok(wire_pair(pair)))
		return;
	struct result first = wire_channel_put_descriptors(
	        &l->channel, vault ? WIRE_HANDOVER_PEER_CORE : WIRE_HANDOVER_PEER_WEB,
	        vault ? kind : NULL, &pair[0]);
	struct result second = wire_channel_put_descriptors(
	        &r->channel, vault ? WIRE_HANDOVER_PEER_VAULT : WIRE_HANDOVER_PEER_CORE,
	        vault ? NULL : kind, &pair[1]);
	close(pair[0]);
	close(pair[1]);
	if (!result_ok(first) || !result_ok(second))
		log_event(LOG_WARN, "join_failed", LOG_TEXT("program", child_name(left)),
		          LOG_TEXT("peer", child_name(right)));
}

void child_gone(struct parent *parent, enum child_kind kind, int status)
{
	struct child *child = &parent->children[kind];
	bool lived_long = clock_monotonic_ms() - child->started_ms > LONG_LIFE_MS;

	log_event(parent->stopping ? LOG_INFO : LOG_ERROR, "ended",
	          LOG_TEXT("program", child_name(kind)), LOG_NUMBER("pid", child->pid),
	          WIFSIGNALED(status) ? LOG_NUMBER("signal", WTERMSIG(status))
	                              : LOG_NUMBER("status", WEXITSTATUS(status)));
	wire_channel_done(&child->channel);
	child->pid = 0;
	child->ready = false;
	if (kind == CHILD_VAULT)
		drivers_end(parent);
	if (parent->stopping)
		return;
	if (lived_long)
		child->pause_ms = 0;
	child->start_at_ms = clock_monotonic_ms() + child->pause_ms;
	child->pause_ms = child->pause_ms ? child->pause_ms * 2 : PAUSE_MS;
	if (child->pause_ms > PAUSE_MAX_MS)
		child->pause_ms = PAUSE_MAX_MS;
}

void child_stop(struct parent *parent, enum child_kind kind)
{
	struct child *child = &parent->children[kind];

	if (!child->pid)
		return;
	if (!result_ok(wire_channel_put(&child->channel, rows[kind].stop, NULL)) ||
	    !result_ok(wire_channel_flush(&child->channel)))
		kill(child->pid, SIGKILL);
}
