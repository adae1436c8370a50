// `onfile iso8583 …` hands its words to the program onfile-iso8583 (iso8583_tool.c): this one runs
// as root and links no code that reads what a bank sent.
#include "call.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int cli_iso8583(struct cli_call *call)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof path, "%s/onfile-iso8583", call->own_folder) >=
	    sizeof path)
		return cli_fail(CLI_FAILED, "the folder of onfile has too long a name");
	execv(path, call->rest - 1); // the word before them becomes the program's own name
	return cli_fail(CLI_FAILED, "%s cannot be run: %s", path, strerror(errno));
}
