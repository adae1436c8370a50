// PaymentIntents, and their charges: with a card on file, or one that is typed for the payment. The
// work is done by the flow (flow_payment.c); here it is started, answered, cancelled.
#include "core/api.h"

#include "core/event.h"

#include <ctype.h>
#include <stdlib.h>

#define SHIPPING(member)                                                                           \
	{                                                                                          \
		"shipping" member, API_TEXT, API_STORED, 0, 0, NULL                                \
	}
// What Stripe would try for, where a network can: here none can.
#define AT_BEST(option)                                                                            \
	{                                                                                          \
		"payment_method_options[card][" option "]", API_CHOICE, API_IGNORED, 0, 0,         \
		        "if_available never"                                                       \
	}
#define OPTIONS                                                                                    \
	API_AUTHENTICATION("automatic"), AT_BEST("request_extended_authorization"),                \
	        AT_BEST("request_incremental_authorization"), AT_BEST("request_multicapture"),     \
	        AT_BEST("request_overcapture"),                                                    \
	        API_NOT_HERE("payment_method_options[card][capture_method]",                       \
	                     "Use capture_method."),                                               \
	        API_NOT_HERE("payment_method_options[card][setup_future_usage]",                   \
	                     "Use setup_future_usage."),                                           \
	        API_OTHER_OPTIONS

#define PAYMENT_PARAMS                                                                             \
	API_TYPES_PARAMS, API_METHOD_DATA_PARAMS, OPTIONS, API_DETAILS_PARAMS, API_NO_ACCOUNT,     \
	        { "customer", API_TEXT, 0, 0, 128, NULL },                                         \
	        { "payment_method", API_TEXT, 0, 0, 128, NULL },                                   \
	        { "description", API_TEXT, API_STORED, 0, 1000, NULL },                            \
	        { "metadata", API_METADATA, API_STORED, 0, 0, NULL },                              \
	        { "receipt_email", API_TEXT, API_STORED, 0, 0, NULL },                             \
	        { "setup_future_usage",    API_CHOICE, API_STORED | API_UNSETS, 0, 0,              \
		  "off_session on_session" },                                                      \
	        { "statement_descriptor", API_TEXT, API_STORED, 0, 22, NULL },                     \
	        { "statement_descriptor_suffix", API_TEXT, API_STORED, 0, 22, NULL },              \
	        { "shipping", API_OBJECT, API_STORED, 0, 0, NULL },                                \
	        { "shipping[address]", API_OBJECT, API_STORED, 0, 0, NULL },                       \
	        SHIPPING("[address][city]"), SHIPPING("[address][country]"),                       \
	        SHIPPING("[address][line1]"), SHIPPING("[address][line2]"),                        \
	        SHIPPING("[address][postal_code]"), SHIPPING("[address][state]"),                  \
	        SHIPPING("[carrier]"), SHIPPING("[name]"), SHIPPING("[phone]"),                    \
	        SHIPPING("[tracking_number]"), { "capture_method",                                 \
		                                 API_CHOICE,                                       \
		                                 API_STORED,                                       \
		                                 0,                                                \
		                                 0,                                                \
		                                 "automatic automatic_async manual" },             \
	        { "stored_credential_usage", API_TEXT, API_IGNORED, 0, 0, NULL },                  \
	        { "setup_credential_usage", API_TEXT, API_IGNORED, 0, 0, NULL },                   \
	        API_NONE_OF("application_fee_amount", NULL), API_NONE_OF("transfer_data", NULL),   \
	        API_NOT_HERE("transfer_group", NULL), API_NONE_OF("hooks", NULL)

#define CONFIRM_PARAMS                                                                             \
	{ "off_session", API_CHOICE, 0, 0, 0, "true false True False one_off recurring" },         \
	        { "error_on_requires_action", API_FLAG, 0, 0, 0, NULL },                           \
	        { "return_url", API_TEXT, API_STORED | API_NOT_EMPTY, 0, URL_MAX - 1, NULL },      \
	        API_NOT_HERE("mandate", "It has no mandates: a card is on file, or it is not."),   \
	        { "mandate_data[customer_acceptance][online][ip_address]",                         \
		  API_TEXT,                                                                        \
		  API_UNSETS,                                                                      \
		  0,                                                                               \
		  64,                                                                              \
		  NULL },                                                                          \
	        { "mandate_data[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL },                     \
	        { "radar_options[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL },                    \
	        { "use_stripe_sdk", API_FLAG, API_IGNORED, 0, 0, NULL },                           \
	        API_NOT_HERE("confirmation_token", "Send payment_method, a card on file, or "      \
	                                           "payment_method_data[card][encrypted].")

const struct api_param api_payment_params[] = {
	PAYMENT_PARAMS,
	{ "amount", API_NUMBER, 0, 1, 99999999, NULL },
	{ "currency", API_TEXT, 0, 0, 3, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_payment_create_params[] = {
	PAYMENT_PARAMS,
	CONFIRM_PARAMS,
	{ "amount", API_NUMBER, API_REQUIRED, 1, 99999999, NULL },
	{ "currency", API_TEXT, API_REQUIRED, 0, 3, NULL },
	{ "confirm", API_FLAG, 0, 0, 0, NULL },
	{ "confirmation_method", API_CHOICE, API_IGNORED | API_ONLY, 0, 0, "automatic" },
	{ "automatic_payment_methods[enabled]", API_FLAG, API_STORED, 0, 0, NULL },
	{ "automatic_payment_methods[allow_redirects]", API_CHOICE, API_STORED, 0, 0,
	  "always never" },
	API_NOT_HERE("on_behalf_of", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_payment_confirm_params[] = {
	PAYMENT_PARAMS,
	CONFIRM_PARAMS,
	{ "amount_to_confirm", API_NUMBER, 0, 1, 99999999, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_payment_list_params[] = {
	{ "customer", API_TEXT, 0, 0, 128, NULL },
	API_NO_ACCOUNT,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_charge_list_params[] = {
	{ "customer", API_TEXT, 0, 0, 128, NULL },
	{ "payment_intent", API_TEXT, 0, 0, 128, NULL },
	API_NOT_HERE("transfer_group", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// --- what is asked for

static bool refuse_state(struct api_call *call, const struct payment_intent *intent,
                         const char *message)
{
	struct api_error error;

	api_fail(&error, 400, "payment_intent_unexpected_state", NULL, "%s", message);
	api_refuse_with(call, &error, API_PAYMENT_INTENT, intent);
	return false;
}

static bool is_currency(const char *letters)
{
	static const char *const known[] = {
#define CURRENCY(letters, digits, decimals) letters,
#include "domain/currencies.def"
#undef CURRENCY
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], letters) == 0)
			return true;
	return false;
}

bool api_currency_fits(struct api_call *call, const char *param, struct bytes text,
                       char ret_letters[static 4])
{
	char letters[4];
	struct api_error error;

	if (bytes_copy_text(text, letters, sizeof(letters))) {
		for (char *letter = letters; *letter; letter++)
			*letter = (char)tolower((unsigned char)*letter);
		if (is_currency(letters)) {
			memcpy(ret_letters, letters, sizeof(letters));
			return true;
		}
	}
	char shown[20];
	api_show(text, shown, sizeof(shown));
	api_fail(&error, 400, NULL, param, "Invalid currency: %s", shown);
	api_refuse(call, &error);
	return false;
}

static bool read_currency(struct api_call *call, struct payment_intent *intent)
{
	struct bytes text = api_params_text(&call->params, "currency");

	return text.length == 0 || api_currency_fits(call, "currency", text, intent->currency);
}

// What a checkout session pays is the session's until it is paid: it can be expired.
bool api_payment_of_session(struct api_call *call, const struct payment_intent *intent)
{
	if (!(intent->flags & PAYMENT_OF_SESSION) || intent->status > INTENT_PROCESSING)
		return false;
	refuse_state(call, intent,
	             "This PaymentIntent belongs to a Checkout Session, which pays it; expire the "
	             "session to give it up.");
	return true;
}

// Whose card on file is named: a customer who is there, for their cards go when they go. To look at
// the customer as well would be to read one more page of the store for each payment.
static bool has_named_card(struct api_call *call, int64_t customer)
{
	struct card card cleanup(card_done) = { 0 };
	int64_t id;

	return api_id_read(call->core->id_key, API_ID_PAYMENT_METHOD,
	                   api_params_text(&call->params, "payment_method"), &id) &&
	       store_find(call->core->store, STORE_CARDS, call->merchant, id, &card) &&
	       card.customer == customer && !card.removed_ms;
}

static bool take_customer(struct api_call *call, struct payment_intent *intent)
{
	struct customer customer cleanup(customer_done) = { 0 };
	struct api_error error;

	if (!api_id_named(call, "customer", API_CUSTOMER, &customer.id) ||
	    (customer.id && !has_named_card(call, customer.id) &&
	     !api_customer_of(call, &customer)))
		return false;
	if (customer.id && intent->customer && customer.id != intent->customer) {
		api_fail(&error, 400, NULL, "customer",
		         "The customer of an intent cannot be changed once it is set.");
		api_refuse(call, &error);
		return false;
	}
	if (customer.id)
		intent->customer = customer.id;
	return true;
}

// A card that comes as data. The card of a test token becomes payment_method's (api_tokens.c);
// `ret_typed` is one that was typed for this payment, or empty. False: refused, or vault is asked.
static bool take_data(struct api_call *call, struct bytes *ret_typed)
{
	struct api_error error;

	if (!api_typed_card(call, ret_typed))
		return false;
	if (ret_typed->length == 0 && !api_token_card(call) &&
	    api_params_has(&call->params, "payment_method_data[type]")) {
		api_fail_missing_param(&error, "payment_method_data[card]");
		api_refuse(call, &error);
		return false;
	}
	return api_data_token(call);
}

// The card that is to be paid with, where none may be typed: the intent must exist before a browser
// can encrypt a card for it.
static bool take_card(struct api_call *call, struct payment_intent *intent)
{
	struct card card cleanup(card_done) = { 0 };
	struct bytes typed;

	if (!take_data(call, &typed) || !api_may_not_be_typed(call, typed))
		return false;
	if (!api_params_has(&call->params, "payment_method"))
		return true;
	if (!api_card_on_file(call, intent->customer, &card))
		return false;
	intent->card = card.id;
	intent->status = INTENT_REQUIRES_CONFIRMATION;
	return true;
}

static void take_capture_method(struct api_call *call, struct payment_intent *intent)
{
	if (api_params_is(&call->params, "capture_method", "manual"))
		intent->flags |= PAYMENT_MANUAL_CAPTURE;
	else if (api_params_has(&call->params, "capture_method"))
		intent->flags &= ~PAYMENT_MANUAL_CAPTURE;
}

bool api_payment_merge(struct api_call *call, struct payment_intent *intent)
{
	json_t *details = api_details_read(intent->details);
	struct api_error error;

	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return false;
	}
	json_object_del(details, "payment_method_data"); // the card's
	take_capture_method(call, intent);
	if (intent->attempt) // any update clears last_payment_error: it is not shown up to here
		json_object_set_new(details, "cleared", json_integer(intent->attempt));
	free(intent->details);
	intent->details = api_details_text(details);
	return true;
}

static bool is_off_session(const struct api_call *call)
{
	struct bytes off = api_params_text(&call->params, "off_session");

	return off.length && !bytes_equal_text(off, "false") && !bytes_equal_text(off, "False");
}

// Who is there is said when an intent is confirmed: said too early it would be forgotten.
static bool presence_fits(struct api_call *call)
{
	bool off = is_off_session(call);
	struct api_error error;

	if (api_params_flag(&call->params, "confirm", false) ||
	    !(off || api_params_flag(&call->params, "error_on_requires_action", false)))
		return true;
	api_fail(&error, 400, NULL, off ? "off_session" : "error_on_requires_action",
	         "%s goes with confirm=true, or with the call that confirms the PaymentIntent.",
	         off ? "off_session" : "error_on_requires_action");
	api_refuse(call, &error);
	return false;
}

// Who is there when it is confirmed.
static bool take_presence(struct api_call *call, struct payment_intent *intent)
{
	bool merchant = is_off_session(call);
	int64_t amount = api_params_number(&call->params, "amount_to_confirm", intent->amount);
	struct api_error error;

	if (amount != intent->amount) {
		api_fail(&error, 400, NULL, "amount_to_confirm",
		         "The amount of this PaymentIntent is %lld.", (long long)intent->amount);
		api_refuse(call, &error);
		return false;
	}
	intent->flags &= ~(PAYMENT_OFF_SESSION | PAYMENT_NO_ACTION);
	if (merchant)
		intent->flags |= PAYMENT_OFF_SESSION;
	if (api_params_flag(&call->params, "error_on_requires_action", false))
		intent->flags |= PAYMENT_NO_ACTION;
	return true;
}

// --- confirming

static void answer_trouble(struct api_call *call, const struct payment_intent *intent,
                           const struct flow_outcome *outcome)
{
	struct attempt attempt = { 0 };
	struct api_trouble trouble = { outcome->problem, PROBLEM_PAYMENT, NULL, outcome->again_ms,
		                       intent };
	struct buffer body cleanup(buffer_done) = { 0 };

	if (outcome->attempt &&
	    store_load(call->core->store, STORE_ATTEMPTS, outcome->attempt, &attempt))
		trouble.attempt = &attempt;
	if (trouble.problem == PROBLEM_NONE)
		trouble.problem = attempt.problem;
	int status = api_trouble_row(&call->view, trouble.problem)->status;
	buffer_init(&body, API_REPLY_MAX);
	api_trouble_put(&body, &call->view, &trouble);
	// What never began may be tried again with the same key.
	bool begun = outcome->end == FLOW_AT_REST || (attempt.id && status < 500);
	api_end(call, status, buffer_view(&body), !begun);
}

static void paid(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	struct api_call *call = owner;
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };

	call->view.now_ms = core->now_ms;
	if (!store_load(core->store, STORE_PAYMENT_INTENTS, call->intent, &intent))
		intent.details = NULL;
	if (outcome->end == FLOW_REFUSED || outcome->end == FLOW_BUSY ||
	    intent.status == INTENT_REQUIRES_PAYMENT_METHOD) {
		answer_trouble(call, &intent, outcome);
		return;
	}
	buffer_init(&body, API_REPLY_MAX);
	api_render(&body, &call->view, API_PAYMENT_INTENT, &intent, "");
	api_end(call, 200, buffer_view(&body), false);
}

// The work of an earlier request with the same key: wait for its attempt if it has one.
static bool resume(struct api_call *call, const struct payment_intent *intent)
{
	if (!call->resumed || intent->attempt == 0 ||
	    core_id_ms(intent->attempt) < call->claimed_ms)
		return false;
	api_park(call, intent->id);
	flow_wait(call->core, intent->attempt, paid, call);
	return true;
}

static void confirm(struct api_call *call, const struct payment_intent *intent)
{
	struct flow_payment_start start = { .intent = intent->id };

	api_park(call, intent->id);
	flow_pay(call->core, &start, paid, call);
}

static bool may_confirm(struct api_call *call, const struct payment_intent *intent)
{
	char message[200];

	if (intent->status == INTENT_REQUIRES_PAYMENT_METHOD ||
	    intent->status == INTENT_REQUIRES_CONFIRMATION)
		return true;
	snprintf(message, sizeof(message),
	         intent->status == INTENT_SUCCEEDED
	                 ? "You cannot confirm this PaymentIntent because it has already "
	                   "succeeded after being previously confirmed."
	                 : "You cannot confirm this PaymentIntent because it has a status of %s.",
	         api_intent_status_name(intent->status));
	return refuse_state(call, intent, message);
}

static bool has_card(struct api_call *call, const struct payment_intent *intent)
{
	struct card card cleanup(card_done) = { 0 };

	if (intent->card == 0)
		return refuse_state(call, intent,
		                    "You cannot confirm this PaymentIntent because it's missing a "
		                    "payment method. Confirm it with payment_method, a card on "
		                    "file of its customer, or with "
		                    "payment_method_data[card][encrypted].");
	if (!store_find(call->core->store, STORE_CARDS, call->merchant, intent->card, &card) ||
	    card.removed_ms)
		return refuse_state(call, intent,
		                    "The payment method of this PaymentIntent was removed.");
	return true;
}

// Whose card is being typed is there.
static bool may_be_typed(struct api_call *call, const struct payment_intent *intent)
{
	struct api_error error;

	if (!(intent->flags & PAYMENT_OFF_SESSION))
		return true;
	api_fail(&error, 400, NULL, "off_session",
	         "A card that its shopper has typed for this payment is paid with while they are "
	         "there: leave off_session out.");
	api_refuse(call, &error);
	return false;
}

// Reads who pays, with what. `ret_typed`: a card for this payment; empty: intent->card. False:
// refused.
static bool take_terms(struct api_call *call, struct payment_intent *intent,
                       struct bytes *ret_typed)
{
	if (!api_types_fit(call) || !api_url_fits(call, "return_url") ||
	    !take_customer(call, intent) || !take_data(call, ret_typed))
		return false;
	if (ret_typed->length)
		return take_presence(call, intent) && may_be_typed(call, intent);
	return take_card(call, intent) && take_presence(call, intent) && has_card(call, intent);
}

void api_payment_confirm(struct api_call *call)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct bytes typed;

	if (!api_find(call, &intent) || resume(call, &intent))
		return;
	// While the bank is being asked the flow says that it is busy.
	if (intent.status == INTENT_PROCESSING) {
		confirm(call, &intent);
		return;
	}
	if (api_payment_of_session(call, &intent) || !may_confirm(call, &intent) ||
	    !take_terms(call, &intent, &typed) || !api_payment_merge(call, &intent))
		return;
	store_update(call->core->store, STORE_PAYMENT_INTENTS, &intent);
	if (typed.length)
		api_link(call,
		         (struct flow_link_start){
		                 .intent = intent.id, .payment = true, .jwe = typed },
		         paid);
	else
		confirm(call, &intent);
}

// --- the rest

static bool needs_a_card(struct api_call *call, const struct payment_intent *intent)
{
	struct api_error error;

	if (!api_params_flag(&call->params, "confirm", false) || intent->card)
		return false;
	api_fail(&error, 400, "parameter_missing", "payment_method",
	         "You cannot confirm a PaymentIntent without a payment method: a card on file of "
	         "its customer.");
	api_refuse(call, &error);
	return true;
}

void api_payment_create(struct api_call *call)
{
	struct core *core = call->core;
	struct payment_intent intent cleanup(payment_intent_done) = { .merchant = call->merchant };

	intent.amount = api_params_number(&call->params, "amount", 0);
	if (!read_currency(call, &intent) || !api_types_fit(call) || !presence_fits(call) ||
	    !api_url_fits(call, "return_url") || !take_customer(call, &intent))
		return;
	if (call->resumed && call->intent) {
		payment_intent_done(&intent);
		if (store_find(core->store, STORE_PAYMENT_INTENTS, call->merchant, call->intent,
		               &intent)) {
			call->created = true;
			if (!resume(call, &intent))
				confirm(call, &intent);
			return;
		}
	}
	if (!take_card(call, &intent) || !take_presence(call, &intent) ||
	    needs_a_card(call, &intent) || !api_payment_merge(call, &intent))
		return;
	intent.id = core_next_id(core);
	store_insert(core->store, STORE_PAYMENT_INTENTS, &intent);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_CREATED, &intent);
	call->created = true;
	if (api_params_flag(&call->params, "confirm", false))
		confirm(call, &intent);
	else
		api_answer(call, API_PAYMENT_INTENT, &intent);
}

void api_payment_retrieve(struct api_call *call)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (api_find(call, &intent))
		api_answer(call, API_PAYMENT_INTENT, &intent);
}

void api_payment_update(struct api_call *call)
{
	static const char *const settled[] = { "amount", "currency", "customer", "payment_method",
		                               "capture_method" };
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!api_find(call, &intent))
		return;
	for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++)
		if (intent.status > INTENT_REQUIRES_CONFIRMATION &&
		    api_params_has(&call->params, settled[i])) {
			refuse_state(call, &intent,
			             "What is paid, by whom and with what can only be changed "
			             "before the PaymentIntent is confirmed.");
			return;
		}
	if (api_payment_of_session(call, &intent) || !read_currency(call, &intent) ||
	    !api_types_fit(call) || !take_customer(call, &intent) || !take_card(call, &intent) ||
	    !api_payment_merge(call, &intent))
		return;
	intent.amount = api_params_number(&call->params, "amount", intent.amount);
	store_update(call->core->store, STORE_PAYMENT_INTENTS, &intent);
	api_answer(call, API_PAYMENT_INTENT, &intent);
}

void api_payment_list(struct api_call *call)
{
	int64_t customer;

	if (!api_named(call, "customer", API_CUSTOMER, &customer))
		return;
	struct api_list list = { STORE_LIST_PAYMENT_INTENTS, STORE_LIST_PAYMENT_INTENTS_UP,
		                 STORE_N(customer), STORE_N(0), 0 };
	api_answer_list(call, &list);
}

_Static_assert(ATTEMPT_SENT == 8, "the lists of charges in store/lists.def say so too");

void api_charge_retrieve(struct api_call *call)
{
	struct attempt attempt = { 0 };
	struct api_error error;

	if (!api_find(call, &attempt))
		return;
	if (attempt.kind == ATTEMPT_PAYMENT && attempt.state >= ATTEMPT_SENT) {
		api_answer(call, API_CHARGE, &attempt);
		return;
	}
	api_fail_missing_object(&error, "charge", "id", call->words[0]);
	api_refuse(call, &error);
}

void api_charge_list(struct api_call *call)
{
	int64_t customer;
	int64_t intent;

	if (!api_named(call, "customer", API_CUSTOMER, &customer) ||
	    !api_named(call, "payment_intent", API_PAYMENT_INTENT, &intent))
		return;
	// Attempts are younger than their intent: nothing below its key is looked at.
	struct api_list list = { STORE_LIST_CHARGES, STORE_LIST_CHARGES_UP, STORE_N(customer),
		                 STORE_N(intent), intent };
	api_answer_list(call, &list);
}
