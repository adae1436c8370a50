// The table of parameters, and the two things that are made from it.
#include "parameters.h"

#include "base/text.h"
#include "iso8583/codec.h"

enum kind { TEXT, NUMBER, FLAG, CHOICE };

// What was found for one parameter: a text, a number or a flag, by its kind.
struct value {
	const char *text; // NULL: not given
	int64_t number;
	bool flag;
};

struct row {
	const char *name;
	enum kind kind;
	bool required;
	const char *fallback; // as JSON; NULL: none
	int64_t min, max;
	const char *choices; // separated by spaces
	bool (*set)(struct parameters *parameters, const struct value *value);
	const char *wanted; // what the sentence of an error says
	const char *en, *ru;
};

static bool copy_digits(const char *text, char *to, size_t shortest, size_t longest)
{
	struct bytes digits = bytes_text(text);

	return digits.length >= shortest && digits.length <= longest && text_is_digits(digits) &&
	       bytes_copy_text(digits, to, longest + 1);
}

static bool set_host(struct parameters *parameters, const struct value *value)
{
	return value->text[0] && text_is_printable(bytes_text(value->text)) &&
	       bytes_copy_text(bytes_text(value->text), parameters->host, sizeof parameters->host);
}

static bool set_port(struct parameters *parameters, const struct value *value)
{
	parameters->port = value->number;
	return true;
}

// The name of a dialect that comes with the driver, or the text of a file: its first line break
// tells them apart.
static bool set_dialect(struct parameters *parameters, const struct value *value)
{
	struct bytes text = bytes_text(value->text);
	struct iso8583_mistake mistake;
	bool file = memchr(text.data, '\n', text.length) != NULL;

	return result_ok(file ? iso8583_dialect_read(text, &parameters->dialect, &mistake)
	                      : iso8583_dialect_find(text, &parameters->dialect));
}

static bool set_length_header(struct parameters *parameters, const struct value *value)
{
	return iso8583_header_named(bytes_text(value->text), &parameters->framing.header);
}

static bool set_length_inclusive(struct parameters *parameters, const struct value *value)
{
	parameters->framing.inclusive = value->flag;
	return true;
}

static bool set_tpdu(struct parameters *parameters, const struct value *value)
{
	if (!value->text)
		return true;
	parameters->framing.tpdu = true;
	return hex_read(bytes_text(value->text), parameters->tpdu, sizeof parameters->tpdu);
}

static bool set_acquirer(struct parameters *parameters, const struct value *value)
{
	return copy_digits(value->text, parameters->acquirer, 1, 11);
}

static bool set_category(struct parameters *parameters, const struct value *value)
{
	return copy_digits(value->text, parameters->category, 4, 4);
}

static bool set_country(struct parameters *parameters, const struct value *value)
{
	return !value->text || copy_digits(value->text, parameters->country, 3, 3);
}

static bool set_verify_code(struct parameters *parameters, const struct value *value)
{
	return copy_digits(value->text, parameters->processing_code, 6, 6);
}

static bool set_refund(struct parameters *parameters, const struct value *value)
{
	parameters->refund_advice = strcmp(value->text, "advice") == 0;
	return parameters->refund_advice || strcmp(value->text, "request") == 0;
}

static bool set_refund_code(struct parameters *parameters, const struct value *value)
{
	return copy_digits(value->text, parameters->refund_code, 6, 6);
}

static bool set_sign_on(struct parameters *parameters, const struct value *value)
{
	parameters->sign_on = value->flag;
	return true;
}

static bool set_connect_timeout(struct parameters *parameters, const struct value *value)
{
	parameters->connect_timeout_ms = value->number;
	return true;
}

static bool set_sign_on_timeout(struct parameters *parameters, const struct value *value)
{
	parameters->sign_on_timeout_ms = value->number;
	return true;
}

static bool set_echo_interval(struct parameters *parameters, const struct value *value)
{
	parameters->echo_interval_ms = value->number * 1000;
	return true;
}

static bool set_echo_timeout(struct parameters *parameters, const struct value *value)
{
	parameters->echo_timeout_ms = value->number;
	return true;
}

static bool set_late_window(struct parameters *parameters, const struct value *value)
{
	parameters->late_window_ms = value->number * 1000;
	return true;
}

// clang-format off
static const struct row rows[] = {
	{ "host", TEXT, true, NULL, 0, 0, NULL, set_host, "a host name or address",
	  "Host of the bank. Without TLS, which this version does not have, only this machine: "
	  "127.0.0.1, ::1 or localhost.",
	  "Адрес банка. Без TLS, которого в этой версии нет, — только эта машина: 127.0.0.1, "
	  "::1 или localhost." },
	{ "port", NUMBER, true, NULL, 1, 65535, NULL, set_port, "a number from 1 to 65535",
	  "TCP port of the bank.", "TCP-порт банка." },
	{ "dialect", TEXT, false, "\"1987-bcd\"", 0, 0, NULL, set_dialect,
	  "1987-ascii, 1987-bcd, 1993-bcd, cmf or the text of a dialect file without a mistake",
	  "How messages are built: 1987-ascii, 1987-bcd, 1993-bcd, cmf, or a dialect file "
	  "(--set-file; `onfile iso8583 lint FILE` checks it).",
	  "Строение сообщений: 1987-ascii, 1987-bcd, 1993-bcd, cmf или файл диалекта "
	  "(--set-file; его проверяет `onfile iso8583 lint ФАЙЛ`)." },
	{ "length_header", CHOICE, false, "\"binary2\"", 0, 0, "binary2 binary4 bcd2 ascii4",
	  set_length_header, "binary2, binary4, bcd2 or ascii4",
	  "The length in front of a message: bytes in binary, digits in BCD or in ASCII.",
	  "Длина перед сообщением: двоичная, BCD или цифры ASCII." },
	{ "length_inclusive", FLAG, false, "false", 0, 0, NULL, set_length_inclusive,
	  "true or false",
	  "The length counts its own bytes too.", "Длина учитывает и саму себя." },
	{ "tpdu", TEXT, false, NULL, 0, 0, NULL, set_tpdu,
	  "ten hexadecimal digits, such as 6000030000",
	  "TPDU in front of a message, ten hexadecimal digits. Without it no TPDU is sent or "
	  "expected.",
	  "TPDU перед сообщением, десять шестнадцатеричных цифр. Если не задан, TPDU нет." },
	{ "acquirer", TEXT, true, NULL, 0, 0, NULL, set_acquirer, "up to 11 digits",
	  "Acquiring institution code (DE32), up to 11 digits.",
	  "Код эквайера (DE32), до 11 цифр." },
	{ "mcc", TEXT, false, "\"5999\"", 0, 0, NULL, set_category, "four digits",
	  "Merchant category code (DE18).", "Код категории торговца, MCC (DE18)." },
	{ "country", TEXT, false, NULL, 0, 0, NULL, set_country, "three digits",
	  "Country of the acquirer (DE19), ISO 3166 number. Without it DE19 is not sent.",
	  "Страна эквайера (DE19), номер ISO 3166. Если не задана, DE19 не передаётся." },
	{ "verify", CHOICE, false, "\"before\"", 0, 0, "before after", NULL, "before or after",
	  "Whether a card is verified before or after 3-D Secure when it is linked. onfile "
	  "follows it; the driver does not.",
	  "Когда проверять карту при привязке: до или после 3-D Secure. Этому следует onfile, "
	  "не драйвер." },
	{ "verify_code", TEXT, false, "\"000000\"", 0, 0, NULL, set_verify_code, "six digits",
	  "Processing code (DE3) of a verification for zero.",
	  "Код операции (DE3) при проверке на нулевую сумму." },
	{ "refund", CHOICE, false, "\"request\"", 0, 0, "request advice", set_refund,
	  "request or advice",
	  "Whether the bank is asked for a refund (0200) or told of it (0220).",
	  "Возврат: запрос банку (0200) или извещение (0220)." },
	{ "refund_code", TEXT, false, "\"200000\"", 0, 0, NULL, set_refund_code, "six digits",
	  "Processing code (DE3) of a refund.", "Код операции (DE3) при возврате." },
	{ "sign_on", FLAG, false, "true", 0, 0, NULL, set_sign_on, "true or false",
	  "Sign on (0800/001) before the line is up.",
	  "Входить в сеть (0800/001) до начала работы." },
	{ "connect_timeout_ms", NUMBER, false, "5000", 100, 60000, NULL, set_connect_timeout,
	  "a number from 100 to 60000",
	  "Limit for making the connection.", "Предел на установку соединения." },
	{ "sign_on_timeout_ms", NUMBER, false, "10000", 100, 60000, NULL, set_sign_on_timeout,
	  "a number from 100 to 60000",
	  "Limit for the answer to the sign-on.", "Предел на ответ о входе в сеть." },
	{ "echo_interval_s", NUMBER, false, "30", 0, 3600, NULL, set_echo_interval,
	  "a number from 0 to 3600",
	  "Silence after which the line is tried with an echo (0800/301). 0: never.",
	  "Тишина, после которой линия проверяется эхом (0800/301). 0: никогда." },
	{ "echo_timeout_ms", NUMBER, false, "10000", 100, 60000, NULL, set_echo_timeout,
	  "a number from 100 to 60000",
	  "Limit for the answer to an echo; after it the line is made anew.",
	  "Предел на ответ на эхо; после него линия устанавливается заново." },
	{ "late_window_s", NUMBER, false, "600", 0, 86400, NULL, set_late_window,
	  "a number from 0 to 86400",
	  "How long after its deadline an answer is still recognised and reported.",
	  "Сколько времени после срока ответ ещё узнаётся и передаётся." },
};
// clang-format on

static bool read_number(const struct row *row, const json_t *json, struct value *ret_value)
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
static bool read_flag(const json_t *json, struct value *ret_value)
{
	const char *text = json_is_string(json) ? json_string_value(json) : "";

	ret_value->flag =
	        json_is_true(json) || strcmp(text, "true") == 0 || strcmp(text, "yes") == 0;
	return json_is_boolean(json) || ret_value->flag || strcmp(text, "false") == 0 ||
	       strcmp(text, "no") == 0;
}

static bool read_value(const struct row *row, const json_t *json, struct value *ret_value)
{
	*ret_value = (struct value){ 0 };
	if (!json || json_is_null(json))
		return !row->required;
	switch (row->kind) {
	case NUMBER: return read_number(row, json, ret_value);
	case FLAG: return read_flag(json, ret_value);
	default: ret_value->text = json_string_value(json); return ret_value->text != NULL;
	}
}

static bool set_one(const struct row *row, const json_t *object, struct parameters *parameters)
{
	const json_t *given = json_object_get(object, row->name);
	json_t *fallback = NULL;
	struct value value;

	if ((!given || json_is_null(given)) && row->fallback)
		given = fallback = json_loads(row->fallback, JSON_DECODE_ANY, NULL);
	bool good = read_value(row, given, &value) && (!row->set || row->set(parameters, &value));
	json_decref(fallback);
	return good;
}

struct result parameters_read(const json_t *object, struct parameters *ret_parameters,
                              struct buffer *ret_sentence)
{
	*ret_parameters = (struct parameters){ .framing.max = ISO8583_MESSAGE_MAX };
	if (!json_is_object(object)) {
		buffer_put_text(ret_sentence, "The first line has no parameters.");
		return FAIL(ERROR_INPUT, "no parameters");
	}
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (set_one(&rows[i], object, ret_parameters))
			continue;
		buffer_printf(ret_sentence, "The parameter %s should be %s.", rows[i].name,
		              rows[i].wanted);
		return FAIL(ERROR_INPUT, "a parameter is wrong");
	}
	return RESULT_OK;
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
	static const char *const kinds[] = { "text", "number", "flag", "choice" };

	buffer_put_text(buffer, "{\"name\":");
	json_put_text(buffer, bytes_text(row->name));
	buffer_printf(buffer, ",\"type\":\"%s\",\"required\":%s,\"secret\":false,\"default\":%s",
	              kinds[row->kind], row->required ? "true" : "false",
	              row->fallback ? row->fallback : "null");
	if (row->kind == NUMBER)
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
	                        "\"capture\",\"reverse\",\"refund\",\"test\"],"
	                        "\"sandbox\":{\"connect\":[\"port\"]},\"parameters\":[");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (i > 0)
			buffer_put_text(buffer, ",");
		describe_row(buffer, &rows[i]);
	}
	buffer_put_text(buffer, "]}\n");
}
