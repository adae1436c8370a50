// The bank's HTTP side: one table of routes, the rules that hold for all of them (who may ask, what
// a page may load), and the ways to answer. What the routes do is elsewhere (web.h).
#include "web.h"

#include "acs.h"
#include "ds.h"
#include "outgoing.h"
#include "phone.h"

#include "emv3ds/encode.h"
#include "http/form.h"
#include "http/url.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

// Who may use a route.
enum rule {
	FOR_MACHINES, // messages from servers; a browser's Origin is refused
	FOR_FRAMES,   // pages that other sites show or post to
	FOR_OWN,      // our own pages: a request from another site is refused
	FOR_FORMS,    // the same, with a token in the form, so that a frame may hide its origin
};

static void handle_health(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)web;
	(void)rest;
	serve_text(request, 200, "ok\n");
}

static void handle_home(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)web;
	(void)rest;
	web_redirect(request, "/phone");
}

static void handle_icon(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)web;
	(void)rest;
	web_redirect(request, "/pages/bank.svg");
}

static const struct route {
	const char *method;
	const char *path;
	bool takes_rest; // "/path/rest"
	enum rule rule;
	web_handler *handle;
} routes[] = {
	{ "GET", "/health", false, FOR_FRAMES, handle_health },
	{ "GET", "/", false, FOR_FRAMES, handle_home },
	{ "GET", "/favicon.ico", false, FOR_FRAMES, handle_icon },
	{ "POST", "/ds", false, FOR_MACHINES, ds_handle },
	{ "POST", "/acs/method", false, FOR_FRAMES, acs_handle_method },
	{ "POST", "/acs/challenge", false, FOR_FRAMES, challenge_handle_creq },
	{ "GET", "/acs/page", true, FOR_FRAMES, challenge_handle_page },
	{ "GET", "/acs/state", true, FOR_FRAMES, challenge_handle_state },
	{ "POST", "/acs/answer", false, FOR_FORMS, challenge_handle_answer },
	{ "POST", "/sms", false, FOR_MACHINES, sms_handle },
	{ "GET", "/phone", false, FOR_OWN, phone_handle_page },
	{ "GET", "/phone/messages", false, FOR_OWN, phone_handle_messages },
	{ "GET", "/phone/requests", false, FOR_OWN, phone_handle_requests },
	{ "POST", "/phone/requests", false, FOR_OWN, phone_handle_decision },
	{ "GET", "/phone/account", false, FOR_OWN, phone_handle_account },
	{ "GET", "/control", false, FOR_OWN, control_handle_page },
	{ "GET", "/control/cards", false, FOR_OWN, control_handle_cards },
	{ "POST", "/control/cards", false, FOR_OWN, control_handle_change },
	{ "GET", "/control/line", false, FOR_OWN, control_handle_line },
	{ "POST", "/control/line", false, FOR_OWN, control_handle_trouble },
	{ "POST", "/control/clock", false, FOR_OWN, control_handle_clock },
	{ "GET", "/control/ledger", false, FOR_OWN, control_handle_ledger },
	{ "GET", "/control/settlement.csv", false, FOR_OWN, control_handle_settlement },
};

// ------------------------------------------------------------------ answers

void web_json(struct serve_request *request, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	const struct http_pair pairs[] = { HTTP_PAIR("Cache-Control", "no-store"),
		                           HTTP_PAIR("X-Content-Type-Options", "nosniff") };
	struct serve_reply reply = { .status = status,
		                     .type = "application/json; charset=utf-8",
		                     .pairs = pairs,
		                     .pair_count = 2 };

	CHECK(text);
	reply.body = bytes_text(text);
	serve_reply(request, &reply);
	free(text);
	json_decref(body);
}

void web_text_error(struct serve_request *request, int status, const char *text)
{
	serve_text(request, status, text);
}

void web_redirect(struct serve_request *request, const char *location)
{
	const struct http_pair pairs[] = { HTTP_PAIR_TEXT("Location", location),
		                           HTTP_PAIR("Cache-Control", "no-store"),
		                           HTTP_PAIR("Referrer-Policy", "strict-origin") };
	struct serve_reply reply = { .status = 303, .pairs = pairs, .pair_count = 3 };

	serve_reply(request, &reply);
}

void web_page(struct bank_web *web, struct serve_request *request, int status, const char *template,
              bool russian, const struct page_value *values, size_t count, const char *forms)
{
	struct page_value all[40] = { { "lang", russian ? "ru" : "en" } };
	char path[64];
	char policy[1200];
	cleanup(buffer_done) struct buffer out = { 0 };
	const struct serve_file *file;
	struct serve_reply reply = { .status = status, .type = "text/html; charset=utf-8" };

	snprintf(path, sizeof(path), "/pages/%s", template);
	file = serve_static_find(web->pages, bytes_text(path));
	CHECK(count < sizeof(all) / sizeof(all[0]));
	if (count)
		memcpy(all + 1, values, count * sizeof(*values));
	buffer_init(&out, 256 * 1024);
	if (!file || !result_ok(page_put(&out, file->body, russian, all, count + 1))) {
		log_event(LOG_ERROR, "page_broken", LOG_TEXT("file", template));
		serve_text(request, 500, "this page is broken\n");
		return;
	}
	snprintf(policy, sizeof(policy),
	         "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	         "connect-src 'self'; base-uri 'none'; form-action 'self'%s%s",
	         forms ? " " : "", forms ? forms : "");
	const struct http_pair pairs[] = {
		HTTP_PAIR_TEXT("Content-Security-Policy", policy),
		HTTP_PAIR("Cache-Control", "no-store"),
		HTTP_PAIR("Referrer-Policy", "strict-origin"),
		HTTP_PAIR("X-Content-Type-Options", "nosniff"),
	};
	reply.pairs = pairs;
	reply.pair_count = 4;
	reply.body = buffer_view(&out);
	serve_reply(request, &reply);
}

json_t *web_body(const struct serve_request *request)
{
	struct bytes type = http_request_get(request->http, "content-type");
	struct bytes body = request->http->body;
	cleanup(http_form_done) struct http_form form = { 0 };
	json_t *object;

	if (bytes_start_with(type, "application/json")) {
		object = json_loadb((const char *)body.data, body.length, JSON_REJECT_DUPLICATES,
		                    NULL);
		if (json_is_object(object))
			return object;
		json_decref(object);
		return NULL;
	}
	if (!result_ok(http_form_read(body, &form)))
		return NULL;
	object = json_object();
	for (size_t i = 0; i < form.count; i++) {
		cleanup(buffer_done) struct buffer name = { 0 };

		buffer_init(&name, 1000);
		buffer_put(&name, form.pairs[i].name);
		json_object_set_new(object, buffer_text(&name),
		                    json_stringn((const char *)form.pairs[i].value.data,
		                                 form.pairs[i].value.length));
	}
	return object;
}

bool web_wants_russian(const struct serve_request *request)
{
	struct bytes wanted = http_request_get(request->http, "accept-language");

	for (size_t i = 0; i + 1 < wanted.length; i++) {
		if (memcmp(wanted.data + i, "ru", 2) == 0)
			return true;
		if (memcmp(wanted.data + i, "en", 2) == 0)
			return false;
	}
	return false;
}

// ------------------------------------------------------------------ routing

static bool origin_is_ours(const struct bank_web *web, const struct serve_request *request)
{
	struct bytes origin = http_request_get(request->http, "origin");
	struct bytes host = request->http->host;

	if (!origin.data)
		return true;
	// The bank is reached by its name and, in tests, by its address.
	return bytes_equal_text(origin, web->origin) ||
	       (bytes_start_with(origin, "http://") &&
	        bytes_equal(bytes_slice(origin, 7, origin.length), host));
}

// A page of another site that made its name point here must not read the inbox: the name that was
// asked for has to be ours.
static bool host_is_ours(const struct bank_web *web, const struct serve_request *request)
{
	struct bytes host;
	uint16_t port;

	return http_read_host(request->http->host, &host, &port) &&
	       (bytes_equal_text(host, web->host) || emv3ds_host_is_loopback(host));
}

static bool allowed(const struct bank_web *web, const struct serve_request *request, enum rule rule)
{
	switch (rule) {
	case FOR_MACHINES: return !http_request_get(request->http, "origin").data;
	case FOR_OWN:
		return host_is_ours(web, request) &&
		       (!bytes_equal_text(request->http->method, "POST") ||
		        origin_is_ours(web, request));
	case FOR_FORMS:
		return origin_is_ours(web, request) ||
		       bytes_equal_text(http_request_get(request->http, "origin"), "null");
	case FOR_FRAMES: break;
	}
	return true;
}

static bool path_fits(const struct route *route, struct bytes path, struct bytes *ret_rest)
{
	size_t length = strlen(route->path);

	*ret_rest = BYTES_NONE;
	if (!route->takes_rest)
		return bytes_equal_text(path, route->path);
	if (path.length <= length + 1 || !bytes_start_with(path, route->path) ||
	    path.data[length] != '/')
		return false;
	*ret_rest = bytes_slice(path, length + 1, path.length);
	return true;
}

static bool answer_tokens(struct bank_web *web, struct serve_request *request)
{
	struct serve_reply reply = { .status = 200,
		                     .type = "text/css; charset=utf-8",
		                     .body = buffer_view(&web->tokens) };

	if (!bytes_equal_text(request->http->path, "/pages/tokens.css"))
		return false;
	serve_reply(request, &reply);
	return true;
}

static void on_request(struct serve_request *request, void *owner)
{
	struct bank_web *web = owner;
	bool other_method = false;
	struct bytes rest;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!path_fits(&routes[i], request->http->path, &rest))
			continue;
		if (!bytes_equal_text(request->http->method, routes[i].method)) {
			other_method = true;
			continue;
		}
		if (allowed(web, request, routes[i].rule))
			routes[i].handle(web, request, rest);
		else
			serve_text(request, 403, "not from there\n");
		return;
	}
	if (other_method)
		serve_text(request, 405, "not by this method\n");
	else if (!answer_tokens(web, request) && !serve_static_answer(web->pages, request))
		serve_text(request, 404, "there is nothing here\n");
}

static void on_gone(struct serve_request *request, void *owner)
{
	struct acs_transaction *transaction = request->tag;

	(void)owner;
	// A request to another hop is answered when the hop has answered (harmless then); one that
	// waits for a result is given back here.
	if (transaction && transaction->held == request) {
		transaction->held = NULL;
		serve_forget(request);
	}
}

// ------------------------------------------------------------------ start and stop

static struct result read_tokens(const char *path, struct buffer *buffer)
{
	FILE *file = path ? fopen(path, "rb") : NULL;
	size_t got;

	buffer_init(buffer, 1024 * 1024);
	if (!file)
		return path ? FAIL(ERROR_SYSTEM, "tokens.css cannot be read") : RESULT_OK;
	do {
		uint8_t *room = buffer_room(buffer, 65536);

		got = room ? fread(room, 1, 65536, file) : 0;
		if (got)
			buffer_grew(buffer, got);
	} while (got);
	fclose(file);
	return buffer_result(buffer);
}

static struct result fill(struct bank_web *web, int port)
{
	struct bank *bank = web->bank;
	struct bytes host;

	if (bank->origin)
		snprintf(web->origin, sizeof(web->origin), "%s", bank->origin);
	else
		snprintf(web->origin, sizeof(web->origin), "http://bank.localhost:%d", port);
	if (!emv3ds_url_ok(bytes_text(web->origin)))
		return FAIL(ERROR_INPUT, "the bank's own address is not a URL");
	host = emv3ds_url_host(bytes_text(web->origin));
	snprintf(web->host, sizeof(web->host), "%.*s", (int)host.length, (const char *)host.data);
	TRY(read_tokens(bank->tokens, &web->tokens));
	return serve_static_load(bank->pages, "/pages", &web->pages);
}

struct result bank_web_start(struct bank *bank, int port)
{
	struct serve_options options = SERVE_OPTIONS_DEFAULT;
	struct bank_web *web;

	if (!bank->pages)
		return FAIL(ERROR_NOT_FOUND, "without --pages the host runs alone");
	web = calloc(1, sizeof(*web));
	CHECK(web);
	bank->web = web;
	web->bank = bank;
	TRY(fill(web, port));
	web->outgoing = outgoing_new(bank->loop);
	web->phone = phone_new();
	web->acs = acs_new(web);
	web->ds = ds_new(web);
	options.limits.body = 256 * 1024;
	options.owner = web;
	options.on_request = on_request;
	options.on_gone = on_gone;
	web->serve = serve_new(bank->loop, &options);
	CHECK(web->serve);
	TRY(serve_listen(web->serve, bank->address, (uint16_t)port));
	log_event(LOG_INFO, "http_ready", LOG_NUMBER("port", serve_port(web->serve)),
	          LOG_TEXT("address", web->origin));
	return RESULT_OK;
}

static void on_stopped(void *owner)
{
	struct bank_web *web = owner;

	web->serve = NULL;
}

void bank_web_stop(struct bank *bank)
{
	struct bank_web *web = bank->web;

	if (!web)
		return;
	outgoing_free(web->outgoing);
	if (web->serve)
		serve_stop(web->serve, 0, on_stopped);
	acs_free(web->acs);
	ds_free(web->ds);
	// The host's handles are still open, so the loop is turned by hand until ours are closed.
	for (int i = 0; i < 100 && (i < 3 || web->serve); i++)
		uv_run(bank->loop, UV_RUN_NOWAIT);
	phone_free(web->phone);
	serve_static_free(web->pages);
	buffer_done(&web->tokens);
	free(web);
	bank->web = NULL;
}
