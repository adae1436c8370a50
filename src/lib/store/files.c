// See files.h.
#include "store/files.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"

#include <stdint.h>
#include <string.h>
#include <time.h>

// SQLite on Unix takes less than 128 KiB at a time.
enum { PIECE = 64 * 1024, PORTION = 32, PAUSES = 3, GATHERED_MAX = 1 << 30 };

// --- the log

// https://www.sqlite.org/fileformat2.html, 4: the head of a frame has, at this place, the size of
// the database where the frame is the last of a commit, and else 0.
enum { FRAME_HEAD = 24, COMMIT_AT = 4 };

static struct {
	const sqlite3_io_methods *own; // SQLite's; NULL: no log is open
	struct buffer bytes;           // gathered
	sqlite3_int64 at;              // their place in the file
	bool ends;                     // with the next page
} gathered;

static int write_gathered(sqlite3_file *log)
{
	struct bytes rest = buffer_view(&gathered.bytes);
	int code = SQLITE_OK;

	for (; code == SQLITE_OK && rest.length > 0; rest = bytes_slice(rest, PIECE, rest.length)) {
		int length = rest.length < PIECE ? (int)rest.length : PIECE;
		code = gathered.own->xWrite(log, rest.data, length, gathered.at);
		gathered.at += length;
	}
	buffer_reset(&gathered.bytes);
	gathered.ends = false;
	return code;
}

static bool is_last_head(const uint8_t *data, int length)
{
	static const uint8_t zero[4];

	return length == FRAME_HEAD && memcmp(data + COMMIT_AT, zero, sizeof(zero)) != 0;
}

static int log_write(sqlite3_file *log, const void *data, int length, sqlite3_int64 offset)
{
	int code = SQLITE_OK;

	if (offset != gathered.at + (sqlite3_int64)gathered.bytes.length)
		code = write_gathered(log);
	if (code != SQLITE_OK)
		return code;
	if (gathered.bytes.length == 0)
		gathered.at = offset;
	buffer_put(&gathered.bytes, bytes_from(data, (size_t)length));
	if (gathered.bytes.failed)
		return SQLITE_IOERR_NOMEM;
	if (gathered.ends)
		return write_gathered(log);
	gathered.ends = is_last_head(data, length);
	return SQLITE_OK;
}

static int log_read(sqlite3_file *log, void *ret_data, int length, sqlite3_int64 offset)
{
	int code = write_gathered(log);

	return code == SQLITE_OK ? gathered.own->xRead(log, ret_data, length, offset) : code;
}

static int log_size(sqlite3_file *log, sqlite3_int64 *ret_size)
{
	int code = write_gathered(log);

	return code == SQLITE_OK ? gathered.own->xFileSize(log, ret_size) : code;
}

static int log_truncate(sqlite3_file *log, sqlite3_int64 size)
{
	int code = write_gathered(log);

	return code == SQLITE_OK ? gathered.own->xTruncate(log, size) : code;
}

// Of SQLite, in a commit that begins the log anew.
static int log_sync(sqlite3_file *log, int flags)
{
	int code = write_gathered(log);

	return code == SQLITE_OK ? gathered.own->xSync(log, flags) : code;
}

static int log_close(sqlite3_file *log)
{
	int written = write_gathered(log);
	int closed = gathered.own->xClose(log);

	buffer_done(&gathered.bytes);
	gathered.own = NULL;
	return written == SQLITE_OK ? closed : written;
}

void gathered_log_open(sqlite3_file *log)
{
	static sqlite3_io_methods methods;

	CHECK(!gathered.own);
	gathered.own = log->pMethods;
	gathered.at = 0;
	gathered.ends = false;
	buffer_init(&gathered.bytes, GATHERED_MAX);
	methods = *log->pMethods;
	methods.xWrite = log_write;
	methods.xRead = log_read;
	methods.xFileSize = log_size;
	methods.xTruncate = log_truncate;
	methods.xSync = log_sync;
	methods.xClose = log_close;
	log->pMethods = &methods;
}

bool gathered_log_sync(sqlite3_file *log)
{
	return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

// --- the database file

static struct {
	const sqlite3_io_methods *own;
	bool used;
	int pages;
} portions;

static int write_portion(sqlite3_file *file)
{
	int64_t begun_us = clock_monotonic_us();
	int code = portions.own->xSync(file, SQLITE_SYNC_NORMAL);
	int64_t pause_us = PAUSES * (clock_monotonic_us() - begun_us);

	nanosleep(&(struct timespec){ .tv_sec = pause_us / 1000000,
	                              .tv_nsec = pause_us % 1000000 * 1000 },
	          NULL);
	return code;
}

static int file_write(sqlite3_file *file, const void *data, int length, sqlite3_int64 offset)
{
	int code = portions.own->xWrite(file, data, length, offset);

	if (code == SQLITE_OK && portions.used && ++portions.pages % PORTION == 0)
		code = write_portion(file);
	return code;
}

void portioned_file_open(sqlite3_file *file)
{
	static sqlite3_io_methods methods;

	portions.own = file->pMethods;
	portions.pages = 0;
	methods = *file->pMethods;
	methods.xWrite = file_write;
	file->pMethods = &methods;
}

void portions_begin(void)
{
	portions.used = true;
}

void portions_end(void)
{
	portions.used = false;
}
