// The connections to banks: names, policies and sealed blobs in the store, how they are in memory.
#pragma once

#include "core/core.h"
#include "core/policy.h"

// A driver with its parameters, as vault reports it.
struct connection {
	struct connection *next;
	int64_t number;
	char name[64];
	char driver[64];
	bool bank;    // else: authentication
	bool enabled; // may be picked for something new
	int state;    // WIRE_CONNECTION_STATE: 0 starting, 1 up, 2 down, 3 failed
	char detail[256];
	struct connection_policy policy;
};

void connections_load(struct core *core);
void connections_tell_vault(struct core *core);
// The policy of a connection, by its number.
struct connection_policy connections_policy_of(const struct core *core, int64_t number);
// The next connection that takes a payment which not one byte of left on the attempt's own: the
// first after it in the order of priorities that is up.
const struct connection *connections_after(const struct core *core, const struct attempt *row);
// Appends the policy as it is stored.
void connections_policy(struct core *core, const char *name, struct buffer *json);
void connections_state(struct core *core, const struct wire_message *message);

// What a connection is picked for; NULL or "": whatever it is.
struct connection_facts {
	bool bank; // else: authentication
	int64_t merchant;
	const char *brand, *currency;
};
// The first in the order of priorities that is enabled and whose policy takes it, preferring those
// that are up; NULL: none.
const struct connection *connections_pick(const struct core *core,
                                          const struct connection_facts *facts);
// The same for something with a stored card.
const struct connection *connections_pick_for(const struct core *core, bool bank, int64_t merchant,
                                              int64_t card, const char *currency);
struct connection *connections_find(const struct core *core, const char *name);
// Is there one of this number still?
bool connections_has(const struct core *core, int64_t number);
