// libcrypto's default provider has no single DES any more; triple DES with equal keys is the same
// function: E(D(E(x))) is E(x).
#include "crypto/message_mac.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 8, KEY = 8 };

struct crypto_message_mac {
	EVP_CIPHER_CTX *chain, *last; // retail: DES-CBC with the left key; the last block with both
	EVP_MAC_CTX *cmac;
};

static EVP_CIPHER_CTX *new_cipher(const EVP_CIPHER *cipher, const uint8_t *key)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	CHECK(context && EVP_EncryptInit_ex(context, cipher, NULL, key, NULL) == 1);
	CHECK(EVP_CIPHER_CTX_set_padding(context, 0) == 1);
	return context;
}

static EVP_MAC_CTX *new_cmac(struct bytes key)
{
	EVP_MAC *cmac = EVP_MAC_fetch(NULL, "CMAC", NULL);
	char cipher[16] = "AES-128-CBC";
	const OSSL_PARAM parameters[] = { OSSL_PARAM_utf8_string("cipher", cipher, 0),
		                          OSSL_PARAM_END };

	CHECK(key.length == 16 || key.length == 24 || key.length == 32);
	memcpy(cipher + 4, key.length == 16 ? "128" : key.length == 24 ? "192" : "256", 3);
	EVP_MAC_CTX *context = cmac ? EVP_MAC_CTX_new(cmac) : NULL;
	CHECK(context && EVP_MAC_init(context, key.data, key.length, parameters) == 1);
	EVP_MAC_free(cmac);
	return context;
}

struct crypto_message_mac *crypto_message_mac_new(enum crypto_message_mac_kind kind,
                                                  struct bytes key)
{
	struct crypto_message_mac *mac = calloc(1, sizeof *mac);
	uint8_t keys[3 * KEY];

	CHECK(mac);
	if (kind == CRYPTO_AES_CMAC) {
		mac->cmac = new_cmac(key);
		return mac;
	}
	CHECK(key.length == 2 * KEY);
	for (int i = 0; i < 3; i++)
		memcpy(keys + i * KEY, key.data, KEY);
	mac->chain = new_cipher(EVP_des_ede3_cbc(), keys);
	memcpy(keys + KEY, key.data + KEY, KEY);
	mac->last = new_cipher(EVP_des_ede3_cbc(), keys);
	explicit_bzero(keys, sizeof keys);
	return mac;
}

void crypto_message_mac_free(struct crypto_message_mac *mac)
{
	if (!mac)
		return;
	EVP_CIPHER_CTX_free(mac->chain);
	EVP_CIPHER_CTX_free(mac->last);
	EVP_MAC_CTX_free(mac->cmac);
	free(mac);
}

// Encrypts whole blocks and leaves the last block of the result in `iv`.
static void encrypt(EVP_CIPHER_CTX *context, uint8_t iv[static BLOCK], const uint8_t *data,
                    size_t length)
{
	uint8_t out[256];
	int written;

	CHECK(EVP_EncryptInit_ex(context, NULL, NULL, NULL, iv) == 1);
	while (length > 0) {
		size_t part = length < sizeof out ? length : sizeof out;
		CHECK(EVP_EncryptUpdate(context, out, &written, data, (int)part) == 1 &&
		      written == (int)part);
		memcpy(iv, out + part - BLOCK, BLOCK);
		data += part;
		length -= part;
	}
}

static void retail(struct crypto_message_mac *mac, struct bytes message,
                   uint8_t ret_mac[static BLOCK])
{
	size_t before = message.length > 0 ? (message.length - 1) / BLOCK * BLOCK : 0;
	uint8_t block[BLOCK] = { 0 };

	memset(ret_mac, 0, BLOCK);
	encrypt(mac->chain, ret_mac, message.data, before);
	if (message.length > 0)
		memcpy(block, message.data + before, message.length - before);
	encrypt(mac->last, ret_mac, block, BLOCK);
	explicit_bzero(block, sizeof block);
}

void crypto_message_mac(struct crypto_message_mac *mac, struct bytes message,
                        uint8_t ret_mac[static CRYPTO_MESSAGE_MAC])
{
	uint8_t whole[16];
	size_t length;

	if (!mac->cmac) {
		retail(mac, message, ret_mac);
		return;
	}
	CHECK(EVP_MAC_init(mac->cmac, NULL, 0, NULL) == 1 &&
	      EVP_MAC_update(mac->cmac, message.data, message.length) == 1 &&
	      EVP_MAC_final(mac->cmac, whole, &length, sizeof whole) == 1 &&
	      length == sizeof whole);
	memcpy(ret_mac, whole, CRYPTO_MESSAGE_MAC);
}
