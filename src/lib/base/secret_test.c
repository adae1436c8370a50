// Tests of the secret memory: wiping is looked at in the memory itself.
#include "base/secret.h"
#include "base/tap.h"

#include <stdlib.h>
#include <sys/resource.h>

TEST(a_secret_is_zero_at_first_and_wiped_when_done)
{
	struct secret_pool *pool = NULL;
	struct secret secret;

	REQUIRE(result_ok(secret_pool_new(24, 2, &pool)));
	REQUIRE(result_ok(secret_take(pool, 19, &secret)));
	EXPECT(secret.length == 19 && secret.capacity >= 24);
	for (size_t i = 0; i < secret.capacity; i++)
		EXPECT(secret.data[i] == 0);
	const uint8_t *place = secret.data;
	memset(secret.data, '4', secret.capacity);
	size_t capacity = secret.capacity;
	secret_done(&secret);
	EXPECT(secret.data == NULL);
	for (size_t i = 0; i < capacity; i++)
		EXPECT(place[i] == 0);
	secret_done(&secret);
	secret_pool_free(pool);
}

TEST(a_pool_gives_every_slot_once_and_takes_it_back)
{
	struct secret_pool *pool = NULL;
	struct secret secrets[4];

	REQUIRE(result_ok(secret_pool_new(16, 3, &pool)));
	for (int i = 0; i < 3; i++)
		REQUIRE(result_ok(secret_take(pool, 16, &secrets[i])));
	EXPECT(secrets[0].data != secrets[1].data && secrets[1].data != secrets[2].data);
	EXPECT(secret_take(pool, 16, &secrets[3]).error == ERROR_LIMIT);
	EXPECT(secrets[3].data == NULL);
	secret_done(&secrets[1]);
	EXPECT(secret_pool_free_slots(pool) == 1);
	EXPECT(secret_take(pool, 17, &secrets[3]).error == ERROR_LIMIT);
	EXPECT(result_ok(secret_take(pool, 5, &secrets[3])));
	secret_pool_free(pool);
}

TEST(a_pool_works_and_says_so_when_it_may_not_lock)
{
	struct rlimit before;
	struct secret_pool *pool = NULL;
	struct secret secret;

	REQUIRE(getrlimit(RLIMIT_MEMLOCK, &before) == 0);
	struct rlimit none = { 0, before.rlim_max };
	REQUIRE(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
	REQUIRE(result_ok(secret_pool_new(32, 8, &pool)));
	EXPECT(result_ok(secret_take(pool, 32, &secret)));
	// A process with CAP_IPC_LOCK may lock whatever the limit says.
	struct result locked = secret_pool_locked(pool);
	EXPECT(result_ok(locked) || locked.error == ERROR_DENIED);
	secret_done(&secret);
	secret_pool_free(pool);
	setrlimit(RLIMIT_MEMLOCK, &before);
}

TEST(the_wiping_allocator_keeps_content_when_it_moves)
{
	char *text = secret_malloc(8);

	REQUIRE(text);
	memcpy(text, "4242424", 8);
	text = secret_realloc(text, 4096);
	REQUIRE(text);
	EXPECT(strcmp(text, "4242424") == 0);
	text = secret_realloc(text, 4);
	REQUIRE(text);
	EXPECT(memcmp(text, "4242", 4) == 0);
	secret_free(text);
	secret_free(NULL);
	EXPECT(secret_malloc(SIZE_MAX) == NULL);
}

enum { HEAD_BYTES = 16, WATCHED_BYTES = 64 };

static bool is_watching;
static bool is_wiped;

// Takes the place of free() (see meson.build) and looks at the piece that the test gives back.
void __real_free(void *memory);
void __wrap_free(void *memory);
void __wrap_free(void *memory)
{
	if (memory && is_watching) {
		const uint8_t *bytes = memory;
		is_wiped = true;
		for (size_t i = 0; i < HEAD_BYTES + WATCHED_BYTES; i++)
			is_wiped = is_wiped && bytes[i] == 0;
	}
	__real_free(memory);
}

TEST(the_wiping_allocator_wipes_before_it_frees)
{
	char *text = secret_malloc(WATCHED_BYTES);

	REQUIRE(text);
	memset(text, 'x', WATCHED_BYTES);
	is_watching = true;
	secret_free(text);
	is_watching = false;
	EXPECT(is_wiped);
}

__attribute__((noinline)) static void leave_on_stack(uintptr_t *ret_address)
{
	volatile char copy[256];

	for (size_t i = 0; i < sizeof(copy); i++)
		copy[i] = (char)('A' + i % 26);
	*ret_address = (uintptr_t)copy;
}

// The address is below our own frame; reading it is the point of the test.
__attribute__((no_sanitize("address"), noinline)) static int letters_at(uintptr_t address)
{
	int count = 0;

	for (size_t i = 0; i < 256; i++)
		count += ((const volatile char *)address)[i] >= 'A';
	return count;
}

TEST(the_stack_below_is_wiped)
{
	uintptr_t address = 0;

	leave_on_stack(&address);
	secret_wipe_stack();
	EXPECT(letters_at(address) < 64);
}

TAP_MAIN
