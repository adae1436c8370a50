// The payment-methods page: one customer's cards, seen and changed by the shopper who holds its
// address. docs/hosted-pages.md. Linking a card is the card page's work: this page opens a checkout
// session for it and gets the shopper back.
#include "core/api.h"
#include "core/api_sessions.h"
#include "core/event.h"
#include "core/pages.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "http/form.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAME_MAX_BYTES = 80, LINK_LIFE_MS = 30 * 60 * 1000, TOKEN_CAPACITY = 64 };

struct portal_page {
	struct portal row;
	struct merchant merchant;
	struct customer customer;
	json_t *details; // of the row
	char token[TOKEN_CAPACITY];
};

static void portal_page_done(struct portal_page *page)
{
	portal_done(&page->row);
	customer_done(&page->customer);
	json_decref(page->details);
}

// False: there is no such page, or its hour is over, or its customer was deleted.
static bool find_portal(struct core *core, struct bytes token, struct portal_page *page)
{
	int64_t id;

	if (!bytes_copy_text(token, page->token, sizeof(page->token)) ||
	    !api_id_read(core->id_key, API_ID_PORTAL, token, &id) ||
	    !store_load(core->store, STORE_PORTALS, id, &page->row) ||
	    page->row.expires_ms <= core->now_ms ||
	    !store_load(core->store, STORE_MERCHANTS, page->row.merchant, &page->merchant) ||
	    !store_find(core->store, STORE_CUSTOMERS, page->row.merchant, page->row.customer,
	                &page->customer) ||
	    page->customer.removed_ms)
		return false;
	page->details = api_details_read(page->row.details);
	return true;
}

// --- the state

static const char *detail(const struct portal_page *page, const char *name)
{
	return json_string_value(json_object_get(page->details, name));
}

static json_t *card_json(struct core *core, const struct card *card, int64_t chosen)
{
	json_t *details = api_details_read(card->details);
	const char *name = json_string_value(
	        json_object_get(json_object_get(details, "metadata"), "nickname"));
	char id[API_ID_CAPACITY];

	api_id_make(core->id_key, API_ID_PAYMENT_METHOD, card->id, id);
	json_t *object =
	        json_pack("{s:s, s:s, s:s, s:i, s:i, s:s, s:b}", "id", id, "brand", card->brand,
	                  "last4", card->last4, "exp_month", card->exp_month, "exp_year",
	                  card->exp_year, "name", name ? name : "", "default", card->id == chosen);
	json_decref(details);
	return object;
}

json_t *page_cards(struct core *core, int64_t id)
{
	struct customer customer cleanup(customer_done) = { 0 };
	json_t *list = json_array();
	struct card card = { 0 };

	if (!store_load(core->store, STORE_CUSTOMERS, id, &customer))
		return list;
	struct store_query query = store_ask(core->store, STORE_CUSTOMER_CARDS, STORE_N(id));
	while (store_step(&query)) {
		store_read(&query, STORE_CARDS, &card);
		bool first = card.id == customer.default_card;
		json_array_insert_new(list, first ? 0 : json_array_size(list),
		                      card_json(core, &card, customer.default_card));
		card_done(&card);
	}
	store_end(&query);
	return list;
}

static json_t *state_of(struct core *core, const struct portal_page *page)
{
	const char *locale = detail(page, "locale");
	const json_t *flow = json_object_get(page->details, "flow_data");
	json_t *state = json_pack(
	        "{s:s, s:{s:s, s:s, s:s}, s:s, s:b, s:I, s:I, s:s?, s:b, s:o}", "mode", "portal",
	        "merchant", "name", page->merchant.name, "url", page->merchant.url, "support",
	        page->merchant.support, "locale", locale ? locale : "auto", "live",
	        core->config.live, "now", (json_int_t)(core->now_ms / 1000), "expires_at",
	        (json_int_t)(page->row.expires_ms / 1000), "return_url", detail(page, "return_url"),
	        "add_first", flow && !json_object_get(page->details, "session"), "cards",
	        page_cards(core, page->customer.id));

	return state ? state : json_object();
}

static void send_state(struct core *core, const struct request *request,
                       const struct portal_page *page)
{
	page_send_json(core, request->serial, 200, state_of(core, page), 0);
}

// What was asked for is not there any more, or cannot be: the page draws what is.
static void send_stale(struct core *core, const struct request *request,
                       const struct portal_page *page, int status)
{
	page_send_json(core, request->serial, status,
	               json_pack("{s:o}", "state", state_of(core, page)), 0);
}

// --- what the shopper does

// The card that the form names, if it is one of this customer's. False: the page was told.
static bool find_card(struct core *core, const struct request *request,
                      const struct portal_page *page, const struct http_form *form,
                      struct card *card)
{
	int64_t id;

	if (api_id_read(core->id_key, API_ID_PAYMENT_METHOD, http_form_get(form, "card"), &id) &&
	    store_find(core->store, STORE_CARDS, page->row.merchant, id, card) &&
	    card->customer == page->customer.id && card->removed_ms == 0)
		return true;
	send_stale(core, request, page, 404);
	return false;
}

static json_t *card_id_json(const struct core *core, int64_t card)
{
	char text[API_ID_CAPACITY];

	if (card == 0)
		return json_null();
	api_id_make(core->id_key, API_ID_PAYMENT_METHOD, card, text);
	return json_string(text);
}

static void put_previous(struct buffer *previous, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT);

	CHECK(text);
	buffer_init(previous, 4096);
	buffer_put_text(previous, text);
	free(text);
	json_decref(object);
}

static void post_default(struct core *core, const struct request *request, struct portal_page *page,
                         const struct http_form *form)
{
	struct card card cleanup(card_done) = { 0 };
	struct buffer previous cleanup(buffer_done) = { 0 };

	if (!find_card(core, request, page, form, &card))
		return;
	if (page->customer.default_card != card.id) {
		put_previous(&previous,
		             json_pack("{s:{s:o}}", "invoice_settings", "default_payment_method",
		                       card_id_json(core, page->customer.default_card)));
		page->customer.default_card = card.id;
		store_update(core->store, STORE_CUSTOMERS, &page->customer);
		event_customer_changed(core, &page->customer, buffer_view(&previous));
	}
	send_state(core, request, page);
}

static bool name_is_good(struct bytes name)
{
	if (name.length > NAME_MAX_BYTES || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] < ' ' || name.data[i] == 0x7f)
			return false;
	return true;
}

// The shopper's own name for a card is metadata[nickname], as merchants see it.
static void post_name(struct core *core, const struct request *request, struct portal_page *page,
                      const struct http_form *form)
{
	struct bytes name = http_form_get(form, "name");
	struct card card cleanup(card_done) = { 0 };
	struct buffer previous cleanup(buffer_done) = { 0 };

	if (!name_is_good(name)) {
		send_stale(core, request, page, 400);
		return;
	}
	if (!find_card(core, request, page, form, &card))
		return;
	json_t *details = api_details_read(card.details);
	json_t *metadata = json_object_get(details, "metadata");
	if (!json_is_object(metadata)) {
		metadata = json_object();
		json_object_set_new(details, "metadata", metadata);
	}
	json_t *old = json_object_get(metadata, "nickname");
	put_previous(&previous, json_pack("{s:{s:O?}}", "metadata", "nickname", old));
	if (name.length)
		json_object_set_new(metadata, "nickname",
		                    json_stringn((const char *)name.data, name.length));
	else
		json_object_del(metadata, "nickname");
	free(card.details);
	card.details = api_details_text(details);
	store_update(core->store, STORE_CARDS, &card);
	event_card_changed(core, &card, buffer_view(&previous));
	send_state(core, request, page);
}

static void post_remove(struct core *core, const struct request *request, struct portal_page *page,
                        const struct http_form *form)
{
	struct card card cleanup(card_done) = { 0 };

	if (!find_card(core, request, page, form, &card))
		return;
	api_card_remove(core, &card);
	if (page->customer.default_card == card.id)
		page->customer.default_card = 0;
	send_state(core, request, page);
}

// --- linking another card

// The session that this page has opened before, while it is still good: an address that is asked
// for again and again makes no new rows.
static int64_t open_session(struct core *core, const struct portal_page *page)
{
	struct session session cleanup(session_done) = { 0 };
	int64_t id = json_integer_value(json_object_get(page->details, "session"));

	return id && store_load(core->store, STORE_SESSIONS, id, &session) &&
	                       session.status == SESSION_OPEN &&
	                       session.expires_ms > core->now_ms + LINK_LIFE_MS / 2
	               ? id
	               : 0;
}

static const char *after_linking(const struct portal_page *page)
{
	const json_t *after =
	        json_object_get(json_object_get(page->details, "flow_data"), "after_completion");

	return json_string_value(json_object_get(json_object_get(after, "redirect"), "return_url"));
}

static int64_t make_session(struct core *core, struct portal_page *page)
{
	struct session session cleanup(session_done) = { .merchant = page->row.merchant,
		                                         .customer = page->customer.id };
	struct setup_intent intent cleanup(setup_intent_done) = { .merchant = page->row.merchant,
		                                                  .customer = page->customer.id };
	const char *locale = detail(page, "locale");
	const char *after = after_linking(page);
	char back[CONFIG_TEXT_MAX + TOKEN_CAPACITY + 16];
	char linked[sizeof(back) + 8];

	snprintf(back, sizeof(back), "%s/p/%s", core->config.public_url, page->token);
	snprintf(linked, sizeof(linked), "%s#linked", back);
	session.expires_ms = core->now_ms + LINK_LIFE_MS;
	session.details = api_details_text(json_pack(
	        "{s:s, s:s, s:s, s:s, s:s}", "mode", "setup", "success_url", after ? after : linked,
	        "cancel_url", back, "ui_mode", "hosted_page", "locale", locale ? locale : "auto"));
	intent.details = api_details_text(json_object());
	api_session_open(core, &session, &intent);
	json_object_set_new(page->details, "session", json_integer(session.id));
	free(page->row.details);
	page->row.details = api_details_text(json_incref(page->details));
	store_update(core->store, STORE_PORTALS, &page->row);
	return session.id;
}

static void post_add(struct core *core, const struct request *request, struct portal_page *page,
                     const struct http_form *form)
{
	int64_t session = open_session(core, page);
	char id[API_ID_CAPACITY];
	char url[CONFIG_TEXT_MAX + API_ID_CAPACITY + 4];

	(void)form;
	if (session == 0)
		session = make_session(core, page);
	api_id_make(core->id_key, core->config.live ? API_ID_SESSION_LIVE : API_ID_SESSION_TEST,
	            session, id);
	snprintf(url, sizeof(url), "%s/c/%s", core->config.public_url, id);
	page_send_json(core, request->serial, 200, json_pack("{s:s}", "url", url), 0);
}

// --- routes

static void get_page(struct core *core, const struct request *request, struct portal_page *page,
                     const struct http_form *form)
{
	(void)page;
	(void)form;
	page_send(core, request, 200, "methods.html", NULL, NULL);
}

static void get_state(struct core *core, const struct request *request, struct portal_page *page,
                      const struct http_form *form)
{
	(void)form;
	send_state(core, request, page);
}

static const struct portal_route {
	const char *method;
	const char *rest; // after /p/TOKEN
	void (*handle)(struct core *core, const struct request *request, struct portal_page *page,
	               const struct http_form *form);
} routes[] = {
	{ "GET", "", get_page },        { "GET", "/state", get_state },
	{ "POST", "/add", post_add },   { "POST", "/default", post_default },
	{ "POST", "/name", post_name }, { "POST", "/remove", post_remove },
};

static void route_portal(struct core *core, const struct request *request,
                         const struct portal_route *route, struct bytes token)
{
	struct portal_page page cleanup(portal_page_done) = { 0 };
	struct http_form form cleanup(http_form_done) = { 0 };
	bool post = route->method[0] == 'P';

	if (!find_portal(core, token, &page))
		page_send_lost(core, request);
	else if (post && (!page_is_own_post(core, request) ||
	                  !result_ok(http_form_read(request->body, &form))))
		send_stale(core, request, &page, 400);
	else
		route->handle(core, request, &page, &form);
}

void portal_request(struct core *core, const struct request *request)
{
	struct bytes rest = bytes_slice(request->path, 3, request->path.length);
	struct bytes token = bytes_slice(rest, 0, bytes_find(rest, '/'));
	struct bytes what = bytes_slice(rest, token.length, rest.length);
	bool head = bytes_equal_text(request->method, "HEAD");

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (bytes_equal_text(what, routes[i].rest) &&
		    (bytes_equal_text(request->method, routes[i].method) ||
		     (head && routes[i].method[0] == 'G'))) {
			route_portal(core, request, &routes[i], token);
			return;
		}
	page_send_lost(core, request);
}
