// Writing a compact JWE (RFC 7516 section 5.1) with ECDH-ES (RFC 7518 section 4.6) and A256GCM.
#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/jwe.h"
#include "crypto/mac.h"
#include "crypto/seal.h"

static void put_header(struct buffer *header, const struct crypto_p256 *ephemeral, struct bytes kid)
{
	struct crypto_p256_point point = crypto_p256_public(ephemeral);

	buffer_put_text(header, "{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"");
	buffer_put(header, kid);
	buffer_put_text(header, "\",\"epk\":");
	crypto_p256_put_jwk(header, &point, false);
	buffer_put_byte(header, '}');
}

void crypto_jwe_seal(const struct crypto_p256_point *recipient, struct bytes kid,
                     struct bytes plain, struct buffer *ret_jwe)
{
	uint8_t shared[CRYPTO_P256_SHARED];
	uint8_t key[CRYPTO_KEY];
	uint8_t nonce[CRYPTO_NONCE];
	uint8_t tag[CRYPTO_TAG];
	cleanup(buffer_done) struct buffer header;
	cleanup(buffer_done) struct buffer ciphertext;
	struct crypto_p256 *ephemeral = crypto_p256_generate();

	CHECK(kid.length <= CRYPTO_JWE_KID_MAX && text_is_printable(kid));
	CHECK(result_ok(crypto_p256_agree(ephemeral, recipient, shared)));
	crypto_concat_kdf(shared, BYTES_LITERAL("A256GCM"), BYTES_NONE, BYTES_NONE, key,
	                  sizeof(key));
	crypto_random(nonce, sizeof(nonce));
	buffer_init(&header, 1024);
	put_header(&header, ephemeral, kid);
	size_t start = ret_jwe->length;
	base64url_put(ret_jwe, buffer_view(&header));
	buffer_init(&ciphertext, CRYPTO_JWE_MAX);
	uint8_t *room = buffer_room(&ciphertext, plain.length);
	CHECK(room && !ret_jwe->failed);
	struct bytes associated = bytes_slice(buffer_view(ret_jwe), start, ret_jwe->length);
	crypto_gcm_seal(key, BYTES_ARRAY(nonce), plain, associated, room, tag);
	buffer_grew(&ciphertext, plain.length);
	buffer_put_text(ret_jwe, ".."); // no encrypted key: the agreement's key is the key
	base64url_put(ret_jwe, BYTES_ARRAY(nonce));
	buffer_put_byte(ret_jwe, '.');
	base64url_put(ret_jwe, buffer_view(&ciphertext));
	buffer_put_byte(ret_jwe, '.');
	base64url_put(ret_jwe, BYTES_ARRAY(tag));
	crypto_p256_free(ephemeral);
	explicit_bzero(shared, sizeof(shared));
	explicit_bzero(key, sizeof(key));
}
