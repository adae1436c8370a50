// The state that a hosted page shows, made from the rows each time: it survives whatever the
// browser or core goes through. docs/hosted-pages.md.
#include "core/pages.h"

#include "api/id.h"
#include "core/api.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/money.h"
#include "core/guards.h"
#include "core/proof.h"
#include "http/form.h"

#include <stdio.h>
#include <stdlib.h>

static void json_free(json_t **object)
{
	json_decref(*object);
}

static const char *member(const char *details, const char *name, char *to, size_t capacity)
{
	json_t *object cleanup(json_free) = json_loads(details ? details : "{}", 0, NULL);
	const char *text = json_string_value(json_object_get(object, name));

	to[0] = '\0';
	bytes_copy_text(bytes_text(text), to, capacity);
	return to;
}

// --- whose token

static bool load_setup(struct core *core, int64_t id, struct page *page)
{
	page->intent = id;
	return store_load(core->store, STORE_SETUP_INTENTS, id, &page->setup);
}

static bool load_payment(struct core *core, int64_t id, struct page *page)
{
	page->payment = true;
	page->intent = id;
	return store_load(core->store, STORE_PAYMENT_INTENTS, id, &page->payment_intent);
}

static bool load_of_session(struct core *core, struct page *page)
{
	return page->session.payment ? load_payment(core, page->session.payment, page)
	                             : load_setup(core, page->session.intent, page);
}

static bool load_subject(struct core *core, struct bytes token, struct page *page)
{
	const uint8_t *key = core->id_key;
	enum api_id_kind session = core->config.live ? API_ID_SESSION_LIVE : API_ID_SESSION_TEST;
	int64_t id;

	if (api_id_read(key, session, token, &id))
		return store_load(core->store, STORE_SESSIONS, id, &page->session) &&
		       load_of_session(core, page);
	if (api_secret_read(key, API_ID_SETUP_INTENT, token, &id))
		return load_setup(core, id, page);
	return api_secret_read(key, API_ID_PAYMENT_INTENT, token, &id) &&
	       load_payment(core, id, page);
}

bool page_find(struct core *core, struct bytes token, struct page *ret_page)
{
	*ret_page = (struct page){ 0 };
	if (!bytes_copy_text(token, ret_page->token, sizeof(ret_page->token)) ||
	    !load_subject(core, token, ret_page)) {
		page_done(ret_page);
		return false;
	}
	int64_t merchant =
	        ret_page->payment ? ret_page->payment_intent.merchant : ret_page->setup.merchant;
	int64_t attempt =
	        ret_page->payment ? ret_page->payment_intent.attempt : ret_page->setup.attempt;
	if (!store_load(core->store, STORE_MERCHANTS, merchant, &ret_page->merchant))
		memset(&ret_page->merchant, 0, sizeof(ret_page->merchant));
	if (attempt && !store_load(core->store, STORE_ATTEMPTS, attempt, &ret_page->attempt))
		ret_page->attempt.id = 0;
	return true;
}

bool page_find_again(struct core *core, struct page *page)
{
	struct page old = *page;

	page_done(page);
	if (!page_find(core, bytes_text(old.token), page))
		return false;
	page->language = old.language;
	memcpy(page->address, old.address, sizeof(page->address));
	return true;
}

void page_done(struct page *page)
{
	session_done(&page->session);
	setup_intent_done(&page->setup);
	payment_intent_done(&page->payment_intent);
}

enum problem_language page_language(const struct page *page, const struct request *request)
{
	struct http_form query = { 0 };
	char locale[16];
	enum problem_language language = PROBLEM_ENGLISH;
	struct bytes wanted = BYTES_NONE;

	if (result_ok(http_form_read(request->query, &query)))
		wanted = http_form_get(&query, "lang");
	if (wanted.length == 0 && page->session.id) {
		member(page->session.details, "locale", locale, sizeof(locale));
		if (strcmp(locale, "auto") != 0)
			wanted = bytes_text(locale);
	}
	if (wanted.length == 0)
		wanted = request->accept_language;
	if (bytes_start_with(wanted, "ru"))
		language = PROBLEM_RUSSIAN;
	http_form_done(&query);
	return language;
}

// --- where it goes on

// Puts the session's id where the merchant left a place for it, and marks for intents.
static json_t *session_return(const struct page *page)
{
	static const char place[] = "{CHECKOUT_SESSION_ID}";
	char url[4096];
	struct buffer filled cleanup(buffer_done) = { 0 };

	member(page->session.details, "success_url", url, sizeof(url));
	if (!url[0])
		return json_null();
	buffer_init(&filled, sizeof(url) + 1024);
	const char *at = url;
	for (const char *found; (found = strstr(at, place)); at = found + sizeof(place) - 1) {
		buffer_put(&filled, bytes_from(at, (size_t)(found - at)));
		buffer_put_text(&filled, page->token);
	}
	buffer_put_text(&filled, at);
	return json_string(buffer_text(&filled));
}

static json_t *intent_return(struct core *core, const struct page *page, bool good)
{
	const char *kind = page->payment ? "payment_intent" : "setup_intent";
	char url[4096], id[API_ID_CAPACITY], secret[API_SECRET_CAPACITY];
	struct buffer filled cleanup(buffer_done) = { 0 };

	member(page->payment ? page->payment_intent.details : page->setup.details, "return_url",
	       url, sizeof(url));
	if (!url[0])
		return json_null();
	api_id_make(core->id_key, page->payment ? API_ID_PAYMENT_INTENT : API_ID_SETUP_INTENT,
	            page->intent, id);
	api_secret_make(core->id_key, page->payment ? API_ID_PAYMENT_INTENT : API_ID_SETUP_INTENT,
	                page->intent, secret);
	buffer_init(&filled, sizeof(url) + 1024);
	buffer_printf(&filled, "%s%c%s=%s&%s_client_secret=%s&redirect_status=%s", url,
	              strchr(url, '?') ? '&' : '?', kind, id, kind, secret,
	              good ? "succeeded" : "failed");
	return json_string(buffer_text(&filled));
}

// --- parts

// Every refusal of a bank says the same here, or it would tell who holds a lost or stolen card.
static const char *decline_code(const struct problem_row *row)
{
	if (row->group->again == AGAIN_AFTER_CALL)
		return problem_row(PROBLEM_GENERIC_DECLINE)->decline_code;
	return row->decline_code[0] ? row->decline_code : NULL;
}

// `at` is a moment; the page writes it in the shopper's own time, so the sentence does not say it.
json_t *page_error(struct core *core, const struct page *page, const struct flow_outcome *outcome)
{
	const struct problem_row *row = problem_shown(outcome->problem);
	enum problem_deed deed = page->payment ? PROBLEM_PAYMENT : PROBLEM_LINK;
	char code[24] = "";
	struct buffer sentence cleanup(buffer_done) = { 0 };

	if (outcome->attempt)
		flow_code(core, outcome->attempt, code, sizeof(code));
	buffer_init(&sentence, 2048);
	problem_sentence(&sentence, row, deed, page->language,
	                 &(struct problem_fill){ NULL, page->merchant.support, code });
	json_t *error = json_pack(
	        "{s:s, s:s?, s:s, s:s, s:s, s:s, s:s?, s:s?, s:o}", "code", problem_code(row, deed),
	        "decline_code", decline_code(row), "who", problem_who_name(row->group->who),
	        "again", problem_again_name(row->group->again), "title",
	        row->group->titles[page->language], "message", buffer_text(&sentence), "field",
	        row->field[0] ? row->field : NULL, "reference", code[0] ? code : NULL, "at",
	        outcome->again_ms ? json_integer(outcome->again_ms / 1000) : json_null());
	return error ? error : json_null();
}

static json_t *card_of(struct core *core, const struct page *page)
{
	struct card card cleanup(card_done) = { 0 };
	int64_t id = page->payment ? page->payment_intent.card : page->setup.card;

	if (!id || !store_load(core->store, STORE_CARDS, id, &card))
		return json_null();
	return json_pack("{s:s, s:s, s:i, s:i}", "brand", card.brand, "last4", card.last4,
	                 "exp_month", card.exp_month, "exp_year", card.exp_year);
}

static json_t *method_of(struct core *core, const struct page *page, const struct authentication *a)
{
	char nonce[API_SECRET_CAPACITY];
	struct buffer text cleanup(buffer_done) = { 0 };
	struct buffer data cleanup(buffer_done) = { 0 };

	if (!a->method_url || a->method)
		return json_null();
	api_secret_make(core->id_key, SECRET_OF_BROWSER, page->attempt.id, nonce);
	buffer_init(&text, 2048);
	buffer_init(&data, 4096);
	buffer_put_text(&text, "{\"threeDSServerTransID\":");
	json_put_text(&text, bytes_text(a->transaction));
	buffer_put_text(&text, ",\"threeDSMethodNotificationURL\":\"");
	buffer_printf(&text, "%s/3ds/method/%s\"}", core->config.public_url, nonce);
	base64url_put(&data, buffer_view(&text));
	return json_pack("{s:s, s:s}", "url", a->method_url, "data", buffer_text(&data));
}

static json_t *challenge_of(const struct page *page, const struct authentication *a)
{
	if (page->attempt.state == ATTEMPT_WAITING)
		return json_pack("{s:s}", "info", a->info ? a->info : "");
	json_t *challenge = json_pack("{s:s?, s:s?, s:s, s:s?, s:s}", "url", a->acs_url, "creq",
	                              a->creq, "session", "", "origin", a->acs_origin, "window",
	                              a->window[0] ? a->window : "05");
	return challenge ? challenge : json_null();
}

// The page of a PaymentIntent takes no card, unless it is a session's.
static bool takes_cards(const struct page *page)
{
	return !page->payment || page->session.id;
}

static const char *step_of(struct core *core, const struct page *page)
{
	enum intent_status status =
	        page->payment ? page->payment_intent.status : page->setup.status;

	if (status == INTENT_SUCCEEDED || status == INTENT_REQUIRES_CAPTURE)
		return "done";
	if (status == INTENT_CANCELED || (page->session.id && page->session.status != SESSION_OPEN))
		return "expired";
	if (link_is_opening(core, page->intent))
		return "checking";
	if (!page->attempt.id || flow_is_over(page->attempt.state))
		return takes_cards(page) ? "enter" : "expired";
	switch (page->attempt.state) {
	case ATTEMPT_PREPARING: return "preparing";
	case ATTEMPT_AUTHENTICATING: return "authenticating";
	case ATTEMPT_CHALLENGING: return "challenge";
	case ATTEMPT_WAITING: return "waiting";
	default: return "checking";
	}
}

int64_t page_revision(struct core *core, const struct page *page)
{
	if (!page->attempt.id)
		return link_is_opening(core, page->intent) ? 1 : 0;
	int64_t steps =
	        store_one_number(core->store, STORE_STEP_COUNT, 0, STORE_N(page->attempt.id));
	int64_t since_2025_ms = core_id_ms(page->attempt.id) - 1735689600000;
	steps += flow_is_over(page->attempt.state); // a payment that just succeeds writes no steps
	return since_2025_ms * 1024 + (steps < 1023 ? steps : 1023);
}

// --- the whole

static json_t *proof_of(struct core *core, const struct page *page)
{
	char nonce[PROOF_NONCE_CAPACITY];
	int bits = guards_before(core, page_customer(page), page->address).proof_bits;

	if (bits == 0)
		return json_null();
	proof_nonce(core, page->intent, bits, nonce);
	return json_pack("{s:s, s:i}", "nonce", nonce, "bits", bits);
}

// What the bank is being asked, and what the page has to do for it.
static void add_authentication(struct core *core, const struct page *page, json_t *state)
{
	struct authentication a;

	authentication_load(core, page->attempt.id, &a);
	if (page->attempt.state == ATTEMPT_PREPARING) {
		json_object_set_new(state, "method", method_of(core, page, &a));
		json_object_set_new(state, "browser_wanted", json_boolean(!a.browser));
	} else {
		json_object_set_new(state, "challenge", challenge_of(page, &a));
	}
	authentication_free(&a);
}

static void add_attempt(struct core *core, const struct page *page, json_t *state)
{
	enum attempt_state at = page->attempt.state;

	if (at == ATTEMPT_PREPARING || at == ATTEMPT_CHALLENGING || at == ATTEMPT_WAITING)
		add_authentication(core, page, state);
	// Who goes back knows it.
	if (flow_is_over(at) && page->attempt.problem && page->attempt.problem != PROBLEM_CANCELLED)
		json_object_set_new(
		        state, "error",
		        page_error(core, page,
		                   &(struct flow_outcome){ .problem = page->attempt.problem,
		                                           .attempt = page->attempt.id }));
}

static void add_ways_out(struct core *core, const struct page *page, const char *step,
                         json_t *state)
{
	char url[4096];
	bool good = strcmp(step, "done") == 0;

	if (page->session.id)
		member(page->session.details, "cancel_url", url, sizeof(url));
	else
		url[0] = '\0';
	json_object_set_new(state, "cancel_url", url[0] ? json_string(url) : json_null());
	json_t *back = json_null();
	if (good || strcmp(step, "expired") == 0)
		back = page->session.id && good ? session_return(page)
		       : page->session.id       ? json_null()
		                                : intent_return(core, page, good);
	json_object_set_new(state, "return_url", back);
}

static int decimals_of(const char *currency)
{
	static const struct {
		const char *letters;
		int decimals;
	} known[] = {
#define CURRENCY(letters, digits, decimals) { letters, decimals },
#include "domain/currencies.def"
#undef CURRENCY
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i].letters, currency) == 0)
			return known[i].decimals;
	return 2;
}

// What is paid, and for what.
static void add_payment(struct core *core, const struct page *page, json_t *state)
{
	const struct payment_intent *intent = &page->payment_intent;
	json_t *details = api_details_read(page->session.details);
	json_t *items = json_object_get(details, "line_items");

	json_object_set_new(state, "amount",
	                    json_pack("{s:I, s:s, s:i}", "minor", (json_int_t)intent->amount,
	                              "currency", intent->currency, "decimals",
	                              decimals_of(intent->currency)));
	json_object_set(state, "items", json_is_array(items) ? items : json_null());
	bool choose = page_may_choose(core, page);
	json_object_set_new(state, "choose", json_boolean(choose));
	if (choose)
		json_object_set_new(state, "cards", page_cards(core, page->session.customer));
	json_decref(details);
}

bool page_may_link(const struct page *page)
{
	if (page->session.id && page->session.status != SESSION_OPEN)
		return false;
	if (page->payment)
		return takes_cards(page) &&
		       page->payment_intent.status <= INTENT_REQUIRES_CONFIRMATION;
	return page->setup.status != INTENT_SUCCEEDED && page->setup.status != INTENT_CANCELED;
}

int64_t page_customer(const struct page *page)
{
	if (!page->payment)
		return page->setup.customer;
	return payment_keeps_card(&page->payment_intent) ? page->payment_intent.customer : 0;
}

bool page_may_choose(struct core *core, const struct page *page)
{
	return page->session.payment && page->session.customer &&
	       strcmp(step_of(core, page), "enter") == 0 &&
	       store_one_number(core->store, STORE_CARDS_COUNT, 0,
	                        STORE_N(page->session.customer)) > 0;
}

json_t *page_state(struct core *core, const struct page *page)
{
	const char *step = step_of(core, page);
	char id[API_ID_CAPACITY];
	char locale[16] = "auto";

	if (page->session.id)
		member(page->session.details, "locale", locale, sizeof(locale));
	api_id_make(core->id_key, page->payment ? API_ID_PAYMENT_INTENT : API_ID_SETUP_INTENT,
	            page->intent, id);
	json_t *state = json_pack(
	        "{s:I, s:s, s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:o, s:I, s:b, s:[s,s,s,s,s,s], s:n, "
	        "s:n, s:n, s:n, s:n}",
	        "revision", (json_int_t)page_revision(core, page), "mode",
	        page->payment ? "payment" : "setup", "step", step, "merchant", "name",
	        page->merchant.name, "url", page->merchant.url, "support", page->merchant.support,
	        "locale", locale[0] ? locale : "auto", "intent", id, "keys",
	        core->card_keys ? json_loads(core->card_keys, 0, NULL) : json_null(), "now",
	        (json_int_t)(core->now_ms / 1000), "live", core->config.live, "brands", "visa",
	        "mastercard", "mir", "amex", "unionpay", "jcb", "proof", "card", "method",
	        "challenge", "error");
	if (!state)
		return json_object();
	if (strcmp(step, "enter") == 0)
		json_object_set_new(state, "proof", proof_of(core, page));
	if (strcmp(step, "done") == 0)
		json_object_set_new(state, "card", card_of(core, page));
	if (page->payment)
		add_payment(core, page, state);
	if (page->attempt.id)
		add_attempt(core, page, state);
	add_ways_out(core, page, step, state);
	return state;
}
