// The vault's keys. One file, `keyring`, in a folder of its own (mode 0600, ours or root's) holds a
// root key of 32 random bytes for each version; everything else is derived from a root by HKDF with
// one purpose each: sealing cards, sealing connections, the P-256 key that browsers encrypt for.
// The newest version seals; all versions open. The fingerprint key is the first version's for ever:
// a fingerprint must not change when keys are rotated. THREATS.md says what this does not stop: who
// reads the file has every key.
#pragma once

#include "base/buffer.h"
#include "base/result.h"
#include "crypto/jwe.h"
#include "crypto/mac.h"
#include "crypto/seal.h"

enum { VAULT_VERSIONS_MAX = 16, VAULT_FINGERPRINT = CRYPTO_SHA256 };

struct vault_version {
	uint32_t number;
	struct crypto_sealer *cards;
	struct crypto_sealer *connections;
};

struct vault_keyring {
	size_t count; // the last one is the newest
	struct vault_version versions[VAULT_VERSIONS_MAX];
	struct crypto_jwe_key card_keys[VAULT_VERSIONS_MAX];
	struct secret_pool *pool;
	struct secret fingerprint_key;
};

// Reads the keyring of the folder; makes one with one version when there is none (durable when this
// returns). ERROR_DENIED: others could read or change the file. ERROR_INPUT: it is damaged; it is
// never repaired or replaced. ERROR_SYSTEM: errno says why.
MUST_USE struct result vault_keyring_open(int folder, struct vault_keyring **ret_keyring);
// Wipes. Accepts NULL.
void vault_keyring_free(struct vault_keyring *keyring);

// Adds a version to the folder's keyring file (durable when this returns). Programs that run see it
// when they open the keyring again. ERROR_LIMIT: there are VAULT_VERSIONS_MAX versions.
MUST_USE struct result vault_keyring_rotate(int folder);

static inline const struct vault_version *vault_keyring_newest(const struct vault_keyring *keyring)
{
	return &keyring->versions[keyring->count - 1];
}

// NULL when there is no such version.
const struct vault_version *vault_keyring_version(const struct vault_keyring *keyring,
                                                  uint32_t number);

// Appends the JWKS (RFC 7517 section 5) with the public key of the newest version.
void vault_keyring_put_jwks(const struct vault_keyring *keyring, struct buffer *buffer);

// A keyed hash of the whole card number (PCI DSS 3.5.1.1), the same for all merchants.
void vault_fingerprint(const struct vault_keyring *keyring, struct bytes number,
                       uint8_t ret_fingerprint[static VAULT_FINGERPRINT]);
