// The parameters of a request against a table of what its route takes. Every parameter is one of
// three kinds: taken, taken and ignored (harmless), refused by name; what no row names is unknown.
// Names are Stripe's: `address[city]`, `expand[]`, `metadata[order]`. An empty value means "unset".
//
// In a row's name `[]` stands for `[]` and `[0]`, `[1]`, …; a name that ends in `[**]` stands for
// everything below it. The rows are also what the description of the API is made from.
#pragma once

#include "api/error.h"
#include "base/bytes.h"
#include "http/form.h"

#include <jansson.h>

enum api_param_type {
	API_TEXT,     // UTF-8; max: characters, 0: 5000
	API_NUMBER,   // whole, min to max
	API_FLAG,     // true, false, True, False
	API_CHOICE,   // one of `choices`, which are separated by spaces
	API_METADATA, // 50 keys of 40 characters with values of 500
	API_OBJECT,   // has members of its own; by itself only empty: unset
	API_ANYTHING, // whatever it is: for harmless subtrees
};

enum api_param_flag {
	API_REQUIRED = 1,
	API_STORED = 2,     // api_params_merge() puts it into the object's details; empty unsets it
	API_UNSETS = 4,     // may be empty, whatever its type
	API_IGNORED = 8,    // harmless: accepted, changes nothing
	API_REFUSED = 16,   // would change what happens, and we do not do it
	API_NOT_EMPTY = 32, // stored, but cannot be unset
	API_ONLY = 64,      // API_CHOICE: Stripe has more values; those are refused by name
};

struct api_param {
	const char *name;
	enum api_param_type type;
	int flags;
	int64_t min, max;
	const char *choices; // refused ones: what to use instead, or NULL
};

struct api_value {
	const struct api_param *param;
	struct bytes name; // as it came
	struct bytes key;  // API_METADATA: the key; empty: all of it
	struct bytes text; // empty: unset
	int64_t number;    // API_NUMBER; API_FLAG: 0 or 1
};

enum { API_VALUES_MAX = 512, API_PARAMS_TABLES = 4, API_TEXT_MAX = 5000 };

struct api_params {
	struct api_value *values; // in the order in which they came
	size_t count;
};

// Checks `pairs` against the tables (each ends with a row without name; up to API_PARAMS_TABLES,
// the rest NULL). Views in ret_params are those of the pairs. False: *ret_error says why, and names
// the parameter. ret_params is to be given back in both cases.
bool api_params_read(const struct http_form_pair *pairs, size_t count,
                     const struct api_param *const tables[static API_PARAMS_TABLES],
                     struct api_params *ret_params, struct api_error *ret_error);
void api_params_done(struct api_params *params);

// By the name in the table. A list has one value for each element: `place` counts them.
const struct api_value *api_params_get(const struct api_params *params, const char *name);
const struct api_value *api_params_at(const struct api_params *params, const char *name,
                                      size_t place);
// Named at all (perhaps empty).
bool api_params_has(const struct api_params *params, const char *name);
struct bytes api_params_text(const struct api_params *params, const char *name);
int64_t api_params_number(const struct api_params *params, const char *name, int64_t otherwise);
bool api_params_flag(const struct api_params *params, const char *name, bool otherwise);
bool api_params_is(const struct api_params *params, const char *name, const char *text);

// Writes everything that is to be stored into `details`, at its own place, and takes away what is
// unset. `below`: only what begins so ("setup_intent_data"), put at the top; NULL: all.
bool api_params_merge(const struct api_params *params, const char *below, json_t *details,
                      struct api_error *ret_error);
