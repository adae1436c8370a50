// From the end of a turn to the moment when what it said may leave: the commit, and the fsync of
// the store's log on a thread of libuv, one at a time, while the loop goes on with the next turns.
// What these write is committed when that fsync has ended, in one: a commit costs some ten pages of
// the log, however little it holds, and would only wait. Also the copying of the log into the
// database file, on a second thread.
//
// Lines to neighbours and operators hold what is put into them (wire_channel_hold()); what is
// marked and released here rests on what is durable.
#pragma once

#include "core/core.h"

struct durable {
	struct core *core;
	// Calls `call` for every line of core that holds.
	void (*each_line)(struct core *core, void (*call)(struct wire_channel *channel));
	// What was released is to be written, and a turn to end if the store is dirty.
	void (*released)(struct core *core);
	void (*failed)(struct core *core, struct result result); // does not return
	int postponed; // so many times the log was to begin anew and was not durable just then
	struct durable_work {
		uv_work_t work;
		bool runs;
		struct result result; // the thread's while it runs, as is what follows
		int64_t took_us;
	} log, copy;
};

// True when nothing waits for the disk.
bool durable_is_settled(const struct durable *durable);

// Decides what becomes of all that was written and said until now.
void durable_end_turn(struct durable *durable);
