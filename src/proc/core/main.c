// The program core. It starts with one descriptor, 3: its line to the parent.
#include "core/turns.h"

#include "base/log.h"
#include "crypto/mac.h"
#include "jail/jail.h"

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>

enum { PARENT_FD = 3 };

// The key behind all ids and client secrets is made once and stays with the books.
static void load_id_key(struct core *core)
{
	if (store_setting(core->store, "id_key", core->id_key, sizeof(core->id_key)))
		return;
	crypto_random(core->id_key, sizeof(core->id_key));
	store_set_setting(core->store, "id_key", BYTES_ARRAY(core->id_key));
}

// One core for a folder: a second one goes before it has touched anything.
static bool folder_is_ours(void)
{
	int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return folder >= 0 && flock(folder, LOCK_EX | LOCK_NB) == 0; // held until the program ends
}

int main(int argc, char **argv)
{
	static struct core core;
	struct config_error error;

	log_init("core");
	signal(SIGPIPE, SIG_IGN);
	setenv("UV_THREADPOOL_SIZE", "1", 1); // copies the log
	json_object_seed(0); // reads the system's chance, which the jail does not have
	if (argc != 2 || !result_ok(config_read(argv[1], &core.config, &error))) {
		log_event(LOG_ERROR, "no_configuration",
		          LOG_TEXT("detail", argc == 2 ? error.text : "usage: core CONFIG"));
		return 2;
	}
	struct result result =
	        jail_enter(&(struct jail){ .user = config_user(&core.config, CONFIG_USER_CORE),
	                                   .folder = core.config.data,
	                                   .allow = JAIL_STORE | JAIL_ACCEPT | JAIL_THREADS,
	                                   .files = 4096 });
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_jail", LOG_RESULT(result));
		return 1;
	}
	if (!folder_is_ours()) {
		log_event(LOG_ERROR, "no_store", LOG_TEXT("detail", "another core has the folder"));
		return 1;
	}
	result = store_open("onfile.db", &core.store);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_store", LOG_RESULT(result));
		return 1;
	}
	core_ids_start(&core);
	load_id_key(&core);
	core.turns = turns_new(&core, PARENT_FD);
	core.control = control_new(&core);
	core.pages = pages_new(&core);
	core.api = api_new(&core);
	core.secrets = secrets_new(&core);
	core.deliveries = deliveries_new(&core);
	core.flows = flows_new(&core);
	int status = turns_run(&core);
	flows_free(core.flows);
	deliveries_free(core.deliveries);
	secrets_free(core.secrets);
	api_free(core.api);
	pages_free(core.pages);
	control_free(core.control);
	turns_free(core.turns);
	free(core.control);
	store_close(core.store);
	free(core.card_keys);
	return status;
}
