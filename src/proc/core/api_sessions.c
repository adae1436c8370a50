// Checkout sessions in setup mode: our own card page for one SetupIntent, with the addresses that
// the shopper comes back to.
#include "core/api.h"
#include "core/api_sessions.h"

#include "core/event.h"

#include <stdlib.h>

enum { LONGEST_S = 24 * 3600, SHORTEST_S = 30 * 60, GRACE_S = 60 };

#define ONE_PAGE "The page asks for a card, and for nothing else."
#define OFF(name)                                                                                  \
	{                                                                                          \
		name, API_CHOICE, API_IGNORED | API_ONLY, 0, 0, "false False"                      \
	}
#define NEVER(name)                                                                                \
	{                                                                                          \
		name, API_CHOICE, API_IGNORED | API_ONLY, 0, 0, "never"                            \
	}

const struct api_param api_session_create_params[] = {
	{ "mode", API_CHOICE, API_REQUIRED | API_STORED | API_NOT_EMPTY, 0, 0, "setup payment" },
	{ "success_url", API_TEXT, API_REQUIRED | API_STORED | API_NOT_EMPTY, 0, URL_MAX - 1,
	  NULL },
	{ "cancel_url", API_TEXT, API_STORED, 0, URL_MAX - 1, NULL },
	{ "customer", API_TEXT, 0, 0, 128, NULL },
	{ "customer_email", API_TEXT, API_STORED, 0, 120, NULL },
	{ "customer_creation", API_CHOICE, API_STORED | API_ONLY, 0, 0, "if_required" },
	{ "currency", API_TEXT, API_STORED, 0, 3, NULL },
	{ "locale", API_CHOICE, API_STORED, 0, 0,
	  "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt "
	  "nb "
	  "nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW" },
	{ "client_reference_id", API_TEXT, API_STORED, 0, 200, NULL },
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "expires_at", API_NUMBER, 0, 0, 99999999999, NULL },
	{ "setup_intent_data[description]", API_TEXT, API_STORED | API_NOT_EMPTY, 0, 1000, NULL },
	{ "setup_intent_data[metadata]", API_METADATA, API_STORED, 0, 0, NULL },
	API_NOT_HERE("setup_intent_data[on_behalf_of]", NULL),
	API_TYPES_PARAMS,
	{ "ui_mode", API_CHOICE, API_STORED | API_ONLY, 0, 0, "hosted_page hosted" },
	{ "billing_address_collection", API_CHOICE, API_STORED, 0, 0, "auto required" },
	{ "submit_type", API_CHOICE, API_STORED, 0, 0, "auto book donate pay subscribe" },
	{ "integration_identifier", API_TEXT, API_STORED, 0, 200, NULL },
	{ "origin_context", API_CHOICE, API_STORED, 0, 0, "mobile_app web" },
	{ "payment_method_collection", API_CHOICE, API_STORED, 0, 0, "always if_required" },
	{ "wallet_options[link][display]", API_CHOICE, API_STORED, 0, 0, "auto never" },
	{ "payment_method_options[card][request_three_d_secure]", API_CHOICE,
	  API_IGNORED | API_ONLY, 0, 0, "automatic" },
	API_OTHER_OPTIONS,
	OFF("adaptive_pricing[enabled]"),
	OFF("allow_promotion_codes"),
	OFF("automatic_tax[enabled]"),
	OFF("invoice_creation[enabled]"),
	OFF("managed_payments[enabled]"),
	OFF("phone_number_collection[enabled]"),
	OFF("tax_id_collection[enabled]"),
	{ "tax_id_collection[required]", API_CHOICE, API_IGNORED | API_ONLY, 0, 0, "never" },
	NEVER("customer_update[address]"),
	NEVER("customer_update[name]"),
	NEVER("customer_update[shipping]"),
	{ "line_items[][price_data][currency]", API_TEXT, 0, 0, 3, NULL },
	{ "line_items[][price_data][unit_amount]", API_NUMBER, 0, 0, 99999999, NULL },
	{ "line_items[][price_data][product_data][name]", API_TEXT, 0, 0, 250, NULL },
	{ "line_items[][price_data][product_data][description]", API_TEXT, API_IGNORED, 0, 0,
	  NULL },
	{ "line_items[][price_data][product_data][images][]", API_TEXT, API_IGNORED, 0, 0, NULL },
	{ "line_items[][quantity]", API_NUMBER, 0, 1, 999999, NULL },
	API_NOT_HERE("line_items[**]", "Prices come in line_items[][price_data]."),
	{ "payment_intent_data[description]", API_TEXT, API_STORED | API_NOT_EMPTY, 0, 1000, NULL },
	{ "payment_intent_data[metadata]", API_METADATA, API_STORED, 0, 0, NULL },
	{ "payment_intent_data[receipt_email]", API_TEXT, API_STORED | API_NOT_EMPTY, 0, 0, NULL },
	{ "payment_intent_data[statement_descriptor_suffix]", API_TEXT, API_STORED | API_NOT_EMPTY,
	  0, 22, NULL },
	{ "payment_intent_data[capture_method]", API_CHOICE, API_STORED | API_NOT_EMPTY, 0, 0,
	  "automatic automatic_async manual" },
	{ "payment_intent_data[setup_future_usage]", API_CHOICE, API_STORED, 0, 0,
	  "off_session on_session" },
	API_NOT_HERE("payment_intent_data[**]", NULL),
	API_NONE_OF("after_expiration", NULL),
	API_NOT_HERE("automatic_tax[**]", NULL),
	API_NONE_OF("branding_settings", "The page has the merchant's name and onfile's looks."),
	API_NONE_OF("consent_collection", ONE_PAGE),
	API_NONE_OF("custom_fields", ONE_PAGE),
	API_NONE_OF("custom_text", ONE_PAGE),
	API_NO_ACCOUNT,
	API_NONE_OF("discounts", NULL),
	API_NOT_HERE("invoice_creation[**]", NULL),
	API_NONE_OF("name_collection", ONE_PAGE),
	API_NONE_OF("optional_items", NULL),
	API_NONE_OF("payment_method_data", NULL),
	API_NONE_OF("permissions", NULL),
	API_NOT_HERE("redirect_on_completion", "The page always goes to success_url."),
	API_NONE_OF("saved_payment_method_options", ONE_PAGE),
	API_NONE_OF("shipping_address_collection", ONE_PAGE),
	API_NONE_OF("shipping_options", ONE_PAGE),
	API_NONE_OF("subscription_data", NULL),
	API_NOT_HERE("return_url", "Use success_url and cancel_url."),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_session_list_params[] = {
	{ "customer", API_TEXT, 0, 0, 128, NULL },
	{ "status", API_CHOICE, 0, 0, 0, "open complete expired" },
	{ "payment_intent", API_TEXT, 0, 0, 128, NULL },
	API_NO_ACCOUNT,
	API_NONE_OF("customer_details", "Send customer."),
	API_NOT_HERE("payment_link", NULL),
	API_NOT_HERE("subscription", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

static bool read_expiry(struct api_call *call, int64_t *ret_expires_ms)
{
	int64_t now = call->core->now_ms / 1000;
	int64_t at = api_params_number(&call->params, "expires_at", now + LONGEST_S);
	struct api_error error;

	*ret_expires_ms = at * 1000;
	if (at >= now + SHORTEST_S - GRACE_S && at <= now + LONGEST_S + GRACE_S)
		return true;
	api_fail(&error, 400, NULL, "expires_at",
	         "The expires_at timestamp must be between 30 minutes and 24 hours from now.");
	api_refuse(call, &error);
	return false;
}

// The intents get what is said of them; the session keeps the rest.
static bool fill(struct api_call *call, struct session *session, struct setup_intent *intent,
                 struct payment_intent *payment)
{
	json_t *of_session = json_object();
	json_t *of_intent = json_object();
	json_t *of_payment = json_object();
	struct api_error error;
	bool good = api_params_merge(&call->params, NULL, of_session, &error) &&
	            api_params_merge(&call->params, "setup_intent_data", of_intent, &error) &&
	            api_params_merge(&call->params, "payment_intent_data", of_payment, &error);

	json_object_del(of_session, "setup_intent_data");
	json_object_del(of_session, "payment_intent_data");
	session->details = api_details_text(of_session);
	intent->details = api_details_text(of_intent);
	payment->details = api_details_text(of_payment);
	if (!good)
		api_refuse(call, &error);
	return good;
}

void api_session_open(struct core *core, struct session *session, struct setup_intent *intent)
{
	session->id = core_next_id(core);
	intent->id = core_next_id(core);
	session->intent = intent->id;
	intent->session = session->id;
	store_insert(core->store, STORE_SETUP_INTENTS, intent);
	store_insert(core->store, STORE_SESSIONS, session);
	event_setup_intent(core, EVENT_SETUP_INTENT_CREATED, intent);
}

// Only what the mode is for.
static bool mode_fits(struct api_call *call)
{
	bool pays = api_params_is(&call->params, "mode", "payment");
	const char *other = pays ? "setup_intent_data" : "payment_intent_data";
	struct api_error error;

	for (size_t i = 0; i < call->params.count; i++) {
		struct bytes name = call->params.values[i].name;
		if (!bytes_start_with(name, other) &&
		    (pays || !bytes_start_with(name, "line_items")))
			continue;
		char shown[API_PARAM_CAPACITY];
		api_show(name, shown, sizeof(shown));
		api_fail(&error, 400, NULL, shown, "You can not pass %s in %s mode.", shown,
		         pays ? "payment" : "setup");
		api_refuse(call, &error);
		return false;
	}
	return true;
}

void api_session_create(struct api_call *call)
{
	struct core *core = call->core;
	struct session session cleanup(session_done) = { .merchant = call->merchant };
	struct setup_intent intent cleanup(setup_intent_done) = { .merchant = call->merchant };
	struct payment_intent payment cleanup(payment_intent_done) = { .merchant = call->merchant };
	struct customer customer cleanup(customer_done) = { 0 };

	if (!mode_fits(call) || !api_types_fit(call) || !api_url_fits(call, "success_url") ||
	    !api_url_fits(call, "cancel_url") || !api_customer_of(call, &customer) ||
	    !read_expiry(call, &session.expires_ms) || !fill(call, &session, &intent, &payment))
		return;
	session.customer = intent.customer = payment.customer = customer.id;
	if (!api_params_is(&call->params, "mode", "payment")) {
		api_session_open(core, &session, &intent);
	} else if (api_checkout_fill(call, &session, &payment)) {
		store_insert(core->store, STORE_SESSIONS, &session);
		event_payment_intent(core, EVENT_PAYMENT_INTENT_CREATED, &payment);
	} else {
		return;
	}
	api_answer(call, API_SESSION, &session);
}

// Ends an open session: its page says so from now on, and its intent can link no card any more.
static void expire(struct core *core, struct session *session)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };

	session->status = SESSION_EXPIRED;
	store_update(core->store, STORE_SESSIONS, session);
	event_session(core, EVENT_CHECKOUT_SESSION_EXPIRED, session);
	if (store_load(core->store, STORE_SETUP_INTENTS, session->intent, &intent) &&
	    intent.status != INTENT_CANCELED && intent.status != INTENT_SUCCEEDED)
		api_setup_take_back(core, &intent, CANCEL_ABANDONED);
	if (session->payment)
		api_payment_abandon(core, session->payment);
	pages_changed(core, session->payment ? session->payment : session->intent);
}

void api_sessions_sweep(struct core *core)
{
	struct session session = { 0 };
	bool more = true;

	while (more) {
		struct store_query query =
		        store_ask(core->store, STORE_SESSIONS_DUE, STORE_N(core->now_ms));
		more = store_step(&query);
		if (more)
			store_read(&query, STORE_SESSIONS, &session);
		store_end(&query);
		if (more)
			expire(core, &session);
		session_done(&session);
	}
}

// Finds the session of the path; one whose time is over is expired from now on.
static bool find(struct api_call *call, struct session *session)
{
	if (!api_find(call, session))
		return false;
	if (session->status == SESSION_OPEN && session->expires_ms <= call->core->now_ms)
		expire(call->core, session);
	return true;
}

void api_session_retrieve(struct api_call *call)
{
	struct session session cleanup(session_done) = { 0 };

	if (find(call, &session))
		api_answer(call, API_SESSION, &session);
}

void api_session_expire(struct api_call *call)
{
	struct session session cleanup(session_done) = { 0 };
	struct api_error error;

	if (!find(call, &session))
		return;
	if (session.status != SESSION_OPEN) {
		api_fail(&error, 400, NULL, "session",
		         "Only Checkout Sessions with a status in [\"open\"] can be expired. This "
		         "Session has a status of %s.",
		         api_session_status_name(session.status));
		api_refuse_with(call, &error, API_SESSION, &session);
		return;
	}
	expire(call->core, &session);
	api_answer(call, API_SESSION, &session);
}

static int64_t read_status(const struct api_call *call)
{
	for (int status = SESSION_OPEN; status <= SESSION_EXPIRED; status++)
		if (api_params_is(&call->params, "status",
		                  api_session_status_name((enum session_status)status)))
			return status;
	return -1;
}

// A session was made in one turn with its payment, which knows it: nothing else needs to be looked
// at. False: refused. `ret_session` 0: no session has this payment.
static bool session_of_payment(struct api_call *call, int64_t *ret_session)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	int64_t id;

	*ret_session = 0;
	if (!api_named(call, "payment_intent", API_PAYMENT_INTENT, &id))
		return false;
	if (id && store_load(call->core->store, STORE_PAYMENT_INTENTS, id, &intent)) {
		json_t *details = api_details_read(intent.details);
		*ret_session = json_integer_value(json_object_get(details, "session"));
		json_decref(details);
	}
	return true;
}

void api_session_list(struct api_call *call)
{
	int64_t customer;
	int64_t only;

	if (!api_named(call, "customer", API_CUSTOMER, &customer) ||
	    !session_of_payment(call, &only))
		return;
	api_sessions_sweep(call->core);
	struct api_list list = { STORE_LIST_SESSIONS, STORE_LIST_SESSIONS_UP, STORE_N(customer),
		                 STORE_N(read_status(call)), .above = only - 1 };
	list.below = only + 1;
	if (!api_params_has(&call->params, "payment_intent"))
		list.above = list.below = 0;
	api_answer_list(call, &list);
}
