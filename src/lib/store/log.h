// SQLite's log (the file `…-wal`): made durable, copied into the database file, begun anew.
//
// SQLite would do all this at once on the one thread of the store: append, fsync the log; and when
// the log is long, fsync it, write its pages to the file, fsync the file. Here the log's fsync is a
// call of its own, and a connection of its own copies the log on another thread, as SQLite does it
// (the log is durable before its pages go to the file, the file before the log may begin anew), in
// many small parts: the disk is as slow for an fsync of the log as the fsync of the file beside it
// is long. While that thread copies, a third connection holds the log with a read transaction:
// SQLite does not begin a log anew that somebody reads, and in SQLite before 3.51.3 a log that
// begins anew just when somebody starts to copy it is corrupted
// (https://www.sqlite.org/wal.html#walresetbug).
#pragma once

#include "base/result.h"

#include <sqlite3.h>

// What a program that was killed had written and not yet fsynced can be read and may still be lost
// with the power; after an fsync that failed, no later fsync writes it. Nothing may be said that
// rests on it, and it must not reach the database by a checkpoint: with the power gone, the shorter
// log of the disk would be played over newer pages. So the log of the database `path` is written
// once more, and fsynced. ERROR_SYSTEM, ERROR_MEMORY.
MUST_USE struct result store_log_durable(const char *path);

// So many new pages are copied at a time: a page that was written many times is copied once, and
// most are. A log that is longer than `anew` is to begin anew; for that nothing may be in it that
// was not copied, so the last pages, at most `rest`, are copied while all wait; and many, where the
// disk is so slow that the log has become four times as long. Variables for tests and for the
// simulator, whose logs are short.
extern struct store_log_limits {
	int copy, anew, rest;
} store_log_limits;

struct store_log {
	sqlite3 *database;    // the store's connection
	sqlite3 *holder;      // keeps the log from beginning anew
	sqlite3 *copier;      // the other thread's, while the log is held
	sqlite3_file *log;    // SQLite's; NULL: a store in memory
	sqlite3_file *file;   // the copier's
	int pages;            // in the log, after the last commit
	int copied;           // of them are in the database file
	int copied_on_thread; // as the other thread has it
	bool held;
};

// For the connection `database`, open on the file `path` in WAL mode with synchronous=NORMAL and
// wal_autocheckpoint=0. ERROR_SYSTEM.
MUST_USE struct result store_log_open(struct store_log *log, sqlite3 *database, const char *path);
// To be called before the store's connection is closed.
void store_log_close(struct store_log *log);

// What store.h says of the functions of these names.
MUST_USE struct result store_log_sync(const struct store_log *log);
bool store_log_wants_copy(const struct store_log *log);
MUST_USE struct result store_log_begin_copy(struct store_log *log);
MUST_USE struct result store_log_copy(struct store_log *log);
MUST_USE struct result store_log_end_copy(struct store_log *log);
bool store_log_wants_rest_copied(const struct store_log *log);
MUST_USE struct result store_log_copy_rest(struct store_log *log);
