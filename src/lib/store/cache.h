// Rows that were read or written last, as structs, so that a step of a flow that looks at the same
// row five times asks SQLite once. One connection writes the store, so the cache is always true:
// whatever changes a row goes through cache_put() or cache_drop().
#pragma once

#include "store/rows.h"

struct store_cache;

// NULL when there is no memory; all functions accept NULL and then remember nothing.
struct store_cache *store_cache_new(void);
void store_cache_free(struct store_cache *cache);

// Copies the row into `ret_object`, which owns its texts then. False: not remembered.
MUST_USE bool store_cache_get(const struct store_cache *cache, enum store_table table, int64_t id,
                              void *ret_object);
void store_cache_put(struct store_cache *cache, enum store_table table, const void *object);
void store_cache_drop(struct store_cache *cache, enum store_table table, int64_t id);
// True when the row is remembered and belongs to this merchant. The table must be an owned one.
MUST_USE bool store_cache_is_of(const struct store_cache *cache, enum store_table table, int64_t id,
                                int64_t merchant);
