// What the API keeps beside its objects: events, and the replies of requests that came with an
// Idempotency-Key.
#pragma once

#include "base/buffer.h"
#include "store/store.h"

// Of a key's HMAC and of a request's SHA-256: their first half tells them apart as well, and the
// index of the keys, of which every payment reads and writes a page, is two fifths shorter.
enum { STORE_IDEMPOTENCY_BYTES = 16 };

// A key that was used. The reply is NULL while the work is going on, or was when the program died.
struct store_replay {
	uint8_t fingerprint[STORE_IDEMPOTENCY_BYTES];
	int64_t at_ms;
	int64_t attempt, intent; // what the work is about; 0: not known
	int status;              // HTTP
	bool ended;
};

// Reads the row of a key; appends the reply to `reply`. False: the key was not used.
MUST_USE bool store_replay_find(struct store *store, struct bytes key, struct store_replay *ret,
                                struct buffer *reply);

enum store_replay_kind { STORE_REPLAY_SHORT = 0, STORE_REPLAY_MONEY = 1 };
// Drops what is older than its kind may be kept, among the next rows behind row `after` (0: from
// the first on): rows lie in the order of their making. Returns where to go on; 0 when the rest is
// too young.
int64_t store_replay_purge(struct store *store, int64_t after, int rows, int64_t short_before_ms,
                           int64_t money_before_ms);
