// The store on SQLite: one file, WAL. A commit appends to the log and leaves the fsync to
// store_sync() (synchronous=NORMAL: SQLite itself fsyncs only a log that begins anew); see log.h.
#include "store/store.h"

#include "base/buffer.h"
#include "base/check.h"
#include "store/cache.h"
#include "store/log.h"
#include "store/phrases.h"
#include "store/rows.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

enum row_statement { ROW_INSERT, ROW_UPDATE, ROW_FIND, ROW_LOAD, ROW_STATEMENTS };

struct store {
	sqlite3 *database;
	sqlite3_stmt *statements[STORE_STATEMENTS];
	sqlite3_stmt *rows[STORE_TABLES][ROW_STATEMENTS];
	sqlite3_stmt *begin, *commit;
	struct store_cache *cache;
	struct store_phrases *phrases;
	struct store_log log;
	bool open; // a transaction: the reads and writes of a turn
	bool dirty;
	bool failed;
	char error[256];
};

static const char *const statement_texts[STORE_STATEMENTS] = {
#define STATEMENT(name, sql) [STORE_##name] = sql,
#include "store/statements.def"
#undef STATEMENT
};

static const char schema[] = {
#include "store_schema.h"
	, '\0'
};

enum { SCHEMA_VERSION = 1, PACKED_MAX = 4 * 1024 * 1024, BUSY_MS = 5000 };

static void note_failure(struct store *store)
{
	if (!store->failed)
		snprintf(store->error, sizeof(store->error), "%s", sqlite3_errmsg(store->database));
	store->failed = true;
}

static sqlite3_stmt *prepare(struct store *store, sqlite3_stmt **place, const char *sql)
{
	if (!*place && sqlite3_prepare_v3(store->database, sql, -1, SQLITE_PREPARE_PERSISTENT,
	                                  place, NULL) != SQLITE_OK)
		note_failure(store);
	return *place;
}

// The text of a row statement: INSERT INTO t (a, b) VALUES (?1, ?2), UPDATE t SET b = ?2 WHERE id =
// ?1, …
static void row_sql(struct buffer *sql, const struct store_table_row *table,
                    enum row_statement which)
{
	const char *separator = "";

	if (which == ROW_FIND || which == ROW_LOAD) {
		buffer_printf(sql, "SELECT * FROM %s WHERE id = ?1%s", table->name,
		              which == ROW_FIND ? " AND merchant = ?2" : "");
		return;
	}
	if (which == ROW_INSERT) {
		buffer_printf(sql, "INSERT INTO %s VALUES (", table->name);
		for (int i = 0; i < table->count; i++)
			buffer_printf(sql, "%s?%d", i ? ", " : "", i + 1);
		buffer_put_text(sql, ")");
		return;
	}
	buffer_printf(sql, "UPDATE %s SET ", table->name);
	for (int i = 1; i < table->count; i++) {
		if (table->columns[i].kept)
			continue;
		buffer_printf(sql, "%s%s = ?%d", separator, table->columns[i].name, i + 1);
		separator = ", ";
	}
	buffer_put_text(sql, " WHERE id = ?1");
}

static sqlite3_stmt *row_statement(struct store *store, enum store_table table,
                                   enum row_statement which)
{
	sqlite3_stmt **place = &store->rows[table][which];

	if (*place || store->failed)
		return *place;
	struct buffer sql;
	buffer_init(&sql, 4096);
	row_sql(&sql, &store_tables[table], which);
	prepare(store, place, buffer_text(&sql));
	buffer_done(&sql);
	return *place;
}

static bool execute_text(struct store *store, const char *sql)
{
	if (!store->failed && sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		note_failure(store);
	return !store->failed;
}

static int64_t text_number(struct store *store, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	int64_t number = -1;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		number = sqlite3_column_int64(statement, 0);
	else
		note_failure(store);
	sqlite3_finalize(statement);
	return number;
}

// The tables of the file must be those of rows.c, column by column.
static struct result check_tables(struct store *store)
{
	for (int t = 0; t < STORE_TABLES; t++) {
		const struct store_table_row *table = &store_tables[t];
		sqlite3_stmt *statement = row_statement(store, (enum store_table)t, ROW_LOAD);
		if (!statement || sqlite3_column_count(statement) != table->count)
			return FAIL(ERROR_STATE,
			            "a table of the store is not as this version knows it");
		for (int c = 0; c < table->count; c++)
			if (strcmp(sqlite3_column_name(statement, c), table->columns[c].name) != 0)
				return FAIL(ERROR_STATE, "a column of the store is not where this "
				                         "version expects it");
	}
	return RESULT_OK;
}

// Called for every row that any statement changes.
static void on_change(void *owner, int operation, const char *database, const char *table,
                      sqlite3_int64 id)
{
	struct store *store = owner;

	(void)operation;
	(void)database;
	for (int t = 0; t < STORE_TABLES; t++)
		if (strcmp(store_tables[t].name, table) == 0)
			store_cache_drop(store->cache, (enum store_table)t, id);
}

static struct result open_database(struct store *store, const char *path)
{
	TRY(store_log_durable(path));
	if (sqlite3_open_v2(path, &store->database,
	                    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                    NULL) != SQLITE_OK) {
		note_failure(store);
		return FAIL(ERROR_SYSTEM, "the store's file cannot be opened");
	}
	sqlite3_extended_result_codes(store->database, 1);
	sqlite3_busy_timeout(store->database, BUSY_MS);
	sqlite3_update_hook(store->database, on_change, store);
	execute_text(store, "PRAGMA journal_mode = WAL;"
	                    "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON;"
	                    "PRAGMA foreign_keys = OFF; PRAGMA cache_size = -16000;"
	                    "PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 0;"
	                    "PRAGMA cache_spill = OFF;");
	int64_t version = text_number(store, "PRAGMA user_version");
	if (version > SCHEMA_VERSION)
		return FAIL(ERROR_STATE, "the store was written by a newer version of onfile");
	if (version == 0) {
		execute_text(store, "BEGIN");
		execute_text(store, schema);
		execute_text(store, "PRAGMA user_version = 1; COMMIT;");
	}
	TRY(store_result(store));
	TRY(store_log_open(&store->log, store->database, path));
	return check_tables(store);
}

struct result store_open(const char *path, struct store **ret_store)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return FAIL(ERROR_MEMORY, "no memory for the store");
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); // it takes a lock at each allocation
	store->cache = store_cache_new();
	store->phrases = store_phrases_new();
	struct result result = store->phrases ? open_database(store, path)
	                                      : FAIL(ERROR_MEMORY, "no memory for the store");
	if (!result_ok(result)) {
		store_close(store);
		return result;
	}
	*ret_store = store;
	return RESULT_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STORE_STATEMENTS; i++)
		sqlite3_finalize(store->statements[i]);
	for (int t = 0; t < STORE_TABLES; t++)
		for (int i = 0; i < ROW_STATEMENTS; i++)
			sqlite3_finalize(store->rows[t][i]);
	sqlite3_finalize(store->begin);
	sqlite3_finalize(store->commit);
	store_log_close(&store->log);
	sqlite3_close(store->database);
	store_cache_free(store->cache);
	store_phrases_free(store->phrases);
	free(store);
}

bool store_is_dirty(const struct store *store)
{
	return store->dirty;
}

struct result store_result(const struct store *store)
{
	return store->failed ? FAIL(ERROR_SYSTEM, "the store failed") : RESULT_OK;
}

const char *store_error_text(const struct store *store)
{
	return store->error;
}

// A statement without values, prepared once: BEGIN and COMMIT of every turn.
static bool run_prepared(struct store *store, sqlite3_stmt **place, const char *sql)
{
	sqlite3_stmt *statement = prepare(store, place, sql);

	if (statement && sqlite3_step(statement) != SQLITE_DONE)
		note_failure(store);
	sqlite3_reset(statement);
	return !store->failed;
}

// Everything between two commits is one transaction, what is read too: SQLite locks and looks for
// what others wrote once a turn and not once a statement. IMMEDIATE: the thread that copies the log
// can have the lock of writers for an instant; that is waited for here, and nowhere else.
static bool begin(struct store *store)
{
	if (!store->open && !store->failed)
		store->open = run_prepared(store, &store->begin, "BEGIN IMMEDIATE");
	return !store->failed;
}

static bool begin_change(struct store *store)
{
	store->dirty |= begin(store);
	return !store->failed;
}

struct result store_commit(struct store *store)
{
	if (store->open && !store->failed)
		run_prepared(store, &store->commit, "COMMIT");
	store->open = store->dirty = false;
	return store_result(store);
}

struct result store_sync(const struct store *store)
{
	return store_log_sync(&store->log);
}

bool store_wants_copy(const struct store *store)
{
	return store_log_wants_copy(&store->log);
}

struct result store_begin_copy(struct store *store)
{
	return store_log_begin_copy(&store->log);
}

struct result store_copy(struct store *store)
{
	return store_log_copy(&store->log);
}

struct result store_end_copy(struct store *store)
{
	return store_log_end_copy(&store->log);
}

bool store_wants_rest_copied(const struct store *store)
{
	return !store->open && store_log_wants_rest_copied(&store->log);
}

struct result store_copy_rest(struct store *store)
{
	CHECK(!store->open);
	return store_log_copy_rest(&store->log);
}

static int bind_packed(const struct store *store, sqlite3_stmt *statement, int place,
                       struct bytes text)
{
	struct buffer packed;

	buffer_init(&packed, PACKED_MAX);
	store_pack(store->phrases, text, &packed);
	int bound = packed.failed
	                    ? SQLITE_TOOBIG
	                    : sqlite3_bind_blob(statement, place,
	                                        packed.data ? packed.data : (const uint8_t *)"",
	                                        (int)packed.length, SQLITE_TRANSIENT);
	buffer_done(&packed);
	return bound;
}

// `kept`: SQLITE_STATIC when the value stays until the statement's bindings are cleared.
static void bind(struct store *store, sqlite3_stmt *statement, int place,
                 const struct store_value *value, sqlite3_destructor_type kept)
{
	const void *data = value->bytes.data ? (const void *)value->bytes.data : "";
	int length = (int)value->bytes.length;
	int bound = SQLITE_OK;

	switch (value->kind) {
	case STORE_NUMBER: bound = sqlite3_bind_int64(statement, place, value->number); break;
	case STORE_TEXT: bound = sqlite3_bind_text(statement, place, data, length, kept); break;
	case STORE_BYTES: bound = sqlite3_bind_blob(statement, place, data, length, kept); break;
	case STORE_PACKED: bound = bind_packed(store, statement, place, value->bytes); break;
	case STORE_NULL: bound = sqlite3_bind_null(statement, place); break;
	}
	if (bound != SQLITE_OK)
		note_failure(store);
}

static sqlite3_stmt *bound_statement(struct store *store, enum store_statement which,
                                     const struct store_value *values, size_t count,
                                     sqlite3_destructor_type kept)
{
	sqlite3_stmt *statement = prepare(store, &store->statements[which], statement_texts[which]);

	if (!statement || !begin(store))
		return NULL;
	CHECK((size_t)sqlite3_bind_parameter_count(statement) == count);
	for (size_t i = 0; i < count; i++)
		bind(store, statement, (int)i + 1, &values[i], kept);
	return statement;
}

bool store_prepares(struct store *store, enum store_statement which)
{
	return prepare(store, &store->statements[which], statement_texts[which]) != NULL;
}

static int finish_change(struct store *store, sqlite3_stmt *statement)
{
	int stepped = sqlite3_step(statement);

	if (stepped != SQLITE_DONE && stepped != SQLITE_ROW)
		note_failure(store);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return store->failed ? 0 : sqlite3_changes(store->database);
}

int store_execute(struct store *store, enum store_statement which, const struct store_value *values,
                  size_t count)
{
	if (!begin_change(store))
		return 0;
	sqlite3_stmt *statement = bound_statement(store, which, values, count, SQLITE_STATIC);
	return statement ? finish_change(store, statement) : 0;
}

struct store_query store_begin(struct store *store, enum store_statement which,
                               const struct store_value *values, size_t count)
{
	return (struct store_query){ store, bound_statement(store, which, values, count,
		                                            SQLITE_TRANSIENT) };
}

bool store_step(struct store_query *query)
{
	if (!query->statement)
		return false;
	int stepped = sqlite3_step(query->statement);
	if (stepped == SQLITE_ROW)
		return true;
	if (stepped != SQLITE_DONE)
		note_failure(query->store);
	store_end(query);
	return false;
}

int64_t store_number(const struct store_query *query, int column)
{
	return sqlite3_column_int64(query->statement, column);
}

struct bytes store_bytes(const struct store_query *query, int column)
{
	const void *data = sqlite3_column_blob(query->statement, column);

	return bytes_from(data, (size_t)sqlite3_column_bytes(query->statement, column));
}

void store_text(const struct store_query *query, int column, struct buffer *text)
{
	struct store *store = query->store;

	if (store_unpack(store_bytes(query, column), text))
		return;
	if (!store->failed)
		snprintf(store->error, sizeof(store->error),
		         "a packed text of the store cannot be read");
	store->failed = true;
}

bool store_is_null(const struct store_query *query, int column)
{
	return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

void store_end(struct store_query *query)
{
	if (query->statement) {
		sqlite3_reset(query->statement);
		sqlite3_clear_bindings(query->statement);
	}
	query->statement = NULL;
}

int64_t store_one(struct store *store, enum store_statement which, int64_t otherwise,
                  const struct store_value *values, size_t count)
{
	struct store_query query = store_begin(store, which, values, count);
	int64_t number = store_step(&query) ? store_number(&query, 0) : otherwise;

	store_end(&query);
	return number;
}

static struct store_value member_value(const struct store_column *column, const char *object)
{
	const char *member = object + column->offset;

	switch (column->kind) {
	case COLUMN_LONG: return STORE_N(*(const int64_t *)(const void *)member);
	case COLUMN_INT: return STORE_N(*(const int *)(const void *)member);
	case COLUMN_TEXT: return STORE_T(member);
	case COLUMN_FIXED: return STORE_B(bytes_from(member, column->size));
	case COLUMN_BYTES:
		return STORE_B(bytes_from(
		        member, *(const size_t *)(const void *)(object + column->length_offset)));
	case COLUMN_HEAP: break;
	}
	const char *text = *(char *const *)(const void *)member;
	return STORE_T(text ? text : "{}");
}

static void write_row(struct store *store, enum store_table table, enum row_statement which,
                      const void *object)
{
	if (!begin_change(store))
		return;
	sqlite3_stmt *statement = row_statement(store, table, which);
	if (!statement)
		return;
	for (int i = 0; i < store_tables[table].count; i++) {
		if (which == ROW_UPDATE && store_tables[table].columns[i].kept)
			continue;
		struct store_value value = member_value(&store_tables[table].columns[i], object);
		bind(store, statement, i + 1, &value, SQLITE_STATIC);
	}
	finish_change(store, statement);
	if (!store->failed)
		store_cache_put(store->cache, table, object);
}

void store_insert(struct store *store, enum store_table table, const void *object)
{
	write_row(store, table, ROW_INSERT, object);
}

void store_update(struct store *store, enum store_table table, const void *object)
{
	write_row(store, table, ROW_UPDATE, object);
}

static void read_member(const struct store_query *query, int place,
                        const struct store_column *column, char *object)
{
	char *member = object + column->offset;
	struct bytes bytes = column->kind <= COLUMN_INT ? BYTES_NONE : store_bytes(query, place);

	switch (column->kind) {
	case COLUMN_LONG: *(int64_t *)(void *)member = store_number(query, place); return;
	case COLUMN_INT: *(int *)(void *)member = (int)store_number(query, place); return;
	case COLUMN_TEXT: bytes_copy_text(bytes, member, column->size); return;
	case COLUMN_HEAP:
		*(char **)(void *)member =
		        strndup(bytes.length ? (const char *)bytes.data : "", bytes.length);
		CHECK(*(char **)(void *)member);
		return;
	case COLUMN_BYTES:
		*(size_t *)(void *)(object + column->length_offset) =
		        bytes.length <= column->size ? bytes.length : 0;
		break;
	case COLUMN_FIXED: break;
	}
	if (bytes.length && bytes.length <= column->size)
		memcpy(member, bytes.data, bytes.length);
}

void store_read(const struct store_query *query, enum store_table table, void *ret_object)
{
	memset(ret_object, 0, store_tables[table].size);
	for (int i = 0; i < store_tables[table].count; i++)
		read_member(query, i, &store_tables[table].columns[i], ret_object);
}

static bool read_row(struct store *store, enum store_table table, enum row_statement which,
                     int64_t id, int64_t merchant, void *ret_object)
{
	struct store_query query = { store, row_statement(store, table, which) };

	memset(ret_object, 0, store_tables[table].size);
	if (!query.statement || !begin(store))
		return false;
	sqlite3_bind_int64(query.statement, 1, id);
	if (which == ROW_FIND)
		sqlite3_bind_int64(query.statement, 2, merchant);
	bool found = store_step(&query);
	if (found) {
		store_read(&query, table, ret_object);
		store_cache_put(store->cache, table, ret_object);
	}
	store_end(&query);
	return found;
}

bool store_find(struct store *store, enum store_table table, int64_t merchant, int64_t id,
                void *ret_object)
{
	CHECK(store_tables[table].owned);
	if (store_cache_is_of(store->cache, table, id, merchant) && !store->failed &&
	    store_cache_get(store->cache, table, id, ret_object))
		return true;
	return read_row(store, table, ROW_FIND, id, merchant, ret_object);
}

bool store_load(struct store *store, enum store_table table, int64_t id, void *ret_object)
{
	if (!store->failed && store_cache_get(store->cache, table, id, ret_object))
		return true;
	return read_row(store, table, ROW_LOAD, id, 0, ret_object);
}

int64_t store_last_id(struct store *store)
{
	int64_t last = 0;
	static const char *const others[] = { "events", "steps", "trials", "keys" };
	char sql[80];

	for (int t = 0; t < STORE_TABLES + 4; t++) {
		snprintf(sql, sizeof(sql), "SELECT coalesce(max(id), 0) FROM %s",
		         t < STORE_TABLES ? store_tables[t].name : others[t - STORE_TABLES]);
		int64_t largest = text_number(store, sql);
		last = largest > last ? largest : last;
	}
	return last;
}

bool store_setting(struct store *store, const char *name, uint8_t *ret_value, size_t length)
{
	struct store_query query = store_ask(store, STORE_SETTING, STORE_T(name));
	bool found = store_step(&query);

	if (found) {
		struct bytes value = store_bytes(&query, 0);
		found = value.length == length;
		if (found)
			memcpy(ret_value, value.data, length);
	}
	store_end(&query);
	return found;
}

void store_set_setting(struct store *store, const char *name, struct bytes value)
{
	store_run(store, STORE_SET_SETTING, STORE_T(name), STORE_B(value));
}
