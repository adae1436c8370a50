// `onfile reconcile FILE`: the bank's settlement file against the books, line by line, with totals.
// The file stays here; core is asked for the books a page at a time, so that neither has to hold
// the other's. Exit status: 0 equal, 1 differences, 2 the file cannot be read.
#include "call.h"
#include "settlement.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t day_ms = 24LL * 3600 * 1000;
// A message may be repeated for a day before a person is called, and a hold be captured late: the
// books are read from this much before the file's first day.
enum { MARGIN_DAYS = 2, WORD_MAX = 24, EXPLAINED_MAX = 200 };

// Captures and refunds of one currency, as the books have them.
struct sums {
	char currency[4];
	int64_t captures, refunds, captured, refunded;
};

struct reconciliation {
	const struct cli_call *call;
	struct settlement file;
	int64_t from_ms, to_ms; // the days of the file
	struct sums bank[SETTLEMENT_CURRENCIES], books[SETTLEMENT_CURRENCIES];
	size_t differences, explained;
	int64_t next; // of the pages; 0: the last came
	bool broken;  // core said something that is not understood
};

// A movement as core says it.
struct movement {
	char kind;
	char rrn[13], currency[4], approval[8], state[12], terminal[9];
	unsigned stan;
	int64_t amount, first_ms, last_ms, id;
};

// --- sums

static struct sums *sums_of(struct sums *sums, const char *currency)
{
	for (size_t i = 0; i < SETTLEMENT_CURRENCIES; i++) {
		if (!sums[i].currency[0])
			memcpy(sums[i].currency, currency, sizeof(sums[i].currency));
		if (strcmp(sums[i].currency, currency) == 0)
			return &sums[i];
	}
	return &sums[SETTLEMENT_CURRENCIES - 1];
}

static void count(struct sums *sums, char kind, int64_t amount)
{
	if (kind == 'r') {
		sums->refunds++;
		sums->refunded += amount;
	} else {
		sums->captures++;
		sums->captured += amount;
	}
}

// --- what differs

static const char *kind_name(char kind)
{
	return kind == 'r' ? "refund" : "capture";
}

static void say_moment(int64_t at_ms, char *ret_text, size_t capacity)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(ret_text, capacity, "%Y-%m-%d %H:%M:%S", &utc);
}

static void differs(struct reconciliation *all, const struct settlement_line *line,
                    const struct movement *movement, const char *what)
{
	all->differences++;
	printf("line %u: %s %s of %" PRId64 " %s: %s\n", line->number, kind_name(line->kind),
	       line->rrn, line->amount, line->currency, what);
	if (movement && strcmp(movement->state, "attention") == 0)
		printf("    onfile attention resolve %" PRId64 " --as done ends it\n",
		       movement->id);
}

static void missing_at_bank(struct reconciliation *all, const struct movement *movement)
{
	char when[32];

	all->differences++;
	say_moment(movement->last_ms, when, sizeof(when));
	printf("books: %s %s stan %06u of %" PRId64 " %s, sent %s: missing at the bank\n",
	       kind_name(movement->kind), movement->rrn, movement->stan, movement->amount,
	       movement->currency, when);
}

// The file's line and the movement are about the same; are they the same?
static void compare(struct reconciliation *all, const struct settlement_line *line,
                    const struct movement *movement)
{
	char what[128];
	bool done = strcmp(movement->state, "done") == 0;

	if (line->amount != movement->amount || strcmp(line->currency, movement->currency) != 0) {
		snprintf(what, sizeof(what), "the books have %" PRId64 " %s", movement->amount,
		         movement->currency);
		differs(all, line, movement, what);
	} else if (line->kind == 'c' && movement->approval[0] != '-' && line->approval[0] &&
	           strcmp(line->approval, movement->approval) != 0) {
		snprintf(what, sizeof(what), "approval code %s, the books have %s", line->approval,
		         movement->approval);
		differs(all, line, movement, what);
	} else if (strcmp(movement->state, "attention") == 0) {
		differs(all, line, movement, "the books do not know what became of it");
	} else if (strcmp(movement->state, "failed") == 0) {
		differs(all, line, movement, "the books say that it failed");
	} else if (!done) {
		printf("line %u: %s %s: the bank has it, its answer is still awaited\n",
		       line->number, kind_name(line->kind), line->rrn);
	}
}

static void look_at(struct reconciliation *all, const struct movement *movement)
{
	struct settlement_line *line =
	        settlement_find(&all->file, movement->kind, movement->rrn, movement->stan);
	bool done = strcmp(movement->state, "done") == 0;
	bool within = movement->first_ms >= all->from_ms && movement->last_ms < all->to_ms;

	if (all->file.terminal_count && !settlement_has_terminal(&all->file, movement->terminal))
		return; // of another bank's file
	if (line) {
		line->seen = true;
		compare(all, line, movement);
	} else if (done && within) {
		missing_at_bank(all, movement);
	}
	if (done && (line || within))
		count(sums_of(all->books, movement->currency), movement->kind, movement->amount);
}

// --- asking core

static bool read_movement(struct bytes text, struct movement *ret_movement)
{
	char line[256];

	*ret_movement = (struct movement){ 0 };
	return bytes_copy_text(text, line, sizeof(line)) &&
	       sscanf(line,
	              "%c %12s %6u %8s %" SCNd64 " %3s %7s %11s %" SCNd64 " %" SCNd64 " %" SCNd64,
	              &ret_movement->kind, ret_movement->rrn, &ret_movement->stan,
	              ret_movement->terminal, &ret_movement->amount, ret_movement->currency,
	              ret_movement->approval, ret_movement->state, &ret_movement->first_ms,
	              &ret_movement->last_ms, &ret_movement->id) == 11;
}

static void on_line(void *owner, uint64_t stream, struct bytes text)
{
	struct reconciliation *all = owner;
	struct movement movement;
	char word[WORD_MAX];

	if (stream != 1 || all->broken) {
		all->broken = true;
	} else if (bytes_start_with(text, "next ")) {
		all->broken |=
		        !bytes_copy_text(bytes_slice(text, 5, text.length), word, sizeof(word));
		all->next = strtoll(word, NULL, 10);
	} else if (bytes_equal_text(text, "end")) {
		all->next = 0;
	} else if (read_movement(text, &movement)) {
		look_at(all, &movement);
	} else {
		all->broken = true;
	}
}

static void put_number(struct buffer *arguments, const char *name, int64_t value)
{
	char text[WORD_MAX];

	snprintf(text, sizeof(text), "%" PRId64, value);
	cli_put_argument(arguments, name, text);
}

// `of`: messages, payments.
static bool read_books(struct reconciliation *all, const char *of)
{
	int64_t after = 0;

	do {
		struct buffer arguments cleanup(buffer_done) = { 0 };
		buffer_init(&arguments, CLI_ARGUMENTS_MAX);
		cli_put_argument(&arguments, "of", of);
		put_number(&arguments, "from", all->from_ms - MARGIN_DAYS * day_ms);
		put_number(&arguments, "to", all->to_ms + MARGIN_DAYS * day_ms);
		put_number(&arguments, "after", after);
		all->next = -1; // until core says
		if (cli_command_to(all->call, "books page", buffer_view(&arguments), BYTES_NONE,
		                   on_line, all) != 0)
			return false;
		if (all->broken || all->next < 0 || (all->next && all->next <= after)) {
			cli_fail(0, "core's answer about the books is not understood");
			return false;
		}
		after = all->next;
	} while (after);
	return true;
}

static void on_explanation(void *owner, uint64_t stream, struct bytes text)
{
	(void)owner;
	if (stream == 1)
		printf("    %.*s\n", (int)text.length, (const char *)text.data);
}

// What the file has and the books do not.
static void say_unknown(struct reconciliation *all)
{
	for (size_t i = 0; i < all->file.count; i++) {
		const struct settlement_line *line = &all->file.lines[i];
		const struct settlement_line *before = i ? line - 1 : NULL;
		if (line->seen)
			continue;
		bool twice = before && strcmp(before->rrn, line->rrn) == 0 &&
		             before->kind == line->kind && before->stan == line->stan;
		differs(all, line, NULL,
		        twice ? "it is in the file twice" : "missing in the books");
		if (twice || all->explained++ >= EXPLAINED_MAX)
			continue;
		struct buffer arguments cleanup(buffer_done) = { 0 };
		buffer_init(&arguments, CLI_ARGUMENTS_MAX);
		cli_put_argument(&arguments, "rrn", line->rrn);
		(void)fflush(stdout);
		cli_command_to(all->call, "books find", buffer_view(&arguments), BYTES_NONE,
		               on_explanation, all);
	}
}

// --- totals

static void check_totals(struct reconciliation *all)
{
	for (size_t i = 0; i < all->file.total_count; i++) {
		const struct settlement_total *total = &all->file.totals[i];
		if (!total->said || total->told == total->net)
			continue;
		all->differences++;
		printf("line %u: the total of %s is %" PRId64 ", its lines add up to %" PRId64 "\n",
		       total->number, total->currency, total->told, total->net);
	}
}

static void say_sums(const char *whose, const struct sums *sums)
{
	printf("    %-5s %" PRId64 " captures %" PRId64 ", %" PRId64 " refunds %" PRId64
	       ", net %" PRId64 "\n",
	       whose, sums->captures, sums->captured, sums->refunds, sums->refunded,
	       sums->captured - sums->refunded);
}

static void say_totals(struct reconciliation *all)
{
	for (size_t i = 0; i < all->file.count; i++)
		count(sums_of(all->bank, all->file.lines[i].currency), all->file.lines[i].kind,
		      all->file.lines[i].amount);
	for (size_t i = 0; i < SETTLEMENT_CURRENCIES && all->books[i].currency[0]; i++)
		sums_of(all->bank, all->books[i].currency);
	for (size_t i = 0; i < SETTLEMENT_CURRENCIES && all->bank[i].currency[0]; i++) {
		printf("%s\n", all->bank[i].currency);
		say_sums("bank", &all->bank[i]);
		say_sums("books", sums_of(all->books, all->bank[i].currency));
	}
	if (all->differences == 0)
		printf("equal\n");
	else
		printf("%zu difference%s\n", all->differences, all->differences == 1 ? "" : "s");
}

// --- the verb

static bool read_days(struct reconciliation *all)
{
	const char *from = cli_option(all->call, "from");
	const char *to = cli_option(all->call, "to");
	int64_t first = all->file.first_day;
	int64_t last = all->file.last_day;

	if ((from && !settlement_day(from, &first)) || (to && !settlement_day(to, &last))) {
		cli_fail(0, "a day should be YYYY-MM-DD");
		return false;
	}
	if (all->file.count == 0 && !(from && to)) {
		cli_fail(0, "the file has no movements: say its days with --from and --to");
		return false;
	}
	if (first > last) {
		cli_fail(0, "--from should not be after --to");
		return false;
	}
	all->from_ms = first * day_ms;
	all->to_ms = (last + 1) * day_ms;
	return true;
}

static bool read_file(struct reconciliation *all)
{
	char wanted[SETTLEMENT_WANTED];
	FILE *file = fopen(all->call->name, "re");

	if (!file) {
		cli_fail(0, "%s cannot be opened: %m", all->call->name);
		return false;
	}
	struct result result = settlement_read(file, &all->file, wanted);
	(void)fclose(file);
	if (!result_ok(result))
		cli_fail(0, "%s: %s", all->call->name, wanted);
	return result_ok(result);
}

static int reconcile(struct reconciliation *all)
{
	if (!read_file(all) || !read_days(all))
		return CLI_USAGE;
	if (!read_books(all, "messages") || !read_books(all, "payments"))
		return CLI_USAGE; // nothing was compared: neither equal nor different
	say_unknown(all);
	check_totals(all);
	say_totals(all);
	return all->differences ? CLI_FAILED : 0;
}

int cli_reconcile(struct cli_call *call)
{
	struct reconciliation *all = calloc(1, sizeof(*all));

	if (!all)
		return cli_fail(CLI_USAGE, "no memory");
	all->call = call;
	int status = reconcile(all);
	settlement_done(&all->file);
	free(all);
	return status;
}
