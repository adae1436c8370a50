// The parent: makes folders and sockets, starts the programs, gives each its lines to its
// neighbours, starts anew what has ended. It trusts none of them: a message that is not in the
// catalogue ends its sender. The files of src/proc/parent share this; `onfile serve` calls
// parent_serve().
#pragma once

#include "config/config.h"
#include "wire/channel.h"

#include <sys/types.h>

enum child_kind { CHILD_VAULT, CHILD_CORE, CHILD_WEB, CHILDREN };
enum { LISTENERS = 3, DRIVERS_MAX = 64, CLIENTS_MAX = 16 };

struct child {
	pid_t pid; // 0: not running
	struct wire_channel channel;
	bool ready;
	int64_t started_ms;  // monotonic
	int64_t pause_ms;    // before the next start
	int64_t start_at_ms; // when it is to be started; 0: not to be started
};

struct driver {
	pid_t pid; // 0: free
	uint32_t connection;
	char name[64];
};

// A client of root's socket.
struct client {
	struct wire_channel channel;
	bool open;
	uint64_t sealing; // the number of its question to vault; 0: none
};

struct parent {
	struct config config;
	const char *config_path;
	struct child children[CHILDREN];
	struct driver drivers[DRIVERS_MAX];
	struct client clients[CLIENTS_MAX];
	int listeners[LISTENERS];
	int root_socket, operator_socket, lock;
	uint64_t next_sealing;
	int64_t begun_ms;
	bool said_ready;
	int stopping; // 0: no; else how many programs have been told, from web inwards
	int64_t stop_by_ms;
};

// Serves until SIGTERM or SIGINT. Returns the exit status.
int parent_serve(const char *config_path, int64_t begun_ms);

// --- sockets.c: folders, listeners, control sockets. The sentence says what is wrong.
bool sockets_open(struct parent *parent, char *ret_sentence, size_t capacity);
void sockets_close(struct parent *parent);

// --- children.c
const char *child_name(enum child_kind kind);
void child_start(struct parent *parent, enum child_kind kind);
// It ended, or broke the catalogue: it is ended, forgotten, and started anew after its pause.
void child_gone(struct parent *parent, enum child_kind kind, int status);
void child_stop(struct parent *parent, enum child_kind kind);
// Gives two neighbours that run a fresh line.
void children_join(struct parent *parent, enum child_kind left, enum child_kind right);

// --- drivers.c
void driver_start(struct parent *parent, const struct wire_message *message);
void driver_stop(struct parent *parent, uint32_t connection);
void drivers_end(struct parent *parent);
bool driver_gone(struct parent *parent, pid_t pid, int status);
// Opens the program file of a driver; -1 when the name or the file is not right.
int driver_open(const struct parent *parent, struct bytes name);

// Closes what a new process must not have: every descriptor above 2 but the given one (-1: none).
void close_others(int but);
// The environment of programs that are started: nothing, but what sanitizers want to know.
char **clean_environment(void);
