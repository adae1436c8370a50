// The messages of the parent: one row each, with a small handler.
#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "hash.h"
#include "vault.h"

// A new line to core: the old one is over, and core gets every answer again that it has not taken.
static struct result on_peer(struct vault *vault, struct wire_message *message)
{
	wire_channel_done(&vault->core);
	wire_channel_init(&vault->core, message->descriptors[0], WIRE_VAULT, WIRE_CORE,
	                  VAULT_CORE_OUT);
	message->descriptors[0] = -1;
	vault_answers_resend(&vault->answers);
	for (size_t i = 0; i < vault->drivers.count; i++)
		vault->drivers.list[i]->told = false;
	return RESULT_OK;
}

static struct result on_driver(struct vault *vault, struct wire_message *message)
{
	uint32_t number = (uint32_t)message->fields[WIRE_HANDOVER_DRIVER_CONNECTION].number;
	struct vault_driver *driver = vault_drivers_find(vault, number);

	if (!driver) // removed meanwhile; the parent was told to stop it
		return RESULT_OK;
	vault_driver_take(vault, driver, message->descriptors);
	message->descriptors[0] = -1;
	message->descriptors[1] = -1;
	return RESULT_OK;
}

static struct result on_stop(struct vault *vault, struct wire_message *message)
{
	(void)message;
	vault->stopping = true;
	vault->stop_at_ms = vault->monotonic_ms + VAULT_STOP_MS;
	return RESULT_OK;
}

static struct result seal(struct vault *vault, const struct wire_message *message,
                          struct buffer *ret_blob)
{
	cleanup(vault_connection_done) struct vault_connection connection = { 0 };
	cleanup(vault_connection_done) struct vault_connection base = { 0 };
	const struct wire_value *f = message->fields;
	struct bytes changed = f[WIRE_SEAL_CONNECTION_BASE].bytes;
	uint8_t digest[CRYPTO_SHA256];

	TRY(vault_hash_file(message->descriptors[0], digest));
	if (changed.length)
		TRY(vault_connection_open(vault->keyring, changed,
		                          f[WIRE_SEAL_CONNECTION_NAME].bytes, &base));
	const struct vault_connection_parts parts = {
		.name = f[WIRE_SEAL_CONNECTION_NAME].bytes,
		.driver = f[WIRE_SEAL_CONNECTION_DRIVER].bytes,
		.grants = f[WIRE_SEAL_CONNECTION_GRANTS].bytes,
		.shown = f[WIRE_SEAL_CONNECTION_SHOWN].bytes,
		.parameters = f[WIRE_SEAL_CONNECTION_PARAMETERS].bytes,
		.base = changed.length ? &base : NULL,
	};
	TRY(vault_connection_make(&parts, digest, &connection));
	vault_connection_seal(vault->keyring, &connection, ret_blob);
	return buffer_result(ret_blob);
}

static struct result on_seal(struct vault *vault, struct wire_message *message)
{
	cleanup(buffer_done) struct buffer blob = { 0 };

	buffer_init(&blob, VAULT_BLOB_MAX);
	struct result result = seal(vault, message, &blob);
	if (!result_ok(result))
		buffer_reset(&blob);
	const struct wire_value values[] = {
		[WIRE_CONNECTION_SEALED_ID] = message->fields[WIRE_SEAL_CONNECTION_ID],
		[WIRE_CONNECTION_SEALED_PROBLEM] = WIRE_B(bytes_text(result.detail)),
		[WIRE_CONNECTION_SEALED_BLOB] = WIRE_B(buffer_view(&blob)),
	};
	return wire_channel_put(&vault->parent, WIRE_CONNECTION_SEALED, values);
}

static struct result on_open(struct vault *vault, struct wire_message *message)
{
	cleanup(vault_connection_done) struct vault_connection connection = { 0 };
	cleanup(buffer_done) struct buffer shown = { 0 };
	cleanup(buffer_done) struct buffer hidden = { 0 };
	uint8_t digest[CRYPTO_SHA256];
	struct result result = vault_connection_open(
	        vault->keyring, message->fields[WIRE_OPEN_CONNECTION_BLOB].bytes,
	        message->fields[WIRE_OPEN_CONNECTION_NAME].bytes, &connection);

	buffer_init_secret(&shown, VAULT_PARAMETERS_MAX);
	buffer_init(&hidden, VAULT_SHOWN_MAX);
	if (result_ok(result))
		vault_connection_show(&connection, &shown, &hidden);
	bool same = result_ok(result) &&
	            result_ok(vault_hash_file(message->descriptors[0], digest)) &&
	            memcmp(digest, connection.digest, sizeof(digest)) == 0;
	const struct wire_value values[] = {
		[WIRE_CONNECTION_OPENED_ID] = message->fields[WIRE_OPEN_CONNECTION_ID],
		[WIRE_CONNECTION_OPENED_PROBLEM] = WIRE_B(bytes_text(result.detail)),
		[WIRE_CONNECTION_OPENED_DRIVER] = WIRE_B(bytes_text(connection.driver)),
		[WIRE_CONNECTION_OPENED_SAME_FILE] = WIRE_N(same),
		[WIRE_CONNECTION_OPENED_GRANTS] = WIRE_B(buffer_view(&connection.grants)),
		[WIRE_CONNECTION_OPENED_PARAMETERS] = WIRE_B(buffer_view(&shown)),
		[WIRE_CONNECTION_OPENED_HIDDEN] = WIRE_B(buffer_view(&hidden)),
	};
	return wire_channel_put(&vault->parent, WIRE_CONNECTION_OPENED, values);
}

static struct result on_driver_failed(struct vault *vault, struct wire_message *message)
{
	uint32_t number = (uint32_t)message->fields[WIRE_DRIVER_FAILED_CONNECTION].number;
	struct vault_driver *driver = vault_drivers_find(vault, number);
	char detail[257];

	if (!bytes_copy_text(message->fields[WIRE_DRIVER_FAILED_DETAIL].bytes, detail,
	                     sizeof(detail)))
		return FAIL(ERROR_INPUT, "a detail that is not a text");
	if (driver)
		vault_driver_failed(vault, driver, detail, false);
	return RESULT_OK;
}

static const struct {
	enum wire_number number;
	struct result (*handle)(struct vault *vault, struct wire_message *message);
} rows[] = {
	{ WIRE_HANDOVER_PEER_VAULT, on_peer }, { WIRE_HANDOVER_DRIVER, on_driver },
	{ WIRE_STOP_VAULT, on_stop },          { WIRE_SEAL_CONNECTION, on_seal },
	{ WIRE_OPEN_CONNECTION, on_open },     { WIRE_DRIVER_FAILED, on_driver_failed },
};

static struct result dispatch(struct vault *vault, struct wire_message *message)
{
	struct result result = FAIL(ERROR_INPUT, "a message that the parent may not send");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((uint16_t)rows[i].number == message->row->number)
			result = rows[i].handle(vault, message);
	for (int i = 0; i < message->row->descriptors; i++)
		cleanup_fd(&message->descriptors[i]);
	return result;
}

struct result vault_parent_messages(struct vault *vault)
{
	struct wire_message message;
	bool got = false;

	TRY(wire_channel_read(&vault->parent));
	for (;;) {
		TRY(wire_channel_next(&vault->parent, &message, &got));
		if (!got)
			return RESULT_OK;
		TRY(dispatch(vault, &message));
	}
}

void vault_tell_parent(struct vault *vault, enum wire_number number,
                       const struct wire_value *values)
{
	struct result result = wire_channel_put(&vault->parent, number, values);

	if (!result_ok(result))
		log_event(LOG_ERROR, "parent_not_told", LOG_RESULT(result));
}
