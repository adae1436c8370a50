// No statement may get slower with what is stored: each is asked how it will look its rows up, and
// none may walk a table that grows. A partial index counts only when the statement repeats its
// condition, which is easily forgotten and seen by nobody until there are a million rows.
#include "store/store.h"

#include "base/tap.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
	const char *name, *sql;
} statements[] = {
#define STATEMENT(name, sql) { #name, sql },
#include "store/statements.def"
#undef STATEMENT
};

// Tables with a row for each customer, card, payment, event, …
static const char *const growing[] = { "customers",         "cards",      "setup_intents",
	                               "payment_intents",   "attempts",   "steps",
	                               "advices",           "sessions",   "events",
	                               "idempotency",       "trials",     "codes",
	                               "refunds",           "deliveries", "used_cards",

	                               "customer_sessions", "portals" };

// Those that walk the newest rows only (LIMIT).
static const char *const allowed[] = { "TRIALS_LAST", "LAST_STAN" };

static bool is_allowed(const char *name)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i], name) == 0)
			return true;
	return false;
}

// Indexes that hold only the rows that wait for something: to walk one is to walk few.
static const char *const waiting[] = { "attempts_alive", "advices_open",   "advices_for_people",
	                               "cards_leaving",  "deliveries_due", "deliveries_in_order" };

// By an index of those that wait.
static bool walks_few(const char *line)
{
	const char *index = strstr(line, "INDEX ");

	for (size_t i = 0; index && i < sizeof(waiting) / sizeof(waiting[0]); i++) {
		size_t length = strlen(waiting[i]);
		if (strncmp(index + 6, waiting[i], length) == 0 &&
		    (index[6 + length] == '\0' || index[6 + length] == ' '))
			return true;
	}
	return false;
}

// A line of the plan that walks a whole growing table, or a whole index of one: "SCAN cards".
static bool walks(const char *line)
{
	char scan[64];

	for (size_t i = 0; i < sizeof(growing) / sizeof(growing[0]); i++) {
		int length = snprintf(scan, sizeof(scan), "SCAN %s", growing[i]);
		if (strncmp(line, scan, (size_t)length) == 0 &&
		    (line[length] == '\0' || line[length] == ' '))
			return !walks_few(line);
	}
	return false;
}

static bool explain(sqlite3 *database, const char *sql, char *ret_line, size_t capacity)
{
	char text[4096];
	sqlite3_stmt *plan = NULL;
	bool bad = false;

	snprintf(text, sizeof(text), "EXPLAIN QUERY PLAN %s", sql);
	if (sqlite3_prepare_v2(database, text, -1, &plan, NULL) != SQLITE_OK)
		return true;
	while (!bad && sqlite3_step(plan) == SQLITE_ROW) {
		snprintf(ret_line, capacity, "%s", (const char *)sqlite3_column_text(plan, 3));
		bad = walks(ret_line);
	}
	sqlite3_finalize(plan);
	return bad;
}

TEST(no_statement_walks_a_table_that_grows)
{
	char path[] = "/tmp/onfile-plans-XXXXXX", line[256];
	sqlite3 *database = NULL;
	struct store *store = NULL;
	int fd = mkstemp(path);

	REQUIRE(fd >= 0 && close(fd) == 0 && result_ok(store_open(path, &store)));
	store_close(store);
	REQUIRE(sqlite3_open(path, &database) == SQLITE_OK);
	for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++) {
		bool bad = !is_allowed(statements[i].name) &&
		           explain(database, statements[i].sql, line, sizeof(line));
		EXPECT(!bad);
		if (bad)
			printf("# %s: %s\n", statements[i].name, line);
	}
	// The test would see one.
	EXPECT(explain(database, "SELECT id FROM cards WHERE customer = ? AND removed_ms = 0", line,
	               sizeof(line)));
	EXPECT(explain(database,
	               "SELECT count(*) FROM cards WHERE merchant = ? AND customer != 0 AND "
	               "removed_ms = 0",
	               line, sizeof(line)));
	sqlite3_close(database);
	unlink(path);
}

TAP_MAIN
