// One finding of `onfile doctor`, and the checks that it is made of.
#pragma once

#include "call.h"

enum cli_mark { CLI_FINE, CLI_DOUBTFUL, CLI_BROKEN };

struct cli_doctor {
	struct cli_call *call;
	int broken, doubtful;
};

// Prints a line for what was found; `advice` (what to do) below it unless it is fine.
void cli_finding(struct cli_doctor *doctor, enum cli_mark mark, const char *what,
                 const char *advice, const char *format, ...) __attribute__((format(printf, 5, 6)));

// doctor_limits.c: what the program may use, as it runs under this process number.
void cli_examine_limits(struct cli_doctor *doctor, struct bytes program, const char *pid);
// doctor_machine.c: clock, kernel, users, folders, disk.
void cli_examine_machine(struct cli_doctor *doctor);
// doctor_line.c: connections and the hosts of webhooks.
void cli_examine_lines(struct cli_doctor *doctor);
