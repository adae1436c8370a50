// The table of codes: a ring of entries in the order of their deadlines, and an index from handle
// to place in the ring (open addressing, linear probing). An entry that was used leaves a hole that
// goes when it comes to the front.
#include "vault/codes.h"

#include "base/check.h"

#include <stdlib.h>

struct entry {
	uint8_t handle[VAULT_HANDLE];
	int64_t deadline_ms;
	uint8_t length; // 0: a hole
	uint8_t code[CARD_CODE_MAX];
};

struct vault_codes {
	struct secret_pool *pool;
	struct entry *ring; // in the pool
	size_t capacity;
	size_t first;
	size_t used;     // entries from `first` on, holes included
	size_t count;    // without holes
	uint32_t *index; // place in the ring + 1; 0: free
	size_t index_mask;
};

struct result vault_codes_new(size_t capacity, struct vault_codes **ret_codes)
{
	CHECK(capacity > 0 && capacity < UINT32_MAX / 2);
	struct vault_codes *codes = calloc(1, sizeof(*codes));
	size_t places = 16;
	while (places < capacity * 2)
		places *= 2;
	uint32_t *index = calloc(places, sizeof(*index));
	struct secret_pool *pool = NULL;
	struct secret memory;
	bool made = codes && index &&
	            result_ok(secret_pool_new(capacity * sizeof(struct entry), 1, &pool)) &&
	            result_ok(secret_take(pool, capacity * sizeof(struct entry), &memory));
	if (!made) {
		secret_pool_free(pool);
		free(codes);
		free(index);
		return FAIL(ERROR_MEMORY, "no memory for card codes");
	}
	*codes = (struct vault_codes){ .pool = pool,
		                       .ring = (struct entry *)(void *)memory.data,
		                       .capacity = capacity,
		                       .index = index,
		                       .index_mask = places - 1 };
	*ret_codes = codes;
	return RESULT_OK;
}

void vault_codes_free(struct vault_codes *codes)
{
	if (!codes)
		return;
	secret_pool_free(codes->pool);
	free(codes->index);
	free(codes);
}

// Handles are random, so their first bytes are as good as a hash.
static size_t home_of(const struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE])
{
	uint64_t bits;

	memcpy(&bits, handle, sizeof(bits));
	return (size_t)bits & codes->index_mask;
}

// The index place that holds the handle, or the free place where it would go.
static size_t find_place(const struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE])
{
	size_t place = home_of(codes, handle);

	while (codes->index[place] != 0 &&
	       memcmp(codes->ring[codes->index[place] - 1].handle, handle, VAULT_HANDLE) != 0)
		place = (place + 1) & codes->index_mask;
	return place;
}

// Frees an index place and moves back the entries behind it that could not stay at their home.
static void free_place(struct vault_codes *codes, size_t place)
{
	size_t next = place;

	codes->index[place] = 0;
	for (;;) {
		next = (next + 1) & codes->index_mask;
		if (codes->index[next] == 0)
			return;
		size_t home = home_of(codes, codes->ring[codes->index[next] - 1].handle);
		size_t from_home = (next - home) & codes->index_mask;
		size_t from_gap = (next - place) & codes->index_mask;
		if (from_home < from_gap)
			continue;
		codes->index[place] = codes->index[next];
		codes->index[next] = 0;
		place = next;
	}
}

static void drop_holes(struct vault_codes *codes)
{
	while (codes->used > 0 && codes->ring[codes->first].length == 0) {
		codes->first = (codes->first + 1) % codes->capacity;
		codes->used--;
	}
}

static void wipe_at(struct vault_codes *codes, size_t place)
{
	struct entry *entry = &codes->ring[codes->index[place] - 1];

	free_place(codes, place);
	explicit_bzero(entry, sizeof(*entry));
	codes->count--;
	drop_holes(codes);
}

static void wipe_first(struct vault_codes *codes)
{
	wipe_at(codes, find_place(codes, codes->ring[codes->first].handle));
}

void vault_codes_put(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE],
                     struct bytes code, int64_t deadline_ms)
{
	CHECK(code.length > 0 && code.length <= CARD_CODE_MAX);
	if (codes->used == codes->capacity)
		wipe_first(codes);
	size_t place = find_place(codes, handle);
	CHECK(codes->index[place] == 0);
	size_t at = (codes->first + codes->used) % codes->capacity;
	struct entry *entry = &codes->ring[at];
	memcpy(entry->handle, handle, VAULT_HANDLE);
	memcpy(entry->code, code.data, code.length);
	entry->length = (uint8_t)code.length;
	entry->deadline_ms = deadline_ms;
	codes->index[place] = (uint32_t)at + 1;
	codes->used++;
	codes->count++;
}

bool vault_codes_take(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE],
                      int64_t now_ms, struct secret_pool *pool, struct secret *ret_code)
{
	size_t place = find_place(codes, handle);

	*ret_code = (struct secret){ 0 };
	if (codes->index[place] == 0)
		return false;
	const struct entry *entry = &codes->ring[codes->index[place] - 1];
	bool good = entry->deadline_ms > now_ms &&
	            result_ok(secret_take(pool, entry->length, ret_code));
	if (good)
		memcpy(ret_code->data, entry->code, entry->length);
	wipe_at(codes, place);
	return good;
}

void vault_codes_forget(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE])
{
	size_t place = find_place(codes, handle);

	if (codes->index[place] != 0)
		wipe_at(codes, place);
}

void vault_codes_expire(struct vault_codes *codes, int64_t now_ms)
{
	while (codes->used > 0 && codes->ring[codes->first].deadline_ms <= now_ms)
		wipe_first(codes);
}

size_t vault_codes_count(const struct vault_codes *codes)
{
	return codes->count;
}

int64_t vault_codes_next_deadline(const struct vault_codes *codes)
{
	return codes->used > 0 ? codes->ring[codes->first].deadline_ms : INT64_MAX;
}
