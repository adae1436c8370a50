// One program, one thread: locks are counters. See shared.h.
#include "shared.h"

#include "parts.h"

#include "base/check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { REGIONS = 64 };

static struct {
	int readers;              // connections at SQLITE_LOCK_SHARED or above
	const struct shared *one; // the connection above SQLITE_LOCK_SHARED
	int maps;
	void *regions[REGIONS];
	int slot_readers[8];
	bool slot_taken[8];
} all;

int shared_lock(struct shared *own, int level)
{
	bool alone = all.readers == (own->level >= SQLITE_LOCK_SHARED);

	if (level <= own->level)
		return SQLITE_OK;
	if ((all.one && all.one != own && (level > SQLITE_LOCK_SHARED || !alone)) ||
	    (level == SQLITE_LOCK_EXCLUSIVE && !alone))
		return SQLITE_BUSY;
	if (own->level < SQLITE_LOCK_SHARED)
		all.readers++;
	if (level > SQLITE_LOCK_SHARED)
		all.one = own;
	own->level = level;
	return SQLITE_OK;
}

int shared_unlock(struct shared *own, int level)
{
	if (level >= own->level)
		return SQLITE_OK;
	if (level < SQLITE_LOCK_SHARED)
		all.readers--;
	if (all.one == own)
		all.one = NULL;
	own->level = level;
	return SQLITE_OK;
}

int shared_map(struct shared *own, int region, int size, int extend, void volatile **ret_memory)
{
	CHECK(region < REGIONS);
	if (!own->has_map)
		all.maps++;
	own->has_map = true;
	if (!all.regions[region] && extend) {
		all.regions[region] = calloc(1, (size_t)size);
		CHECK(all.regions[region]);
	}
	*ret_memory = all.regions[region];
	return SQLITE_OK;
}

static void let_slot_go(struct shared *own, int slot)
{
	if (own->slots[slot] == SQLITE_SHM_SHARED)
		all.slot_readers[slot]--;
	else if (own->slots[slot] == SQLITE_SHM_EXCLUSIVE)
		all.slot_taken[slot] = false;
	own->slots[slot] = 0;
}

static bool slot_is_free(const struct shared *own, int slot, int kind)
{
	if (own->slots[slot] == kind || plant_is("begin_anew_while_held"))
		return true;
	return !all.slot_taken[slot] && (kind == SQLITE_SHM_SHARED || all.slot_readers[slot] == 0);
}

int shared_slots(struct shared *own, int first, int count, int flags)
{
	int kind = flags & (SQLITE_SHM_SHARED | SQLITE_SHM_EXCLUSIVE);

	for (int slot = first; flags & SQLITE_SHM_LOCK && slot < first + count; slot++)
		if (!slot_is_free(own, slot, kind))
			return SQLITE_BUSY;
	for (int slot = first; slot < first + count; slot++) {
		let_slot_go(own, slot);
		if (!(flags & SQLITE_SHM_LOCK))
			continue;
		own->slots[slot] = kind;
		if (kind == SQLITE_SHM_SHARED)
			all.slot_readers[slot]++;
		else
			all.slot_taken[slot] = true;
	}
	return SQLITE_OK;
}

void shared_close(struct shared *own)
{
	for (int slot = 0; slot < 8; slot++)
		let_slot_go(own, slot);
	shared_unlock(own, SQLITE_LOCK_NONE);
	if (own->has_map && --all.maps == 0)
		for (int region = 0; region < REGIONS; region++) {
			free(all.regions[region]);
			all.regions[region] = NULL;
		}
	own->has_map = false;
}
