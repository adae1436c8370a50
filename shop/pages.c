// Pages and files. Every address of the shop answers with the one shell page (web/index.html),
// whose script draws the rest; what the shell says without script (goods and prices, the help) is
// filled in here. Files are kept in memory.
#include "shop.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>

// Addresses that people can open; "*" is any one part.
static const char *const addresses[] = { "/",        "/goods/*",  "/basket", "/sign-in",
	                                 "/orders",  "/orders/*", "/cards",  "/cards/linked",
	                                 "/profile", "/help",     "/help/*" };

static bool is_address(struct bytes path, struct bytes *ret_part)
{
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		size_t length = strlen(addresses[i]);
		*ret_part = BYTES_NONE;
		if (bytes_equal_text(path, addresses[i]))
			return true;
		if (addresses[i][length - 1] != '*' || path.length < length ||
		    memcmp(path.data, addresses[i], length - 1) != 0)
			continue;
		*ret_part = bytes_slice(path, length - 1, path.length);
		if (bytes_find(*ret_part, '/') == ret_part->length)
			return true;
	}
	return false;
}

// Russian unless the browser asks for English first: the shop is a Russian one.
const char *shop_language(const struct serve_request *request)
{
	struct bytes wanted = http_request_get(request->http, "accept-language");

	return bytes_start_with(wanted, "en") ? "en" : "ru";
}

static void put_html(struct buffer *page, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<': buffer_put_text(page, "&lt;"); break;
		case '>': buffer_put_text(page, "&gt;"); break;
		case '&': buffer_put_text(page, "&amp;"); break;
		case '"': buffer_put_text(page, "&quot;"); break;
		default: buffer_put_byte(page, (uint8_t)*text);
		}
	}
}

static void put_good(struct buffer *page, const struct shop_good *good, size_t tongue, bool whole)
{
	buffer_printf(page, "<li><a href=\"/goods/%s\">", good->id);
	put_html(page, good->name[tongue]);
	buffer_printf(page, "</a> · %lld ₽", (long long)good->price / 100);
	if (whole) {
		buffer_put_text(page, "<p>");
		put_html(page, good->text[tongue]);
		buffer_put_text(page, "</p>");
	}
	buffer_put_text(page, "</li>");
}

static void put_goods(struct buffer *page, const struct shop *shop, struct bytes part,
                      size_t tongue)
{
	const struct shop_good *one = shop_goods_find(&shop->goods, part);

	buffer_put_text(page, "<ul>");
	if (one)
		put_good(page, one, tongue, true);
	for (size_t i = 0; !one && i < shop->goods.count; i++)
		put_good(page, &shop->goods.list[i], tongue, false);
	buffer_put_text(page, "</ul>");
}

// Fills in {language}, {support} and {goods}.
static void put_shell(struct buffer *page, const struct shop *shop, struct bytes shell,
                      struct bytes part, const char *language)
{
	while (shell.length) {
		size_t brace = bytes_find(shell, '{');
		buffer_put(page, bytes_slice(shell, 0, brace));
		shell = bytes_slice(shell, brace, shell.length);
		size_t end = bytes_find(shell, '}');
		struct bytes name = bytes_slice(shell, 0, end + 1);
		if (bytes_equal_text(name, "{language}"))
			buffer_put_text(page, language);
		else if (bytes_equal_text(name, "{support}"))
			put_html(page, shop->settings.support);
		else if (bytes_equal_text(name, "{goods}"))
			put_goods(page, shop, part, shop_tongue(language));
		else
			buffer_put(page, name);
		shell = bytes_slice(shell, end + 1, shell.length);
	}
}

static void answer_shell(struct shop *shop, struct serve_request *request, struct bytes part,
                         int status)
{
	const struct serve_file *shell = serve_static_find(shop->web, bytes_text("/index.html"));
	struct http_pair pairs[SHOP_PAIRS];
	size_t count = shop_page_pairs(pairs);
	struct buffer page;

	buffer_init(&page, 256 * 1024);
	put_shell(&page, shop, shell->body, part, shop_language(request));
	pairs[count++] = HTTP_PAIR("Cache-Control", "no-cache");
	pairs[count++] = HTTP_PAIR("Vary", "Accept-Language");
	serve_reply(request, &(struct serve_reply){ .status = status,
	                                            .type = "text/html; charset=utf-8",
	                                            .pairs = pairs,
	                                            .pair_count = count,
	                                            .body = buffer_view(&page) });
	buffer_done(&page);
}

// The service worker's text holds the version of all files, so that a change of any of them makes
// browsers fetch the whole set again.
static void answer_worker(struct shop *shop, struct serve_request *request)
{
	const struct serve_file *file = serve_static_find(shop->web, bytes_text("/worker.js"));
	struct http_pair pairs[SHOP_PAIRS];
	size_t count = shop_page_pairs(pairs);
	struct buffer text;

	buffer_init(&text, 256 * 1024);
	buffer_printf(&text, "const VERSION = '%s';\n", shop->version);
	buffer_put(&text, file->body);
	pairs[count++] = HTTP_PAIR("Cache-Control", "no-cache");
	serve_reply(request, &(struct serve_reply){ .status = 200,
	                                            .type = "text/javascript; charset=utf-8",
	                                            .pairs = pairs,
	                                            .pair_count = count,
	                                            .body = buffer_view(&text) });
	buffer_done(&text);
}

static const struct serve_file *find_file(const struct shop *shop, struct bytes path)
{
	const struct serve_file *file = serve_static_find(shop->web, path);

	if (bytes_equal_text(path, "/index.html"))
		return NULL;
	return file ? file : serve_static_find(shop->shared, path);
}

void shop_pages_answer(struct shop *shop, struct serve_request *request)
{
	struct bytes path = request->http->path;
	const struct serve_file *file = find_file(shop, path);
	struct http_pair pairs[SHOP_PAIRS];
	struct bytes part = BYTES_NONE;
	bool reads = bytes_equal_text(request->http->method, "GET") ||
	             bytes_equal_text(request->http->method, "HEAD");

	if (reads && bytes_equal_text(path, "/worker.js"))
		answer_worker(shop, request);
	else if (file)
		serve_file(request, file, "no-cache", pairs, shop_page_pairs(pairs));
	else if (!reads)
		serve_text(request, 405, "this page can only be read\n");
	else
		answer_shell(shop, request, part, is_address(path, &part) ? 200 : 404);
}

// The version is a hash over every file that the worker's text names ("/…" between quotes), over
// the worker and over the shell.
static void take_version(struct shop *shop)
{
	struct bytes text = serve_static_find(shop->web, bytes_text("/worker.js"))->body;
	uint8_t hash[SHOP_HASH];
	struct buffer all;

	buffer_init(&all, 16 * 1024);
	buffer_put_text(&all, serve_static_find(shop->web, bytes_text("/worker.js"))->etag);
	buffer_put_text(&all, serve_static_find(shop->web, bytes_text("/index.html"))->etag);
	while (text.length) {
		text = bytes_slice(text, bytes_find(text, '"') + 1, text.length);
		struct bytes name = bytes_slice(text, 0, bytes_find(text, '"'));
		const struct serve_file *file = find_file(shop, name);
		if (file)
			buffer_put_text(&all, file->etag);
	}
	shop_hash(buffer_view(&all), hash);
	buffer_reset(&all);
	hex_put(&all, bytes_from(hash, 8));
	(void)bytes_copy_text(buffer_view(&all), shop->version, sizeof shop->version);
	buffer_done(&all);
}

struct result shop_pages_load(struct shop *shop)
{
	char folder[256];

	TRY(serve_static_load(shop->settings.web, "", &shop->web));
	(void)snprintf(folder, sizeof folder, "%s", shop->settings.tokens);
	char *slash = strrchr(folder, '/');
	if (slash)
		*slash = 0;
	TRY(serve_static_load(slash ? folder : ".", "/static", &shop->shared));
	const struct serve_file *goods = serve_static_find(shop->web, bytes_text("/goods.json"));
	if (!goods || !serve_static_find(shop->web, bytes_text("/index.html")) ||
	    !serve_static_find(shop->web, bytes_text("/worker.js")))
		return FAIL(ERROR_NOT_FOUND, "the folder `web` lacks a page, goods or the worker");
	take_version(shop);
	return shop_goods_read(goods->body, &shop->goods);
}
