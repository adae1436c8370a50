// Memory for what nobody may see: card numbers, card codes, keys. A struct secret is a slot of a
// pool of locked memory that stays out of core dumps; it is wiped when it is given back. Nothing
// here, and nothing elsewhere, prints or formats one. For libraries that take an allocator of their
// own (jansson, OpenSSL) there is one that wipes what is freed, which libc does not do.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

struct secret_pool;

struct secret {
	uint8_t *data;   // NULL: holds nothing
	size_t length;   // how many bytes are in use
	size_t capacity; // how many bytes its slot has
	struct secret_pool *pool;
};

// Makes a pool of `slots` slots of `slot_size` bytes each, in one mapping. ERROR_MEMORY.
MUST_USE struct result secret_pool_new(size_t slot_size, size_t slots,
                                       struct secret_pool **ret_pool);
// Wipes and unmaps. Secrets of the pool must not be used afterwards. Accepts NULL.
void secret_pool_free(struct secret_pool *pool);

// RESULT_OK when the pool's pages are locked into memory and left out of core dumps. ERROR_DENIED
// when the system did not let us lock them (RLIMIT_MEMLOCK); the pool works all the same, and a
// program says so in its log.
MUST_USE struct result secret_pool_locked(const struct secret_pool *pool);
size_t secret_pool_free_slots(const struct secret_pool *pool);

// Takes a slot for `length` bytes, all zero. ERROR_LIMIT when no slot is free or `length` is more
// than a slot holds.
MUST_USE struct result secret_take(struct secret_pool *pool, size_t length,
                                   struct secret *ret_secret);
// Wipes the slot and gives it back; `secret` holds nothing afterwards. For cleanup(secret_done).
void secret_done(struct secret *secret);

static inline struct bytes secret_view(const struct secret *secret)
{
	return (struct bytes){ secret->data, secret->length };
}

// malloc, realloc and free that remember the size and wipe every byte that they give back. Memory
// from secret_malloc() goes back through secret_free() only.
void *secret_malloc(size_t size);
void *secret_realloc(void *memory, size_t size);
void secret_free(void *memory);

// Overwrites the part of the stack below the caller (32 KiB) that functions which have returned
// left behind: ciphers and parsers keep copies there. Called after each piece of work on a card.
void secret_wipe_stack(void);
