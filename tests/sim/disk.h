// The disk under SQLite, in memory: what programs see, and what survives when the power goes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disk {
	bool dead;       // the program was killed: whatever it still calls has no effect
	bool full;       // no file grows
	int fail_writes; // so many of the next writes fail
	int fail_syncs;  // so many of the next fsyncs fail; what they were to make durable may be
	                 // lost
	int kill_in;     // the program is killed at the n-th operation from now; 0: not
	bool held;       // the log may not begin anew: another thread would copy it just now
	bool lies;       // a planted bug: fsync says yes and does nothing
	int64_t operations;
	int64_t lost_syncs;
};

extern struct disk disk;

// Makes this disk SQLite's, once in a process.
void disk_register(void);
// What is on the disk now is how runs of this variant begin.
enum { DISK_VARIANTS = 4 };
void disk_keep(int variant);
// Begins a run with it.
void disk_reset(int variant);
// Of what was not fsynced each piece is lost, torn or kept by chance.
void disk_power_loss(void);
// The program is started anew.
void disk_new_life(void);
// Everything that this life has written into the log is durable.
bool disk_is_durable(void);
