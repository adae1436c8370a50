// SQLite's log before SQLite looks at it. See log.h.
#include "store/log.h"

#include <limits.h>
#include <sqlite3.h>
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
