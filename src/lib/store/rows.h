// Which column of which table is which member of which struct, as data (rows.c).
#pragma once

#include "store/store.h"

enum store_kind {
	COLUMN_LONG,  // int64_t
	COLUMN_INT,   // int or enum
	COLUMN_TEXT,  // char array
	COLUMN_HEAP,  // char *, never NULL in the store ("" or "{}")
	COLUMN_FIXED, // uint8_t array, all of it
	COLUMN_BYTES, // uint8_t array with a size_t of how much of it counts
};

struct store_column {
	const char *name;
	enum store_kind kind;
	size_t offset;
	size_t size;          // of the member
	size_t length_offset; // COLUMN_BYTES: of the size_t
	bool kept;            // never changes once the row is there
};

struct store_table_row {
	const char *name;
	size_t size; // of the struct
	const struct store_column *columns;
	int count;
	bool owned; // has a column `merchant`
};

extern const struct store_table_row store_tables[STORE_TABLES];
