// Walks the tables of members. See render.h and fields.h.
#include "api/fields.h"

#include "base/check.h"
#include "base/text.h"
#include "domain/delivery.h"

#include <stdio.h>

const struct object_kind *const object_kinds[API_OBJECTS] = {
	[API_CUSTOMER] = &customer_kind,
	[API_CARD] = &card_kind,
	[API_SETUP_INTENT] = &setup_intent_kind,
	[API_SETUP_ATTEMPT] = &setup_attempt_kind,
	[API_PAYMENT_INTENT] = &payment_intent_kind,
	[API_CHARGE] = &charge_kind,
	[API_SESSION] = &session_kind,
	[API_REFUND] = &refund_kind,
	[API_PORTAL] = &portal_kind,
	[API_CUSTOMER_SESSION] = &customer_session_kind,
	[API_WEBHOOK] = &webhook_kind,
};

const char *api_object_name(enum api_object kind)
{
	return kind == API_EVENT ? "event" : object_kinds[kind]->name;
}

enum api_id_kind api_object_id(enum api_object kind, bool live)
{
	if (kind == API_EVENT)
		return API_ID_EVENT;
	return kind == API_SESSION && live ? API_ID_SESSION_LIVE : object_kinds[kind]->id;
}

const char *api_field_name(enum api_object kind, size_t index)
{
	return object_kinds[kind]->fields[index].name;
}

const char *api_intent_status_name(enum intent_status status)
{
	static const char *const names[] = {
		"requires_payment_method",
		"requires_confirmation",
		"requires_action",
		"processing",
		"requires_capture",
		"succeeded",
		"canceled",
	};

	return names[status];
}

const char *api_session_status_name(enum session_status status)
{
	static const char *const names[] = { "open", "complete", "expired" };

	return names[status];
}

static const char *details_of(enum api_object kind, const void *object)
{
	switch (kind) {
	case API_CUSTOMER: return ((const struct customer *)object)->details;
	case API_CARD: return ((const struct card *)object)->details;
	case API_SETUP_INTENT: return ((const struct setup_intent *)object)->details;
	case API_PAYMENT_INTENT: return ((const struct payment_intent *)object)->details;
	case API_SESSION: return ((const struct session *)object)->details;
	case API_REFUND: return ((const struct refund *)object)->details;
	case API_PORTAL: return ((const struct portal *)object)->details;
	case API_WEBHOOK: return ((const struct endpoint *)object)->details;
	case API_CUSTOMER_SESSION: return ((const struct customer_session *)object)->details;
	default: return NULL;
	}
}

static int64_t attempt_of(enum api_object kind, const void *object)
{
	if (kind == API_SETUP_INTENT)
		return ((const struct setup_intent *)object)->attempt;
	if (kind == API_REFUND)
		return ((const struct refund *)object)->attempt;
	return kind == API_PAYMENT_INTENT ? ((const struct payment_intent *)object)->attempt : 0;
}

static void put_field(struct render *render, const struct field *field)
{
	render->name = field->name;
	switch (field->kind) {
	case FIELD_CONSTANT: api_json_raw(&render->json, field->name, field->json); break;
	case FIELD_DETAIL: put_detail(render, field->name, render->details, field->json); break;
	case FIELD_PUT: field->put(render); break;
	}
}

static void put_object(struct api_json *json, const char *name, const struct api_view *view,
                       enum api_object kind, const void *object, const char *path)
{
	struct render render = { .json = *json, .view = view, .kind = kind, .object = object };
	const char *details = details_of(kind, object);
	int64_t attempt = attempt_of(kind, object);

	render.id = *(const int64_t *)object; // every struct begins with its row key
	snprintf(render.path, sizeof(render.path), "%s", path);
	render.details = details ? json_loads(details, 0, NULL) : NULL;
	if (attempt &&
	    !view->load(view->owner, kind == API_SETUP_INTENT ? API_SETUP_ATTEMPT : API_CHARGE,
	                attempt, &render.attempt))
		render.attempt.id = 0;
	api_json_open(&render.json, name, '{');
	for (const struct field *field = object_kinds[kind]->fields; field->name; field++)
		if (!view->shopper || field->shopper)
			put_field(&render, field);
	api_json_close(&render.json, '}');
	json_decref(render.details);
	*json = render.json;
}

void api_render(struct buffer *buffer, const struct api_view *view, enum api_object kind,
                const void *object, const char *below)
{
	struct api_json json = api_json_on(buffer);

	put_object(&json, NULL, view, kind, object, below);
}

void api_render_deleted(struct buffer *buffer, const struct api_view *view, enum api_object kind,
                        int64_t id)
{
	struct api_json json = api_json_on(buffer);
	char text[API_ID_CAPACITY];

	api_id_make(view->id_key, api_object_id(kind, view->live), id, text);
	api_json_open(&json, NULL, '{');
	api_json_text(&json, "id", text);
	api_json_text(&json, "object", api_object_name(kind));
	api_json_flag(&json, "deleted", true);
	api_json_close(&json, '}');
}

// --- what an object refers to

union any_object {
	struct customer customer;
	struct card card;
	struct setup_intent setup_intent;
	struct payment_intent payment_intent;
	struct session session;
	struct attempt attempt;
};

static void free_object(enum api_object kind, union any_object *object)
{
	switch (kind) {
	case API_CUSTOMER: customer_done(&object->customer); break;
	case API_CARD: card_done(&object->card); break;
	case API_SETUP_INTENT: setup_intent_done(&object->setup_intent); break;
	case API_PAYMENT_INTENT: payment_intent_done(&object->payment_intent); break;
	case API_SESSION: session_done(&object->session); break;
	default: break;
	}
}

static void put_deleted(struct render *render, int64_t id)
{
	api_json_name(&render->json, render->name);
	api_render_deleted(render->json.buffer, render->view, API_CUSTOMER, id);
	api_json_done(&render->json);
}

static void put_expanded(struct render *render, enum api_object kind, union any_object *object)
{
	const char *last = strrchr(render->name, '.');
	char path[API_PATH_CAPACITY];
	int length = snprintf(path, sizeof(path), "%s%s.", render->path, render->name);

	if (kind == API_CUSTOMER && object->customer.removed_ms)
		put_deleted(render, object->customer.id);
	else
		put_object(&render->json, last ? last + 1 : render->name, render->view, kind,
		           object, length < API_PATH_CAPACITY ? path : "!.");
}

void put_element(struct render *render, enum api_object kind, const void *object)
{
	char path[API_PATH_CAPACITY];
	int length = snprintf(path, sizeof(path), "%s%s.data.", render->path, render->name);

	put_object(&render->json, NULL, render->view, kind, object,
	           length < API_PATH_CAPACITY ? path : "!.");
}

void put_list_open(struct render *render)
{
	api_json_open(&render->json, render->name, '{');
	api_json_text(&render->json, "object", "list");
	api_json_open(&render->json, "data", '[');
}

void put_list_close(struct render *render, bool more, const char *path, const char *what)
{
	struct api_json *json = &render->json;
	char id[API_ID_CAPACITY];

	api_id_make(render->view->id_key, api_object_id(render->kind, render->view->live),
	            render->id, id);
	api_json_close(json, ']');
	api_json_flag(json, "has_more", more);
	api_json_name(json, "url");
	buffer_printf(json->buffer, "\"%s/%s/%s\"", path, id, what);
	api_json_done(json);
	api_json_close(json, '}');
}

void put_reference(struct render *render, enum api_object kind, int64_t id)
{
	const char *last = strrchr(render->name, '.');
	const char *name = last ? last + 1 : render->name;
	union any_object object;
	char text[API_SECRET_CAPACITY];

	if (id == 0) {
		api_json_null(&render->json, name);
		return;
	}
	if (is_expanded(render) && render->view->load(render->view->owner, kind, id, &object)) {
		put_expanded(render, kind, &object);
		free_object(kind, &object);
		return;
	}
	api_ids_make(render->view->ids, render->view->id_key,
	             api_object_id(kind, render->view->live), false, id, text);
	api_json_text(&render->json, name, text);
}

// --- members that many kinds have

void put_id(struct render *render)
{
	char text[API_SECRET_CAPACITY];

	api_ids_make(render->view->ids, render->view->id_key,
	             api_object_id(render->kind, render->view->live), false, render->id, text);
	api_json_text(&render->json, render->name, text);
}

void put_created(struct render *render)
{
	api_json_number(&render->json, render->name, render->view->time_ms(render->id) / 1000);
}

void put_livemode(struct render *render)
{
	api_json_flag(&render->json, render->name, render->view->live);
}

const char *detail_text(const struct render *render, const char *name)
{
	return json_string_value(json_object_get(render->details, name));
}

static int append(const char *text, size_t length, void *buffer)
{
	buffer_put(buffer, bytes_from(text, length));
	return 0;
}

void put_detail(struct render *render, const char *name, const json_t *details,
                const char *otherwise)
{
	const json_t *member = json_object_get(details, name);

	if (!member || json_is_null(member)) {
		api_json_raw(&render->json, name, otherwise);
		return;
	}
	api_json_name(&render->json, name);
	json_dump_callback(member, append, render->json.buffer, JSON_COMPACT | JSON_ENCODE_ANY);
	api_json_done(&render->json);
}

static void put_members(struct render *render, const json_t *from, const char *const *names)
{
	for (; *names; names++)
		put_detail(render, *names, from, "null");
}

static void put_address_of(struct render *render, const json_t *address)
{
	static const char *const names[] = { "city",        "country", "line1", "line2",
		                             "postal_code", "state",   NULL };

	api_json_open(&render->json, "address", '{');
	put_members(render, address, names);
	api_json_close(&render->json, '}');
}

void put_address(struct render *render)
{
	const json_t *address = json_object_get(render->details, render->name);

	if (json_object_size(address))
		put_address_of(render, address);
	else
		api_json_null(&render->json, render->name);
}

void put_shipping(struct render *render)
{
	static const char *const names[] = { "carrier", "name", "phone", "tracking_number", NULL };
	const json_t *shipping = json_object_get(render->details, render->name);

	if (!json_object_size(shipping)) {
		api_json_null(&render->json, render->name);
		return;
	}
	api_json_open(&render->json, render->name, '{');
	put_address_of(render, json_object_get(shipping, "address"));
	put_members(render, shipping, names);
	api_json_close(&render->json, '}');
}

void put_billing_details(struct render *render)
{
	static const char *const names[] = { "email", "name", "phone", "tax_id", NULL };
	const json_t *billing = json_object_get(render->details, "billing_details");

	api_json_open(&render->json, render->name, '{');
	put_address_of(render, json_object_get(billing, "address"));
	put_members(render, billing, names);
	api_json_close(&render->json, '}');
}

void put_method_types(struct render *render)
{
	api_json_raw(&render->json, render->name, "[\"card\"]");
}
