// What a driver says about itself (`driver --describe`, docs/drivers.md), what follows from it for
// its sandbox, and values for its parameters checked by it.
#pragma once

#include "call.h"
#include "json.h"

enum {
	CLI_CONTRACT = 1,
	CLI_PARAMETERS_MAX = 64,
	CLI_VALUE_MAX = 16384,
	CLI_GRANTS_MAX = 4096,
	CLI_DRIVER_NAME_MAX = 48,
};

enum cli_type { CLI_TEXT, CLI_NUMBER, CLI_FLAG, CLI_CHOICE, CLI_FILE };

struct cli_parameter {
	const char *name;
	enum cli_type type;
	bool required, secret;
	int64_t min, max;                // of a number; of a text: its length in bytes
	const struct cli_json *choices;  // of a choice: the list
	const struct cli_json *fallback; // the default; NULL: none
	const char *help;
};

struct cli_driver {
	struct cli_document document; // owns the texts
	const char *name, *kind, *version;
	const struct cli_json *operations;
	const struct cli_json
	        *sandbox; // what it wants of network, files and processes; NULL: nothing
	bool checks;      // it has a `--check`
	struct cli_parameter parameters[CLI_PARAMETERS_MAX];
	int count;
};

// Runs the `--describe` of the installed driver (as the drivers' user, when we are root, in a
// sandbox without network and files) and reads it. False: the sentence is on standard error.
// cli_driver_done() is due in every case; it accepts NULL.
bool cli_driver_read(const struct cli_call *call, const char *name, struct cli_driver *ret_driver);
// Opens the installed driver's file. -1: the sentence is on standard error.
int cli_driver_open(const struct cli_call *call, const char *name);
// The same as cli_driver_read() for a program file that is open.
bool cli_driver_read_file(const struct cli_call *call, int program, const char *title,
                          struct cli_driver *ret_driver);
// The same from the text that a driver printed. `ret_why` is a sentence.
bool cli_driver_parse(struct bytes text, struct cli_driver *ret_driver, const char **ret_why);
void cli_driver_done(struct cli_driver *driver);

const struct cli_parameter *cli_parameter(const struct cli_driver *driver, struct bytes name);
// The parameter's name of a type, as docs/drivers.md has it.
const char *cli_type_name(enum cli_type type);

// Appends `value` as JSON when it fits the parameter. On failure ret_wanted says what would fit.
bool cli_put_value(struct buffer *json, const struct cli_parameter *parameter, const char *value,
                   char ret_wanted[static 256]);

// Appends the grants of lib/jail/foreign.h that follow from what the driver declared and from the
// values of its parameters: `given` is a JSON object, `before` another one that counts where the
// first is silent (NULL: none), then come the defaults. False: the sentence is on standard error.
bool cli_put_grants(struct buffer *grants, const struct cli_driver *driver,
                    const struct cli_json *given, const struct cli_json *before);
