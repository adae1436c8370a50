// See durable.h. Only store_copy() runs on a thread; everything else is the loop's.
#include "core/durable.h"

#include "base/check.h"
#include "base/clock.h"

static void must(struct durable *durable, struct result result)
{
	if (!result_ok(result))
		durable->failed(durable->core, result);
}

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
	must(durable, durable->copy.result);
	must(durable, store_end_copy(durable->core->store));
}

static void begin_copy(struct durable *durable)
{
	must(durable, store_begin_copy(durable->core->store));
	durable->copy.work.data = durable;
	CHECK(uv_queue_work(core_loop(durable->core), &durable->copy.work, copy_on_thread,
	                    on_copied) == 0);
}

void durable_commit(struct durable *durable)
{
	struct store *store = durable->core->store;
	bool wrote = store_is_dirty(store);

	must(durable, store_commit(store));
	if (!wrote)
		return;
	metric_add(METRIC_COMMITS, 1);
	int64_t begun_us = clock_monotonic_us();
	must(durable, store_sync(store));
	metric_fsync(clock_monotonic_us() - begun_us);
}

void durable_keep_log_short(struct durable *durable)
{
	if (store_wants_rest_copied(durable->core->store))
		must(durable, store_copy_rest(durable->core->store));
	if (store_wants_copy(durable->core->store))
		begin_copy(durable);
}
