// PaymentIntents and their charges. A charge is one attempt of a payment that went to the bank.
#include "api/fields.h"

#include <stdio.h>

static const struct payment_intent *intent(const struct render *render)
{
	return render->object;
}

static void put_amount(struct render *render)
{
	api_json_number(&render->json, render->name, intent(render)->amount);
}

static void put_capturable(struct render *render)
{
	api_json_number(&render->json, render->name, intent(render)->capturable);
}

static void put_received(struct render *render)
{
	api_json_number(&render->json, render->name, intent(render)->received);
}

static void put_canceled_at(struct render *render)
{
	if (intent(render)->canceled_ms)
		api_json_number(&render->json, render->name, intent(render)->canceled_ms / 1000);
	else
		api_json_null(&render->json, render->name);
}

static void put_reason(struct render *render)
{
	put_cancellation_reason(render, intent(render)->canceled);
}

static void put_capture_method(struct render *render)
{
	bool manual = intent(render)->flags & PAYMENT_MANUAL_CAPTURE;

	if (manual)
		api_json_text(&render->json, render->name, "manual");
	else
		put_detail(render, render->name, render->details, "\"automatic\"");
}

static void put_currency(struct render *render)
{
	api_json_text(&render->json, render->name, intent(render)->currency);
}

static void put_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, intent(render)->customer);
}

static void put_method(struct render *render)
{
	put_reference(render, API_CARD, intent(render)->card);
}

// A charge exists while the money is asked for, and after; an attempt that asks the shopper first
// is none yet.
static bool is_charge(const struct attempt *attempt)
{
	return attempt->id && attempt->kind == ATTEMPT_PAYMENT && attempt->state >= ATTEMPT_SENT;
}

static void put_latest_charge(struct render *render)
{
	put_reference(render, API_CHARGE, is_charge(&render->attempt) ? render->attempt.id : 0);
}

// Shown until something comes of the intent, or until it is updated.
static void put_last_error(struct render *render)
{
	const struct attempt *last = &render->attempt;
	struct api_trouble trouble = { last->problem, PROBLEM_PAYMENT, last, 0, NULL };
	enum intent_status status = intent(render)->status;
	json_int_t cleared = json_integer_value(json_object_get(render->details, "cleared"));

	if (last->id && last->problem && last->id > cleared &&
	    (status == INTENT_REQUIRES_PAYMENT_METHOD || status == INTENT_CANCELED))
		put_trouble(render, &trouble);
	else
		api_json_null(&render->json, render->name);
}

static void put_next_action(struct render *render)
{
	put_redirect(render, intent(render)->status);
}

static void put_processing(struct render *render)
{
	api_json_raw(&render->json, render->name,
	             intent(render)->status == INTENT_PROCESSING ? "{\"card\":{},\"type\":\"card\"}"
	                                                         : "null");
}

static void put_status(struct render *render)
{
	api_json_text(&render->json, render->name, api_intent_status_name(intent(render)->status));
}

static void put_payment_details(struct render *render)
{
	const json_t *details = json_object_get(render->details, render->name);

	if (!json_object_size(details))
		return;
	api_json_open(&render->json, render->name, '{');
	put_detail(render, "customer_reference", details, "null");
	put_detail(render, "order_reference", details, "null");
	api_json_close(&render->json, '}');
}

static const struct field payment_fields[] = {
	SHOWN("id", put_id),
	SHOWN_CONSTANT("object", "\"payment_intent\""),
	SHOWN_DETAIL("allowed_payment_method_types", "null"),
	SHOWN("amount", put_amount),
	PUT("amount_capturable", put_capturable),
	PUT("amount_received", put_received),
	CONSTANT("application", "null"),
	CONSTANT("application_fee_amount", "null"),
	SHOWN_DETAIL("automatic_payment_methods", "null"),
	SHOWN("canceled_at", put_canceled_at),
	SHOWN("cancellation_reason", put_reason),
	SHOWN("capture_method", put_capture_method),
	SHOWN("client_secret", put_client_secret),
	SHOWN_CONSTANT("confirmation_method", "\"automatic\""),
	SHOWN("created", put_created),
	SHOWN("currency", put_currency),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	SHOWN_DETAIL("description", "null"),
	DETAIL("excluded_payment_method_types", "null"),
	SHOWN("last_payment_error", put_last_error),
	PUT("latest_charge", put_latest_charge),
	SHOWN("livemode", put_livemode),
	CONSTANT("managed_payments", "null"),
	DETAIL("metadata", "{}"),
	SHOWN("next_action", put_next_action),
	CONSTANT("on_behalf_of", "null"),
	PUT("payment_details", put_payment_details),
	SHOWN("payment_method", put_method),
	CONSTANT("payment_method_configuration_details", "null"),
	PUT("payment_method_options", put_method_options),
	SHOWN("payment_method_types", put_method_types),
	CONSTANT("payment_record", "null"),
	SHOWN("processing", put_processing),
	SHOWN_DETAIL("receipt_email", "null"),
	CONSTANT("review", "null"),
	SHOWN_DETAIL("setup_future_usage", "null"),
	SHOWN("shipping", put_shipping),
	CONSTANT("source", "null"),
	DETAIL("statement_descriptor", "null"),
	DETAIL("statement_descriptor_suffix", "null"),
	SHOWN("status", put_status),
	CONSTANT("transfer_data", "null"),
	CONSTANT("transfer_group", "null"),
	FIELDS_END,
};

const struct object_kind payment_intent_kind = { "payment_intent", API_ID_PAYMENT_INTENT,
	                                         payment_fields };

// --- charge

static const struct attempt *attempt(const struct render *render)
{
	return render->object;
}

static bool is_paid(const struct attempt *of)
{
	return of->state == ATTEMPT_PAID || of->state == ATTEMPT_HELD ||
	       of->state == ATTEMPT_RELEASED;
}

static const char *charge_status(const struct attempt *of)
{
	if (is_paid(of))
		return "succeeded";
	return of->state == ATTEMPT_OVER || of->state == ATTEMPT_GIVEN_UP ? "failed" : "pending";
}

// Copies what a charge has from its intent; the intent's details become the render's.
static void load_intent_details(struct render *render)
{
	const struct api_view *view = render->view;
	struct payment_intent of = { 0 };

	if (render->details)
		return;
	if (view->load(view->owner, API_PAYMENT_INTENT, attempt(render)->intent, &of))
		render->details = json_loads(of.details ? of.details : "{}", 0, NULL);
	payment_intent_done(&of);
}

static void put_from_intent(struct render *render)
{
	load_intent_details(render);
	put_detail(render, render->name, render->details,
	           strcmp(render->name, "metadata") == 0 ? "{}" : "null");
}

static void put_charge_shipping(struct render *render)
{
	load_intent_details(render);
	put_shipping(render);
}

static void put_charge_amount(struct render *render)
{
	api_json_number(&render->json, render->name, attempt(render)->amount);
}

static void put_captured_amount(struct render *render)
{
	api_json_number(&render->json, render->name, attempt(render)->captured);
}

// A hold that was given up counts as given back.
static int64_t given_back(const struct attempt *of)
{
	return of->state == ATTEMPT_RELEASED ? of->amount : of->refunded;
}

static void put_refunded_amount(struct render *render)
{
	api_json_number(&render->json, render->name, given_back(attempt(render)));
}

static void put_refunded(struct render *render)
{
	const struct attempt *of = attempt(render);

	api_json_flag(&render->json, render->name,
	              of->state == ATTEMPT_RELEASED ||
	                      (of->captured > 0 && of->refunded == of->captured));
}

static void put_captured(struct render *render)
{
	api_json_flag(&render->json, render->name, attempt(render)->state == ATTEMPT_PAID);
}

static void put_paid(struct render *render)
{
	api_json_flag(&render->json, render->name, is_paid(attempt(render)));
}

static void put_charge_currency(struct render *render)
{
	api_json_text(&render->json, render->name, attempt(render)->currency);
}

static void put_charge_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, attempt(render)->customer);
}

static void put_charge_intent(struct render *render)
{
	put_reference(render, API_PAYMENT_INTENT, attempt(render)->intent);
}

static void put_charge_method(struct render *render)
{
	char text[API_SECRET_CAPACITY] = "";

	if (attempt(render)->card)
		api_ids_make(render->view->ids, render->view->id_key, API_ID_PAYMENT_METHOD, false,
		             attempt(render)->card, text);
	api_json_text_or_null(&render->json, render->name, text);
}

static const struct problem_row *failure(const struct render *render)
{
	return attempt(render)->problem ? api_trouble_row(render->view, attempt(render)->problem)
	                                : NULL;
}

static void put_failure_code(struct render *render)
{
	const struct problem_row *row = failure(render);

	api_json_text_or_null(&render->json, render->name,
	                      row ? problem_code(row, PROBLEM_PAYMENT) : NULL);
}

static void put_failure_message(struct render *render)
{
	const struct problem_row *row = failure(render);

	api_json_text_or_null(&render->json, render->name,
	                      row ? row->group->titles[PROBLEM_ENGLISH] : NULL);
}

static void put_outcome(struct render *render)
{
	const struct problem_row *row = failure(render);
	const struct attempt *of = attempt(render);
	struct api_json *json = &render->json;
	bool issuer = row && row->flags & PROBLEM_ISSUER;

	if (!row && !is_paid(of)) {
		api_json_null(json, render->name);
		return;
	}
	api_json_open(json, render->name, '{');
	api_json_text_or_null(json, "advice_code", row ? row->advice_code : NULL);
	api_json_null(json, "network_advice_code");
	api_json_text_or_null(json, "network_decline_code", issuer ? of->response_code : NULL);
	api_json_text(json, "network_status",
	              !row                            ? "approved_by_network"
	              : issuer                        ? "declined_by_network"
	              : of->state == ATTEMPT_GIVEN_UP ? "reversed_after_approval"
	                                              : "not_sent_to_network");
	api_json_text_or_null(json, "reason", row ? row->decline_code : NULL);
	api_json_text(json, "seller_message",
	              row ? row->group->titles[PROBLEM_ENGLISH] : "Payment complete.");
	api_json_text(json, "type", !row ? "authorized" : issuer ? "issuer_declined" : "invalid");
	api_json_close(json, '}');
}

static void put_charge_billing(struct render *render)
{
	const struct api_view *view = render->view;
	struct card card = { 0 };
	json_t *of_intent = render->details;

	render->details = NULL;
	if (attempt(render)->card &&
	    view->load(view->owner, API_CARD, attempt(render)->card, &card)) {
		render->details = json_loads(card.details ? card.details : "{}", 0, NULL);
		card_done(&card);
	}
	put_billing_details(render);
	json_decref(render->details);
	render->details = of_intent;
}

static void put_charge_details(struct render *render)
{
	const struct api_view *view = render->view;
	const struct attempt *of = attempt(render);
	struct api_json *json = &render->json;
	struct card card = { 0 };

	if (of->card && !view->load(view->owner, API_CARD, of->card, &card))
		card = (struct card){ 0 };
	api_json_open(json, render->name, '{');
	api_json_open(json, "card", '{');
	api_json_number(json, "amount_authorized", is_paid(of) ? of->amount : 0);
	api_json_text_or_null(json, "authorization_code", of->approval_code);
	api_json_null(json, "electronic_commerce_indicator");
	if (of->state == ATTEMPT_HELD && of->deadline_ms) // then it is released
		api_json_number(json, "capture_before", of->deadline_ms / 1000);
	put_card_details(render, &card, true);
	api_json_text_or_null(json, "network_transaction_id", of->network_transaction_id);
	put_three_d_secure(render, render->id, true);
	api_json_close(json, '}');
	api_json_text(json, "type", "card");
	api_json_close(json, '}');
	card_done(&card);
}

static void put_charge_status(struct render *render)
{
	api_json_text(&render->json, render->name, charge_status(attempt(render)));
}

static const struct field charge_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"charge\""),
	PUT("amount", put_charge_amount),
	PUT("amount_captured", put_captured_amount),
	PUT("amount_refunded", put_refunded_amount),
	CONSTANT("application", "null"),
	CONSTANT("application_fee", "null"),
	CONSTANT("application_fee_amount", "null"),
	CONSTANT("balance_transaction", "null"),
	PUT("billing_details", put_charge_billing),
	CONSTANT("calculated_statement_descriptor", "null"),
	PUT("captured", put_captured),
	PUT("created", put_created),
	PUT("currency", put_charge_currency),
	PUT("customer", put_charge_customer),
	PUT("description", put_from_intent),
	CONSTANT("disputed", "false"),
	CONSTANT("failure_balance_transaction", "null"),
	PUT("failure_code", put_failure_code),
	PUT("failure_message", put_failure_message),
	CONSTANT("fraud_details", "{}"),
	PUT("livemode", put_livemode),
	PUT("metadata", put_from_intent),
	CONSTANT("on_behalf_of", "null"),
	PUT("outcome", put_outcome),
	PUT("paid", put_paid),
	PUT("payment_intent", put_charge_intent),
	PUT("payment_method", put_charge_method),
	PUT("payment_method_details", put_charge_details),
	PUT("receipt_email", put_from_intent),
	CONSTANT("receipt_number", "null"),
	CONSTANT("receipt_url", "null"),
	PUT("refunded", put_refunded),
	PUT("refunds", put_charge_refunds),
	CONSTANT("review", "null"),
	PUT("shipping", put_charge_shipping),
	CONSTANT("source", "null"),
	CONSTANT("source_transfer", "null"),
	PUT("statement_descriptor", put_from_intent),
	PUT("statement_descriptor_suffix", put_from_intent),
	PUT("status", put_charge_status),
	CONSTANT("transfer_data", "null"),
	CONSTANT("transfer_group", "null"),
	FIELDS_END,
};

const struct object_kind charge_kind = { "charge", API_ID_CHARGE, charge_fields };
