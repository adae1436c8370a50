// `onfile listen` and `onfile trigger`: this process gives up its rights and becomes the program
// `desk`, which speaks HTTP and stands beside the others. What it needs goes along: the operator's
// socket, connected, or the key in the environment.
#include "call.h"

#include "parent/parent.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CORE_FD = 3, WORDS_MAX = CLI_OPTIONS_MAX + 8, NOBODY = 65534, KEY_MAX = 256 };

// Root becomes courier's user, or nobody when the programs have no users of their own.
static bool drop_rights(const struct config *config)
{
	uint32_t user = config_user(config, CONFIG_USER_COURIER);

	if (geteuid() != 0)
		return true;
	if (user == 0)
		user = NOBODY;
	return setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
	       setresuid(user, user, user) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static int become_desk(const struct cli_call *call, char **words, const char *key)
{
	const char *folder = call->config.programs[0] ? call->config.programs : call->own_folder;
	char variable[KEY_MAX + 16] = "";
	char *environment[] = { (char *)"PATH=/usr/bin:/bin", (char *)"LANG=C.UTF-8", variable,
		                NULL };
	char path[CONFIG_TEXT_MAX + 8];

	if (key &&
	    snprintf(variable, sizeof(variable), "ONFILE_API_KEY=%s", key) >= (int)sizeof(variable))
		return cli_fail(CLI_USAGE, "the key is too long to be one");
	if (!key)
		environment[2] = NULL;
	snprintf(path, sizeof(path), "%s/desk", folder);
	int program cleanup(cleanup_fd) = open(path, O_RDONLY | O_CLOEXEC);
	if (program < 0)
		return cli_fail(CLI_FAILED, "%s cannot be opened: %m", path);
	if (!drop_rights(&call->config))
		return cli_fail(CLI_FAILED, "the rights of this user cannot be given up: %m");
	words[0] = (char *)"desk";
	fexecve(program, words, environment);
	return cli_fail(CLI_FAILED, "%s cannot be run: %m", path);
}

static bool place_socket(int fd)
{
	// dup2() onto itself would leave it to be closed.
	bool placed = fd == CORE_FD ? fcntl(fd, F_SETFD, 0) == 0 : dup2(fd, CORE_FD) == CORE_FD;

	return placed && close_range(CORE_FD + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

int cli_listen(struct cli_call *call)
{
	struct wire_channel channel cleanup(wire_channel_done);
	struct buffer arguments cleanup(buffer_done) = { 0 };
	char *words[WORDS_MAX] = { NULL, (char *)"listen", (char *)cli_option(call, "forward-to") };
	size_t starts[WORDS_MAX];
	int count = 0;

	buffer_init(&arguments, CLI_ARGUMENTS_MAX);
	for (int i = 0; i < call->count; i++) {
		if (strcmp(call->options[i].name, "forward-to") == 0)
			continue;
		starts[count++] = arguments.length;
		cli_put_argument(&arguments, call->options[i].name, call->options[i].value);
	}
	if (arguments.failed)
		return cli_fail(CLI_USAGE, "the arguments are too long");
	for (int i = 0; i < count; i++)
		words[3 + i] = (char *)arguments.data + starts[i];
	if (!cli_connect(call, PARENT_OPERATOR_SOCKET, WIRE_CORE, &channel))
		return CLI_FAILED;
	if (!place_socket(channel.fd))
		return cli_fail(CLI_FAILED, "the socket cannot be handed on: %m");
	return become_desk(call, words, NULL);
}

int cli_trigger(struct cli_call *call)
{
	const char *key = cli_option(call, "key");
	const char *customer = cli_option(call, "customer");
	char api[CONFIG_TEXT_MAX + 32];
	char *words[] = { NULL,
		          (char *)"trigger",
		          api,
		          (char *)call->name,
		          (char *)(customer ? customer : ""),
		          NULL };

	if (call->config.live)
		return cli_fail(CLI_FAILED, "this server is in live mode: what is triggered would "
		                            "be real money");
	snprintf(api, sizeof(api), "http://%s:%lld", call->config.listen_address,
	         (long long)call->config.listen_public);
	return become_desk(call, words, key ? key : getenv("ONFILE_API_KEY"));
}
