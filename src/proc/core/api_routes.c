// The table of routes, and what happens to a request before its handler sees it: which route, whose
// key, which parameters, which object. docs/api.md lists the calls for people.
#include "core/api.h"
#include "core/api_customers.h"
#include "core/api_sessions.h"

#include "base/check.h"
#include "base/text.h"
#include "core/idempotency.h"
#include "core/keys.h"

#include <stdlib.h>

enum { SWEEP_MS = 10000 };

const struct api_param api_expand_params[] = {
	{ "expand[]", API_TEXT, 0, 0, 128, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_list_params[] = {
	{ "limit", API_NUMBER, 0, 1, 100, NULL },
	{ "starting_after", API_TEXT, API_UNSETS, 0, 128, NULL },
	{ "ending_before", API_TEXT, API_UNSETS, 0, 128, NULL },
	{ "created", API_NUMBER, 0, 0, 99999999999, NULL },
	{ "created[gt]", API_NUMBER, 0, 0, 99999999999, NULL },
	{ "created[gte]", API_NUMBER, 0, 0, 99999999999, NULL },
	{ "created[lt]", API_NUMBER, 0, 0, 99999999999, NULL },
	{ "created[lte]", API_NUMBER, 0, 0, 99999999999, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_secret_params[] = {
	{ "client_secret", API_TEXT, 0, 0, 128, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_route api_routes[] = {
#define API_ROUTE(method, path, flags, object, named, handle, params, summary)                     \
	{ method, path, flags, API_##object, API_##named, handle, params, summary },
#include "core/routes.def"
#undef API_ROUTE
	{ NULL, NULL, 0, API_NOTHING, API_NOTHING, NULL, NULL, NULL },
};

// Parts of Stripe's API that onfile does not have, so that the answer can say which.
static const char *const not_there[] = {
	"account",
	"accounts",
	"application_fees",
	"apple_pay",
	"balance",
	"balance_transactions",
	"billing",
	"confirmation_tokens",
	"coupons",
	"credit_notes",
	"disputes",
	"ephemeral_keys",
	"files",
	"invoiceitems",
	"invoices",
	"issuing",
	"mandates",
	"payment_links",
	"payment_method_configurations",
	"payouts",
	"plans",
	"prices",
	"products",
	"promotion_codes",
	"quotes",
	"radar",
	"reporting",
	"reviews",
	"shipping_rates",
	"sources",
	"subscription_items",
	"subscription_schedules",
	"subscriptions",
	"tax",
	"tax_rates",
	"terminal",
	"test_helpers",
	"tokens",
	"topups",
	"transfers",
	"treasury",
};

// --- which route

// Matches a path against a pattern; `ret_words` gets what stands for each ":id". "search" is the
// name of a call that onfile does not have, never an id.
static bool path_fits(const char *pattern, struct bytes path,
                      struct bytes ret_words[static API_PATH_IDS])
{
	size_t word = 0;

	while (*pattern) {
		if (strncmp(pattern, ":id", 3) == 0) {
			size_t length = bytes_find(path, '/');
			struct bytes id = bytes_slice(path, 0, length);
			if (length == 0 || word == API_PATH_IDS || bytes_equal_text(id, "search"))
				return false;
			ret_words[word++] = id;
			path = bytes_slice(path, length, path.length);
			pattern += 3;
			continue;
		}
		if (path.length == 0 || path.data[0] != (uint8_t)*pattern)
			return false;
		path = bytes_slice(path, 1, path.length);
		pattern++;
	}
	return path.length == 0;
}

static void send_error(struct core *core, const struct request *request,
                       const struct api_error *error, const char *allow)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	struct reply reply = { .status = error->status, .request_id = request->id, .allow = allow };

	buffer_init(&body, API_REPLY_MAX);
	api_error_put(&body, error);
	reply.body = buffer_view(&body);
	core_reply(core, request->serial, &reply);
}

static void send_no_route(struct core *core, const struct request *request)
{
	struct bytes rest = bytes_slice(request->path, strlen("/v1/"), request->path.length);
	struct bytes first = bytes_slice(rest, 0, bytes_find(rest, '/'));
	char shown[120];
	char method[20];
	struct api_error error;

	api_show(request->path, shown, sizeof(shown));
	api_show(request->method, method, sizeof(method));
	api_fail(&error, 404, NULL, NULL, "Unrecognized request URL (%s: %s).", method, shown);
	if (bytes_equal_text(bytes_slice(rest, first.length, rest.length), "/search"))
		api_fail(&error, 404, NULL, NULL,
		         "Unrecognized request URL (%s: %s). onfile has no search: lists have "
		         "filters.",
		         method, shown);
	else if (bytes_start_with(request->path, "/v1/"))
		for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
			if (bytes_equal_text(first, not_there[i]))
				api_fail(&error, 404, NULL, NULL,
				         "Unrecognized request URL (%s: %s). This version of "
				         "onfile does not have /v1/%s.",
				         method, shown, not_there[i]);
	send_error(core, request, &error, NULL);
}

// Pages of other sites may call what a publishable key may call, and nothing else.
static bool answer_preflight(struct core *core, const struct request *request)
{
	struct bytes words[API_PATH_IDS];
	char allow[64] = "";

	for (const struct api_route *route = api_routes; route->method; route++)
		if (route->flags & API_FOR_BROWSERS && path_fits(route->path, request->path, words))
			snprintf(allow + strlen(allow), sizeof(allow) - strlen(allow), "%s%s",
			         allow[0] ? ", " : "", route->method);
	if (!allow[0])
		return false;
	core_reply(core, request->serial,
	           &(struct reply){ .status = 204,
	                            .flags = REPLY_CORS,
	                            .request_id = request->id,
	                            .allow = allow });
	return true;
}

static void send_wrong_method(struct core *core, const struct request *request, const char *allow)
{
	struct api_error error;
	char method[20];

	api_show(request->method, method, sizeof(method));
	api_fail(&error, 405, NULL, NULL, "%s is not a method of this URL; it takes %s", method,
	         allow);
	send_error(core, request, &error, allow);
}

// The route of a request; NULL: it was answered.
static const struct api_route *find_route(struct core *core, const struct request *request,
                                          struct bytes ret_words[static API_PATH_IDS])
{
	char allow[64] = "";

	for (const struct api_route *route = api_routes; route->method; route++) {
		if (!path_fits(route->path, request->path, ret_words))
			continue;
		if (bytes_equal_text(request->method, route->method))
			return route;
		snprintf(allow + strlen(allow), sizeof(allow) - strlen(allow), "%s%s",
		         allow[0] ? ", " : "", route->method);
	}
	if (bytes_equal_text(request->method, "OPTIONS") && answer_preflight(core, request))
		return NULL;
	if (bytes_equal_text(request->path, "/openapi.json")) // a GET of it does not come here
		snprintf(allow, sizeof(allow), "GET");
	if (allow[0])
		send_wrong_method(core, request, allow);
	else
		send_no_route(core, request);
	return NULL;
}

// --- whose key

static bool fail_key(struct api_call *call, int status, const char *code, const char *message)
{
	struct api_error error;

	api_fail(&error, status, code, NULL, "%s", message);
	api_refuse(call, &error);
	return false;
}

// The key of `Bearer key` or `Basic base64(key:)`, into `buffer`.
static bool read_key(struct bytes authorization, struct buffer *buffer)
{
	size_t space = bytes_find(authorization, ' ');
	struct bytes scheme = bytes_slice(authorization, 0, space);
	struct bytes rest = bytes_slice(authorization, space + 1, authorization.length);

	if (scheme.length == 6 && strncasecmp((const char *)scheme.data, "Bearer", 6) == 0) {
		buffer_put(buffer, rest);
		return rest.length > 0;
	}
	if (scheme.length != 5 || strncasecmp((const char *)scheme.data, "Basic", 5) != 0 ||
	    !result_ok(base64_read(rest, buffer)))
		return false;
	buffer->length = bytes_find(buffer_view(buffer), ':');
	return buffer->length > 0;
}

// What a merchant may see of the key that they sent: its kind and its end.
static bool fail_unknown_key(struct api_call *call, struct bytes key)
{
	char start[12];
	char end[5];
	char message[80];

	api_show(bytes_slice(key, 0, key.length > 20 ? 8 : 0), start, sizeof(start));
	api_show(bytes_slice(key, key.length > 20 ? key.length - 4 : key.length, 4), end,
	         sizeof(end));
	snprintf(message, sizeof(message), "Invalid API Key provided: %s****%s", start, end);
	return fail_key(call, 401, NULL, message);
}

static bool look_up_key(struct api_call *call, struct bytes sent)
{
	struct api_key key;

	if (!keys_find(call->core, call->core->api->keys, sent, &key))
		return fail_unknown_key(call, sent);
	if (key.revoked_ms)
		return fail_key(call, 401, "api_key_expired", "This API key was revoked.");
	call->merchant = key.merchant;
	call->shopper = key.publishable;
	call->key_id = key.id;
	return true;
}

// Before anything is looked at or kept: a request that is one too many costs next to nothing.
static bool take_turn(struct api_call *call)
{
	const struct config *config = &call->core->config;
	char address[46] = "";
	struct api_error error;

	if (call->shopper)
		bytes_copy_text(call->request->peer, address, sizeof(address));
	call->limited =
	        !limits_take(call->core->api->limits, limits_who(call->key_id, address),
	                     call->shopper ? config->limit_publishable : config->limit_secret,
	                     call->core->now_ms, &call->limit);
	if (!call->limited)
		return true;
	api_fail(&error, 429, "rate_limit", NULL,
	         "Too many requests: this key may make %lld a second. Try again after the time in "
	         "Retry-After.",
	         (long long)call->limit.quota);
	api_refuse(call, &error);
	return false;
}

static bool authenticate(struct api_call *call)
{
	struct bytes authorization = call->request->authorization;
	struct buffer key;

	if (authorization.length == 0)
		return fail_key(call, 401, NULL,
		                "You did not provide an API key. Send it as 'Authorization: Bearer "
		                "sk_...', or as the user of HTTP Basic authentication.");
	buffer_init_secret(&key, 1024);
	bool known = read_key(authorization, &key)
	                     ? look_up_key(call, buffer_view(&key))
	                     : fail_key(call, 401, NULL,
	                                "The Authorization header is neither 'Bearer key' nor "
	                                "Basic with the key as user.");
	buffer_done(&key);
	if (known && call->shopper && !(call->route->flags & API_FOR_BROWSERS))
		return fail_key(call, 403, "secret_key_required",
		                "This call needs a secret key; the key that was sent is a "
		                "publishable one.");
	return known && take_turn(call);
}

// --- which parameters

static bool is_form(struct bytes type)
{
	static const char form[] = "application/x-www-form-urlencoded";
	size_t length = sizeof(form) - 1;

	return type.length == 0 ||
	       (type.length >= length && strncasecmp((const char *)type.data, form, length) == 0 &&
	        (type.length == length || strchr("; ", type.data[length])));
}

static bool read_form(struct api_call *call)
{
	const struct request *request = call->request;
	bool post = strcmp(call->route->method, "POST") == 0;
	struct bytes text = post || request->query.length == 0 ? request->body : request->query;

	if (post && request->query.length)
		return fail_key(call, 400, NULL,
		                "The parameters of a POST belong in its body, not in its URL.");
	if (request->body.length && !is_form(request->content_type))
		return fail_key(call, 400, NULL,
		                "The body of a request is a form: Content-Type "
		                "application/x-www-form-urlencoded.");
	// Somebody may have sent a card number, which we refuse: it does not stay in memory.
	struct result result = http_form_read_secret(text, &call->form);
	if (result_ok(result))
		return true;
	return fail_key(call, 400, NULL,
	                result.error == ERROR_LIMIT
	                        ? "There are too many parameters."
	                        : "The parameters are not a well-formed form in UTF-8.");
}

void api_param_tables(const struct api_route *route,
                      const struct api_param *ret_tables[static API_PARAMS_TABLES])
{
	size_t count = 0;

	ret_tables[count++] = api_expand_params;
	if (route->flags & API_LIST)
		ret_tables[count++] = api_list_params;
	if (route->flags & (API_SHOPPER | API_CUSTOMER_OPEN))
		ret_tables[count++] = api_secret_params;
	if (route->params)
		ret_tables[count++] = route->params;
	for (; count < API_PARAMS_TABLES; count++)
		ret_tables[count] = NULL;
}

static bool read_params(struct api_call *call)
{
	const struct api_route *route = call->route;
	const struct api_param *tables[API_PARAMS_TABLES];
	struct api_error error;

	api_param_tables(route, tables);
	if (api_params_read(call->form.pairs, call->form.count, tables, &call->params, &error) &&
	    api_expand_read(&call->params, route->object, route->flags & API_LIST, &call->expand,
	                    &error))
		return true;
	api_refuse(call, &error);
	return false;
}

// --- which object

// A client secret must be that of the object that the path names.
static bool secret_fits(struct api_call *call, struct bytes secret)
{
	enum api_id_kind kind = api_object_id(call->route->named, call->view.live);
	int64_t row;
	struct api_error error;

	if (api_secret_read(call->core->id_key, kind, secret, &row) && row == call->id)
		return true;
	api_fail(&error, 400, NULL, "client_secret",
	         "The client_secret provided does not match the object of this request.");
	api_refuse(call, &error);
	return false;
}

// Who has no secret key has to bring a client secret: of the object, or of a customer's session.
static bool client_secret_fits(struct api_call *call)
{
	struct bytes secret = api_params_text(&call->params, "client_secret");
	struct api_error error;

	if (!(call->route->flags & (API_CUSTOMER_OPEN | API_SHOPPER)))
		return true;
	if (secret.length)
		return call->route->flags & API_CUSTOMER_OPEN
		               ? api_customer_session_fits(call, secret)
		               : secret_fits(call, secret);
	if (!call->shopper)
		return true;
	api_fail_missing_param(&error, "client_secret");
	api_refuse(call, &error);
	return false;
}

static bool read_path_id(struct api_call *call)
{
	enum api_object kind = call->route->named;

	if (kind == API_NOTHING)
		return true;
	// What cannot be an id is as unknown as an id of nothing: the handler says so.
	if (!api_id_read(call->core->id_key, api_object_id(kind, call->view.live), call->words[0],
	                 &call->id))
		call->id = 0;
	return client_secret_fits(call);
}

static void sweep(struct core *core)
{
	idempotency_sweep(core);
	if (core->now_ms < core->api->next_sweep_ms)
		return;
	core->api->next_sweep_ms = core->now_ms + SWEEP_MS;
	api_sessions_sweep(core);
}

static void run(struct api_call *call)
{
	bool post = strcmp(call->route->method, "POST") == 0;

	if (!authenticate(call))
		return;
	api_view_of(call->core, call->merchant, &call->owner, &call->view);
	call->view.shopper = call->shopper;
	call->view.expand = &call->expand;
	if (bytes_start_with(call->request->accept_language, "ru"))
		call->view.language = PROBLEM_RUSSIAN;
	if (!read_form(call) || !read_params(call) || !read_path_id(call))
		return;
	if (post && !idempotency_begin(call))
		return;
	call->route->handle(call);
}

void api_call_free(struct api_call *call)
{
	http_form_done(&call->form);
	api_params_done(&call->params);
	api_token_free(call->token);
	free(call);
}

void api_settle(struct api_call *call)
{
	struct api *api = call->core->api;
	struct api_call **list = call->asking ? &api->asking : &api->parked;

	api->request = NULL;
	call->request = NULL;
	// Every handler answers, or says that it will.
	CHECK(call->answered + call->parked + call->asking == 1);
	if (call->answered) {
		api_call_free(call);
		return;
	}
	call->next = *list;
	*list = call;
}

void api_request(struct core *core, const struct request *request)
{
	struct bytes words[API_PATH_IDS] = { BYTES_NONE, BYTES_NONE };
	const struct api_route *route = find_route(core, request, words);

	if (!route)
		return;
	struct api_call *call = calloc(1, sizeof(*call));
	CHECK(call);
	call->core = core;
	call->serials[call->waiting++] = request->serial;
	call->request = core->api->request = request;
	call->route = route;
	memcpy(call->words, words, sizeof(words));
	bytes_copy_text(bytes_text(request->id), call->request_id, sizeof(call->request_id));
	if (text_is_printable(request->version))
		bytes_copy_text(request->version, call->version, sizeof(call->version));
	sweep(core);
	run(call);
	api_settle(call);
}

// The work goes on: its answer is kept for who asks again with the same key.
void api_gone(struct core *core, uint64_t serial)
{
	(void)core;
	(void)serial;
}

struct api *api_new(struct core *core)
{
	struct api *api = calloc(1, sizeof(*api));

	(void)core;
	CHECK(api);
	api->limits = limits_new();
	api->keys = keys_new();
	return api;
}

void api_keys_changed(struct core *core)
{
	keys_forget(core->api->keys);
}

static void free_list(struct api_call *calls)
{
	while (calls) {
		struct api_call *call = calls;
		calls = call->next;
		api_call_free(call);
	}
}

void api_free(struct api *api)
{
	if (!api)
		return;
	free_list(api->parked);
	free_list(api->asking);
	limits_free(api->limits);
	keys_free(api->keys);
	free(api);
}
