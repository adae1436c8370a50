// Customer sessions: what a page of the merchant's own may do with one customer's cards. The types
// have components that are not there; they are shown as what they are: not enabled.
#include "api/fields.h"

static const struct customer_session *session(const struct render *render)
{
	return render->object;
}

static void put_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, session(render)->customer);
}

static void put_expires(struct render *render)
{
	api_json_number(&render->json, render->name, session(render)->expires_ms / 1000);
}

// `element`: of the payment element, which has more features than the sheet.
static void put_features(struct render *render, const json_t *features, bool element)
{
	struct api_json *json = &render->json;

	api_json_open(json, "features", '{');
	put_detail(render, "payment_method_allow_redisplay_filters", features,
	           "[\"always\",\"limited\",\"unspecified\"]");
	if (element) {
		put_detail(render, "payment_method_redisplay", features, "\"disabled\"");
		api_json_null(json, "payment_method_redisplay_limit");
	}
	put_detail(render, "payment_method_remove", features, "\"disabled\"");
	if (element) {
		api_json_text(json, "payment_method_save", "disabled");
		api_json_null(json, "payment_method_save_usage");
	}
	api_json_close(json, '}');
}

static void put_component(struct render *render, const char *name, bool element)
{
	const json_t *all = json_object_get(render->details, "components");
	const json_t *component = json_object_get(all, name);
	bool enabled = json_is_true(json_object_get(component, "enabled"));

	api_json_open(&render->json, name, '{');
	api_json_flag(&render->json, "enabled", enabled);
	if (enabled)
		put_features(render, json_object_get(component, "features"), element);
	else
		api_json_null(&render->json, "features");
	api_json_close(&render->json, '}');
}

static void put_components(struct render *render)
{
	static const char off[] = "{\"enabled\":false}";
	struct api_json *json = &render->json;

	api_json_open(json, render->name, '{');
	api_json_raw(json, "active_entitlements", off);
	api_json_raw(json, "buy_button", off);
	api_json_raw(json, "customer_portal", off);
	put_component(render, "customer_sheet", false);
	api_json_raw(json, "mobile_payment_element", "{\"enabled\":false,\"features\":null}");
	put_component(render, "payment_element", true);
	api_json_raw(json, "pricing_table", off);
	api_json_close(json, '}');
}

// It has no id: whoever holds the secret is the customer, for a while.
static const struct field customer_session_fields[] = {
	CONSTANT("object", "\"customer_session\""),
	PUT("client_secret", put_client_secret),
	PUT("components", put_components),
	PUT("created", put_created),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	PUT("expires_at", put_expires),
	PUT("livemode", put_livemode),
	FIELDS_END,
};

const struct object_kind customer_session_kind = { "customer_session", API_ID_CUSTOMER_SESSION,
	                                           customer_session_fields };
