// JSON Web Encryption (RFC 7516) in the one form that we take: compact, "alg":"ECDH-ES" with an
// ephemeral P-256 key, "enc":"A256GCM". No compression, no party information, no extension, no
// other algorithm. Sealing and opening are files and dependencies of their own: a client that seals
// (crypto_jwe_seal) does not hold the code that opens (crypto_jwe_open).
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"
#include "crypto/p256.h"

enum { CRYPTO_JWE_MAX = 4096, CRYPTO_JWE_KID_MAX = 64 };

// Appends the JWE of `plain` for the key of that name. `kid` is printable ASCII without quote and
// backslash.
void crypto_jwe_seal(const struct crypto_p256_point *recipient, struct bytes kid,
                     struct bytes plain, struct buffer *ret_jwe);

// A key that texts may be encrypted for.
struct crypto_jwe_key {
	char kid[CRYPTO_JWE_KID_MAX + 1];
	struct crypto_p256 *key;
};

// Opens `jwe` with the key that it names ("" when it names none). *ret_plain is taken from `pool`,
// whose slots must hold CRYPTO_JWE_MAX bytes; it is the caller's to give back. `ret_epk` is the
// ephemeral public key, which is different for every JWE. Whatever is wrong, there is one answer:
// ERROR_CRYPTO and always the same sentence.
MUST_USE struct result crypto_jwe_open(struct bytes jwe, const struct crypto_jwe_key *keys,
                                       size_t count, struct secret_pool *pool,
                                       struct secret *ret_plain, struct crypto_p256_point *ret_epk);
