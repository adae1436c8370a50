// The vault's process: one thread, one poll loop, no clock but the two that are read at the start
// of each turn. Channels lead to the parent (descriptor 3 from the start) and to core (handed
// over), pipes to the drivers. The messages are in wire/catalogue.def, the lines of drivers in
// docs/drivers.md, what happens when a program dies in ARCHITECTURE.md.
#pragma once

#include "answers.h"
#include "drivers.h"
#include "requests.h"
#include "vault/card.h"
#include "vault/codes.h"
#include "vault/keyring.h"
#include "wire/channel.h"

enum {
	VAULT_CODES_MAX = 32768,
	VAULT_PARENT_OUT = 1024 * 1024,
	VAULT_CORE_OUT = 16 * 1024 * 1024,
	VAULT_CORE_OUT_HIGH = 2 * 1024 * 1024, // above: core is not read until it reads
	VAULT_STOP_MS = 3000,                  // what is open may end when the parent says stop
};

struct vault {
	struct wire_channel parent;
	struct wire_channel core;
	struct vault_keyring *keyring;
	struct vault_pools pools;
	struct vault_codes *codes;
	struct vault_requests requests;
	struct vault_answers answers;
	struct vault_drivers drivers;
	int64_t wall_ms;      // this turn's times
	int64_t monotonic_ms; //
	bool live;            // test tokens are no cards
	bool stopping;
	int64_t stop_at_ms; // monotonic
};

// Takes the keyring. `parent` is the channel's descriptor.
MUST_USE struct result vault_init(struct vault *vault, int parent, struct vault_keyring *keyring);
void vault_done(struct vault *vault);
// Runs until the parent says stop or is gone. ERROR_INPUT: the parent broke the catalogue.
MUST_USE struct result vault_run(struct vault *vault);

// Handles the messages that came: parent.c, core.c. A failure ends the channel.
MUST_USE struct result vault_parent_messages(struct vault *vault);
MUST_USE struct result vault_core_messages(struct vault *vault);
// Tells core how connections are, as far as it was not told yet, and sends it the answers that
// wait.
void vault_tell_core(struct vault *vault);

// Tells the parent. What cannot be told is logged: the parent is then gone, and vault with it.
void vault_tell_parent(struct vault *vault, enum wire_number number,
                       const struct wire_value *values);
