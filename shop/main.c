// The shop Soyka: a small marketplace that uses onfile through its public API only, as any merchant
// would. This file starts it (shop --config FILE) and stops it; shop/README.md tells of the rest.
#include "shop.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define RESOLVE_MS 30000
#define BODY_LIMIT (16 * 1024)

static void on_tidy(uv_timer_t *timer)
{
	struct shop *shop = timer->data;
	struct result result = shop_data_tidy(shop->data, clock_wall_ms());

	if (!result_ok(result))
		log_event(LOG_ERROR, "not_tidied", LOG_RESULT(result));
	shop_orders_resolve(shop);
}

static void stopped(void *owner)
{
	struct shop *shop = owner;

	shop_client_free(shop->client);
	uv_close((uv_handle_t *)&shop->tidy, NULL);
	for (size_t i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&shop->signals[i], NULL);
}

static void on_signal(uv_signal_t *signal, int number)
{
	struct shop *shop = signal->data;

	log_event(LOG_INFO, "stopping", LOG_NUMBER("signal", number));
	if (shop->serve)
		serve_stop(shop->serve, 2000, stopped);
	shop->serve = NULL;
}

static struct result start(struct shop *shop)
{
	struct serve_options options = SERVE_OPTIONS_DEFAULT;
	static const int numbers[2] = { SIGINT, SIGTERM };

	if (mkdir(shop->settings.data, 0700) < 0 && access(shop->settings.data, W_OK) < 0)
		return FAIL(ERROR_SYSTEM, "the folder `data` cannot be written");
	TRY(shop_pages_load(shop));
	TRY(shop_data_open(shop->settings.data, &shop->data));
	TRY(shop_client_new(shop->loop, &shop->client));
	options.limits.body = BODY_LIMIT;
	options.owner = shop;
	options.on_request = shop_answer;
	options.on_refusal = shop_refusal;
	shop->serve = serve_new(shop->loop, &options);
	if (!shop->serve)
		return FAIL(ERROR_MEMORY, "no memory for the server");
	TRY(serve_listen(shop->serve, shop->settings.listen, shop->settings.port));
	uv_timer_init(shop->loop, &shop->tidy);
	shop->tidy.data = shop;
	uv_timer_start(&shop->tidy, on_tidy, 1, RESOLVE_MS);
	for (size_t i = 0; i < 2; i++) {
		uv_signal_init(shop->loop, &shop->signals[i]);
		shop->signals[i].data = shop;
		uv_signal_start(&shop->signals[i], on_signal, numbers[i]);
	}
	return RESULT_OK;
}

static int complain(const char *sentence)
{
	(void)fprintf(stderr, "shop: %s\n", sentence);
	return 1;
}

static int run(struct shop *shop)
{
	shop->loop = uv_default_loop();
	struct result result = start(shop);
	if (!result_ok(result)) {
		log_event(LOG_ERROR, "not_started", LOG_RESULT(result));
		return complain(result.detail);
	}
	log_event(LOG_INFO, "ready", LOG_TEXT("address", shop->settings.listen),
	          LOG_NUMBER("port", serve_port(shop->serve)));
	uv_run(shop->loop, UV_RUN_DEFAULT);
	uv_loop_close(shop->loop);
	return 0;
}

int main(int argc, char **argv)
{
	static struct shop shop;
	struct buffer why;
	int status = 1;

	// A client that hung up must not end the program.
	(void)signal(SIGPIPE, SIG_IGN);
	log_init("shop");
	buffer_init(&why, 1024);
	if (argc != 3 || strcmp(argv[1], "--config") != 0)
		return complain("usage: shop --config FILE");
	if (result_ok(shop_settings_read(argv[2], &shop.settings, &why)))
		status = run(&shop);
	else
		complain(buffer_text(&why));
	shop_data_close(shop.data);
	shop_goods_done(&shop.goods);
	serve_static_free(shop.web);
	serve_static_free(shop.shared);
	shop_settings_done(&shop.settings);
	buffer_done(&why);
	return status;
}
