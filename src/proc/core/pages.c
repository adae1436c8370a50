// The requests of the hosted pages, and the messages that the bank's side of 3-D Secure posts to
// us. docs/hosted-pages.md. What a page shows is made in page_state.c.
#include "core/pages.h"

#include "api/id.h"
#include "api/json.h"
#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/checkout.h"
#include "core/flows.h"
#include "core/guards.h"
#include "core/proof.h"
#include "http/form.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 20000, BROWSER_MAX = 64 * 1024 };

// Somebody who waits for the next state, or for the end of what they started.
struct watcher {
	struct watcher *next;
	uint64_t serial;
	int64_t intent;
	int64_t until_ms;
	bool started; // posted a card and is told by the flow
	char token[128], address[46];
	enum problem_language language;
};

struct pages {
	struct watcher *watchers;
};

struct pages *pages_new(struct core *core)
{
	struct pages *pages = calloc(1, sizeof(*pages));

	(void)core;
	CHECK(pages);
	return pages;
}

void pages_free(struct pages *pages)
{
	while (pages->watchers) {
		struct watcher *watcher = pages->watchers;
		pages->watchers = watcher->next;
		free(watcher);
	}
	free(pages);
}

// --- answers

void page_send_json(struct core *core, uint64_t serial, int status, json_t *object,
                    int retry_after_s)
{
	char *text = json_dumps(object, JSON_COMPACT);

	CHECK(text);
	core_reply(core, serial,
	           &(struct reply){ .status = status,
	                            .kind = REPLY_JSON,
	                            .retry_after_s = retry_after_s,
	                            .body = bytes_text(text) });
	free(text);
	json_decref(object);
}

void page_send(struct core *core, const struct request *request, int status, const char *page,
               const char *csp_origin, const char *ancestor)
{
	core_reply(core, request->serial,
	           &(struct reply){ .status = status,
	                            .kind = REPLY_PAGE,
	                            .request_id = request->id,
	                            .page = page,
	                            .csp_origin = csp_origin,
	                            .frame_ancestor = ancestor });
}

void page_send_lost(struct core *core, const struct request *request)
{
	page_send(core, request, 404, "lost.html", NULL, NULL);
}

static void send_state(struct core *core, uint64_t serial, const struct page *page)
{
	page_send_json(core, serial, 200, page_state(core, page), 0);
}

static void send_refusal(struct core *core, uint64_t serial, const struct page *page,
                         const struct flow_outcome *outcome)
{
	const struct problem_row *row = problem_shown(outcome->problem);
	int64_t wait_s = outcome->again_ms ? (outcome->again_ms - core->now_ms + 999) / 1000 : 0;
	json_t *state = page_state(core, page);
	json_t *body =
	        json_pack("{s:o, s:o}", "error", page_error(core, page, outcome), "state", state);

	wait_s = wait_s < 0 ? 0 : wait_s > 86400 ? 86400 : wait_s;
	page_send_json(core, serial, row->status, body, (int)wait_s);
}

// --- watchers

static struct watcher *watch(struct core *core, const struct request *request,
                             const struct page *page)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	CHECK(watcher);
	watcher->serial = request->serial;
	watcher->intent = page->intent;
	watcher->language = page->language;
	watcher->until_ms = core->now_ms + WAIT_MS;
	memcpy(watcher->token, page->token, sizeof(watcher->token));
	memcpy(watcher->address, page->address, sizeof(watcher->address));
	watcher->next = core->pages->watchers;
	core->pages->watchers = watcher;
	return watcher;
}

static void unwatch(struct core *core, struct watcher *watcher)
{
	struct watcher **at = &core->pages->watchers;

	while (*at != watcher)
		at = &(*at)->next;
	*at = watcher->next;
	free(watcher);
}

static bool find_again(struct core *core, const struct watcher *watcher, struct page *page)
{
	if (!page_find(core, bytes_text(watcher->token), page))
		return false;
	page->language = watcher->language;
	memcpy(page->address, watcher->address, sizeof(page->address));
	return true;
}

void pages_gone(struct core *core, uint64_t serial)
{
	for (struct watcher *watcher = core->pages->watchers, *next; watcher; watcher = next) {
		next = watcher->next;
		if (serial && watcher->serial != serial)
			continue;
		if (watcher->started)
			flow_forget(core, watcher);
		unwatch(core, watcher);
	}
}

void pages_changed(struct core *core, int64_t intent)
{
	for (struct watcher *watcher = core->pages->watchers; watcher; watcher = watcher->next)
		if (watcher->intent == intent && !watcher->started) {
			watcher->until_ms = 0;
			core_wake(core);
		}
}

void pages_timer(struct core *core)
{
	for (struct watcher *watcher = core->pages->watchers, *next; watcher; watcher = next) {
		struct page page cleanup(page_done) = { 0 };
		next = watcher->next;
		if (watcher->started || watcher->until_ms > core->now_ms)
			continue;
		if (find_again(core, watcher, &page))
			send_state(core, watcher->serial, &page);
		unwatch(core, watcher);
	}
}

int64_t pages_next_timer(const struct core *core)
{
	int64_t first = INT64_MAX;

	for (const struct watcher *watcher = core->pages->watchers; watcher;
	     watcher = watcher->next)
		if (!watcher->started && watcher->until_ms < first)
			first = watcher->until_ms;
	return first;
}

// --- a card is posted

static void on_started(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	struct watcher *watcher = owner;
	struct page page cleanup(page_done) = { 0 };

	if (find_again(core, watcher, &page)) {
		bool refused = outcome->end == FLOW_REFUSED || outcome->end == FLOW_BUSY;
		// Who went back in the meantime was not refused.
		if (refused && outcome->problem != PROBLEM_CANCELLED)
			send_refusal(core, watcher->serial, &page, outcome);
		else
			send_state(core, watcher->serial, &page);
	}
	unwatch(core, watcher);
}

static void put_text(struct api_json *json, const char *name, struct bytes text, size_t most)
{
	struct bytes cut = bytes_slice(text, 0, most);

	cut.length = bytes_find(cut, 0);
	while (cut.length && !text_is_utf8(cut))
		cut.length--;
	api_json_bytes(json, name, cut);
}

static void put_number(struct api_json *json, const char *name, struct bytes text)
{
	bool minus = text.length > 1 && text.data[0] == '-';
	uint64_t number;

	if (text_to_number(bytes_slice(text, minus, text.length), 1000000, &number))
		api_json_number(json, name, minus ? -(int64_t)number : (int64_t)number);
}

// The browser's facts as docs/drivers.md has them, into an empty buffer. Nothing when the form does
// not bring them.
static void browser_of(const struct http_form *form, const struct request *request,
                       struct buffer *browser)
{
	struct bytes language = http_form_get(form, "browser[language]");
	struct bytes java = http_form_get(form, "browser[java]");
	struct api_json json = api_json_on(browser);

	if (language.length == 0)
		return;
	buffer_init(browser, BROWSER_MAX);
	api_json_open(&json, NULL, '{');
	put_text(&json, "accept_header",
	         request->accept.length ? request->accept : bytes_text("*/*"), 2048);
	put_text(&json, "user_agent", request->user_agent, 2048);
	put_text(&json, "ip", request->peer, 45);
	api_json_flag(&json, "javascript", true);
	api_json_flag(&json, "java", bytes_equal_text(java, "true"));
	put_text(&json, "language", language, 8);
	put_number(&json, "color_depth", http_form_get(form, "browser[color_depth]"));
	put_number(&json, "screen_height", http_form_get(form, "browser[screen_height]"));
	put_number(&json, "screen_width", http_form_get(form, "browser[screen_width]"));
	put_number(&json, "time_zone", http_form_get(form, "browser[time_zone]"));
	api_json_close(&json, '}');
	CHECK(!browser->failed);
}

static void post_card(struct core *core, const struct request *request, struct page *page,
                      const struct http_form *form)
{
	struct bytes jwe = http_form_get(form, "encrypted");
	struct buffer browser cleanup(buffer_done) = { 0 };

	if (!page_may_link(page)) {
		send_state(core, request->serial, page);
		return;
	}
	const struct guard_verdict verdict =
	        guards_before(core, page_customer(page), page->address);
	if (verdict.proof_bits &&
	    !proof_check(core, page->intent, verdict.proof_bits, http_form_get(form, "proof"))) {
		send_refusal(core, request->serial, page,
		             &(struct flow_outcome){ .problem = PROBLEM_PROOF_WANTED });
		return;
	}
	browser_of(form, request, &browser);
	struct watcher *watcher = watch(core, request, page);
	watcher->started = true;
	flow_link(
	        core,
	        &(struct flow_link_start){ .intent = page->intent,
	                                   .payment = page->payment,
	                                   .jwe = jwe,
	                                   .browser = browser.length ? buffer_text(&browser) : NULL,
	                                   .window = http_form_get(form, "browser[window]"),
	                                   .address = page->address,
	                                   .verdict = &verdict },
	        on_started, watcher);
	pages_changed(core, page->intent);
}

// Pays with a card on file. Two taps, or two tabs, are one payment: the flow says that it runs.
static void post_pay(struct core *core, const struct request *request, struct page *page,
                     const struct http_form *form)
{
	struct card card cleanup(card_done) = { 0 };
	int64_t id;

	if (!page_may_choose(core, page) ||
	    !api_id_read(core->id_key, API_ID_PAYMENT_METHOD, http_form_get(form, "card"), &id) ||
	    !store_find(core->store, STORE_CARDS, page->session.merchant, id, &card) ||
	    card.customer != page->session.customer || card.removed_ms) {
		send_state(core, request->serial, page);
		return;
	}
	struct watcher *watcher = watch(core, request, page);
	watcher->started = true;
	checkout_pay(core, &page->session, card.id, on_started, watcher);
	pages_changed(core, page->intent);
}

static void post_browser(struct core *core, const struct request *request, struct page *page,
                         const struct http_form *form)
{
	struct buffer browser cleanup(buffer_done) = { 0 };
	struct live *live = flows_live(core, page->attempt.id);

	browser_of(form, request, &browser);
	if (live && browser.length)
		authentication_browser(core, live, buffer_text(&browser),
		                       http_form_get(form, "browser[window]"));
	if (page_find_again(core, page))
		send_state(core, request->serial, page);
}

static void post_cancel(struct core *core, const struct request *request, struct page *page,
                        const struct http_form *form)
{
	(void)form;
	if (page->attempt.state != ATTEMPT_HELD) // what is held is the merchant's to give back
		flow_cancel_link(core, page->intent, page->attempt.id);
	if (page_find_again(core, page))
		send_state(core, request->serial, page);
}

// --- reading

static void get_card_page(struct core *core, const struct request *request, struct page *page,
                          const struct http_form *form)
{
	(void)form;
	(void)page;
	page_send(core, request, 200, "card.html", NULL, NULL);
}

// Who has cards on file and has tried nothing yet is asked which one.
static void get_page(struct core *core, const struct request *request, struct page *page,
                     const struct http_form *form)
{
	bool choose = !page->attempt.id && page_may_choose(core, page);

	(void)form;
	page_send(core, request, 200, choose ? "choose.html" : "card.html", NULL, NULL);
}

static void send_to_card_page(struct core *core, const struct request *request,
                              const struct page *page)
{
	char location[sizeof(page->token) + 4];

	snprintf(location, sizeof(location), "/c/%s", page->token);
	core_reply(core, request->serial,
	           &(struct reply){ .status = 303,
	                            .kind = REPLY_REDIRECT,
	                            .request_id = request->id,
	                            .location = location });
}

static void get_choice(struct core *core, const struct request *request, struct page *page,
                       const struct http_form *form)
{
	(void)form;
	if (page_may_choose(core, page))
		page_send(core, request, 200, "choose.html", NULL, NULL);
	else
		send_to_card_page(core, request, page);
}

static void get_challenge(struct core *core, const struct request *request, struct page *page,
                          const struct http_form *form)
{
	struct authentication a;

	(void)form;
	authentication_load(core, page->attempt.id, &a);
	if (page->attempt.id && page->attempt.state == ATTEMPT_CHALLENGING && a.acs_origin)
		page_send(core, request, 200, "challenge.html", a.acs_origin, NULL);
	else
		send_to_card_page(core, request, page);
	authentication_free(&a);
}

static void get_method(struct core *core, const struct request *request, struct page *page,
                       const struct http_form *form)
{
	struct authentication a;

	(void)form;
	authentication_load(core, page->attempt.id, &a);
	if (page->attempt.id && page->attempt.state == ATTEMPT_PREPARING && a.method_origin)
		page_send(core, request, 200, "method.html", a.method_origin, "'self'");
	else
		page_send_lost(core, request);
	authentication_free(&a);
}

static void get_state(struct core *core, const struct request *request, struct page *page,
                      const struct http_form *form)
{
	uint64_t after;

	if (text_to_number(http_form_get(form, "after"), INT64_MAX, &after) &&
	    page_revision(core, page) <= (int64_t)after)
		watch(core, request, page);
	else
		send_state(core, request->serial, page);
}

// --- routes

struct page_route {
	const char *method;
	const char *rest; // after /c/TOKEN
	void (*handle)(struct core *core, const struct request *request, struct page *page,
	               const struct http_form *form);
};

static const struct page_route routes[] = {
	{ "GET", "", get_page },
	{ "GET", "/new", get_card_page },
	{ "GET", "/choose", get_choice },
	{ "GET", "/challenge", get_challenge },
	{ "GET", "/method", get_method },
	{ "GET", "/state", get_state },
	{ "POST", "/card", post_card },
	{ "POST", "/pay", post_pay },
	{ "POST", "/browser", post_browser },
	{ "POST", "/cancel", post_cancel },
};

bool page_is_own_post(const struct core *core, const struct request *request)
{
	return request->origin.length == 0 ||
	       bytes_equal_text(request->origin, core->config.public_url);
}

static void route_page(struct core *core, const struct request *request,
                       const struct page_route *route, struct bytes token)
{
	struct page page cleanup(page_done) = { 0 };
	struct http_form form cleanup(http_form_done) = { 0 };
	bool post = route->method[0] == 'P';

	if (!page_find(core, token, &page)) {
		page_send_lost(core, request);
		return;
	}
	page.language = page_language(&page, request);
	bytes_copy_text(request->peer, page.address, sizeof(page.address));
	if (!result_ok(http_form_read(post ? request->body : request->query, &form)) ||
	    (post && !page_is_own_post(core, request))) {
		send_refusal(core, request->serial, &page,
		             &(struct flow_outcome){ .problem = PROBLEM_UNREADABLE });
		return;
	}
	route->handle(core, request, &page, &form);
}

static void card_page_request(struct core *core, const struct request *request)
{
	struct bytes rest = bytes_slice(request->path, 3, request->path.length);
	struct bytes token = bytes_slice(rest, 0, bytes_find(rest, '/'));
	struct bytes what = bytes_slice(rest, token.length, rest.length);
	bool head = bytes_equal_text(request->method, "HEAD");

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (bytes_equal_text(what, routes[i].rest) &&
		    (bytes_equal_text(request->method, routes[i].method) ||
		     (head && routes[i].method[0] == 'G'))) {
			route_page(core, request, &routes[i], token);
			return;
		}
	page_send_lost(core, request);
}

// --- what the bank's side posts

static bool attempt_of(struct core *core, const struct request *request, const char *prefix,
                       enum api_id_kind secret, int64_t *ret_attempt)
{
	return bytes_start_with(request->path, prefix) &&
	       api_secret_read(core->id_key, secret,
	                       bytes_slice(request->path, strlen(prefix), request->path.length),
	                       ret_attempt);
}

static void results_request(struct core *core, const struct request *request)
{
	int64_t attempt;

	if (bytes_equal_text(request->method, "POST") &&
	    attempt_of(core, request, "/3ds/results/", SECRET_OF_RESULT, &attempt))
		authentication_result(core, attempt, request->serial, request->body);
	else
		page_send_json(core, request->serial, 404, json_object(), 0);
}

void pages_request(struct core *core, const struct request *request)
{
	struct live *live;
	int64_t attempt;

	if (request->listener == 1) {
		results_request(core, request);
	} else if (bytes_start_with(request->path, "/c/")) {
		card_page_request(core, request);
	} else if (bytes_start_with(request->path, "/p/")) {
		portal_request(core, request);
	} else if (attempt_of(core, request, "/3ds/method/", SECRET_OF_BROWSER, &attempt)) {
		live = flows_live(core, attempt);
		if (live && bytes_equal_text(request->method, "POST"))
			authentication_method_done(core, live);
		page_send(core, request, 200, "quiet.html", NULL, "*");
	} else if (attempt_of(core, request, "/3ds/done/", SECRET_OF_BROWSER, &attempt)) {
		page_send(core, request, 200, "returned.html", NULL, "*");
	} else {
		page_send_lost(core, request);
	}
}
