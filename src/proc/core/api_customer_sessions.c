// Customer sessions: for half an hour a page of the merchant's own, with a publishable key and the
// session's client_secret, lists one customer's cards, removes them and says which is the default:
// as much of it as the session's components allow. The secret is a tag of 128 bits, made anew from
// the row each time: it is in no table, and not in what is kept for a repeated request.
#include "core/api_customers.h"

#include "core/idempotency.h"

#include <stdlib.h>

enum { LIFE_MS = 30 * 60 * 1000 };

#define NO_ELEMENT "onfile has no such component."
#define FILTERS(component)                                                                         \
	{                                                                                          \
		"components[" component "][features][payment_method_allow_redisplay_filters][]",   \
		        API_CHOICE, API_STORED, 0, 0, "always limited unspecified"                 \
	}
#define SWITCH(component, feature)                                                                 \
	{                                                                                          \
		"components[" component "][features][" feature "]", API_CHOICE, API_STORED, 0, 0,  \
		        "disabled enabled"                                                         \
	}
// Named, and not asked for.
#define OFF(component)                                                                             \
	{ "components[" component "][enabled]",                                                    \
	  API_CHOICE,                                                                              \
	  API_IGNORED | API_ONLY,                                                                  \
	  0,                                                                                       \
	  0,                                                                                       \
	  "false False" },                                                                         \
	{                                                                                          \
		"components[" component "][**]", API_ANYTHING, API_REFUSED, 0, 0, NO_ELEMENT       \
	}

const struct api_param api_customer_session_params[] = {
	{ "customer", API_TEXT, API_REQUIRED | API_NOT_EMPTY, 0, 128, NULL },
	API_NO_ACCOUNT,
	{ "components[payment_element][enabled]", API_FLAG, API_STORED, 0, 0, NULL },
	FILTERS("payment_element"),
	SWITCH("payment_element", "payment_method_redisplay"),
	SWITCH("payment_element", "payment_method_remove"),
	{ "components[payment_element][features][payment_method_save]", API_CHOICE,
	  API_IGNORED | API_ONLY, 0, 0, "disabled" },
	{ "components[payment_element][**]", API_ANYTHING, API_REFUSED, 0, 0,
	  "A page of your own decides what it shows, and says setup_future_usage when it pays." },
	{ "components[customer_sheet][enabled]", API_FLAG, API_STORED, 0, 0, NULL },
	FILTERS("customer_sheet"),
	SWITCH("customer_sheet", "payment_method_remove"),
	OFF("active_entitlements"),
	OFF("buy_button"),
	OFF("customer_portal"),
	OFF("mobile_payment_element"),
	OFF("pricing_table"),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// --- what a session allows

static const json_t *component_of(const json_t *details, const char *name)
{
	const json_t *all = json_object_get(details, "components");
	const json_t *component = json_object_get(all, name);

	return json_is_true(json_object_get(component, "enabled")) ? component : NULL;
}

static bool is_on(const json_t *component, const char *feature)
{
	const json_t *features = json_object_get(component, "features");
	const char *value = json_string_value(json_object_get(features, feature));

	return value && strcmp(value, "enabled") == 0;
}

static const json_t *filters_of(const json_t *component)
{
	return json_object_get(json_object_get(component, "features"),
	                       "payment_method_allow_redisplay_filters");
}

// The sheet is there to show cards; the element shows them when it is told to.
static bool shows_cards(const json_t *details, const json_t **ret_component)
{
	const json_t *element = component_of(details, "payment_element");

	*ret_component = component_of(details, "customer_sheet");
	if (!*ret_component && is_on(element, "payment_method_redisplay"))
		*ret_component = element;
	return *ret_component != NULL;
}

static bool removes_cards(const json_t *details)
{
	return is_on(component_of(details, "payment_element"), "payment_method_remove") ||
	       is_on(component_of(details, "customer_sheet"), "payment_method_remove");
}

// --- making one

static bool is_of_use(struct api_call *call)
{
	struct api_error error;

	if (api_params_flag(&call->params, "components[payment_element][enabled]", false) ||
	    api_params_flag(&call->params, "components[customer_sheet][enabled]", false))
		return true;
	api_fail(&error, 400, "parameter_missing", "components",
	         "A customer session has to have a component that is enabled: payment_element or "
	         "customer_sheet.");
	api_refuse(call, &error);
	return false;
}

static void answer_again(struct api_call *call)
{
	struct customer_session session cleanup(customer_session_done) = { 0 };
	struct api_error error;

	free(call->kept);
	call->kept = NULL;
	call->keyed = false;
	call->replayed = true;
	if (store_find(call->core->store, STORE_CUSTOMER_SESSIONS, call->merchant, call->intent,
	               &session)) {
		api_answer(call, API_CUSTOMER_SESSION, &session);
		return;
	}
	api_fail(&error, 400, "customer_session_expired", NULL, "This customer session is over.");
	api_refuse(call, &error);
}

static bool fill(struct api_call *call, struct customer_session *session)
{
	json_t *details = json_object();
	struct api_error error;
	bool good = api_params_merge(&call->params, NULL, details, &error);

	session->details = api_details_text(details);
	if (!good)
		api_refuse(call, &error);
	return good;
}

void api_customer_session_create(struct api_call *call)
{
	struct core *core = call->core;
	struct customer_session session cleanup(customer_session_done) = { .merchant =
		                                                                   call->merchant };
	struct customer customer cleanup(customer_done) = { 0 };

	if (call->kept) {
		answer_again(call);
		return;
	}
	if (!is_of_use(call) || !api_customer_of(call, &customer) || !fill(call, &session))
		return;
	session.id = core_next_id(core);
	session.customer = customer.id;
	session.expires_ms = core->now_ms + LIFE_MS;
	store_insert(core->store, STORE_CUSTOMER_SESSIONS, &session);
	if (call->keyed) {
		call->intent = session.id;
		idempotency_claim(call);
		idempotency_end(call, 200, BYTES_LITERAL("{}"), false);
		call->keyed = false;
	}
	api_answer(call, API_CUSTOMER_SESSION, &session);
}

// --- using one

static bool refuse(struct api_call *call, int status, const char *code, const char *message)
{
	struct api_error error;

	api_fail(&error, status, code, "client_secret", "%s", message);
	api_refuse(call, &error);
	return false;
}

// A card, or another customer, that is not this session's is as unknown as one that is made up.
static void hide_others(struct api_call *call, int64_t customer)
{
	struct card card cleanup(card_done) = { 0 };

	if (call->route->named == API_CUSTOMER && call->id != customer)
		call->id = 0;
	if (call->route->named == API_CARD &&
	    (!store_find(call->core->store, STORE_CARDS, call->merchant, call->id, &card) ||
	     card.customer != customer))
		call->id = 0;
}

// What the session allows of this route. `details` are its own.
static bool may(struct api_call *call, const json_t *details)
{
	const json_t *component;

	if (strcmp(call->route->method, "POST") == 0 && call->route->named == API_CARD)
		return removes_cards(details) ||
		       refuse(call, 403, NULL,
		              "This customer session does not allow to remove cards: "
		              "payment_method_remove is not enabled.");
	if (!shows_cards(details, &component))
		return refuse(call, 403, NULL,
		              "This customer session does not show cards: "
		              "payment_method_redisplay is not enabled.");
	const json_t *filters = filters_of(component);
	for (size_t i = 0; i < json_array_size(filters); i++)
		snprintf(call->filters + strlen(call->filters),
		         sizeof(call->filters) - strlen(call->filters), "%s ",
		         json_string_value(json_array_get(filters, i)));
	return true;
}

// Only the default card: whatever else a customer has is the merchant's to say.
static bool says_no_more(struct api_call *call)
{
	static const char *const allowed[] = { "client_secret", "expand[]",
		                               "invoice_settings[default_payment_method]" };
	struct api_error error;

	for (size_t i = 0; i < call->params.count; i++) {
		const struct api_value *value = &call->params.values[i];
		bool fits = call->route->named != API_CUSTOMER ||
		            strcmp(call->route->method, "GET") == 0;
		for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++)
			fits = fits || strcmp(value->param->name, allowed[k]) == 0;
		if (fits)
			continue;
		api_fail(&error, 403, "secret_key_required", value->param->name,
		         "With a customer session only the default card can be changed: "
		         "invoice_settings[default_payment_method].");
		api_refuse(call, &error);
		return false;
	}
	return true;
}

bool api_customer_session_fits(struct api_call *call, struct bytes secret)
{
	struct customer_session session cleanup(customer_session_done) = { 0 };
	int64_t id;

	if (!api_secret_read(call->core->id_key, API_ID_CUSTOMER_SESSION, secret, &id) ||
	    !store_find(call->core->store, STORE_CUSTOMER_SESSIONS, call->merchant, id, &session))
		return refuse(call, 400, NULL,
		              "The client_secret provided is not that of a customer session.");
	if (session.expires_ms <= call->core->now_ms)
		return refuse(call, 400, "customer_session_expired",
		              "This customer session is over: make another one.");
	json_t *details = api_details_read(session.details);
	bool good = may(call, details) && says_no_more(call);
	json_decref(details);
	hide_others(call, session.customer);
	return good;
}
