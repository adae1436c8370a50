// Tests of the primitives against the published examples of their standards.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "crypto/mac.h"
#include "crypto/p256.h"
#include "crypto/seal.h"

static bool equals_hex(const uint8_t *bytes, size_t length, const char *hex)
{
	uint8_t expected[256];

	return length <= sizeof(expected) && hex_read(bytes_text(hex), expected, length) &&
	       memcmp(bytes, expected, length) == 0;
}

TEST(sha256_of_abc_fips_180_4)
{
	uint8_t digest[CRYPTO_SHA256];
	const char *expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

	crypto_sha256(BYTES_LITERAL("abc"), digest);
	EXPECT(equals_hex(digest, sizeof(digest), expected));
	struct crypto_hash *hash = crypto_hash_new();
	crypto_hash_add(hash, BYTES_LITERAL("a"));
	crypto_hash_add(hash, BYTES_LITERAL("bc"));
	memset(digest, 0, sizeof(digest));
	crypto_hash_end(hash, digest);
	EXPECT(equals_hex(digest, sizeof(digest), expected));
	crypto_hash_end(crypto_hash_new(), NULL);
}

TEST(hmac_rfc_4231_case_6_a_key_longer_than_a_block)
{
	uint8_t key[131], tag[CRYPTO_SHA256], expected[CRYPTO_SHA256];

	memset(key, 0xaa, sizeof(key));
	crypto_hmac(BYTES_ARRAY(key),
	            BYTES_LITERAL("Test Using Larger Than Block-Size Key - Hash Key First"), tag);
	REQUIRE(hex_read(BYTES_LITERAL("60e431591ee0b67f0d8a26aacbf5b77f"
	                               "8e0bc6213728c5140546040f0ee37f54"),
	                 expected, sizeof(expected)));
	EXPECT(memcmp(tag, expected, sizeof(tag)) == 0);
}

TEST(hmac_rfc_4231_case_2_and_an_empty_key)
{
	uint8_t tag[CRYPTO_SHA256];

	crypto_hmac(BYTES_LITERAL("Jefe"), BYTES_LITERAL("what do ya want for nothing?"), tag);
	EXPECT(equals_hex(tag, sizeof(tag),
	                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"));
	crypto_hmac(BYTES_NONE, BYTES_NONE, tag);
	EXPECT(equals_hex(tag, sizeof(tag),
	                  "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

TEST(hkdf_rfc_5869_cases_1_and_3)
{
	uint8_t key[22];
	uint8_t salt[13];
	uint8_t info[10];
	uint8_t derived[42];

	memset(key, 0x0b, sizeof(key));
	for (uint8_t i = 0; i < sizeof(salt); i++)
		salt[i] = i;
	for (uint8_t i = 0; i < sizeof(info); i++)
		info[i] = (uint8_t)(0xf0 + i);
	crypto_hkdf(BYTES_ARRAY(key), BYTES_ARRAY(salt), BYTES_ARRAY(info), derived,
	            sizeof(derived));
	EXPECT(equals_hex(derived, sizeof(derived),
	                  "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	                  "34007208d5b887185865"));
	crypto_hkdf(BYTES_ARRAY(key), BYTES_NONE, BYTES_NONE, derived, sizeof(derived));
	EXPECT(equals_hex(derived, sizeof(derived),
	                  "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	                  "9d201395faa4b61a96c8"));
}

TEST(aes_256_gcm_case_16_of_the_specification)
{
	uint8_t key[CRYPTO_KEY];
	uint8_t nonce[CRYPTO_NONCE];
	uint8_t plain[60];
	uint8_t associated[20];
	uint8_t ciphertext[60];
	uint8_t tag[CRYPTO_TAG];

	REQUIRE(hex_read(bytes_text("feffe9928665731c6d6a8f9467308308"
	                            "feffe9928665731c6d6a8f9467308308"),
	                 key, sizeof(key)));
	REQUIRE(hex_read(bytes_text("cafebabefacedbaddecaf888"), nonce, sizeof(nonce)));
	REQUIRE(hex_read(bytes_text("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d"
	                            "8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
	                            "ba637b39"),
	                 plain, sizeof(plain)));
	REQUIRE(hex_read(bytes_text("feedfacedeadbeeffeedfacedeadbeefabaddad2"), associated,
	                 sizeof(associated)));
	crypto_gcm_seal(key, BYTES_ARRAY(nonce), BYTES_ARRAY(plain), BYTES_ARRAY(associated),
	                ciphertext, tag);
	EXPECT(equals_hex(ciphertext, sizeof(ciphertext),
	                  "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	                  "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"));
	EXPECT(equals_hex(tag, sizeof(tag), "76fc6ece0f4e1768cddf8853bb2d551b"));
	uint8_t opened[60];
	EXPECT(result_ok(crypto_gcm_open(key, BYTES_ARRAY(nonce), BYTES_ARRAY(ciphertext),
	                                 BYTES_ARRAY(tag), BYTES_ARRAY(associated), opened)));
	EXPECT(memcmp(opened, plain, sizeof(plain)) == 0);
	EXPECT(!result_ok(crypto_gcm_open(key, BYTES_ARRAY(nonce), BYTES_ARRAY(ciphertext),
	                                  bytes_from(tag, 15), BYTES_ARRAY(associated), opened)));
}

TEST(a_seal_opens_once_more_and_refuses_every_changed_bit)
{
	const uint8_t key[CRYPTO_KEY] = "thirty-two bytes, this is a key";
	struct crypto_sealer *sealer = crypto_sealer_new(key);
	uint8_t sealed[9 + CRYPTO_SEAL_OVERHEAD];
	uint8_t again[sizeof(sealed)];
	uint8_t opened[9];

	crypto_seal(sealer, BYTES_LITERAL("plaintext"), BYTES_LITERAL("about"), sealed);
	crypto_seal(sealer, BYTES_LITERAL("plaintext"), BYTES_LITERAL("about"), again);
	EXPECT(memcmp(sealed, again, sizeof(sealed)) != 0); // another nonce
	EXPECT(result_ok(crypto_open(sealer, BYTES_ARRAY(again), BYTES_LITERAL("about"), opened)));
	EXPECT(memcmp(opened, "plaintext", 9) == 0);
	for (size_t bit = 0; bit < sizeof(sealed) * 8; bit++) {
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		memset(opened, 'x', sizeof(opened));
		struct result result =
		        crypto_open(sealer, BYTES_ARRAY(sealed), BYTES_LITERAL("about"), opened);
		EXPECT(result.error == ERROR_CRYPTO);
		EXPECT(opened[0] == 0 && opened[8] == 0);
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	EXPECT(!result_ok(crypto_open(sealer, BYTES_ARRAY(sealed), BYTES_LITERAL("abou"), opened)));
	EXPECT(!result_ok(crypto_open(sealer, BYTES_ARRAY(sealed), BYTES_NONE, opened)));
	EXPECT(!result_ok(crypto_open(sealer, bytes_from(sealed, CRYPTO_SEAL_OVERHEAD - 1),
	                              BYTES_LITERAL("about"), opened)));
	crypto_sealer_free(sealer);
}

static bool read_text(const char *text, uint8_t *ret_bytes, size_t length)
{
	cleanup(buffer_done) struct buffer buffer;

	buffer_init(&buffer, length);
	if (!result_ok(base64url_read(bytes_text(text), &buffer)) || buffer.length != length)
		return false;
	memcpy(ret_bytes, buffer.data, length);
	return true;
}

// The keys of RFC 7518 appendix C.
static const char alice_d[] = "0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo";
static const char bob_x[] = "weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ";
static const char bob_y[] = "e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck";
static const char bob_d[] = "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw";

static struct crypto_p256 *import(const char *d)
{
	uint8_t scalar[CRYPTO_P256_SCALAR];
	struct crypto_p256 *key = NULL;

	if (!read_text(d, scalar, sizeof(scalar)) ||
	    !result_ok(crypto_p256_import(BYTES_ARRAY(scalar), &key)))
		return NULL;
	return key;
}

TEST(agreement_and_concat_kdf_rfc_7518_appendix_c)
{
	struct crypto_p256 *alice = import(alice_d);
	struct crypto_p256 *bob = import(bob_d);
	struct crypto_p256_point point;
	uint8_t shared[CRYPTO_P256_SHARED];
	uint8_t other[CRYPTO_P256_SHARED];
	uint8_t key[16];
	uint8_t expected[16];

	REQUIRE(alice && bob);
	REQUIRE(read_text(bob_x, point.x, sizeof(point.x)));
	REQUIRE(read_text(bob_y, point.y, sizeof(point.y)));
	struct crypto_p256_point of_bob = crypto_p256_public(bob);
	EXPECT(memcmp(&of_bob, &point, sizeof(point)) == 0);
	struct crypto_p256_point of_alice = crypto_p256_public(alice);
	EXPECT(result_ok(crypto_p256_agree(alice, &of_bob, shared)));
	EXPECT(result_ok(crypto_p256_agree(bob, &of_alice, other)));
	EXPECT(memcmp(shared, other, sizeof(shared)) == 0);
	crypto_concat_kdf(shared, BYTES_LITERAL("A128GCM"), BYTES_LITERAL("Alice"),
	                  BYTES_LITERAL("Bob"), key, sizeof(key));
	REQUIRE(read_text("VqqN6vgjbSBcIijNcacQGg", expected, sizeof(expected)));
	EXPECT(memcmp(key, expected, sizeof(key)) == 0);
	crypto_p256_free(alice);
	crypto_p256_free(bob);
}

TEST(points_off_the_curve_are_refused_and_the_key_works_on)
{
	struct crypto_p256 *bob = import(bob_d);
	struct crypto_p256 *other = crypto_p256_generate();
	struct crypto_p256_point good = crypto_p256_public(other);
	struct crypto_p256_point bad = good;
	uint8_t shared[CRYPTO_P256_SHARED];

	REQUIRE(bob);
	bad.y[31] ^= 1;
	EXPECT(crypto_p256_agree(bob, &bad, shared).error == ERROR_CRYPTO);
	memset(&bad, 0, sizeof(bad));
	EXPECT(crypto_p256_agree(bob, &bad, shared).error == ERROR_CRYPTO);
	memset(&bad, 0xff, sizeof(bad)); // coordinates past the field's prime
	EXPECT(crypto_p256_agree(bob, &bad, shared).error == ERROR_CRYPTO);
	EXPECT(result_ok(crypto_p256_agree(bob, &good, shared)));
	crypto_p256_free(bob);
	crypto_p256_free(other);
}

TEST(private_keys_are_checked_kept_and_given_out_as_secrets)
{
	static const char order[] =
	        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	struct secret_pool *pool = NULL;
	struct secret scalar;
	uint8_t number[CRYPTO_P256_SCALAR] = { 0 };
	struct crypto_p256 *key = NULL;

	EXPECT(crypto_p256_import(BYTES_ARRAY(number), &key).error == ERROR_CRYPTO);
	REQUIRE(hex_read(bytes_text(order), number, sizeof(number)));
	EXPECT(crypto_p256_import(BYTES_ARRAY(number), &key).error == ERROR_CRYPTO);
	EXPECT(crypto_p256_import(bytes_from(number, 31), &key).error == ERROR_CRYPTO);
	number[31]--;
	REQUIRE(result_ok(crypto_p256_import(BYTES_ARRAY(number), &key)));
	REQUIRE(result_ok(secret_pool_new(CRYPTO_P256_SCALAR, 1, &pool)));
	REQUIRE(result_ok(secret_take(pool, CRYPTO_P256_SCALAR, &scalar)));
	crypto_p256_export(key, &scalar);
	EXPECT(bytes_equal(secret_view(&scalar), BYTES_ARRAY(number)));
	crypto_p256_free(key);
	secret_pool_free(pool);
}

TEST(a_seed_gives_one_key)
{
	static const char order_less_one[] =
	        "00000000000000000000000000000000"
	        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
	uint8_t seed[CRYPTO_P256_SEED] = { 0 };
	// The seed 0 and the seed n - 1 both give the private key 1: the curve's generator.
	static const char generator_x[] =
	        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";

	struct crypto_p256 *key = crypto_p256_from_seed(seed);
	struct crypto_p256_point point = crypto_p256_public(key);
	EXPECT(equals_hex(point.x, sizeof(point.x), generator_x));
	crypto_p256_free(key);
	REQUIRE(hex_read(bytes_text(order_less_one), seed, sizeof(seed)));
	key = crypto_p256_from_seed(seed);
	point = crypto_p256_public(key);
	EXPECT(equals_hex(point.x, sizeof(point.x), generator_x));
	crypto_p256_free(key);
}

TEST(public_keys_are_written_as_jwk_and_thumbprint)
{
	struct crypto_p256 *bob = import(bob_d);
	char thumbprint[CRYPTO_THUMBPRINT_TEXT + 1];
	cleanup(buffer_done) struct buffer jwk;

	REQUIRE(bob);
	struct crypto_p256_point point = crypto_p256_public(bob);
	buffer_init(&jwk, 512);
	crypto_p256_put_jwk(&jwk, &point, false);
	EXPECT(strcmp(buffer_text(&jwk),
	              "{\"kty\":\"EC\",\"crv\":\"P-256\","
	              "\"x\":\"weNJy2HscCSM6AEDTDg04biOvhFhyyWvOHQfeF_PxMQ\","
	              "\"y\":\"e8lnCO-AlStT-NJVX-crhB7QRYhiix03illJOVAOyck\"}") == 0);
	crypto_p256_thumbprint(&point, thumbprint);
	EXPECT(strcmp(thumbprint, "Vy57XrArUrW0NbpI12tEzDHABxMwrTh6HHXRenSpnCo") == 0);
	crypto_p256_free(bob);
}

TEST(random_bytes_differ)
{
	uint8_t first[32] = { 0 };
	uint8_t second[32] = { 0 };

	crypto_random(first, sizeof(first));
	crypto_random(second, sizeof(second));
	EXPECT(memcmp(first, second, sizeof(first)) != 0);
}

TAP_MAIN
