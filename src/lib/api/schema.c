// See schema.h.
#include "api/schema.h"

#include "api/fields.h"
#include "base/check.h"

#include <stdio.h>

enum { ANY = -1, NAME_CAPACITY = 64 };

static const struct {
	int kind;
	const char *member, *type;
} types[] = {
#define TYPE(kind, member, type) { kind, member, type },
#include "api/types.def"
#undef TYPE
};

static const char *type_of(enum api_object kind, const char *member)
{
	const char *found = NULL;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].member, member) == 0 &&
		    (types[i].kind == (int)kind || (types[i].kind == ANY && !found)))
			found = types[i].type;
	return found;
}

// --- objects

static json_t *choices(const char *names, size_t length, char separator)
{
	json_t *list = json_array();

	while (length) {
		const char *end = memchr(names, separator, length);
		size_t one = end ? (size_t)(end - names) : length;
		json_array_append_new(list, json_stringn(names, one));
		names += one + (end != NULL);
		length -= one + (end != NULL);
	}
	return list;
}

static json_t *reference(const char *name, size_t length)
{
	char path[NAME_CAPACITY * 2];

	snprintf(path, sizeof(path), "#/components/schemas/%.*s", (int)length, name);
	return json_pack("{s:s}", "$ref", path);
}

// Browsers see less of what a reference expands to.
static json_t *reference_or_id(const char *name, size_t length)
{
	json_t *any = json_pack("[{s:s}, o, {s:s}]", "type", "string", reference(name, length),
	                        "$ref", "#/components/schemas/deleted");

	for (int kind = 1; kind < API_OBJECTS; kind++) {
		const char *own = api_object_name((enum api_object)kind);
		if (strlen(own) != length || memcmp(own, name, length) != 0 ||
		    !api_schema_exists((enum api_object)kind, true))
			continue;
		char path[NAME_CAPACITY * 2];
		snprintf(path, sizeof(path), "#/components/schemas/%s.for_browsers", own);
		json_array_append_new(any, json_pack("{s:s}", "$ref", path));
	}
	return json_pack("{s:o}", "anyOf", any);
}

static json_t *list_of(json_t *element)
{
	return json_pack("{s:s, s:[s,s,s,s], s:{s:{s:s}, s:{s:s}, s:{s:s}, s:{s:s, s:o}}}", "type",
	                 "object", "required", "object", "url", "has_more", "data", "properties",
	                 "object", "const", "list", "url", "type", "string", "has_more", "type",
	                 "boolean", "data", "type", "array", "items", element);
}

// The schema of a type's name, `length` bytes of it, without the question mark.
static json_t *base_type(const char *type, size_t length)
{
	if (strncmp(type, "enum:", 5) == 0)
		return json_pack("{s:o}", "enum", choices(type + 5, length - 5, ','));
	// An id, the object where expand asked for it, or what is left of one that was deleted.
	if (strncmp(type, "ref:", 4) == 0)
		return reference_or_id(type + 4, length - 4);
	if (strncmp(type, "list:", 5) == 0)
		return list_of(reference(type + 5, length - 5));
	if (strncmp(type, "list", length) == 0)
		return list_of(json_false());
	if (strncmp(type, "strings", length) == 0 && length == 7)
		return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
	if (strncmp(type, "metadata", length) == 0)
		return json_pack("{s:s, s:{s:s}}", "type", "object", "additionalProperties", "type",
		                 "string");
	return json_pack("{s:s%}", "type", type, (int)length);
}

static json_t *schema_of_type(const char *type)
{
	size_t length = strlen(type);

	if (type[length - 1] != '?')
		return base_type(type, length - (type[length - 1] == '*'));
	return json_pack("{s:[o, {s:s}]}", "anyOf", base_type(type, length - 1), "type", "null");
}

static json_t *schema_of_field(enum api_object kind, const struct field *field)
{
	const char *type = type_of(kind, field->name);

	if (field->kind == FIELD_CONSTANT)
		return json_pack("{s:o}", "const", json_loads(field->json, JSON_DECODE_ANY, NULL));
	CHECK(type);
	return schema_of_type(type);
}

static bool is_optional(enum api_object kind, const struct field *field)
{
	const char *type = field->kind == FIELD_CONSTANT ? NULL : type_of(kind, field->name);

	return type && type[strlen(type) - 1] == '*';
}

bool api_schema_exists(enum api_object kind, bool shopper)
{
	const struct field *field = object_kinds[kind] ? object_kinds[kind]->fields : NULL;

	while (shopper && field && field->name && !field->shopper)
		field++;
	return field && field->name;
}

// Members that only the answer to the making of an object has stand in types.def alone.
static void add_shown_once(enum api_object kind, json_t *properties)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].kind == (int)kind && types[i].type[strlen(types[i].type) - 1] == '*' &&
		    !json_object_get(properties, types[i].member))
			json_object_set_new(properties, types[i].member,
			                    schema_of_type(types[i].type));
}

json_t *api_schema_object(enum api_object kind, bool shopper)
{
	json_t *properties = json_object();
	json_t *required = json_array();

	for (const struct field *field = object_kinds[kind]->fields; field->name; field++) {
		if (shopper && !field->shopper)
			continue;
		json_object_set_new(properties, field->name, schema_of_field(kind, field));
		if (!is_optional(kind, field))
			json_array_append_new(required, json_string(field->name));
	}
	add_shown_once(kind, properties);
	return json_pack("{s:s, s:o, s:o, s:b, s:o}", "type", "object", "properties", properties,
	                 "required", required, "additionalProperties", 0, "x-expandable",
	                 api_expand_describe(kind));
}

// --- parameters

static json_t *text_schema(const struct api_param *param)
{
	return json_pack("{s:s, s:I}", "type", "string", "maxLength",
	                 (json_int_t)(param->max ? param->max : API_TEXT_MAX));
}

static json_t *number_schema(const struct api_param *param)
{
	json_t *schema =
	        json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)param->min);

	if (param->max)
		json_object_set_new(schema, "maximum", json_integer(param->max));
	return schema;
}

static json_t *choice_schema(const struct api_param *param)
{
	json_t *list = choices(param->choices, strlen(param->choices), ' ');

	if (param->flags & API_UNSETS)
		json_array_append_new(list, json_string(""));
	return json_pack("{s:s, s:o}", "type", "string", "enum", list);
}

json_t *api_schema_param(const struct api_param *param)
{
	json_t *schema = NULL;

	switch (param->type) {
	case API_TEXT: schema = text_schema(param); break;
	case API_NUMBER: schema = number_schema(param); break;
	case API_FLAG: schema = json_pack("{s:s}", "type", "boolean"); break;
	case API_CHOICE: schema = choice_schema(param); break;
	case API_METADATA: schema = base_type("metadata", 8); break;
	case API_OBJECT: schema = json_pack("{s:s, s:I}", "type", "string", "maxLength", 0); break;
	case API_ANYTHING: schema = json_object(); break;
	}
	if (param->flags & API_IGNORED)
		json_object_set_new(schema, "description",
		                    json_string("Accepted; it changes nothing here."));
	return schema;
}

// The member of an object's schema, made when it is not there.
static json_t *member_of(json_t *object, const char *name, size_t length)
{
	char key[NAME_CAPACITY];

	snprintf(key, sizeof(key), "%.*s", (int)length, name);
	json_t *properties = json_object_get(object, "properties");
	if (!properties) {
		properties = json_object();
		json_object_set_new(object, "type", json_string("object"));
		json_object_set_new(object, "properties", properties);
		json_object_del(object, "maxLength"); // it was only there to be unset as a whole
	}
	json_t *member = json_object_get(properties, key);
	if (!member) {
		member = json_object();
		json_object_set_new(properties, key, member);
	}
	return member;
}

static json_t *element_of(json_t *array)
{
	json_t *items = json_object_get(array, "items");

	if (!items) {
		items = json_object();
		json_object_set_new(array, "type", json_string("array"));
		json_object_set_new(array, "items", items);
		json_object_del(array, "maxLength");
	}
	return items;
}

// Puts one row where its brackets say: a[b][] is the elements of member b of member a.
static void put_param(json_t *form, const struct api_param *param)
{
	const char *name = param->name;
	size_t length = strcspn(name, "[");
	json_t *at = member_of(form, name, length);

	for (name += length; *name == '['; name += length + 2) {
		length = strcspn(name + 1, "]");
		if (length == 0)
			at = element_of(at);
		else if (strncmp(name, "[**]", 4) != 0)
			at = member_of(at, name + 1, length);
	}
	json_t *schema = api_schema_param(param);
	if (json_object_size(at) == 0 || param->type != API_OBJECT)
		json_object_update_missing(at, schema);
	json_decref(schema);
}

json_t *api_schema_form(const struct api_param *const tables[static API_PARAMS_TABLES])
{
	json_t *form = json_pack("{s:s, s:{}}", "type", "object", "properties");
	json_t *required = json_array();

	for (int t = 0; t < API_PARAMS_TABLES && tables[t]; t++)
		for (const struct api_param *row = tables[t]; row->name; row++) {
			if (row->flags & API_REFUSED)
				continue;
			put_param(form, row);
			if (row->flags & API_REQUIRED)
				json_array_append_new(required, json_string(row->name));
		}
	if (json_array_size(required))
		json_object_set(form, "required", required);
	json_decref(required);
	json_object_set_new(form, "additionalProperties", json_false());
	return form;
}
