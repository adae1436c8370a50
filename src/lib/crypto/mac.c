// SHA-256, HMAC-SHA-256 and random bytes from libcrypto. They cannot fail but for want of memory or
// a broken library, and then the program must not go on: hence CHECK.
//
// SHA-256 is called as such, which OpenSSL 3 would rather have done by EVP: there every digest
// begins with a search for its algorithm and ends with a free(), and a payment makes a dozen tags.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto/mac.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <limits.h>

enum { BLOCK = 64 }; // bytes that SHA-256 works on at a time

void crypto_sha256(struct bytes message, uint8_t ret_digest[static CRYPTO_SHA256])
{
	SHA256_CTX context;

	CHECK(SHA256_Init(&context) == 1 &&
	      SHA256_Update(&context, message.data, message.length) == 1 &&
	      SHA256_Final(ret_digest, &context) == 1);
	OPENSSL_cleanse(&context, sizeof(context));
}

// One pass of HMAC: the digest of the key under a pad, and of what follows it.
static void digest_after(SHA256_CTX *context, const uint8_t block[static BLOCK],
                         struct bytes message, uint8_t ret_digest[static CRYPTO_SHA256])
{
	CHECK(SHA256_Init(context) == 1 && SHA256_Update(context, block, BLOCK) == 1 &&
	      SHA256_Update(context, message.data, message.length) == 1 &&
	      SHA256_Final(ret_digest, context) == 1);
}

// RFC 2104 section 2, written out: HMAC() of OpenSSL 3 looks its algorithm up with every call,
// which takes longer than the two digests.
void crypto_hmac(struct bytes key, struct bytes message, uint8_t ret_tag[static CRYPTO_SHA256])
{
	SHA256_CTX context;
	uint8_t block[BLOCK] = { 0 };
	uint8_t inner[CRYPTO_SHA256];

	if (key.length > sizeof(block))
		crypto_sha256(key, block);
	else if (key.length)
		memcpy(block, key.data, key.length);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	digest_after(&context, block, message, inner);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5c;
	digest_after(&context, block, BYTES_ARRAY(inner), ret_tag);
	OPENSSL_cleanse(&context, sizeof(context));
	explicit_bzero(block, sizeof(block));
	explicit_bzero(inner, sizeof(inner));
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
