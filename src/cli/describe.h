// What a driver says about itself (`driver --describe`, docs/drivers.md), and values for its
// parameters checked by it.
#pragma once

#include "call.h"
#include "json.h"

enum { CLI_PARAMETERS_MAX = 64, CLI_VALUE_MAX = 4096 };

enum cli_type { CLI_TEXT, CLI_NUMBER, CLI_FLAG, CLI_CHOICE };

struct cli_parameter {
	const char *name;
	enum cli_type type;
	bool required, secret;
	int64_t min, max;                // of a number
	const struct cli_json *choices;  // of a choice: the list
	const struct cli_json *fallback; // the default; NULL: none
	const char *help;
};

struct cli_driver {
	struct cli_document document; // owns the texts
	const char *kind, *version;
	struct cli_parameter parameters[CLI_PARAMETERS_MAX];
	int count;
};

// Runs the driver's `--describe` (as the drivers' user, when we are root) and reads it. False: the
// sentence is on standard error. cli_driver_done() is due in every case; it accepts NULL.
bool cli_driver_read(const struct cli_call *call, const char *name, struct cli_driver *ret_driver);
// The same from the text that a driver printed. `ret_why` is a sentence.
bool cli_driver_parse(struct bytes text, struct cli_driver *ret_driver, const char **ret_why);
void cli_driver_done(struct cli_driver *driver);

const struct cli_parameter *cli_parameter(const struct cli_driver *driver, struct bytes name);

// Appends `value` as JSON when it fits the parameter. On failure ret_wanted says what would fit.
bool cli_put_value(struct buffer *json, const struct cli_parameter *parameter, const char *value,
                   char ret_wanted[static 256]);
