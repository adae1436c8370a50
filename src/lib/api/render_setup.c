// SetupIntents and their attempts: the linking of a card.
#include "api/fields.h"

#include <stdio.h>

static const struct setup_intent *intent(const struct render *render)
{
	return render->object;
}

void put_client_secret(struct render *render)
{
	char secret[API_SECRET_CAPACITY];

	api_ids_make(render->view->ids, render->view->id_key,
	             api_object_id(render->kind, render->view->live), true, render->id, secret);
	api_json_text(&render->json, render->name, secret);
}

// The shopper is sent to our own page, whose address is the intent's secret.
void put_redirect(struct render *render, enum intent_status status)
{
	struct api_json *json = &render->json;
	char url[URL_MAX + API_SECRET_CAPACITY];
	char secret[API_SECRET_CAPACITY];

	if (status != INTENT_REQUIRES_ACTION) {
		api_json_null(json, render->name);
		return;
	}
	api_secret_make(render->view->id_key, api_object_id(render->kind, render->view->live),
	                render->id, secret);
	snprintf(url, sizeof(url), "%s/c/%s", render->view->public_url, secret);
	api_json_open(json, render->name, '{');
	api_json_open(json, "redirect_to_url", '{');
	api_json_text_or_null(json, "return_url", detail_text(render, "return_url"));
	api_json_text(json, "url", url);
	api_json_close(json, '}');
	api_json_text(json, "type", "redirect_to_url");
	api_json_close(json, '}');
}

void put_method_options(struct render *render)
{
	const json_t *card =
	        json_object_get(json_object_get(render->details, "payment_method_options"), "card");
	struct api_json *json = &render->json;

	api_json_open(json, render->name, '{');
	api_json_open(json, "card", '{');
	if (render->kind == API_PAYMENT_INTENT)
		api_json_null(json, "installments");
	api_json_null(json, "mandate_options");
	api_json_null(json, "network");
	put_detail(render, "request_three_d_secure", card, "\"automatic\"");
	api_json_close(json, '}');
	api_json_close(json, '}');
}

void put_cancellation_reason(struct render *render, enum cancel_reason reason)
{
	static const char *const names[] = {
		NULL,         "abandoned", "duplicate", "requested_by_customer",
		"fraudulent", "automatic", "expired",
	};

	api_json_text_or_null(&render->json, render->name, names[reason]);
}

static void put_reason(struct render *render)
{
	put_cancellation_reason(render, intent(render)->canceled);
}

static void put_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, intent(render)->customer);
}

static void put_method(struct render *render)
{
	put_reference(render, API_CARD, intent(render)->card);
}

static void put_latest_attempt(struct render *render)
{
	put_reference(render, API_SETUP_ATTEMPT, intent(render)->attempt);
}

static void put_status(struct render *render)
{
	api_json_text(&render->json, render->name, api_intent_status_name(intent(render)->status));
}

static void put_next_action(struct render *render)
{
	put_redirect(render, intent(render)->status);
}

// The last attempt's error, as long as nothing has come of the intent since.
static void put_last_error(struct render *render)
{
	const struct attempt *last = &render->attempt;
	struct api_trouble trouble = { last->problem, PROBLEM_LINK, last, 0, NULL };
	enum intent_status status = intent(render)->status;

	if (last->id && last->problem &&
	    (status == INTENT_REQUIRES_PAYMENT_METHOD || status == INTENT_CANCELED))
		put_trouble(render, &trouble);
	else
		api_json_null(&render->json, render->name);
}

static const struct field setup_fields[] = {
	SHOWN("id", put_id),
	SHOWN_CONSTANT("object", "\"setup_intent\""),
	SHOWN_DETAIL("allowed_payment_method_types", "null"),
	CONSTANT("application", "null"),
	SHOWN_DETAIL("automatic_payment_methods", "null"),
	SHOWN("cancellation_reason", put_reason),
	SHOWN("client_secret", put_client_secret),
	SHOWN("created", put_created),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	SHOWN_DETAIL("description", "null"),
	DETAIL("excluded_payment_method_types", "null"),
	DETAIL("flow_directions", "null"),
	SHOWN("last_setup_error", put_last_error),
	PUT("latest_attempt", put_latest_attempt),
	SHOWN("livemode", put_livemode),
	CONSTANT("mandate", "null"),
	DETAIL("metadata", "{}"),
	SHOWN("next_action", put_next_action),
	CONSTANT("on_behalf_of", "null"),
	SHOWN("payment_method", put_method),
	CONSTANT("payment_method_configuration_details", "null"),
	PUT("payment_method_options", put_method_options),
	SHOWN("payment_method_types", put_method_types),
	CONSTANT("single_use_mandate", "null"),
	SHOWN("status", put_status),
	SHOWN_DETAIL("usage", "\"off_session\""),
	FIELDS_END,
};

const struct object_kind setup_intent_kind = { "setup_intent", API_ID_SETUP_INTENT, setup_fields };

// --- setup_attempt

static const struct attempt *attempt(const struct render *render)
{
	return render->object;
}

static void put_attempt_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, attempt(render)->customer);
}

static void put_attempt_method(struct render *render)
{
	put_reference(render, API_CARD, attempt(render)->card);
}

static void put_attempt_intent(struct render *render)
{
	put_reference(render, API_SETUP_INTENT, attempt(render)->intent);
}

static void put_attempt_error(struct render *render)
{
	struct api_trouble trouble = { attempt(render)->problem, PROBLEM_LINK, attempt(render), 0,
		                       NULL };

	if (attempt(render)->problem)
		put_trouble(render, &trouble);
	else
		api_json_null(&render->json, render->name);
}

static const char *attempt_status(const struct attempt *of)
{
	switch (of->state) {
	case ATTEMPT_LINKED: return "succeeded";
	case ATTEMPT_PREPARING:
	case ATTEMPT_CHALLENGING:
	case ATTEMPT_WAITING: return "requires_action";
	case ATTEMPT_OVER: return of->problem == PROBLEM_CANCELLED ? "abandoned" : "failed";
	default: return "processing";
	}
}

static void put_attempt_status(struct render *render)
{
	api_json_text(&render->json, render->name, attempt_status(attempt(render)));
}

static void put_attempt_usage(struct render *render)
{
	const struct api_view *view = render->view;
	struct setup_intent of = { 0 };

	if (view->load(view->owner, API_SETUP_INTENT, attempt(render)->intent, &of))
		render->details = json_loads(of.details ? of.details : "{}", 0, NULL);
	put_detail(render, render->name, render->details, "\"off_session\"");
	setup_intent_done(&of);
}

void put_three_d_secure(struct render *render, int64_t id, bool charge)
{
	const struct api_view *view = render->view;
	struct api_three_d_secure facts = { 0 };
	struct api_json *json = &render->json;

	if (!view->three_d_secure || !view->three_d_secure(view->owner, id, &facts)) {
		api_json_null(json, "three_d_secure");
		return;
	}
	api_json_open(json, "three_d_secure", '{');
	api_json_text_or_null(json, "authentication_flow", facts.flow);
	api_json_text_or_null(json, "electronic_commerce_indicator", facts.eci);
	if (charge)
		api_json_null(json, "exemption_indicator");
	api_json_text_or_null(json, "result", facts.result);
	api_json_text_or_null(json, "result_reason", facts.reason);
	api_json_text_or_null(json, "transaction_id", facts.transaction);
	api_json_text_or_null(json, "version", facts.version);
	api_json_close(json, '}');
}

static void put_attempt_details(struct render *render)
{
	const struct api_view *view = render->view;
	struct card card = { 0 };

	if (attempt(render)->card &&
	    !view->load(view->owner, API_CARD, attempt(render)->card, &card))
		card = (struct card){ 0 };
	api_json_open(&render->json, render->name, '{');
	api_json_open(&render->json, "card", '{');
	put_card_details(render, &card, false);
	put_three_d_secure(render, render->id, false);
	api_json_close(&render->json, '}');
	api_json_text(&render->json, "type", "card");
	api_json_close(&render->json, '}');
	card_done(&card);
}

static const struct field attempt_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"setup_attempt\""),
	CONSTANT("application", "null"),
	PUT("created", put_created),
	PUT("customer", put_attempt_customer),
	CONSTANT("customer_account", "null"),
	CONSTANT("flow_directions", "null"),
	PUT("livemode", put_livemode),
	CONSTANT("on_behalf_of", "null"),
	PUT("payment_method", put_attempt_method),
	PUT("payment_method_details", put_attempt_details),
	PUT("setup_error", put_attempt_error),
	PUT("setup_intent", put_attempt_intent),
	PUT("status", put_attempt_status),
	PUT("usage", put_attempt_usage),
	FIELDS_END,
};

const struct object_kind setup_attempt_kind = { "setup_attempt", API_ID_SETUP_ATTEMPT,
	                                        attempt_fields };
