// Reading a compact JWE (RFC 7516 section 5.2): five parts, a header of exactly the members that we
// know, ECDH-ES (RFC 7518 section 4.6), A256GCM. Every refusal looks the same from outside.
#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/jwe.h"
#include "crypto/mac.h"
#include "crypto/seal.h"

#include <jansson.h>

enum { PARTS = 5, HEADER_MAX = 1024 };
enum { HEADER, ENCRYPTED_KEY, NONCE, CIPHERTEXT, TAG };

#define UNREADABLE FAIL(ERROR_CRYPTO, "an encrypted text cannot be opened")

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

struct header {
	char kid[CRYPTO_JWE_KID_MAX + 1];
	struct crypto_p256_point epk;
};

static bool split(struct bytes jwe, struct bytes ret_parts[static PARTS])
{
	for (int i = 0; i < PARTS; i++) {
		size_t end = bytes_find(jwe, '.');
		if ((end == jwe.length) != (i == PARTS - 1))
			return false;
		ret_parts[i] = bytes_slice(jwe, 0, end);
		jwe = bytes_slice(jwe, end + 1, jwe.length);
	}
	return true;
}

// True when the member is a text of exactly these characters.
static bool member_is(const json_t *object, const char *name, const char *text)
{
	const json_t *member = json_object_get(object, name);

	return json_is_string(member) &&
	       bytes_equal_text(bytes_from(json_string_value(member), json_string_length(member)),
	                        text);
}

// Reads base64url of exactly `length` bytes.
static bool read_exactly(struct bytes text, uint8_t *ret_bytes, size_t length)
{
	cleanup(buffer_done) struct buffer buffer;

	buffer_init(&buffer, length);
	if (!result_ok(base64url_read(text, &buffer)) || buffer.length != length)
		return false;
	memcpy(ret_bytes, buffer.data, length);
	return true;
}

static bool read_coordinate(const json_t *epk, const char *name,
                            uint8_t ret_coordinate[static CRYPTO_P256_SCALAR])
{
	const json_t *member = json_object_get(epk, name);

	return json_is_string(member) &&
	       read_exactly(bytes_from(json_string_value(member), json_string_length(member)),
	                    ret_coordinate, CRYPTO_P256_SCALAR);
}

// A header that names no key names the key "".
static bool read_kid(const json_t *header, char ret_kid[static CRYPTO_JWE_KID_MAX + 1])
{
	const json_t *kid = json_object_get(header, "kid");

	ret_kid[0] = '\0';
	return !kid || (json_is_string(kid) &&
	                bytes_copy_text(bytes_from(json_string_value(kid), json_string_length(kid)),
	                                ret_kid, CRYPTO_JWE_KID_MAX + 1));
}

// Exactly these members and no other: whatever else a header could say (zip, crit, apu, apv, p2c)
// would have to be honoured or refused, so it is refused. The same for the ephemeral key.
static bool read_header(struct bytes text, struct header *ret_header)
{
	cleanup(buffer_done) struct buffer decoded;

	buffer_init(&decoded, HEADER_MAX);
	if (!result_ok(base64url_read(text, &decoded)))
		return false;
	cleanup(cleanup_json) json_t *header = json_loadb(
	        (const char *)decoded.data, decoded.length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *epk = json_object_get(header, "epk");
	size_t members = json_object_get(header, "kid") ? 4 : 3;
	return json_is_object(header) && json_object_size(header) == members &&
	       member_is(header, "alg", "ECDH-ES") && member_is(header, "enc", "A256GCM") &&
	       read_kid(header, ret_header->kid) && json_is_object(epk) &&
	       json_object_size(epk) == 4 && member_is(epk, "kty", "EC") &&
	       member_is(epk, "crv", "P-256") && read_coordinate(epk, "x", ret_header->epk.x) &&
	       read_coordinate(epk, "y", ret_header->epk.y);
}

static struct crypto_p256 *find_key(const struct crypto_jwe_key *keys, size_t count,
                                    const char *kid)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(keys[i].kid, kid) == 0)
			return keys[i].key;
	return NULL;
}

static bool agree(struct crypto_p256 *key, const struct crypto_p256_point *epk,
                  uint8_t ret_key[static CRYPTO_KEY])
{
	uint8_t shared[CRYPTO_P256_SHARED];

	if (!key || !result_ok(crypto_p256_agree(key, epk, shared)))
		return false;
	crypto_concat_kdf(shared, BYTES_LITERAL("A256GCM"), BYTES_NONE, BYTES_NONE, ret_key,
	                  CRYPTO_KEY);
	explicit_bzero(shared, sizeof(shared));
	return true;
}

static bool decrypt(const struct bytes parts[static PARTS], const uint8_t key[static CRYPTO_KEY],
                    struct secret *plain)
{
	cleanup(buffer_done) struct buffer ciphertext;
	uint8_t nonce[CRYPTO_NONCE];
	uint8_t tag[CRYPTO_TAG];

	buffer_init(&ciphertext, plain->capacity);
	if (!read_exactly(parts[NONCE], nonce, sizeof(nonce)) ||
	    !read_exactly(parts[TAG], tag, sizeof(tag)) ||
	    !result_ok(base64url_read(parts[CIPHERTEXT], &ciphertext)))
		return false;
	plain->length = ciphertext.length;
	return result_ok(crypto_gcm_open(key, BYTES_ARRAY(nonce), buffer_view(&ciphertext),
	                                 BYTES_ARRAY(tag), parts[HEADER], plain->data));
}

struct result crypto_jwe_open(struct bytes jwe, const struct crypto_jwe_key *keys, size_t count,
                              struct secret_pool *pool, struct secret *ret_plain,
                              struct crypto_p256_point *ret_epk)
{
	struct bytes parts[PARTS];
	struct header header;
	uint8_t key[CRYPTO_KEY];

	*ret_plain = (struct secret){ 0 };
	if (jwe.length > CRYPTO_JWE_MAX || !split(jwe, parts) || parts[ENCRYPTED_KEY].length != 0 ||
	    !read_header(parts[HEADER], &header) ||
	    !agree(find_key(keys, count, header.kid), &header.epk, key))
		return UNREADABLE;
	struct result taken = secret_take(pool, CRYPTO_JWE_MAX, ret_plain);
	bool opened = result_ok(taken) && decrypt(parts, key, ret_plain);
	explicit_bzero(key, sizeof(key));
	if (!opened) {
		secret_done(ret_plain);
		return UNREADABLE;
	}
	*ret_epk = header.epk;
	return RESULT_OK;
}
