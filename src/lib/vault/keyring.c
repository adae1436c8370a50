// Opening the keyring and deriving each key from its root.
#include "vault/keyring.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "vault/keyring_file.h"

#include <stdlib.h>

// One purpose, one key. The texts are part of the format: they never change.
static const char purpose_cards[] = "onfile seal cards";
static const char purpose_connections[] = "onfile seal connections";
static const char purpose_envelopes[] = "onfile open encrypted cards";
static const char purpose_fingerprints[] = "onfile fingerprint cards";

DEFINE_CLEANUP(cleanup_keyring, struct vault_keyring, vault_keyring_free)
DEFINE_CLEANUP(cleanup_pool, struct secret_pool, secret_pool_free)

static struct crypto_sealer *derive_sealer(struct bytes root, const char *purpose)
{
	uint8_t key[CRYPTO_KEY];

	crypto_hkdf(root, BYTES_NONE, bytes_text(purpose), key, sizeof(key));
	struct crypto_sealer *sealer = crypto_sealer_new(key);
	explicit_bzero(key, sizeof(key));
	return sealer;
}

static struct crypto_jwe_key derive_card_key(struct bytes root)
{
	uint8_t seed[CRYPTO_P256_SEED];
	struct crypto_jwe_key key = { 0 };

	crypto_hkdf(root, BYTES_NONE, bytes_text(purpose_envelopes), seed, sizeof(seed));
	key.key = crypto_p256_from_seed(seed);
	explicit_bzero(seed, sizeof(seed));
	struct crypto_p256_point point = crypto_p256_public(key.key);
	crypto_p256_thumbprint(&point, key.kid);
	return key;
}

static struct result derive_all(const struct vault_roots *roots, struct vault_keyring *keyring)
{
	for (size_t i = 0; i < roots->count; i++) {
		struct bytes root = bytes_from(vault_root(roots, i), VAULT_ROOT);
		keyring->versions[i] =
		        (struct vault_version){ .number = (uint32_t)i + 1,
			                        .cards = derive_sealer(root, purpose_cards),
			                        .connections =
			                                derive_sealer(root, purpose_connections) };
		keyring->card_keys[i] = derive_card_key(root);
		keyring->count++;
	}
	TRY(secret_pool_new(CRYPTO_SHA256, 1, &keyring->pool));
	TRY(secret_take(keyring->pool, CRYPTO_SHA256, &keyring->fingerprint_key));
	crypto_hkdf(bytes_from(vault_root(roots, 0), VAULT_ROOT), BYTES_NONE,
	            bytes_text(purpose_fingerprints), keyring->fingerprint_key.data, CRYPTO_SHA256);
	return RESULT_OK;
}

static struct result take_roots(struct secret_pool **ret_pool, struct vault_roots *ret_roots)
{
	ret_roots->count = 0;
	TRY(secret_pool_new(VAULT_VERSIONS_MAX * VAULT_ROOT, 1, ret_pool));
	return secret_take(*ret_pool, VAULT_VERSIONS_MAX * VAULT_ROOT, &ret_roots->keys);
}

static void add_root(struct vault_roots *roots)
{
	crypto_random(vault_root(roots, roots->count), VAULT_ROOT);
	roots->count++;
}

// When another start made the file in the same moment, that file counts.
static struct result read_or_make(int folder, struct vault_roots *roots)
{
	struct result result = vault_roots_read(folder, roots);

	if (result.error != ERROR_NOT_FOUND)
		return result;
	add_root(roots);
	result = vault_roots_write(folder, roots, false);
	return result.error == ERROR_STATE ? vault_roots_read(folder, roots) : result;
}

struct result vault_keyring_open(int folder, struct vault_keyring **ret_keyring)
{
	cleanup(cleanup_pool) struct secret_pool *pool = NULL;
	cleanup(cleanup_keyring) struct vault_keyring *keyring = calloc(1, sizeof(*keyring));
	struct vault_roots roots;

	if (!keyring)
		return FAIL(ERROR_MEMORY, "no memory for the keyring");
	TRY(take_roots(&pool, &roots));
	TRY(read_or_make(folder, &roots));
	TRY(derive_all(&roots, keyring));
	secret_wipe_stack();
	*ret_keyring = take_ptr(keyring);
	return RESULT_OK;
}

void vault_keyring_free(struct vault_keyring *keyring)
{
	if (!keyring)
		return;
	for (size_t i = 0; i < keyring->count; i++) {
		crypto_sealer_free(keyring->versions[i].cards);
		crypto_sealer_free(keyring->versions[i].connections);
		crypto_p256_free(keyring->card_keys[i].key);
	}
	secret_done(&keyring->fingerprint_key);
	secret_pool_free(keyring->pool);
	free(keyring);
}

struct result vault_keyring_rotate(int folder)
{
	cleanup(cleanup_pool) struct secret_pool *pool = NULL;
	struct vault_roots roots;

	TRY(take_roots(&pool, &roots));
	TRY(vault_roots_read(folder, &roots));
	if (roots.count == VAULT_VERSIONS_MAX)
		return FAIL(ERROR_LIMIT, "the keyring has all the versions that it can hold");
	add_root(&roots);
	return vault_roots_write(folder, &roots, true);
}

const struct vault_version *vault_keyring_version(const struct vault_keyring *keyring,
                                                  uint32_t number)
{
	if (number == 0 || number > keyring->count)
		return NULL;
	return &keyring->versions[number - 1];
}

void vault_keyring_put_jwks(const struct vault_keyring *keyring, struct buffer *buffer)
{
	const struct crypto_jwe_key *newest = &keyring->card_keys[keyring->count - 1];
	struct crypto_p256_point point = crypto_p256_public(newest->key);

	buffer_put_text(buffer, "{\"keys\":[");
	crypto_p256_put_jwk(buffer, &point, true);
	buffer_printf(buffer, ",\"kid\":\"%s\",\"use\":\"enc\",\"alg\":\"ECDH-ES\"}]}",
	              newest->kid);
}

void vault_fingerprint(const struct vault_keyring *keyring, struct bytes number,
                       uint8_t ret_fingerprint[static VAULT_FINGERPRINT])
{
	crypto_hmac(secret_view(&keyring->fingerprint_key), number, ret_fingerprint);
}
