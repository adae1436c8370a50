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

int64_t store_replay_purge(struct store *store, int64_t after, int rows, int64_t short_before_ms,
                           int64_t money_before_ms)
{
	struct store_query query =
	        store_ask(store, STORE_IDEMPOTENCY_WINDOW, STORE_N(after), STORE_N(rows));
	bool found = store_step(&query) && !store_is_null(&query, 0);
	int64_t last = found ? store_number(&query, 0) : 0;
	bool all_are_young = found && store_number(&query, 1) >= short_before_ms;

	store_end(&query);
	if (!found || all_are_young)
		return 0;
	store_run(store, STORE_IDEMPOTENCY_PURGE, STORE_N(after), STORE_N(last),
	          STORE_N(short_before_ms), STORE_N(money_before_ms));
	return last;
}
