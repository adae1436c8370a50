// What a program gives up once it has opened what it needs: its user, its view of the file system,
// the system calls that it has no use for. One struct of data for each program; jail_enter()
// carries it out, in an order that cannot be undone.
//
// Started by root, a program changes to `user` and sees only `folder`. Started by anybody else it
// keeps its user; the rest holds as well. A kernel without Landlock goes without it.
#pragma once

#include "base/result.h"

#include <sys/types.h>

enum jail_allow {
	JAIL_ACCEPT = 1,   // take connections from listening sockets that were handed over
	JAIL_DIAL = 2,     // open Internet sockets (IPv4 and IPv6 only)
	JAIL_STORE = 4,    // files below `folder`: read, write, sync, remove
	JAIL_READ = 8,     // read files anywhere that its user may, write none (name resolution, CA
	                   // certificates)
	JAIL_LOCK = 16,    // lock memory
	JAIL_THREADS = 32, // start threads (no processes)
	JAIL_RESOLVE = 64, // read what says how names are looked up, and no other file
};

struct jail {
	uid_t user;         // 0: keep the one that started the program
	const char *folder; // becomes the working directory (and the root, when root starts it);
	                    // NULL: none
	unsigned allow;     // enum jail_allow
	unsigned files;     // how many descriptors may be open; 0: as it is
};

// After this returned well the program can do what `allow` says and nothing else; any other system
// call ends it (SIGSYS). No core dump is written, no other process may look into it (dumpable 0),
// nothing it starts gets more rights. Sanitizer builds keep the file system and the system calls,
// because their run-time needs them: jail_is_whole() tells.
MUST_USE struct result jail_enter(const struct jail *jail);
bool jail_is_whole(void);
