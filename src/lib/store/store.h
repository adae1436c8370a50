// The books: one SQLite file behind numbered statements (statements.def) and rows as plain structs
// (domain/objects.h). One connection on one thread. Everything that is written between two commits
// is one transaction; nothing that a write explains may leave the program before a store_sync()
// that began after its store_commit() has returned well.
//
// Errors of the disk stick: after the first one every call does nothing, every query is empty, and
// store_commit() fails. The program then stops and recovers from what is durable.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "domain/objects.h"

struct store;

enum store_statement {
#define STATEMENT(name, sql) STORE_##name,
#include "store/statements.def"
#undef STATEMENT
	STORE_STATEMENTS
};

enum store_table {
	STORE_MERCHANTS,
	STORE_CUSTOMERS,
	STORE_CARDS,
	STORE_SETUP_INTENTS,
	STORE_PAYMENT_INTENTS,
	STORE_ATTEMPTS,
	STORE_ADVICES,
	STORE_SESSIONS,
	STORE_REFUNDS,
	STORE_PORTALS,
	STORE_CUSTOMER_SESSIONS,
	STORE_ENDPOINTS,
	STORE_DELIVERIES,
	STORE_TABLES
};

// A value to be bound: a number, a text, bytes, or a text that is stored packed (phrases.h) and
// read with store_text().
struct store_value {
	enum { STORE_NUMBER, STORE_TEXT, STORE_BYTES, STORE_PACKED, STORE_NULL } kind;
	int64_t number;
	struct bytes bytes;
};

#define STORE_N(value) ((struct store_value){ STORE_NUMBER, (int64_t)(value), BYTES_NONE })
#define STORE_T(text) ((struct store_value){ STORE_TEXT, 0, bytes_text(text) })
#define STORE_TB(view) ((struct store_value){ STORE_TEXT, 0, (view) })
#define STORE_B(view) ((struct store_value){ STORE_BYTES, 0, (view) })
#define STORE_P(view) ((struct store_value){ STORE_PACKED, 0, (view) })

// Opens or makes the file `path` and brings its tables to the newest version. ERROR_SYSTEM, or
// ERROR_STATE when the file was written by a newer version or is not a store.
MUST_USE struct result store_open(const char *path, struct store **ret_store);
void store_close(struct store *store);

// Makes one whole of everything since the last commit: after a crash all of it is there or nothing.
// It is durable only after store_sync(). Does nothing when nothing was written.
MUST_USE struct result store_commit(struct store *store);

// Waits until all that was committed is durable.
// ERROR_SYSTEM: the disk failed, and no later call makes good what this one lost: the program is to
// stop and to begin from what is durable.
MUST_USE struct result store_sync(const struct store *store);

// The log is copied into the database file in parts, which keeps it short; what was committed is
// durable without that. When store_wants_copy(): store_begin_copy(), then store_copy(), on any
// thread while this one reads, writes and commits, then store_end_copy(); until then the log does
// not begin anew. When store_wants_rest_copied(): store_copy_rest(), which takes a moment, and the
// log begins anew with the next commit. ERROR_SYSTEM as above.
bool store_wants_copy(const struct store *store);
MUST_USE struct result store_begin_copy(struct store *store);
MUST_USE struct result store_copy(struct store *store);
MUST_USE struct result store_end_copy(struct store *store);
bool store_wants_rest_copied(const struct store *store);
MUST_USE struct result store_copy_rest(struct store *store);

// True when something was written since the last commit.
bool store_is_dirty(const struct store *store);
// ERROR_SYSTEM after the first error of the disk.
MUST_USE struct result store_result(const struct store *store);
// What SQLite said to the last error, for the log.
const char *store_error_text(const struct store *store);

// True when the engine takes the statement's text: for a test that walks them all.
bool store_prepares(struct store *store, enum store_statement statement);

// Runs a statement that changes rows and returns how many it changed.
int store_execute(struct store *store, enum store_statement statement,
                  const struct store_value *values, size_t count);
#define store_run(store, statement, ...)                                                           \
	store_execute((store), (statement), (const struct store_value[]){ __VA_ARGS__ },           \
	              sizeof((const struct store_value[]){ __VA_ARGS__ }) /                        \
	                      sizeof(struct store_value))

// A query: begin, step while true, read columns, end (each statement may run once at a time; end it
// before the same one begins again). Views are valid until the next step.
struct store_query {
	struct store *store;
	void *statement;
};
struct store_query store_begin(struct store *store, enum store_statement statement,
                               const struct store_value *values, size_t count);
#define store_ask(store, statement, ...)                                                           \
	store_begin((store), (statement), (const struct store_value[]){ __VA_ARGS__ },             \
	            sizeof((const struct store_value[]){ __VA_ARGS__ }) /                          \
	                    sizeof(struct store_value))
bool store_step(struct store_query *query);
int64_t store_number(const struct store_query *query, int column);
struct bytes store_bytes(const struct store_query *query, int column);
// Appends a text that was bound as STORE_P. One that this version cannot read ends the store, as an
// error of the disk does.
void store_text(const struct store_query *query, int column, struct buffer *text);
bool store_is_null(const struct store_query *query, int column);
void store_end(struct store_query *query); // for cleanup(store_end)

// One number from a query of one row and column; `otherwise` when there is no row.
int64_t store_one(struct store *store, enum store_statement statement, int64_t otherwise,
                  const struct store_value *values, size_t count);
#define store_one_number(store, statement, otherwise, ...)                                         \
	store_one((store), (statement), (otherwise), (const struct store_value[]){ __VA_ARGS__ },  \
	          sizeof((const struct store_value[]){ __VA_ARGS__ }) /                            \
	                  sizeof(struct store_value))

// Rows as structs. `object` is the struct of the table (struct customer for STORE_CUSTOMERS, …);
// what was read is given back by its `_done` function.
void store_insert(struct store *store, enum store_table table, const void *object);
// Writes the columns of the row with the object's id, but for those that never change (whose it is,
// what it is about: rows.c).
void store_update(struct store *store, enum store_table table, const void *object);
// Reads a row of this merchant. False: no such row of this merchant (and the struct is all zero).
MUST_USE bool store_find(struct store *store, enum store_table table, int64_t merchant, int64_t id,
                         void *ret_object);
// Reads a row whoever owns it: for flows, which got the id from a row that was checked.
MUST_USE bool store_load(struct store *store, enum store_table table, int64_t id, void *ret_object);
// Reads the rest of a query whose columns are `SELECT *` of the table, as rows of its struct.
void store_read(const struct store_query *query, enum store_table table, void *ret_object);
// The largest row key of all tables: keys go on from here.
int64_t store_last_id(struct store *store);

// Small values by name, in the table `settings`. False: not there.
MUST_USE bool store_setting(struct store *store, const char *name, uint8_t *ret_value,
                            size_t length);
void store_set_setting(struct store *store, const char *name, struct bytes value);
