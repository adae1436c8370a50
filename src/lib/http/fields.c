// Header fields and the classes of bytes (RFC 9110 section 5, RFC 9112 section 5).
#include "http/fields.h"

#include "base/check.h"
#include "base/text.h"

#include <arpa/inet.h>

// One row for sixteen bytes from 0x00 to 0x7f; the values are sums of the classes in fields.h.
static const uint8_t classes[128] = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x02, 0x0f, 0x02, 0x03, 0x0f, 0x0f, 0x0f, 0x0f, 0x0e, 0x0e, 0x0f, 0x0f, 0x0e,
	0x3f, 0x3f, 0x0e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x0e, 0x0e,
	0x02, 0x0e, 0x02, 0x0a, 0x0e, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x0a, 0x02, 0x0a, 0x03, 0x3f, 0x03, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f, 0x3f,
	0x3f, 0x3f, 0x3f, 0x02, 0x03, 0x02, 0x2f, 0x00,
};

bool http_one_of(uint8_t byte, uint8_t class_of_bytes)
{
	uint8_t own = byte < 128 ? classes[byte] : HTTP_VALUE;

	return own & class_of_bytes;
}

bool http_all_of(struct bytes text, uint8_t class_of_bytes)
{
	for (size_t i = 0; i < text.length; i++)
		if (!http_one_of(text.data[i], class_of_bytes))
			return false;
	return true;
}

int http_hex(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool http_is_escaped(struct bytes text, uint8_t class_of_bytes)
{
	for (size_t i = 0; i < text.length; i++) {
		if (!http_one_of(text.data[i], class_of_bytes))
			return false;
		if (text.data[i] != '%')
			continue;
		if (text.length - i < 3 || http_hex(text.data[i + 1]) < 0 ||
		    http_hex(text.data[i + 2]) < 0)
			return false;
	}
	return true;
}

struct bytes http_fields_name(const struct http_fields *fields, size_t index)
{
	const struct http_field *field = &fields->entries[index];

	return bytes_from(fields->data + field->name_at, field->name_length);
}

struct bytes http_fields_value(const struct http_fields *fields, size_t index)
{
	const struct http_field *field = &fields->entries[index];

	return bytes_from(fields->data + field->value_at, field->value_length);
}

struct bytes http_fields_get(const struct http_fields *fields, const char *name)
{
	struct bytes wanted = bytes_text(name);

	for (size_t i = 0; i < fields->count; i++)
		if (bytes_equal(http_fields_name(fields, i), wanted))
			return http_fields_value(fields, i);
	return BYTES_NONE;
}

size_t http_fields_count(const struct http_fields *fields, const char *name)
{
	struct bytes wanted = bytes_text(name);
	size_t count = 0;

	for (size_t i = 0; i < fields->count; i++)
		count += bytes_equal(http_fields_name(fields, i), wanted);
	return count;
}

static uint8_t lower(uint8_t byte)
{
	return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

static bool is_blank(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

static struct bytes trimmed(struct bytes text)
{
	while (text.length && is_blank(text.data[0]))
		text = bytes_from(text.data + 1, text.length - 1);
	while (text.length && is_blank(text.data[text.length - 1]))
		text.length--;
	return text;
}

static bool is_token(struct bytes text, const char *token)
{
	if (text.length != strlen(token))
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (lower(text.data[i]) != (uint8_t)token[i])
			return false;
	return true;
}

static bool list_has(struct bytes list, const char *token)
{
	while (list.length) {
		size_t comma = bytes_find(list, ',');
		if (is_token(trimmed(bytes_slice(list, 0, comma)), token))
			return true;
		list = bytes_slice(list, comma + 1, list.length);
	}
	return false;
}

bool http_fields_list_has(const struct http_fields *fields, const char *name, const char *token)
{
	struct bytes wanted = bytes_text(name);

	for (size_t i = 0; i < fields->count; i++)
		if (bytes_equal(http_fields_name(fields, i), wanted) &&
		    list_has(http_fields_value(fields, i), token))
			return true;
	return false;
}

bool http_fields_add(struct http_fields *fields, uint8_t *data, size_t at, size_t length)
{
	size_t name_length = 0;

	CHECK(fields->count < HTTP_MAX_FIELDS);
	while (name_length < length && http_one_of(data[at + name_length], HTTP_TOKEN)) {
		data[at + name_length] = lower(data[at + name_length]);
		name_length++;
	}
	if (name_length == 0 || name_length == length || data[at + name_length] != ':')
		return false;
	struct bytes value = bytes_from(data + at + name_length + 1, length - name_length - 1);
	if (!http_all_of(value, HTTP_VALUE))
		return false;
	value = trimmed(value);
	fields->data = data;
	fields->entries[fields->count++] = (struct http_field){
		.name_at = (uint32_t)at,
		.name_length = (uint32_t)name_length,
		.value_at = (uint32_t)(value.data - data),
		.value_length = (uint32_t)value.length,
	};
	return true;
}

struct result http_fields_put(struct buffer *buffer, const char *name, struct bytes value)
{
	struct bytes name_view = bytes_text(name);

	if (name_view.length == 0 || !http_all_of(name_view, HTTP_TOKEN))
		return FAIL(ERROR_INPUT, "a field's name is not a token");
	if (!http_all_of(value, HTTP_VALUE))
		return FAIL(ERROR_INPUT, "a field's value holds a control character");
	buffer_put(buffer, name_view);
	buffer_put(buffer, BYTES_LITERAL(": "));
	buffer_put(buffer, value);
	buffer_put(buffer, BYTES_LITERAL("\r\n"));
	return RESULT_OK;
}

enum http_progress http_line(const struct buffer *in, size_t from, size_t *scanned, size_t limit,
                             size_t *ret_length, bool *ret_long)
{
	size_t until = in->length < limit ? in->length : limit;
	const uint8_t *end = NULL;

	*ret_long = false;
	if (*scanned < from)
		*scanned = from;
	if (until > *scanned)
		end = memchr(in->data + *scanned, '\n', until - *scanned);
	if (!end) {
		*scanned = until > *scanned ? until : *scanned;
		*ret_long = in->length >= limit;
		return *ret_long ? HTTP_REFUSED : HTTP_MORE;
	}
	size_t place = (size_t)(end - in->data);
	*scanned = place + 1;
	if (place == from || in->data[place - 1] != '\r')
		return HTTP_REFUSED;
	*ret_length = place - 1 - from;
	return HTTP_WHOLE;
}

static bool is_ipv6_literal(struct bytes text)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr ignored;

	return text.length > 2 && text.data[0] == '[' && text.data[text.length - 1] == ']' &&
	       bytes_copy_text(bytes_slice(text, 1, text.length - 2), address, sizeof(address)) &&
	       inet_pton(AF_INET6, address, &ignored) == 1;
}

bool http_read_host(struct bytes text, struct bytes *ret_host, uint16_t *ret_port)
{
	size_t host_length = bytes_find(text, ':');
	uint64_t port = 0;

	if (text.length && text.data[0] == '[')
		host_length = bytes_find(text, ']') + 1;
	if (host_length > text.length)
		return false;
	*ret_host = bytes_slice(text, 0, host_length);
	struct bytes rest = bytes_slice(text, host_length, text.length);
	if (rest.length &&
	    (rest.data[0] != ':' ||
	     !text_to_number(bytes_slice(rest, 1, rest.length), 65535, &port) || port == 0))
		return false;
	*ret_port = (uint16_t)port;
	if (ret_host->length && ret_host->data[0] == '[')
		return is_ipv6_literal(*ret_host);
	return ret_host->length > 0 && ret_host->length <= 255 && http_all_of(*ret_host, HTTP_NAME);
}
