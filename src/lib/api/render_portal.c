// Sessions of the payment-methods page (billing_portal.session).
#include "api/fields.h"

#include <stdio.h>

static const struct portal *portal(const struct render *render)
{
	return render->object;
}

// A portal session names its customer, and its address; neither can be expanded.
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

// Every merchant has the one configuration that there is.
static void put_configuration(struct render *render)
{
	char text[40];

	snprintf(text, sizeof(text), "bpc_%lld", (long long)portal(render)->merchant);
	api_json_text(&render->json, render->name, text);
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

static const struct edge portal_edges[] = {
	{ "configuration", API_NOTHING },
	{ NULL, API_NOTHING },
};

const struct object_kind portal_kind = { "billing_portal.session", API_ID_PORTAL, portal_fields,
	                                 portal_edges };
