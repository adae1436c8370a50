// See forget.h.
#include "core/forget.h"

#include "core/flows.h"

enum { ROWS = 256 };

static const int64_t hour_ms = 3600 * 1000, day_ms = 24 * 3600 * 1000;

void forget_begin(struct core *core)
{
	core->flows->forget = (struct forget){ 0 };
	store_run(core->store, STORE_BLOCKED_PURGE, STORE_N(core->now_ms));
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

// The first rows that are older than `before`. False: there are no more.
static bool forget_before(struct core *core, enum store_statement purge, int64_t before)
{
	return store_run(core->store, purge, STORE_N(before), STORE_N(ROWS)) == ROWS;
}

bool forget_some(struct core *core)
{
	const int64_t now_ms = core->now_ms;
	bool more = forget_used_cards(core);

	more |= forget_before(core, STORE_TRIALS_PURGE, core_id_make(now_ms - 31 * day_ms, 0));
	// As long as the answer to its key is kept, which is made from the row.
	more |= forget_before(core, STORE_CUSTOMER_SESSIONS_PURGE, now_ms - 96 * hour_ms);
	more |= forget_before(core, STORE_PORTALS_PURGE, now_ms - hour_ms);
	return more;
}
