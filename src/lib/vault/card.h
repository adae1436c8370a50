// A card inside the vault, and its two sealed forms: what a browser encrypted (opened once) and
// what core stores (sealed and opened again). A stored card never holds the CVC.
#pragma once

#include "base/secret.h"
#include "card/number.h"
#include "vault/keyring.h"

enum {
	VAULT_HANDLE = 16,
	VAULT_NAME_MAX = 200,
	VAULT_CARD_SLOT = 32,                 // slots of the pool for numbers and codes
	VAULT_ENVELOPE_SLOT = CRYPTO_JWE_MAX, // slots of the pool for opened envelopes
	VAULT_CARD_SEALED_MAX = 256,
	VAULT_FRESH_BEFORE_S = 300, // an encrypted card may be this old
	VAULT_FRESH_AFTER_S = 60,   // and this far ahead
};

struct vault_card {
	struct secret number; // digits
	struct secret code;   // digits; empty when there is none
	uint8_t exp_month;
	uint16_t exp_year;
	const struct card_brand *brand;
	char name[VAULT_NAME_MAX + 1]; // UTF-8, may be empty
};

// Wipes. For cleanup(vault_card_done).
void vault_card_done(struct vault_card *card);

enum vault_problem {
	VAULT_GOOD,
	VAULT_UNREADABLE,
	VAULT_OTHER_INTENT,
	VAULT_STALE,
	VAULT_INVALID_NUMBER,
	VAULT_INVALID_EXPIRY_MONTH,
	VAULT_INVALID_EXPIRY_YEAR,
	VAULT_EXPIRED_CARD,
	VAULT_INVALID_CVC,
};

// The name on the wire ("" for VAULT_GOOD).
const char *vault_problem_name(enum vault_problem problem);

// Where an opened card is put while it is looked at.
struct vault_pools {
	struct secret_pool *envelopes; // slots of VAULT_ENVELOPE_SLOT
	struct secret_pool *cards;     // slots of VAULT_CARD_SLOT
};

// Reads the JSON text that a browser encrypts (docs/hosted-pages.md) and checks everything in it.
// With any problem *ret_card holds nothing.
enum vault_problem vault_card_read(struct bytes text, struct bytes intent, int64_t now_ms,
                                   struct secret_pool *cards, struct vault_card *ret_card);

// Opens what a browser encrypted. *ret_used is a digest of the JWE's ephemeral key: a JWE that
// comes twice has the same one. It is set for every problem but VAULT_UNREADABLE.
enum vault_problem vault_card_open_envelope(const struct vault_keyring *keyring,
                                            const struct vault_pools *pools, struct bytes jwe,
                                            struct bytes intent, int64_t now_ms,
                                            struct vault_card *ret_card,
                                            uint8_t ret_used[static CRYPTO_SHA256]);

// Seals number and expiry for the store, bound to merchant, handle and key version. The sealed text
// has the same length for every card.
void vault_card_seal(const struct vault_keyring *keyring, const struct vault_card *card,
                     uint64_t merchant, const uint8_t handle[static VAULT_HANDLE],
                     struct buffer *ret_sealed);
// ERROR_CRYPTO: changed, of another merchant or handle, or of a version that we do not have. The
// card comes without code and name.
MUST_USE struct result vault_card_open(const struct vault_keyring *keyring,
                                       struct secret_pool *cards, struct bytes sealed,
                                       uint64_t merchant, const uint8_t handle[static VAULT_HANDLE],
                                       struct vault_card *ret_card);
