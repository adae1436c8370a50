// `onfile attention resolve`: what a person has found out, with their name.
#include "call.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Who is at the terminal, behind sudo too.
static const char *name_of_user(void)
{
	static const char *const variables[] = { "SUDO_USER", "LOGNAME", "USER" };

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		const char *name = getenv(variables[i]);
		if (name && name[0])
			return name;
	}
	return "somebody";
}

int cli_attention_resolve(struct cli_call *call)
{
	struct buffer arguments cleanup(buffer_done) = { 0 };
	const char *by = cli_option(call, "by");
	char who[80];

	snprintf(who, sizeof(who), "%.60s (uid %ld)", by ? by : name_of_user(), (long)getuid());
	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	cli_put_argument(&arguments, "id", call->name);
	cli_put_argument(&arguments, "as", cli_option(call, "as"));
	cli_put_argument(&arguments, "by", who);
	cli_put_argument(&arguments, "note", cli_option(call, "note"));
	if (arguments.failed)
		return cli_fail(CLI_USAGE, "the arguments are too long");
	return cli_command(call, call->verb->words, buffer_view(&arguments), BYTES_NONE);
}
