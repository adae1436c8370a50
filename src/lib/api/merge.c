// Puts the parameters that are to be stored into an object's details, a JSON object, each at the
// place that its name says. Part of params.h.
#include "api/params.h"

#include "base/buffer.h"

enum { METADATA_KEYS = 50 };

static json_t *json_of(const struct api_value *value)
{
	switch (value->param->type) {
	case API_NUMBER: return json_integer(value->number);
	case API_FLAG: return json_boolean(value->number);
	default: return json_stringn((const char *)value->text.data, value->text.length);
	}
}

// The next part of a name: `address[city]` gives `address`, then `city`. Empty at the end, and for
// the brackets of a list.
static struct bytes next_part(struct bytes *name)
{
	bool bracket = name->length && name->data[0] == '[';
	struct bytes rest = bytes_slice(*name, bracket, name->length);
	struct bytes part = bytes_slice(rest, 0, bytes_find(rest, bracket ? ']' : '['));

	*name = bytes_slice(rest, part.length + bracket, rest.length);
	return part;
}

static json_t *object_at(json_t *details, struct bytes part)
{
	json_t *object = json_object_getn(details, (const char *)part.data, part.length);

	if (json_is_object(object))
		return object;
	object = json_object();
	json_object_setn_new(details, (const char *)part.data, part.length, object);
	return object;
}

static void set(json_t *object, struct bytes part, const struct api_value *value)
{
	const char *key = (const char *)part.data;

	if (value->text.length == 0)
		json_object_deln(object, key, part.length);
	else
		json_object_setn_new(object, key, part.length, json_of(value));
}

// A list that comes in a request replaces the one that is stored: its first element empties it.
static void add(json_t *object, struct bytes part, const struct api_value *value, bool first)
{
	const char *key = (const char *)part.data;

	if (first)
		json_object_setn_new(object, key, part.length, json_array());
	if (value->text.length)
		json_array_append_new(json_object_getn(object, key, part.length), json_of(value));
}

static bool merge_metadata(json_t *object, struct bytes part, const struct api_value *value,
                           struct api_error *ret_error)
{
	if (value->key.length == 0) {
		json_object_deln(object, (const char *)part.data, part.length);
		return true;
	}
	json_t *metadata = object_at(object, part);
	set(metadata, value->key, value);
	if (json_object_size(metadata) > METADATA_KEYS)
		return api_fail(ret_error, 400, NULL, "metadata",
		                "You can only have %d metadata keys", METADATA_KEYS);
	return true;
}

// Walks along the row's name, not the one that came: a table cannot surprise us.
static bool merge_value(const struct api_params *params, const struct api_value *value,
                        struct bytes name, json_t *details, struct api_error *ret_error)
{
	struct bytes part = next_part(&name);

	while (name.length && !bytes_equal_text(name, "[]")) {
		details = object_at(details, part);
		part = next_part(&name);
	}
	if (value->param->type == API_METADATA)
		return merge_metadata(details, part, value, ret_error);
	if (name.length)
		add(details, part, value, api_params_get(params, value->param->name) == value);
	else
		set(details, part, value);
	return true;
}

bool api_params_merge(const struct api_params *params, const char *below, json_t *details,
                      struct api_error *ret_error)
{
	// What empties a whole object goes first, whatever the order in the request was.
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < params->count; i++) {
			const struct api_value *value = &params->values[i];
			struct bytes name = bytes_text(value->param->name);
			bool clears = value->param->type == API_OBJECT ||
			              (value->param->type == API_METADATA && !value->key.length);
			if (!(value->param->flags & API_STORED) || clears != (pass == 0) ||
			    (below && !bytes_start_with(name, below)))
				continue;
			if (below)
				name = bytes_slice(name, strlen(below), name.length);
			if (!merge_value(params, value, name, details, ret_error))
				return false;
		}
	return true;
}
