// The end of a turn: all that it wrote becomes one commit and is fsynced before anything that it
// said leaves. Then the store's log is kept short: copied into its file on a thread of libuv, while
// the loop goes on.
#pragma once

#include "core/core.h"

struct durable {
	struct core *core;
	void (*failed)(struct core *core, struct result result); // does not return
	struct {
		uv_work_t work;
		struct result result; // the thread's while it runs
	} copy;
};

// Returns when all that was written until now is durable.
void durable_commit(struct durable *durable);
// To be called after a commit, when what rests on it has left.
void durable_keep_log_short(struct durable *durable);
