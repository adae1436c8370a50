// The simulator's command line: seeds in, one line for each that fails, totals at the end.
#include "parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <jansson.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "disk.h"
#include "nemesis.h"

enum { JOBS_MAX = 64, FAILED_MAX = 20, CHUNK = 64, HOUR_MS = 3600 * 1000 };

// --- what the product's own files would be: the log goes into the story, clocks are the world's

void log_init(const char *program)
{
	(void)program;
}

void log_set_level(enum log_level level)
{
	(void)level;
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                size_t count)
{
	(void)level;
	if (!sim.trace)
		return;
	tell("core says: %s", event);
	for (size_t i = 0; i < count; i++)
		printf("%16s%s=%s %lld\n", "", fields[i].key, fields[i].text ? fields[i].text : "",
		       fields[i].number);
}

int64_t clock_wall_ms(void)
{
	return sim_wall_ms();
}

int64_t clock_monotonic_ms(void)
{
	return sim.now_ms;
}

int64_t clock_monotonic_us(void)
{
	return sim.now_ms * 1000;
}

// --- one run

static void let_end(void *what)
{
	(void)what;
}

// What is to be repeated is repeated within the hour; a person looks at what needs attention; and
// after ten days without core the life of every hold is over, whatever the clock was set to.
static void days_pass(void)
{
	enum { AWAY_HOURS = 10 * 24 };

	world_run(sim.now_ms + 3 * HOUR_MS);
	person_comes();
	world_run(sim.now_ms + HOUR_MS);
	host_stop_for((int64_t)AWAY_HOURS * HOUR_MS);
	world_run(sim.now_ms + (int64_t)AWAY_HOURS * HOUR_MS);
	for (int time = 0; time < 3 && !sim_failed(); time++) {
		world_run(sim.now_ms + HOUR_MS);
		person_comes();
	}
	world_run(sim.now_ms + HOUR_MS);
}

// Time passes until all that has a limit has passed it.
static void run_to_rest(void)
{
	int64_t until_ms = sim.now_ms;

	for (int i = 0; i < 1000 && !sim_failed() && !shop_is_done(); i++)
		world_run(until_ms += 10000);
	if (!sim_failed() && !shop_is_done())
		sim_fail("the merchants were not answered long after all was well again");
	shop_ask_again();
	world_run(sim.now_ms + 60000);
	if (!shop_is_done())
		sim_fail("a question that was asked once more is not answered");
	check_timers();
	days_pass();
	if (!host_is_up())
		sim_fail("core does not come up");
	check_timers();
}

static void run(uint64_t seed)
{
	sim.seed = seed;
	sim.calm = false;
	sim.now_ms = 0;
	sim.steps = 0;
	sim.failure[0] = '\0';
	chance_seed(seed);
	sim.wall_ms = 1780000000000 + chance_below(365LL * 24 * HOUR_MS);
	nemesis_choose();
	ledger_begin();
	host_begin();
	vault_begin();
	shop_begin();
	nemesis_begin();
	world_after(0, let_end, NULL);
	world_run(nemesis_ends_ms());
	check_timers();
	nemesis_end();
	run_to_rest();
	host_end();
	if (!sim_failed())
		check_books();
	world_free();
	shop_end();
	vault_end();
	ledger_end();
	directory_end();
}

// --- many runs

struct options {
	uint64_t from, to;
	int jobs;
	const char *program;
	bool quiet;
};

struct shared {
	uint64_t next, passed, failed, steps;
	uint64_t current[JOBS_MAX];
	uint64_t failures[FAILED_MAX];
};

static struct shared *shared;

static void report(const struct options *options, uint64_t seed, const char *why)
{
	uint64_t place = __atomic_fetch_add(&shared->failed, 1, __ATOMIC_SEQ_CST);

	if (place >= FAILED_MAX)
		return;
	shared->failures[place] = seed;
	if (options->quiet)
		return;
	printf("seed %llu: %s\n  replay: %s --seed %llu --trace%s%s\n", (unsigned long long)seed,
	       why, options->program, (unsigned long long)seed, sim.plant ? " --plant " : "",
	       sim.plant ? sim.plant : "");
	fflush(stdout);
}

static void work(const struct options *options, int job)
{
	for (;;) {
		uint64_t from = __atomic_fetch_add(&shared->next, CHUNK, __ATOMIC_SEQ_CST);
		if (from > options->to)
			return;
		for (uint64_t seed = from; seed < from + CHUNK && seed <= options->to; seed++) {
			shared->current[job] = seed;
			run(seed);
			__atomic_fetch_add(&shared->steps, sim.steps, __ATOMIC_SEQ_CST);
			if (sim_failed())
				report(options, seed, sim.failure);
			else
				__atomic_fetch_add(&shared->passed, 1, __ATOMIC_SEQ_CST);
			if (sim.plant && shared->failed)
				return;
		}
	}
}

static pid_t start_job(const struct options *options, int job)
{
	fflush(stdout);
	pid_t child = fork();

	CHECK(child >= 0);
	if (child > 0)
		return child;
	work(options, job);
	fflush(stdout);
	_exit(0);
}

// A job that dies (an assertion of the product, a signal) has found something: the seed is
// reported, and another job takes its place.
static void run_jobs(const struct options *options)
{
	pid_t jobs[JOBS_MAX];
	int running = options->jobs;

	for (int job = 0; job < options->jobs; job++)
		jobs[job] = start_job(options, job);
	while (running > 0) {
		int status = 0;
		pid_t ended = wait(&status);
		int job = 0;
		while (job < options->jobs && jobs[job] != ended)
			job++;
		if (job == options->jobs)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
			running--;
			continue;
		}
		report(options, shared->current[job], "the program died");
		if (sim.plant || shared->failed >= FAILED_MAX)
			running--;
		else
			jobs[job] = start_job(options, job);
	}
}

// Every bug that can be planted has to be found within `options` seeds. Returns how many are not.
static int run_plants(struct options *options)
{
	const char *what = NULL;
	int passed = 0, failed = 0;

	options->quiet = true;
	for (size_t i = 0; (sim.plant = plant_at(i, &what)); i++) {
		*shared = (struct shared){ .next = options->from };
		run_jobs(options);
		if (shared->failed)
			printf("found   %-24s seed %llu\n", sim.plant,
			       (unsigned long long)shared->failures[0]);
		else
			printf("MISSED  %-24s in %llu seeds: %s\n", sim.plant,
			       (unsigned long long)(options->to - options->from + 1), what);
		passed += shared->failed > 0;
		failed += shared->failed == 0;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed;
}

static uint64_t number(const char *text, char **ret_rest)
{
	return strtoull(text, ret_rest, 10);
}

static void read_option(struct options *options, const char *name, const char *value)
{
	char *rest = NULL;

	if (strcmp(name, "--seed") == 0) {
		options->from = options->to = number(value, NULL);
	} else if (strcmp(name, "--seeds") == 0) {
		options->from = number(value, &rest);
		options->to = rest[0] == '.' ? number(rest + 2, NULL) : options->from;
	} else if (strcmp(name, "--count") == 0) {
		options->from = 1;
		options->to = number(value, NULL);
	} else if (strcmp(name, "--jobs") == 0) {
		options->jobs = (int)number(value, NULL);
	} else if (strcmp(name, "--plant") == 0) {
		sim.plant = value;
	} else {
		fprintf(stderr, "sim: unknown option %s\n", name);
		exit(2);
	}
}

static void usage(void)
{
	const char *what = NULL;

	puts("usage: sim [--seed N | --seeds A..B | --count N] [--jobs N] [--plant NAME | "
	     "--plants] "
	     "[--trace]\n\n"
	     "Runs core in a simulated world, once for each seed. --trace tells the story of a "
	     "run.\n"
	     "--plant puts a bug in, which has to be found; --plants tries them all:\n");
	for (size_t i = 0; plant_at(i, &what); i++)
		printf("  %-24s %s\n", plant_at(i, &what), what);
	exit(0);
}

int main(int argc, char **argv)
{
	struct options options = { 1, 2000, 1, argv[0], false };
	bool plants = false;

	json_object_seed(1);
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--trace") == 0)
			sim.trace = true;
		else if (strcmp(argv[i], "--plants") == 0)
			plants = true;
		else if (strcmp(argv[i], "--help") == 0 || i + 1 == argc)
			usage();
		else {
			read_option(&options, argv[i], argv[i + 1]);
			i++;
		}
	}
	if (options.jobs < 1 || options.jobs > JOBS_MAX)
		usage();
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	              0);
	CHECK(shared != MAP_FAILED);
	shared->next = options.from;
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	host_prepare();
	if (plants)
		return run_plants(&options) > 0;
	if (options.from == options.to)
		work(&options, 0);
	else
		run_jobs(&options);
	printf("%llu steps\n%llu passed, %llu failed\n", (unsigned long long)shared->steps,
	       (unsigned long long)shared->passed, (unsigned long long)shared->failed);
	return shared->failed ? 1 : 0;
}
