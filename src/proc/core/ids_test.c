// Tests of row keys: they grow, also over a restart after the clock was set back.
#include "core/core.h"

#include "base/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const int64_t noon_ms = 1780000000000;
static const int64_t day_ms = 24 * 3600 * 1000;

TEST(keys_grow_with_the_clock_and_without_it)
{
	struct core core = { .now_ms = noon_ms };
	int64_t first = core_next_id(&core);

	EXPECT(core_id_ms(first) == noon_ms);
	EXPECT(core_next_id(&core) == first + 1);
	core.now_ms -= day_ms;
	EXPECT(core_next_id(&core) == first + 2);
	core.now_ms += day_ms + 1;
	EXPECT(core_id_ms(core_next_id(&core)) == noon_ms + 1);
}

// DE37 is made from millisecond and sequence: no two keys may have the same of both.
TEST(a_busy_millisecond_borrows_from_the_next)
{
	struct core core = { .now_ms = noon_ms };
	int64_t before = 0;

	for (int i = 0; i < 3 * CORE_ID_SEQUENCES; i++) {
		int64_t id = core_next_id(&core);
		EXPECT(id > before && core_id_sequence(id) < CORE_ID_SEQUENCES);
		EXPECT(core_id_make(core_id_ms(id), core_id_sequence(id)) == id);
		before = id;
	}
	EXPECT(core_id_ms(before) == noon_ms + 2);
}

// Numbers of questions to drivers are row keys that no row has: a crash must not make core choose
// one of them again, for the answer to the old question may still come.
TEST(a_key_that_was_given_is_not_given_again_after_a_crash)
{
	char path[] = "/tmp/onfile-ids-XXXXXX";
	struct core core = { .now_ms = noon_ms };
	struct customer customer = { .id = core_next_id(&core), .details = (char[]){ "{}" } };

	REQUIRE(mkstemp(path) >= 0);
	REQUIRE(result_ok(store_open(path, &core.store)));
	store_insert(core.store, STORE_CUSTOMERS, &customer);
	REQUIRE(result_ok(store_commit(core.store)));
	int64_t question = core_next_id(&core);
	core.now_ms -= day_ms;
	for (int crash = 0; crash < 3; crash++) {
		core_ids_start(&core);
		REQUIRE(result_ok(store_commit(core.store)));
		int64_t next = core_next_id(&core);
		EXPECT(next > question);
		question = next;
	}
	store_close(core.store);
	unlink(path);
}

TAP_MAIN
