// Open addressing with linear probing; a slot that is freed pulls later ones of its run forward.
#include "core/map.h"

#include "base/check.h"

#include <stdlib.h>

static size_t home(const struct map *map, int64_t key)
{
	return (size_t)((uint64_t)key * 0x9e3779b97f4a7c15u >> 20) & (map->capacity - 1);
}

void map_done(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}

static struct map_slot *find(const struct map *map, int64_t key)
{
	size_t at = home(map, key);

	while (map->slots[at].key != 0 && map->slots[at].key != key)
		at = (at + 1) & (map->capacity - 1);
	return &map->slots[at];
}

void *map_get(const struct map *map, int64_t key)
{
	return map->count ? find(map, key)->value : NULL;
}

static void grow(struct map *map)
{
	struct map bigger = { .capacity = map->capacity ? map->capacity * 2 : 64,
		              .count = map->count };

	bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
	CHECK(bigger.slots);
	for (size_t i = 0; i < map->capacity; i++)
		if (map->slots[i].key)
			*find(&bigger, map->slots[i].key) = map->slots[i];
	free(map->slots);
	*map = bigger;
}

void map_put(struct map *map, int64_t key, void *value)
{
	CHECK(key != 0);
	if (map->count * 2 >= map->capacity)
		grow(map);
	struct map_slot *slot = find(map, key);
	map->count += slot->key == 0;
	*slot = (struct map_slot){ key, value };
}

void *map_take(struct map *map, int64_t key)
{
	struct map_slot *slot = map->count ? find(map, key) : NULL;

	if (!slot || slot->key == 0)
		return NULL;
	void *value = slot->value;
	size_t hole = (size_t)(slot - map->slots);
	for (size_t at = (hole + 1) & (map->capacity - 1); map->slots[at].key;
	     at = (at + 1) & (map->capacity - 1)) {
		size_t from = home(map, map->slots[at].key);
		// Stays when its home lies between the hole and where it is.
		if (((at - from) & (map->capacity - 1)) < ((at - hole) & (map->capacity - 1)))
			continue;
		map->slots[hole] = map->slots[at];
		hole = at;
	}
	map->slots[hole] = (struct map_slot){ 0, NULL };
	map->count--;
	return value;
}
