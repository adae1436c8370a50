// The rules of what must always hold, against the books (the store, read when core is down) and the
// bank's own.
#include "parts.h"

#include "core/flows.h"
#include "disk.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// --- timers, while core runs

static bool has_timer(const struct due *due, int kind, int64_t id, int64_t at_ms)
{
	for (size_t i = 0; i < due->count; i++)
		if (due->entries[i].kind == kind && due->entries[i].id == id &&
		    due->entries[i].at_ms <= at_ms)
			return true;
	return false;
}

// What follows a capture is sent after it, and the capture has a timer.
static bool waits_for_another(struct core *core, const struct advice *advice)
{
	return advice->kind >= ADVICE_RELEASE &&
	       store_one_number(core->store, STORE_ADVICES_BEFORE, 0, STORE_N(advice->attempt),
	                        STORE_N(advice->id)) > 0;
}

void check_timers(void)
{
	if (!host_is_up())
		return;
	struct core *core = host_core;
	const struct due *due = &core->flows->due;
	struct store_query query = store_begin(core->store, STORE_ATTEMPTS_ALIVE, NULL, 0);
	struct attempt attempt;
	struct advice advice;

	while (store_step(&query)) {
		store_read(&query, STORE_ATTEMPTS, &attempt);
		if (!flows_live(core, attempt.id))
			sim_fail("attempt %lld is alive and core does not know",
			         (long long)attempt.id);
		if (!has_timer(due, DUE_ATTEMPT, attempt.id, attempt.deadline_ms))
			sim_fail("attempt %lld is alive and has no timer", (long long)attempt.id);
	}
	query = store_begin(core->store, STORE_ADVICES_OPEN, NULL, 0);
	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		if (!waits_for_another(core, &advice) &&
		    !has_timer(due, DUE_ADVICE, advice.id, advice.due_ms))
			sim_fail("advice %lld is open and has no timer", (long long)advice.id);
	}
}

// --- the books at rest

static sqlite3 *books;

// Every row of a query is given to `row`; the query must give none when `row` is NULL.
static void each(const char *sql, void (*row)(sqlite3_stmt *row, const char *rule),
                 const char *rule)
{
	sqlite3_stmt *statement = NULL;

	if (sqlite3_prepare_v2(books, sql, -1, &statement, NULL) != SQLITE_OK) {
		sim_fail("the checker cannot read the books: %s", sqlite3_errmsg(books));
		return;
	}
	while (sqlite3_step(statement) == SQLITE_ROW && !sim_failed())
		row(statement, rule);
	sqlite3_finalize(statement);
}

static void must_not_be(sqlite3_stmt *row, const char *rule)
{
	sim_fail("%s: row %lld", rule, (long long)sqlite3_column_int64(row, 0));
}

void check_key_of(int64_t connection, int64_t stan, int64_t sent_ms, struct wire_key *ret_key)
{
	time_t seconds = (time_t)(sent_ms / 1000);
	struct tm utc;

	*ret_key = (struct wire_key){ 0 };
	gmtime_r(&seconds, &utc);
	snprintf(ret_key->terminal, sizeof(ret_key->terminal), "%08u",
	         (unsigned)connection % 100000000u);
	snprintf(ret_key->stan, sizeof(ret_key->stan), "%06u", (unsigned)stan % 1000000u);
	strftime(ret_key->sent_at, sizeof(ret_key->sent_at), "%m%d%H%M%S", &utc);
}

static const struct bank_entry *entry_of(int64_t connection, int64_t stan, int64_t sent_ms)
{
	struct wire_key key;

	check_key_of(connection, stan, sent_ms, &key);
	for (size_t i = 0; i < ledger_count(); i++)
		if (memcmp(&ledger_at(i)->request.key, &key, sizeof(key)) == 0)
			return ledger_at(i);
	return NULL;
}

static int64_t settled_in_books;
static int64_t authorizations_in_books;

// An attempt as the books have it, and what the bank has of it.
struct judged {
	int64_t id, amount, captured, refunded;
	enum attempt_state state;
	const struct bank_entry *entry;
};

static void judge_authorization(const struct judged *a)
{
	bool stands = a->entry && a->entry->approved && !a->entry->reversed;
	bool holds = a->state == ATTEMPT_PAID || a->state == ATTEMPT_HELD;

	if (holds && !stands)
		sim_fail("attempt %lld is %s, and the bank has no approval that stands",
		         (long long)a->id, flow_state_name(a->state));
	else if (holds && a->entry->approved_amount != a->amount)
		sim_fail("attempt %lld is about %lld, and the bank approved %lld", (long long)a->id,
		         (long long)a->amount, (long long)a->entry->approved_amount);
	else if (!holds && stands)
		sim_fail("attempt %lld is %s, and at the bank its approval stands",
		         (long long)a->id, flow_state_name(a->state));
}

static void judge_money(const struct judged *a)
{
	static const struct bank_entry none;
	const struct bank_entry *entry = a->entry ? a->entry : &none;
	int64_t left = a->captured ? a->amount - a->captured : 0;

	settled_in_books += a->captured - a->refunded;
	if (entry->captured != a->captured)
		sim_fail("attempt %lld is %s, %lld was to be taken, and the bank took %lld",
		         (long long)a->id, flow_state_name(a->state), (long long)a->captured,
		         (long long)entry->captured);
	if (entry->refunded != a->refunded)
		sim_fail("attempt %lld: %lld was to be given back, and the bank gave back %lld",
		         (long long)a->id, (long long)a->refunded, (long long)entry->refunded);
	if (entry->released != (sim.policy->releases ? left : 0))
		sim_fail("attempt %lld: %lld of %lld was taken, and the bank released %lld",
		         (long long)a->id, (long long)a->captured, (long long)a->amount,
		         (long long)entry->released);
}

// attempt, connection, stan, sent_ms, state, amount, captured, refunded
static void check_attempt(sqlite3_stmt *row, const char *rule)
{
	const struct judged attempt = {
		.id = sqlite3_column_int64(row, 0),
		.entry = entry_of(sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
		                  sqlite3_column_int64(row, 3)),
		.state = (enum attempt_state)sqlite3_column_int(row, 4),
		.amount = sqlite3_column_int64(row, 5),
		.captured = sqlite3_column_int64(row, 6),
		.refunded = sqlite3_column_int64(row, 7),
	};

	(void)rule;
	authorizations_in_books += attempt.entry != NULL;
	judge_authorization(&attempt);
	judge_money(&attempt);
}

// A card that was linked: the last that the bank said of it was yes.
static void check_link(sqlite3_stmt *row, const char *rule)
{
	const struct bank_entry *entry =
	        entry_of(sqlite3_column_int64(row, 1), sqlite3_column_int64(row, 2),
	                 sqlite3_column_int64(row, 3));

	(void)rule;
	if (!entry || !entry->approved || entry->request.operation != OP_VERIFY)
		sim_fail("attempt %lld linked a card, and the bank did not approve it",
		         (long long)sqlite3_column_int64(row, 0));
}

// A card that was linked, or a payment that was made again with the proof: its issuer confirmed it.
static void check_confirmed(sqlite3_stmt *row, const char *rule)
{
	const char *transaction = (const char *)sqlite3_column_text(row, 1);

	(void)rule;
	if (sim.policy->directory && (!transaction || !directory_confirms(transaction)))
		sim_fail("attempt %lld went on, and its issuer did not confirm it",
		         (long long)sqlite3_column_int64(row, 0));
}

static void open_books(void)
{
	sqlite3_open_v2("onfile.db", &books, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	sqlite3_exec(books, "PRAGMA locking_mode = EXCLUSIVE", NULL, NULL, NULL);
}

// name, query: there must be no such row.
static const struct {
	const char *rule, *sql;
} never[] = {
	{ "an attempt is still alive at rest", "SELECT id FROM attempts WHERE deadline_ms != 0" },
	{ "an advice is still open at rest", "SELECT id FROM advices WHERE state IN (0, 1, 3)" },
	{ "an intent has two approvals that stand",
	  "SELECT intent FROM attempts WHERE kind = 2 AND state IN (9, 10) GROUP BY intent "
	  "HAVING count(*) > 1" },
	{ "one order was made into two intents",
	  "SELECT min(id) FROM payment_intents GROUP BY json_extract(details, '$.metadata.order') "
	  "HAVING count(*) > 1" },
	{ "an intent is not as its attempt is",
	  "SELECT i.id FROM payment_intents i LEFT JOIN attempts a ON a.id = i.attempt WHERE "
	  "(i.status = 5) != (coalesce(a.state, 0) = 10) OR (i.status = 4) != "
	  "(coalesce(a.state, 0) = 9)" },
	{ "a customer has one card twice",
	  "SELECT min(id) FROM cards WHERE customer != 0 AND removed_ms = 0 GROUP BY customer, "
	  "fingerprint HAVING count(*) > 1" },
	{ "a card is on file without an attempt that was linked",
	  "SELECT id FROM cards c WHERE state = 1 AND NOT EXISTS (SELECT 1 FROM attempts a WHERE "
	  "a.card = c.id AND a.kind = 1 AND a.state = 7)" },
	{ "a card that was typed for one payment is on file, or paid for two",
	  "SELECT c.id FROM cards c JOIN attempts l ON l.card = c.id AND l.kind = 1 AND l.flags & "
	  "64 "
	  "WHERE (c.state = 1 AND (c.customer != 0 OR c.removed_ms = 0)) OR (SELECT count(DISTINCT "
	  "intent) FROM attempts a WHERE a.card = c.id AND a.kind = 2) > 1" },
	{ "a card was linked for a payment that was not begun with it",
	  "SELECT l.id FROM attempts l WHERE l.kind = 1 AND l.flags & 32 AND l.state = 7 AND "
	  "l.problem "
	  "= 0 AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.intent = l.intent AND a.kind = 2 "
	  "AND "
	  "a.id > l.id AND a.card = l.card)" },
	{ "an event tells of an intent that is not there",
	  "SELECT e.id FROM events e WHERE e.type BETWEEN 20 AND 39 AND e.body IS NULL" },
	{ "an intent succeeded and no event tells of it, or two do",
	  "SELECT i.id FROM payment_intents i WHERE i.status = 5 AND (SELECT count(*) FROM events "
	  "e WHERE e.type = 34 AND json_extract(e.body, '$.data.object.metadata.order') = "
	  "json_extract(i.details, '$.metadata.order')) != 1" },
	{ "an event says that an intent succeeded, and it did not",
	  "SELECT e.id FROM events e WHERE e.type = 34 AND NOT EXISTS (SELECT 1 FROM "
	  "payment_intents i WHERE i.status = 5 AND json_extract(i.details, '$.metadata.order') = "
	  "json_extract(e.body, '$.data.object.metadata.order'))" },
	{ "an attempt gave back what no refund says",
	  "SELECT id FROM attempts a WHERE refunded != (SELECT coalesce(sum(amount), 0) FROM "
	  "refunds r WHERE r.attempt = a.id AND r.status != 2)" },
	{ "a refund is pending at rest, and nobody was called",
	  "SELECT id FROM refunds r WHERE status = 0 AND NOT EXISTS (SELECT 1 FROM advices v WHERE "
	  "v.refund = r.id AND v.state = 3)" },
	{ "a key was claimed and never answered", "SELECT 1 FROM idempotency WHERE reply IS NULL" },
	{ "two payments have one RRN", "SELECT 1 FROM attempts WHERE 0" },
};

static void check_against_bank(void)
{
	int64_t authorizations = 0, settled = 0;

	settled_in_books = authorizations_in_books = 0;
	each("SELECT a.id, a.connection, a.stan, a.sent_ms, a.state, a.amount, a.captured, "
	     "a.refunded FROM attempts a "
	     "WHERE a.kind = 2 AND a.stan != 0",
	     check_attempt, "");
	each("SELECT id, connection, stan, sent_ms FROM attempts WHERE kind = 1 AND state = 7",
	     check_link, "");
	each("SELECT a.id, json_extract(t.facts, '$.transaction') FROM attempts a LEFT JOIN "
	     "authentications t ON t.attempt = a.id WHERE (kind = 1 AND state = 7) OR (kind = 2 "
	     "AND flags & 4)",
	     check_confirmed, "");
	for (size_t i = 0; i < ledger_count(); i++) {
		const struct bank_entry *entry = ledger_at(i);
		authorizations += entry->request.operation == OP_AUTHORIZE;
		settled += entry->captured - entry->refunded;
	}
	if (authorizations != authorizations_in_books)
		sim_fail("%lld authorizations came to the bank, %lld of them are in the books",
		         (long long)authorizations, (long long)authorizations_in_books);
	if (settled != settled_in_books)
		sim_fail("the bank settles %lld, the books say %lld", (long long)settled,
		         (long long)settled_in_books);
}

void check_books(void)
{
	open_books();
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]) && !sim_failed(); i++)
		each(never[i].sql, must_not_be, never[i].rule);
	if (!sim_failed())
		check_against_bank();
	sqlite3_close(books);
}
