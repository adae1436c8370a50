// Sealing and opening connection blobs. The plain text: name and driver, each with its length in
// one byte in front, the digest, then the parameters to the end.
#include "vault/connection.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "vault/record.h"

#include <jansson.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

void vault_connection_done(struct vault_connection *connection)
{
	buffer_done(&connection->parameters);
	explicit_bzero(connection, sizeof(*connection));
}

static bool is_name(struct bytes name)
{
	if (name.length == 0 || name.length > VAULT_CONNECTION_NAME_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		uint8_t c = name.data[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		if (!letter && (i == 0 || (c != '-' && c != '_')))
			return false;
	}
	return true;
}

// Writes the parameters anew on one line, so that no line break can end the driver's first line.
static struct result put_parameters(struct bytes text, struct buffer *ret_parameters)
{
	cleanup(cleanup_json) json_t *object =
	        json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(object))
		return FAIL(ERROR_INPUT, "the parameters are not a JSON object");
	size_t length = json_dumpb(object, NULL, 0, JSON_COMPACT);
	uint8_t *room = buffer_room(ret_parameters, length);
	if (!room || json_dumpb(object, (char *)room, length, JSON_COMPACT) != length)
		return FAIL(ERROR_INPUT, "the parameters are longer than 8192 bytes");
	buffer_grew(ret_parameters, length);
	return RESULT_OK;
}

struct result vault_connection_make(struct bytes name, struct bytes driver,
                                    const uint8_t digest[static CRYPTO_SHA256],
                                    struct bytes parameters,
                                    struct vault_connection *ret_connection)
{
	*ret_connection = (struct vault_connection){ 0 };
	buffer_init_secret(&ret_connection->parameters, VAULT_PARAMETERS_MAX);
	if (!is_name(name))
		return FAIL(ERROR_INPUT, "a connection's name is 1 to 64 of a-z, 0-9, - and _");
	if (!is_name(driver))
		return FAIL(ERROR_INPUT, "a driver's name is 1 to 64 of a-z, 0-9, - and _");
	CHECK(bytes_copy_text(name, ret_connection->name, sizeof(ret_connection->name)));
	CHECK(bytes_copy_text(driver, ret_connection->driver, sizeof(ret_connection->driver)));
	memcpy(ret_connection->digest, digest, CRYPTO_SHA256);
	return put_parameters(parameters, &ret_connection->parameters);
}

static void put_text(struct buffer *buffer, const char *text)
{
	buffer_put_byte(buffer, (uint8_t)strlen(text));
	buffer_put_text(buffer, text);
}

void vault_connection_seal(const struct vault_keyring *keyring,
                           const struct vault_connection *connection, struct buffer *ret_blob)
{
	cleanup(buffer_done) struct buffer plain;

	buffer_init_secret(&plain, VAULT_BLOB_MAX);
	put_text(&plain, connection->name);
	put_text(&plain, connection->driver);
	buffer_put(&plain, BYTES_ARRAY(connection->digest));
	buffer_put(&plain, buffer_view(&connection->parameters));
	CHECK(!plain.failed);
	vault_record_seal(keyring, VAULT_FORMAT_CONNECTION, buffer_view(&plain), BYTES_NONE,
	                  ret_blob);
}

static bool take_text(struct bytes *rest, char *ret_text, size_t capacity)
{
	if (rest->length == 0 || rest->length - 1 < rest->data[0])
		return false;
	size_t length = rest->data[0];
	bool fits = bytes_copy_text(bytes_slice(*rest, 1, length), ret_text, capacity);
	*rest = bytes_slice(*rest, 1 + length, rest->length);
	return fits;
}

static bool read_plain(struct bytes plain, struct vault_connection *ret_connection)
{
	if (!take_text(&plain, ret_connection->name, sizeof(ret_connection->name)) ||
	    !take_text(&plain, ret_connection->driver, sizeof(ret_connection->driver)) ||
	    plain.length < CRYPTO_SHA256)
		return false;
	memcpy(ret_connection->digest, plain.data, CRYPTO_SHA256);
	buffer_put(&ret_connection->parameters, bytes_slice(plain, CRYPTO_SHA256, plain.length));
	return !ret_connection->parameters.failed;
}

struct result vault_connection_open(const struct vault_keyring *keyring, struct bytes blob,
                                    struct bytes name, struct vault_connection *ret_connection)
{
	cleanup(buffer_done) struct buffer plain;

	*ret_connection = (struct vault_connection){ 0 };
	buffer_init_secret(&ret_connection->parameters, VAULT_PARAMETERS_MAX);
	buffer_init_secret(&plain, VAULT_BLOB_MAX);
	if (blob.length < VAULT_RECORD_OVERHEAD || blob.length > VAULT_BLOB_MAX)
		return FAIL(ERROR_CRYPTO, "a connection's blob has a wrong length");
	uint8_t *room = buffer_room(&plain, blob.length - VAULT_RECORD_OVERHEAD);
	CHECK(room);
	TRY(vault_record_open(keyring, VAULT_FORMAT_CONNECTION, blob, BYTES_NONE, room));
	buffer_grew(&plain, blob.length - VAULT_RECORD_OVERHEAD);
	if (!read_plain(buffer_view(&plain), ret_connection))
		return FAIL(ERROR_CRYPTO, "a connection's blob does not hold a connection");
	if (!bytes_equal_text(name, ret_connection->name))
		return FAIL(ERROR_CRYPTO, "a connection's blob was sealed under another name");
	return RESULT_OK;
}
