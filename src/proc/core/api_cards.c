// Cards (payment methods): retrieve, update, list, attach, detach. A card comes in by confirming a
// SetupIntent, nowhere else.
#include "core/api.h"

#include "base/check.h"
#include "core/api_customers.h"
#include "core/event.h"

#include <stdlib.h>
#include <time.h>

enum { NOBODY = -1 }; // a customer who has no cards

#define KIND(name) API_NOT_HERE(name "[**]", API_CARDS_ONLY)
// The kinds of payment methods in Stripe's types that bring data of their own.
#define OTHER_KINDS                                                                                \
	KIND("acss_debit"), KIND("au_becs_debit"), KIND("bacs_debit"), KIND("boleto"),             \
	        KIND("custom"), KIND("eps"), KIND("fpx"), KIND("ideal"), KIND("klarna"),           \
	        KIND("naver_pay"), KIND("nz_bank_account"), KIND("p24"), KIND("payto"),            \
	        KIND("sepa_debit"), KIND("sofort"), KIND("upi"), KIND("us_bank_account")

const struct api_param api_card_create_params[] = {
	{ "type", API_CHOICE, API_REQUIRED | API_ONLY, 0, 0, "card" },
	{ "card[encrypted]", API_TEXT, 0, 0, 4096, NULL },
	{ "card[token]", API_TEXT, 0, 0, 4096, NULL },
	{ "card[**]", API_ANYTHING, API_REFUSED, 0, 0, API_NO_NUMBERS },
	API_BILLING("billing_details"),
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "allow_redisplay", API_CHOICE, API_STORED, 0, 0, "always limited unspecified" },
	{ "radar_options[**]", API_ANYTHING, API_IGNORED, 0, 0, NULL },
	API_NOT_HERE("customer", "Attach the card when it is made."),
	API_NOT_HERE("payment_method", NULL),
	OTHER_KINDS,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_card_update_params[] = {
	{ "card[exp_month]", API_NUMBER, 0, 1, 12, NULL },
	{ "card[exp_year]", API_NUMBER, 0, 0, 9999, NULL },
	API_NOT_HERE("card[networks][**]", "A card has one network."),
	API_NOT_HERE("card[**]", API_NO_NUMBERS),
	API_BILLING("billing_details"),
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "allow_redisplay", API_CHOICE, API_STORED, 0, 0, "always limited unspecified" },
	OTHER_KINDS,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_card_list_params[] = {
	{ "customer", API_TEXT, 0, 0, 128, NULL },
	{ "type", API_TEXT, 0, 0, 40, NULL },
	{ "allow_redisplay", API_CHOICE, 0, 0, 0, "always limited unspecified" },
	API_NO_ACCOUNT,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_customer_cards_params[] = {
	{ "type", API_TEXT, 0, 0, 40, NULL },
	{ "allow_redisplay", API_CHOICE, 0, 0, 0, "always limited unspecified" },
	API_NO_ACCOUNT,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_card_attach_params[] = {
	{ "customer", API_TEXT, API_REQUIRED, 0, 128, NULL },
	API_NO_ACCOUNT,
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// The card that was made of a test token, with what the request says about it.
static void answer_token_card(struct api_call *call)
{
	struct card card cleanup(card_done) = { 0 };
	struct api_error error;

	CHECK(store_load(call->core->store, STORE_CARDS, api_token_card(call), &card));
	json_t *details = api_details_read(card.details);
	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return;
	}
	free(card.details);
	card.details = api_details_text(details);
	store_update(call->core->store, STORE_CARDS, &card);
	api_answer(call, API_CARD, &card);
}

void api_card_create(struct api_call *call)
{
	struct bytes token = api_params_text(&call->params, "card[token]");
	struct api_error error;

	if (api_token_card(call)) {
		answer_token_card(call);
		return;
	}
	if (api_is_token(token)) {
		api_token_ask(call, "card[token]", token);
		return;
	}
	api_fail(&error, 400, "payment_method_unexpected_state",
	         api_params_has(&call->params, "card[encrypted]") ? "card[encrypted]" : "card",
	         "A card comes in when a SetupIntent is confirmed: encrypt it for that intent in "
	         "the shopper's browser and send it as payment_method_data[card][encrypted] to "
	         "/v1/setup_intents/:id/confirm. By itself a payment method can only be made of "
	         "a test token, in test mode: card[token]=tok_visa.");
	api_refuse(call, &error);
}

void api_card_retrieve(struct api_call *call)
{
	struct card card cleanup(card_done) = { 0 };

	if (api_find(call, &card))
		api_answer(call, API_CARD, &card);
}

static bool refuse_state(struct api_call *call, const char *message)
{
	struct api_error error;

	api_fail(&error, 400, "payment_method_unexpected_state", "payment_method", "%s", message);
	api_refuse(call, &error);
	return false;
}

static bool find_attached(struct api_call *call, struct card *card)
{
	if (!api_find(call, card))
		return false;
	if (card->customer && !card->removed_ms)
		return true;
	return refuse_state(call, "This payment method is not attached to a customer.");
}

// An expiry date that has passed is refused: it would only make every payment fail.
static bool read_expiry(struct api_call *call, struct card *card)
{
	time_t seconds = (time_t)(call->core->now_ms / 1000);
	struct tm now;
	struct api_error error;
	int year = (int)api_params_number(&call->params, "card[exp_year]", card->exp_year);
	int month = (int)api_params_number(&call->params, "card[exp_month]", card->exp_month);

	year += year < 100 ? 2000 : 0;
	if (!api_params_has(&call->params, "card[exp_year]") &&
	    !api_params_has(&call->params, "card[exp_month]"))
		return true;
	gmtime_r(&seconds, &now);
	if (year > now.tm_year + 1900 + 50 || year < now.tm_year + 1900 ||
	    (year == now.tm_year + 1900 && month < now.tm_mon + 1)) {
		api_fail(&error, 400, "invalid_expiry_year", "card[exp_year]",
		         "This expiry date has passed, or is too far away.");
		api_refuse(call, &error);
		return false;
	}
	card->exp_year = year;
	card->exp_month = month;
	return true;
}

void api_card_update(struct api_call *call)
{
	struct card card cleanup(card_done) = { 0 };
	struct buffer changes cleanup(buffer_done) = { 0 };
	struct api_error error;

	buffer_init(&changes, API_REPLY_MAX);
	if (!find_attached(call, &card))
		return;
	int old_month = card.exp_month;
	int old_year = card.exp_year;
	if (!read_expiry(call, &card))
		return;
	json_t *before = api_details_read(card.details);
	json_t *details = json_deep_copy(before);
	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(before);
		json_decref(details);
		api_refuse(call, &error);
		return;
	}
	free(card.details);
	card.details = api_details_text(json_incref(details));
	if (old_month != card.exp_month || old_year != card.exp_year) {
		json_object_set_new(
		        before, "card",
		        json_pack("{s:i, s:i}", "exp_month", old_month, "exp_year", old_year));
		json_object_set_new(details, "card", json_true());
	}
	api_changes(&changes, before, details);
	json_decref(before);
	json_decref(details);
	store_update(call->core->store, STORE_CARDS, &card);
	event_card_changed(call->core, &card, buffer_view(&changes));
	api_answer(call, API_CARD, &card);
}

bool api_customer_of(struct api_call *call, struct customer *ret_customer)
{
	struct bytes text = api_params_text(&call->params, "customer");
	struct api_error error;
	int64_t id;

	if (!api_id_named(call, "customer", API_CUSTOMER, &id))
		return false;
	if (id == 0 ||
	    (store_find(call->core->store, STORE_CUSTOMERS, call->merchant, id, ret_customer) &&
	     ret_customer->removed_ms == 0))
		return true;
	api_fail_missing_object(&error, "customer", "customer", text);
	api_refuse(call, &error);
	return false;
}

static bool read_customer(struct api_call *call, struct customer *customer)
{
	struct api_error error;

	if (!api_customer_of(call, customer))
		return false;
	if (customer->id)
		return true;
	api_fail_missing_param(&error, "customer");
	api_refuse(call, &error);
	return false;
}

bool api_card_on_file(struct api_call *call, int64_t customer, struct card *ret_card)
{
	struct api_error error;
	int64_t id;

	if (!api_id_named(call, "payment_method", API_CARD, &id))
		return false;
	if (id && !store_find(call->core->store, STORE_CARDS, call->merchant, id, ret_card)) {
		api_fail_missing_object(&error, "payment_method", "payment_method",
		                        api_params_text(&call->params, "payment_method"));
		api_refuse(call, &error);
		return false;
	}
	if (ret_card->removed_ms)
		return refuse_state(call,
		                    "This payment method was detached from its customer and cannot "
		                    "be used again. Link the card anew.");
	if (id && ret_card->state == 0)
		return refuse_state(call, "This card was not confirmed by its bank. Link it by "
		                          "confirming a SetupIntent (/v1/setup_intents).");
	if (id && ret_card->customer && ret_card->customer != customer)
		return refuse_state(call, "This payment method belongs to a customer. Name that "
		                          "customer in the parameter customer of the intent.");
	return true;
}

// The cards of a customer that `type` and `allow_redisplay` leave, and a customer session shows.
// There are cards only: of any other type there is nothing.
void api_list_cards_of(struct api_call *call, int64_t customer)
{
	const struct api_params *params = &call->params;
	char wanted[16] = "";

	bytes_copy_text(api_params_text(params, "allow_redisplay"), wanted, sizeof(wanted));
	bool none = (call->filters[0] && !strstr(call->filters, wanted)) ||
	            (api_params_has(params, "type") && !api_params_is(params, "type", "card"));
	struct api_list list = { STORE_LIST_CARDS, STORE_LIST_CARDS_UP,
		                 STORE_N(none ? NOBODY : customer),
		                 STORE_T(wanted[0] ? wanted : call->filters), 0 };

	api_answer_list(call, &list);
}

void api_card_list(struct api_call *call)
{
	struct customer customer cleanup(customer_done) = { 0 };

	if (!read_customer(call, &customer))
		return;
	api_list_cards_of(call, customer.id);
}

bool api_bank_agreed(struct api_call *call, struct card *ret_card)
{
	struct core *core = call->core;
	struct attempt attempt = { 0 };
	struct api_trouble trouble = { PROBLEM_OUR_FAULT, PROBLEM_LINK, &attempt, 0, NULL };
	struct buffer body cleanup(buffer_done) = { 0 };

	call->view.now_ms = core->now_ms;
	if (store_load(core->store, STORE_ATTEMPTS, call->intent, &attempt) &&
	    attempt.state == ATTEMPT_LINKED &&
	    store_load(core->store, STORE_CARDS, attempt.card, ret_card))
		return true;
	if (attempt.problem)
		trouble.problem = attempt.problem;
	buffer_init(&body, API_REPLY_MAX);
	api_trouble_put(&body, &call->view, &trouble);
	api_end(call, api_trouble_row(&call->view, trouble.problem)->status, buffer_view(&body),
	        false);
	return false;
}

void api_ask_bank(struct api_call *call, const struct card *card, int64_t customer, flow_done *done)
{
	int64_t attempt = flow_attach(call->core, card, customer, done, call);

	if (attempt)
		api_park(call, attempt);
	else
		api_refuse_trouble(call, &(struct api_trouble){ PROBLEM_NO_CONNECTION, PROBLEM_LINK,
		                                                NULL, 0, NULL });
}

static void attached(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	struct api_call *call = owner;
	struct card card cleanup(card_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };

	(void)core;
	(void)outcome;
	if (!api_bank_agreed(call, &card))
		return;
	buffer_init(&body, API_REPLY_MAX);
	api_render(&body, &call->view, API_CARD, &card, "");
	api_end(call, 200, buffer_view(&body), false);
}

void api_card_attach(struct api_call *call)
{
	struct core *core = call->core;
	struct card card cleanup(card_done) = { 0 };
	struct customer customer cleanup(customer_done) = { 0 };

	if (call->resumed && call->intent) { // an earlier request with the same key began it
		api_park(call, call->intent);
		flow_wait(core, call->intent, attached, call);
		return;
	}
	if (!api_find(call, &card) || !read_customer(call, &customer))
		return;
	if (card.removed_ms) {
		refuse_state(call, "This payment method was detached from its customer and cannot "
		                   "be used again. Link the card anew.");
		return;
	}
	if (card.state == 0) {
		refuse_state(call,
		             "This card was not confirmed by its bank. Link it by confirming a "
		             "SetupIntent (/v1/setup_intents) of the customer.");
		return;
	}
	if (card.customer && card.customer != customer.id) {
		refuse_state(call, "This payment method is attached to another customer.");
		return;
	}
	if (!card.customer && card.state == CARD_OF_TOKEN) {
		// The bank is asked first: a card that it declines is not attached.
		api_ask_bank(call, &card, customer.id, attached);
		return;
	}
	if (!card.customer) {
		if (!(card.state & CARD_OF_TOKEN) &&
		    store_one_number(core->store, STORE_CARD_SAME, 0, STORE_N(customer.id),
		                     STORE_B(BYTES_ARRAY(card.fingerprint)))) {
			refuse_state(call, "This card is on file for this customer already.");
			return;
		}
		card.customer = customer.id;
		store_update(core->store, STORE_CARDS, &card);
		event_card(core, EVENT_PAYMENT_METHOD_ATTACHED, &card);
	}
	api_answer(call, API_CARD, &card);
}

// The row stays for the payments that were made with it, and for what can still be captured or
// taken back; nobody can pay with it from now on.
void api_card_remove(struct core *core, struct card *card)
{
	struct customer customer cleanup(customer_done) = { 0 };
	int64_t owner = card->customer;

	card->removed_ms = core->now_ms;
	store_update(core->store, STORE_CARDS, card);
	event_card(core, EVENT_PAYMENT_METHOD_DETACHED, card);
	flow_card_removed(core, card->id);
	if (store_load(core->store, STORE_CUSTOMERS, owner, &customer) &&
	    customer.default_card == card->id) {
		customer.default_card = 0;
		store_update(core->store, STORE_CUSTOMERS, &customer);
		event_customer(core, EVENT_CUSTOMER_UPDATED, &customer);
	}
}

void api_card_detach(struct api_call *call)
{
	struct card card cleanup(card_done) = { 0 };

	if (!find_attached(call, &card))
		return;
	api_card_remove(call->core, &card);
	api_answer(call, API_CARD, &card);
}
