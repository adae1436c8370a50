// The table of parameters (rows.c), for parameters.c alone.
#pragma once

#include "parameters.h"

enum row_kind { ROW_TEXT, ROW_NUMBER, ROW_FLAG, ROW_CHOICE, ROW_FILE };

// What was found for one parameter: a text, a number or a flag, by its kind.
struct row_value {
	const char *text; // NULL: not given
	int64_t number;
	bool flag;
};

struct row {
	const char *name;
	enum row_kind kind;
	bool required, secret;
	const char *fallback; // as JSON; NULL: none
	int64_t min, max;     // of a number; of the length of a text that is digits
	const char *choices;  // separated by spaces
	// Where the value goes: `set`, or else the member at `offset` (a number is multiplied by
	// `scale`; a text has `size` bytes there; a choice is true when it is the second one).
	bool (*set)(struct parameters *parameters, const struct row_value *value);
	size_t offset, size;
	int64_t scale;
	const char *wanted; // what the sentence of an error says
	const char *en, *ru;
};

extern const struct row parameter_rows[];
extern const size_t parameter_rows_count;
