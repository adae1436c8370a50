// GET /openapi.json: the description of the API (OpenAPI 3.1), made from the table of routes, the
// tables of parameters and the tables of members that run it. Nobody's key is needed for it.
#include "core/api.h"

#include "api/schema.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEXT_CAPACITY = 256 };

static json_t *schema_reference(const char *name, bool shopper)
{
	char path[TEXT_CAPACITY];

	snprintf(path, sizeof(path), "#/components/schemas/%s%s", name,
	         shopper ? ".for_browsers" : "");
	return json_pack("{s:s}", "$ref", path);
}

static json_t *content(const char *type, json_t *schema)
{
	return json_pack("{s:{s:o}}", type, "schema", schema);
}

// --- what is answered

static json_t *one_of_route(const struct api_route *route)
{
	const char *name = api_object_name(route->object);
	json_t *schema = schema_reference(name, false);

	if (route->flags & (API_SHOPPER | API_CUSTOMER_OPEN))
		return json_pack("{s:[o, o]}", "anyOf", schema, schema_reference(name, true));
	if (route->object == API_CUSTOMER && route->named == API_CUSTOMER)
		return json_pack("{s:[o, o]}", "anyOf", schema, schema_reference("deleted", false));
	return schema;
}

static json_t *answer_schema(const struct api_route *route)
{
	if (route->object == API_NOTHING)
		return json_pack("{s:s}", "type", "object");
	if (strcmp(route->method, "DELETE") == 0)
		return schema_reference("deleted", false);
	if (!(route->flags & API_LIST))
		return one_of_route(route);
	return json_pack("{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:o}}}", "type",
	                 "object", "required", "object", "url", "has_more", "data", "properties",
	                 "object", "const", "list", "url", "type", "string", "has_more", "type",
	                 "boolean", "data", "type", "array", "items", one_of_route(route));
}

static json_t *answers(const struct api_route *route)
{
	return json_pack("{s:{s:s, s:o}, s:{s:s, s:o}}", "200", "description", "Done.", "content",
	                 content("application/json", answer_schema(route)), "default",
	                 "description", "Refused, or it did not work: the error says why.",
	                 "content", content("application/json", schema_reference("error", false)));
}

// --- what is asked

static json_t *query_param(const struct api_param *param)
{
	bool list = strstr(param->name, "[]") != NULL;
	json_t *schema = api_schema_param(param);

	if (list)
		schema = json_pack("{s:s, s:o}", "type", "array", "items", schema);
	return json_pack("{s:s, s:s, s:b, s:o}", "name", param->name, "in", "query", "required",
	                 (param->flags & API_REQUIRED) != 0, "schema", schema);
}

// "/v1/customers/:id" becomes "/v1/customers/{id}"; a second word is {id2}. Adds both to `params`.
static void put_path(const char *path, char *ret_path, json_t *params)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	char name[16] = "id";
	int words = 0;

	buffer_init(&text, TEXT_CAPACITY);
	for (const char *c = path; *c; c++) {
		if (strncmp(c, ":id", 3) != 0) {
			buffer_put_byte(&text, (uint8_t)*c);
			continue;
		}
		if (++words > 1)
			snprintf(name, sizeof(name), "id%d", words);
		buffer_printf(&text, "{%s}", name);
		json_array_append_new(params,
		                      json_pack("{s:s, s:s, s:b, s:{s:s}}", "name", name, "in",
		                                "path", "required", 1, "schema", "type", "string"));
		c += 2;
	}
	bytes_copy_text(buffer_view(&text), ret_path, TEXT_CAPACITY);
}

static json_t *header_param(const char *name, int length)
{
	return json_pack("{s:s, s:s, s:b, s:{s:s, s:i}}", "name", name, "in", "header", "required",
	                 0, "schema", "type", "string", "maxLength", length);
}

static void add_inputs(const struct api_route *route, json_t *operation, json_t *params)
{
	const struct api_param *tables[API_PARAMS_TABLES];
	bool post = strcmp(route->method, "POST") == 0;

	api_param_tables(route, tables);
	for (int t = 0; !post && t < API_PARAMS_TABLES && tables[t]; t++)
		for (const struct api_param *row = tables[t]; row->name; row++)
			if (!(row->flags & API_REFUSED) && row->type != API_ANYTHING)
				json_array_append_new(params, query_param(row));
	if (!post)
		return;
	json_array_append_new(params, header_param("Idempotency-Key", 255));
	json_object_set_new(
	        operation, "requestBody",
	        json_pack("{s:o}", "content",
	                  content("application/x-www-form-urlencoded", api_schema_form(tables))));
}

// Who may call it: a secret key always, a publishable one where the row says so.
static json_t *callers(const struct api_route *route)
{
	json_t *list = json_pack("[{s:[]}, {s:[]}]", "secret_key", "secret_key_as_user");

	if (route->flags & API_FOR_BROWSERS)
		json_array_append_new(list, json_pack("{s:[]}", "publishable_key"));
	return list;
}

static void add_route(const struct api_route *route, json_t *paths)
{
	json_t *params = json_array();
	char path[TEXT_CAPACITY];
	char method[8] = "";
	json_t *operation = json_pack("{s:s, s:s, s:o, s:o}", "summary", route->summary, "x-object",
	                              route->object ? api_object_name(route->object) : "",
	                              "security", callers(route), "responses", answers(route));

	put_path(route->path, path, params);
	add_inputs(route, operation, params);
	json_object_set_new(operation, "parameters", params);
	for (size_t i = 0; route->method[i] && i < sizeof(method) - 1; i++)
		method[i] = (char)(route->method[i] | 0x20);
	if (!json_object_get(paths, path))
		json_object_set_new(paths, path, json_object());
	json_object_set_new(json_object_get(paths, path), method, operation);
}

// --- the whole

// The object of an error is never expanded; browsers see less of it.
static json_t *object_of_error(enum api_object kind)
{
	const char *name = api_object_name(kind);

	return json_pack("{s:[o, o]}", "anyOf", schema_reference(name, false),
	                 schema_reference(name, true));
}

static json_t *error_members(void)
{
	static const char *const texts[] = { "charge",       "code",
		                             "decline_code", "message",
		                             "param",        "network_decline_code",
		                             "user_message", "payment_method_type" };
	json_t *members = json_pack(
	        "{s:{s:[s,s,s,s]}, s:{s:[s,s,s]}, s:o, s:o, s:o, s:o, s:{s:s}}", "type", "enum",
	        "api_error", "card_error", "idempotency_error", "invalid_request_error",
	        "advice_code", "enum", "confirm_card_data", "do_not_try_again", "try_again_later",
	        "payment_method", object_of_error(API_CARD), "payment_intent",
	        object_of_error(API_PAYMENT_INTENT), "setup_intent",
	        object_of_error(API_SETUP_INTENT), "checkout_session",
	        schema_reference(api_object_name(API_SESSION), false), "advice", "type", "object");

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		json_object_set_new(members, texts[i], json_pack("{s:s}", "type", "string"));
	return members;
}

static json_t *error_schema(void)
{
	return json_pack("{s:s, s:[s], s:b, s:{s:{s:s, s:[s,s], s:b, s:o}}}", "type", "object",
	                 "required", "error", "additionalProperties", 0, "properties", "error",
	                 "type", "object", "required", "type", "message", "additionalProperties", 0,
	                 "properties", error_members());
}

static json_t *event_schema(void)
{
	return json_pack(
	        "{s:s, s:[s,s,s,s,s,s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
	        "s:{s:s}}}",
	        "type", "object", "required", "id", "object", "api_version", "created", "data",
	        "livemode", "pending_webhooks", "request", "type", "properties", "object", "const",
	        "event", "created", "type", "integer", "data", "type", "object", "livemode", "type",
	        "boolean", "pending_webhooks", "type", "integer", "type", "type", "string");
}

// A line of a checkout session.
static json_t *item_schema(void)
{
	return json_pack("{s:s, s:[s,s,s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s}, "
	                 "s:{s:s}}}",
	                 "type", "object", "required", "id", "object", "amount_subtotal",
	                 "amount_total", "currency", "quantity", "properties", "object", "const",
	                 "item", "amount_subtotal", "type", "integer", "amount_total", "type",
	                 "integer", "currency", "type", "string", "description", "type", "string",
	                 "quantity", "type", "integer");
}

// Of the payment-methods page: there is one, and nobody can change it.
static json_t *configuration_schema(void)
{
	return json_pack("{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:b}, s:{s:s}}}", "type",
	                 "object", "required", "id", "object", "is_default", "features",
	                 "properties", "object", "const", "billing_portal.configuration", "id",
	                 "type", "string", "is_default", "const", 1, "features", "type", "object");
}

static json_t *schemas(void)
{
	json_t *all = json_pack("{s:o, s:o, s:o, s:o, s:{s:s, s:[s,s,s], s:{s:{s:b}}}}", "error",
	                        error_schema(), "event", event_schema(), "item", item_schema(),
	                        "billing_portal.configuration", configuration_schema(), "deleted",
	                        "type", "object", "required", "id", "object", "deleted",
	                        "properties", "deleted", "const", 1);
	char name[TEXT_CAPACITY];

	for (int kind = API_NOTHING + 1; kind < API_OBJECTS; kind++)
		for (int shopper = 0; shopper < 2; shopper++) {
			if (!api_schema_exists((enum api_object)kind, shopper))
				continue;
			snprintf(name, sizeof(name), "%s%s", api_object_name((enum api_object)kind),
			         shopper ? ".for_browsers" : "");
			json_object_set_new(all, name,
			                    api_schema_object((enum api_object)kind, shopper));
		}
	return all;
}

static json_t *security_schemes(void)
{
	return json_pack("{s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}}", "secret_key",
	                 "type", "http", "scheme", "bearer", "description",
	                 "sk_…, for servers only.", "secret_key_as_user", "type", "http", "scheme",
	                 "basic", "description", "The same key as the user, no password.",
	                 "publishable_key", "type", "http", "scheme", "bearer", "description",
	                 "pk_…, for browsers, together with the client_secret of what is named.");
}

static json_t *describe(const struct core *core)
{
	json_t *paths = json_object();

	for (const struct api_route *route = api_routes; route->method; route++)
		add_route(route, paths);
	return json_pack(
	        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:s}], s:o, s:{s:o, s:o}}", "openapi",
	        "3.1.0", "info", "title", "onfile", "version", ONFILE_VERSION, "description",
	        "Compatible with the Stripe API (subset). Requests are forms, answers are JSON.",
	        "license", "name", "Apache 2.0", "identifier", "Apache-2.0", "servers", "url",
	        core->config.public_url, "paths", paths, "components", "schemas", schemas(),
	        "securitySchemes", security_schemes());
}

void api_describe(struct core *core, const struct request *request)
{
	json_t *description = describe(core);
	char *text = json_dumps(description, JSON_COMPACT);

	CHECK(text);
	core_reply(core, request->serial,
	           &(struct reply){ .status = 200,
	                            .kind = REPLY_JSON,
	                            .flags = REPLY_CORS,
	                            .request_id = request->id,
	                            .body = bytes_text(text) });
	free(text);
	json_decref(description);
}
