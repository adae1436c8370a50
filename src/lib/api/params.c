// Parameters against their table. See params.h.
#include "api/params.h"

#include "base/text.h"

#include <stdlib.h>

enum { METADATA_KEY_MAX = 40, METADATA_VALUE_MAX = 500 };

static size_t characters(struct bytes text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += (text.data[i] & 0xc0) != 0x80;
	return count;
}

// The length of `[]` or `[0]` to `[999]` at the start; 0 when there is none.
static size_t element(struct bytes name)
{
	size_t end = bytes_find(name, ']');
	uint64_t index;

	if (name.length < 2 || name.data[0] != '[' || end == name.length)
		return 0;
	struct bytes inside = bytes_slice(name, 1, end - 1);
	if (inside.length > 1 && inside.data[0] == '0')
		return 0; // one element has one name
	return inside.length == 0 || text_to_number(inside, 999, &index) ? end + 1 : 0;
}

// True when a name that came is what the row's name means.
static bool name_fits(const char *pattern, struct bytes name)
{
	while (*pattern) {
		bool bracket =
		        *pattern == '['; // seldom: most rows are passed at their first letter
		if (bracket && strcmp(pattern, "[**]") == 0)
			return name.length == 0 || name.data[0] == '[';
		if (bracket && pattern[1] == ']') {
			size_t length = element(name);
			if (!length)
				return false;
			name = bytes_slice(name, length, name.length);
			pattern += 2;
			continue;
		}
		if (name.length == 0 || name.data[0] != (uint8_t)*pattern)
			return false;
		name = bytes_slice(name, 1, name.length);
		pattern++;
	}
	return name.length == 0;
}

// `metadata[key]` or `metadata`; the key must have no brackets of its own.
static bool metadata_fits(const char *pattern, struct bytes name, struct bytes *ret_key)
{
	size_t length = strlen(pattern);

	*ret_key = BYTES_NONE;
	if (!bytes_start_with(name, pattern))
		return false;
	struct bytes rest = bytes_slice(name, length, name.length);
	if (rest.length == 0)
		return true;
	if (rest.length < 3 || rest.data[0] != '[' || rest.data[rest.length - 1] != ']')
		return false;
	*ret_key = bytes_slice(rest, 1, rest.length - 2);
	return bytes_find(*ret_key, '[') == ret_key->length &&
	       bytes_find(*ret_key, ']') == ret_key->length;
}

static const struct api_param *find(const struct api_param *const tables[], struct bytes name,
                                    struct bytes *ret_key)
{
	*ret_key = BYTES_NONE;
	for (int t = 0; t < API_PARAMS_TABLES && tables[t]; t++)
		for (const struct api_param *row = tables[t]; row->name; row++)
			if (row->type == API_METADATA ? metadata_fits(row->name, name, ret_key)
			                              : name_fits(row->name, name))
				return row;
	return NULL;
}

static bool read_text(struct api_value *value, const char *name, struct api_error *ret_error)
{
	size_t max = value->param->max ? (size_t)value->param->max : API_TEXT_MAX;

	if (characters(value->text) > max)
		return api_fail(ret_error, 400, NULL, name,
		                "Invalid string: %s must be at most %zu characters", name, max);
	return true;
}

static bool read_number(struct api_value *value, const char *name, struct api_error *ret_error)
{
	const struct api_param *param = value->param;
	bool negative = value->text.length > 1 && value->text.data[0] == '-';
	struct bytes digits = bytes_slice(value->text, negative, value->text.length);
	uint64_t number;

	if (!text_to_number(digits, INT64_MAX, &number)) {
		char shown[40];
		api_show(value->text, shown, sizeof(shown));
		return api_fail(ret_error, 400, "parameter_invalid_integer", name,
		                "Invalid integer: %s", shown);
	}
	value->number = negative ? -(int64_t)number : (int64_t)number;
	if (value->number < param->min || (param->max && value->number > param->max))
		return api_fail(ret_error, 400, "parameter_invalid_integer", name,
		                "%s must be a whole number from %lld to %lld", name,
		                (long long)param->min,
		                (long long)(param->max ? param->max : INT64_MAX));
	return true;
}

static bool read_flag(struct api_value *value, const char *name, struct api_error *ret_error)
{
	value->number =
	        bytes_equal_text(value->text, "true") || bytes_equal_text(value->text, "True");
	if (value->number || bytes_equal_text(value->text, "false") ||
	    bytes_equal_text(value->text, "False"))
		return true;
	char shown[40];
	api_show(value->text, shown, sizeof(shown));
	return api_fail(ret_error, 400, NULL, name, "Invalid boolean: %s", shown);
}

static bool read_choice(struct api_value *value, const char *name, struct api_error *ret_error)
{
	const char *choice = value->param->choices;

	while (*choice) {
		size_t length = strcspn(choice, " ");
		if (bytes_equal(value->text, bytes_from(choice, length)))
			return true;
		choice += length;
		choice += *choice == ' ';
	}
	return api_fail(ret_error, 400, NULL, name,
	                value->param->flags & API_ONLY
	                        ? "onfile does not support this value of %s: only %s."
	                        : "Invalid %s: must be one of %s",
	                name, value->param->choices);
}

static bool read_metadata(struct api_value *value, const char *name, struct api_error *ret_error)
{
	if (value->key.length == 0 && value->text.length > 0)
		return api_fail(ret_error, 400, NULL, name, "Invalid object");
	if (characters(value->key) > METADATA_KEY_MAX)
		return api_fail(ret_error, 400, NULL, name,
		                "Metadata keys must be at most %d characters", METADATA_KEY_MAX);
	if (characters(value->text) > METADATA_VALUE_MAX)
		return api_fail(ret_error, 400, NULL, name,
		                "Metadata values must be at most %d characters",
		                METADATA_VALUE_MAX);
	return true;
}

static bool read_object(struct api_value *value, const char *name, struct api_error *ret_error)
{
	return value->text.length == 0 || api_fail(ret_error, 400, NULL, name, "Invalid object");
}

static bool read_anything(struct api_value *value, const char *name, struct api_error *ret_error)
{
	(void)value;
	(void)name;
	(void)ret_error;
	return true;
}

static bool (*const readers[])(struct api_value *, const char *, struct api_error *) = {
	[API_TEXT] = read_text,         [API_NUMBER] = read_number,     [API_FLAG] = read_flag,
	[API_CHOICE] = read_choice,     [API_METADATA] = read_metadata, [API_OBJECT] = read_object,
	[API_ANYTHING] = read_anything,
};

static bool may_be_empty(const struct api_param *param)
{
	bool text = param->type == API_TEXT && param->flags & (API_STORED | API_IGNORED);

	return ((text || param->flags & API_UNSETS) && !(param->flags & API_NOT_EMPTY)) ||
	       param->type == API_METADATA || param->type == API_OBJECT ||
	       param->type == API_ANYTHING;
}

static bool read_value(const struct api_param *const tables[], struct api_value *value,
                       struct api_error *ret_error)
{
	char name[API_PARAM_CAPACITY];

	api_show(value->name, name, sizeof(name));
	if (!text_is_utf8(value->name) || !text_is_utf8(value->text) ||
	    bytes_find(value->name, 0) < value->name.length ||
	    bytes_find(value->text, 0) < value->text.length)
		return api_fail(ret_error, 400, NULL, name, "Invalid UTF-8 or a zero byte in %s",
		                name);
	value->param = find(tables, value->name, &value->key);
	if (!value->param)
		return api_fail(ret_error, 400, "parameter_unknown", name,
		                "Received unknown parameter: %s", name);
	if (value->param->flags & API_REFUSED)
		return api_fail(ret_error, 400, "parameter_unknown", name,
		                "onfile does not support %s.%s%s", name,
		                value->param->choices ? " " : "",
		                value->param->choices ? value->param->choices : "");
	if (value->text.length == 0 && may_be_empty(value->param))
		return true;
	if (value->text.length == 0)
		return api_fail(ret_error, 400, "parameter_invalid_empty", name,
		                "You passed an empty string for %s, which cannot be unset.", name);
	return readers[value->param->type](value, name, ret_error);
}

static bool is_list(struct bytes name)
{
	for (size_t i = 0; i + 1 < name.length; i++)
		if (name.data[i] == '[' && name.data[i + 1] == ']')
			return true;
	return false;
}

static bool is_repeated(const struct api_params *params, struct bytes name)
{
	if (is_list(name))
		return false;
	for (size_t i = 0; i < params->count; i++)
		if (bytes_equal(params->values[i].name, name))
			return true;
	return false;
}

static bool nothing_is_missing(const struct api_params *params,
                               const struct api_param *const tables[], struct api_error *ret_error)
{
	for (int t = 0; t < API_PARAMS_TABLES && tables[t]; t++)
		for (const struct api_param *row = tables[t]; row->name; row++)
			if (row->flags & API_REQUIRED && !api_params_get(params, row->name))
				return api_fail_missing_param(ret_error, row->name);
	return true;
}

bool api_params_read(const struct http_form_pair *pairs, size_t count,
                     const struct api_param *const tables[static API_PARAMS_TABLES],
                     struct api_params *ret_params, struct api_error *ret_error)
{
	*ret_params = (struct api_params){ 0 };
	if (count > API_VALUES_MAX)
		return api_fail(ret_error, 400, NULL, NULL, "More than %d parameters",
		                API_VALUES_MAX);
	ret_params->values = calloc(count ? count : 1, sizeof(struct api_value));
	if (!ret_params->values)
		return api_fail(ret_error, 500, NULL, NULL, "Out of memory");
	for (size_t i = 0; i < count; i++) {
		struct api_value *value = &ret_params->values[i];
		*value = (struct api_value){ .name = pairs[i].name, .text = pairs[i].value };
		if (!read_value(tables, value, ret_error))
			return false;
		if (is_repeated(ret_params, value->name)) {
			char name[API_PARAM_CAPACITY];
			api_show(value->name, name, sizeof(name));
			return api_fail(ret_error, 400, NULL, name, "%s was given twice", name);
		}
		ret_params->count++;
	}
	return nothing_is_missing(ret_params, tables, ret_error);
}

void api_params_done(struct api_params *params)
{
	free(params->values);
	*params = (struct api_params){ 0 };
}

const struct api_value *api_params_at(const struct api_params *params, const char *name,
                                      size_t place)
{
	for (size_t i = 0; i < params->count; i++)
		if (strcmp(params->values[i].param->name, name) == 0 && place-- == 0)
			return &params->values[i];
	return NULL;
}

const struct api_value *api_params_get(const struct api_params *params, const char *name)
{
	return api_params_at(params, name, 0);
}

bool api_params_has(const struct api_params *params, const char *name)
{
	return api_params_get(params, name) != NULL;
}

struct bytes api_params_text(const struct api_params *params, const char *name)
{
	const struct api_value *value = api_params_get(params, name);

	return value ? value->text : BYTES_NONE;
}

int64_t api_params_number(const struct api_params *params, const char *name, int64_t otherwise)
{
	const struct api_value *value = api_params_get(params, name);

	return value && value->text.length ? value->number : otherwise;
}

bool api_params_flag(const struct api_params *params, const char *name, bool otherwise)
{
	return api_params_number(params, name, otherwise) != 0;
}

bool api_params_is(const struct api_params *params, const char *name, const char *text)
{
	return bytes_equal_text(api_params_text(params, name), text);
}
