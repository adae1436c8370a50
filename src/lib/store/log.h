// SQLite's log (the file `…-wal`): made durable, copied into the database file, begun anew.
//
// SQLite would do all this at once on the one thread of the store: append, fsync the log; and when
// the log is long, fsync it, write its pages to the file, fsync the file. Here the fsyncs are calls
// of their own that may run on another thread. What keeps the file whole is the order: the log is
// durable before its pages are written to the file, and the file is durable before the log begins
// anew. For the second, a second connection holds a read transaction from before the copy until the
// file's fsync has ended: SQLite does not write over a log that somebody reads. Both connections
// are used by one thread, so that they never write and copy at once (which corrupts logs in SQLite
// before 3.51.3).
#pragma once

#include "base/result.h"

#include <sqlite3.h>

// What a program that was killed had written and not yet fsynced can be read and may still be lost
// with the power; after an fsync that failed, no later fsync writes it. Nothing may be said that
// rests on it, and it must not reach the database by a checkpoint: with the power gone, the shorter
// log of the disk would be played over newer pages. So the log of the database `path` is written
// once more, and fsynced. ERROR_SYSTEM, ERROR_MEMORY.
MUST_USE struct result store_log_durable(const char *path);

// So many new pages are copied at a time. A log that is longer than `anew` is to begin anew: for
// that nothing may be in it that was not copied, so the last pages are copied while all wait; all
// pages, where the disk is so slow that it has become four times as long. Variables for tests and
// for the simulator, whose logs are short.
extern struct store_log_limits {
	int copy, anew;
} store_log_limits;

struct store_log {
	sqlite3 *database;        // the store's connection
	sqlite3 *reader;          // the second one
	sqlite3_file *log, *file; // SQLite's; NULL: a store in memory
	int pages;                // in the log, after the last commit
	int copied;               // of them are in the database file
	bool held;                // the reader holds the log
};

// For the connection `database`, open on the file `path` in WAL mode with synchronous=NORMAL and
// wal_autocheckpoint=0. ERROR_SYSTEM.
MUST_USE struct result store_log_open(struct store_log *log, sqlite3 *database, const char *path);
// To be called before the store's connection is closed.
void store_log_close(struct store_log *log);

// What store.h says of the functions of these names.
MUST_USE struct result store_log_sync(const struct store_log *log);
MUST_USE struct result store_log_sync_file(const struct store_log *log);
bool store_log_wants_copy(const struct store_log *log);
MUST_USE struct result store_log_copy(struct store_log *log, bool *ret_copied);
MUST_USE struct result store_log_copied(struct store_log *log);
