// The table of parameters, its reader and its description. docs/drivers.md.

#include "parameters.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

static bool is_url(const char *text)
{
	return emv3ds_url_ok(bytes_text(text));
}

static bool is_pem(const char *text)
{
	return strncmp(text, "-----BEGIN ", 11) == 0;
}

static bool is_mcc(const char *text)
{
	return strlen(text) == 4 && text_is_digits(bytes_text(text));
}

static bool is_country(const char *text)
{
	return strlen(text) == 3 && text_is_digits(bytes_text(text));
}

static bool is_bin(const char *text)
{
	return strlen(text) <= 11 && text_is_digits(bytes_text(text));
}

static bool is_version(const char *text)
{
	return strcmp(text, EMV3DS_VERSION) == 0;
}

struct parameter {
	const char *name;
	size_t place; // in struct parameters
	const char *type;
	bool required;
	bool secret;
	const char *fallback;
	long min, max; // of a number; of a text, max is its length (0: any)
	bool (*check)(const char *text);
	const char *help_en;
	const char *help_ru;
};

#define AT(member) #member, offsetof(struct parameters, member)

static const struct parameter table[] = {
	{ AT(url), "text", true, false, NULL, 0, 2048, is_url,
	  "Address of the directory server (https; http for loopback only)",
	  "Адрес сервера каталога (https; http — только на этой машине)" },
	{ AT(requestor_id), "text", true, false, NULL, 0, 35, NULL,
	  "Requestor id that the directory server gave you (threeDSRequestorID)",
	  "Идентификатор магазина у платёжной системы (threeDSRequestorID)" },
	{ AT(requestor_name), "text", true, false, NULL, 0, 40, NULL,
	  "Requestor name as registered (threeDSRequestorName)",
	  "Имя магазина, как оно зарегистрировано (threeDSRequestorName)" },
	{ AT(server_reference), "text", true, false, NULL, 0, 32, NULL,
	  "Reference number of the 3-D Secure server (threeDSServerRefNumber)",
	  "Номер сервера 3-D Secure из сертификата (threeDSServerRefNumber)" },
	{ AT(operator_id), "text", false, false, NULL, 0, 32, NULL,
	  "Operator id, if the payment system gave one (threeDSServerOperatorID)",
	  "Идентификатор оператора, если он выдан (threeDSServerOperatorID)" },
	{ AT(acquirer_bin), "text", true, false, NULL, 0, 11, is_bin,
	  "Acquirer BIN: digits, at most 11", "БИН эквайера: не больше 11 цифр" },
	{ AT(merchant_id), "text", true, false, NULL, 0, 35, NULL, "Merchant id at the acquirer",
	  "Номер магазина у эквайера" },
	{ AT(mcc), "text", true, false, NULL, 0, 4, is_mcc, "Merchant category code: four digits",
	  "Код категории магазина (MCC): четыре цифры" },
	{ AT(country), "text", true, false, NULL, 0, 3, is_country,
	  "Country of the merchant: ISO 3166-1, three digits",
	  "Страна магазина: три цифры по ISO 3166-1" },
	{ AT(version), "choice", false, false, EMV3DS_VERSION, 0, 0, is_version,
	  "Version of 3-D Secure", "Версия 3-D Secure" },
	{ AT(refresh_minutes), "number", false, false, "60", 60, 1440, NULL,
	  "Minutes between two requests for the card ranges",
	  "Сколько минут между запросами диапазонов карт" },
	{ AT(ca), "text", false, false, NULL, 0, 0, is_pem,
	  "Certificates that the directory server is checked against (PEM)",
	  "Сертификаты, по которым проверяется сервер каталога (PEM)" },
	{ AT(certificate), "text", false, false, NULL, 0, 0, is_pem, "Our client certificate (PEM)",
	  "Наш клиентский сертификат (PEM)" },
	{ AT(key), "text", false, true, NULL, 0, 0, is_pem, "Key of the client certificate (PEM)",
	  "Ключ клиентского сертификата (PEM)" },
};

enum { TABLE_ROWS = sizeof(table) / sizeof(table[0]) };

// A number comes as a JSON number, or as its digits.
static bool read_number(const struct parameter *row, const json_t *value, long *ret_number)
{
	uint64_t number = 0;

	if (json_is_integer(value))
		number = json_integer_value(value) < 0 ? UINT64_MAX
		                                       : (uint64_t)json_integer_value(value);
	else if (!text_to_number(bytes_text(value ? json_string_value(value) : row->fallback),
	                         (uint64_t)row->max, &number))
		return false;
	*ret_number = (long)number;
	return number >= (uint64_t)row->min && number <= (uint64_t)row->max;
}

// Lengths of 3-D Secure fields count characters, not bytes.
static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

static bool read_text(const struct parameter *row, const json_t *value, const char **ret_text)
{
	const char *text = json_string_value(value);

	if (!text || !*text)
		text = row->fallback ? row->fallback : "";
	*ret_text = text;
	if (!*text)
		return !row->required;
	return (row->max == 0 || characters(text) <= (size_t)row->max) &&
	       (!row->check || row->check(text));
}

static bool read_parameter(const struct parameter *row, const json_t *values,
                           struct parameters *parameters)
{
	void *place = (char *)parameters + row->place;
	const json_t *value = json_object_get(values, row->name);

	if (json_is_null(value))
		value = NULL;
	if (strcmp(row->type, "number") == 0)
		return (!value || json_is_integer(value) || json_is_string(value)) &&
		       read_number(row, value, place);
	return (!value || json_is_string(value)) && read_text(row, value, place);
}

// A secret that stays as it is is not in the line of `--check`; its name is.
static bool is_kept(const json_t *line, const char *name)
{
	const json_t *one;
	size_t index;

	json_array_foreach(json_object_get(line, "kept"), index,
	                   one) if (json_is_string(one) &&
	                            strcmp(json_string_value(one), name) == 0) return true;
	return false;
}

struct result parameters_read(struct bytes line, struct parameters *ret_parameters,
                              const char **ret_name)
{
	struct parameters *parameters = ret_parameters;

	*parameters = (struct parameters){ 0 };
	*ret_name = "";
	parameters->line =
	        json_loadb((const char *)line.data, line.length, JSON_REJECT_DUPLICATES, NULL);
	if (json_integer_value(json_object_get(parameters->line, "contract")) != 1)
		return FAIL(ERROR_INPUT, "the first line is not one of contract 1");
	for (size_t i = 0; i < TABLE_ROWS; i++) {
		*ret_name = table[i].name;
		if (!read_parameter(&table[i], json_object_get(parameters->line, "parameters"),
		                    parameters))
			return FAIL(ERROR_INPUT, "a parameter is missing or wrong");
	}
	*ret_name = "key";
	if (!*parameters->certificate != !*parameters->key && !is_kept(parameters->line, "key"))
		return FAIL(ERROR_INPUT, "certificate and key belong together");
	return RESULT_OK;
}

void parameters_done(struct parameters *parameters)
{
	json_decref(parameters->line);
	*parameters = (struct parameters){ 0 };
}

static json_t *describe_row(const struct parameter *row)
{
	json_t *described =
	        json_pack("{s:s,s:s,s:b,s:b,s:s?,s:{s:s,s:s}}", "name", row->name, "type",
	                  row->type, "required", row->required, "secret", row->secret, "default",
	                  row->fallback, "help", "en", row->help_en, "ru", row->help_ru);

	if (described && strcmp(row->type, "number") == 0) {
		json_object_set_new(described, "default",
		                    json_integer(strtol(row->fallback, NULL, 10)));
		json_object_set_new(described, "min", json_integer(row->min));
		json_object_set_new(described, "max", json_integer(row->max));
	}
	if (described && strcmp(row->type, "choice") == 0)
		json_object_set_new(described, "choices", json_pack("[s]", row->fallback));
	return described;
}

struct result parameters_describe(struct buffer *buffer)
{
	cleanup(cleanup_json) json_t *described =
	        json_pack("{s:i,s:s,s:s,s:s,s:[s,s,s,s],s:b,s:{s:[s]},s:[]}", "contract", 1, "name",
	                  "emv3ds", "version", ONFILE_VERSION, "kind", "authentication",
	                  "operations", "versions", "authenticate", "results", "test", "checks", 1,
	                  "sandbox", "connect", "url", "parameters");

	for (size_t i = 0; described && i < TABLE_ROWS; i++)
		if (json_array_append_new(json_object_get(described, "parameters"),
		                          describe_row(&table[i])) != 0)
			return FAIL(ERROR_MEMORY, "no memory for the description");
	return emv3ds_write(described, buffer);
}
