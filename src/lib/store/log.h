// SQLite's log (the file `…-wal`) after a program was killed, before SQLite looks at it.
#pragma once

#include "base/result.h"

// What a program that was killed had written and not yet fsynced can be read and may still be lost
// with the power; after an fsync that failed, no later fsync writes it. Nothing may be said that
// rests on it, and it must not reach the database by a checkpoint: with the power gone, the shorter
// log of the disk would be played over newer pages. So the log of the database `path` is written
// once more, and fsynced. ERROR_SYSTEM, ERROR_MEMORY.
MUST_USE struct result store_log_durable(const char *path);
