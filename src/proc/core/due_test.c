// The heap gives every entry once, in the order of their times, and none before its time.
#include "core/due.h"

#include "base/tap.h"

#include <stdint.h>

enum { ENTRIES = 5000 };

TEST(entries_come_in_the_order_of_their_times)
{
	struct due due = { 0 };
	struct due_entry entry;
	bool taken[ENTRIES] = { false };
	uint64_t seed = 88172645463325252u;
	int64_t last = 0;
	int count = 0;

	EXPECT(due_first_ms(&due) == INT64_MAX && !due_take(&due, INT64_MAX, &entry));
	for (int i = 0; i < ENTRIES; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		due_add(&due, (int64_t)(seed % 1000), i % 5, i); // many at the same time
	}
	while (due_take(&due, 499, &entry)) {
		EXPECT(entry.at_ms >= last && entry.at_ms <= 499);
		EXPECT(!taken[entry.id] && entry.kind == (int)(entry.id % 5));
		taken[entry.id] = true;
		last = entry.at_ms;
		count++;
	}
	EXPECT(due_first_ms(&due) > 499 && (int)due.count == ENTRIES - count);
	for (; due_take(&due, 1000, &entry); count++) {
		EXPECT(entry.at_ms >= last && !taken[entry.id]);
		taken[entry.id] = true;
		last = entry.at_ms;
	}
	EXPECT(count == ENTRIES && due_first_ms(&due) == INT64_MAX);
	due_done(&due);
}

TEST(entries_may_be_added_while_others_are_taken)
{
	struct due due = { 0 };
	struct due_entry entry;
	int64_t expected = 0;

	due_add(&due, 0, 0, 0);
	while (due_take(&due, 2000, &entry)) {
		EXPECT(entry.at_ms == expected);
		expected++;
		if (entry.at_ms < 1000)
			due_add(&due, entry.at_ms + 1, 0, 0);
	}
	EXPECT(expected == 1001);
	due_done(&due);
}

TAP_MAIN
