// libFuzzer target: opening whatever text. The first byte chooses whether the bytes are a whole JWE
// or only its header, which is then put in front of sound parts.
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/jwe.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_pool *pool;
	static struct crypto_jwe_key key = { .kid = "k" };
	static const uint8_t seed[CRYPTO_P256_SEED] = { 1 };
	cleanup(buffer_done) struct buffer text = { 0 };
	cleanup(secret_done) struct secret plain = { 0 };
	struct crypto_p256_point epk;

	if (!pool && !result_ok(secret_pool_new(CRYPTO_JWE_MAX, 1, &pool)))
		abort();
	if (!key.key)
		key.key = crypto_p256_from_seed(seed);
	if (size == 0)
		return 0;
	struct bytes rest = bytes_from(data + 1, size - 1);
	buffer_init(&text, 2 * CRYPTO_JWE_MAX);
	if (data[0] & 1) {
		buffer_put(&text, rest);
	} else {
		base64url_put(&text, rest);
		buffer_put_text(&text, "..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA");
	}
	struct result result = crypto_jwe_open(buffer_view(&text), &key, 1, pool, &plain, &epk);
	if (!result_ok(result) && plain.data)
		abort();
	return 0;
}
