// vault: opens what browsers encrypted, seals what is stored, feeds the drivers and hands their
// answers on. Started by the parent, `vault CONFIG`, with the channel to it as descriptor 3. The
// keyring is read (made, the first time) and all pools of memory are taken before the jail closes;
// after that no file is opened and no socket is made.
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "config/config.h"
#include "crypto/memory.h"
#include "jail/jail.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

enum { PARENT_FD = 3, FILES = 512 };

// Everything that touches memory of secrets, before anything else takes memory.
static struct result protect_memory(void)
{
	json_set_alloc_funcs(secret_malloc, secret_free);
	TRY(crypto_use_wiping_memory());
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return FAIL(ERROR_SYSTEM, "the process cannot be made undumpable");
	return RESULT_OK;
}

static struct result open_keyring(const char *path, struct vault_keyring **ret_keyring)
{
	cleanup(cleanup_fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return FAIL(ERROR_SYSTEM, "the folder of the keys cannot be opened");
	return vault_keyring_open(folder, ret_keyring);
}

static void set_log_level(const char *level)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(level, names[i]) == 0)
			log_set_level((enum log_level)i);
}

static struct result prepare(struct vault *vault, const struct config *config)
{
	struct vault_keyring *keyring = NULL;

	TRY(open_keyring(config->keys, &keyring));
	TRY(vault_init(vault, PARENT_FD, keyring));
	vault->live = config->live;
	struct result locked = secret_pool_locked(vault->pools.cards);
	if (!result_ok(locked))
		log_event(LOG_WARN, "memory_not_locked", LOG_RESULT(locked));
	tzset();             // reads a file, the first time
	json_object_seed(0); // likewise
	return jail_enter(&(struct jail){ .user = config_user(config, CONFIG_USER_VAULT),
	                                  .folder = config->keys,
	                                  .files = FILES });
}

static int run(const struct config *config)
{
	struct vault *vault = calloc(1, sizeof(*vault));

	if (!vault)
		return 1;
	struct result result = prepare(vault, config);
	if (result_ok(result)) {
		log_event(LOG_INFO, "ready", LOG_NUMBER("version", vault->keyring->count));
		result = vault_run(vault);
	}
	vault_done(vault);
	free(vault);
	bool ended = result_ok(result) || result.error == ERROR_CLOSED;
	log_event(ended ? LOG_INFO : LOG_ERROR, "stopped", LOG_RESULT(result),
	          LOG_NUMBER("errno", ended ? 0 : errno));
	return ended ? 0 : 1;
}

int main(int argc, char **argv)
{
	static struct config config;
	struct config_error error = { "usage: vault CONFIG" };

	log_init("vault");
	signal(SIGPIPE, SIG_IGN);
	struct result protected = protect_memory();
	if (!result_ok(protected)) {
		log_event(LOG_ERROR, "memory_not_protected", LOG_RESULT(protected));
		return 1;
	}
	if (argc != 2 || !result_ok(config_read(argv[1], &config, &error))) {
		log_event(LOG_ERROR, "no_configuration", LOG_TEXT("detail", error.text));
		return 2;
	}
	set_log_level(config.log_level);
	return run(&config);
}
