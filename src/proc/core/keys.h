// API keys, by what a request sends. Those that were used last are remembered: the same few keys
// make all requests.
#pragma once

#include "core/core.h"

struct api_key {
	int64_t id, merchant, revoked_ms, used_ms;
	bool publishable;
};

struct keys;

struct keys *keys_new(void);
void keys_free(struct keys *keys);

// False: there is no such key. A key that was revoked is found.
bool keys_find(struct core *core, struct keys *keys, struct bytes key, struct api_key *ret_key);
// To be called when a key has changed in the store.
void keys_forget(struct keys *keys);
