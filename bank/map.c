// Chained hash map that doubles when it is full. Keys come from the bank's own side of the wire and
// from a test's control page, so FNV-1a is good enough. Running out of memory ends the program: a
// sandbox has nothing better to do then.
#include "map.h"

#include "base/check.h"

#include <stdlib.h>

struct entry {
	struct entry *next;
	void *value;
	uint64_t hash;
	size_t length;
	uint8_t key[];
};

struct map {
	struct entry **slots;
	size_t slot_count; // a power of two
	size_t count;
};

static uint64_t hash_of(struct bytes key)
{
	uint64_t hash = 0xcbf29ce484222325u;

	for (size_t i = 0; i < key.length; i++)
		hash = (hash ^ key.data[i]) * 0x100000001b3u;
	return hash ^ hash >> 32;
}

struct map *map_new(void)
{
	struct map *map = calloc(1, sizeof *map);

	CHECK(map);
	map->slot_count = 64;
	map->slots = calloc(map->slot_count, sizeof(struct entry *));
	CHECK(map->slots);
	return map;
}

void map_free(struct map *map, void (*release)(void *))
{
	if (!map)
		return;
	for (size_t i = 0; i < map->slot_count; i++) {
		struct entry *next;
		for (struct entry *entry = map->slots[i]; entry; entry = next) {
			next = entry->next;
			if (release)
				release(entry->value);
			free(entry);
		}
	}
	free(map->slots);
	free(map);
}

// Where the pointer to the entry is, or where it would go.
static struct entry **place(const struct map *map, struct bytes key, uint64_t hash)
{
	struct entry **where = &map->slots[hash & (map->slot_count - 1)];

	while (*where && !((*where)->hash == hash && (*where)->length == key.length &&
	                   memcmp((*where)->key, key.data, key.length) == 0))
		where = &(*where)->next;
	return where;
}

void *map_get(const struct map *map, struct bytes key)
{
	struct entry *entry = *place(map, key, hash_of(key));

	return entry ? entry->value : NULL;
}

static void grow(struct map *map)
{
	size_t slot_count = map->slot_count * 2;
	struct entry **slots = calloc(slot_count, sizeof(struct entry *));

	CHECK(slots);
	for (size_t i = 0; i < map->slot_count; i++) {
		struct entry *next;
		for (struct entry *entry = map->slots[i]; entry; entry = next) {
			next = entry->next;
			entry->next = slots[entry->hash & (slot_count - 1)];
			slots[entry->hash & (slot_count - 1)] = entry;
		}
	}
	free(map->slots);
	map->slots = slots;
	map->slot_count = slot_count;
}

void *map_set(struct map *map, struct bytes key, void *value)
{
	uint64_t hash = hash_of(key);
	struct entry **where = place(map, key, hash);
	struct entry *entry = *where;

	CHECK(value);
	if (entry) {
		void *before = entry->value;
		entry->value = value;
		return before;
	}
	entry = malloc(sizeof *entry + key.length);
	CHECK(entry);
	*entry = (struct entry){ NULL, value, hash, key.length };
	memcpy(entry->key, key.data, key.length);
	*where = entry;
	if (++map->count > map->slot_count)
		grow(map);
	return NULL;
}

void *map_remove(struct map *map, struct bytes key)
{
	struct entry **where = place(map, key, hash_of(key));
	struct entry *entry = *where;

	if (!entry)
		return NULL;
	void *value = entry->value;
	*where = entry->next;
	free(entry);
	map->count--;
	return value;
}

size_t map_count(const struct map *map)
{
	return map->count;
}

void map_each(const struct map *map, void (*visit)(void *context, struct bytes key, void *value),
              void *context)
{
	for (size_t i = 0; i < map->slot_count; i++)
		for (struct entry *entry = map->slots[i]; entry; entry = entry->next)
			visit(context, bytes_from(entry->key, entry->length), entry->value);
}
