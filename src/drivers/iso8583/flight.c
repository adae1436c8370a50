// Two lists, live and late, over one hash table by key. The hash is over DE11 (or DE37 where DE11
// does not count), so that an answer that breaks off behind it can still be told whose it is.
#include "flight.h"

#include "base/check.h"

#include <stdlib.h>

static bool is_blank(const char *text)
{
	return text[0] == ' ';
}

static uint64_t add_to_hash(uint64_t hash, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)text[i]) * 0x100000001b3u;
	return hash;
}

static size_t slot_of(const struct flight_key *key)
{
	uint64_t hash = add_to_hash(0xcbf29ce484222325u, &key->class, 1);

	hash = is_blank(key->stan) ? add_to_hash(hash, key->rrn, sizeof key->rrn)
	                           : add_to_hash(hash, key->stan, sizeof key->stan);
	return (hash ^ hash >> 29) % FLIGHT_SLOTS;
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

// The same as far as it was read.
static bool same_before(const struct flight_key *a, const struct flight_key *b, int field)
{
	return a->class == b->class &&
	       (field <= 7 || memcmp(a->sent_at, b->sent_at, sizeof a->sent_at) == 0) &&
	       memcmp(a->stan, b->stan, sizeof a->stan) == 0 &&
	       (field <= 37 || memcmp(a->rrn, b->rrn, sizeof a->rrn) == 0) &&
	       (field <= 41 || memcmp(a->terminal, b->terminal, sizeof a->terminal) == 0);
}

struct flight_entry *flight_find_partly(const struct flight *flight, const struct flight_key *key,
                                        int field)
{
	struct flight_entry *found = NULL;

	// What the hash is made of must have been read.
	if (field <= 11 || (is_blank(key->stan) && field <= 37))
		return NULL;
	for (struct flight_entry *entry = flight->slots[slot_of(key)]; entry;
	     entry = entry->same_hash) {
		if (entry->state == FLIGHT_LATE || !same_before(&entry->key, key, field))
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
