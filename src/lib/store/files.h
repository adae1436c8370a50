// How SQLite's two files are written. Both are SQLite's own but for some of their methods
// (https://www.sqlite.org/c3ref/io_methods.html). A program has one store at a time: so has this
// file.
//
// The log: SQLite writes a head and a page, a head and a page, a dozen times for a commit. Here
// they are gathered and written in one piece with the last page of the commit, before SQLite tells
// other connections of it. The connection must not spill (PRAGMA cache_spill = OFF): else SQLite
// writes heads once more, without their pages, at the end of a commit.
//
// The database file: an fsync of the log waits for what the disk is at. So the thread that copies
// pages to the file fsyncs each few of them, and leaves the disk to the log for a time after each.
#pragma once

#include "base/result.h"

#include <sqlite3.h>

void gathered_log_open(sqlite3_file *log);
// The fsync of all commits until now.
MUST_USE bool gathered_log_sync(sqlite3_file *log);

void portioned_file_open(sqlite3_file *file);
// What is written between the two goes in portions.
void portions_begin(void);
void portions_end(void);
