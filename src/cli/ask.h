// Where the value of a driver's parameter comes from: `--set KEY=VALUE`, `--set KEY=@FILE`,
// `--set KEY=-` (standard input), or the person at the terminal.
#pragma once

#include "describe.h"

enum cli_found {
	CLI_FOUND_BROKEN = -1, // the sentence is on standard error
	CLI_FOUND_NOTHING = 0,
	CLI_FOUND_VALUE,
	CLI_FOUND_EMPTY, // `--set KEY=`: the parameter is taken away
};

// Every --set must name a parameter of the driver, once, and only one may read standard input.
// False: the sentence is on standard error.
bool cli_check_sets(const struct cli_call *call, const struct cli_driver *driver);

// The value that the command line gives. The caller wipes it.
enum cli_found cli_find_value(const struct cli_call *call, const struct cli_parameter *parameter,
                              char ret_value[static CLI_VALUE_MAX + 1]);

// Asks on the terminal, without echo for a secret. False: there is no terminal, or no answer.
bool cli_ask_person(const struct cli_parameter *parameter, const char *wanted,
                    char ret_value[static CLI_VALUE_MAX + 1]);
