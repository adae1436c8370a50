// SQLite's log. See log.h.
#include "store/log.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

// Writes a file's bytes over themselves and fsyncs them.
static bool rewrite(sqlite3_file *file)
{
	uint8_t block[16 * 1024];
	sqlite3_int64 size = 0;

	if (file->pMethods->xFileSize(file, &size) != SQLITE_OK)
		return false;
	for (sqlite3_int64 at = 0; at < size; at += (int)sizeof(block)) {
		bool last = size - at < (int)sizeof(block);
		int length = last ? (int)(size - at) : (int)sizeof(block);
		if (file->pMethods->xRead(file, block, length, at) != SQLITE_OK ||
		    file->pMethods->xWrite(file, block, length, at) != SQLITE_OK)
			return false;
	}
	return size == 0 || file->pMethods->xSync(file, SQLITE_SYNC_FULL) == SQLITE_OK;
}

struct result store_log_durable(const char *path)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	char name[PATH_MAX];
	int there = 0;

	if (path[0] == ':' || (size_t)snprintf(name, sizeof(name), "%s-wal", path) >= sizeof(name))
		return RESULT_OK;
	if (vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &there) != SQLITE_OK || !there)
		return RESULT_OK;
	sqlite3_file *file = calloc(1, (size_t)vfs->szOsFile);
	if (!file)
		return FAIL(ERROR_MEMORY, "no memory for the log");
	bool good = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL, NULL) ==
	                    SQLITE_OK &&
	            rewrite(file);
	if (file->pMethods)
		file->pMethods->xClose(file);
	free(file);
	return good ? RESULT_OK : FAIL(ERROR_SYSTEM, "the store's log cannot be made durable");
}

struct store_log_limits store_log_limits = { .copy = 1000, .anew = 8000 };

// Called after every commit. A log that has become shorter has begun anew.
static int on_commit(void *owner, sqlite3 *database, const char *name, int pages)
{
	struct store_log *log = owner;

	(void)database;
	(void)name;
	if (pages < log->pages)
		log->copied = 0;
	log->pages = pages;
	return SQLITE_OK;
}

static bool run(sqlite3 *connection, const char *sql)
{
	return sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK;
}

struct result store_log_open(struct store_log *log, sqlite3 *database, const char *path)
{
	*log = (struct store_log){ .database = database };
	sqlite3_wal_hook(database, on_commit, log);
	if (sqlite3_file_control(database, NULL, SQLITE_FCNTL_JOURNAL_POINTER, (void *)&log->log) !=
	            SQLITE_OK ||
	    sqlite3_file_control(database, NULL, SQLITE_FCNTL_FILE_POINTER, (void *)&log->file) !=
	            SQLITE_OK)
		return FAIL(ERROR_SYSTEM, "the store has no log");
	if (!log->log->pMethods)
		log->log = log->file = NULL; // in memory
	if (log->log &&
	    sqlite3_open_v2(path, &log->reader, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                    NULL) != SQLITE_OK)
		return FAIL(ERROR_SYSTEM, "the store's file cannot be opened twice");
	return RESULT_OK;
}

// SQLite, when the last connection is closed, deletes a log whose pages are all in the file, and
// trusts that they are durable there. While the log is held they may not be: then it stays, and the
// next start copies it once more.
void store_log_close(struct store_log *log)
{
	if (log->held) {
		sqlite3_db_config(log->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		sqlite3_db_config(log->reader, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	}
	sqlite3_close(log->reader);
	*log = (struct store_log){ 0 };
}

static struct result sync_file(sqlite3_file *file)
{
	if (file && file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return FAIL(ERROR_SYSTEM, "the store's files cannot be made durable");
	return RESULT_OK;
}

struct result store_log_sync(const struct store_log *log)
{
	return sync_file(log->log);
}

struct result store_log_sync_file(const struct store_log *log)
{
	return sync_file(log->file);
}

bool store_log_wants_copy(const struct store_log *log)
{
	return log->log && !log->held &&
	       (log->pages - log->copied >= store_log_limits.copy ||
	        (log->pages >= store_log_limits.anew && log->pages > log->copied));
}

static struct result copy_pages(struct store_log *log)
{
	if (sqlite3_wal_checkpoint_v2(log->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) !=
	    SQLITE_OK)
		return FAIL(ERROR_SYSTEM, "the store's log cannot be copied into its file");
	log->copied = log->pages;
	return RESULT_OK;
}

struct result store_log_copy(struct store_log *log, bool *ret_copied)
{
	*ret_copied = false;
	if (!store_log_wants_copy(log))
		return RESULT_OK;
	if (log->pages - log->copied < store_log_limits.copy ||
	    log->pages >= 4 * store_log_limits.anew)
		return copy_pages(log); // with SQLite's own fsyncs; the next commit begins it anew
	// A read transaction begins with what it reads.
	log->held = run(log->reader, "BEGIN; PRAGMA user_version");
	if (!log->held || !run(log->database, "PRAGMA synchronous = OFF"))
		return FAIL(ERROR_SYSTEM, "the store's log cannot be held");
	struct result result = copy_pages(log);
	if (!run(log->database, "PRAGMA synchronous = NORMAL"))
		return FAIL(ERROR_SYSTEM, "the store cannot go back to its own fsyncs");
	*ret_copied = result_ok(result);
	return result;
}

struct result store_log_copied(struct store_log *log)
{
	log->held = false;
	if (!run(log->reader, "COMMIT"))
		return FAIL(ERROR_SYSTEM, "the store's log cannot be let go");
	return RESULT_OK;
}
