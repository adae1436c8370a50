// A hash table from numbers (row keys, serials) to pointers that somebody else owns.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct map {
	struct map_slot {
		int64_t key; // 0: free
		void *value;
	} * slots;
	size_t capacity; // a power of two, at most half full
	size_t count;
};

void map_done(struct map *map);
void *map_get(const struct map *map, int64_t key);
// Keys are not 0; an earlier value of the key is replaced.
void map_put(struct map *map, int64_t key, void *value);
// Returns what was there, or NULL.
void *map_take(struct map *map, int64_t key);
