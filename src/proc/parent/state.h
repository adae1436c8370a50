// The parent's state: four programs, their drivers, the clients of root's control socket. One poll
// loop owns it all.
#pragma once

#include "config/config.h"
#include "wire/channel.h"

#include <sys/types.h>

enum {
	PARENT_CHILDREN = 4,
	PARENT_LISTENERS = 3,
	PARENT_DRIVERS_MAX = 64,
	PARENT_CLIENTS_MAX = 8,
	PARENT_DRIVER_NAME = 64,
	PARENT_OUT_LIMIT = 256 * 1024,
	PARENT_STOP_MS = 10000,
};

// In the order in which they are started; they are stopped the other way round.
enum child_place { CHILD_VAULT, CHILD_CORE, CHILD_COURIER, CHILD_WEB };

struct child {
	enum wire_program program;
	const char *name;
	enum wire_number stop;
	pid_t pid; // 0: does not run
	struct wire_channel channel;
	int64_t started_ms;
	int64_t start_at_ms; // when it does not run: when it is to be started
	int failures;
	int restarts;
	bool ready;
};

struct driver {
	pid_t pid; // 0: free
	uint32_t connection;
	char name[PARENT_DRIVER_NAME + 1];
	int64_t started_ms;
};

// A driver that was told to end, or whose vault has gone.
struct ending {
	pid_t pid; // 0: free
	int64_t kill_at_ms;
};

struct client {
	struct wire_channel channel; // closed: the place is free
	uint64_t asked;              // the id of what vault was asked for it; 0: nothing
	bool opens;                  // … an OPEN_CONNECTION, else a SEAL_CONNECTION
	bool answered;               // hangs up once all is written
};

struct parent {
	const struct config *config;
	const char *config_path;
	int programs, drivers_folder, run; // folders
	int signals;
	int listeners[PARENT_LISTENERS]; // in the order of HANDOVER_LISTENER_KIND
	int root_control, operator_control;
	struct child children[PARENT_CHILDREN];
	struct driver drivers[PARENT_DRIVERS_MAX];
	struct ending endings[PARENT_DRIVERS_MAX];
	struct client clients[PARENT_CLIENTS_MAX];
	uint64_t last_asked;
	int64_t began_ms;
	bool said_ready;
	bool stopping;
	bool in_a_hurry;       // a second signal came
	int stopping_place;    // the program that is being stopped; -1: drivers
	int64_t stop_until_ms; // then it is killed
};

// --- listen.c: folders and sockets, made once at the start. False: the sentence is on stderr.
bool parent_open(struct parent *parent, const char *own_folder);
void parent_close(struct parent *parent);

// --- child.c
void child_start(struct parent *parent, struct child *child);
// Kills it; what follows happens when it is reaped.
void child_kill(struct child *child, const char *why);
// It closed its line: it is ending, or it is no use any more.
void child_hung_up(const struct parent *parent, struct child *child);
void child_ended(struct parent *parent, struct child *child, int status);
// Queues a message; a child that does not take it is killed.
void child_tell(struct child *child, enum wire_number number, const struct wire_value *values);
void child_hand(struct child *child, enum wire_number number, const struct wire_value *values,
                const int *descriptors);
static inline bool child_runs(const struct child *child)
{
	return child->pid != 0 && wire_channel_is_open(&child->channel);
}

// --- message.c: what children say
void child_readable(struct parent *parent, struct child *child);

// --- driver.c
void driver_wanted(struct parent *parent, uint32_t connection, struct bytes name,
                   struct bytes grants);
void driver_stop(struct parent *parent, uint32_t connection);
void drivers_stop(struct parent *parent);
// False when the process is not a driver's.
bool driver_ended(struct parent *parent, pid_t pid, int status);
// Kills what was told to end and did not. Returns when to look again; INT64_MAX: never.
int64_t drivers_look(struct parent *parent, int64_t now_ms);
bool drivers_run(const struct parent *parent);
// Opens the program file of a driver; -1 and a sentence.
int driver_open(const struct parent *parent, struct bytes name, const char **ret_why);

// --- control.c: root's control socket
void control_accept(struct parent *parent);
void control_readable(struct parent *parent, struct client *client);
void control_flush(struct client *client);
void control_sealed(struct parent *parent, const struct wire_message *message);
void control_opened(struct parent *parent, const struct wire_message *message);
// Vault has gone: what it was asked gets no answer.
void control_vault_gone(struct parent *parent);
