// Sessions of the payment-methods page (billing_portal/sessions): create. The page itself is
// portal.c.
#include "core/api.h"

enum { LIFE_MS = 3600 * 1000 };

const struct api_param api_portal_create_params[] = {
	{ "customer", API_TEXT, API_REQUIRED | API_NOT_EMPTY, 0, 128, NULL },
	{ "return_url", API_TEXT, API_STORED | API_NOT_EMPTY, 0, URL_MAX - 1, NULL },
	{ "locale", API_CHOICE, API_STORED, 0, 0,
	  "auto bg cs da de el en en-AU en-CA en-GB en-IE en-IN en-NZ en-SG es es-419 et fi fil fr "
	  "fr-CA hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK "
	  "zh-TW" },
	{ "configuration", API_TEXT, 0, 0, 80, NULL },
	{ "flow_data[type]", API_CHOICE, API_STORED | API_ONLY, 0, 0, "payment_method_update" },
	{ "flow_data[after_completion][type]", API_CHOICE, API_STORED | API_ONLY, 0, 0,
	  "portal_homepage redirect" },
	{ "flow_data[after_completion][redirect][return_url]", API_TEXT, API_STORED | API_NOT_EMPTY,
	  0, URL_MAX - 1, NULL },
	API_NOT_HERE("flow_data[**]", NULL),
	API_NO_ACCOUNT,
	API_NOT_HERE("on_behalf_of", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

static bool flow_is_whole(struct api_call *call)
{
	static const char after[] = "flow_data[after_completion][type]";
	static const char url[] = "flow_data[after_completion][redirect][return_url]";
	struct api_error error;

	if (!api_params_has(&call->params, "flow_data[type]") &&
	    (api_params_has(&call->params, after) || api_params_has(&call->params, url))) {
		api_fail_missing_param(&error, "flow_data[type]");
		api_refuse(call, &error);
		return false;
	}
	if (api_params_is(&call->params, after, "redirect") &&
	    !api_params_has(&call->params, url)) {
		api_fail_missing_param(&error, url);
		api_refuse(call, &error);
		return false;
	}
	return true;
}

// There is one configuration, and nobody has to name it.
static bool configuration_fits(struct api_call *call)
{
	struct bytes named = api_params_text(&call->params, "configuration");
	char own[API_ID_CAPACITY];
	struct api_error error;

	api_configuration_id(call->merchant, own);
	if (named.length == 0 || bytes_equal_text(named, own))
		return true;
	api_fail_missing_object(&error, "configuration", "configuration", named);
	api_refuse(call, &error);
	return false;
}

void api_portal_create(struct api_call *call)
{
	struct core *core = call->core;
	struct portal portal cleanup(portal_done) = { .merchant = call->merchant };
	struct customer customer cleanup(customer_done) = { 0 };
	struct api_error error;
	json_t *details = json_object();

	if (!api_customer_of(call, &customer) || !api_url_fits(call, "return_url") ||
	    !api_url_fits(call, "flow_data[after_completion][redirect][return_url]") ||
	    !configuration_fits(call) || !flow_is_whole(call)) {
		json_decref(details);
		return;
	}
	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return;
	}
	portal.id = core_next_id(core);
	portal.customer = customer.id;
	portal.expires_ms = core->now_ms + LIFE_MS;
	portal.details = api_details_text(details);
	store_insert(core->store, STORE_PORTALS, &portal);
	api_answer(call, API_PORTAL, &portal);
}
