// The one checker for all messages: reads the JSON, finds the type, goes through the message's
// table. What the fields are is in tables.c, when they are needed in rules.c.
// EMV 3-D Secure 2.2.0 section 5.1.6 and annex A.5.5 (errorCode).

#include "emv3ds/table.h"

#include "base/check.h"

#include <stdio.h>
#include <strings.h>

static const struct {
	enum emv3ds_code code;
	const char *text;
} code_texts[] = {
	{ EMV3DS_WRONG_TYPE, "Not a message that is expected here." },
	{ EMV3DS_WRONG_VERSION, "This version is not supported." },
	{ EMV3DS_TOO_OFTEN, "Card ranges were asked for too often." },
	{ EMV3DS_MISSING, "A required field is missing." },
	{ EMV3DS_CRITICAL_EXTENSION, "A critical extension is not understood." },
	{ EMV3DS_FORMAT, "A field has a wrong format or value." },
	{ EMV3DS_DUPLICATE, "A field is there twice." },
	{ EMV3DS_UNKNOWN_ID, "An id is not known, or does not belong to this transaction." },
	{ EMV3DS_NO_ACCESS, "The sender may not do this." },
	{ EMV3DS_ISO_CODE, "An ISO code is not valid here." },
	{ EMV3DS_TRANSACTION_DATA, "The data does not fit the transaction." },
	{ EMV3DS_SERIAL_NUMBER, "The serial number is not known." },
	{ EMV3DS_TIMED_OUT, "The next system did not answer in time." },
	{ EMV3DS_TRANSIENT, "The system is out of order for a moment." },
	{ EMV3DS_PERMANENT, "The system is out of order." },
	{ EMV3DS_NO_CONNECTION, "The next system cannot be reached." },
};

const char *emv3ds_code_text(enum emv3ds_code code)
{
	for (size_t i = 0; i < sizeof(code_texts) / sizeof(code_texts[0]); i++)
		if (code_texts[i].code == code)
			return code_texts[i].text;
	return "";
}

const char *emv3ds_type_name(enum emv3ds_type type)
{
	return type < EMV3DS_TYPES ? emv3ds_tables[type].name : "";
}

const char *emv3ds_text(const json_t *message, const char *name)
{
	const char *text = json_string_value(json_object_get(message, name));

	return text ? text : "";
}

static enum emv3ds_type type_of(const json_t *message)
{
	const char *name = emv3ds_text(message, "messageType");
	enum emv3ds_type type = 0;

	while (type < EMV3DS_TYPES && strcmp(name, emv3ds_tables[type].name) != 0)
		type++;
	return type;
}

// Absent, empty and null are the same thing (annex A.1).
static bool is_absent(const json_t *value)
{
	return !value || json_is_null(value) ||
	       (json_is_string(value) && json_string_length(value) == 0);
}

// A message, or an object in one, with the value of each row of its table: looked up once, because
// every search by name costs more than a check.
enum { ROWS_MAX = 96 };

struct object {
	const char *parent; // "" for the message itself
	const json_t *members;
	const json_t *values[ROWS_MAX];
};

static void look_up(const struct emv3ds_field *fields, const char *parent, const json_t *members,
                    struct object *ret_object)
{
	ret_object->parent = parent;
	ret_object->members = members;
	for (size_t i = 0; fields[i].name; i++) {
		CHECK(i < ROWS_MAX);
		ret_object->values[i] = json_object_get(members, fields[i].name);
	}
}

typedef void (*field_check)(const struct emv3ds_field *field, const struct object *object,
                            const json_t *value, const struct emv3ds_known *known,
                            struct emv3ds_problem *problem);

static void check_missing(const struct emv3ds_field *field, const struct object *object,
                          const json_t *value, const struct emv3ds_known *known,
                          struct emv3ds_problem *problem)
{
	if (is_absent(value) && emv3ds_presence(field->need, object->members, known) == REQUIRED)
		emv3ds_blame(problem, EMV3DS_MISSING, object->parent, field->name);
}

static void check_format(const struct emv3ds_field *field, const struct object *object,
                         const json_t *value, const struct emv3ds_known *known,
                         struct emv3ds_problem *problem)
{
	if (value && (emv3ds_presence(field->need, object->members, known) == FORBIDDEN ||
	              !emv3ds_value_ok(field, value)))
		emv3ds_blame(problem, EMV3DS_FORMAT, object->parent, field->name);
}

static void check_code(const struct emv3ds_field *field, const struct object *object,
                       const json_t *value, const struct emv3ds_known *known,
                       struct emv3ds_problem *problem)
{
	(void)known;
	if ((field->format == FORMAT_CURRENCY || field->format == FORMAT_COUNTRY) &&
	    json_string_length(value) > 0 &&
	    !emv3ds_code_ok(field->format, json_string_value(value)))
		emv3ds_blame(problem, EMV3DS_ISO_CODE, object->parent, field->name);
}

static void each_field(const struct emv3ds_field *fields, const struct object *object,
                       const struct emv3ds_known *known, field_check check,
                       struct emv3ds_problem *problem);

static void each_inside(const struct emv3ds_field *field, const json_t *members,
                        const struct emv3ds_known *known, field_check check,
                        struct emv3ds_problem *problem)
{
	struct object inside;

	look_up(field->children, field->name, members, &inside);
	each_field(field->children, &inside, known, check, problem);
}

// Applies one check to every row, and to the rows of the objects inside (one level: none of the
// messages has more).
static void each_field(const struct emv3ds_field *fields, const struct object *object,
                       const struct emv3ds_known *known, field_check check,
                       struct emv3ds_problem *problem)
{
	for (const struct emv3ds_field *field = fields; field->name; field++) {
		const json_t *value = object->values[field - fields];

		check(field, object, value, known, problem);
		if (field->format == FORMAT_OBJECT && json_is_object(value))
			each_inside(field, value, known, check, problem);
		for (size_t i = 0; field->format == FORMAT_OBJECTS && i < json_array_size(value);
		     i++) {
			const json_t *element = json_array_get(value, i);

			if (!json_is_object(element)) {
				emv3ds_blame(problem, EMV3DS_FORMAT, object->parent, field->name);
				break;
			}
			each_inside(field, element, known, check, problem);
			if (problem->code != EMV3DS_FINE)
				break; // one faulty element is enough of a list
		}
	}
}

static void check_extensions(const json_t *message, struct emv3ds_problem *problem)
{
	size_t index;
	json_t *extension;

	// No extension is understood here, so none may be critical.
	json_array_foreach(json_object_get(message, "messageExtension"), index, extension)
	{
		if (json_is_true(json_object_get(extension, "criticalityIndicator")))
			emv3ds_blame(problem, EMV3DS_CRITICAL_EXTENSION, "",
			             emv3ds_text(extension, "id"));
	}
}

static void check_ids(enum emv3ds_type type, const json_t *message,
                      const struct emv3ds_known *known, struct emv3ds_problem *problem)
{
	const struct {
		const char *name;
		const char *expected;
	} ids[] = {
		{ "threeDSServerTransID", known->transaction },
		{ "dsTransID", known->ds_transaction },
		{ "acsTransID", known->acs_transaction },
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *text = emv3ds_text(message, ids[i].name);

		// An Erro, and a CReq or CRes, does not carry every id.
		if (!*text && (type == EMV3DS_ERRO || type == EMV3DS_CREQ || type == EMV3DS_CRES))
			continue;
		if (ids[i].expected && strcasecmp(text, ids[i].expected) != 0)
			emv3ds_blame(problem, EMV3DS_UNKNOWN_ID, "", ids[i].name);
	}
}

static void check_version(const json_t *message, const struct emv3ds_known *known,
                          struct emv3ds_problem *problem)
{
	const char *version = emv3ds_text(message, "messageVersion");

	if (!*version)
		emv3ds_blame(problem, EMV3DS_MISSING, "", "messageVersion");
	else if (known->version && strcmp(version, known->version) != 0)
		emv3ds_blame(problem, EMV3DS_FORMAT, "", "messageVersion");
	else if (strcmp(version, EMV3DS_VERSION) != 0)
		emv3ds_blame(problem, EMV3DS_WRONG_VERSION, "", EMV3DS_VERSION);
}

struct emv3ds_problem emv3ds_check(const json_t *message, const struct emv3ds_known *known,
                                   enum emv3ds_type *ret_type)
{
	struct emv3ds_problem problem = { EMV3DS_FINE, "" };
	enum emv3ds_type type = type_of(message);
	const struct emv3ds_field *fields;
	struct object object;

	if (ret_type)
		*ret_type = type;
	if (type == EMV3DS_TYPES || !(known->accepts & EMV3DS_BIT(type))) {
		emv3ds_blame(&problem, EMV3DS_WRONG_TYPE, "", "messageType");
		return problem;
	}
	fields = emv3ds_tables[type].fields;
	// An Erro about a version must be readable in whatever version its sender speaks.
	if (type != EMV3DS_ERRO)
		check_version(message, known, &problem);
	if (problem.code == EMV3DS_WRONG_VERSION || problem.code == EMV3DS_FORMAT)
		return problem;
	problem = (struct emv3ds_problem){ EMV3DS_FINE, "" };
	look_up(fields, "", message, &object);
	each_field(fields, &object, known, check_missing, &problem);
	if (problem.code == EMV3DS_FINE)
		each_field(fields, &object, known, check_format, &problem);
	if (problem.code != EMV3DS_FINE)
		return problem;
	emv3ds_rules(type, message, known, &problem);
	if (problem.code == EMV3DS_FINE)
		check_extensions(message, &problem);
	if (problem.code == EMV3DS_FINE)
		each_field(fields, &object, known, check_code, &problem);
	if (problem.code == EMV3DS_FINE)
		check_ids(type, message, known, &problem);
	return problem;
}

struct emv3ds_reading emv3ds_read(struct bytes text, const struct emv3ds_known *known)
{
	struct emv3ds_reading reading = { { EMV3DS_FINE, "" }, EMV3DS_TYPES, NULL };
	json_error_t error;
	json_t *message =
	        json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, &error);

	if (!message || !json_is_object(message)) {
		bool twice = !message && json_error_code(&error) == json_error_duplicate_key;

		emv3ds_blame(&reading.problem, twice ? EMV3DS_DUPLICATE : EMV3DS_WRONG_TYPE, "",
		             twice ? "a key is there twice" : "the message is not a JSON object");
		json_decref(message);
	} else {
		reading.message = message;
		reading.problem = emv3ds_check(message, known, &reading.type);
	}
	// jansson quotes the text around a mistake, which may be a card number.
	explicit_bzero(&error, sizeof(error));
	return reading;
}
