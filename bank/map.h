// A hash map from a text to a pointer: what the bank looks up by card number, by value, by message
// key. Keys are copied; values belong to the caller.
#pragma once

#include "base/bytes.h"

struct map;

struct map *map_new(void);
// Calls `release` (may be NULL) on every value.
void map_free(struct map *map, void (*release)(void *));
void *map_get(const struct map *map, struct bytes key); // NULL: not there
// Sets or replaces; returns the value that was there, or NULL.
void *map_set(struct map *map, struct bytes key, void *value);
// Removes; returns the value that was there, or NULL.
void *map_remove(struct map *map, struct bytes key);
size_t map_count(const struct map *map);
// Calls `visit` for every entry, in no order; it must not change the map.
void map_each(const struct map *map, void (*visit)(void *context, struct bytes key, void *value),
              void *context);
