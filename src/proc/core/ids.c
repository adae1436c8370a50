// Row keys: milliseconds since the start of 2025 and a sequence. They grow whatever the clock does.
#include "core/core.h"

enum { KEY_SEQUENCE_BITS = 21, KEY_GAP_MS = 1000 };

// Row keys count milliseconds from the start of 2025.
static const int64_t key_start_ms = 1735689600000;

void core_ids_start(struct core *core)
{
	core->last_id = store_last_id(core->store) + ((int64_t)KEY_GAP_MS << KEY_SEQUENCE_BITS);
}

int64_t core_next_id(struct core *core)
{
	int64_t now = (core->now_ms - key_start_ms) << KEY_SEQUENCE_BITS;

	core->last_id = now > core->last_id ? now : core->last_id + 1;
	return core->last_id;
}

int64_t core_id_ms(int64_t id)
{
	return (id >> KEY_SEQUENCE_BITS) + key_start_ms;
}
