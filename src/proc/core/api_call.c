// A call of the API from its handler to its answer, and the view that objects are rendered through.
#include "core/api.h"

#include "base/check.h"
#include "core/idempotency.h"

#include <stdlib.h>

// --- the view

enum store_table api_table(enum api_object kind)
{
	switch (kind) {
	case API_CUSTOMER: return STORE_CUSTOMERS;
	case API_CARD: return STORE_CARDS;
	case API_SETUP_INTENT: return STORE_SETUP_INTENTS;
	case API_PAYMENT_INTENT: return STORE_PAYMENT_INTENTS;
	case API_SESSION: return STORE_SESSIONS;
	case API_REFUND: return STORE_REFUNDS;
	case API_PORTAL: return STORE_PORTALS;
	case API_CUSTOMER_SESSION: return STORE_CUSTOMER_SESSIONS;
	case API_WEBHOOK: return STORE_ENDPOINTS;
	default: CHECK(kind == API_SETUP_ATTEMPT || kind == API_CHARGE); return STORE_ATTEMPTS;
	}
}

static bool load(void *owner, enum api_object kind, int64_t id, void *ret_object)
{
	struct core *core = owner;

	return store_load(core->store, api_table(kind), id, ret_object);
}

static void reference(void *owner, int64_t attempt, char *ret_code, size_t capacity)
{
	flow_code(owner, attempt, ret_code, capacity);
}

static void copy_fact(const json_t *facts, const char *name, char *ret_text, size_t capacity)
{
	bytes_copy_text(bytes_text(json_string_value(json_object_get(facts, name))), ret_text,
	                capacity);
}

static const char *result_of(const struct attempt *attempt)
{
	switch (attempt->problem) {
	case PROBLEM_NONE: return "authenticated";
	case PROBLEM_NOT_CONFIRMED:
	case PROBLEM_NOT_CONFIRMED_IN_TIME:
	case PROBLEM_CANCELLED: return "failed";
	case PROBLEM_NOT_CONFIRMABLE: return "processing_error";
	default: return "";
	}
}

static const char *reason_of(const struct attempt *attempt)
{
	switch (attempt->problem) {
	case PROBLEM_NOT_CONFIRMED: return "rejected";
	case PROBLEM_NOT_CONFIRMED_IN_TIME: return "abandoned";
	case PROBLEM_CANCELLED: return "canceled";
	default: return "";
	}
}

static bool three_d_secure(void *owner, int64_t id, struct api_three_d_secure *ret_facts)
{
	struct core *core = owner;
	struct store_query query = store_ask(core->store, STORE_AUTHENTICATION_GET, STORE_N(id));
	json_t *facts = NULL;
	struct attempt attempt;

	if (store_step(&query)) {
		struct bytes text = store_bytes(&query, 1);
		facts = json_loadb((const char *)text.data, text.length, 0, NULL);
	}
	store_end(&query);
	*ret_facts = (struct api_three_d_secure){ .flow = "", .result = "", .reason = "" };
	copy_fact(facts, "version", ret_facts->version, sizeof(ret_facts->version));
	copy_fact(facts, "eci", ret_facts->eci, sizeof(ret_facts->eci));
	copy_fact(facts, "ds_transaction", ret_facts->transaction, sizeof(ret_facts->transaction));
	bool asked = ret_facts->transaction[0] != '\0';
	if (asked) {
		ret_facts->flow = json_object_get(facts, "acs_url") ? "challenge" : "frictionless";
		if (store_load(core->store, STORE_ATTEMPTS, id, &attempt) &&
		    attempt.deadline_ms == 0) {
			ret_facts->result = result_of(&attempt);
			ret_facts->reason = reason_of(&attempt);
		}
	}
	json_decref(facts);
	return asked;
}

static size_t refunds(void *owner, int64_t attempt, struct refund *ret_refunds, size_t capacity)
{
	struct core *core = owner;
	struct store_query query = store_ask(core->store, STORE_REFUNDS_OF_ATTEMPT,
	                                     STORE_N(attempt), STORE_N(capacity));
	size_t count = 0;

	while (count < capacity && store_step(&query))
		store_read(&query, STORE_REFUNDS, &ret_refunds[count++]);
	store_end(&query);
	return count;
}

void api_view_of(struct core *core, int64_t merchant, struct merchant *ret_owner,
                 struct api_view *ret_view)
{
	if (!store_load(core->store, STORE_MERCHANTS, merchant, ret_owner))
		*ret_owner = (struct merchant){ 0 };
	*ret_view = (struct api_view){
		.id_key = core->id_key,
		.ids = core->api ? &core->api->ids : NULL,
		.public_url = core->config.public_url,
		.support = ret_owner->support,
		.live = core->config.live,
		.now_ms = core->now_ms,
		.time_ms = core_id_ms,
		.owner = core,
		.load = load,
		.three_d_secure = three_d_secure,
		.refunds = refunds,
		.reference = reference,
	};
}

int64_t api_id_at(int64_t ms)
{
	int64_t low = 0;
	int64_t high = INT64_MAX;

	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (core_id_ms(middle) >= ms)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

// --- answers

static void send_reply(struct api_call *call, int status, struct bytes body, int flags)
{
	struct reply reply = {
		.status = status,
		.kind = REPLY_JSON,
		.flags = flags | (call->replayed ? REPLY_REPLAYED : 0) |
		         (call->route && call->route->flags & API_FOR_BROWSERS ? REPLY_CORS : 0),
		// A bucket has something again within a second; other limits take longer.
		.retry_after_s = status != 429   ? 0
		                 : call->limited ? 1
		                                 : 10,
		.limit = call->limit,
		.request_id = call->request_id,
		.version = call->version[0] ? call->version : NULL,
		.body = body,
	};

	for (size_t i = 0; i < call->waiting; i++) {
		core_reply(call->core, call->serials[i], &reply);
		reply.flags |= REPLY_REPLAYED; // those that waited for the first
	}
	call->answered = true;
}

void api_answer_text(struct api_call *call, int status, struct bytes body)
{
	idempotency_end(call, status, body, false);
	send_reply(call, status, body, 0);
}

void api_answer(struct api_call *call, enum api_object kind, const void *object)
{
	struct buffer body cleanup(buffer_done) = { 0 };

	buffer_init(&body, API_REPLY_MAX);
	api_render(&body, &call->view, kind, object, "");
	api_answer_text(call, 200, buffer_view(&body));
}

// A card that was made of a token for nothing is nobody's.
static void refuse(struct api_call *call, int status, struct bytes body)
{
	if (api_token_card(call))
		store_run(call->core->store, STORE_CARD_DROP, STORE_N(api_token_card(call)));
	idempotency_end(call, status, body, true);
	send_reply(call, status, body, 0);
}

void api_refuse(struct api_call *call, const struct api_error *error)
{
	struct buffer body cleanup(buffer_done) = { 0 };

	buffer_init(&body, API_REPLY_MAX);
	api_error_put(&body, error);
	refuse(call, error->status, buffer_view(&body));
}

void api_refuse_with(struct api_call *call, const struct api_error *error, enum api_object kind,
                     const void *object)
{
	struct buffer body cleanup(buffer_done) = { 0 };

	buffer_init(&body, API_REPLY_MAX);
	api_error_put_with(&body, &call->view, error, kind, object);
	refuse(call, error->status, buffer_view(&body));
}

void api_refuse_trouble(struct api_call *call, const struct api_trouble *trouble)
{
	struct buffer body cleanup(buffer_done) = { 0 };

	buffer_init(&body, API_REPLY_MAX);
	api_trouble_put(&body, &call->view, trouble);
	refuse(call, api_trouble_row(&call->view, trouble->problem)->status, buffer_view(&body));
}

void api_end(struct api_call *call, int status, struct bytes body, bool forget)
{
	struct api_call **place = &call->core->api->parked;

	idempotency_end(call, status, body, forget);
	// What was decided stays decided: the client must not ask for the same again.
	send_reply(call, status, body, status >= 500 && !forget ? REPLY_RETRY_NEVER : 0);
	while (*place && *place != call)
		place = &(*place)->next;
	if (*place)
		*place = call->next;
	api_call_free(call);
}

void api_park(struct api_call *call, int64_t intent)
{
	call->parked = true;
	call->intent = intent;
	if (call->keyed)
		idempotency_claim(call);
}

// --- what handlers ask for

static bool refuse_unknown(struct api_call *call, const char *param, enum api_object kind)
{
	struct api_error error;

	api_fail_missing_object(&error, api_object_name(kind), param,
	                        api_params_text(&call->params, param));
	api_refuse(call, &error);
	return false;
}

bool api_id_named(struct api_call *call, const char *param, enum api_object kind, int64_t *ret_id)
{
	struct bytes text = api_params_text(&call->params, param);

	*ret_id = 0;
	if (kind == API_CARD && api_is_token(text))
		return api_token_ask(call, param, text);
	return text.length == 0 ||
	       api_id_read(call->core->id_key, api_object_id(kind, call->view.live), text,
	                   ret_id) ||
	       refuse_unknown(call, param, kind);
}

bool api_named(struct api_call *call, const char *param, enum api_object kind, int64_t *ret_id)
{
	return api_id_named(call, param, kind, ret_id) &&
	       (*ret_id == 0 || api_owns(call, kind, *ret_id) || refuse_unknown(call, param, kind));
}

static const char *path_param(enum api_object kind)
{
	switch (kind) {
	case API_SETUP_INTENT:
	case API_PAYMENT_INTENT: return "intent";
	case API_CARD: return "payment_method";
	case API_SESSION: return "session";
	case API_REFUND: return "refund";
	case API_CHARGE: return "charge";
	default: return "id";
	}
}

bool api_find(struct api_call *call, void *ret_object)
{
	enum api_object kind = call->route->named;
	struct api_error error;

	if (call->id &&
	    store_find(call->core->store, api_table(kind), call->merchant, call->id, ret_object))
		return true;
	if (kind == API_CARD && api_is_token(call->words[0]))
		return api_token_ask(call, path_param(kind), call->words[0]);
	api_fail_missing_object(&error, api_object_name(kind), path_param(kind), call->words[0]);
	api_refuse(call, &error);
	return false;
}

json_t *api_details_read(const char *details)
{
	json_t *json = json_loads(details && details[0] ? details : "{}", 0, NULL);

	return json ? json : json_object();
}

char *api_details_text(json_t *details)
{
	char *text = json_dumps(details, JSON_COMPACT);

	CHECK(text);
	json_decref(details);
	return text;
}

void api_changes(struct buffer *buffer, json_t *before, json_t *after)
{
	json_t *changes = json_object();
	const char *key;
	json_t *value;

	json_object_foreach(before, key, value) if (!json_equal(value, json_object_get(after, key)))
	        json_object_set(changes, key, value);
	json_object_foreach(after, key, value) if (!json_object_get(before, key))
	        json_object_set_new(changes, key,
	                            strcmp(key, "metadata") == 0 ? json_object() : json_null());
	if (json_object_size(changes)) {
		char *text = api_details_text(changes);
		buffer_put_text(buffer, text);
		free(text);
	} else {
		json_decref(changes);
	}
}

// --- addresses

// Schemes that would run something in the page that follows them.
static bool is_dangerous(struct bytes url)
{
	static const char *const schemes[] = { "javascript:", "data:", "vbscript:",
		                               "file:",       "blob:", "about:" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (url.length >= strlen(schemes[i]) &&
		    strncasecmp((const char *)url.data, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

static bool is_address(struct bytes url, bool live)
{
	size_t scheme = bytes_find(url, ':');

	for (size_t i = 0; i < url.length; i++)
		if (url.data[i] <= 0x20 || url.data[i] >= 0x7f || strchr("\"'<>\\`", url.data[i]))
			return false;
	for (size_t i = 0; i < scheme; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.",
		            url.data[i]))
			return false;
	if (scheme == 0 || scheme + 3 >= url.length ||
	    !bytes_equal_text(bytes_slice(url, scheme, 3), "://") || is_dangerous(url))
		return false;
	return !(live && scheme == 4 && strncasecmp((const char *)url.data, "http", 4) == 0);
}

bool api_url_fits(struct api_call *call, const char *param)
{
	struct bytes url = api_params_text(&call->params, param);
	struct api_error error;

	if (url.length == 0 || (url.length < URL_MAX && is_address(url, call->view.live)))
		return true;
	api_fail(&error, 400, "url_invalid", param,
	         "Not a valid URL: %s must be an absolute address (%s or an app's own scheme) of "
	         "fewer than %d characters",
	         param, call->view.live ? "https" : "http, https", URL_MAX);
	api_refuse(call, &error);
	return false;
}
