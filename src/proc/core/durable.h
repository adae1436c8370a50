// From the end of a turn to the moment when what it said may leave: the fsync of the store's log,
// on a thread of libuv, one at a time, while the loop goes on with the next turns. Turns that end
// meanwhile share the next one. Also the copying of the log into the database file, whose fsync is
// another thread's.
//
// Lines to neighbours and operators hold what is put into them (wire_channel_hold()); what is
// marked and released here rests on what is durable.
#pragma once

#include "core/core.h"

struct durable {
	struct core *core;
	// Calls `call` for every line of core that holds.
	void (*each_line)(struct core *core, void (*call)(struct wire_channel *channel));
	void (*released)(struct core *core); // what was released is to be written
	void (*failed)(struct core *core, struct result result); // does not return
	// Commits are counted. What was marked when `covered` were made leaves when the fsync that
	// runs has ended.
	uint64_t committed, covered, durable;
	int postponed; // so many times the log was to be copied and was not durable just then
	struct durable_work {
		uv_work_t work;
		bool runs;
		struct result result; // the thread's while it runs, as is what follows
		int64_t took_us;
	} log, file;
};

// True when nothing waits for the disk.
bool durable_is_settled(const struct durable *durable);

// To be called after store_commit(): decides what becomes of all that was said until now.
// `committed`: something was written in this turn.
void durable_end_turn(struct durable *durable, bool committed);
