// A VFS for SQLite (https://www.sqlite.org/vfs.html). A file has two contents: what programs see
// (the page cache) and what is on the disk; between the two are pieces that were written and not
// fsynced. A program that dies loses nothing; when the power goes, pieces get lost. An fsync that
// fails leaves its pieces visible but clean, as Linux does: a later fsync does not write them.
#include "disk.h"

#include "shared.h"
#include "sim.h"

#include "base/check.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

enum { FILES = 4, SECTOR = 512, NAME_MAX_BYTES = 32 };

struct content {
	uint8_t *data;
	size_t size, capacity;
};

// A write, or with `data` NULL a truncation to `offset`.
struct piece {
	size_t offset, length;
	uint8_t *data;
};

struct file {
	char name[NAME_MAX_BYTES];
	bool exists;
	struct content seen, durable;
	struct piece *pieces;
	size_t count, capacity;
	size_t old; // how many of them are of an earlier life
};

struct handle {
	sqlite3_file base;
	struct file *file;
	struct shared shared;
};

struct disk disk;
static struct file files[FILES];
static struct file kept[DISK_VARIANTS][FILES];

static void resize(struct content *content, size_t size)
{
	if (size > content->capacity) {
		content->capacity = size * 2 > 65536 ? size * 2 : 65536;
		content->data = realloc(content->data, content->capacity);
		CHECK(content->data);
	}
	if (size > content->size)
		memset(content->data + content->size, 0, size - content->size);
	content->size = size;
}

static void put(struct content *content, const struct piece *piece, size_t length)
{
	if (!piece->data) {
		resize(content, piece->offset);
		return;
	}
	if (length == 0)
		return;
	if (piece->offset + length > content->size)
		resize(content, piece->offset + length);
	memcpy(content->data + piece->offset, piece->data, length);
}

static void copy(struct content *to, const struct content *from)
{
	resize(to, 0);
	resize(to, from->size);
	if (from->size)
		memcpy(to->data, from->data, from->size);
}

static void forget_pieces(struct file *file)
{
	for (size_t i = 0; i < file->count; i++)
		free(file->pieces[i].data);
	file->count = file->old = 0;
}

static void write_down(struct file *file, struct piece piece)
{
	if (file->count == file->capacity) {
		file->capacity = file->capacity ? file->capacity * 2 : 16;
		file->pieces = realloc(file->pieces, file->capacity * sizeof(*file->pieces));
		CHECK(file->pieces);
	}
	file->pieces[file->count++] = piece;
	put(&file->seen, &piece, piece.length);
}

// Counts an operation. False: it has no effect any more.
static bool alive(void)
{
	disk.operations++;
	if (disk.kill_in > 0 && --disk.kill_in == 0)
		disk.dead = true;
	return !disk.dead;
}

static bool fails(int *count)
{
	if (*count == 0)
		return false;
	--*count;
	return true;
}

// --- files

static int file_close(sqlite3_file *base)
{
	shared_close(&((struct handle *)base)->shared);
	return SQLITE_OK;
}

static int file_read(sqlite3_file *base, void *ret_data, int length, sqlite3_int64 offset)
{
	const struct content *seen = &((struct handle *)base)->file->seen;
	size_t at = (size_t)offset;
	size_t there = at < seen->size ? seen->size - at : 0;
	size_t part = there < (size_t)length ? there : (size_t)length;

	if (part)
		memcpy(ret_data, seen->data + at, part);
	memset((char *)ret_data + part, 0, (size_t)length - part);
	return part == (size_t)length ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *data, int length, sqlite3_int64 offset)
{
	struct file *file = ((struct handle *)base)->file;
	size_t at = (size_t)offset;

	if (!alive() || fails(&disk.fail_writes))
		return SQLITE_IOERR_WRITE;
	if (disk.full && at + (size_t)length > file->seen.size)
		return SQLITE_FULL;
	if (at == 0 && disk.held && strstr(file->name, "-wal"))
		sim_fail("the log begins anew while it is held");
	struct piece piece = { at, (size_t)length, malloc((size_t)length) };
	CHECK(piece.data);
	memcpy(piece.data, data, (size_t)length);
	write_down(file, piece);
	return SQLITE_OK;
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	if (!alive())
		return SQLITE_IOERR_TRUNCATE;
	write_down(((struct handle *)base)->file, (struct piece){ (size_t)size, 0, NULL });
	return SQLITE_OK;
}

static int file_sync(sqlite3_file *base, int flags)
{
	struct file *file = ((struct handle *)base)->file;

	(void)flags;
	if (!alive())
		return SQLITE_IOERR_FSYNC;
	if (disk.lies)
		return SQLITE_OK;
	bool failed = fails(&disk.fail_syncs);
	for (size_t i = 0; i < file->count; i++)
		if (!failed || chance_of(500))
			put(&file->durable, &file->pieces[i], file->pieces[i].length);
	forget_pieces(file);
	disk.lost_syncs += failed;
	return failed ? SQLITE_IOERR_FSYNC : SQLITE_OK;
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
	*ret_size = (sqlite3_int64)((struct handle *)base)->file->seen.size;
	return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
	return shared_lock(&((struct handle *)base)->shared, level);
}

static int file_unlock(sqlite3_file *base, int level)
{
	return shared_unlock(&((struct handle *)base)->shared, level);
}

static int file_map(sqlite3_file *base, int region, int size, int extend,
                    void volatile **ret_memory)
{
	return shared_map(&((struct handle *)base)->shared, region, size, extend, ret_memory);
}

static int file_slots(sqlite3_file *base, int first, int count, int flags)
{
	return shared_slots(&((struct handle *)base)->shared, first, count, flags);
}

static void file_barrier(sqlite3_file *base)
{
	(void)base;
}

static int file_unmap(sqlite3_file *base, int forget)
{
	(void)base;
	(void)forget; // it goes with the last connection
	return SQLITE_OK;
}

static int file_is_locked(sqlite3_file *base, int *ret_locked)
{
	(void)base;
	*ret_locked = 0;
	return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int operation, void *argument)
{
	(void)base;
	(void)operation;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *base)
{
	(void)base;
	return 4096;
}

static int file_traits(sqlite3_file *base)
{
	(void)base;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE; // what SQLite takes for granted on Linux
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_is_locked,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_traits,
	.xShmMap = file_map,
	.xShmLock = file_slots,
	.xShmBarrier = file_barrier,
	.xShmUnmap = file_unmap,
};

// --- the folder

static struct file *find(const char *name, bool make)
{
	struct file *room = NULL;

	for (size_t i = 0; i < FILES; i++) {
		if (files[i].exists && strcmp(files[i].name, name) == 0)
			return &files[i];
		if (!files[i].exists && !room)
			room = &files[i];
	}
	if (!make)
		return NULL;
	CHECK(room && bytes_copy_text(bytes_text(name), room->name, sizeof(room->name)));
	room->exists = true;
	resize(&room->seen, 0);
	resize(&room->durable, 0);
	return room;
}

static int folder_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags,
                       int *ret_flags)
{
	struct handle *handle = (struct handle *)base;

	(void)vfs;
	*handle = (struct handle){ 0 };
	handle->file = name ? find(name, flags & SQLITE_OPEN_CREATE) : NULL;
	if (!handle->file || disk.dead)
		return SQLITE_CANTOPEN;
	base->pMethods = &methods;
	if (ret_flags)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int folder_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct file *file = find(name, false);

	(void)vfs;
	(void)sync;
	if (!alive())
		return SQLITE_IOERR_DELETE;
	if (!file)
		return SQLITE_IOERR_DELETE_NOENT;
	forget_pieces(file);
	file->exists = false;
	return SQLITE_OK;
}

static int folder_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_there)
{
	(void)vfs;
	(void)flags;
	*ret_there = find(name, false) != NULL;
	return SQLITE_OK;
}

static int folder_path(sqlite3_vfs *vfs, const char *name, int capacity, char *ret_path)
{
	(void)vfs;
	return bytes_copy_text(bytes_text(name), ret_path, (size_t)capacity) ? SQLITE_OK
	                                                                     : SQLITE_CANTOPEN;
}

static int folder_random(sqlite3_vfs *vfs, int length, char *ret_bytes)
{
	(void)vfs;
	chance_bytes(ret_bytes, (size_t)length);
	return length;
}

static int folder_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int folder_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
	static const sqlite3_int64 unix_epoch_ms = 210866760000000;

	(void)vfs;
	*ret_ms = unix_epoch_ms + sim_wall_ms();
	return SQLITE_OK;
}

static int folder_error(sqlite3_vfs *vfs, int capacity, char *ret_text)
{
	(void)vfs;
	if (capacity > 0)
		*ret_text = '\0';
	return 0;
}

void disk_register(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct handle),
		.mxPathname = NAME_MAX_BYTES,
		.zName = "simulated",
		.xOpen = folder_open,
		.xDelete = folder_delete,
		.xAccess = folder_access,
		.xFullPathname = folder_path,
		.xRandomness = folder_random,
		.xSleep = folder_sleep,
		.xCurrentTimeInt64 = folder_time,
		.xGetLastError = folder_error,
	};

	CHECK(sqlite3_vfs_register(&vfs, 1) == SQLITE_OK);
}

void disk_keep(int variant)
{
	for (size_t i = 0; i < FILES; i++) {
		struct file *to = &kept[variant][i];
		to->exists = files[i].exists;
		memcpy(to->name, files[i].name, sizeof(to->name));
		copy(&to->durable, &files[i].seen);
	}
}

void disk_reset(int variant)
{
	disk = (struct disk){ 0 };
	for (size_t i = 0; i < FILES; i++) {
		forget_pieces(&files[i]);
		const struct file *from = &kept[variant][i];
		files[i].exists = from->exists;
		memcpy(files[i].name, from->name, sizeof(from->name));
		copy(&files[i].seen, &from->durable);
		copy(&files[i].durable, &from->durable);
	}
}

static void survive(struct file *file, const struct piece *piece)
{
	switch (chance_below(5)) {
	case 0:
	case 1: break;
	case 2:
	case 3: put(&file->durable, piece, piece->length); break;
	default:
		if (piece->data)
			put(&file->durable, piece,
			    (size_t)chance_below((int64_t)(piece->length / SECTOR + 1)) * SECTOR);
	}
}

void disk_power_loss(void)
{
	for (size_t i = 0; i < FILES; i++) {
		struct file *file = &files[i];
		if (!file->exists)
			continue;
		for (size_t p = 0; p < file->count; p++)
			survive(file, &file->pieces[p]);
		forget_pieces(file);
		copy(&file->seen, &file->durable);
	}
}

void disk_new_life(void)
{
	for (size_t i = 0; i < FILES; i++)
		files[i].old = files[i].count;
}

bool disk_is_durable(void)
{
	// A truncation that is lost brings back what was copied elsewhere before; what an earlier
	// life wrote and nobody fsynced since was not committed. Of the database file nothing needs
	// to be durable as long as the log is.
	for (size_t i = 0; i < FILES; i++)
		for (size_t p = files[i].old; files[i].exists && p < files[i].count; p++)
			if (files[i].pieces[p].data && strstr(files[i].name, "-wal"))
				return false;
	return true;
}
