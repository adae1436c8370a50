// SQLite's log. See log.h.
#include "store/log.h"

#include "base/check.h"
#include "store/files.h"

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

struct store_log_limits store_log_limits = { .copy = 4000, .anew = 16000, .rest = 300 };

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

// Another connection to the same file. SQLite copies a log only for one that has read. What is
// asked here and later needs no tables, so that SQLite does not read the schema once more for each.
static bool open_beside(const char *path, sqlite3 **ret_connection)
{
	return sqlite3_open_v2(path, ret_connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	                       NULL) == SQLITE_OK &&
	       sqlite3_wal_autocheckpoint(*ret_connection, 0) == SQLITE_OK &&
	       run(*ret_connection, "PRAGMA user_version");
}

static bool find_file(sqlite3 *connection, int which, sqlite3_file **ret_file)
{
	return sqlite3_file_control(connection, NULL, which, (void *)ret_file) == SQLITE_OK;
}

struct result store_log_open(struct store_log *log, sqlite3 *database, const char *path)
{
	*log = (struct store_log){ .database = database };
	sqlite3_wal_hook(database, on_commit, log);
	if (!find_file(database, SQLITE_FCNTL_JOURNAL_POINTER, &log->log))
		return FAIL(ERROR_SYSTEM, "the store has no log");
	if (!log->log->pMethods) {
		log->log = NULL; // in memory
		return RESULT_OK;
	}
	if (!open_beside(path, &log->holder) || !open_beside(path, &log->copier) ||
	    !find_file(log->copier, SQLITE_FCNTL_FILE_POINTER, &log->file))
		return FAIL(ERROR_SYSTEM, "the store's file cannot be opened beside itself");
	portioned_file_open(log->file);
	gathered_log_open(log->log);
	return RESULT_OK;
}

void store_log_close(struct store_log *log)
{
	sqlite3_close(log->holder);
	sqlite3_close(log->copier);
	*log = (struct store_log){ 0 };
}

struct result store_log_sync(const struct store_log *log)
{
	if (log->log && !gathered_log_sync(log->log))
		return FAIL(ERROR_SYSTEM, "the store's log cannot be made durable");
	return RESULT_OK;
}

static int pages_to_copy(const struct store_log *log)
{
	return log->held ? 0 : log->pages - log->copied;
}

bool store_log_wants_rest_copied(const struct store_log *log)
{
	int pages = pages_to_copy(log);

	return log->log && pages > 0 &&
	       (log->pages >= 4 * store_log_limits.anew ||
	        (log->pages >= store_log_limits.anew && pages <= store_log_limits.rest));
}

bool store_log_wants_copy(const struct store_log *log)
{
	int pages = pages_to_copy(log);

	return log->log && !store_log_wants_rest_copied(log) &&
	       (pages >= store_log_limits.copy ||
	        (pages > 0 && log->pages >= store_log_limits.anew));
}

// Copies what no reader holds back. SQLite fsyncs the log before, and the file after it where
// nothing is left. Where it reads the log's index while a commit writes that, it is busy and copies
// nothing.
static struct result copy_pages(struct store_log *log, int *ret_copied)
{
	int copied = 0;
	int code = sqlite3_wal_checkpoint_v2(log->copier, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
	                                     &copied);

	if (code == SQLITE_OK)
		*ret_copied = copied;
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		return FAIL(ERROR_SYSTEM, "the store's log cannot be copied into its file");
	return RESULT_OK;
}

// The log grows faster than it is copied in portions.
static bool is_in_haste(const struct store_log *log)
{
	return pages_to_copy(log) > 2 * store_log_limits.copy ||
	       log->pages > 2 * store_log_limits.anew;
}

struct result store_log_begin_copy(struct store_log *log)
{
	CHECK(store_log_wants_copy(log));
	if (!is_in_haste(log))
		portions_begin();
	// A read transaction begins with what it reads; as there are pages to copy, it is one of
	// the log and keeps it.
	log->held = run(log->holder, "BEGIN; PRAGMA user_version");
	log->copied_on_thread = log->copied;
	return log->held ? RESULT_OK : FAIL(ERROR_SYSTEM, "the store's log cannot be held");
}

struct result store_log_copy(struct store_log *log)
{
	CHECK(log->held);
	TRY(copy_pages(log, &log->copied_on_thread));
	if (log->file->pMethods->xSync(log->file, SQLITE_SYNC_NORMAL) != SQLITE_OK)
		return FAIL(ERROR_SYSTEM, "the store's file cannot be made durable");
	return RESULT_OK;
}

struct result store_log_end_copy(struct store_log *log)
{
	portions_end();
	log->held = false;
	log->copied = log->copied_on_thread;
	if (!run(log->holder, "COMMIT"))
		return FAIL(ERROR_SYSTEM, "the store's log cannot be let go");
	return RESULT_OK;
}

struct result store_log_copy_rest(struct store_log *log)
{
	CHECK(!log->held);
	return copy_pages(log, &log->copied);
}
