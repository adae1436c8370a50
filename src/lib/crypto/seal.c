// AES-256-GCM from libcrypto. Sealing cannot fail but for want of memory (CHECK); opening can.
#include "crypto/seal.h"

#include "base/check.h"
#include "crypto/mac.h"

#include <openssl/evp.h>

#include <limits.h>
#include <stdlib.h>

struct crypto_sealer {
	EVP_CIPHER_CTX *seal;
	EVP_CIPHER_CTX *open;
};

static EVP_CIPHER_CTX *context_new(const uint8_t key[static CRYPTO_KEY], int encrypt)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	CHECK(context &&
	      EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, NULL, encrypt) == 1);
	return context;
}

struct crypto_sealer *crypto_sealer_new(const uint8_t key[static CRYPTO_KEY])
{
	struct crypto_sealer *sealer = malloc(sizeof(*sealer));

	CHECK(sealer);
	*sealer = (struct crypto_sealer){ context_new(key, 1), context_new(key, 0) };
	return sealer;
}

void crypto_sealer_free(struct crypto_sealer *sealer)
{
	if (!sealer)
		return;
	EVP_CIPHER_CTX_free(sealer->seal);
	EVP_CIPHER_CTX_free(sealer->open);
	free(sealer);
}

static void seal_with(EVP_CIPHER_CTX *context, const uint8_t *nonce, struct bytes plain,
                      struct bytes associated, uint8_t *ret_ciphertext, uint8_t *ret_tag)
{
	int length = 0;

	CHECK(plain.length <= INT_MAX && associated.length <= INT_MAX);
	CHECK(EVP_EncryptInit_ex(context, NULL, NULL, NULL, nonce) == 1);
	CHECK(EVP_EncryptUpdate(context, NULL, &length, associated.data, (int)associated.length) ==
	      1);
	CHECK(EVP_EncryptUpdate(context, ret_ciphertext, &length, plain.data, (int)plain.length) ==
	      1);
	CHECK(EVP_EncryptFinal_ex(context, ret_ciphertext + length, &length) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CRYPTO_TAG, ret_tag) == 1);
}

static struct result open_with(EVP_CIPHER_CTX *context, const uint8_t *nonce,
                               struct bytes ciphertext, const uint8_t *tag, struct bytes associated,
                               uint8_t *ret_plain)
{
	uint8_t expected[CRYPTO_TAG];
	int length = 0;

	CHECK(ciphertext.length <= INT_MAX && associated.length <= INT_MAX);
	memcpy(expected, tag, sizeof(expected));
	CHECK(EVP_DecryptInit_ex(context, NULL, NULL, NULL, nonce) == 1);
	CHECK(EVP_DecryptUpdate(context, NULL, &length, associated.data, (int)associated.length) ==
	      1);
	CHECK(EVP_DecryptUpdate(context, ret_plain, &length, ciphertext.data,
	                        (int)ciphertext.length) == 1);
	CHECK(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CRYPTO_TAG, expected) == 1);
	if (EVP_DecryptFinal_ex(context, ret_plain + length, &length) == 1)
		return RESULT_OK;
	explicit_bzero(ret_plain, ciphertext.length);
	return FAIL(ERROR_CRYPTO, "a sealed text does not open");
}

void crypto_seal(struct crypto_sealer *sealer, struct bytes plain, struct bytes associated,
                 uint8_t *ret_sealed)
{
	crypto_random(ret_sealed, CRYPTO_NONCE);
	seal_with(sealer->seal, ret_sealed, plain, associated, ret_sealed + CRYPTO_NONCE,
	          ret_sealed + CRYPTO_NONCE + plain.length);
}

struct result crypto_open(struct crypto_sealer *sealer, struct bytes sealed,
                          struct bytes associated, uint8_t *ret_plain)
{
	if (sealed.length < CRYPTO_SEAL_OVERHEAD)
		return FAIL(ERROR_CRYPTO, "a sealed text does not open");
	size_t length = sealed.length - CRYPTO_SEAL_OVERHEAD;
	return open_with(sealer->open, sealed.data, bytes_from(sealed.data + CRYPTO_NONCE, length),
	                 sealed.data + CRYPTO_NONCE + length, associated, ret_plain);
}

struct result crypto_gcm_open(const uint8_t key[static CRYPTO_KEY], struct bytes nonce,
                              struct bytes ciphertext, struct bytes tag, struct bytes associated,
                              uint8_t *ret_plain)
{
	if (nonce.length != CRYPTO_NONCE || tag.length != CRYPTO_TAG)
		return FAIL(ERROR_CRYPTO, "a sealed text does not open");
	EVP_CIPHER_CTX *context = context_new(key, 0);
	struct result result =
	        open_with(context, nonce.data, ciphertext, tag.data, associated, ret_plain);
	EVP_CIPHER_CTX_free(context);
	return result;
}

void crypto_gcm_seal(const uint8_t key[static CRYPTO_KEY], struct bytes nonce, struct bytes plain,
                     struct bytes associated, uint8_t *ret_ciphertext,
                     uint8_t ret_tag[static CRYPTO_TAG])
{
	CHECK(nonce.length == CRYPTO_NONCE);
	EVP_CIPHER_CTX *context = context_new(key, 1);
	seal_with(context, nonce.data, plain, associated, ret_ciphertext, ret_tag);
	EVP_CIPHER_CTX_free(context);
}
