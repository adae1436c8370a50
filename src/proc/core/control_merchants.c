// `onfile merchant …` and `onfile keys …`: merchants, and the keys of the API that they get. A key
// is shown once; what is kept is its digest, and its last four characters to tell it from others.
#include "core/control.h"
#include "core/flows.h"

#include "base/cleanup.h"
#include "base/check.h"

#include "base/buffer.h"
#include "base/text.h"
#include "crypto/mac.h"
#include "http/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { NUMBER_MAX = 24, TIME_MAX = 24, ENDING = 4 };

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
	store_run(core->store, STORE_KEY_INSERT, STORE_B(BYTES_ARRAY(digest)),
	          STORE_N(core_next_id(core)), STORE_N(merchant), STORE_N(publishable),
	          STORE_T(buffer_text(&key) + key.length - ENDING));
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

static bool is_country(const char *text)
{
	return strlen(text) == 3 && strspn(text, "0123456789") == 3;
}

// What is wrong with a merchant; NULL: nothing.
static const char *complaint(const struct merchant *merchant)
{
	if (!url_is_good(merchant->url))
		return "the merchant's url should be https://…, or http://… of this machine";
	if (!text_is_utf8(bytes_text(merchant->name)) ||
	    !text_is_utf8(bytes_text(merchant->support)))
		return "name and support must be UTF-8";
	if (strlen(merchant->mcc) != 4 || strspn(merchant->mcc, "0123456789") != 4)
		return "the mcc has four digits (ISO 18245)";
	if (!is_country(merchant->country))
		return "the country has three digits (ISO 3166-1 numeric): 643";
	return NULL;
}

// Takes what the arguments say about a merchant; false: one of them is too long.
static bool read_merchant(struct bytes arguments, struct merchant *merchant)
{
	const struct {
		const char *name;
		char *to;
		size_t capacity;
	} members[] = {
		{ "name", merchant->name, sizeof(merchant->name) },
		{ "url", merchant->url, sizeof(merchant->url) },
		{ "support", merchant->support, sizeof(merchant->support) },
		{ "mcc", merchant->mcc, sizeof(merchant->mcc) },
		{ "country", merchant->country, sizeof(merchant->country) },
		{ "bank-id", merchant->bank_id, sizeof(merchant->bank_id) },
	};
	char value[URL_MAX];

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (control_argument(arguments, members[i].name, value, sizeof(value)) &&
		    !bytes_copy_text(bytes_text(value), members[i].to, members[i].capacity))
			return false;
	return true;
}

static void merchant_add(struct core *core, struct control_client *client, struct bytes arguments,
                         struct bytes blob)
{
	struct merchant merchant = { .id = core_next_id(core), .mcc = "5999", .country = "643" };

	(void)blob;
	snprintf(merchant.bank_id, sizeof(merchant.bank_id), "%015u",
	         (unsigned)(merchant.id % 1000000000));
	if (!read_merchant(arguments, &merchant)) {
		control_fail(client, "one of the values is too long");
		return;
	}
	if (!merchant.name[0] || !merchant.url[0] || !merchant.support[0]) {
		control_fail(client, "merchant add needs --name, --url and --support");
		return;
	}
	if (complaint(&merchant)) {
		control_fail(client, complaint(&merchant));
		return;
	}
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

// A row key that an argument names; 0: none.
static int64_t number_in(struct bytes arguments, const char *name)
{
	char text[NUMBER_MAX];

	if (!control_argument(arguments, name, text, sizeof(text)) ||
	    strspn(text, "0123456789") != strlen(text))
		return 0;
	long long number = strtoll(text, NULL, 10);
	return number < INT64_MAX ? number : 0;
}

static bool find_merchant(struct core *core, struct control_client *client, struct bytes arguments,
                          struct merchant *ret_merchant)
{
	int64_t id = number_in(arguments, "merchant");

	if (id && store_load(core->store, STORE_MERCHANTS, id, ret_merchant))
		return true;
	control_fail(client, "there is no such merchant; `onfile merchant list` shows their "
	                     "numbers");
	return false;
}

static void put_time(int64_t at_ms, char ret_text[static TIME_MAX])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(ret_text, TIME_MAX, "%Y-%m-%d %H:%M", &utc);
}

static void say_keys(struct core *core, struct control_client *client, int64_t merchant)
{
	struct store_query query = store_ask(core->store, STORE_KEY_LIST, STORE_N(merchant));

	while (store_step(&query)) {
		char made[TIME_MAX], used[TIME_MAX] = "never", ending[8];
		int64_t used_ms = store_number(&query, 4);

		put_time(core_id_ms(store_number(&query, 0)), made);
		if (used_ms)
			put_time(used_ms, used);
		bytes_copy_text(store_bytes(&query, 3), ending, sizeof(ending));
		control_say(client, 1, "key %lld  merchant %lld  %-11s  …%s  made %s  used %s%s",
		            (long long)store_number(&query, 0), (long long)store_number(&query, 1),
		            store_number(&query, 2) ? "publishable" : "secret", ending, made, used,
		            store_number(&query, 5) ? "  revoked" : "");
	}
	store_end(&query);
}

static void say_counts(struct core *core, struct control_client *client, int64_t merchant)
{
	static const char *const what[] = { "customers", "cards on file", "payments",
		                            "webhook endpoints" };
	struct buffer text cleanup(buffer_done) = { 0 };
	struct store_query query = store_ask(core->store, STORE_MERCHANT_COUNTS, STORE_N(merchant),
	                                     STORE_N(CONTROL_COUNTED));
	bool found = store_step(&query);

	buffer_init(&text, 400);
	for (int i = 0; found && i < 4; i++) {
		char count[CONTROL_COUNT];
		control_count(store_number(&query, i), count);
		buffer_printf(&text, "%s%s %s", i ? ", " : "", count, what[i]);
	}
	store_end(&query);
	control_say(client, 1, "has      %s", buffer_text(&text));
}

static void merchant_show(struct core *core, struct control_client *client, struct bytes arguments,
                          struct bytes blob)
{
	struct merchant merchant = { 0 };

	(void)blob;
	if (!find_merchant(core, client, arguments, &merchant))
		return;
	control_say(client, 1, "merchant %lld %s", (long long)merchant.id, merchant.name);
	control_say(client, 1, "url      %s", merchant.url);
	control_say(client, 1, "support  %s", merchant.support);
	control_say(client, 1, "mcc      %s", merchant.mcc);
	control_say(client, 1, "country  %s", merchant.country);
	control_say(client, 1, "bank-id  %s", merchant.bank_id);
	say_counts(core, client, merchant.id);
	say_keys(core, client, merchant.id);
	control_end(client, 0);
}

static void merchant_set(struct core *core, struct control_client *client, struct bytes arguments,
                         struct bytes blob)
{
	struct merchant merchant = { 0 };

	(void)blob;
	if (!find_merchant(core, client, arguments, &merchant))
		return;
	if (!read_merchant(arguments, &merchant)) {
		control_fail(client, "one of the values is too long");
		return;
	}
	if (complaint(&merchant)) {
		control_fail(client, complaint(&merchant));
		return;
	}
	store_update(core->store, STORE_MERCHANTS, &merchant);
	merchant_show(core, client, arguments, blob);
}

// --- keys

static void keys_create(struct core *core, struct control_client *client, struct bytes arguments,
                        struct bytes blob)
{
	struct merchant merchant = { 0 };
	char kind[16];

	(void)blob;
	if (!find_merchant(core, client, arguments, &merchant))
		return;
	bool publishable = control_argument(arguments, "kind", kind, sizeof(kind)) &&
	                   strcmp(kind, "publishable") == 0;
	if (!publishable && strcmp(kind, "secret") != 0) {
		control_fail(client, "a key's kind is secret or publishable");
		return;
	}
	make_key(core, client, merchant.id, publishable);
	control_end(client, 0);
}

static void keys_list(struct core *core, struct control_client *client, struct bytes arguments,
                      struct bytes blob)
{
	char text[NUMBER_MAX];
	struct merchant merchant = { 0 };

	(void)blob;
	if (control_argument(arguments, "merchant", text, sizeof(text)) &&
	    !find_merchant(core, client, arguments, &merchant))
		return;
	say_keys(core, client, merchant.id);
	control_end(client, 0);
}

// At once: the next request with it is refused.
static void keys_revoke(struct core *core, struct control_client *client, struct bytes arguments,
                        struct bytes blob)
{
	int64_t id = number_in(arguments, "key");
	int64_t revoked_ms = store_one_number(core->store, STORE_KEY_STATE, -1, STORE_N(id));

	(void)blob;
	if (revoked_ms < 0) {
		control_fail(client,
		             "there is no such key; `onfile keys list` shows their numbers");
		return;
	}
	if (!revoked_ms)
		store_run(core->store, STORE_KEY_REVOKE, STORE_N(core->now_ms), STORE_N(id));
	api_keys_changed(core);
	control_say(client, 1, "key %lld is revoked", (long long)id);
	control_end(client, 0);
}

const struct control_row control_merchant_verbs[] = {
	{ "merchant add", merchant_add },   { "merchant list", merchant_list },
	{ "merchant show", merchant_show }, { "merchant set", merchant_set },
	{ "keys create", keys_create },     { "keys list", keys_list },
	{ "keys revoke", keys_revoke },     { 0 },
};
