// vault: opens what browsers encrypted, seals what is stored, feeds the drivers and hands their
// answers on. Started by the parent with the channel to it as descriptor 3:
//
//     vault --keys FOLDER
//
// The keyring in FOLDER is read (made, the first time) before the sandbox closes; after that no
// file is opened and no socket is made.
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/memory.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

enum { PARENT_FD = 3 };

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

static struct result run(struct vault *vault, const char *keys)
{
	struct vault_keyring *keyring = NULL;

	TRY(protect_memory());
	TRY(open_keyring(keys, &keyring));
	TRY(vault_init(vault, PARENT_FD, keyring));
	struct result locked = secret_pool_locked(vault->pools.cards);
	if (!result_ok(locked))
		log_event(LOG_WARN, "memory_not_locked", LOG_RESULT(locked));
	log_event(LOG_INFO, "ready", LOG_NUMBER("version", keyring->count));
	return vault_run(vault);
}

int main(int argc, char **argv)
{
	log_init("vault");
	if (argc != 3 || strcmp(argv[1], "--keys") != 0) {
		log_event(LOG_ERROR, "usage", LOG_TEXT("detail", "vault --keys FOLDER"));
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	struct vault *vault = calloc(1, sizeof(*vault));
	if (!vault)
		return 1;
	struct result result = run(vault, argv[2]);
	vault_done(vault);
	free(vault);
	if (!result_ok(result) && result.error != ERROR_CLOSED) {
		log_event(LOG_ERROR, "stopped", LOG_RESULT(result), LOG_NUMBER("errno", errno));
		return 1;
	}
	log_event(LOG_INFO, "stopped");
	return 0;
}
