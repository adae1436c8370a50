// Pools of locked memory, the wiping allocator, and the wiping of the stack.
#include "base/secret.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STACK_BYTES = 32 * 1024 };

struct secret_pool {
	uint8_t *memory;
	size_t mapped;
	size_t slot_size;
	size_t slots;
	uint32_t *free_slots; // a stack of the numbers of free slots
	size_t free_count;
	bool locked;
};

static size_t round_up(size_t size, size_t to)
{
	return (size + to - 1) / to * to;
}

struct result secret_pool_new(size_t slot_size, size_t slots, struct secret_pool **ret_pool)
{
	CHECK(slot_size > 0 && slots > 0 && slots <= UINT32_MAX);
	size_t rounded = round_up(slot_size, 16);
	size_t mapped = round_up(rounded * slots, (size_t)sysconf(_SC_PAGESIZE));
	struct secret_pool *pool = malloc(sizeof(*pool));
	uint32_t *free_slots = calloc(slots, sizeof(*free_slots));
	uint8_t *memory =
	        mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!pool || !free_slots || memory == MAP_FAILED) {
		free(pool);
		free(free_slots);
		if (memory != MAP_FAILED)
			munmap(memory, mapped);
		return FAIL(ERROR_MEMORY, "no memory for a pool of secrets");
	}
	bool dump_off = madvise(memory, mapped, MADV_DONTDUMP) == 0;
	*pool = (struct secret_pool){ .memory = memory,
		                      .mapped = mapped,
		                      .slot_size = rounded,
		                      .slots = slots,
		                      .free_slots = free_slots,
		                      .free_count = slots,
		                      .locked = mlock(memory, mapped) == 0 && dump_off };
	for (size_t i = 0; i < slots; i++)
		free_slots[i] = (uint32_t)(slots - 1 - i);
	*ret_pool = pool;
	return RESULT_OK;
}

void secret_pool_free(struct secret_pool *pool)
{
	if (!pool)
		return;
	explicit_bzero(pool->memory, pool->mapped);
	munmap(pool->memory, pool->mapped);
	free(pool->free_slots);
	free(pool);
}

struct result secret_pool_locked(const struct secret_pool *pool)
{
	return pool->locked ? RESULT_OK
	                    : FAIL(ERROR_DENIED,
	                           "memory for secrets could not be locked (RLIMIT_MEMLOCK)");
}

size_t secret_pool_free_slots(const struct secret_pool *pool)
{
	return pool->free_count;
}

struct result secret_take(struct secret_pool *pool, size_t length, struct secret *ret_secret)
{
	*ret_secret = (struct secret){ 0 };
	if (length > pool->slot_size)
		return FAIL(ERROR_LIMIT, "a secret is larger than its pool's slots");
	if (pool->free_count == 0)
		return FAIL(ERROR_LIMIT, "a pool of secrets is full");
	uint32_t slot = pool->free_slots[--pool->free_count];
	*ret_secret = (struct secret){ .data = pool->memory + slot * pool->slot_size,
		                       .length = length,
		                       .capacity = pool->slot_size,
		                       .pool = pool };
	return RESULT_OK;
}

void secret_done(struct secret *secret)
{
	struct secret_pool *pool = secret->pool;

	if (!secret->data)
		return;
	size_t offset = (size_t)(secret->data - pool->memory);
	CHECK(offset < pool->mapped && offset % pool->slot_size == 0);
	CHECK(pool->free_count < pool->slots);
	explicit_bzero(secret->data, pool->slot_size);
	pool->free_slots[pool->free_count++] = (uint32_t)(offset / pool->slot_size);
	*secret = (struct secret){ 0 };
}

// What stands before every piece of memory of the wiping allocator.
struct head {
	alignas(max_align_t) size_t size;
};

void *secret_malloc(size_t size)
{
	if (size > SIZE_MAX - sizeof(struct head))
		return NULL;
	struct head *head = malloc(sizeof(*head) + size);
	if (!head)
		return NULL;
	head->size = size;
	return head + 1;
}

void *secret_realloc(void *memory, size_t size)
{
	if (!memory)
		return secret_malloc(size);
	size_t old = ((struct head *)memory - 1)->size;
	void *moved = secret_malloc(size);
	if (!moved)
		return NULL;
	memcpy(moved, memory, old < size ? old : size);
	secret_free(memory);
	return moved;
}

void secret_free(void *memory)
{
	if (!memory)
		return;
	struct head *head = (struct head *)memory - 1;
	explicit_bzero(head, sizeof(*head) + head->size);
	free(head);
}

// Without the red zones of AddressSanitizer, so that the array lies right below the caller.
__attribute__((noinline, no_sanitize("address"))) void secret_wipe_stack(void)
{
	uint8_t below[STACK_BYTES];

	explicit_bzero(below, sizeof(below));
}
