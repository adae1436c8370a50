// SetupIntents: the linking of a card for later. The work is done by the flow (flow_link.c); here
// it is started, answered, cancelled.
#include "core/api.h"

#include "core/event.h"

#include <stdlib.h>

// An issuer is asked about every link: `any` is what happens.
#define OPTIONS API_AUTHENTICATION("automatic any"), API_OTHER_OPTIONS

#define SETUP_PARAMS                                                                               \
	API_TYPES_PARAMS, API_METHOD_DATA_PARAMS, OPTIONS, API_NO_ACCOUNT,                         \
	        { "customer", API_TEXT, 0, 0, 128, NULL },                                         \
	        { "payment_method", API_TEXT, 0, 0, 128, NULL },                                   \
	        { "description", API_TEXT, API_STORED, 0, 1000, NULL },                            \
	        { "metadata", API_METADATA, API_STORED, 0, 0, NULL },                              \
	        { "setup_credential_usage", API_TEXT, API_IGNORED, 0, 0, NULL },                   \
	        API_NOT_HERE("attach_to_self", NULL),                                              \
	{                                                                                          \
		"flow_directions[]", API_CHOICE, API_STORED | API_ONLY, 0, 0, "inbound"            \
	}

#define CONFIRM_PARAMS                                                                             \
	{ "return_url", API_TEXT, API_STORED | API_NOT_EMPTY, 0, URL_MAX - 1, NULL },              \
	        { "mandate_data[customer_acceptance][online][ip_address]",                         \
		  API_TEXT,                                                                        \
		  API_UNSETS,                                                                      \
		  0,                                                                               \
		  64,                                                                              \
		  NULL },                                                                          \
	        { "mandate_data[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL },                     \
	        { "use_stripe_sdk", API_FLAG, API_IGNORED, 0, 0, NULL },                           \
	        API_NOT_HERE("confirmation_token", "Send payment_method_data[card][encrypted].")

const struct api_param api_setup_params[] = {
	SETUP_PARAMS,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_setup_create_params[] = {
	SETUP_PARAMS,
	CONFIRM_PARAMS,
	{ "usage", API_CHOICE, API_STORED | API_NOT_EMPTY, 0, 0, "off_session on_session" },
	{ "confirm", API_FLAG, 0, 0, 0, NULL },
	{ "automatic_payment_methods[enabled]", API_FLAG, API_STORED, 0, 0, NULL },
	{ "automatic_payment_methods[allow_redirects]", API_CHOICE, API_STORED, 0, 0,
	  "always never" },
	API_NOT_HERE("on_behalf_of", NULL),
	API_NOT_HERE("single_use[**]", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_setup_confirm_params[] = {
	{ "payment_method", API_TEXT, 0, 0, 128, NULL },
	API_TYPES_PARAMS,
	API_METHOD_DATA_PARAMS,
	OPTIONS,
	CONFIRM_PARAMS,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_setup_cancel_params[] = {
	{ "cancellation_reason", API_CHOICE, 0, 0, 0, "abandoned duplicate requested_by_customer" },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_setup_list_params[] = {
	{ "customer", API_TEXT, 0, 0, 128, NULL }, { "payment_method", API_TEXT, 0, 0, 128, NULL },
	API_NOT_HERE("attach_to_self", NULL),      API_NO_ACCOUNT,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_setup_attempts_params[] = {
	{ "setup_intent", API_TEXT, API_REQUIRED, 0, 128, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// --- confirming

static bool refuse_state(struct api_call *call, const struct setup_intent *intent,
                         const char *message)
{
	struct api_error error;

	api_fail(&error, 400, "setup_intent_unexpected_state", NULL, "%s", message);
	api_refuse_with(call, &error, API_SETUP_INTENT, intent);
	return false;
}

// What is to be linked: an encrypted card, or one that is on file already.
struct choice {
	struct bytes encrypted;
	struct card card;
};

static bool read_choice(struct api_call *call, int64_t customer, struct choice *ret_choice)
{
	*ret_choice = (struct choice){ 0 };
	if (!api_typed_card(call, &ret_choice->encrypted))
		return false;
	if (!api_data_token(call))
		return false;
	return !api_params_has(&call->params, "payment_method") ||
	       api_card_on_file(call, customer, &ret_choice->card);
}

static void answer_trouble(struct api_call *call, const struct setup_intent *intent,
                           const struct flow_outcome *outcome)
{
	struct attempt attempt = { 0 };
	struct api_trouble trouble = { outcome->problem, PROBLEM_LINK, NULL, outcome->again_ms,
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

static void linked(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	struct api_call *call = owner;
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };

	call->view.now_ms = core->now_ms;
	if (!store_load(core->store, STORE_SETUP_INTENTS, call->intent, &intent))
		intent.details = NULL;
	bool refused = outcome->end == FLOW_REFUSED || outcome->end == FLOW_BUSY ||
	               intent.status == INTENT_REQUIRES_PAYMENT_METHOD;
	if (refused) {
		answer_trouble(call, &intent, outcome);
		return;
	}
	buffer_init(&body, API_REPLY_MAX);
	api_render(&body, &call->view, API_SETUP_INTENT, &intent, "");
	api_end(call, 200, buffer_view(&body), false);
}

// Either an encrypted card, or the card of a test token that no link has proven yet.
static void start(struct api_call *call, const struct setup_intent *intent, struct bytes encrypted,
                  int64_t card)
{
	api_link(call,
	         (struct flow_link_start){ .intent = intent->id, .jwe = encrypted, .card = card },
	         linked);
}

// A card that is on file has been confirmed by its bank: there is nothing left to ask. That of a
// test token is in question until a link has proven it.
static void use_card(struct api_call *call, struct setup_intent *intent, const struct card *card)
{
	if (!(card->state & CARD_PROVEN)) {
		start(call, intent, BYTES_NONE, card->id);
		return;
	}
	intent->card = card->id;
	intent->status = INTENT_SUCCEEDED;
	store_update(call->core->store, STORE_SETUP_INTENTS, intent);
	event_setup_intent(call->core, EVENT_SETUP_INTENT_SUCCEEDED, intent);
	api_answer(call, API_SETUP_INTENT, intent);
}

// The work of an earlier request with the same key: wait for its attempt if it has one.
static bool resume(struct api_call *call, const struct setup_intent *intent)
{
	if (!call->resumed || intent->attempt == 0 ||
	    core_id_ms(intent->attempt) < call->claimed_ms)
		return false;
	api_park(call, intent->id);
	flow_wait(call->core, intent->attempt, linked, call);
	return true;
}

static void confirm(struct api_call *call, struct setup_intent *intent, struct choice *choice)
{
	struct card card cleanup(card_done) = { 0 };

	if (choice->encrypted.length) {
		start(call, intent, choice->encrypted, 0);
		return;
	}
	if (choice->card.id) {
		use_card(call, intent, &choice->card);
		return;
	}
	if (intent->status == INTENT_REQUIRES_CONFIRMATION &&
	    store_find(call->core->store, STORE_CARDS, call->merchant, intent->card, &card) &&
	    !card.removed_ms)
		use_card(call, intent, &card);
	else
		refuse_state(call, intent,
		             "You cannot confirm this SetupIntent because it's missing a payment "
		             "method. Confirm it with payment_method_data[card][encrypted].");
}

static bool may_confirm(struct api_call *call, const struct setup_intent *intent)
{
	char message[160];

	if (call->resumed || intent->status == INTENT_REQUIRES_PAYMENT_METHOD ||
	    intent->status == INTENT_REQUIRES_CONFIRMATION ||
	    intent->status == INTENT_PROCESSING) // the flow says that it is busy
		return true;
	snprintf(message, sizeof(message),
	         "You cannot confirm this SetupIntent because it has a status of %s.",
	         api_intent_status_name(intent->status));
	return refuse_state(call, intent, message);
}

// Merges what is stored into the intent's details. False: refused.
static bool merge(struct api_call *call, struct setup_intent *intent)
{
	json_t *details = api_details_read(intent->details);
	struct api_error error;

	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return false;
	}
	json_object_del(details, "payment_method_data");
	free(intent->details);
	intent->details = api_details_text(details);
	return true;
}

void api_setup_confirm(struct api_call *call)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	struct choice choice = { 0 };

	if (api_find(call, &intent) && may_confirm(call, &intent) && api_types_fit(call) &&
	    api_url_fits(call, "return_url") && !resume(call, &intent) &&
	    read_choice(call, intent.customer, &choice) && merge(call, &intent)) {
		store_update(call->core->store, STORE_SETUP_INTENTS, &intent);
		confirm(call, &intent, &choice);
	}
	card_done(&choice.card);
}

// --- the rest

static bool has_card(const struct api_call *call, const char *list)
{
	const struct api_value *value;
	bool empty = true;

	for (size_t i = 0; (value = api_params_at(&call->params, list, i)); i++) {
		if (bytes_equal_text(value->text, "card"))
			return true;
		empty = empty && value->text.length == 0;
	}
	return empty;
}

bool api_types_fit(struct api_call *call)
{
	static const char *const lists[] = { "payment_method_types[]",
		                             "allowed_payment_method_types[]" };
	static const char excluded[] = "excluded_payment_method_types[]";
	struct api_error error;

	api_fail(&error, 400, NULL, excluded,
	         "onfile takes cards: card cannot be an excluded type of payment methods.");
	for (size_t i = 0; i < 2; i++)
		if (!has_card(call, lists[i])) {
			api_fail(&error, 400, NULL, lists[i],
			         "onfile takes cards: the types of payment methods must contain "
			         "card.");
			api_refuse(call, &error);
			return false;
		}
	if (!api_params_text(&call->params, excluded).length || !has_card(call, excluded))
		return true;
	api_refuse(call, &error);
	return false;
}

static void create(struct api_call *call, struct setup_intent *intent, struct choice *choice)
{
	struct core *core = call->core;

	intent->id = core_next_id(core);
	intent->merchant = call->merchant;
	if (choice->card.id) {
		intent->card = choice->card.id;
		intent->status = INTENT_REQUIRES_CONFIRMATION;
	}
	store_insert(core->store, STORE_SETUP_INTENTS, intent);
	event_setup_intent(core, EVENT_SETUP_INTENT_CREATED, intent);
	call->created = true;
	if (api_params_flag(&call->params, "confirm", false))
		confirm(call, intent, choice);
	else
		api_answer(call, API_SETUP_INTENT, intent);
}

// The same request once more, after a restart: its intent is there already.
static void go_on(struct api_call *call, struct choice *choice)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	struct api_error error;

	if (store_find(call->core->store, STORE_SETUP_INTENTS, call->merchant, call->intent,
	               &intent)) {
		call->created = true;
		if (!resume(call, &intent) && read_choice(call, intent.customer, choice))
			confirm(call, &intent, choice);
		return;
	}
	api_fail(&error, 409, "idempotency_key_in_use", NULL,
	         "The work of an earlier request with this key cannot be found.");
	api_refuse(call, &error);
}

static bool has_nothing_to_confirm(struct api_call *call, const struct choice *choice)
{
	struct api_error error;

	if (choice->card.id || !api_params_flag(&call->params, "confirm", false))
		return false;
	api_fail(&error, 400, "parameter_missing", "payment_method",
	         "You cannot confirm a SetupIntent without a payment method.");
	api_refuse(call, &error);
	return true;
}

void api_setup_create(struct api_call *call)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	struct customer customer cleanup(customer_done) = { 0 };
	struct choice choice = { 0 };

	if (api_types_fit(call) && api_url_fits(call, "return_url") &&
	    api_customer_of(call, &customer)) {
		intent.customer = customer.id;
		if (call->resumed)
			go_on(call, &choice);
		else if (read_choice(call, customer.id, &choice) &&
		         api_may_not_be_typed(call, choice.encrypted) &&
		         !has_nothing_to_confirm(call, &choice) && merge(call, &intent))
			create(call, &intent, &choice);
	}
	card_done(&choice.card);
}

void api_setup_retrieve(struct api_call *call)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };

	if (api_find(call, &intent))
		api_answer(call, API_SETUP_INTENT, &intent);
}

static bool take_customer(struct api_call *call, struct setup_intent *intent)
{
	struct customer customer cleanup(customer_done) = { 0 };
	struct api_error error;

	if (!api_customer_of(call, &customer))
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

void api_setup_update(struct api_call *call)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	struct choice choice = { 0 };
	bool open;

	if (!api_find(call, &intent))
		return;
	open = intent.status == INTENT_REQUIRES_PAYMENT_METHOD ||
	       intent.status == INTENT_REQUIRES_CONFIRMATION;
	if (!open && (api_params_has(&call->params, "customer") ||
	              api_params_has(&call->params, "payment_method"))) {
		refuse_state(call, &intent,
		             "This SetupIntent's customer and payment method can only be changed "
		             "before it is confirmed.");
		return;
	}
	if (api_types_fit(call) && take_customer(call, &intent) &&
	    read_choice(call, intent.customer, &choice) &&
	    api_may_not_be_typed(call, choice.encrypted) && merge(call, &intent)) {
		if (choice.card.id) {
			intent.card = choice.card.id;
			intent.status = INTENT_REQUIRES_CONFIRMATION;
		}
		store_update(call->core->store, STORE_SETUP_INTENTS, &intent);
		api_answer(call, API_SETUP_INTENT, &intent);
	}
	card_done(&choice.card);
}

void api_setup_take_back(struct core *core, struct setup_intent *intent, enum cancel_reason reason)
{
	int64_t id = intent->id;

	if (intent->attempt) {
		flow_cancel(core, intent->attempt);
		setup_intent_done(intent);
		if (!store_load(core->store, STORE_SETUP_INTENTS, id, intent))
			return;
	}
	intent->status = INTENT_CANCELED;
	intent->canceled = reason;
	intent->card = 0;
	store_update(core->store, STORE_SETUP_INTENTS, intent);
	event_setup_intent(core, EVENT_SETUP_INTENT_CANCELED, intent);
	pages_changed(core, id);
}

enum cancel_reason api_cancel_reason(struct api_call *call)
{
	if (api_params_is(&call->params, "cancellation_reason", "abandoned"))
		return CANCEL_ABANDONED;
	if (api_params_is(&call->params, "cancellation_reason", "duplicate"))
		return CANCEL_DUPLICATE;
	if (api_params_is(&call->params, "cancellation_reason", "fraudulent"))
		return CANCEL_FRAUDULENT;
	if (api_params_is(&call->params, "cancellation_reason", "requested_by_customer"))
		return CANCEL_REQUESTED_BY_CUSTOMER;
	return CANCEL_NONE;
}

void api_setup_cancel(struct api_call *call)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };
	char message[200];

	if (!api_find(call, &intent))
		return;
	if (intent.session && intent.status != INTENT_CANCELED) {
		refuse_state(call, &intent,
		             "You cannot cancel this SetupIntent because it belongs to a Checkout "
		             "Session: expire the session instead.");
		return;
	}
	if (intent.status > INTENT_REQUIRES_ACTION) {
		snprintf(message, sizeof(message),
		         "You cannot cancel this SetupIntent because it has a status of %s. Only a "
		         "SetupIntent with one of the following statuses may be canceled: "
		         "requires_payment_method, requires_confirmation, requires_action.",
		         api_intent_status_name(intent.status));
		refuse_state(call, &intent, message);
		return;
	}
	api_setup_take_back(call->core, &intent, api_cancel_reason(call));
	api_answer(call, API_SETUP_INTENT, &intent);
}

void api_setup_list(struct api_call *call)
{
	int64_t customer;
	int64_t card;

	if (!api_named(call, "customer", API_CUSTOMER, &customer) ||
	    !api_named(call, "payment_method", API_CARD, &card))
		return;
	struct api_list list = { STORE_LIST_SETUP_INTENTS, STORE_LIST_SETUP_INTENTS_UP,
		                 STORE_N(customer), STORE_N(card), 0 };
	api_answer_list(call, &list);
}

void api_setup_attempts(struct api_call *call)
{
	int64_t intent;

	if (!api_named(call, "setup_intent", API_SETUP_INTENT, &intent))
		return;
	// Attempts are younger than their intent: nothing below its key is looked at.
	struct api_list list = { STORE_LIST_SETUP_ATTEMPTS, STORE_LIST_SETUP_ATTEMPTS_UP,
		                 STORE_N(intent), STORE_N(0), intent };
	api_answer_list(call, &list);
}
