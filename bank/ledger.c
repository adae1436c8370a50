// Entries in an array of pointers and in a map by key; accounts in a map by number. The file has
// one event a line, tabs between its parts: E (an entry), C (captured), R (reversed), F
// (forbidden), A (the answer to an advice).
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
	struct map *answers;   // key -> code
	struct bank_entry **entries;
	size_t count, capacity;
	struct bank_totals totals;
	FILE *file;
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
	if (copy->state == BANK_HELD)
		ledger_account(ledger, copy->number)->held_minor += copy->amount_minor;
	count_entry(ledger, copy);
	write_entry(ledger, copy);
}

static int64_t still_held(const struct bank_entry *entry)
{
	return entry->amount_minor - entry->captured_minor - entry->reversed_minor;
}

void ledger_capture(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	struct bank_account *account = ledger_account(ledger, entry->number);
	int64_t held_minor = still_held(entry);

	CHECK(entry->state == BANK_HELD && amount_minor <= held_minor);
	account->held_minor -= held_minor;
	account->balance_minor -= amount_minor;
	ledger->totals.held_minor -= held_minor;
	ledger->totals.captured_minor += amount_minor;
	ledger->totals.captures++;
	entry->captured_minor = amount_minor;
	entry->state = BANK_CAPTURED;
	if (writes(ledger))
		fprintf(ledger->file, "C\t%s\t%" PRId64 "\n", entry->key, amount_minor);
}

void ledger_reverse(struct bank_ledger *ledger, struct bank_entry *entry, int64_t amount_minor)
{
	CHECK(entry->state == BANK_HELD && amount_minor <= still_held(entry));
	ledger_account(ledger, entry->number)->held_minor -= amount_minor;
	ledger->totals.held_minor -= amount_minor;
	ledger->totals.reversed_minor += amount_minor;
	entry->reversed_minor += amount_minor;
	if (still_held(entry) == 0) {
		entry->state = BANK_REVERSED;
		ledger->totals.reversals++;
	}
	if (writes(ledger))
		fprintf(ledger->file, "R\t%s\t%" PRId64 "\n", entry->key, amount_minor);
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

void ledger_note_answer(struct bank_ledger *ledger, const char *key, const char *code)
{
	char *copy = strdup(code);

	CHECK(copy);
	free(map_set(ledger->answers, bytes_text(key), copy));
	if (writes(ledger))
		fprintf(ledger->file, "A\t%s\t%s\n", key, code);
}

const char *ledger_answer(const struct bank_ledger *ledger, const char *key)
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

static bool replay_change(struct bank_ledger *ledger, char **parts)
{
	struct bank_entry *entry = ledger_find(ledger, parts[1]);
	int64_t amount_minor = strtoll(parts[2], NULL, 10);

	if (!entry || entry->state != BANK_HELD || amount_minor > still_held(entry))
		return false;
	if (parts[0][0] == 'C')
		ledger_capture(ledger, entry, amount_minor);
	else
		ledger_reverse(ledger, entry, amount_minor);
	return true;
}

static bool replay_line(struct bank_ledger *ledger, char *line)
{
	char *parts[14] = { NULL };
	size_t count = split(line, parts, 14);

	if (count == 14 && strcmp(parts[0], "E") == 0)
		return replay_entry(ledger, parts);
	if (count == 3 && (strcmp(parts[0], "C") == 0 || strcmp(parts[0], "R") == 0))
		return replay_change(ledger, parts);
	if (count == 2 && strcmp(parts[0], "F") == 0) {
		ledger_forbid(ledger, parts[1]);
		return true;
	}
	if (count == 3 && strcmp(parts[0], "A") == 0) {
		ledger_note_answer(ledger, parts[1], parts[2]);
		return true;
	}
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
	free(ledger);
}
