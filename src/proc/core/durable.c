// See durable.h. Only store_sync() and store_copy() run on threads; everything else is the loop's.
#include "core/durable.h"

#include "base/check.h"
#include "base/clock.h"

enum { POSTPONED_MAX = 20 };

static void start_work(struct durable *durable, struct durable_work *work, uv_work_cb on_thread,
                       uv_after_work_cb after)
{
	work->runs = true;
	work->work.data = durable;
	CHECK(uv_queue_work(core_loop(durable->core), &work->work, on_thread, after) == 0);
}

static void end_work(struct durable *durable, struct durable_work *work)
{
	work->runs = false;
	if (!result_ok(work->result))
		durable->failed(durable->core, work->result);
}

static void must(struct durable *durable, struct result result)
{
	if (!result_ok(result))
		durable->failed(durable->core, result);
}

// --- the log into the database file

static void copy_on_thread(uv_work_t *work)
{
	struct durable *durable = work->data;

	durable->copy.result = store_copy(durable->core->store);
}

// `status` tells whether it was cancelled; it never is.
static void on_copied(uv_work_t *work, int status)
{
	struct durable *durable = work->data;

	(void)status;
	end_work(durable, &durable->copy);
	must(durable, store_end_copy(durable->core->store));
}

static void begin_copy(struct durable *durable)
{
	must(durable, store_begin_copy(durable->core->store));
	start_work(durable, &durable->copy, copy_on_thread, on_copied);
}

// The log is to begin anew: what is left of it is few pages. Where they are durable already, that
// takes an fsync less; where core is busy there is no such moment by itself. True: it was done, and
// all that was committed is durable.
static bool copy_rest(struct durable *durable, bool wrote)
{
	if (wrote && durable->postponed++ < POSTPONED_MAX)
		return false;
	durable->postponed = 0;
	must(durable, store_copy_rest(durable->core->store));
	return true;
}

// --- what waits for the log

static void sync_on_thread(uv_work_t *work)
{
	struct durable *durable = work->data;
	int64_t begun_us = clock_monotonic_us();

	durable->log.result = store_sync(durable->core->store);
	durable->log.took_us = clock_monotonic_us() - begun_us;
}

static void on_synced(uv_work_t *work, int status)
{
	struct durable *durable = work->data;

	(void)status;
	end_work(durable, &durable->log);
	metric_fsync(durable->log.took_us);
	durable->each_line(durable->core, wire_channel_release);
	if (store_wants_copy(durable->core->store))
		begin_copy(durable);
	durable->released(durable->core);
}

bool durable_is_settled(const struct durable *durable)
{
	return !durable->log.runs && !store_is_dirty(durable->core->store);
}

void durable_end_turn(struct durable *durable)
{
	struct core *core = durable->core;
	bool wrote = store_is_dirty(core->store);

	if (durable->log.runs && wrote)
		return; // one commit for all turns until that fsync has ended: the next would wait
		        // for it
	metric_add(METRIC_COMMITS, wrote);
	must(durable, store_commit(core->store));
	durable->each_line(core, wire_channel_mark);
	if (durable->log.runs)
		return; // what was said rests on nothing newer than what it makes durable
	if (store_wants_rest_copied(core->store) && copy_rest(durable, wrote))
		wrote = false;
	if (wrote)
		start_work(durable, &durable->log, sync_on_thread, on_synced);
	else
		durable->each_line(core, wire_channel_release);
}
