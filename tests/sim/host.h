// Where core lives in the simulator: its turns, its start, its death, and its two lines.
#pragma once

#include "sim.h"

#include "core/core.h"
#include "wire/wire.h"

// An answer as web hands it to a client.
struct answer {
	uint64_t serial;
	int status, flags;
	char *body;
	size_t length;
};

// What a client sends. The path is copied; the other texts have to live until the answer comes.
struct call_text {
	const char *method, *path, *query, *body, *key;
	int listener; // as in struct request
};

extern struct core *host_core; // NULL while core is down

void host_prepare(void); // makes the store that every run begins with, once in a process
void host_choose_store(void);
struct config;
void host_configure(struct config *config); // one of them
void host_begin(void);                      // of a run
void host_end(void);
// kill -9 now.
void host_kill(const char *why);
// The power of everything: also what was not fsynced is in danger. vault and web die as well.
void host_power_loss(void);
// Ends as told by its parent: what was decided is flushed.
void host_stop(void);
// The same, and it is started again after a while only.
void host_stop_for(int64_t away_ms);
void host_web_dies(void);
// 1: core is killed at the n-th of its next steps: messages in and out, and operations of the disk.
void host_kill_at(int steps);
// Hands a request to core; its serial, or 0 when nobody listens.
uint64_t host_request(const struct call_text *text);
// A message of vault. Lost when core is down: vault keeps what matters.
void host_from_vault(enum wire_number number, const struct wire_value *values);
// The line between vault and core is there again, or gone.
void host_vault_line(bool up);
bool host_is_up(void);
