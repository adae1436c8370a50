// Starting one program in a process of its own: which descriptors it gets, as whom it runs, with a
// clean environment and nothing else of ours.
#pragma once

#include "jail/foreign.h"

#include <sys/types.h>

struct launch {
	int program;      // the program's file
	int folder;       // where the file is `name`, so that the process is called so; -1: none
	const char *name; // its argv[0]
	const char *argument; // its argv[1], or NULL
	int input;            // becomes standard input; -1: /dev/null
	int output;           // becomes standard output; -1: standard error
	int channel;          // becomes descriptor 3; -1: none
	uint32_t user;        // changes to this user first, when root starts it; 0: keeps ours
	const struct jail_foreign *foreign; // not one of ours: its sandbox; NULL: it is one
};

// The process's id, or -1 (errno). The descriptors stay the caller's. The program leads a process
// group of its own, so that the terminal's signals do not reach it, and dies with its parent.
pid_t launch(const struct launch *launch);

// Opens a program's file: regular, executable, writable by its owner alone, who is root or we.
// -1 and a sentence when it is not so.
int launch_open(int folder, const char *name, const char **ret_why);
