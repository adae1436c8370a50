// Sessions of the payment-methods page (billing_portal.session).
#include "api/fields.h"

#include <stdio.h>

static const struct portal *portal(const struct render *render)
{
	return render->object;
}

// A portal session names its customer, who cannot be expanded.
static void put_customer(struct render *render)
{
	char id[API_ID_CAPACITY];

	api_id_make(render->view->id_key, API_ID_CUSTOMER, portal(render)->customer, id);
	api_json_text(&render->json, render->name, id);
}

static void put_url(struct render *render)
{
	char id[API_ID_CAPACITY];
	char url[URL_MAX + API_ID_CAPACITY];

	api_id_make(render->view->id_key, API_ID_PORTAL, render->id, id);
	snprintf(url, sizeof(url), "%s/p/%s", render->view->public_url, id);
	api_json_text(&render->json, render->name, url);
}

// What the page lets a customer do.
static const char features[] =
        "{\"customer_update\":{\"allowed_updates\":[],\"enabled\":false},"
        "\"invoice_history\":{\"enabled\":false},"
        "\"payment_method_update\":{\"enabled\":true,\"payment_method_configuration\":null},"
        "\"subscription_cancel\":{\"cancellation_reason\":{\"enabled\":false,"
        "\"feedback_options\":null,\"options\":[]},\"enabled\":false,\"mode\":"
        "\"at_period_end\",\"proration_behavior\":\"none\"},"
        "\"subscription_update\":{\"billing_cycle_anchor\":null,\"default_allowed_updates\":[],"
        "\"enabled\":false,\"proration_behavior\":\"none\",\"schedule_at_period_end\":"
        "{\"conditions\":[]},\"trial_update_behavior\":\"end_trial\"}}";

static void put_whole_configuration(struct render *render, const char *id)
{
	struct api_json *json = &render->json;
	int64_t made_s = render->view->time_ms(portal(render)->merchant) / 1000;

	api_json_open(json, render->name, '{');
	api_json_text(json, "id", id);
	api_json_text(json, "object", "billing_portal.configuration");
	api_json_flag(json, "active", true);
	api_json_null(json, "application");
	api_json_raw(json, "business_profile",
	             "{\"headline\":null,\"privacy_policy_url\":null,"
	             "\"terms_of_service_url\":null}");
	api_json_number(json, "created", made_s);
	api_json_null(json, "default_return_url");
	api_json_raw(json, "features", features);
	api_json_flag(json, "is_default", true);
	api_json_flag(json, "livemode", render->view->live);
	api_json_raw(json, "login_page", "{\"enabled\":false,\"url\":null}");
	api_json_raw(json, "metadata", "{}");
	api_json_null(json, "name");
	api_json_number(json, "updated", made_s);
	api_json_close(json, '}');
}

void api_configuration_id(int64_t merchant, char ret_text[static API_ID_CAPACITY])
{
	snprintf(ret_text, API_ID_CAPACITY, "bpc_%lld", (long long)merchant);
}

// Every merchant has the one configuration that there is.
static void put_configuration(struct render *render)
{
	char id[API_ID_CAPACITY];

	api_configuration_id(portal(render)->merchant, id);
	if (is_expanded(render))
		put_whole_configuration(render, id);
	else
		api_json_text(&render->json, render->name, id);
}

// flow_data as it came, with the members that the type has besides.
static void put_flow(struct render *render)
{
	const json_t *flow = json_object_get(render->details, "flow_data");
	const json_t *after = json_object_get(flow, "after_completion");
	const char *type = json_string_value(json_object_get(after, "type"));
	struct api_json *json = &render->json;

	if (!json_object_size(flow)) {
		api_json_null(json, render->name);
		return;
	}
	api_json_open(json, render->name, '{');
	api_json_open(json, "after_completion", '{');
	put_detail(render, "hosted_confirmation", after, "null");
	put_detail(render, "redirect", after, "null");
	api_json_text(json, "type", type ? type : "portal_homepage");
	api_json_close(json, '}');
	api_json_null(json, "subscription_cancel");
	api_json_null(json, "subscription_update");
	api_json_null(json, "subscription_update_confirm");
	put_detail(render, "type", flow, "null");
	api_json_close(json, '}');
}

static const struct field portal_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"billing_portal.session\""),
	PUT("configuration", put_configuration),
	PUT("created", put_created),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	PUT("flow", put_flow),
	PUT("livemode", put_livemode),
	DETAIL("locale", "null"),
	CONSTANT("on_behalf_of", "null"),
	DETAIL("return_url", "null"),
	PUT("url", put_url),
	FIELDS_END,
};

const struct object_kind portal_kind = { "billing_portal.session", API_ID_PORTAL, portal_fields };
