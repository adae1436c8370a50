// P-256 through libcrypto's EVP. Reading a public key refuses what is not on the curve, so the
// agreement itself does not check a second time (it would cost as much as the agreement).
#include "crypto/p256.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <stdlib.h>

enum { POINT_BYTES = 1 + 2 * CRYPTO_P256_SCALAR, UNCOMPRESSED = 4 };

struct crypto_p256 {
	EVP_PKEY *pair;
	EVP_PKEY_CTX *derive;
	EVP_PKEY *peer; // takes the other's keys: making one anew costs a quarter of an agreement
	struct crypto_p256_point public_point;
};

DEFINE_CLEANUP(cleanup_bn, BIGNUM, BN_clear_free)
DEFINE_CLEANUP(cleanup_group, EC_GROUP, EC_GROUP_free)
DEFINE_CLEANUP(cleanup_point, EC_POINT, EC_POINT_clear_free)
DEFINE_CLEANUP(cleanup_builder, OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(cleanup_params, OSSL_PARAM, OSSL_PARAM_free)

static EVP_PKEY_CTX *import_context(void)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);

	CHECK(context && EVP_PKEY_fromdata_init(context) == 1);
	return context;
}

static void put_point(const struct crypto_p256_point *point,
                      uint8_t ret_encoded[static POINT_BYTES])
{
	ret_encoded[0] = UNCOMPRESSED;
	memcpy(ret_encoded + 1, point->x, CRYPTO_P256_SCALAR);
	memcpy(ret_encoded + 1 + CRYPTO_P256_SCALAR, point->y, CRYPTO_P256_SCALAR);
}

// A public key that others can be read into.
static EVP_PKEY *key_of_point(uint8_t encoded[static POINT_BYTES])
{
	static char curve[] = "P-256";
	EVP_PKEY_CTX *import = import_context();
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, encoded, POINT_BYTES),
		OSSL_PARAM_construct_end(),
	};

	CHECK(EVP_PKEY_fromdata(import, &key, EVP_PKEY_PUBLIC_KEY, params) == 1);
	EVP_PKEY_CTX_free(import);
	return key;
}

// Takes the pair.
static struct crypto_p256 *key_of(EVP_PKEY *pair)
{
	struct crypto_p256 *key = calloc(1, sizeof(*key));
	uint8_t encoded[POINT_BYTES];
	size_t length = 0;

	CHECK(key);
	key->pair = pair;
	key->derive = EVP_PKEY_CTX_new_from_pkey(NULL, pair, NULL);
	CHECK(key->derive && EVP_PKEY_derive_init(key->derive) == 1);
	CHECK(EVP_PKEY_get_octet_string_param(pair, OSSL_PKEY_PARAM_PUB_KEY, encoded,
	                                      sizeof(encoded), &length) == 1);
	CHECK(length == POINT_BYTES && encoded[0] == UNCOMPRESSED);
	key->peer = key_of_point(encoded);
	memcpy(key->public_point.x, encoded + 1, CRYPTO_P256_SCALAR);
	memcpy(key->public_point.y, encoded + 1 + CRYPTO_P256_SCALAR, CRYPTO_P256_SCALAR);
	return key;
}

struct crypto_p256 *crypto_p256_generate(void)
{
	EVP_PKEY *pair = EVP_EC_gen("P-256");

	CHECK(pair);
	return key_of(pair);
}

// Computes the public key of a number that is known to be in range, and makes the pair.
static struct crypto_p256 *key_of_number(const EC_GROUP *group, const BIGNUM *number)
{
	cleanup(cleanup_point) EC_POINT *point = EC_POINT_new(group);
	cleanup(cleanup_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
	uint8_t encoded[POINT_BYTES];
	EVP_PKEY_CTX *import = import_context();
	EVP_PKEY *pair = NULL;

	CHECK(point && builder);
	CHECK(EC_POINT_mul(group, point, number, NULL, NULL, NULL) == 1);
	CHECK(EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, encoded,
	                         sizeof(encoded), NULL) == sizeof(encoded));
	CHECK(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) ==
	      1);
	CHECK(OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, encoded,
	                                       sizeof(encoded)) == 1);
	CHECK(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1);
	cleanup(cleanup_params) OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
	CHECK(params);
	CHECK(EVP_PKEY_fromdata(import, &pair, EVP_PKEY_KEYPAIR, params) == 1);
	EVP_PKEY_CTX_free(import);
	return key_of(pair);
}

struct result crypto_p256_import(struct bytes scalar, struct crypto_p256 **ret_key)
{
	cleanup(cleanup_group) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);

	CHECK(group);
	if (scalar.length != CRYPTO_P256_SCALAR)
		return FAIL(ERROR_CRYPTO, "a private key of a wrong length");
	cleanup(cleanup_bn) BIGNUM *number = BN_bin2bn(scalar.data, CRYPTO_P256_SCALAR, NULL);
	CHECK(number);
	BN_set_flags(number, BN_FLG_CONSTTIME);
	if (BN_is_zero(number) || BN_cmp(number, EC_GROUP_get0_order(group)) >= 0)
		return FAIL(ERROR_CRYPTO, "a private key out of the curve's range");
	*ret_key = key_of_number(group, number);
	return RESULT_OK;
}

struct crypto_p256 *crypto_p256_from_seed(const uint8_t seed[static CRYPTO_P256_SEED])
{
	cleanup(cleanup_group) EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	cleanup(cleanup_bn) BIGNUM *number = BN_bin2bn(seed, CRYPTO_P256_SEED, NULL);
	BN_CTX *context = BN_CTX_new();

	CHECK(group && number && context);
	cleanup(cleanup_bn) BIGNUM *limit = BN_dup(EC_GROUP_get0_order(group));
	CHECK(limit && BN_sub_word(limit, 1) == 1);
	BN_set_flags(number, BN_FLG_CONSTTIME);
	CHECK(BN_nnmod(number, number, limit, context) == 1);
	CHECK(BN_add_word(number, 1) == 1);
	BN_CTX_free(context);
	return key_of_number(group, number);
}

void crypto_p256_export(const struct crypto_p256 *key, struct secret *ret_scalar)
{
	BIGNUM *got = NULL;

	CHECK(ret_scalar->capacity >= CRYPTO_P256_SCALAR);
	CHECK(EVP_PKEY_get_bn_param(key->pair, OSSL_PKEY_PARAM_PRIV_KEY, &got) == 1);
	cleanup(cleanup_bn) BIGNUM *number = got;
	CHECK(BN_bn2binpad(number, ret_scalar->data, CRYPTO_P256_SCALAR) == CRYPTO_P256_SCALAR);
	ret_scalar->length = CRYPTO_P256_SCALAR;
}

void crypto_p256_free(struct crypto_p256 *key)
{
	if (!key)
		return;
	EVP_PKEY_CTX_free(key->derive);
	EVP_PKEY_free(key->peer);
	EVP_PKEY_free(key->pair);
	free(key);
}

struct crypto_p256_point crypto_p256_public(const struct crypto_p256 *key)
{
	return key->public_point;
}

void crypto_p256_put_jwk(struct buffer *buffer, const struct crypto_p256_point *point, bool open)
{
	buffer_put_text(buffer, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
	base64url_put(buffer, BYTES_ARRAY(point->x));
	buffer_put_text(buffer, "\",\"y\":\"");
	base64url_put(buffer, BYTES_ARRAY(point->y));
	buffer_put_text(buffer, open ? "\"" : "\"}");
}

// The members in the order of RFC 7638 section 3.2.
void crypto_p256_thumbprint(const struct crypto_p256_point *point,
                            char ret_text[static CRYPTO_THUMBPRINT_TEXT + 1])
{
	uint8_t digest[CRYPTO_SHA256];
	cleanup(buffer_done) struct buffer text;

	buffer_init(&text, 512);
	buffer_put_text(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
	base64url_put(&text, BYTES_ARRAY(point->x));
	buffer_put_text(&text, "\",\"y\":\"");
	base64url_put(&text, BYTES_ARRAY(point->y));
	buffer_put_text(&text, "\"}");
	crypto_sha256(buffer_view(&text), digest);
	buffer_reset(&text);
	base64url_put(&text, BYTES_ARRAY(digest));
	CHECK(!text.failed);
	CHECK(bytes_copy_text(buffer_view(&text), ret_text, CRYPTO_THUMBPRINT_TEXT + 1));
}

struct result crypto_p256_agree(struct crypto_p256 *key, const struct crypto_p256_point *other,
                                uint8_t ret_shared[static CRYPTO_P256_SHARED])
{
	uint8_t encoded[POINT_BYTES];
	size_t length = CRYPTO_P256_SHARED;

	put_point(other, encoded);
	if (EVP_PKEY_set1_encoded_public_key(key->peer, encoded, sizeof(encoded)) != 1 ||
	    EVP_PKEY_derive_set_peer_ex(key->derive, key->peer, 0) != 1 ||
	    EVP_PKEY_derive(key->derive, ret_shared, &length) != 1)
		return FAIL(ERROR_CRYPTO, "a public key is not a point of the curve");
	CHECK(length == CRYPTO_P256_SHARED);
	return RESULT_OK;
}

static void put_u32(struct buffer *buffer, size_t number)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buffer_put_byte(buffer, (uint8_t)(number >> shift));
}

static void put_sized(struct buffer *buffer, struct bytes part)
{
	put_u32(buffer, part.length);
	buffer_put(buffer, part);
}

void crypto_concat_kdf(const uint8_t shared[static CRYPTO_P256_SHARED], struct bytes algorithm,
                       struct bytes party_u, struct bytes party_v, uint8_t *ret_key, size_t length)
{
	cleanup(buffer_done) struct buffer message;
	uint8_t digest[CRYPTO_SHA256];

	CHECK(length <= sizeof(digest));
	buffer_init_secret(&message, 1024);
	put_u32(&message, 1); // the round
	buffer_put(&message, bytes_from(shared, CRYPTO_P256_SHARED));
	put_sized(&message, algorithm);
	put_sized(&message, party_u);
	put_sized(&message, party_v);
	put_u32(&message, length * 8);
	CHECK(!message.failed);
	crypto_sha256(buffer_view(&message), digest);
	memcpy(ret_key, digest, length);
	explicit_bzero(digest, sizeof(digest));
}
