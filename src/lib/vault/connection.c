// Sealing and opening connection blobs. The plain text: name and driver, each with its length in
// one byte in front, the digest, grants and shown names, each with its length in two, then the
// parameters to the end.
#include "vault/connection.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "vault/record.h"

#include <jansson.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

void vault_connection_done(struct vault_connection *connection)
{
	buffer_done(&connection->grants);
	buffer_done(&connection->shown);
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

static json_t *parse(struct bytes text)
{
	return json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
}

static bool put_json(const json_t *object, struct buffer *buffer)
{
	size_t length = json_dumpb(object, NULL, 0, JSON_COMPACT);
	uint8_t *room = buffer_room(buffer, length);

	if (!room || json_dumpb(object, (char *)room, length, JSON_COMPACT) != length)
		return false;
	buffer_grew(buffer, length);
	return true;
}

static void drop_nulls(json_t *object)
{
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, name, value)
	{
		if (json_is_null(value))
			json_object_del(object, name);
	}
}

// Writes the parameters anew on one line, so that no line break can end the driver's first line.
static struct result put_parameters(const struct vault_connection_parts *parts,
                                    struct buffer *ret_parameters)
{
	cleanup(cleanup_json) json_t *given = parse(parts->parameters);
	cleanup(cleanup_json) json_t *whole =
	        parts->base ? parse(buffer_view(&parts->base->parameters)) : json_object();

	if (!json_is_object(given) || !json_is_object(whole))
		return FAIL(ERROR_INPUT, "the parameters are not a JSON object");
	CHECK(json_object_update(whole, given) == 0);
	drop_nulls(whole);
	if (!put_json(whole, ret_parameters))
		return FAIL(ERROR_INPUT, "the parameters are longer than 24576 bytes");
	return RESULT_OK;
}

static void init(struct vault_connection *connection)
{
	*connection = (struct vault_connection){ 0 };
	buffer_init(&connection->grants, VAULT_GRANTS_MAX);
	buffer_init(&connection->shown, VAULT_SHOWN_MAX);
	buffer_init_secret(&connection->parameters, VAULT_PARAMETERS_MAX);
}

struct result vault_connection_make(const struct vault_connection_parts *parts,
                                    const uint8_t digest[static CRYPTO_SHA256],
                                    struct vault_connection *ret_connection)
{
	init(ret_connection);
	if (!is_name(parts->name))
		return FAIL(ERROR_INPUT, "a connection's name is 1 to 64 of a-z, 0-9, - and _");
	if (!is_name(parts->driver))
		return FAIL(ERROR_INPUT, "a driver's name is 1 to 64 of a-z, 0-9, - and _");
	CHECK(bytes_copy_text(parts->name, ret_connection->name, sizeof(ret_connection->name)));
	CHECK(bytes_copy_text(parts->driver, ret_connection->driver,
	                      sizeof(ret_connection->driver)));
	memcpy(ret_connection->digest, digest, CRYPTO_SHA256);
	buffer_put(&ret_connection->grants, parts->grants);
	buffer_put(&ret_connection->shown, parts->shown);
	if (ret_connection->grants.failed || ret_connection->shown.failed)
		return FAIL(ERROR_INPUT, "the driver declares more than fits");
	return put_parameters(parts, &ret_connection->parameters);
}

// True when the word is in a list with spaces between.
static bool lists(struct bytes list, const char *word)
{
	while (list.length) {
		size_t length = bytes_find(list, ' ');
		if (bytes_equal_text(bytes_slice(list, 0, length), word))
			return true;
		list = bytes_slice(list, length + 1, list.length);
	}
	return false;
}

void vault_connection_show(const struct vault_connection *connection, struct buffer *ret_shown,
                           struct buffer *ret_hidden)
{
	cleanup(cleanup_json) json_t *object = parse(buffer_view(&connection->parameters));
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(object, next, name, value)
	{
		if (lists(buffer_view(&connection->shown), name))
			continue;
		buffer_printf(ret_hidden, "%s%s", ret_hidden->length ? " " : "", name);
		json_object_del(object, name);
	}
	CHECK(put_json(object, ret_shown));
}

static void put_text(struct buffer *buffer, const char *text)
{
	buffer_put_byte(buffer, (uint8_t)strlen(text));
	buffer_put_text(buffer, text);
}

static void put_long(struct buffer *buffer, struct bytes text)
{
	buffer_put_byte(buffer, (uint8_t)(text.length >> 8));
	buffer_put_byte(buffer, (uint8_t)text.length);
	buffer_put(buffer, text);
}

void vault_connection_seal(const struct vault_keyring *keyring,
                           const struct vault_connection *connection, struct buffer *ret_blob)
{
	cleanup(buffer_done) struct buffer plain;

	buffer_init_secret(&plain, VAULT_BLOB_MAX);
	put_text(&plain, connection->name);
	put_text(&plain, connection->driver);
	buffer_put(&plain, BYTES_ARRAY(connection->digest));
	put_long(&plain, buffer_view(&connection->grants));
	put_long(&plain, buffer_view(&connection->shown));
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

static bool take_long(struct bytes *rest, struct buffer *ret_text)
{
	if (rest->length < 2)
		return false;
	size_t length = (size_t)rest->data[0] << 8 | rest->data[1];
	if (rest->length - 2 < length)
		return false;
	buffer_put(ret_text, bytes_slice(*rest, 2, length));
	*rest = bytes_slice(*rest, 2 + length, rest->length);
	return !ret_text->failed;
}

static bool read_plain(struct bytes plain, struct vault_connection *ret_connection)
{
	if (!take_text(&plain, ret_connection->name, sizeof(ret_connection->name)) ||
	    !take_text(&plain, ret_connection->driver, sizeof(ret_connection->driver)) ||
	    plain.length < CRYPTO_SHA256)
		return false;
	memcpy(ret_connection->digest, plain.data, CRYPTO_SHA256);
	plain = bytes_slice(plain, CRYPTO_SHA256, plain.length);
	if (!take_long(&plain, &ret_connection->grants) ||
	    !take_long(&plain, &ret_connection->shown))
		return false;
	buffer_put(&ret_connection->parameters, plain);
	return !ret_connection->parameters.failed;
}

struct result vault_connection_open(const struct vault_keyring *keyring, struct bytes blob,
                                    struct bytes name, struct vault_connection *ret_connection)
{
	cleanup(buffer_done) struct buffer plain;

	init(ret_connection);
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
