// Hashes, message authentication and random bytes: the part of lib/crypto that any program may link
// (dependency crypto_mac). SHA-256: FIPS 180-4; HMAC: RFC 2104; HKDF: RFC 5869. Comparing tags:
// bytes_equal_constant_time() in base/bytes.h.
#pragma once

#include "base/bytes.h"

enum { CRYPTO_SHA256 = 32, CRYPTO_HKDF_MAX = 255 * CRYPTO_SHA256 };

void crypto_sha256(struct bytes message, uint8_t ret_digest[static CRYPTO_SHA256]);

void crypto_hmac(struct bytes key, struct bytes message, uint8_t ret_tag[static CRYPTO_SHA256]);

// Derives `length` bytes (at most CRYPTO_HKDF_MAX) for the purpose that `info` names. An empty salt
// is allowed (RFC 5869 section 2.2).
void crypto_hkdf(struct bytes key, struct bytes salt, struct bytes info, uint8_t *ret_derived,
                 size_t length);

// Fills with bytes of the system's generator; stops the program when there are none.
void crypto_random(void *ret_bytes, size_t length);

// A digest over a message that comes in parts: a file.
struct crypto_hash;
struct crypto_hash *crypto_hash_new(void);
void crypto_hash_add(struct crypto_hash *hash, struct bytes part);
// Gives the digest of all parts and frees. `hash` may be freed without a digest: NULL.
void crypto_hash_end(struct crypto_hash *hash, uint8_t *ret_digest);
