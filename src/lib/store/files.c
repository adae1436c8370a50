// See files.h.
#include "store/files.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

// SQLite on Unix takes less than 128 KiB at a time.
enum { PIECE = 64 * 1024, PORTION = 32, PAUSES = 3, GATHERED_MAX = 1 << 30 };

// --- the log

static struct {
	const sqlite3_io_methods *own; // SQLite's; NULL: no log is open
	struct buffer bytes;           // gathered; only the store's thread changes them
	sqlite3_int64 at;              // their place in the file
	atomic_bool written;           // and now they are there too
	atomic_bool flies;             // a thread writes and fsyncs them
} gathered;

bool gathered_log_is_ahead(void)
{
	return gathered.bytes.length > 0 && !gathered.written;
}

static sqlite3_int64 gathered_end(void)
{
	return gathered.at + (sqlite3_int64)gathered.bytes.length;
}

static int write_gathered(sqlite3_file *log)
{
	struct bytes rest = buffer_view(&gathered.bytes);
	int code = SQLITE_OK;

	for (; code == SQLITE_OK && gathered_log_is_ahead() && rest.length > 0;
	     rest = bytes_slice(rest, PIECE, rest.length))
		code = gathered.own->xWrite(log, rest.data,
		                            rest.length < PIECE ? (int)rest.length : PIECE,
		                            gathered_end() - (sqlite3_int64)rest.length);
	gathered.written = code == SQLITE_OK;
	return code;
}

static int log_write(sqlite3_file *log, const void *data, int length, sqlite3_int64 offset)
{
	int code = SQLITE_OK;

	CHECK(!gathered.flies);
	if (offset != gathered_end())
		code = write_gathered(log);
	if (code != SQLITE_OK)
		return code;
	if (gathered.written) {
		buffer_reset(&gathered.bytes);
		gathered.at = offset;
		gathered.written = false;
	}
	buffer_put(&gathered.bytes, bytes_from(data, (size_t)length));
	return gathered.bytes.failed ? SQLITE_IOERR_NOMEM : SQLITE_OK;
}

// SQLite reads as it wrote, a head or a page: what it wants was gathered as a whole or not at all.
static int log_read(sqlite3_file *log, void *ret_data, int length, sqlite3_int64 offset)
{
	sqlite3_int64 end = offset + length;

	if (end <= gathered.at || offset >= gathered_end())
		return gathered.own->xRead(log, ret_data, length, offset);
	CHECK(offset >= gathered.at && end <= gathered_end());
	memcpy(ret_data, gathered.bytes.data + (offset - gathered.at), (size_t)length);
	return SQLITE_OK;
}

static int log_size(sqlite3_file *log, sqlite3_int64 *ret_size)
{
	int code = gathered.own->xFileSize(log, ret_size);

	if (code == SQLITE_OK && *ret_size < gathered_end())
		*ret_size = gathered_end();
	return code;
}

static int log_truncate(sqlite3_file *log, sqlite3_int64 size)
{
	int code = write_gathered(log);

	buffer_reset(&gathered.bytes);
	gathered.at = 0;
	return code == SQLITE_OK ? gathered.own->xTruncate(log, size) : code;
}

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
	gathered.written = true;
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
	gathered.flies = true;
	int code = log_sync(log, SQLITE_SYNC_NORMAL);
	gathered.flies = false;
	return code == SQLITE_OK;
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
