// A table of places, found by a hash of the row's key: a newer row takes the place of an older one.
#include "store/cache.h"

#include "base/check.h"

#include <stdlib.h>

enum { PLACES_BITS = 13, PLACES = 1 << PLACES_BITS };

struct place {
	int64_t id; // 0: free
	enum store_table table;
	void *object;
};

struct store_cache {
	struct place places[PLACES];
};

struct store_cache *store_cache_new(void)
{
	return calloc(1, sizeof(struct store_cache));
}

static char **heap_text(const struct store_column *column, void *object)
{
	return (char **)(void *)((char *)object + column->offset);
}

static void free_texts(enum store_table table, void *object)
{
	const struct store_table_row *row = &store_tables[table];

	for (int i = 0; i < row->count; i++)
		if (row->columns[i].kind == COLUMN_HEAP)
			free(*heap_text(&row->columns[i], object));
}

static void free_object(enum store_table table, void *object)
{
	free_texts(table, object);
	explicit_bzero(object, store_tables[table].size); // sealed cards
	free(object);
}

static void copy_member(const struct store_column *column, const char *from, char *to)
{
	const char *text;

	switch (column->kind) {
	case COLUMN_TEXT:
		bytes_copy_text(bytes_text(from + column->offset), to + column->offset,
		                column->size);
		return;
	case COLUMN_HEAP:
		text = *(char *const *)(const void *)(from + column->offset);
		*heap_text(column, to) = strdup(text ? text : "{}");
		return;
	case COLUMN_BYTES:
		memcpy(to + column->length_offset, from + column->length_offset, sizeof(size_t));
		break;
	default: break;
	}
	memcpy(to + column->offset, from + column->offset, column->size);
}

// Member by member, as a row that is read from the store: what else the caller's object holds stays
// out. False: no memory.
static bool take_row(enum store_table table, const void *from, void *to)
{
	const struct store_table_row *row = &store_tables[table];
	bool good = true;

	memset(to, 0, row->size);
	for (int i = 0; i < row->count; i++) {
		copy_member(&row->columns[i], from, to);
		if (row->columns[i].kind == COLUMN_HEAP)
			good = good && *heap_text(&row->columns[i], to);
	}
	return good;
}

// Of a row that take_row() made. False: no memory.
static bool give_row(enum store_table table, const void *from, void *to)
{
	const struct store_table_row *row = &store_tables[table];
	bool good = true;

	memcpy(to, from, row->size);
	for (int i = 0; i < row->count; i++)
		if (row->columns[i].kind == COLUMN_HEAP) {
			char **text = heap_text(&row->columns[i], to);
			*text = strdup(*text);
			good = good && *text;
		}
	return good;
}

static void forget(struct place *place)
{
	if (place->id)
		free_object(place->table, place->object);
	*place = (struct place){ 0 };
}

void store_cache_free(struct store_cache *cache)
{
	for (int i = 0; cache && i < PLACES; i++)
		forget(&cache->places[i]);
	free(cache);
}

static struct place *place_of(const struct store_cache *cache, enum store_table table, int64_t id)
{
	// Keys are a millisecond and a small number that begins anew with each: the digits of both
	// have to count, or every millisecond would take the places of the one before.
	uint64_t mixed = ((uint64_t)id + (uint64_t)table * 101) * 0x9e3779b97f4a7c15u;

	return (struct place *)&cache->places[mixed >> (64 - PLACES_BITS)];
}

bool store_cache_get(const struct store_cache *cache, enum store_table table, int64_t id,
                     void *ret_object)
{
	const struct place *place = cache ? place_of(cache, table, id) : NULL;

	if (!place || id == 0 || place->id != id || place->table != table)
		return false;
	CHECK(give_row(table, place->object, ret_object));
	return true;
}

// The memory of the row that was there, where it was one of this table; else new. NULL: none is
// left.
static void *room_for(struct place *place, enum store_table table)
{
	void *object = place->object;

	if (!place->id || place->table != table) {
		forget(place);
		return malloc(store_tables[table].size);
	}
	free_texts(table, object);
	*place = (struct place){ 0 };
	return object;
}

void store_cache_put(struct store_cache *cache, enum store_table table, const void *object)
{
	int64_t id = *(const int64_t *)object; // the key is the first member of every row

	if (!cache)
		return;
	struct place *place = place_of(cache, table, id);
	void *copy = room_for(place, table);
	if (!copy)
		return;
	if (take_row(table, object, copy))
		*place = (struct place){ .id = id, .table = table, .object = copy };
	else
		free_object(table, copy);
}

void store_cache_drop(struct store_cache *cache, enum store_table table, int64_t id)
{
	struct place *place = cache ? place_of(cache, table, id) : NULL;

	if (place && place->id == id && place->table == table)
		forget(place);
}

bool store_cache_is_of(const struct store_cache *cache, enum store_table table, int64_t id,
                       int64_t merchant)
{
	const struct place *place = cache ? place_of(cache, table, id) : NULL;
	const struct store_table_row *row = &store_tables[table];
	int64_t owner = 0;

	if (!place || id == 0 || place->id != id || place->table != table)
		return false;
	for (int i = 0; i < row->count && owner == 0; i++)
		if (strcmp(row->columns[i].name, "merchant") == 0)
			memcpy(&owner, (const char *)place->object + row->columns[i].offset,
			       sizeof(owner));
	return owner == merchant;
}
