// Entries in an array of pointers and in a map by key; accounts in a map by number. The file has
// one event a line, tabs between its parts: E (an entry), C (captured), R (reversed), U (a capture
// undone), B (given back), F (forbidden), A (the answer to an advice or a refund).
#include "ledger.h"

#include "map.h"

#include "base/check.h"
#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define BALANCE_MINOR 1000000000000
#define LIMIT_MINOR 100000000

struct bank_ledger {
	struct map *accounts;  // number -> struct bank_account
	struct map *by_key;    // key -> struct bank_entry
	struct map *forbidden; // key -> itself
	struct map *answers;   // key -> struct bank_answer
	struct bank_entry **entries;
	size_t count, capacity;
	struct bank_movement *movements;
	size_t movement_count, movement_capacity;
	struct bank_totals totals;
	FILE *file;
	char *file_name;
	bool replaying;
};

struct bank_account *ledger_account(struct bank_ledger *ledger, const char *number)
{
	struct bank_account *account = map_get(ledger->accounts, bytes_text(number));

	if (!account) {
		account = malloc(sizeof *account);
		CHECK(account);
		*account = (struct bank_account){ BALANCE_MINOR, 0, LIMIT_MINOR };
		map_set(ledger->accounts, bytes_text(number), account);
	}
	return account;
}

struct bank_entry *ledger_find(const struct bank_ledger *ledger, const char *key)
{
	return map_get(ledger->by_key, bytes_text(key));
}

static bool writes(const struct bank_ledger *ledger)
{
	return ledger->file && !ledger->replaying;
}

static void write_entry(struct bank_ledger *ledger, const struct bank_entry *entry)
{
	if (writes(ledger))
		fprintf(ledger->file,
		        "E\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%" PRId64 "\t%" PRId64 "\n",
		        entry->key, entry->number, entry->currency, entry->rrn, entry->terminal,
		        entry->merchant, entry->code, entry->approval_code, entry->transaction,
		        entry->cvc_result, entry->state, entry->amount_minor, entry->at_ms);
}

static void count_entry(struct bank_ledger *ledger, const struct bank_entry *entry)
{
	switch (entry->state) {
	case BANK_VERIFIED: ledger->totals.verifications++; break;
	case BANK_HELD:
		ledger->totals.approvals++;
		ledger->totals.held_minor += entry->amount_minor;
		break;
	default: ledger->totals.refusals++; break;
	}
}

void ledger_add(struct bank_ledger *ledger, const struct bank_entry *entry)
{
	struct bank_entry *copy = malloc(sizeof *copy);

	CHECK(copy);
	*copy = *entry;
	if (ledger->count == ledger->capacity) {
		ledger->capacity = ledger->capacity ? ledger->capacity * 2 : 1024;
		ledger->entries =
		        realloc(ledger->entries, ledger->capacity * sizeof(struct bank_entry *));
		CHECK(ledger->entries);
	}
	ledger->entries[ledger->count++] = copy;
	CHECK(!map_set(ledger->by_key, bytes_text(copy->key), copy));
	if (copy->state == BANK_HELD) {
		copy->held_minor = copy->amount_minor;
		ledger_account(ledger, copy->number)->held_minor += copy->amount_minor;
	}
	count_entry(ledger, copy);
	write_entry(ledger, copy);
}

static void add_movement(struct bank_ledger *ledger, const struct bank_entry *entry,
                         const struct bank_movement *movement, bool refund)
{
	if (ledger->movement_count == ledger->movement_capacity) {
		ledger->movement_capacity =
		        ledger->movement_capacity ? ledger->movement_capacity * 2 : 1024;
		ledger->movements = realloc(ledger->movements,
		                            ledger->movement_capacity * sizeof *ledger->movements);
		CHECK(ledger->movements);
	}
	struct bank_movement *copy = &ledger->movements[ledger->movement_count++];
	*copy = *movement;
	copy->entry = entry;
	copy->refund = refund;
	if (writes(ledger))
		fprintf(ledger->file, "%c\t%s\t%" PRId64 "\t%s\t%s\t%" PRId64 "\n",
		        refund ? 'B' : 'C', entry->key, copy->amount_minor, copy->stan,
		        copy->approval_code, copy->at_ms);
}

static void release(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	entry->held_minor -= amount_minor;
	ledger->totals.held_minor -= amount_minor;
	ledger_account(ledger, entry->number)->held_minor -= amount_minor;
}

static void write_amount(struct bank_ledger *ledger, char event, const struct bank_entry *entry,
                         int64_t amount_minor)
{
	if (writes(ledger))
		fprintf(ledger->file, "%c\t%s\t%" PRId64 "\n", event, entry->key, amount_minor);
}

static void let_go(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	release(ledger, entry, amount_minor);
	entry->reversed_minor += amount_minor;
	ledger->totals.reversed_minor += amount_minor;
	write_amount(ledger, 'R', entry, amount_minor);
}

void ledger_capture(struct bank_ledger *ledger, struct bank_entry *entry,
                    const struct bank_movement *movement, bool keep_rest)
{
	int64_t amount_minor = movement->amount_minor;

	CHECK(entry->state == BANK_HELD && amount_minor <= entry->held_minor);
	release(ledger, entry, amount_minor);
	ledger_account(ledger, entry->number)->balance_minor -= amount_minor;
	ledger->totals.captured_minor += amount_minor;
	ledger->totals.captures++;
	entry->captured_minor = amount_minor;
	entry->state = BANK_CAPTURED;
	add_movement(ledger, entry, movement, false);
	if (!keep_rest && entry->held_minor > 0)
		let_go(ledger, entry, entry->held_minor);
}

void ledger_reverse(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	CHECK(amount_minor <= entry->held_minor);
	let_go(ledger, entry, amount_minor);
	if (entry->state == BANK_HELD && entry->held_minor == 0) {
		entry->state = BANK_REVERSED;
		ledger->totals.reversals++;
	}
}

void ledger_undo(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	CHECK(entry->state == BANK_CAPTURED && amount_minor <= entry->captured_minor);
	ledger_account(ledger, entry->number)->balance_minor += amount_minor;
	ledger->totals.captured_minor -= amount_minor;
	ledger->totals.reversed_minor += amount_minor;
	entry->captured_minor -= amount_minor;
	entry->reversed_minor += amount_minor;
	for (size_t i = ledger->movement_count; i-- > 0;)
		if (ledger->movements[i].entry == entry && !ledger->movements[i].refund) {
			ledger->movements[i].amount_minor -= amount_minor;
			break;
		}
	if (entry->captured_minor == 0) {
		entry->state = BANK_REVERSED;
		ledger->totals.reversals++;
		ledger->totals.captures--;
	}
	write_amount(ledger, 'U', entry, amount_minor);
}

void ledger_refund(struct bank_ledger *ledger, struct bank_entry *entry,
                   const struct bank_movement *movement)
{
	int64_t amount_minor = movement->amount_minor;

	CHECK(amount_minor <= entry->captured_minor - entry->refunded_minor);
	ledger_account(ledger, entry->number)->balance_minor += amount_minor;
	ledger->totals.refunded_minor += amount_minor;
	ledger->totals.refunds++;
	entry->refunded_minor += amount_minor;
	add_movement(ledger, entry, movement, true);
}

void ledger_forbid(struct bank_ledger *ledger, const char *key)
{
	if (ledger_is_forbidden(ledger, key))
		return;
	char *copy = strdup(key);
	CHECK(copy);
	map_set(ledger->forbidden, bytes_text(key), copy);
	ledger->totals.unknown_reversals++;
	if (writes(ledger))
		fprintf(ledger->file, "F\t%s\n", key);
}

bool ledger_is_forbidden(const struct bank_ledger *ledger, const char *key)
{
	return map_get(ledger->forbidden, bytes_text(key)) != NULL;
}

void ledger_note_answer(struct bank_ledger *ledger, const char *key,
                        const struct bank_answer *answer)
{
	struct bank_answer *copy = malloc(sizeof *copy);

	CHECK(copy);
	*copy = *answer;
	free(map_set(ledger->answers, bytes_text(key), copy));
	if (writes(ledger))
		fprintf(ledger->file, "A\t%s\t%s\t%s\n", key, answer->code, answer->approval_code);
}

const struct bank_answer *ledger_answer(const struct bank_ledger *ledger, const char *key)
{
	return map_get(ledger->answers, bytes_text(key));
}

size_t ledger_count(const struct bank_ledger *ledger)
{
	return ledger->count;
}

const struct bank_entry *ledger_at(const struct bank_ledger *ledger, size_t index)
{
	return index < ledger->count ? ledger->entries[index] : NULL;
}

const struct bank_movement *ledger_movement(const struct bank_ledger *ledger, size_t index)
{
	return index < ledger->movement_count ? &ledger->movements[index] : NULL;
}

const char *ledger_file(const struct bank_ledger *ledger)
{
	return ledger->file_name;
}

struct bank_totals ledger_totals(const struct bank_ledger *ledger)
{
	return ledger->totals;
}

void ledger_flush(struct bank_ledger *ledger)
{
	if (ledger->file)
		fflush(ledger->file);
}

// Splits a line at its tabs, in place; returns how many parts there are.
static size_t split(char *line, char **parts, size_t max)
{
	size_t count = 0;
	char *part;

	line[strcspn(line, "\n")] = 0;
	while ((part = strsep(&line, "\t")) && count < max)
		parts[count++] = part;
	return count;
}

static bool copy(const char *from, char *to, size_t capacity)
{
	return bytes_copy_text(bytes_text(from), to, capacity);
}

static bool replay_entry(struct bank_ledger *ledger, char **parts)
{
	struct bank_entry entry = {
		.cvc_result = (char)strtol(parts[10], NULL, 10),
		.state = (enum bank_entry_state)strtol(parts[11], NULL, 10),
		.amount_minor = strtoll(parts[12], NULL, 10),
		.at_ms = strtoll(parts[13], NULL, 10),
	};
	bool good = copy(parts[1], entry.key, sizeof entry.key) &&
	            copy(parts[2], entry.number, sizeof entry.number) &&
	            copy(parts[3], entry.currency, sizeof entry.currency) &&
	            copy(parts[4], entry.rrn, sizeof entry.rrn) &&
	            copy(parts[5], entry.terminal, sizeof entry.terminal) &&
	            copy(parts[6], entry.merchant, sizeof entry.merchant) &&
	            copy(parts[7], entry.code, sizeof entry.code) &&
	            copy(parts[8], entry.approval_code, sizeof entry.approval_code) &&
	            copy(parts[9], entry.transaction, sizeof entry.transaction);

	if (good && !ledger_find(ledger, entry.key))
		ledger_add(ledger, &entry);
	return good;
}

static bool replay_movement(struct bank_ledger *ledger, char **parts)
{
	struct bank_entry *entry = ledger_find(ledger, parts[1]);
	struct bank_movement movement = { .amount_minor = strtoll(parts[2], NULL, 10),
		                          .at_ms = strtoll(parts[5], NULL, 10) };
	bool capture = parts[0][0] == 'C';

	if (!entry || !copy(parts[3], movement.stan, sizeof movement.stan) ||
	    !copy(parts[4], movement.approval_code, sizeof movement.approval_code))
		return false;
	if (capture && entry->state == BANK_HELD && movement.amount_minor <= entry->held_minor)
		ledger_capture(ledger, entry, &movement, true); // what was let go has its own line
	else if (!capture && movement.amount_minor <= entry->captured_minor - entry->refunded_minor)
		ledger_refund(ledger, entry, &movement);
	else
		return false;
	return true;
}

static bool replay_change(struct bank_ledger *ledger, char **parts)
{
	struct bank_entry *entry = ledger_find(ledger, parts[1]);
	int64_t amount_minor = strtoll(parts[2], NULL, 10);

	if (!entry)
		return false;
	if (parts[0][0] == 'R' && amount_minor <= entry->held_minor)
		ledger_reverse(ledger, entry, amount_minor);
	else if (parts[0][0] == 'U' && amount_minor <= entry->captured_minor)
		ledger_undo(ledger, entry, amount_minor);
	else
		return false;
	return true;
}

static bool replay_forbidden(struct bank_ledger *ledger, char **parts)
{
	ledger_forbid(ledger, parts[1]);
	return true;
}

static bool replay_answer(struct bank_ledger *ledger, char **parts)
{
	struct bank_answer answer = { 0 };
	bool good = copy(parts[2], answer.code, sizeof answer.code) &&
	            copy(parts[3], answer.approval_code, sizeof answer.approval_code);

	if (good)
		ledger_note_answer(ledger, parts[1], &answer);
	return good;
}

static bool replay_line(struct bank_ledger *ledger, char *line)
{
	static const struct {
		char event;
		size_t parts;
		bool (*replay)(struct bank_ledger *ledger, char **parts);
	} events[] = {
		{ 'E', 14, replay_entry },   { 'C', 6, replay_movement },
		{ 'B', 6, replay_movement }, { 'R', 3, replay_change },
		{ 'U', 3, replay_change },   { 'F', 2, replay_forbidden },
		{ 'A', 4, replay_answer },
	};
	char *parts[14] = { NULL };
	size_t count = split(line, parts, 14);

	for (size_t i = 0; i < sizeof events / sizeof events[0]; i++)
		if (parts[0][0] == events[i].event && !parts[0][1] && count == events[i].parts)
			return events[i].replay(ledger, parts);
	return false;
}

// A last line without its end is what a crash left behind; everything else has to be right.
static struct result replay(struct bank_ledger *ledger)
{
	cleanup(cleanup_free) char *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	long whole = 0;

	rewind(ledger->file);
	while ((length = getline(&line, &capacity, ledger->file)) > 0) {
		if (line[length - 1] != '\n')
			break;
		whole += length;
		if (!replay_line(ledger, line))
			return FAIL(ERROR_INPUT, "the ledger's file has a line that is none");
	}
	if (ftruncate(fileno(ledger->file), whole) != 0 || fseek(ledger->file, 0, SEEK_END) != 0)
		return FAIL(ERROR_SYSTEM, "the ledger's file cannot be written");
	return RESULT_OK;
}

struct result ledger_new(const char *file, struct bank_ledger **ret_ledger)
{
	struct bank_ledger *ledger = calloc(1, sizeof *ledger);
	struct result result = RESULT_OK;

	CHECK(ledger);
	ledger->accounts = map_new();
	ledger->by_key = map_new();
	ledger->forbidden = map_new();
	ledger->answers = map_new();
	if (file) {
		ledger->file_name = strdup(file);
		ledger->file = fopen(file, "a+e");
		if (ledger->file) {
			ledger->replaying = true;
			result = replay(ledger);
			ledger->replaying = false;
		} else {
			result = FAIL(ERROR_SYSTEM, "the ledger's file cannot be opened");
		}
	}
	if (!result_ok(result)) {
		ledger_free(ledger);
		return result;
	}
	*ret_ledger = ledger;
	return RESULT_OK;
}

void ledger_free(struct bank_ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->file)
		fclose(ledger->file);
	map_free(ledger->accounts, free);
	map_free(ledger->by_key, NULL);
	map_free(ledger->forbidden, free);
	map_free(ledger->answers, free);
	for (size_t i = 0; i < ledger->count; i++)
		free(ledger->entries[i]);
	free(ledger->entries);
	free(ledger->movements);
	free(ledger->file_name);
	free(ledger);
}
