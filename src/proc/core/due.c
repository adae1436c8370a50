// A binary heap by time.
#include "core/due.h"

#include "base/check.h"

#include <stdlib.h>

void due_done(struct due *due)
{
	free(due->entries);
	*due = (struct due){ 0 };
}

void due_add(struct due *due, int64_t at_ms, int kind, int64_t id)
{
	if (due->count == due->capacity) {
		due->capacity = due->capacity ? due->capacity * 2 : 64;
		due->entries = realloc(due->entries, due->capacity * sizeof(*due->entries));
		CHECK(due->entries);
	}
	size_t at = due->count++;
	while (at > 0 && due->entries[(at - 1) / 2].at_ms > at_ms) {
		due->entries[at] = due->entries[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	due->entries[at] = (struct due_entry){ at_ms, id, kind };
}

int64_t due_first_ms(const struct due *due)
{
	return due->count ? due->entries[0].at_ms : INT64_MAX;
}

bool due_take(struct due *due, int64_t now_ms, struct due_entry *ret_entry)
{
	if (due->count == 0 || due->entries[0].at_ms > now_ms)
		return false;
	*ret_entry = due->entries[0];
	struct due_entry last = due->entries[--due->count];
	size_t at = 0;
	for (;;) {
		size_t child = 2 * at + 1;
		if (child >= due->count)
			break;
		if (child + 1 < due->count &&
		    due->entries[child + 1].at_ms < due->entries[child].at_ms)
			child++;
		if (due->entries[child].at_ms >= last.at_ms)
			break;
		due->entries[at] = due->entries[child];
		at = child;
	}
	due->entries[at] = last;
	return true;
}
