// Tests of JWE: our own texts, Project Wycheproof's (of which we take one form and refuse all
// others), and headers that are almost right.
#include "base/cleanup.h"
#include "base/tap.h"
#include "base/text.h"
#include "crypto/jwe.h"
#include "crypto/mac.h"
#include "crypto/seal.h"

#include <jansson.h>
#include <stdlib.h>

enum { SLOTS = 2 };

static struct secret_pool *pool;
static struct crypto_jwe_key ours;

__attribute__((constructor)) static void set_up(void)
{
	struct result made = secret_pool_new(CRYPTO_JWE_MAX, SLOTS, &pool);

	if (!result_ok(made))
		abort();
	ours = (struct crypto_jwe_key){ "our-key", crypto_p256_generate() };
}

__attribute__((destructor)) static void tear_down(void)
{
	crypto_p256_free(ours.key);
	secret_pool_free(pool);
}

// True when it opens and says `plain`. A refusal must leave no slot taken and be the one refusal.
static bool opens(const char *jwe, const struct crypto_jwe_key *key, struct bytes plain)
{
	struct secret secret;
	struct crypto_p256_point epk;
	struct result result = crypto_jwe_open(bytes_text(jwe), key, 1, pool, &secret, &epk);
	bool same = result_ok(result) && bytes_equal(secret_view(&secret), plain);

	if (!result_ok(result)) {
		EXPECT(secret.data == NULL);
		EXPECT(result.error == ERROR_CRYPTO);
		EXPECT(strcmp(result.detail, "an encrypted text cannot be opened") == 0);
	}
	secret_done(&secret);
	EXPECT(secret_pool_free_slots(pool) == SLOTS);
	return same;
}

static void seal(struct buffer *jwe, struct bytes plain)
{
	struct crypto_p256_point point = crypto_p256_public(ours.key);

	buffer_init(jwe, CRYPTO_JWE_MAX * 2);
	crypto_jwe_seal(&point, bytes_text(ours.kid), plain, jwe);
}

TEST(what_we_seal_we_open)
{
	cleanup(buffer_done) struct buffer jwe;

	seal(&jwe, BYTES_LITERAL("{\"number\":\"…\"}"));
	EXPECT(opens(buffer_text(&jwe), &ours, BYTES_LITERAL("{\"number\":\"…\"}")));
}

TEST(an_empty_text_is_a_text)
{
	cleanup(buffer_done) struct buffer jwe;

	seal(&jwe, BYTES_NONE);
	EXPECT(opens(buffer_text(&jwe), &ours, BYTES_NONE));
}

TEST(the_ephemeral_key_differs_each_time)
{
	struct crypto_p256_point epk[2];

	for (int i = 0; i < 2; i++) {
		cleanup(buffer_done) struct buffer jwe;
		struct secret secret;
		seal(&jwe, BYTES_LITERAL("same"));
		REQUIRE(result_ok(
		        crypto_jwe_open(buffer_view(&jwe), &ours, 1, pool, &secret, &epk[i])));
		secret_done(&secret);
	}
	EXPECT(memcmp(&epk[0], &epk[1], sizeof(epk[0])) != 0);
}

TEST(every_changed_character_is_refused)
{
	cleanup(buffer_done) struct buffer jwe;

	seal(&jwe, BYTES_LITERAL("plain"));
	for (size_t i = 0; i < jwe.length; i++) {
		uint8_t was = jwe.data[i];
		jwe.data[i] = was == 'A' ? 'B' : 'A';
		EXPECT(!opens(buffer_text(&jwe), &ours, BYTES_LITERAL("plain")));
		jwe.data[i] = was;
	}
	for (size_t length = 0; length < jwe.length; length++) {
		struct secret secret;
		struct crypto_p256_point epk;
		EXPECT(!result_ok(crypto_jwe_open(bytes_from(jwe.data, length), &ours, 1, pool,
		                                  &secret, &epk)));
	}
	EXPECT(opens(buffer_text(&jwe), &ours, BYTES_LITERAL("plain")));
}

TEST(a_text_over_four_kilobytes_is_refused)
{
	cleanup(buffer_done) struct buffer jwe;
	static uint8_t plain[3200];

	seal(&jwe, BYTES_ARRAY(plain));
	EXPECT(jwe.length > CRYPTO_JWE_MAX);
	EXPECT(!opens(buffer_text(&jwe), &ours, BYTES_ARRAY(plain)));
	buffer_done(&jwe);
	seal(&jwe, bytes_from(plain, 2700));
	EXPECT(jwe.length <= CRYPTO_JWE_MAX);
	EXPECT(opens(buffer_text(&jwe), &ours, bytes_from(plain, 2700)));
}

// Encrypts soundly under whatever header is given: only the header can be the reason to refuse.
// %s stands for the ephemeral key.
static void seal_under(struct buffer *jwe, const char *format, struct bytes encrypted_key)
{
	struct crypto_p256 *ephemeral = crypto_p256_generate();
	struct crypto_p256_point epk = crypto_p256_public(ephemeral);
	struct crypto_p256_point point = crypto_p256_public(ours.key);
	cleanup(buffer_done) struct buffer jwk;
	cleanup(buffer_done) struct buffer header;
	uint8_t shared[CRYPTO_P256_SHARED];
	uint8_t key[CRYPTO_KEY];
	uint8_t nonce[CRYPTO_NONCE] = { 0 };
	uint8_t ciphertext[5];
	uint8_t tag[CRYPTO_TAG];

	buffer_init(&jwk, 1024);
	buffer_init(&header, 4096);
	buffer_init(jwe, 8192);
	crypto_p256_put_jwk(&jwk, &epk, false);
	const char *place = strstr(format, "%s");
	if (place) {
		buffer_put(&header, bytes_from(format, (size_t)(place - format)));
		buffer_put(&header, buffer_view(&jwk));
		buffer_put_text(&header, place + 2);
	} else {
		buffer_put_text(&header, format);
	}
	EXPECT(result_ok(crypto_p256_agree(ephemeral, &point, shared)));
	crypto_concat_kdf(shared, BYTES_LITERAL("A256GCM"), BYTES_NONE, BYTES_NONE, key,
	                  sizeof(key));
	base64url_put(jwe, buffer_view(&header));
	crypto_gcm_seal(key, BYTES_ARRAY(nonce), BYTES_LITERAL("plain"), buffer_view(jwe),
	                ciphertext, tag);
	buffer_put_byte(jwe, '.');
	buffer_put(jwe, encrypted_key);
	buffer_put_byte(jwe, '.');
	base64url_put(jwe, BYTES_ARRAY(nonce));
	buffer_put_byte(jwe, '.');
	base64url_put(jwe, BYTES_ARRAY(ciphertext));
	buffer_put_byte(jwe, '.');
	base64url_put(jwe, BYTES_ARRAY(tag));
	crypto_p256_free(ephemeral);
}

static bool header_opens(const char *format)
{
	cleanup(buffer_done) struct buffer jwe;

	seal_under(&jwe, format, BYTES_NONE);
	return opens(buffer_text(&jwe), &ours, BYTES_LITERAL("plain"));
}

#define GOOD "\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":%s"

TEST(the_header_as_it_should_be_opens)
{
	EXPECT(header_opens("{" GOOD "}"));
	EXPECT(header_opens("{ \"epk\" : %s , \"kid\":\"our-key\",\"enc\":\"A256GCM\","
	                    "\"alg\":\"ECDH-ES\"}"));
}

TEST(headers_with_anything_else_are_refused)
{
	static const char *const wrong[] = {
		"{" GOOD ",\"zip\":\"DEF\"}",
		"{" GOOD ",\"crit\":[\"exp\"]}",
		"{" GOOD ",\"apu\":\"QWxpY2U\"}",
		"{" GOOD ",\"apv\":\"Qm9i\"}",
		"{" GOOD ",\"p2c\":1000000}",
		"{" GOOD ",\"typ\":\"JWE\"}",
		"{" GOOD ",\"alg\":\"ECDH-ES\"}", // the same member twice
		"{" GOOD ",\"kid\":\"our-key\"}",
		"{" GOOD "} ,",
		"[" GOOD "]",
		"null",
		"",
		"{\"alg\":\"ECDH-ES+A256KW\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":%s}",
		"{\"alg\":\"dir\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":%s}",
		"{\"alg\":\"ecdh-es\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":%s}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A128GCM\",\"kid\":\"our-key\",\"epk\":%s}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"other\",\"epk\":%s}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":7,\"epk\":%s}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"epk\":%s}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"our-key\"}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":\"%s\"}",
		"{\"alg\":\"ECDH-ES\",\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":[%s]}",
		"{\"alg\":null,\"enc\":\"A256GCM\",\"kid\":\"our-key\",\"epk\":%s}",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		bool opened = header_opens(wrong[i]);
		if (opened)
			printf("# opened: %s\n", wrong[i]);
		EXPECT(!opened);
	}
}

TEST(an_encrypted_key_part_is_refused)
{
	cleanup(buffer_done) struct buffer jwe;

	seal_under(&jwe, "{" GOOD "}", BYTES_LITERAL("AAAA"));
	EXPECT(!opens(buffer_text(&jwe), &ours, BYTES_LITERAL("plain")));
}

// The form that we take is test 78; every other text of the file is another algorithm, broken, or
// made for another kind of key.
TEST(of_wycheproof_exactly_our_form_opens)
{
	json_t *file = json_load_file(VECTORS "/wycheproof_jwe.json", 0, NULL);
	json_t *group;
	size_t at;
	int tried = 0;
	int opened = 0;

	REQUIRE(file);
	json_array_foreach(json_object_get(file, "groups"), at, group)
	{
		const char *d = json_string_value(json_object_get(group, "d"));
		struct crypto_jwe_key key = { "", NULL };
		cleanup(buffer_done) struct buffer scalar;
		buffer_init(&scalar, 64);
		// Tests without a P-256 key of their own run against the key of test 78.
		REQUIRE(result_ok(base64url_read(
		        bytes_text(d ? d : "VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"),
		        &scalar)));
		REQUIRE(result_ok(crypto_p256_import(buffer_view(&scalar), &key.key)));
		json_t *test;
		size_t number;
		json_array_foreach(json_object_get(group, "tests"), number, test)
		{
			const char *jwe = json_string_value(json_object_get(test, "jwe"));
			REQUIRE(jwe);
			bool ok = opens(jwe, &key, BYTES_LITERAL("foo"));
			EXPECT(ok == (json_integer_value(json_object_get(test, "id")) == 78));
			tried++;
			opened += ok;
		}
		crypto_p256_free(key.key);
	}
	EXPECT(tried > 100 && opened == 1);
	json_decref(file);
}

TAP_MAIN
