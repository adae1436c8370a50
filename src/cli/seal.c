// Sealing and opening connections: messages to the parent's root socket, which hands them to vault.
#include "seal.h"

#include "parent/parent.h"

#include "base/cleanup.h"

#include <stdio.h>

// Asks the parent one thing. False: the sentence is on standard error.
static bool ask_parent(const struct cli_call *call, struct wire_channel *channel,
                       enum wire_number number, const struct wire_value *values,
                       enum wire_number answer, struct wire_message *message)
{
	if (!cli_connect(call, PARENT_ROOT_SOCKET, WIRE_PARENT, channel))
		return false;
	struct result result = wire_channel_put(channel, number, values);
	if (result_ok(result))
		result = cli_ask(channel, message);
	if (result_ok(result) && message->row->number != answer)
		result = FAIL(ERROR_INPUT, "an answer to something else");
	if (result_ok(result))
		return true;
	cli_fail(0, "vault was not asked: %s", result.detail);
	return false;
}

static bool has_problem(const struct wire_value *problem, const char *what)
{
	if (problem->bytes.length == 0)
		return false;
	cli_fail(0, "%s: %.*s", what, (int)problem->bytes.length,
	         (const char *)problem->bytes.data);
	return true;
}

bool cli_seal(const struct cli_call *call, const struct cli_seal *seal, struct buffer *ret_blob)
{
	struct wire_channel channel cleanup(wire_channel_done) = { .fd = -1 };
	struct wire_message message;
	const struct wire_value values[] = {
		[WIRE_CLI_SEAL_NAME] = WIRE_B(bytes_text(seal->name)),
		[WIRE_CLI_SEAL_DRIVER] = WIRE_B(bytes_text(seal->driver)),
		[WIRE_CLI_SEAL_PARAMETERS] = WIRE_B(seal->parameters),
		[WIRE_CLI_SEAL_GRANTS] = WIRE_B(seal->grants),
		[WIRE_CLI_SEAL_SHOWN] = WIRE_B(seal->shown),
		[WIRE_CLI_SEAL_BASE] = WIRE_B(seal->base),
	};

	if (!ask_parent(call, &channel, WIRE_CLI_SEAL, values, WIRE_CLI_SEALED, &message) ||
	    has_problem(&message.fields[WIRE_CLI_SEALED_PROBLEM], "the parameters were not sealed"))
		return false;
	buffer_put(ret_blob, message.fields[WIRE_CLI_SEALED_BLOB].bytes);
	return true;
}

bool cli_open_blob(const struct cli_call *call, const char *name, const char *driver,
                   struct bytes blob, struct cli_opened *ret_opened)
{
	struct wire_message message;
	const struct wire_value values[] = {
		[WIRE_CLI_OPEN_NAME] = WIRE_B(bytes_text(name)),
		[WIRE_CLI_OPEN_DRIVER] = WIRE_B(bytes_text(driver)),
		[WIRE_CLI_OPEN_BLOB] = WIRE_B(blob),
	};

	*ret_opened = (struct cli_opened){ .channel.fd = -1 };
	if (!ask_parent(call, &ret_opened->channel, WIRE_CLI_OPEN, values, WIRE_CLI_OPENED,
	                &message))
		return false;
	ret_opened->problem = message.fields[WIRE_CLI_OPENED_PROBLEM].bytes;
	ret_opened->driver = message.fields[WIRE_CLI_OPENED_DRIVER].bytes;
	ret_opened->same_file = message.fields[WIRE_CLI_OPENED_SAME_FILE].number != 0;
	ret_opened->grants = message.fields[WIRE_CLI_OPENED_GRANTS].bytes;
	ret_opened->parameters = message.fields[WIRE_CLI_OPENED_PARAMETERS].bytes;
	ret_opened->hidden = message.fields[WIRE_CLI_OPENED_HIDDEN].bytes;
	return true;
}

void cli_opened_done(struct cli_opened *opened)
{
	wire_channel_done(&opened->channel);
}

bool cli_fetch_blob(const struct cli_call *call, const char *name, char ret_driver[static 65],
                    uint32_t *ret_number, struct buffer *ret_blob)
{
	struct wire_channel channel cleanup(wire_channel_done) = { .fd = -1 };
	struct buffer arguments cleanup(buffer_done) = { 0 };
	struct wire_message message;

	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	cli_put_argument(&arguments, "name", name);
	if (!cli_connect(call, PARENT_OPERATOR_SOCKET, WIRE_CORE, &channel))
		return false;
	struct result result = wire_channel_put(
	        &channel, WIRE_CLI_COMMAND,
	        (const struct wire_value[WIRE_FIELDS_OF_CLI_COMMAND]){
	                [WIRE_CLI_COMMAND_VERB] = WIRE_B(BYTES_LITERAL("connection blob")),
	                [WIRE_CLI_COMMAND_ARGUMENTS] = WIRE_B(buffer_view(&arguments)) });
	if (result_ok(result))
		result = cli_ask(&channel, &message);
	if (!result_ok(result)) {
		cli_fail(0, "core was not asked: %s", result.detail);
		return false;
	}
	if (message.row->number == WIRE_CLI_BLOB &&
	    bytes_copy_text(message.fields[WIRE_CLI_BLOB_DRIVER].bytes, ret_driver, 65)) {
		buffer_put(ret_blob, message.fields[WIRE_CLI_BLOB_BLOB].bytes);
		*ret_number = (uint32_t)message.fields[WIRE_CLI_BLOB_CONNECTION].number;
		return !ret_blob->failed;
	}
	cli_fail(0, "there is no connection %s", name);
	return false;
}
