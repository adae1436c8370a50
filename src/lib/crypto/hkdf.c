// HKDF with SHA-256 (RFC 5869): extract, then expand.
#include "base/buffer.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "crypto/mac.h"

// One step of section 2.3: T(n) = HMAC(PRK, T(n-1) | info | n).
static void expand_step(const uint8_t key[static CRYPTO_SHA256], struct bytes before,
                        struct bytes info, uint8_t number, uint8_t ret_block[static CRYPTO_SHA256])
{
	cleanup(buffer_done) struct buffer message;

	buffer_init_secret(&message, 1024);
	buffer_put(&message, before);
	buffer_put(&message, info);
	buffer_put_byte(&message, number);
	CHECK(!message.failed);
	crypto_hmac(bytes_from(key, CRYPTO_SHA256), buffer_view(&message), ret_block);
}

void crypto_hkdf(struct bytes key, struct bytes salt, struct bytes info, uint8_t *ret_derived,
                 size_t length)
{
	static const uint8_t no_salt[CRYPTO_SHA256];
	uint8_t extracted[CRYPTO_SHA256];
	uint8_t block[CRYPTO_SHA256] = { 0 };
	size_t done = 0;

	CHECK(length <= CRYPTO_HKDF_MAX && info.length <= 256);
	crypto_hmac(salt.length ? salt : BYTES_ARRAY(no_salt), key, extracted);
	for (uint8_t number = 1; done < length; number++) {
		size_t before = number == 1 ? 0 : sizeof(block);
		size_t part = length - done < sizeof(block) ? length - done : sizeof(block);
		expand_step(extracted, bytes_from(block, before), info, number, block);
		memcpy(ret_derived + done, block, part);
		done += part;
	}
	explicit_bzero(extracted, sizeof(extracted));
	explicit_bzero(block, sizeof(block));
}
