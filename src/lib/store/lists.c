// Rows of the table idempotency.
#include "store/lists.h"

bool store_replay_find(struct store *store, struct bytes key, struct store_replay *ret,
                       struct buffer *reply)
{
	struct store_query query = store_ask(store, STORE_IDEMPOTENCY_FIND, STORE_B(key));
	bool found = store_step(&query);

	*ret = (struct store_replay){ 0 };
	if (found) {
		struct bytes fingerprint = store_bytes(&query, 0);
		if (fingerprint.length == sizeof(ret->fingerprint))
			memcpy(ret->fingerprint, fingerprint.data, sizeof(ret->fingerprint));
		ret->at_ms = store_number(&query, 1);
		ret->attempt = store_number(&query, 2);
		ret->intent = store_number(&query, 3);
		ret->status = (int)store_number(&query, 4);
		ret->ended = !store_is_null(&query, 5);
		if (ret->ended)
			store_text(&query, 5, reply);
	}
	store_end(&query);
	return found;
}

void store_replay_purge(struct store *store, uint8_t slice, int64_t short_before_ms,
                        int64_t money_before_ms)
{
	uint8_t from[1] = { slice };
	// A key is 32 bytes: everything that begins with 0xff is below 33 bytes of 0xff.
	uint8_t to[STORE_IDEMPOTENCY_BYTES + 1];
	struct bytes end = BYTES_ARRAY(to);

	memset(to, 0xff, sizeof(to));
	if (slice < 0xff) {
		to[0] = (uint8_t)(slice + 1);
		end = bytes_from(to, 1);
	}
	store_run(store, STORE_IDEMPOTENCY_PURGE, STORE_B(BYTES_ARRAY(from)), STORE_B(end),
	          STORE_N(short_before_ms), STORE_N(money_before_ms));
}
