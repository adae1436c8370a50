// Customers: create, retrieve, update, delete, list, and the lists of their cards.
#include "core/api_customers.h"

#include "core/event.h"

#include <stdlib.h>

#define ADDRESS(prefix)                                                                            \
	{ prefix, API_OBJECT, API_STORED, 0, 0, NULL },                                            \
	        { prefix "[city]", API_TEXT, API_STORED, 0, 0, NULL },                             \
	        { prefix "[country]", API_TEXT, API_STORED, 0, 0, NULL },                          \
	        { prefix "[line1]", API_TEXT, API_STORED, 0, 0, NULL },                            \
	        { prefix "[line2]", API_TEXT, API_STORED, 0, 0, NULL },                            \
	        { prefix "[postal_code]", API_TEXT, API_STORED, 0, 0, NULL },                      \
	{                                                                                          \
		prefix "[state]", API_TEXT, API_STORED, 0, 0, NULL                                 \
	}

#define NO_INVOICES "It makes no invoices."

#define CUSTOMER_PARAMS                                                                             \
	{ "name", API_TEXT, API_STORED, 0, 256, NULL },                                             \
	        { "email", API_TEXT, API_UNSETS, 0, 120, NULL },                                    \
	        { "phone", API_TEXT, API_STORED, 0, 20, NULL },                                     \
	        { "description", API_TEXT, API_STORED, 0, 0, NULL }, ADDRESS("address"),            \
	        { "shipping", API_OBJECT, API_STORED, 0, 0, NULL }, ADDRESS("shipping[address]"),   \
	        { "shipping[name]", API_TEXT, API_STORED, 0, 0, NULL },                             \
	        { "shipping[phone]", API_TEXT, API_STORED, 0, 0, NULL },                            \
	        { "metadata", API_METADATA, API_STORED, 0, 0, NULL },                               \
	        { "preferred_locales[]", API_TEXT, API_STORED, 0, 20, NULL },                       \
	        { "preferred_locales", API_OBJECT, API_STORED, 0, 0, NULL },                        \
	        { "invoice_settings[default_payment_method]", API_TEXT, API_UNSETS, 0, 128, NULL }, \
	        { "invoice_settings[custom_fields]", API_OBJECT, API_STORED, 0, 0, NULL },          \
	        API_NOT_HERE("invoice_settings[custom_fields][**]", NO_INVOICES),                   \
	        { "invoice_settings[footer]", API_TEXT, API_STORED, 0, 0, NULL },                   \
	        { "invoice_settings[rendering_options]", API_OBJECT, API_STORED, 0, 0, NULL },      \
	        API_NOT_HERE("invoice_settings[rendering_options][**]", NO_INVOICES),               \
	        { "balance", API_CHOICE, API_IGNORED | API_ONLY, 0, 0, "0" },                       \
	        { "tax_exempt", API_CHOICE, API_STORED | API_UNSETS, 0, 0, "none exempt reverse" }, \
	        { "invoice_prefix", API_TEXT, API_STORED, 0, 12, NULL },                            \
	        { "next_invoice_sequence", API_NUMBER, API_STORED, 1, 999999999, NULL },            \
	        { "individual_name", API_TEXT, API_STORED, 0, 150, NULL },                          \
	        { "business_name", API_TEXT, API_STORED, 0, 150, NULL },                            \
	        API_NONE_OF("source", "Link a card with a SetupIntent."),                           \
	        API_NOT_HERE("default_source", "Use invoice_settings[default_payment_method]."),    \
	        API_NOT_HERE("validate", "A card's bank is asked when it is attached."),            \
	        API_NOT_HERE("coupon", NULL), API_NOT_HERE("promotion_code", NULL),                 \
	        API_NOT_HERE("cash_balance[**]", NULL), API_NONE_OF("tax", NULL),                   \
	        API_NONE_OF("tax_id_data", NULL), API_NOT_HERE("test_clock", NULL)

const struct api_param api_customer_params[] = {
	CUSTOMER_PARAMS,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_customer_create_params[] = {
	CUSTOMER_PARAMS,
	{ "payment_method", API_TEXT, 0, 0, 128, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_customer_list_params[] = {
	{ "email", API_TEXT, 0, 0, 120, NULL },
	API_NOT_HERE("test_clock", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// --- what create and update share

static bool read_email(struct api_call *call, struct customer *customer)
{
	struct bytes email = api_params_text(&call->params, "email");
	size_t at = bytes_find(email, '@');
	struct api_error error;

	if (!api_params_has(&call->params, "email"))
		return true;
	if ((email.length == 0 || (at > 0 && at + 1 < email.length)) &&
	    bytes_find(email, ' ') == email.length &&
	    bytes_copy_text(email, customer->email, sizeof(customer->email)))
		return true;
	char shown[120];
	api_show(email, shown, sizeof(shown));
	api_fail(&error, 400, "email_invalid", "email", "Invalid email address: %s", shown);
	api_refuse(call, &error);
	return false;
}

static bool is_card_of(struct api_call *call, int64_t id, int64_t customer)
{
	struct card card cleanup(card_done) = { 0 };

	return store_find(call->core->store, STORE_CARDS, call->merchant, id, &card) &&
	       card.customer == customer && card.removed_ms == 0;
}

// `coming` is the card that is attached in the same call; 0: none.
static bool read_default(struct api_call *call, struct customer *customer, int64_t coming)
{
	static const char param[] = "invoice_settings[default_payment_method]";
	struct api_error error;
	int64_t id;

	if (!api_params_has(&call->params, param))
		return true;
	if (!api_named(call, param, API_CARD, &id))
		return false;
	if (id && id != coming && !(customer->id && is_card_of(call, id, customer->id))) {
		api_fail(&error, 400, "resource_missing", param,
		         "The customer does not have this payment method. It must be attached to "
		         "the customer before it can be their default.");
		api_refuse(call, &error);
		return false;
	}
	customer->default_card = id;
	return true;
}

static bool merge(struct api_call *call, json_t *details)
{
	struct api_error error;

	if (api_params_merge(&call->params, NULL, details, &error))
		return true;
	api_refuse(call, &error);
	return false;
}

// --- handlers

static bool fail_card(struct api_error *ret_error)
{
	return api_fail(ret_error, 400, "payment_method_unexpected_state", "payment_method",
	                "This payment method cannot be attached. A card is linked by confirming a "
	                "SetupIntent (/v1/setup_intents) of its customer.");
}

// A card that was linked without a customer may come along, or that of a test token.
static bool read_first_card(struct api_call *call, struct card *card)
{
	struct api_error error;
	int64_t id;

	if (!api_named(call, "payment_method", API_CARD, &id))
		return false;
	if (id == 0 || (store_find(call->core->store, STORE_CARDS, call->merchant, id, card) &&
	                card->state && card->customer == 0 && card->removed_ms == 0))
		return true;
	fail_card(&error);
	api_refuse(call, &error);
	return false;
}

// Makes the customer whom the request describes; it was looked at before. The card may be none.
static void make_customer(struct api_call *call, json_t *details, struct customer *customer,
                          struct card *card)
{
	struct core *core = call->core;

	customer->id = core_next_id(core);
	customer->details = api_details_text(details);
	store_insert(core->store, STORE_CUSTOMERS, customer);
	event_customer(core, EVENT_CUSTOMER_CREATED, customer);
	if (card->id) {
		card->customer = customer->id;
		store_update(core->store, STORE_CARDS, card);
		event_card(core, EVENT_PAYMENT_METHOD_ATTACHED, card);
	}
}

// The bank was asked about the customer's first card: there is a customer if it agreed.
static void asked(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	static const char as_default[] = "invoice_settings[default_payment_method]";
	struct api_call *call = owner;
	struct customer customer cleanup(customer_done) = { .merchant = call->merchant };
	struct card card cleanup(card_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };
	json_t *details = json_object();
	struct api_error error;

	(void)core;
	(void)outcome;
	if (!api_bank_agreed(call, &card)) {
		json_decref(details);
		return;
	}
	buffer_init(&body, API_REPLY_MAX);
	if (card.customer || card.removed_ms) { // by another request, meanwhile
		json_decref(details);
		fail_card(&error);
		api_error_put(&body, &error);
		api_end(call, error.status, buffer_view(&body), false);
		return;
	}
	api_params_merge(&call->params, NULL, details, &error);
	bytes_copy_text(api_params_text(&call->params, "email"), customer.email,
	                sizeof(customer.email));
	if (api_params_text(&call->params, as_default).length)
		customer.default_card = card.id;
	make_customer(call, details, &customer, &card);
	api_render(&body, &call->view, API_CUSTOMER, &customer, "");
	api_end(call, 200, buffer_view(&body), false);
}

void api_customer_create(struct api_call *call)
{
	struct customer customer cleanup(customer_done) = { .merchant = call->merchant };
	struct card card cleanup(card_done) = { 0 };

	if (call->resumed && call->intent) { // an earlier request with the same key asked the bank
		api_park(call, call->intent);
		flow_wait(call->core, call->intent, asked, call);
		return;
	}
	json_t *details = json_object();
	if (!merge(call, details) || !read_email(call, &customer) ||
	    !read_first_card(call, &card) || !read_default(call, &customer, card.id)) {
		json_decref(details);
		return;
	}
	if (card.state == CARD_OF_TOKEN) {
		json_decref(details);
		api_ask_bank(call, &card, 0, asked);
		return;
	}
	make_customer(call, details, &customer, &card);
	api_answer(call, API_CUSTOMER, &customer);
}

static void answer_deleted(struct api_call *call, int64_t id)
{
	struct buffer body cleanup(buffer_done) = { 0 };

	buffer_init(&body, API_REPLY_MAX);
	api_render_deleted(&body, &call->view, API_CUSTOMER, id);
	api_answer_text(call, 200, buffer_view(&body));
}

void api_customer_retrieve(struct api_call *call)
{
	struct customer customer cleanup(customer_done) = { 0 };

	if (!api_find(call, &customer))
		return;
	if (customer.removed_ms)
		answer_deleted(call, customer.id);
	else
		api_answer(call, API_CUSTOMER, &customer);
}

// Finds a customer that is still there.
static bool find_present(struct api_call *call, struct customer *customer)
{
	struct api_error error;

	if (!api_find(call, customer))
		return false;
	if (!customer->removed_ms)
		return true;
	api_fail_missing_object(&error, "customer", "id", call->words[0]);
	api_refuse(call, &error);
	return false;
}

// What events call a default card that was there before.
static json_t *default_card_json(struct api_call *call, int64_t card)
{
	char text[API_ID_CAPACITY];

	if (card == 0)
		return json_null();
	api_id_make(call->core->id_key, API_ID_PAYMENT_METHOD, card, text);
	return json_string(text);
}

static void tell_update(struct api_call *call, const struct customer *old, json_t *before,
                        const struct customer *new)
{
	struct buffer changes cleanup(buffer_done) = { 0 };
	json_t *after = api_details_read(new->details);

	buffer_init(&changes, API_REPLY_MAX);
	if (strcmp(old->email, new->email) != 0) {
		json_object_set_new(before, "email",
		                    old->email[0] ? json_string(old->email) : json_null());
		json_object_set_new(after, "email", json_string(new->email));
	}
	if (old->default_card != new->default_card) {
		json_object_set_new(before, "invoice_settings",
		                    json_pack("{s:o}", "default_payment_method",
		                              default_card_json(call, old->default_card)));
		json_object_set_new(after, "invoice_settings", json_true());
	}
	api_changes(&changes, before, after);
	json_decref(after);
	event_customer_changed(call->core, new, buffer_view(&changes));
}

void api_customer_update(struct api_call *call)
{
	struct core *core = call->core;
	struct customer customer cleanup(customer_done) = { 0 };

	if (!find_present(call, &customer))
		return;
	struct customer old = customer;
	json_t *before = api_details_read(customer.details);
	json_t *details = json_deep_copy(before);
	if (merge(call, details) && read_email(call, &customer) &&
	    read_default(call, &customer, 0)) {
		free(customer.details);
		customer.details = api_details_text(json_incref(details));
		store_update(core->store, STORE_CUSTOMERS, &customer);
		tell_update(call, &old, before, &customer);
		api_answer(call, API_CUSTOMER, &customer);
	}
	json_decref(details);
	json_decref(before);
}

static void remove_cards(struct core *core, int64_t customer)
{
	struct card card;
	bool more = true;

	// One at a time: a query must not run while its rows are being changed.
	while (more) {
		struct store_query query =
		        store_ask(core->store, STORE_CUSTOMER_CARDS, STORE_N(customer));
		more = store_step(&query);
		if (more)
			store_read(&query, STORE_CARDS, &card);
		store_end(&query);
		if (more) {
			api_card_remove(core, &card);
			card_done(&card);
		}
	}
}

void api_customer_delete(struct api_call *call)
{
	struct core *core = call->core;
	struct customer customer cleanup(customer_done) = { 0 };

	if (!api_find(call, &customer))
		return;
	if (!customer.removed_ms) {
		remove_cards(core, customer.id);
		customer.default_card = 0;
		customer.removed_ms = core->now_ms;
		event_customer(core, EVENT_CUSTOMER_DELETED, &customer);
		store_update(core->store, STORE_CUSTOMERS, &customer);
	}
	answer_deleted(call, customer.id);
}

void api_customer_list(struct api_call *call)
{
	struct api_list list = { STORE_LIST_CUSTOMERS, STORE_LIST_CUSTOMERS_UP,
		                 STORE_TB(api_params_text(&call->params, "email")), STORE_N(0), 0 };

	api_answer_list(call, &list);
}

void api_customer_cards(struct api_call *call)
{
	struct customer customer cleanup(customer_done) = { 0 };

	if (!find_present(call, &customer))
		return;
	api_list_cards_of(call, customer.id);
}

void api_customer_card(struct api_call *call)
{
	struct customer customer cleanup(customer_done) = { 0 };
	struct card card cleanup(card_done) = { 0 };
	struct api_error error;
	int64_t id;

	if (!find_present(call, &customer))
		return;
	if (api_id_read(call->core->id_key, API_ID_PAYMENT_METHOD, call->words[1], &id) &&
	    store_find(call->core->store, STORE_CARDS, call->merchant, id, &card) &&
	    card.customer == customer.id && card.removed_ms == 0) {
		api_answer(call, API_CARD, &card);
		return;
	}
	api_fail_missing_object(&error, "payment_method", "payment_method", call->words[1]);
	api_refuse(call, &error);
}
