// SHA-256, HMAC-SHA-256 and random bytes from libcrypto. They cannot fail but for want of memory or
// a broken library, and then the program must not go on: hence CHECK.
#include "crypto/mac.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <limits.h>

void crypto_sha256(struct bytes message, uint8_t ret_digest[static CRYPTO_SHA256])
{
	unsigned length = 0;

	CHECK(EVP_Digest(message.data, message.length, ret_digest, &length, EVP_sha256(), NULL) ==
	      1);
	CHECK(length == CRYPTO_SHA256);
}

void crypto_hmac(struct bytes key, struct bytes message, uint8_t ret_tag[static CRYPTO_SHA256])
{
	unsigned length = 0;
	// HMAC() reads a NULL key as "the key of the call before".
	const void *data = key.length ? key.data : (const uint8_t *)"";

	CHECK(key.length <= INT_MAX);
	CHECK(HMAC(EVP_sha256(), data, (int)key.length, message.data, message.length, ret_tag,
	           &length));
	CHECK(length == CRYPTO_SHA256);
}

void crypto_random(void *ret_bytes, size_t length)
{
	CHECK(length <= INT_MAX);
	CHECK(RAND_bytes(ret_bytes, (int)length) == 1);
}

struct crypto_hash *crypto_hash_new(void)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	CHECK(context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
	return (struct crypto_hash *)context;
}

void crypto_hash_add(struct crypto_hash *hash, struct bytes part)
{
	CHECK(EVP_DigestUpdate((EVP_MD_CTX *)hash, part.data, part.length) == 1);
}

void crypto_hash_end(struct crypto_hash *hash, uint8_t *ret_digest)
{
	unsigned length = CRYPTO_SHA256;

	if (ret_digest)
		CHECK(EVP_DigestFinal_ex((EVP_MD_CTX *)hash, ret_digest, &length) == 1);
	CHECK(length == CRYPTO_SHA256);
	EVP_MD_CTX_free((EVP_MD_CTX *)hash);
}
