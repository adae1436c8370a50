// How the value of a field must look: one small function for each format, called through a table.
// EMV 3-D Secure 2.2.0 annex A.4, column "length / format / values".

#include "emv3ds/encode.h"
#include "emv3ds/table.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <arpa/inet.h>
#include <stdlib.h>

static bool any_ok(struct bytes text)
{
	return text_is_utf8(text);
}

static bool uuid_ok(struct bytes text)
{
	// Any variant and version: scheme test data holds texts that RFC 4122 never made.
	for (size_t i = 0; i < text.length; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		uint8_t c = text.data[i];
		bool hex =
		        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');

		if (dash ? c != '-' : !hex)
			return false;
	}
	return text.length == EMV3DS_ID;
}

static unsigned number_at(struct bytes text, size_t from, size_t length)
{
	unsigned number = 0;

	for (size_t i = from; i < from + length; i++)
		number = number * 10 + (unsigned)(text.data[i] - '0');
	return number;
}

static bool between(unsigned number, unsigned from, unsigned to)
{
	return number >= from && number <= to;
}

static bool month_ok(struct bytes text)
{
	return text.length == 4 && text_is_digits(text) && between(number_at(text, 2, 2), 1, 12);
}

static bool date_ok(struct bytes text)
{
	static const unsigned days[] = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	unsigned month;

	if (text.length < 8 || !text_is_digits(text))
		return false;
	month = number_at(text, 4, 2);
	return between(month, 1, 12) && between(number_at(text, 6, 2), 1, days[month - 1]);
}

static bool minute_ok(struct bytes text)
{
	return text.length >= 12 && date_ok(text) && number_at(text, 8, 2) < 24 &&
	       number_at(text, 10, 2) < 60;
}

static bool second_ok(struct bytes text)
{
	return text.length == 14 && minute_ok(text) && number_at(text, 12, 2) < 60;
}

static bool address_ok(struct bytes text)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr parsed;

	return bytes_copy_text(text, address, sizeof(address)) &&
	       (inet_pton(AF_INET, address, &parsed) == 1 ||
	        inet_pton(AF_INET6, address, &parsed) == 1);
}

static bool email_ok(struct bytes text)
{
	size_t at = bytes_find(text, '@');

	return at > 0 && at + 1 < text.length && bytes_find(text, ' ') == text.length;
}

static bool zone_ok(struct bytes text)
{
	size_t sign = text.length && (text.data[0] == '+' || text.data[0] == '-');

	return text.length - sign <= 4 && text_is_digits(bytes_slice(text, sign, text.length));
}

static bool cavv_ok(struct bytes text)
{
	cleanup(buffer_done) struct buffer raw = { 0 };

	buffer_init(&raw, 64);
	return result_ok(base64_read(text, &raw)) && raw.length == 20;
}

static bool version_ok(struct bytes text)
{
	size_t dots = 0;

	for (size_t i = 0; i < text.length; i++) {
		bool dot = text.data[i] == '.';

		if (!dot && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
		if (dot && (i == 0 || i + 1 == text.length || text.data[i - 1] == '.'))
			return false;
		dots += dot;
	}
	return dots == 2;
}

static bool (*const text_formats[])(struct bytes) = {
	[FORMAT_TEXT] = any_ok,
	[FORMAT_DIGITS] = text_is_digits,
	[FORMAT_UUID] = uuid_ok,
	[FORMAT_URL] = emv3ds_url_ok,
	[FORMAT_MONTH] = month_ok,
	[FORMAT_DATE] = date_ok,
	[FORMAT_MINUTE] = minute_ok,
	[FORMAT_SECOND] = second_ok,
	[FORMAT_ADDRESS] = address_ok,
	[FORMAT_EMAIL] = email_ok,
	[FORMAT_ZONE] = zone_ok,
	[FORMAT_CURRENCY] = text_is_digits,
	[FORMAT_COUNTRY] = text_is_digits,
	[FORMAT_CAVV] = cavv_ok,
	[FORMAT_VERSION] = version_ok,
	[FORMAT_CARD] = text_is_digits,
	[FORMAT_ANY] = NULL,
};

// Lengths count characters, not bytes (annex A.1).
static size_t characters(struct bytes text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += (text.data[i] & 0xc0) != 0x80;
	return count;
}

// `values` holds words with one space between; a word "80-99" is a range of two digits.
static bool value_in(const char *values, struct bytes text)
{
	while (*values) {
		struct bytes word = { (const uint8_t *)values, strcspn(values, " ") };

		if (bytes_equal(word, text))
			return true;
		if (word.length == 5 && word.data[2] == '-' && text.length == 2 &&
		    text_is_digits(text) && memcmp(text.data, word.data, 2) >= 0 &&
		    memcmp(text.data, word.data + 3, 2) <= 0)
			return true;
		values += word.length;
		values += *values == ' ';
	}
	return false;
}

static bool text_ok(const struct emv3ds_field *field, const json_t *value)
{
	struct bytes text = bytes_from(json_string_value(value), json_string_length(value));
	size_t length;

	if (!json_is_string(value))
		return false;
	length = characters(text);
	if (length == 0 || length < field->min || (field->max && length > field->max))
		return false;
	if (field->values && !value_in(field->values, text))
		return false;
	return text_formats[field->format](text);
}

static bool texts_ok(const struct emv3ds_field *field, const json_t *value)
{
	struct emv3ds_field each = { field->name, field->need, FORMAT_TEXT, 1, 0, field->values };

	for (size_t i = 0; i < json_array_size(value); i++)
		if (!text_ok(&each, json_array_get(value, i)))
			return false;
	return true;
}

bool emv3ds_value_ok(const struct emv3ds_field *field, const json_t *value)
{
	size_t count = json_array_size(value);

	switch (field->format) {
	case FORMAT_BOOLEAN: return json_is_boolean(value);
	case FORMAT_OBJECT: return json_is_object(value) && json_object_size(value) > 0;
	case FORMAT_ANY: return !json_is_null(value);
	case FORMAT_OBJECTS:
	case FORMAT_TEXTS:
		if (!json_is_array(value) || count < field->min ||
		    (field->max && count > field->max))
			return false;
		return field->format == FORMAT_OBJECTS || texts_ok(field, value);
	default: return text_ok(field, value);
	}
}

bool emv3ds_code_ok(enum emv3ds_format format, const char *text)
{
	unsigned number = (unsigned)strtoul(text, NULL, 10);

	if (format == FORMAT_CURRENCY)
		return number != 0 && number != 999 && !between(number, 955, 964);
	return number != 0 && number < 901;
}
