// The sandbox of a program that is not ours (a driver, in any language): it is put on between fork
// and exec, so the program needs to know nothing of it. What the program may do is a text of
// grants, made from what it declared and from its parameters (docs/drivers.md):
//
//     connect          open connections over TCP, and ask for names
//     port 8583        … to this port only (several: to one of these; none: to any)
//     processes        start further processes
//     read /etc/x.pem  read this file, or what is below this folder
//
// Beside these it may read and run what every interpreter needs: /usr and a few files of /etc.
// Everything else is refused: other files, listening, other kinds of sockets, other processes.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

enum { JAIL_PORTS_MAX = 16, JAIL_PATHS_MAX = 16, JAIL_GRANTS_MAX = 4096 };

struct jail_foreign {
	bool connect, processes;
	uint16_t ports[JAIL_PORTS_MAX];
	size_t port_count;
	struct bytes paths[JAIL_PATHS_MAX]; // views of the text
	size_t path_count;
};

// Reads a text of grants. ERROR_INPUT: a line that is none of the above.
MUST_USE struct result jail_foreign_read(struct bytes text, struct jail_foreign *ret_foreign);

// In the child, still as root: opens what the rules name (`program` is the file that is to be
// executed) and returns a descriptor for jail_foreign_enter(); -1: this kernel has no Landlock, or
// jail_is_whole() is false.
MUST_USE struct result jail_foreign_prepare(const struct jail_foreign *foreign, int program,
                                            int *ret_ruleset);
// As the last thing before exec: no new rights, Landlock, the filter of system calls.
MUST_USE struct result jail_foreign_enter(const struct jail_foreign *foreign, int ruleset);

// The version of Landlock that this kernel has (4 knows ports); 0: none.
int jail_landlock_version(void);
