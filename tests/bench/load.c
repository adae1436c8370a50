// The load: shoppers who link cards and pay with one tap, as many as the programs can serve, then
// at half of that, and at a given rate. Prints one figure a line, `name value`; ./bench and
// report.py read them.
//
// usage: load --public PORT --host NAME --key SECRET --parent PID --bank PID --metrics PORT
//             --seconds N --connections N --folder FOLDER [--links N] [--cards FILE] [--rate N]
//        load --fixed PORT --seconds N --connections N
#include "fleet.h"
#include "programs.h"
#include "shoppers.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WARM_SECONDS = 2 };

struct load {
	int port, metrics_port;
	const char *host, *key, *folder, *cards;
	pid_t parent, bank;
	unsigned seconds, connections, rate;
	uint64_t links;
	struct shoppers shoppers;
	struct program programs[PROGRAMS_MAX];
	int program_count;
};

static void say(const char *name, double value)
{
	printf("%s %.6g\n", name, value);
	fflush(stdout);
}

static void give_up(const char *what, const struct fleet_result *result)
{
	fprintf(stderr, "load: %s: %llu answers, %llu of them bad; the first bad one:\n%s\n", what,
	        (unsigned long long)result->done, (unsigned long long)result->bad,
	        result->first_bad);
	exit(1);
}

static void make_fixed(void *owner, uint64_t number, struct buffer *request)
{
	(void)owner;
	(void)number;
	buffer_put_text(request, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}

static bool take_fixed(void *owner, uint64_t number, int status, struct bytes body)
{
	(void)owner;
	(void)number;
	(void)body;
	return status == 200;
}

// --- measuring

static struct fleet_work work_of(struct load *load)
{
	return (struct fleet_work){ .port = load->port,
		                    .connections = load->connections,
		                    .owner = &load->shoppers };
}

static void run(const char *what, const struct fleet_work *work, struct fleet_result *ret_result)
{
	if (!fleet_run(work, ret_result) || ret_result->bad)
		give_up(what, ret_result);
}

// Runs once, for every shopper, without counting.
static void for_all(struct load *load, const char *what,
                    void (*make)(void *, uint64_t, struct buffer *),
                    bool (*take)(void *, uint64_t, int, struct bytes), const char *figure)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = work_of(load);

	work.count = load->shoppers.count;
	work.make = make;
	work.take = take;
	run(what, &work, &result);
	say(figure, result.middle_rate);
}

static void begin_cpu(struct load *load)
{
	programs_read_cpu(load->programs, load->program_count);
}

// Microseconds of processor that each program spent on one of what was done since begin_cpu(), and
// those that it waited for a processor.
static void say_cpu(struct load *load, const char *what, const struct fleet_result *result)
{
	struct program before[PROGRAMS_MAX];
	char name[96];

	memcpy(before, load->programs, sizeof(before));
	programs_read_cpu(load->programs, load->program_count);
	for (int i = 0; i < load->program_count; i++) {
		snprintf(name, sizeof(name), "%s_cpu_us.%s", what, load->programs[i].name);
		say(name, (load->programs[i].cpu_s - before[i].cpu_s) * 1e6 / (double)result->done);
		snprintf(name, sizeof(name), "%s_queued_us.%s", what, load->programs[i].name);
		say(name,
		    (load->programs[i].queued_s - before[i].queued_s) * 1e6 / (double)result->done);
	}
}

// What core says of its fsyncs since it was started.
struct fsyncs {
	double count, sum_s, within_2_5_ms, within_5_ms, within_10_ms;
};

static void make_metrics(void *owner, uint64_t number, struct buffer *request)
{
	(void)owner;
	(void)number;
	buffer_put_text(request, "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}

static bool take_metrics(void *owner, uint64_t number, int status, struct bytes body)
{
	struct fsyncs *fsyncs = owner;
	const struct {
		const char *name;
		double *value;
	} wanted[] = { { "_count ", &fsyncs->count },
		       { "_sum ", &fsyncs->sum_s },
		       { "_bucket{le=\"0.0025\"} ", &fsyncs->within_2_5_ms },
		       { "_bucket{le=\"0.005\"} ", &fsyncs->within_5_ms },
		       { "_bucket{le=\"0.01\"} ", &fsyncs->within_10_ms } };
	char *text = strndup((const char *)body.data, body.length);
	bool good = status == 200;

	(void)number;
	CHECK(text);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		char name[64];
		snprintf(name, sizeof(name), "\nonfile_fsync_seconds%s", wanted[i].name);
		const char *line = strstr(text, name);
		good = good && line;
		if (line)
			*wanted[i].value = strtod(line + strlen(name), NULL);
	}
	free(text);
	return good;
}

static void ask_fsyncs(const struct load *load, struct fsyncs *ret_fsyncs)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = { .port = load->metrics_port,
		                   .connections = 1,
		                   .count = 1,
		                   .make = make_metrics,
		                   .take = take_metrics,
		                   .owner = ret_fsyncs };

	*ret_fsyncs = (struct fsyncs){ 0 };
	run("metrics", &work, &result);
}

// Those since `before`: how many there were in a second, what one took, how many took long.
static void say_fsyncs(const struct load *load, const char *name, const struct fsyncs *before,
                       const struct fleet_result *result)
{
	struct fsyncs after;

	ask_fsyncs(load, &after);
	double count = after.count - before->count;
	const struct {
		const char *name;
		double value;
	} figures[] = {
		{ "per_s", count / result->seconds },
		{ "ms", (after.sum_s - before->sum_s) * 1e3 / count },
		{ "over_2_5_ms", count - (after.within_2_5_ms - before->within_2_5_ms) },
		{ "over_5_ms", count - (after.within_5_ms - before->within_5_ms) },
		{ "over_10_ms", count - (after.within_10_ms - before->within_10_ms) },
	};
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		char figure[96];
		snprintf(figure, sizeof(figure), "%s_fsyncs_%s", name, figures[i].name);
		say(figure, figures[i].value);
	}
}

static void measure_links(struct load *load)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = work_of(load);

	work.count = load->shoppers.count;
	work.make = shoppers_put_link;
	work.take = shoppers_take_link;
	begin_cpu(load);
	run("links", &work, &result);
	say_cpu(load, "link", &result);
	say("links_per_s", result.middle_rate);
	say("links_p50_ms", fleet_quantile(&result, 0.5) / 1e3);
	say("links_p99_ms", fleet_quantile(&result, 0.99) / 1e3);
}

static double measure_payments(struct load *load)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_result warm cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = work_of(load);

	work.make = shoppers_put_payment;
	work.take = shoppers_take_payment;
	work.seconds = WARM_SECONDS;
	run("payments", &work, &warm);
	load->shoppers.run++;
	work.seconds = load->seconds;
	begin_cpu(load);
	run("payments", &work, &result);
	load->shoppers.run++;
	say_cpu(load, "payment", &result);
	say("payments_per_s", result.middle_rate);
	say("payments_p50_ms", fleet_quantile(&result, 0.5) / 1e3);
	say("payments_p99_ms", fleet_quantile(&result, 0.99) / 1e3);
	return result.middle_rate;
}

static void write_distribution(const struct load *load, const char *name,
                               const struct fleet_result *result)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/latency-%s", load->folder, name);
	FILE *file = fopen(path, "we");
	CHECK(file);
	// By the number of nines, so that the tail is as wide as the rest: each share leaves nine
	// tenths of what the one before it left.
	for (double left = 1; left > 1e-4; left *= 0.9)
		fprintf(file, "%.6f %u\n", 1 - left, fleet_quantile(result, 1 - left));
	fclose(file);
}

static void say_latency(const char *name, double rate, const struct fleet_result *result)
{
	static const struct {
		const char *figure;
		double share;
	} shares[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p999", 0.999 }, { "max", 1 } };
	char figure[96];

	snprintf(figure, sizeof(figure), "%s_rate_per_s", name);
	say(figure, rate);
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		snprintf(figure, sizeof(figure), "%s_%s_ms", name, shares[i].figure);
		say(figure, fleet_quantile(result, shares[i].share) / 1e3);
	}
}

// Requests that are sent at fixed times, `rate` a second.
static void measure_at(struct load *load, const char *name, double rate)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_result warm cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = work_of(load);
	struct fsyncs before;

	work.make = shoppers_put_payment;
	work.take = shoppers_take_payment;
	work.seconds = WARM_SECONDS; // what the load before has left is not this load's
	work.per_second = rate;
	run(name, &work, &warm);
	load->shoppers.run++;
	work.seconds = load->seconds;
	begin_cpu(load);
	ask_fsyncs(load, &before);
	run(name, &work, &result);
	load->shoppers.run++;
	say_cpu(load, name, &result);
	say_fsyncs(load, name, &before, &result);
	say_latency(name, rate, &result);
	write_distribution(load, name, &result);
}

static void say_memory(struct load *load)
{
	long share = 0, resident = 0;
	char name[96];

	programs_read_memory(load->programs, load->program_count);
	for (int i = 0; i < load->program_count; i++) {
		const struct program *program = &load->programs[i];
		snprintf(name, sizeof(name), "memory_share_mib.%s", program->name);
		say(name, (double)program->share_kib / 1024);
		snprintf(name, sizeof(name), "memory_peak_mib.%s", program->name);
		say(name, (double)program->peak_kib / 1024);
		if (program->pid == load->bank || program->pid == getpid())
			continue;
		share += program->share_kib;
		resident += program->resident_kib;
	}
	say("memory_share_mib", (double)share / 1024);
	say("memory_resident_mib", (double)resident / 1024);
}

// --- steps

static void link_cards(struct load *load)
{
	char path[600];

	shoppers_make(&load->shoppers, load->links);
	for_all(load, "customers", shoppers_put_customer, shoppers_take_customer,
	        "customers_per_s");
	for_all(load, "intents", shoppers_put_intent, shoppers_take_intent, "intents_per_s");
	if (!shoppers_seal(&load->shoppers)) {
		fputs("load: the API names no key for cards\n", stderr);
		exit(1);
	}
	measure_links(load);
	for_all(load, "looks", shoppers_put_look, shoppers_take_look, "retrievals_per_s");
	snprintf(path, sizeof(path), "%s/cards", load->folder);
	shoppers_write(&load->shoppers, path);
}

static int measure(struct load *load)
{
	const pid_t others[] = { load->bank, getpid(), 0 };

	shoppers_init(&load->shoppers, load->port, load->host, load->key);
	load->program_count = programs_find(load->parent, others, load->programs);
	if (load->links)
		link_cards(load);
	if (load->cards && !shoppers_read(&load->shoppers, load->cards)) {
		fprintf(stderr, "load: no cards in %s\n", load->cards);
		return 1;
	}
	double rate = measure_payments(load);
	measure_at(load, "half", rate / 2);
	if (load->rate)
		measure_at(load, "given", load->rate);
	say_memory(load);
	shoppers_done(&load->shoppers);
	return 0;
}

static int measure_fixed(const struct load *load, int port)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = { .port = port,
		                   .connections = load->connections,
		                   .seconds = load->seconds,
		                   .make = make_fixed,
		                   .take = take_fixed };

	run("fixed answers", &work, &result);
	say("nginx_per_s", result.middle_rate);
	return 0;
}

// --- options

static bool read_option(struct load *load, const char *name, const char *value, uint64_t *fixed)
{
	const struct {
		const char *name;
		const char **text;
	} texts[] = { { "--host", &load->host },
		      { "--key", &load->key },
		      { "--folder", &load->folder },
		      { "--cards", &load->cards } };
	uint64_t number = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].text = value;
			return true;
		}
	if (!text_to_number(bytes_text(value), UINT32_MAX, &number))
		return false;
	if (strcmp(name, "--public") == 0)
		load->port = (int)number;
	else if (strcmp(name, "--metrics") == 0)
		load->metrics_port = (int)number;
	else if (strcmp(name, "--rate") == 0)
		load->rate = (unsigned)number;
	else if (strcmp(name, "--parent") == 0)
		load->parent = (pid_t)number;
	else if (strcmp(name, "--bank") == 0)
		load->bank = (pid_t)number;
	else if (strcmp(name, "--links") == 0)
		load->links = number;
	else if (strcmp(name, "--seconds") == 0)
		load->seconds = (unsigned)number;
	else if (strcmp(name, "--connections") == 0)
		load->connections = (unsigned)number;
	else if (strcmp(name, "--fixed") == 0)
		*fixed = number;
	else
		return false;
	return true;
}

int main(int argc, char **argv)
{
	struct load load = { .seconds = 10, .connections = 64 };
	uint64_t fixed = 0;
	bool good = argc % 2 == 1;

	for (int i = 1; good && i + 1 < argc; i += 2)
		good = read_option(&load, argv[i], argv[i + 1], &fixed);
	if (good && fixed)
		return measure_fixed(&load, (int)fixed);
	if (!good || !load.port || !load.host || !load.key || !load.folder || !load.parent ||
	    !load.metrics_port || !load.bank || (!load.links && !load.cards)) {
		fputs("usage: see load.c\n", stderr);
		return 2;
	}
	return measure(&load);
}
