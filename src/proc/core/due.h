// What has to happen at a time: a heap of (time, kind, id). Entries are hints: who takes one looks
// whether it is still true (a deadline that moved has an entry for each place it was at).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct due_entry {
	int64_t at_ms;
	int64_t id;
	int kind;
};

struct due {
	struct due_entry *entries;
	size_t count, capacity;
};

void due_done(struct due *due);
void due_add(struct due *due, int64_t at_ms, int kind, int64_t id);
// INT64_MAX when there is none.
int64_t due_first_ms(const struct due *due);
// Takes the first entry if its time has come.
bool due_take(struct due *due, int64_t now_ms, struct due_entry *ret_entry);
