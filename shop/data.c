// The shop's SQLite file: opened, its tables made, its statements prepared once and run by number.
#include "data_rows.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>

static const char schema[] =
        "CREATE TABLE IF NOT EXISTS account ("
        " id INTEGER PRIMARY KEY, public TEXT NOT NULL UNIQUE, phone TEXT NOT NULL UNIQUE,"
        " name TEXT NOT NULL DEFAULT '', language TEXT NOT NULL,"
        " customer TEXT NOT NULL DEFAULT '', created INTEGER NOT NULL) STRICT;"
        "CREATE TABLE IF NOT EXISTS session ("
        " token BLOB PRIMARY KEY, account INTEGER NOT NULL REFERENCES account (id),"
        " created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS challenge ("
        " id BLOB PRIMARY KEY, phone TEXT NOT NULL, key BLOB NOT NULL, code BLOB NOT NULL,"
        " created INTEGER NOT NULL, expires INTEGER NOT NULL,"
        " tries INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0)"
        " STRICT, WITHOUT ROWID;"
        "CREATE INDEX IF NOT EXISTS challenge_phone ON challenge (phone, created);"
        "CREATE TABLE IF NOT EXISTS orders ("
        " id TEXT NOT NULL UNIQUE, account INTEGER NOT NULL REFERENCES account (id),"
        " page_key TEXT NOT NULL, items TEXT NOT NULL, amount INTEGER NOT NULL,"
        " created INTEGER NOT NULL, paid INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL,"
        " attempt INTEGER NOT NULL, card TEXT NOT NULL, brand TEXT NOT NULL,"
        " last4 TEXT NOT NULL, intent TEXT NOT NULL DEFAULT '',"
        " action TEXT NOT NULL DEFAULT '', error TEXT NOT NULL DEFAULT '',"
        " UNIQUE (account, page_key)) STRICT;"
        "CREATE INDEX IF NOT EXISTS orders_account ON orders (account, created);"
        "CREATE TABLE IF NOT EXISTS link ("
        " session TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account (id),"
        " next TEXT NOT NULL, created INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

#define ACCOUNT_COLUMNS "id, public, phone, name, language, customer, created"
#define ACCOUNT_COLUMNS_OF_A "a.id, a.public, a.phone, a.name, a.language, a.customer, a.created"
#define ORDER_COLUMNS                                                                              \
	"id, account, page_key, items, amount, created, paid, state, attempt, card, brand, "       \
	"last4, intent, action, error"

static const char *const texts[STATEMENTS] = {
#define STATEMENT(name, sql) [name] = (sql),
#include "statements.def"
#undef STATEMENT
};

struct result shop_data_open(const char *folder, struct shop_data **ret_data)
{
	char path[512];
	struct shop_data *data = calloc(1, sizeof *data);

	if (!data)
		return FAIL(ERROR_MEMORY, "no memory for the data");
	int length = snprintf(path, sizeof path, "%s/shop.db", folder);
	if (length < 0 || (size_t)length >= sizeof path ||
	    sqlite3_open_v2(path, &data->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
	            SQLITE_OK) {
		shop_data_close(data);
		return FAIL(ERROR_SYSTEM, "cannot open the shop's data file");
	}
	sqlite3_busy_timeout(data->db, 2000);
	if (sqlite3_exec(data->db,
	                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	                 "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;",
	                 NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(data->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
		shop_data_close(data);
		return FAIL(ERROR_SYSTEM, "cannot set up the shop's data file");
	}
	for (size_t i = 0; i < STATEMENTS; i++)
		CHECK(sqlite3_prepare_v3(data->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
		                         &data->statements[i], NULL) == SQLITE_OK);
	*ret_data = data;
	return RESULT_OK;
}

void shop_data_close(struct shop_data *data)
{
	if (!data)
		return;
	for (size_t i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(data->statements[i]);
	sqlite3_close(data->db);
	free(data);
}

sqlite3_stmt *shop_data_start(struct shop_data *data, enum statement number)
{
	sqlite3_stmt *statement = data->statements[number];

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return statement;
}

struct result shop_data_run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	if (code == SQLITE_CONSTRAINT)
		return FAIL(ERROR_STATE, "already there");
	return code == SQLITE_DONE ? RESULT_OK : FAIL(ERROR_SYSTEM, "the data file refuses");
}

struct result shop_data_row(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	if (code == SQLITE_ROW)
		return RESULT_OK;
	sqlite3_reset(statement);
	return code == SQLITE_DONE ? FAIL(ERROR_NOT_FOUND, "no such row")
	                           : FAIL(ERROR_SYSTEM, "the data file refuses");
}

void shop_bind_text(sqlite3_stmt *statement, int at, struct bytes text)
{
	CHECK(sqlite3_bind_text(statement, at, text.length ? (const char *)text.data : "",
	                        (int)text.length, SQLITE_TRANSIENT) == SQLITE_OK);
}

void shop_bind_hash(sqlite3_stmt *statement, int at, const uint8_t hash[SHOP_HASH])
{
	CHECK(sqlite3_bind_blob(statement, at, hash, SHOP_HASH, SQLITE_TRANSIENT) == SQLITE_OK);
}

void shop_bind_number(sqlite3_stmt *statement, int at, int64_t number)
{
	CHECK(sqlite3_bind_int64(statement, at, number) == SQLITE_OK);
}

void shop_column_text(sqlite3_stmt *statement, int at, char *ret_text, size_t capacity)
{
	struct bytes text = bytes_from(sqlite3_column_text(statement, at),
	                               (size_t)sqlite3_column_bytes(statement, at));

	CHECK(bytes_copy_text(text, ret_text, capacity));
}

void shop_column_hash(sqlite3_stmt *statement, int at, uint8_t ret_hash[SHOP_HASH])
{
	CHECK(sqlite3_column_bytes(statement, at) == SHOP_HASH);
	memcpy(ret_hash, sqlite3_column_blob(statement, at), SHOP_HASH);
}

struct result shop_data_begin(struct shop_data *data)
{
	return shop_data_run(shop_data_start(data, BEGIN));
}

struct result shop_data_commit(struct shop_data *data)
{
	return shop_data_run(shop_data_start(data, COMMIT));
}

void shop_data_rollback(struct shop_data *data)
{
	struct result result = shop_data_run(shop_data_start(data, ROLLBACK));

	// SQLite may have rolled back by itself; then there is nothing left to do.
	(void)result;
}

struct result shop_data_tidy(struct shop_data *data, int64_t now)
{
	sqlite3_stmt *statement = shop_data_start(data, TIDY_CHALLENGES);

	// Codes are kept for two days, since the limit of SMS a day counts them.
	shop_bind_number(statement, 1, now - 2 * 24 * 3600 * 1000LL);
	TRY(shop_data_run(statement));
	statement = shop_data_start(data, TIDY_SESSIONS);
	shop_bind_number(statement, 1, now);
	return shop_data_run(statement);
}
