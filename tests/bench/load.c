// The load: shoppers who link cards and pay with one tap, as many as the programs can serve, then
// at half of that. Prints one figure a line, `name value`; ./bench and report.py read them.
//
// usage: load --public PORT --host NAME --key SECRET --parent PID --bank PID --links N
//             --seconds N --connections N --folder FOLDER [--cards FILE]
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
	int port;
	const char *host, *key, *folder, *cards;
	pid_t parent, bank;
	unsigned seconds, connections;
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

static void write_distribution(const struct load *load, const struct fleet_result *result)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/latency", load->folder);
	FILE *file = fopen(path, "we");
	CHECK(file);
	// By the number of nines, so that the tail is as wide as the rest: each share leaves nine
	// tenths of what the one before it left.
	for (double left = 1; left > 1e-4; left *= 0.9)
		fprintf(file, "%.6f %u\n", 1 - left, fleet_quantile(result, 1 - left));
	fclose(file);
}

static void measure_half(struct load *load, double rate)
{
	struct fleet_result result cleanup(fleet_result_done) = { 0 };
	struct fleet_result warm cleanup(fleet_result_done) = { 0 };
	struct fleet_work work = work_of(load);

	work.make = shoppers_put_payment;
	work.take = shoppers_take_payment;
	work.seconds = WARM_SECONDS; // what full load has left is not this load's
	work.per_second = rate;
	run("payments at half load", &work, &warm);
	load->shoppers.run++;
	work.seconds = load->seconds;
	begin_cpu(load);
	run("payments at half load", &work, &result);
	load->shoppers.run++;
	say_cpu(load, "half", &result);
	say("half_rate_per_s", rate);
	say("half_p50_ms", fleet_quantile(&result, 0.5) / 1e3);
	say("half_p99_ms", fleet_quantile(&result, 0.99) / 1e3);
	say("half_p999_ms", fleet_quantile(&result, 0.999) / 1e3);
	say("half_max_ms", fleet_quantile(&result, 1) / 1e3);
	write_distribution(load, &result);
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
	measure_half(load, rate / 2);
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
	    !load.bank || (!load.links && !load.cards)) {
		fputs("usage: see load.c\n", stderr);
		return 2;
	}
	return measure(&load);
}
