// `onfile merchant …`: merchants and the keys that they get, once.
#include "core/control.h"
#include "core/flows.h"

#include "base/buffer.h"
#include "base/text.h"
#include "crypto/mac.h"
#include "http/url.h"

#include <stdio.h>

static void make_key(struct core *core, struct control_client *client, int64_t merchant,
                     bool publishable)
{
	uint8_t chance[32], digest[CRYPTO_SHA256];
	struct buffer key;

	crypto_random(chance, sizeof(chance));
	buffer_init_secret(&key, 128);
	buffer_printf(&key, "%s_%s_", publishable ? "pk" : "sk",
	              core->config.live ? "live" : "test");
	for (int i = 0; i < 4; i++) {
		uint64_t part;
		memcpy(&part, chance + 8 * i, 8);
		base62_put(&key, part, 11);
	}
	crypto_sha256(buffer_view(&key), digest);
	store_run(core->store, STORE_KEY_INSERT, STORE_B(BYTES_ARRAY(digest)), STORE_N(merchant),
	          STORE_N(publishable));
	control_say(client, 1, "%s %s", publishable ? "publishable_key" : "secret_key",
	            buffer_text(&key));
	buffer_done(&key);
	explicit_bzero(chance, sizeof(chance));
}

// The bank's pages and 3-D Secure name the shop by this address: no plain HTTP beyond this machine.
static bool url_is_good(const char *text)
{
	struct http_url url;

	if (!result_ok(http_url_read(bytes_text(text), &url)))
		return false;
	struct bytes host = url.host;
	size_t tail = host.length > 10 ? host.length - 10 : 0;
	return url.https || bytes_equal_text(host, "localhost") ||
	       bytes_equal_text(host, "127.0.0.1") || bytes_equal_text(host, "[::1]") ||
	       bytes_equal_text(bytes_slice(host, tail, host.length), ".localhost");
}

static void merchant_add(struct core *core, struct control_client *client, struct bytes arguments,
                         struct bytes blob)
{
	struct merchant merchant = { .id = core_next_id(core) };

	(void)blob;
	if (!control_argument(arguments, "name", merchant.name, sizeof(merchant.name)) ||
	    !control_argument(arguments, "url", merchant.url, sizeof(merchant.url)) ||
	    !control_argument(arguments, "support", merchant.support, sizeof(merchant.support))) {
		control_fail(client, "merchant add needs --name, --url and --support");
		return;
	}
	if (!url_is_good(merchant.url)) {
		control_fail(client,
		             "the merchant's url should be https://…, or http://… of this machine");
		return;
	}
	if (!text_is_utf8(bytes_text(merchant.name)) ||
	    !text_is_utf8(bytes_text(merchant.support))) {
		control_fail(client, "name and support must be UTF-8");
		return;
	}
	if (!control_argument(arguments, "mcc", merchant.mcc, sizeof(merchant.mcc)))
		memcpy(merchant.mcc, "5999", 5);
	if (!control_argument(arguments, "country", merchant.country, sizeof(merchant.country)))
		memcpy(merchant.country, "643", 4);
	if (!control_argument(arguments, "bank-id", merchant.bank_id, sizeof(merchant.bank_id)))
		snprintf(merchant.bank_id, sizeof(merchant.bank_id), "%015u",
		         (unsigned)(merchant.id % 1000000000));
	store_insert(core->store, STORE_MERCHANTS, &merchant);
	control_say(client, 1, "merchant %lld %s", (long long)merchant.id, merchant.name);
	make_key(core, client, merchant.id, false);
	make_key(core, client, merchant.id, true);
	control_end(client, 0);
}

static void merchant_list(struct core *core, struct control_client *client, struct bytes arguments,
                          struct bytes blob)
{
	struct store_query query = store_begin(core->store, STORE_MERCHANT_LIST, NULL, 0);
	struct merchant merchant;

	(void)arguments;
	(void)blob;
	while (store_step(&query)) {
		store_read(&query, STORE_MERCHANTS, &merchant);
		control_say(client, 1, "%lld  %s  %s  %s", (long long)merchant.id, merchant.name,
		            merchant.url, merchant.support);
	}
	control_end(client, 0);
}

const struct control_row control_merchant_verbs[] = {
	{ "merchant add", merchant_add },
	{ "merchant list", merchant_list },
	{ 0 },
};
