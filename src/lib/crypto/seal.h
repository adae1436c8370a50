// Sealing: AES-256-GCM (NIST SP 800-38D) under one key, with a random 96-bit nonce that goes in
// front and the 128-bit tag behind: nonce | ciphertext | tag. With random nonces a key may seal
// 2^32 times. A sealer is for one thread.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

enum {
	CRYPTO_KEY = 32,
	CRYPTO_NONCE = 12,
	CRYPTO_TAG = 16,
	CRYPTO_SEAL_OVERHEAD = CRYPTO_NONCE + CRYPTO_TAG,
};

struct crypto_sealer;

// Keeps the key schedule, so that one seal costs no set-up. The key may be wiped afterwards.
struct crypto_sealer *crypto_sealer_new(const uint8_t key[static CRYPTO_KEY]);
// Wipes. Accepts NULL.
void crypto_sealer_free(struct crypto_sealer *sealer);

// Writes plain.length + CRYPTO_SEAL_OVERHEAD bytes.
void crypto_seal(struct crypto_sealer *sealer, struct bytes plain, struct bytes associated,
                 uint8_t *ret_sealed);
// Writes sealed.length - CRYPTO_SEAL_OVERHEAD bytes. ERROR_CRYPTO when the text is too short or
// anything was changed; then ret_plain is wiped.
MUST_USE struct result crypto_open(struct crypto_sealer *sealer, struct bytes sealed,
                                   struct bytes associated, uint8_t *ret_plain);

// The parts by themselves, as JWE has them (RFC 7518 section 5.3).
MUST_USE struct result crypto_gcm_open(const uint8_t key[static CRYPTO_KEY], struct bytes nonce,
                                       struct bytes ciphertext, struct bytes tag,
                                       struct bytes associated, uint8_t *ret_plain);
void crypto_gcm_seal(const uint8_t key[static CRYPTO_KEY], struct bytes nonce, struct bytes plain,
                     struct bytes associated, uint8_t *ret_ciphertext,
                     uint8_t ret_tag[static CRYPTO_TAG]);
