// Webhook endpoints. An endpoint's secret is derived by courier and kept nowhere; it is in the
// answer to create and in no other. So create asks courier first and writes the row when the secret
// is there; what is kept for a repeated request is the answer without it, and is completed anew.
#include "core/api.h"

#include "api/event_names.h"
#include "base/check.h"
#include "core/deliveries.h"
#include "core/idempotency.h"
#include "core/secrets.h"
#include "http/url.h"
#include "webhook/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>

enum { ENDPOINTS_MAX = 16, WEBHOOK_URL_MAX = 2048, PURPOSE_ENDPOINT = 0, FIRST_VERSION = 1 };

#define CHANGEABLE                                                                                 \
	{ "description", API_TEXT, API_STORED | API_UNSETS, 0, 5000, NULL },                       \
	        { "enabled_events[]", API_TEXT, API_STORED, 0, 128, NULL },                        \
	{                                                                                          \
		"metadata", API_METADATA, API_STORED, 0, 0, NULL                                   \
	}

const struct api_param api_webhook_create_params[] = {
	{ "url", API_TEXT, API_REQUIRED | API_NOT_EMPTY | API_STORED, 0, WEBHOOK_URL_MAX, NULL },
	CHANGEABLE,
	{ "api_version", API_TEXT, API_STORED, 0, 64, NULL },
	{ "connect", API_FLAG, 0, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_webhook_params[] = {
	{ "url", API_TEXT, API_NOT_EMPTY | API_STORED, 0, WEBHOOK_URL_MAX, NULL },
	CHANGEABLE,
	{ "disabled", API_FLAG, 0, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

static bool refuse(struct api_call *call, const char *code, const char *param, const char *message)
{
	struct api_error error;

	api_fail(&error, 400, code, param, "%s", message);
	api_refuse(call, &error);
	return false;
}

// --- what is checked

// A host that is an address is held to the rule at once; names are when they are dialled.
static bool host_fits(const struct core *core, struct bytes host)
{
	const char *allow = core->config.webhooks_allow;
	struct sockaddr_in ipv4 = { .sin_family = AF_INET };
	struct sockaddr_in6 ipv6 = { .sin6_family = AF_INET6 };
	struct net_ranges allowed;
	char text[INET6_ADDRSTRLEN];

	if (host.length && host.data[0] == '[')
		host = bytes_slice(host, 1, host.length - 2);
	if (!bytes_copy_text(host, text, sizeof(text)) ||
	    !result_ok(net_ranges_read(allow[0]            ? allow
	                               : core->config.live ? "none"
	                                                   : "loopback",
	                               &allowed)))
		return true;
	if (inet_pton(AF_INET, text, &ipv4.sin_addr) == 1)
		return webhook_address_fits((const struct sockaddr *)&ipv4, &allowed);
	if (inet_pton(AF_INET6, text, &ipv6.sin6_addr) == 1)
		return webhook_address_fits((const struct sockaddr *)&ipv6, &allowed);
	return true;
}

static bool url_fits(struct api_call *call)
{
	struct bytes text = api_params_text(&call->params, "url");
	struct http_url url;

	if (!api_params_has(&call->params, "url"))
		return true;
	if (!result_ok(http_url_read(text, &url)))
		return refuse(call, "url_invalid", "url",
		              "Invalid URL: an absolute http or https address without user name "
		              "and fragment is needed");
	if (call->view.live && !url.https)
		return refuse(call, "url_invalid", "url",
		              "Invalid URL: in live mode the address must be https");
	return host_fits(call->core, url.host) ||
	       refuse(call, "url_invalid", "url",
	              "Invalid URL: URL must be publicly accessible; this address is not one of "
	              "the Internet");
}

static bool events_fit(struct api_call *call, bool required)
{
	const struct api_value *value;
	size_t count = 0;

	for (; (value = api_params_at(&call->params, "enabled_events[]", count)); count++) {
		char shown[100];
		struct api_error error;
		if (api_is_event_name(value->text))
			continue;
		api_show(value->text, shown, sizeof(shown));
		api_fail(&error, 400, NULL, "enabled_events",
		         "Invalid enabled_events: '%s' is not the name of an event", shown);
		api_refuse(call, &error);
		return false;
	}
	if (count == 0 && required) {
		struct api_error error;
		api_fail_missing_param(&error, "enabled_events");
		api_refuse(call, &error);
		return false;
	}
	return true;
}

static bool places_left(struct api_call *call)
{
	int64_t count = store_one_number(call->core->store, STORE_ENDPOINTS_COUNT, 0,
	                                 STORE_N(call->merchant));

	return count < ENDPOINTS_MAX ||
	       refuse(call, NULL, NULL,
	              "You have reached the maximum of 16 webhook endpoints. Delete one first.");
}

static bool merge(struct api_call *call, struct endpoint *endpoint)
{
	json_t *details = api_details_read(endpoint->details);
	struct api_error error;

	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return false;
	}
	free(endpoint->details);
	endpoint->details = api_details_text(details);
	return true;
}

// --- create

// A call that waits for the secret.
struct opening {
	struct api_call *call;
	struct endpoint endpoint; // to be written; id 0: it was, and `kept` is what was answered
	char *kept;
};

static void opening_free(struct opening *opening)
{
	endpoint_done(&opening->endpoint);
	free(opening->kept);
	free(opening);
}

static void fail_away(struct api_error *ret_error)
{
	api_fail(ret_error, 503, NULL, NULL,
	         "The program that knows the secrets of webhooks is away. Try again in a moment.");
	ret_error->type = "api_error";
}

// The answer, with and without the secret. The object is closed by the secret's member.
static void answer_with(struct api_call *call, struct bytes body, const char *secret)
{
	struct buffer whole cleanup(buffer_done) = { 0 };

	buffer_init_secret(&whole, API_REPLY_MAX);
	buffer_put(&whole, bytes_slice(body, 0, body.length - 1));
	buffer_printf(&whole, ",\"secret\":\"%s\"}", secret);
	idempotency_end(call, 200, body, false);
	call->keyed = false; // what is kept is kept
	api_end(call, 200, buffer_view(&whole), false);
}

static void on_secret(struct core *core, void *owner, const char *secret)
{
	struct opening *opening = owner;
	struct api_call *call = opening->call;
	struct buffer body cleanup(buffer_done) = { 0 };
	struct api_error error;

	buffer_init(&body, API_REPLY_MAX);
	if (!secret) {
		fail_away(&error);
		api_error_put(&body, &error);
		api_end(call, 503, buffer_view(&body), true);
	} else if (opening->kept) {
		call->replayed = true;
		answer_with(call, bytes_text(opening->kept), secret);
	} else {
		store_insert(core->store, STORE_ENDPOINTS, &opening->endpoint);
		deliveries_endpoint(core, &opening->endpoint);
		api_render(&body, &call->view, API_WEBHOOK, &opening->endpoint, "");
		answer_with(call, buffer_view(&body), secret);
	}
	opening_free(opening);
}

static void ask(struct api_call *call, struct opening *opening, int64_t id)
{
	struct api_error error;

	opening->call = call;
	if (secrets_ask(call->core, PURPOSE_ENDPOINT, id, FIRST_VERSION, on_secret, opening)) {
		api_park(call, id);
		return;
	}
	fail_away(&error);
	api_refuse(call, &error);
	opening_free(opening);
}

static struct opening *opening_new(void)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	CHECK(opening);
	return opening;
}

// A request that is repeated after its answer: the kept answer is completed by the secret that the
// endpoint was made with, also when it has another one by now.
static void create_again(struct api_call *call)
{
	struct opening *opening = opening_new();

	opening->kept = take_ptr(call->kept);
	call->keyed = false;
	ask(call, opening, call->intent);
}

void api_webhook_create(struct api_call *call)
{
	struct core *core = call->core;

	if (call->kept) {
		create_again(call);
		return;
	}
	if (api_params_flag(&call->params, "connect", false)) {
		refuse(call, NULL, "connect",
		       "onfile has no connected accounts: leave connect out");
		return;
	}
	if (!url_fits(call) || !events_fit(call, true) || !places_left(call))
		return;
	struct opening *opening = opening_new();
	opening->endpoint = (struct endpoint){
		.id = call->resumed ? call->intent : core_next_id(core),
		.merchant = call->merchant,
		.version = FIRST_VERSION,
	};
	if (merge(call, &opening->endpoint))
		ask(call, opening, opening->endpoint.id);
	else
		opening_free(opening);
}

// --- the others

static bool find(struct api_call *call, struct endpoint *ret_endpoint)
{
	struct api_error error;

	if (call->id &&
	    store_find(call->core->store, STORE_ENDPOINTS, call->merchant, call->id,
	               ret_endpoint) &&
	    !ret_endpoint->removed_ms)
		return true;
	api_fail_missing_object(&error, "webhook endpoint", "id", call->words[0]);
	api_refuse(call, &error);
	return false;
}

void api_webhook_retrieve(struct api_call *call)
{
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };

	if (find(call, &endpoint))
		api_answer(call, API_WEBHOOK, &endpoint);
}

void api_webhook_update(struct api_call *call)
{
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };

	if (!find(call, &endpoint) || !url_fits(call) || !events_fit(call, false) ||
	    !merge(call, &endpoint))
		return;
	if (api_params_has(&call->params, "disabled"))
		endpoint.status = api_params_flag(&call->params, "disabled", false)
		                          ? ENDPOINT_DISABLED
		                          : ENDPOINT_ENABLED;
	store_update(call->core->store, STORE_ENDPOINTS, &endpoint);
	deliveries_endpoint(call->core, &endpoint);
	api_answer(call, API_WEBHOOK, &endpoint);
}

void api_webhook_delete(struct api_call *call)
{
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };

	if (!find(call, &endpoint))
		return;
	endpoint.removed_ms = call->core->now_ms;
	store_update(call->core->store, STORE_ENDPOINTS, &endpoint);
	deliveries_endpoint(call->core, &endpoint);
	buffer_init(&body, API_REPLY_MAX);
	api_render_deleted(&body, &call->view, API_WEBHOOK, endpoint.id);
	api_answer_text(call, 200, buffer_view(&body));
}

void api_webhook_list(struct api_call *call)
{
	api_answer_list(call, &(struct api_list){ .down = STORE_LIST_ENDPOINTS,
	                                          .up = STORE_LIST_ENDPOINTS_UP,
	                                          .a = STORE_N(0),
	                                          .b = STORE_N(0) });
}
