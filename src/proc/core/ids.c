// Row keys: milliseconds since the start of 2025 and a sequence. They grow whatever the clock does.
// The sequence stays below 600, so that millisecond and sequence fit into the six characters that
// DE37 has for them (flow_bank.c): a busy millisecond borrows from the next ones.
#include "core/core.h"

enum { KEY_SEQUENCE_BITS = 21, KEY_GAP = 1 << KEY_SEQUENCE_BITS };

// Row keys count milliseconds from the start of 2025.
static const int64_t key_start_ms = 1735689600000;

// Questions to drivers take keys that no row has. Each start leaves more of them out than a life
// can have used after its last row, and writes down where it begins: the next start begins behind
// that, even if nothing but questions came in between.
void core_ids_start(struct core *core)
{
	int64_t begun = 0;
	int64_t last = store_last_id(core->store);

	if (store_setting(core->store, "last_id", (uint8_t *)&begun, sizeof(begun)) && begun > last)
		last = begun;
	core->last_id = last + KEY_GAP;
	store_set_setting(core->store, "last_id",
	                  bytes_from(&core->last_id, sizeof(core->last_id)));
}

int64_t core_next_id(struct core *core)
{
	int64_t now = (core->now_ms - key_start_ms) * KEY_GAP; // below zero before 2025

	if (now > core->last_id)
		core->last_id = now;
	else if (core_id_sequence(core->last_id) + 1 < CORE_ID_SEQUENCES)
		core->last_id++;
	else
		core->last_id = ((core->last_id >> KEY_SEQUENCE_BITS) + 1) * KEY_GAP;
	return core->last_id;
}

int core_id_sequence(int64_t id)
{
	return (int)(id & ((1 << KEY_SEQUENCE_BITS) - 1));
}

int64_t core_id_make(int64_t ms, int sequence)
{
	return (ms - key_start_ms) * KEY_GAP + sequence;
}

int64_t core_id_ms(int64_t id)
{
	return (id >> KEY_SEQUENCE_BITS) + key_start_ms;
}
