// Checkout sessions, events, and their lists.
#include "api/fields.h"
#include "base/cleanup.h"

#include <stdio.h>

static const struct session *session(const struct render *render)
{
	return render->object;
}

static void put_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, session(render)->customer);
}

static void put_setup_intent(struct render *render)
{
	put_reference(render, API_SETUP_INTENT, session(render)->intent);
}

static void put_payment_intent(struct render *render)
{
	put_reference(render, API_PAYMENT_INTENT, session(render)->payment);
}

static void put_payment_status(struct render *render)
{
	const struct api_view *view = render->view;
	int64_t id = session(render)->payment;
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	const char *status = "no_payment_required";

	if (id)
		status = view->load(view->owner, API_PAYMENT_INTENT, id, &intent) &&
		                         intent.status == INTENT_SUCCEEDED
		                 ? "paid"
		                 : "unpaid";
	api_json_text(&render->json, render->name, status);
}

static void put_total_details(struct render *render)
{
	api_json_raw(&render->json, render->name,
	             session(render)->payment
	                     ? "{\"amount_discount\":0,\"amount_shipping\":0,\"amount_tax\":0}"
	                     : "null");
}

static void put_expires(struct render *render)
{
	api_json_number(&render->json, render->name, session(render)->expires_ms / 1000);
}

static void put_status(struct render *render)
{
	api_json_text(&render->json, render->name,
	              api_session_status_name(session(render)->status));
}

// The address is a secret, and of no use once the session is over.
static void put_url(struct render *render)
{
	char id[API_ID_CAPACITY];
	char url[URL_MAX + API_ID_CAPACITY];

	if (session(render)->status != SESSION_OPEN) {
		api_json_null(&render->json, render->name);
		return;
	}
	api_id_make(render->view->id_key, api_object_id(API_SESSION, render->view->live),
	            render->id, id);
	snprintf(url, sizeof(url), "%s/c/%s", render->view->public_url, id);
	api_json_text(&render->json, render->name, url);
}

static void put_customer_details(struct render *render)
{
	const struct api_view *view = render->view;
	struct customer customer = { 0 };
	struct api_json *json = &render->json;

	if (session(render)->status != SESSION_COMPLETE || !session(render)->customer ||
	    !view->load(view->owner, API_CUSTOMER, session(render)->customer, &customer)) {
		api_json_null(json, render->name);
		return;
	}
	json_t *details = json_loads(customer.details ? customer.details : "{}", 0, NULL);
	api_json_open(json, render->name, '{');
	api_json_null(json, "address");
	api_json_text_or_null(json, "email", customer.email);
	put_detail(render, "name", details, "null");
	put_detail(render, "phone", details, "null");
	api_json_text(json, "tax_exempt", "none");
	api_json_raw(json, "tax_ids", "[]");
	api_json_close(json, '}');
	json_decref(details);
	customer_done(&customer);
}

static void put_excluded(struct render *render)
{
	if (json_object_get(render->details, render->name))
		put_detail(render, render->name, render->details, "[]");
}

static void put_item(struct render *render, const char *id, const json_t *item)
{
	struct api_json *json = &render->json;
	int64_t amount = json_integer_value(json_object_get(item, "amount"));

	api_json_open(json, NULL, '{');
	api_json_text(json, "id", id);
	api_json_text(json, "object", "item");
	api_json_null(json, "adjustable_quantity");
	api_json_number(json, "amount_discount", 0);
	api_json_number(json, "amount_subtotal", amount);
	api_json_number(json, "amount_tax", 0);
	api_json_number(json, "amount_total", amount);
	api_json_text(json, "currency", detail_text(render, "currency"));
	api_json_text(json, "description", json_string_value(json_object_get(item, "name")));
	api_json_raw(json, "metadata", "{}");
	api_json_null(json, "price");
	api_json_number(json, "quantity", json_integer_value(json_object_get(item, "quantity")));
	api_json_close(json, '}');
}

// All of them: there are no more than one request can name.
static void put_line_items(struct render *render)
{
	const json_t *items = json_object_get(render->details, "line_items");
	char session[API_ID_CAPACITY];
	char id[API_ID_CAPACITY + 16];

	if (!is_expanded(render))
		return;
	api_id_make(render->view->id_key, api_object_id(API_SESSION, render->view->live),
	            render->id, session);
	put_list_open(render);
	for (size_t i = 0; i < json_array_size(items); i++) {
		snprintf(id, sizeof(id), "li_%s%zu", strrchr(session, '_') + 1, i);
		put_item(render, id, json_array_get(items, i));
	}
	put_list_close(render, false, "/v1/checkout/sessions", render->name);
}

static const struct field session_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"checkout.session\""),
	CONSTANT("adaptive_pricing", "null"),
	CONSTANT("after_expiration", "null"),
	CONSTANT("allow_promotion_codes", "null"),
	DETAIL("allowed_payment_method_types", "null"),
	DETAIL("amount_subtotal", "null"),
	DETAIL("amount_total", "null"),
	CONSTANT("automatic_tax",
	         "{\"enabled\":false,\"liability\":null,\"provider\":null,\"status\":null}"),
	DETAIL("billing_address_collection", "null"),
	DETAIL("cancel_url", "null"),
	DETAIL("client_reference_id", "null"),
	CONSTANT("client_secret", "null"),
	CONSTANT("collected_information", "null"),
	CONSTANT("consent", "null"),
	CONSTANT("consent_collection", "null"),
	PUT("created", put_created),
	DETAIL("currency", "null"),
	CONSTANT("currency_conversion", "null"),
	CONSTANT("custom_fields", "[]"),
	CONSTANT("custom_text", "{\"after_submit\":null,\"shipping_address\":null,\"submit\":null,"
	                        "\"terms_of_service_acceptance\":null}"),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	DETAIL("customer_creation", "null"),
	PUT("customer_details", put_customer_details),
	DETAIL("customer_email", "null"),
	CONSTANT("discounts", "null"),
	PUT("excluded_payment_method_types", put_excluded),
	PUT("expires_at", put_expires),
	DETAIL("integration_identifier", "null"),
	CONSTANT("invoice", "null"),
	CONSTANT("invoice_creation", "null"),
	PUT("line_items", put_line_items),
	PUT("livemode", put_livemode),
	DETAIL("locale", "null"),
	CONSTANT("managed_payments", "null"),
	DETAIL("metadata", "{}"),
	DETAIL("mode", "\"setup\""),
	DETAIL("origin_context", "null"),
	PUT("payment_intent", put_payment_intent),
	CONSTANT("payment_link", "null"),
	DETAIL("payment_method_collection", "null"),
	CONSTANT("payment_method_configuration_details", "null"),
	CONSTANT("payment_method_options", "{}"),
	PUT("payment_method_types", put_method_types),
	PUT("payment_status", put_payment_status),
	CONSTANT("permissions", "null"),
	CONSTANT("phone_number_collection", "{\"enabled\":false}"),
	CONSTANT("recovered_from", "null"),
	CONSTANT("saved_payment_method_options", "null"),
	PUT("setup_intent", put_setup_intent),
	CONSTANT("shipping_address_collection", "null"),
	CONSTANT("shipping_cost", "null"),
	CONSTANT("shipping_options", "[]"),
	PUT("status", put_status),
	DETAIL("submit_type", "null"),
	CONSTANT("subscription", "null"),
	DETAIL("success_url", "null"),
	PUT("total_details", put_total_details),
	DETAIL("ui_mode", "\"hosted_page\""),
	PUT("url", put_url),
	DETAIL("wallet_options", "null"),
	FIELDS_END,
};

const struct object_kind session_kind = { "checkout.session", API_ID_SESSION_TEST, session_fields };

// --- event

// What does not change with time: {"data":{"object":{…}},"request":{…}}.
void api_event_body(struct buffer *buffer, struct bytes object, struct bytes previous,
                    const char *request, struct bytes idempotency_key)
{
	struct api_json json = api_json_on(buffer);

	api_json_open(&json, NULL, '{');
	api_json_open(&json, "data", '{');
	api_json_name(&json, "object");
	buffer_put(buffer, object);
	api_json_done(&json);
	if (previous.length) {
		api_json_name(&json, "previous_attributes");
		buffer_put(buffer, previous);
		api_json_done(&json);
	}
	api_json_close(&json, '}');
	api_json_open(&json, "request", '{');
	api_json_text_or_null(&json, "id", request);
	if (idempotency_key.length)
		api_json_bytes(&json, "idempotency_key", idempotency_key);
	else
		api_json_null(&json, "idempotency_key");
	api_json_close(&json, '}');
	api_json_close(&json, '}');
}

void api_render_event(struct buffer *buffer, const struct api_view *view,
                      const struct api_event *event)
{
	struct api_json json = api_json_on(buffer);
	char id[API_ID_CAPACITY];

	api_id_make(view->id_key, API_ID_EVENT, event->id, id);
	api_json_open(&json, NULL, '{');
	api_json_text(&json, "id", id);
	api_json_text(&json, "object", "event");
	api_json_null(&json, "api_version");
	api_json_number(&json, "created", view->time_ms(event->id) / 1000);
	api_json_flag(&json, "livemode", view->live);
	api_json_number(&json, "pending_webhooks", event->pending);
	api_json_text(&json, "type", event->type);
	buffer_put_byte(buffer, ',');
	// The body without its opening brace: its members go on here.
	buffer_put(buffer, bytes_slice(event->body, 1, event->body.length));
}
