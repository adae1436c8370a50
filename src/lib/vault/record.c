// Sealing and opening records with the key of their format and version.
#include "vault/record.h"

#include "base/check.h"
#include "base/cleanup.h"

static void put_head(struct buffer *buffer, enum vault_format format, uint32_t version)
{
	buffer_put_byte(buffer, (uint8_t)format);
	for (int shift = 24; shift >= 0; shift -= 8)
		buffer_put_byte(buffer, (uint8_t)(version >> shift));
}

static struct crypto_sealer *sealer_of(const struct vault_version *version,
                                       enum vault_format format)
{
	return format == VAULT_FORMAT_CARD ? version->cards : version->connections;
}

void vault_record_seal(const struct vault_keyring *keyring, enum vault_format format,
                       struct bytes plain, struct bytes associated, struct buffer *ret_record)
{
	const struct vault_version *version = vault_keyring_newest(keyring);
	cleanup(buffer_done) struct buffer bound;

	buffer_init(&bound, 256);
	put_head(&bound, format, version->number);
	buffer_put(&bound, associated);
	CHECK(!bound.failed);
	put_head(ret_record, format, version->number);
	uint8_t *room = buffer_room(ret_record, plain.length + CRYPTO_SEAL_OVERHEAD);
	if (!room)
		return;
	crypto_seal(sealer_of(version, format), plain, buffer_view(&bound), room);
	buffer_grew(ret_record, plain.length + CRYPTO_SEAL_OVERHEAD);
}

static uint32_t read_version(struct bytes record)
{
	uint32_t version = 0;

	for (size_t i = 1; i < VAULT_RECORD_HEAD; i++)
		version = version << 8 | record.data[i];
	return version;
}

struct result vault_record_open(const struct vault_keyring *keyring, enum vault_format format,
                                struct bytes record, struct bytes associated, uint8_t *ret_plain)
{
	cleanup(buffer_done) struct buffer bound;

	buffer_init(&bound, 256);
	if (record.length < VAULT_RECORD_OVERHEAD || record.data[0] != format)
		return FAIL(ERROR_CRYPTO, "a sealed record is not of the format that is expected");
	const struct vault_version *version = vault_keyring_version(keyring, read_version(record));
	if (!version)
		return FAIL(ERROR_CRYPTO, "a sealed record is of a key version that is not here");
	buffer_put(&bound, bytes_slice(record, 0, VAULT_RECORD_HEAD));
	buffer_put(&bound, associated);
	CHECK(!bound.failed);
	return crypto_open(sealer_of(version, format),
	                   bytes_slice(record, VAULT_RECORD_HEAD, record.length),
	                   buffer_view(&bound), ret_plain);
}
