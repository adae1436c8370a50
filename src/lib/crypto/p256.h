// Elliptic curve Diffie-Hellman on P-256 (FIPS 186-5, SP 800-56A): keys, their JWK form (RFC 7517,
// RFC 7518 section 6.2) and thumbprint (RFC 7638), the shared secret, and the Concat KDF that JWE
// derives its key with.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

enum {
	CRYPTO_P256_SCALAR = 32, // a private key, or one coordinate, big-endian
	CRYPTO_P256_SEED = 48,
	CRYPTO_P256_SHARED = 32,
	CRYPTO_THUMBPRINT_TEXT = 43, // base64url of 32 bytes
};

// A public key as its two coordinates.
struct crypto_p256_point {
	uint8_t x[CRYPTO_P256_SCALAR];
	uint8_t y[CRYPTO_P256_SCALAR];
};

// A private key with its public one. For one thread.
struct crypto_p256;

struct crypto_p256 *crypto_p256_generate(void);
// ERROR_CRYPTO when the number is not from 1 to the curve's order - 1.
MUST_USE struct result crypto_p256_import(struct bytes scalar, struct crypto_p256 **ret_key);
// The same key for the same 48 bytes: (seed mod (order - 1)) + 1 (FIPS 186-5 A.2.1).
struct crypto_p256 *crypto_p256_from_seed(const uint8_t seed[static CRYPTO_P256_SEED]);
// The private number; ret_scalar must hold CRYPTO_P256_SCALAR bytes.
void crypto_p256_export(const struct crypto_p256 *key, struct secret *ret_scalar);
// Wipes. Accepts NULL.
void crypto_p256_free(struct crypto_p256 *key);

struct crypto_p256_point crypto_p256_public(const struct crypto_p256 *key);

// Appends {"kty":"EC","crv":"P-256","x":…,"y":…}: a JWK without its closing brace when `open` is
// set, so that members can follow.
void crypto_p256_put_jwk(struct buffer *buffer, const struct crypto_p256_point *point, bool open);
// The thumbprint (RFC 7638), base64url, with a terminating zero.
void crypto_p256_thumbprint(const struct crypto_p256_point *point,
                            char ret_text[static CRYPTO_THUMBPRINT_TEXT + 1]);

// The shared secret with another's public key. ERROR_CRYPTO when that is not a point of the curve.
MUST_USE struct result crypto_p256_agree(struct crypto_p256 *key,
                                         const struct crypto_p256_point *other,
                                         uint8_t ret_shared[static CRYPTO_P256_SHARED]);

// Concat KDF with SHA-256 (RFC 7518 section 4.6.2), at most 32 bytes: one round.
void crypto_concat_kdf(const uint8_t shared[static CRYPTO_P256_SHARED], struct bytes algorithm,
                       struct bytes party_u, struct bytes party_v, uint8_t *ret_key, size_t length);
