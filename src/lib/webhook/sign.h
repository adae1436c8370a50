// Signatures of webhooks. Every endpoint has a secret of its own that is stored nowhere: it is
// derived from a master key (HKDF-SHA-256, RFC 5869) over what it is for, the endpoint's row and a
// version. One secret serves both schemes: `Stripe-Signature` (HMAC-SHA-256 keyed by the secret's
// text, over `t.body`, hexadecimal) and Standard Webhooks (keyed by the decoded part behind
// `whsec_`, over `id.t.body`, base64).
#pragma once

#include "base/bytes.h"

#include <stdint.h>

enum {
	WEBHOOK_MASTER_BYTES = 32,
	WEBHOOK_KEY_BYTES = 32,
	WEBHOOK_SECRET_CAPACITY = 56,     // "whsec_", 44 characters, a zero
	WEBHOOK_SIGNATURE_CAPACITY = 192, // of two secrets
	WEBHOOK_ID_MAX = 64,
};

// What a secret is for; the names are part of what is derived.
enum webhook_purpose {
	WEBHOOK_ENDPOINT = 0, // `id`: an endpoint
	WEBHOOK_LISTENER = 1, // `id`: a merchant, whose developer listens at the desk
};

// To be wiped by whoever has it: webhook_key_done(), fit for cleanup().
struct webhook_key {
	uint8_t key[WEBHOOK_KEY_BYTES];
	char secret[WEBHOOK_SECRET_CAPACITY]; // as merchants see it
};

void webhook_key_derive(const uint8_t master[static WEBHOOK_MASTER_BYTES],
                        enum webhook_purpose purpose, int64_t id, uint32_t version,
                        struct webhook_key *ret_key);
// The key of a secret that somebody was given. False: it is not one.
bool webhook_key_read(struct bytes secret, struct webhook_key *ret_key);
void webhook_key_done(struct webhook_key *key);

// The values of the header fields for one try, made at its time. `id` is the event's. With `old`
// (or NULL), a secret that is still good besides, both sign: a receiver that has either is content.
struct webhook_signature {
	char stripe[WEBHOOK_SIGNATURE_CAPACITY];   // Stripe-Signature: t=…,v1=…[,v1=…]
	char standard[WEBHOOK_SIGNATURE_CAPACITY]; // webhook-signature: v1,…[ v1,…]
};
void webhook_sign(const struct webhook_key *key, const struct webhook_key *old, struct bytes id,
                  int64_t time_s, struct bytes body, struct webhook_signature *ret_signature);
