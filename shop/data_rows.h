// Inside the data layer only: the open file, its numbered statements, and how values go in and out.
#pragma once

#include "data.h"

#include <sqlite3.h>

enum statement {
#define STATEMENT(name, sql) name,
#include "statements.def"
#undef STATEMENT
	STATEMENTS
};

struct shop_data {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENTS];
};

// The statement, reset and without values.
sqlite3_stmt *shop_data_start(struct shop_data *data, enum statement number);
// Runs a statement that gives no rows. ERROR_STATE: a constraint says no.
MUST_USE struct result shop_data_run(sqlite3_stmt *statement);
// Fetches the next row; ERROR_NOT_FOUND: there is none. The caller resets the statement afterwards.
MUST_USE struct result shop_data_row(sqlite3_stmt *statement);

void shop_bind_text(sqlite3_stmt *statement, int at, struct bytes text);
void shop_bind_hash(sqlite3_stmt *statement, int at, const uint8_t hash[SHOP_HASH]);
void shop_bind_number(sqlite3_stmt *statement, int at, int64_t number);
void shop_column_text(sqlite3_stmt *statement, int at, char *ret_text, size_t capacity);
void shop_column_hash(sqlite3_stmt *statement, int at, uint8_t ret_hash[SHOP_HASH]);
