// Probes and numbers on their own listener: /livez, /readyz, /metrics (Prometheus text format).
#include "core/core.h"

#include "core/deliveries.h"
#include "core/flows.h"
#include "core/guards.h"

static int64_t counters[METRICS];

void metric_add(enum metric metric, int64_t count)
{
	counters[metric] += count;
}

// In microseconds; what took longer than the last counts in the sum and the count alone.
static const int fsync_bounds[] = { 250, 500, 1000, 2500, 5000, 10000, 50000, 250000, 1000000 };
enum { FSYNC_BOUNDS = sizeof(fsync_bounds) / sizeof(fsync_bounds[0]) };
static struct {
	int64_t count, sum_us;
	int64_t within[FSYNC_BOUNDS]; // each bound's own and all below it
} fsyncs;

void metric_fsync(int64_t took_us)
{
	fsyncs.count++;
	fsyncs.sum_us += took_us;
	for (int i = FSYNC_BOUNDS - 1; i >= 0 && took_us <= fsync_bounds[i]; i--)
		fsyncs.within[i]++;
}

static void put_fsyncs(struct buffer *text)
{
	buffer_put_text(text, "# HELP onfile_fsync_seconds What an fsync of the store's log took: "
	                      "answers wait for one or two.\n"
	                      "# TYPE onfile_fsync_seconds histogram\n");
	for (int i = 0; i < FSYNC_BOUNDS; i++)
		buffer_printf(text, "onfile_fsync_seconds_bucket{le=\"%g\"} %lld\n",
		              fsync_bounds[i] / 1e6, (long long)fsyncs.within[i]);
	buffer_printf(text,
	              "onfile_fsync_seconds_bucket{le=\"+Inf\"} %lld\n"
	              "onfile_fsync_seconds_sum %.6f\nonfile_fsync_seconds_count %lld\n",
	              (long long)fsyncs.count, (double)fsyncs.sum_us / 1e6,
	              (long long)fsyncs.count);
}

static void put_counter(struct buffer *text, const char *name, const char *help, int64_t value)
{
	char lower[64] = { 0 };

	for (size_t i = 0; name[i] && i + 1 < sizeof(lower); i++)
		lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
	buffer_printf(text, "# HELP onfile_%s_total %s.\n# TYPE onfile_%s_total counter\n", lower,
	              help, lower);
	buffer_printf(text, "onfile_%s_total %lld\n", lower, (long long)value);
}

static void put_metrics(struct core *core, struct buffer *text)
{
	static const struct {
		const char *name, *help;
	} rows[METRICS] = {
#define METRIC(name, help) [METRIC_##name] = { #name, help },
#include "metrics.def"
#undef METRIC
	};

	buffer_printf(text,
	              "# HELP onfile_build_info The version that runs.\n"
	              "# TYPE onfile_build_info gauge\nonfile_build_info{version=\"%s\"} 1\n",
	              ONFILE_VERSION);
	for (int i = 0; i < METRICS; i++)
		put_counter(text, rows[i].name, rows[i].help, counters[i]);
	put_fsyncs(text);
	buffer_put_text(text, "# HELP onfile_connection_up Whether the line to a bank is up.\n"
	                      "# TYPE onfile_connection_up gauge\n");
	for (const struct connection *c = core->flows->connections; c; c = c->next)
		buffer_printf(text, "onfile_connection_up{connection=\"%s\"} %d\n", c->name,
		              c->state == 1);
	buffer_printf(text,
	              "# HELP onfile_attempts_open Attempts that are not at rest.\n"
	              "# TYPE onfile_attempts_open gauge\nonfile_attempts_open %zu\n",
	              core->flows->lives.count);
	buffer_printf(text,
	              "# HELP onfile_deliveries_under_way Webhooks that are being sent.\n"
	              "# TYPE onfile_deliveries_under_way gauge\n"
	              "onfile_deliveries_under_way %zu\n",
	              deliveries_under_way(core));
	buffer_printf(text,
	              "# HELP onfile_attention_open What a person has to look at.\n"
	              "# TYPE onfile_attention_open gauge\nonfile_attention_open %lld\n",
	              (long long)store_one(core->store, STORE_ADVICES_ATTENTION_COUNT, 0, NULL, 0));
	buffer_printf(
	        text,
	        "# HELP onfile_links_refused_percent Of the last links, how many issuers refused.\n"
	        "# TYPE onfile_links_refused_percent gauge\nonfile_links_refused_percent %d\n",
	        guards_refused_percent(core));
}

// Ready: the store works, vault's keys are here, and every connection is up. Says each.
static int put_ready(struct core *core, struct buffer *text)
{
	bool ready = core->card_keys && result_ok(store_result(core->store));

	buffer_printf(text, "[%c] store\n[%c] vault\n",
	              result_ok(store_result(core->store)) ? '+' : '-',
	              core->card_keys ? '+' : '-');
	// Webhooks wait while it is away; nobody who pays notices.
	buffer_printf(text, "[%c] courier\n", deliveries_courier(core) ? '+' : '-');
	for (const struct connection *c = core->flows->connections; c; c = c->next) {
		ready = ready && c->state == 1;
		buffer_printf(text, "[%c] connection %s\n", c->state == 1 ? '+' : '-', c->name);
	}
	buffer_put_text(text, ready ? "ready\n" : "not ready\n");
	return ready ? 200 : 503;
}

void metrics_request(struct core *core, const struct request *request)
{
	struct buffer text;
	int status = 404;

	buffer_init(&text, 65536);
	if (bytes_equal_text(request->path, "/metrics")) {
		status = 200;
		put_metrics(core, &text);
	} else if (bytes_equal_text(request->path, "/readyz")) {
		status = put_ready(core, &text);
	} else if (bytes_equal_text(request->path, "/livez")) {
		status = 200;
		buffer_put_text(&text, "live\n");
	} else {
		buffer_put_text(&text, "not found: /livez, /readyz and /metrics are here\n");
	}
	core_reply(core, request->serial,
	           &(struct reply){ .status = status,
	                            .kind = REPLY_TEXT,
	                            .request_id = request->id,
	                            .body = buffer_view(&text) });
	buffer_done(&text);
}
