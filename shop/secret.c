// Random bytes from the kernel, SHA-256 and HMAC from OpenSSL.
#include "secret.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/random.h>

void shop_random(void *ret_bytes, size_t length)
{
	CHECK(length <= 256);
	CHECK(getrandom(ret_bytes, length, 0) == (ssize_t)length);
}

void shop_token(char ret_token[SHOP_TOKEN_TEXT])
{
	uint8_t random[32];
	struct buffer text;

	shop_random(random, sizeof random);
	buffer_init_secret(&text, SHOP_TOKEN_TEXT);
	base64url_put(&text, BYTES_ARRAY(random));
	CHECK(bytes_copy_text(buffer_view(&text), ret_token, SHOP_TOKEN_TEXT));
	buffer_done(&text);
	explicit_bzero(random, sizeof random);
}

void shop_code(char ret_code[SHOP_CODE_TEXT])
{
	const uint32_t limit = UINT32_MAX - UINT32_MAX % 1000000;
	uint32_t number = 0;

	// What lies above the last whole million would make small codes likelier.
	do {
		shop_random(&number, sizeof number);
	} while (number >= limit);
	(void)snprintf(ret_code, SHOP_CODE_TEXT, "%06u", (unsigned)(number % 1000000));
	explicit_bzero(&number, sizeof number);
}

void shop_hash(struct bytes text, uint8_t ret_hash[SHOP_HASH])
{
	CHECK(EVP_Digest(text.data, text.length, ret_hash, NULL, EVP_sha256(), NULL) == 1);
}

void shop_keyed_hash(struct bytes key, struct bytes text, uint8_t ret_hash[SHOP_HASH])
{
	unsigned length = SHOP_HASH;

	CHECK(HMAC(EVP_sha256(), key.data, (int)key.length, text.data, text.length, ret_hash,
	           &length) != NULL);
}
