// See keys.h.
#include "core/keys.h"

#include "base/check.h"
#include "crypto/mac.h"

#include <stdlib.h>

enum { PLACES = 64, USED_MS = 60000 };

// A table of places, found by the first byte of the key's hash: a newer key takes the place of an
// older one.
struct keys {
	struct place {
		uint8_t hash[CRYPTO_SHA256];
		struct api_key key; // id 0: free
	} places[PLACES];
};

struct keys *keys_new(void)
{
	struct keys *keys = calloc(1, sizeof(*keys));

	CHECK(keys);
	return keys;
}

void keys_free(struct keys *keys)
{
	free(keys);
}

void keys_forget(struct keys *keys)
{
	*keys = (struct keys){ 0 };
}

static bool load(struct core *core, struct bytes hash, struct api_key *ret_key)
{
	struct store_query query = store_ask(core->store, STORE_KEY_FIND, STORE_B(hash));
	bool found = store_step(&query);

	if (found)
		*ret_key = (struct api_key){
			.merchant = store_number(&query, 0),
			.publishable = store_number(&query, 1) != 0,
			.revoked_ms = store_number(&query, 2),
			.used_ms = store_number(&query, 3),
			.id = store_number(&query, 4),
		};
	store_end(&query);
	return found;
}

// Noted once a minute at most: a key in use must not make every request write.
static void note_use(struct core *core, struct bytes hash, struct api_key *key)
{
	if (key->revoked_ms || core->now_ms - key->used_ms < USED_MS)
		return;
	key->used_ms = core->now_ms;
	store_run(core->store, STORE_KEY_USED, STORE_N(core->now_ms), STORE_B(hash));
}

bool keys_find(struct core *core, struct keys *keys, struct bytes key, struct api_key *ret_key)
{
	uint8_t hash[CRYPTO_SHA256];

	crypto_sha256(key, hash);
	struct place *place = &keys->places[hash[0] % PLACES];
	if (!place->key.id || memcmp(place->hash, hash, sizeof(hash)) != 0) {
		struct api_key loaded;
		if (!load(core, BYTES_ARRAY(hash), &loaded))
			return false;
		memcpy(place->hash, hash, sizeof(hash));
		place->key = loaded;
	}
	note_use(core, BYTES_ARRAY(hash), &place->key);
	*ret_key = place->key;
	return true;
}
