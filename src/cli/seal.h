// The two questions that only vault can answer, through root's control socket, and the blob that
// core keeps for them.
#pragma once

#include "call.h"

enum { CLI_BLOB_MAX = 32768, CLI_PARAMETERS_JSON_MAX = 24576 };

struct cli_seal {
	const char *name, *driver;
	struct bytes parameters, grants, shown;
	struct bytes base; // the blob that is changed; empty: a new one
};

// Vault seals what only the driver may read. False: the sentence is on standard error.
bool cli_seal(const struct cli_call *call, const struct cli_seal *seal, struct buffer *ret_blob);

// What core keeps of the connection. False: the sentence is on standard error.
bool cli_fetch_blob(const struct cli_call *call, const char *name, char ret_driver[static 65],
                    uint32_t *ret_number, struct buffer *ret_blob);

// What vault says is in the blob; views of the message, which live as long as the channel.
struct cli_opened {
	struct wire_channel channel; // for cleanup(cli_opened_done)
	struct bytes problem, driver, grants, parameters, hidden;
	bool same_file; // the installed driver is the one that the connection was sealed for
};
bool cli_open_blob(const struct cli_call *call, const char *name, const char *driver,
                   struct bytes blob, struct cli_opened *ret_opened);
void cli_opened_done(struct cli_opened *opened);
