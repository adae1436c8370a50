// Reading and describing by the table in rows.c.
#include "parameters.h"

#include "base/text.h"
#include "edition.h"
#include "iso8583/codec.h"
#include "rows.h"

#include <stdlib.h>

static bool read_number(const struct row *row, const json_t *json, struct row_value *ret_value)
{
	uint64_t number;

	if (json_is_integer(json) && json_integer_value(json) >= 0)
		number = (uint64_t)json_integer_value(json);
	else if (!json_is_string(json) ||
	         !text_to_number(bytes_text(json_string_value(json)), INT32_MAX, &number))
		return false;
	ret_value->number = (int64_t)number;
	return ret_value->number >= row->min && ret_value->number <= row->max;
}

// Numbers and flags may come as texts too, as a command line has them.
static bool read_flag(const json_t *json, struct row_value *ret_value)
{
	const char *text = json_is_string(json) ? json_string_value(json) : "";

	ret_value->flag =
	        json_is_true(json) || strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
	return json_is_boolean(json) || ret_value->flag || strcmp(text, "false") == 0 ||
	       strcmp(text, "no") == 0;
}

// The number of the choice goes to `number`.
static bool read_choice(const struct row *row, const json_t *json, struct row_value *ret_value)
{
	const char *text = json_string_value(json);
	const char *choice = row->choices;

	ret_value->text = text;
	for (int64_t i = 0; text && *choice; i++) {
		size_t length = strcspn(choice, " ");
		ret_value->number = i;
		if (strlen(text) == length && memcmp(text, choice, length) == 0)
			return true;
		choice += length + (choice[length] == ' ');
	}
	return false;
}

static bool read_value(const struct row *row, const json_t *json, struct row_value *ret_value)
{
	*ret_value = (struct row_value){ 0 };
	if (!json || json_is_null(json))
		return !row->required;
	switch (row->kind) {
	case ROW_NUMBER: return read_number(row, json, ret_value);
	case ROW_FLAG: return read_flag(json, ret_value);
	case ROW_CHOICE: return read_choice(row, json, ret_value);
	default: ret_value->text = json_string_value(json); return ret_value->text != NULL;
	}
}

// Digits of a certain length where the row has one, else any printable text.
static bool place_text(const struct row *row, const char *given, char *to)
{
	struct bytes text = bytes_text(given);

	if (row->max > 0 && (text.length < (size_t)row->min || text.length > (size_t)row->max ||
	                     !text_is_digits(text)))
		return false;
	return text.length > 0 && text_is_printable(text) && bytes_copy_text(text, to, row->size);
}

static bool place(const struct row *row, struct parameters *parameters,
                  const struct row_value *value)
{
	char *to = (char *)parameters + row->offset;

	if (row->set)
		return row->set(parameters, value);
	if (row->size == 0)
		return true; // for onfile, not for us
	switch (row->kind) {
	case ROW_NUMBER: *(int64_t *)(void *)to = value->number * row->scale; return true;
	case ROW_FLAG: *(bool *)to = value->flag; return true;
	case ROW_CHOICE: *(bool *)to = value->number == 1; return true;
	default: return !value->text || place_text(row, value->text, to);
	}
}

static bool set_one(const struct row *row, const json_t *object, struct parameters *parameters)
{
	const json_t *given = json_object_get(object, row->name);
	json_t *fallback = NULL;
	struct row_value value;

	if ((!given || json_is_null(given)) && row->fallback)
		given = fallback = json_loads(row->fallback, JSON_DECODE_ANY, NULL);
	bool good = read_value(row, given, &value) && place(row, parameters, &value);
	json_decref(fallback);
	return good;
}

// Fewer bytes would be guessed.
static bool holds_mac(const struct iso8583_field *field)
{
	return field->type == ISO8583_B && field->prefix == 0 && field->max >= 4 && field->max <= 8;
}

// A dialect without field 128 has no messages that need it.
static bool mac_has_room(const struct iso8583_dialect *dialect)
{
	const struct iso8583_field *low = &dialect->fields[64], *high = &dialect->fields[128];

	return holds_mac(low) && (high->type == ISO8583_UNUSED || holds_mac(high));
}

// What no parameter can see alone.
static const char *find_contradiction(const struct parameters *parameters)
{
	if ((parameters->mac == MAC_NONE) != (parameters->mac_key_length == 0))
		return "The parameters mac and mac_key go together.";
	if (parameters->mac != MAC_NONE && !mac_has_room(parameters->dialect))
		return "The parameter mac needs a dialect whose fields 64 and 128 have 4 to 8 "
		       "bytes.";
	if (parameters->mac == MAC_RETAIL && parameters->mac_key_length != 16)
		return "The parameter mac_key should have 32 hexadecimal digits for a retail MAC.";
	if ((parameters->certificate[0] != 0) != (parameters->key[0] != 0))
		return "The parameters client_certificate and client_key go together.";
	if (!parameters->tls && (parameters->certificate[0] || parameters->ca_file[0]))
		return "There are certificates, but the parameter tls is none; it should be "
		       "required.";
	return NULL;
}

struct result parameters_read(const json_t *object, struct parameters *ret_parameters,
                              struct buffer *ret_sentence)
{
	*ret_parameters = (struct parameters){ .framing.max = ISO8583_MESSAGE_MAX };
	if (!json_is_object(object)) {
		buffer_put_text(ret_sentence, "The first line has no parameters.");
		return FAIL(ERROR_INPUT, "no parameters");
	}
	for (size_t i = 0; i < parameter_rows_count; i++) {
		const struct row *row = &parameter_rows[i];
		if (set_one(row, object, ret_parameters))
			continue;
		buffer_printf(ret_sentence, "The parameter %s should be %s.", row->name,
		              row->wanted);
		return FAIL(ERROR_INPUT, "a parameter is wrong");
	}
	const struct iso8583_dialect *dialect = ret_parameters->dialect;
	if (!edition_row(dialect->roles.edition)) {
		buffer_printf(ret_sentence,
		              "The driver cannot build messages of the dialect %s: it has no line "
		              "edition 1987, edition 1993 or edition 2003.",
		              dialect->name);
		return FAIL(ERROR_INPUT, "a dialect without an edition");
	}
	const char *contradiction = find_contradiction(ret_parameters);
	if (!contradiction)
		return RESULT_OK;
	buffer_put_text(ret_sentence, contradiction);
	return FAIL(ERROR_INPUT, "parameters contradict each other");
}

void parameters_done(struct parameters *parameters)
{
	iso8583_dialect_free(parameters->dialect);
	free(parameters->terminals);
	explicit_bzero(parameters, sizeof *parameters);
}

static void put_choices(struct buffer *buffer, const char *choices)
{
	buffer_put_text(buffer, ",\"choices\":[");
	while (*choices) {
		size_t length = strcspn(choices, " ");
		json_put_text(buffer, bytes_from(choices, length));
		choices += length + (choices[length] == ' ');
		if (*choices)
			buffer_put_text(buffer, ",");
	}
	buffer_put_text(buffer, "]");
}

static void describe_row(struct buffer *buffer, const struct row *row)
{
	static const char *const kinds[] = { "text", "number", "flag", "choice", "file" };

	buffer_put_text(buffer, "{\"name\":");
	json_put_text(buffer, bytes_text(row->name));
	buffer_printf(buffer, ",\"type\":\"%s\",\"required\":%s,\"secret\":%s,\"default\":%s",
	              kinds[row->kind], row->required ? "true" : "false",
	              row->secret ? "true" : "false", row->fallback ? row->fallback : "null");
	if (row->kind == ROW_NUMBER)
		buffer_printf(buffer, ",\"min\":%lld,\"max\":%lld", (long long)row->min,
		              (long long)row->max);
	if (row->choices)
		put_choices(buffer, row->choices);
	buffer_put_text(buffer, ",\"help\":{\"en\":");
	json_put_text(buffer, bytes_text(row->en));
	buffer_put_text(buffer, ",\"ru\":");
	json_put_text(buffer, bytes_text(row->ru));
	buffer_put_text(buffer, "}}");
}

void parameters_describe(struct buffer *buffer)
{
	buffer_put_text(buffer, "{\"contract\":1,\"name\":\"iso8583\",\"version\":\"" ONFILE_VERSION
	                        "\",\"kind\":\"bank\",\"operations\":[\"verify\",\"authorize\","
	                        "\"capture\",\"reverse\",\"refund\",\"test\"],\"checks\":true,"
	                        "\"sandbox\":{\"connect\":[\"port\"]},\"parameters\":[");
	for (size_t i = 0; i < parameter_rows_count; i++) {
		if (i > 0)
			buffer_put_text(buffer, ",");
		describe_row(buffer, &parameter_rows[i]);
	}
	buffer_put_text(buffer, "]}\n");
}
