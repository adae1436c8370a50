// A driver's program run once, in a sandbox, for what it prints: its description, or what it thinks
// of the values for a connection (docs/drivers.md, `--describe` and `--check`).
#pragma once

#include "describe.h"

#include "jail/foreign.h"

struct cli_run {
	int program;      // its file
	const char *name; // as what it runs
	const char *argument;
	uint32_t user; // as whom, when we are root
	const struct jail_foreign *foreign;
	struct bytes input; // what it can read; at most what a pipe holds
};

// Runs it and appends what it prints. False: it did not end in time and with 0.
bool cli_run_driver(const struct cli_run *run, struct buffer *ret_text);

// The values of a connection that is about to be sealed.
struct cli_checked {
	const struct cli_driver *driver;
	const struct cli_json *given;  // what is set now
	const struct cli_json *before; // what is known of it before; NULL: it is new
	struct bytes kept;             // names of values that only vault knows, a space between
	struct bytes grants;           // of its sandbox
	uint32_t user;
};

// Asks the driver what it thinks of the values, if it has a `--check`. Notes go to standard output;
// false: the sentence is on standard error.
bool cli_driver_check(const struct cli_call *call, const struct cli_checked *checked);
