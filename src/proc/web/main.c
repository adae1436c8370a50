// The program web: `web CONFIG`. It starts with one descriptor, 3: its line to the parent, over
// which its listening sockets and its line to core come.
#include "web/web.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "config/config.h"
#include "jail/jail.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>

enum { PARENT_FD = 3, FILES = 4096, OTHER_FILES = 64, GRACE_MS = 5000 };

// Clients at a time, by listener; the first one gets less where fewer files may be open.
static const unsigned most_clients[WEB_LISTENERS] = { 1024, 256, 32 };

static void on_door_closed(void *owner)
{
	struct web_door *door = owner;
	struct web *web = door->web;

	door->serve = NULL;
	if (--web->doors_open > 0)
		return;
	if (web->core)
		line_flush(web->core);
	line_close(take_ptr(web->core));
	line_close(take_ptr(web->parent));
	uv_close((uv_handle_t *)&web->flush, NULL);
	uv_close((uv_handle_t *)&web->timer, NULL);
}

// Counts as a door itself, so that the last one closes after all were told.
void web_stop(struct web *web, unsigned grace_ms)
{
	if (web->stopping)
		return;
	web->stopping = true;
	web->doors_open++;
	for (int i = 0; i < WEB_LISTENERS; i++)
		if (web->doors[i].serve)
			serve_stop(web->doors[i].serve, grace_ms, on_door_closed);
	on_door_closed(&(struct web_door){ .web = web });
}

static void open_door(struct web *web, enum web_listener kind, int fd)
{
	struct web_door *door = &web->doors[kind];
	struct serve_options options = SERVE_OPTIONS_DEFAULT;

	if (door->serve || web->stopping) {
		close(fd);
		return;
	}
	options.owner = door;
	options.on_request = request_come;
	options.on_gone = request_gone;
	options.on_refusal = refusal_make;
	options.max_connections = kind == WEB_PUBLIC ? web->max_connections : most_clients[kind];
	door->serve = serve_new(&web->loop, &options);
	CHECK(door->serve);
	web->doors_open++;
	struct result result = serve_adopt(door->serve, fd);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_listener", LOG_RESULT(result));
		web->failed = true;
		web_stop(web, 0);
		return;
	}
	log_event(LOG_INFO, "listening", LOG_NUMBER("port", serve_port(door->serve)));
}

void web_parent_message(struct web *web, struct wire_message *message)
{
	switch (message->row->number) {
	case WIRE_HANDOVER_LISTENER:
		open_door(web,
		          (enum web_listener)message->fields[WIRE_HANDOVER_LISTENER_KIND].number,
		          message->descriptors[0]);
		break;
	case WIRE_HANDOVER_PEER_WEB:
		if (web->stopping)
			close(message->descriptors[0]);
		else
			web_set_core(web, message->descriptors[0]);
		break;
	case WIRE_STOP_WEB: web_stop(web, GRACE_MS); break;
	default: break;
	}
}

static void on_flush(uv_prepare_t *prepare)
{
	struct web *web = prepare->data;

	if (web->core)
		line_flush(web->core);
	if (web->parent)
		line_flush(web->parent);
}

static struct result load_files(struct web *web, const struct config *config)
{
	char path[CONFIG_TEXT_MAX + 16];

	snprintf(path, sizeof(path), "%s/static", config->pages);
	TRY(serve_static_load(path, "/static", &web->files));
	snprintf(path, sizeof(path), "%s/pages", config->pages);
	return serve_static_load(path, "", &web->pages);
}

// Whatever libuv opens once and keeps is opened here, before the jail: it has a file in reserve for
// the day when no more may be opened.
static struct result make_loop(struct web *web)
{
	uv_tcp_t first;

	if (uv_loop_init(&web->loop) != 0 || uv_tcp_init(&web->loop, &first) != 0)
		return FAIL(ERROR_SYSTEM, "the event loop could not be made");
	uv_close((uv_handle_t *)&first, NULL);
	uv_run(&web->loop, UV_RUN_NOWAIT);
	uv_prepare_init(&web->loop, &web->flush);
	web->flush.data = web;
	uv_timer_init(&web->loop, &web->timer);
	web->timer.data = web;
	buffer_init(&web->policy, 8192);
	buffer_init(&web->permissions, 2048);
	buffer_init(&web->refusal, 8192);
	if (getrandom(&web->id_prefix, sizeof(web->id_prefix), 0) != sizeof(web->id_prefix))
		return FAIL(ERROR_SYSTEM, "no random numbers");
	return RESULT_OK;
}

static struct result enter_jail(struct web *web, const struct config *config)
{
	struct rlimit files = { FILES, FILES };
	unsigned others = most_clients[WEB_RESULTS] + most_clients[WEB_METRICS] + OTHER_FILES;

	TRY(jail_enter(&(struct jail){ .user = config_user(config, CONFIG_USER_WEB),
	                               .folder = config->pages,
	                               .allow = JAIL_ACCEPT,
	                               .files = FILES }));
	getrlimit(RLIMIT_NOFILE, &files);
	web->max_connections = most_clients[WEB_PUBLIC];
	if (files.rlim_cur < web->max_connections + others)
		web->max_connections = files.rlim_cur > 2 * others
		                               ? (unsigned)files.rlim_cur - others
		                               : others / 2;
	return RESULT_OK;
}

static struct result prepare(struct web *web, const struct config *config)
{
	uint32_t places = 0;

	for (int i = 0; i < WEB_LISTENERS; i++) {
		web->doors[i] = (struct web_door){ .web = web, .kind = (enum web_listener)i };
		places += most_clients[i];
	}
	TRY(net_ranges_read(config->listen_proxies, &web->proxies));
	web->https = strncmp(config->public_url, "https://", 8) == 0;
	TRY(load_files(web, config));
	TRY(make_loop(web));
	if (!waitings_init(web, places))
		return FAIL(ERROR_MEMORY, "no memory for requests");
	return enter_jail(web, config);
}

static int run(struct web *web)
{
	web->parent = line_open(web, PARENT_FD, WIRE_PARENT);
	uv_prepare_start(&web->flush, on_flush);
	if (!result_ok(wire_channel_put(&web->parent->channel, WIRE_READY_WEB, NULL)))
		return 1;
	log_event(LOG_INFO, "ready", LOG_NUMBER("count", web->max_connections));
	uv_run(&web->loop, UV_RUN_DEFAULT);
	uv_loop_close(&web->loop);
	return web->failed ? 1 : 0;
}

static void set_log_level(const char *level)
{
	static const char *const names[] = { "debug", "info", "warn", "error" };

	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcmp(level, names[i]) == 0)
			log_set_level((enum log_level)i);
}

int main(int argc, char **argv)
{
	static struct web web;
	static struct config config;
	struct config_error error = { "usage: web CONFIG" };

	log_init("web");
	signal(SIGPIPE, SIG_IGN);
	if (argc != 2 || !result_ok(config_read(argv[1], &config, &error))) {
		log_event(LOG_ERROR, "no_configuration", LOG_TEXT("detail", error.text));
		return 2;
	}
	set_log_level(config.log_level);
	struct result result = prepare(&web, &config);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "no_start", LOG_RESULT(result));
		return 1;
	}
	int status = run(&web);
	waitings_done(&web);
	serve_static_free(web.files);
	serve_static_free(web.pages);
	buffer_done(&web.policy);
	buffer_done(&web.permissions);
	buffer_done(&web.refusal);
	return status;
}
