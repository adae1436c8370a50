// See durable.h. Only store_sync() and store_sync_file() run on threads; everything else is the
// loop's.
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

static void sync_file_on_thread(uv_work_t *work)
{
	struct durable *durable = work->data;

	durable->file.result = store_sync_file(durable->core->store);
}

// `status` tells whether it was cancelled; it never is.
static void on_file_synced(uv_work_t *work, int status)
{
	struct durable *durable = work->data;

	(void)status;
	end_work(durable, &durable->file);
	must(durable, store_copied(durable->core->store));
}

// The log has grown: its pages go to the database file, which they may when they are durable. Where
// core is busy there is no such moment by itself, and the fsync is waited for.
static void copy_log(struct durable *durable)
{
	struct store *store = durable->core->store;
	bool copied = false;

	if (!durable_is_settled(durable) && durable->postponed++ < POSTPONED_MAX)
		return;
	durable->postponed = 0;
	if (!durable_is_settled(durable))
		must(durable, store_sync(store));
	durable->covered = durable->durable = durable->committed;
	must(durable, store_copy(store, &copied));
	if (copied)
		start_work(durable, &durable->file, sync_file_on_thread, on_file_synced);
}

// --- what waits for the log

static void sync_on_thread(uv_work_t *work)
{
	struct durable *durable = work->data;

	int64_t begun_us = clock_monotonic_us();

	durable->log.result = store_sync(durable->core->store);
	durable->log.took_us = clock_monotonic_us() - begun_us;
}

static void on_synced(uv_work_t *work, int status);

static void settle(struct durable *durable)
{
	struct core *core = durable->core;

	if (durable->log.runs && durable->covered != durable->committed)
		return; // the next fsync covers it
	durable->each_line(core, wire_channel_mark);
	if (durable->log.runs)
		return; // nothing was committed since this one began: it covers it
	if (store_wants_copy(core->store))
		copy_log(durable);
	if (durable_is_settled(durable)) {
		durable->each_line(core, wire_channel_release);
		return;
	}
	durable->covered = durable->committed;
	start_work(durable, &durable->log, sync_on_thread, on_synced);
}

static void on_synced(uv_work_t *work, int status)
{
	struct durable *durable = work->data;

	(void)status;
	end_work(durable, &durable->log);
	metric_fsync(durable->log.took_us);
	durable->durable = durable->covered;
	durable->each_line(durable->core, wire_channel_release);
	// In the middle of a turn what was said since rests on what is not committed yet; its end
	// comes soon.
	if (!store_is_dirty(durable->core->store))
		settle(durable);
	durable->released(durable->core);
}

bool durable_is_settled(const struct durable *durable)
{
	return durable->durable == durable->committed;
}

void durable_end_turn(struct durable *durable, bool committed)
{
	durable->committed += committed;
	settle(durable);
}
