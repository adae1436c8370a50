// Two lists, live and late, over one hash table by key. The hash leaves the terminal out, so that
// an answer that breaks off before DE41 can still be told whose it is.
#include "flight.h"

#include "base/check.h"

#include <stdlib.h>

static size_t slot_of(const struct flight_key *key)
{
	uint64_t hash = 0xcbf29ce484222325u;

	hash = (hash ^ (uint8_t)key->class) * 0x100000001b3u;
	for (size_t i = 0; i < sizeof key->sent_at; i++)
		hash = (hash ^ (uint8_t)key->sent_at[i]) * 0x100000001b3u;
	for (size_t i = 0; i < sizeof key->stan; i++)
		hash = (hash ^ (uint8_t)key->stan[i]) * 0x100000001b3u;
	return (hash ^ hash >> 29) % FLIGHT_SLOTS;
}

static bool same_numbers(const struct flight_key *a, const struct flight_key *b)
{
	return memcmp(a, b, offsetof(struct flight_key, terminal)) == 0;
}

static void list_add(struct flight_list *list, struct flight_entry *entry)
{
	entry->after = NULL;
	entry->before = list->last;
	if (list->last)
		list->last->after = entry;
	else
		list->first = entry;
	list->last = entry;
	list->count++;
}

static void list_remove(struct flight_list *list, struct flight_entry *entry)
{
	if (entry->before)
		entry->before->after = entry->after;
	else
		list->first = entry->after;
	if (entry->after)
		entry->after->before = entry->before;
	else
		list->last = entry->before;
	list->count--;
}

void flight_init(struct flight *flight)
{
	*flight = (struct flight){ .earliest_ms = INT64_MAX };
}

void flight_done(struct flight *flight)
{
	CHECK(!flight->live.first);
	while (flight->late.first)
		flight_remove(flight, flight->late.first);
}

struct flight_entry *flight_find(const struct flight *flight, const struct flight_key *key)
{
	struct flight_entry *entry = flight->slots[slot_of(key)];

	while (entry && memcmp(&entry->key, key, sizeof *key) != 0)
		entry = entry->same_hash;
	return entry;
}

struct flight_entry *flight_find_without_terminal(const struct flight *flight,
                                                  const struct flight_key *key)
{
	struct flight_entry *found = NULL;

	for (struct flight_entry *entry = flight->slots[slot_of(key)]; entry;
	     entry = entry->same_hash) {
		if (entry->state == FLIGHT_LATE || !same_numbers(&entry->key, key))
			continue;
		if (found)
			return NULL;
		found = entry;
	}
	return found;
}

struct flight_entry *flight_add(struct flight *flight, const struct flight_key *key,
                                int64_t deadline_ms)
{
	struct flight_entry **slot = &flight->slots[slot_of(key)];

	if (flight_find(flight, key))
		return NULL;
	struct flight_entry *entry = calloc(1, sizeof *entry);
	CHECK(entry);
	entry->key = *key;
	entry->deadline_ms = deadline_ms;
	entry->same_hash = *slot;
	*slot = entry;
	list_add(&flight->live, entry);
	if (deadline_ms < flight->earliest_ms)
		flight->earliest_ms = deadline_ms;
	return entry;
}

void flight_make_late(struct flight *flight, struct flight_entry *entry, int64_t until_ms)
{
	CHECK(!entry->frame);
	list_remove(&flight->live, entry);
	list_add(&flight->late, entry);
	entry->state = FLIGHT_LATE;
	entry->deadline_ms = until_ms;
	if (flight->late.count > FLIGHT_LATE_MAX)
		flight_remove(flight, flight->late.first);
}

void flight_remove(struct flight *flight, struct flight_entry *entry)
{
	struct flight_entry **where = &flight->slots[slot_of(&entry->key)];

	CHECK(!entry->frame);
	while (*where != entry)
		where = &(*where)->same_hash;
	*where = entry->same_hash;
	list_remove(entry->state == FLIGHT_LATE ? &flight->late : &flight->live, entry);
	free(entry);
}

void flight_forget(struct flight *flight, int64_t now_ms)
{
	while (flight->late.first && flight->late.first->deadline_ms <= now_ms)
		flight_remove(flight, flight->late.first);
}
