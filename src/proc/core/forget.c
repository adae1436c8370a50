// See forget.h.
#include "core/forget.h"

#include "core/flows.h"

enum { ROWS = 256 };

static const int64_t hour_ms = 3600 * 1000, day_ms = 24 * 3600 * 1000;

void forget_begin(struct core *core)
{
	struct store *store = core->store;

	core->flows->forget = (struct forget){ 0 };
	// As long as the answer to its key is kept, which is made from the row.
	store_run(store, STORE_CUSTOMER_SESSIONS_PURGE, STORE_N(core->now_ms - 96 * hour_ms));
	store_run(store, STORE_PORTALS_PURGE, STORE_N(core->now_ms - hour_ms));
	store_run(store, STORE_BLOCKED_PURGE, STORE_N(core->now_ms));
	core->flows->window.known = false;
}

// In the order of their digests, which says nothing of their age: all are looked at. False: the
// walk is at its end.
static bool forget_used_cards(struct core *core)
{
	struct forget *forget = &core->flows->forget;
	struct bytes after = bytes_from(forget->last, forget->length);
	struct forget next = { .length = sizeof(next.last) };
	struct store_query query =
	        store_ask(core->store, STORE_CARD_USED_WINDOW, STORE_B(after), STORE_N(ROWS));
	bool found = store_step(&query) && !store_is_null(&query, 0) &&
	             store_bytes(&query, 0).length == sizeof(next.last);

	if (found)
		memcpy(next.last, store_bytes(&query, 0).data, sizeof(next.last));
	store_end(&query);
	if (!found)
		return false;
	store_run(core->store, STORE_CARD_USED_PURGE, STORE_B(after),
	          STORE_B(BYTES_ARRAY(next.last)), STORE_N(core->now_ms - hour_ms));
	*forget = next;
	return true;
}

bool forget_some(struct core *core)
{
	int64_t first_kept = core_id_make(core->now_ms - 31 * day_ms, 0);
	bool more = forget_used_cards(core);

	return store_run(core->store, STORE_TRIALS_PURGE, STORE_N(first_kept), STORE_N(ROWS)) ==
	               ROWS ||
	       more;
}
