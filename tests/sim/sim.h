// The simulator: core's real code in a world that is made from one number. README.md says how it
// works. This is what its parts share: chance, time, the queue of what happens, and the story.
//
// Two times: `now_ms` is the world's, which only grows; core sees sim_wall_ms(), which people set.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

// What can go wrong in this run, in per mille of the times when it could. Chosen from the seed.
struct faults {
	int lost, doubled,
	        late; // a message between driver and bank: never comes, comes twice, slowly
	int driver_dies, vault_dies, core_dies, power, stop; // per step of the nemesis
	int line_breaks;
	int disk_full, sync_fails, write_fails; // per step of the nemesis: the next write …
	int clock_jumps;
	int bank_hangs; // the bank takes a message and never answers
	int impatient;  // a merchant asks again before the answer is there
	int web_dies;
};

// What the connection's bank is good for, as the operator told core.
struct policy {
	const char *json;
	bool refund_repeats, single, releases, directory, second;
};

struct sim {
	uint64_t seed;
	bool trace;
	bool calm; // faults have stopped; what is broken is being mended
	const char *plant;
	int64_t now_ms;
	int64_t wall_ms; // added to now_ms
	uint64_t chance[4];
	struct faults faults;
	const struct policy *policy;
	char failure[1000]; // the first rule that was broken; empty: none
	uint64_t steps;
};

extern struct sim sim;

// --- chance.c: the same numbers for the same seed, wherever it runs
void chance_seed(uint64_t seed);
uint64_t chance_number(void);
int64_t chance_below(int64_t limit); // 0 … limit - 1
int64_t chance_between(int64_t low, int64_t high);
bool chance_of(int per_mille);
bool fault_of(int per_mille); // never when the world is calm
void chance_bytes(void *ret_bytes, size_t length);

// --- world.c: time
// Calls `happen(what)` after a while. `what` is memory of its own (or NULL) and freed afterwards.
void world_after(int64_t wait_ms, void (*happen)(void *what), void *what);
void *world_room(size_t size); // zeroed
// Lets everything happen until nothing is left, the time `until_ms` or the first failure.
void world_run(int64_t until_ms);
void world_free(void);
int64_t sim_wall_ms(void);

// A rule is broken. Only the first is kept.
void sim_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool sim_failed(void);
// A line of the story, with --trace.
void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define TELL(...) (sim.trace ? tell(__VA_ARGS__) : (void)0)
