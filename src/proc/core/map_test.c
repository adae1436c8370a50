// The table against a list that is looked through from end to end: the same random operations on
// both, with keys that are close together, far apart, and whose homes are the same.
#include "core/map.h"

#include "base/tap.h"

#include <stdlib.h>

enum { KEYS = 300, OPERATIONS = 200000 };

// xorshift: the same numbers in every run, so that a failure can be seen again.
static uint64_t next_number(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static int64_t key_of(uint64_t number, int spread)
{
	return (int64_t)(number % KEYS + 1) << spread;
}

static bool same(const struct map *map, void *const *naive, int spread)
{
	size_t count = 0;

	for (size_t i = 0; i < KEYS; i++) {
		count += naive[i] != NULL;
		if (map_get(map, (int64_t)(i + 1) << spread) != naive[i])
			return false;
	}
	return map->count == count;
}

TEST(random_operations_against_a_naive_model)
{
	static const int spreads[] = { 0, 1, 20, 44, 52 };
	static int things[OPERATIONS];

	for (size_t s = 0; s < sizeof(spreads) / sizeof(spreads[0]); s++) {
		struct map map = { 0 };
		void *naive[KEYS] = { NULL };
		uint64_t seed = 88172645463325252u + s;
		bool good = true;
		for (int i = 0; i < OPERATIONS && good; i++) {
			uint64_t number = next_number(&seed);
			int64_t key = key_of(number >> 8, spreads[s]);
			size_t at = (size_t)(key >> spreads[s]) - 1;
			if (number & 1) {
				map_put(&map, key, &things[i]);
				naive[at] = &things[i];
			} else {
				good = map_take(&map, key) == naive[at];
				naive[at] = NULL;
			}
			if (i % 100 == 0)
				good = good && same(&map, naive, spreads[s]);
		}
		EXPECT(good && same(&map, naive, spreads[s]));
		EXPECT(map.capacity >= 2 * map.count);
		map_done(&map);
	}
}

TEST(an_empty_table)
{
	struct map map = { 0 };

	EXPECT(!map_get(&map, 1) && !map_take(&map, 1));
	map_put(&map, -5, &map);
	EXPECT(map_get(&map, -5) == &map && !map_get(&map, 5));
	EXPECT(map_take(&map, -5) == &map && !map_take(&map, -5) && map.count == 0);
	map_done(&map);
	EXPECT(map.slots == NULL && map.capacity == 0);
}

TAP_MAIN
