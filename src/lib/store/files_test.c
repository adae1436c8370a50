// How the log and the database file are written.
#include "store/files.h"

#include "base/check.h"
#include "base/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64], log_path[72];

static void run(sqlite3 *database, const char *sql)
{
	CHECK(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3_file *file_of(sqlite3 *database, int which)
{
	sqlite3_file *file = NULL;

	CHECK(sqlite3_file_control(database, NULL, which, (void *)&file) == SQLITE_OK);
	return file;
}

static sqlite3 *open_again(void)
{
	sqlite3 *database = NULL;

	CHECK(sqlite3_open(path, &database) == SQLITE_OK);
	run(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
	              "PRAGMA wal_autocheckpoint = 0; PRAGMA cache_spill = OFF;");
	return database;
}

static sqlite3 *open_new(void)
{
	snprintf(path, sizeof(path), "/tmp/onfile-files-%d", (int)getpid());
	snprintf(log_path, sizeof(log_path), "%s-wal", path);
	unlink(path);
	unlink(log_path);
	sqlite3 *database = open_again();
	run(database, "CREATE TABLE t (a)");
	return database;
}

static void close_and_forget(sqlite3 *database)
{
	sqlite3_close(database);
	unlink(path);
}

static long log_length(void)
{
	struct stat stat_of;

	return stat(log_path, &stat_of) == 0 ? (long)stat_of.st_size : 0;
}

// Rows of the table, read from the files and not from SQLite's memory.
static int count_rows(sqlite3 *database)
{
	sqlite3_stmt *statement = NULL;

	sqlite3_db_release_memory(database);
	CHECK(sqlite3_prepare_v2(database, "SELECT count(*) FROM t WHERE length(a) = 3000", -1,
	                         &statement, NULL) == SQLITE_OK &&
	      sqlite3_step(statement) == SQLITE_ROW);
	int rows = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	return rows;
}

static const char insert[] = "INSERT INTO t VALUES (zeroblob(3000))";

// SQLite's calls that reach the file below: counted.
static const sqlite3_io_methods *below;
static int syncs, writes;

static int count_sync(sqlite3_file *file, int flags)
{
	syncs++;
	return below->xSync(file, flags);
}

static int count_write(sqlite3_file *file, const void *data, int length, sqlite3_int64 offset)
{
	writes++;
	return below->xWrite(file, data, length, offset);
}

static void count_calls(sqlite3_file *file)
{
	static sqlite3_io_methods counting;

	below = file->pMethods;
	counting = *below;
	counting.xSync = count_sync;
	counting.xWrite = count_write;
	file->pMethods = &counting;
	syncs = writes = 0;
}

TEST(a_commit_is_one_write_and_then_seen_by_all)
{
	sqlite3 *database = open_new(), *other = open_again();
	sqlite3_file *log = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);

	count_calls(log);
	gathered_log_open(log);
	for (int i = 1; i <= 10; i++) {
		run(database, insert);
		EXPECT(writes == i && count_rows(database) == i && count_rows(other) == i);
	}
	EXPECT(gathered_log_sync(log) && syncs == 1);
	sqlite3_close(other);
	close_and_forget(database);
}

TEST(a_commit_may_be_as_large_as_it_likes)
{
	sqlite3 *database = open_new();
	sqlite3_file *log = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);

	gathered_log_open(log);
	run(database, "BEGIN");
	for (int i = 0; i < 500; i++) // of 4 KiB and more
		run(database, insert);
	run(database, "COMMIT");
	EXPECT(gathered_log_sync(log) && log_length() > 2000000 && count_rows(database) == 500);
	close_and_forget(database);
}

TEST(a_log_that_begins_anew_is_written_from_its_beginning)
{
	sqlite3 *database = open_new();
	sqlite3_file *log = file_of(database, SQLITE_FCNTL_JOURNAL_POINTER);

	gathered_log_open(log);
	for (int i = 1; i <= 5; i++) {
		run(database, insert);
		run(database, "PRAGMA wal_checkpoint"); // its connection's own log: synced first
		run(database, insert);
		EXPECT(count_rows(database) == 2 * i);
	}
	EXPECT(gathered_log_sync(log) && count_rows(database) == 10);
	close_and_forget(database);
}

TEST(a_copy_fsyncs_the_file_after_each_few_pages)
{
	sqlite3 *database = open_new();
	sqlite3_file *file = file_of(database, SQLITE_FCNTL_FILE_POINTER);

	count_calls(file);
	portioned_file_open(file);
	for (int i = 0; i < 100; i++)
		run(database, insert);
	portions_begin();
	run(database, "PRAGMA wal_checkpoint");
	portions_end();
	EXPECT(syncs == 100 / 32 + 1); // and SQLite's own
	syncs = 0;
	for (int i = 0; i < 100; i++)
		run(database, insert);
	run(database, "PRAGMA wal_checkpoint");
	EXPECT(syncs == 1);
	EXPECT(count_rows(database) == 200);
	close_and_forget(database);
}

TAP_MAIN
