// A bucket gives a second's tokens at once, then as many as flow in; buckets do not touch each
// other.
#include "core/limits.h"

#include "base/tap.h"

static int taken(struct limits *limits, uint64_t who, int64_t quota, int64_t now_ms, int tries)
{
	struct limits_state state;
	int count = 0;

	for (int i = 0; i < tries; i++)
		count += limits_take(limits, who, quota, now_ms, &state);
	return count;
}

TEST(a_second_gives_its_quota_and_no_more)
{
	struct limits *limits = limits_new();

	EXPECT(taken(limits, 5, 10, 1000, 50) == 10);
	EXPECT(taken(limits, 5, 10, 1099, 50) == 0);
	EXPECT(taken(limits, 5, 10, 1100, 50) == 1);
	EXPECT(taken(limits, 5, 10, 1600, 50) == 5);
	EXPECT(taken(limits, 5, 10, 900000, 50) ==
	       10); // it holds one second's, however long it waits
	limits_free(limits);
}

TEST(a_clock_that_is_set_back_gives_nothing_and_takes_nothing)
{
	struct limits *limits = limits_new();

	EXPECT(taken(limits, 5, 10, 100000, 50) == 10);
	EXPECT(taken(limits, 5, 10, 50000, 50) == 0);
	EXPECT(taken(limits, 5, 10, 51000, 50) == 10);
	limits_free(limits);
}

TEST(no_limit_is_no_limit)
{
	struct limits *limits = limits_new();
	struct limits_state state;

	EXPECT(taken(limits, 5, 0, 1000, 5000) == 5000);
	EXPECT(limits_take(limits, 5, 0, 1000, &state) && state.quota == 0);
	limits_free(limits);
}

TEST(the_state_says_what_is_left)
{
	struct limits *limits = limits_new();
	struct limits_state state;

	EXPECT(limits_take(limits, 5, 3, 1000, &state));
	EXPECT(state.quota == 3 && state.left == 2 && state.reset_s == 1);
	EXPECT(limits_take(limits, 5, 3, 1000, &state) && state.left == 1);
	EXPECT(limits_take(limits, 5, 3, 1000, &state) && state.left == 0);
	EXPECT(!limits_take(limits, 5, 3, 1000, &state) && state.left == 0);
	limits_free(limits);
}

// A crowd of others cannot give an empty bucket its tokens back: the fullest is forgotten.
TEST(an_empty_bucket_stays_when_others_come)
{
	struct limits *limits = limits_new();

	EXPECT(taken(limits, 5, 100, 1000, 500) == 100);
	for (uint64_t other = 1; other < 50; other++)
		EXPECT(taken(limits, 5 + 1024 * other, 100, 1000, 1) == 1);
	EXPECT(taken(limits, 5, 100, 1000, 500) == 0);
	limits_free(limits);
}

TEST(a_bucket_is_that_of_key_and_address)
{
	EXPECT(limits_who(7, "") == limits_who(7, ""));
	EXPECT(limits_who(7, "") != limits_who(8, ""));
	EXPECT(limits_who(7, "192.0.2.1") != limits_who(7, "192.0.2.2"));
	EXPECT(limits_who(7, "2001:db8:1:2::1") == limits_who(7, "2001:db8:1:2:ffff::9"));
	EXPECT(limits_who(7, "2001:db8:1:2::1") != limits_who(7, "2001:db8:1:3::1"));
	EXPECT(limits_who(7, "::ffff:192.0.2.1") != limits_who(7, "::ffff:192.0.2.2"));
}

TAP_MAIN
