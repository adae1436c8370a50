// What SQLite's connections of one program share: locks of the file, and the memory and locks
// of the log's index (https://www.sqlite.org/walformat.html). It dies with the program.
#pragma once

#include <sqlite3.h>

// One connection's part; all zero when it opens the file.
struct shared {
	int level;    // SQLITE_LOCK_…
	int has_map;  // the index was asked for
	int slots[8]; // of the index's locks: 0, SQLITE_SHM_SHARED, SQLITE_SHM_EXCLUSIVE
};

int shared_lock(struct shared *own, int level);
int shared_unlock(struct shared *own, int level);
int shared_map(struct shared *own, int region, int size, int extend, void volatile **ret_memory);
int shared_slots(struct shared *own, int first, int count, int flags);
void shared_close(struct shared *own);
