// application/x-www-form-urlencoded (URL standard, section 5), read strictly.
#include "http/form.h"

#include "base/text.h"
#include "http/fields.h"

#include <stdlib.h>

// Decodes without looking at what comes out; false on a "%" without two digits or a NUL.
static bool decode(struct bytes text, bool plus, uint8_t *to, size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.data[i];
		if (byte == '+' && plus) {
			byte = ' ';
		} else if (byte == '%') {
			int high = i + 1 < text.length ? http_hex(text.data[i + 1]) : -1;
			int low = i + 2 < text.length ? http_hex(text.data[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			byte = (uint8_t)(high << 4 | low);
			i += 2;
		}
		if (byte == 0)
			return false;
		to[length++] = byte;
	}
	*ret_length = length;
	return true;
}

struct result http_percent_decode(struct bytes text, bool plus, struct buffer *buffer)
{
	size_t length = 0;
	uint8_t *to = buffer_room(buffer, text.length);

	if (!to)
		return FAIL(ERROR_LIMIT, "no room for a decoded text");
	if (!decode(text, plus, to, &length) || !text_is_utf8(bytes_from(to, length)))
		return FAIL(ERROR_INPUT, "a text is not percent-encoded UTF-8 without NUL");
	buffer_grew(buffer, length);
	return RESULT_OK;
}

static size_t count_parts(struct bytes text)
{
	size_t count = 1;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == '&';
	return count;
}

// The decoded text never moves: its buffer was made as long as the whole encoded text.
static struct result read_half(struct bytes text, struct http_form *form, struct bytes *ret_half)
{
	size_t before = form->text.length;

	TRY(http_percent_decode(text, true, &form->text));
	*ret_half = bytes_from(form->text.data + before, form->text.length - before);
	return RESULT_OK;
}

static struct result read_pair(struct bytes part, struct http_form *form)
{
	size_t equals = bytes_find(part, '=');
	struct http_form_pair *pair = &form->pairs[form->count];

	TRY(read_half(bytes_slice(part, 0, equals), form, &pair->name));
	TRY(read_half(bytes_slice(part, equals + 1, part.length), form, &pair->value));
	form->count++;
	return RESULT_OK;
}

static struct result read_pairs(struct bytes text, struct http_form *form)
{
	size_t parts = count_parts(text);

	if (text.length == 0)
		return RESULT_OK;
	size_t room = parts < HTTP_FORM_MAX_PAIRS ? parts : HTTP_FORM_MAX_PAIRS;
	form->pairs = calloc(room, sizeof(*form->pairs));
	if (!form->pairs || !buffer_room(&form->text, text.length))
		return FAIL(ERROR_MEMORY, "no memory for a form");
	for (size_t at = 0; at < text.length;) {
		struct bytes rest = bytes_slice(text, at, text.length);
		size_t length = bytes_find(rest, '&');
		at += length + 1;
		if (length == 0)
			continue;
		if (form->count == HTTP_FORM_MAX_PAIRS)
			return FAIL(ERROR_LIMIT, "a form has too many parameters");
		TRY(read_pair(bytes_slice(rest, 0, length), form));
	}
	return RESULT_OK;
}

struct result http_form_read(struct bytes text, struct http_form *ret_form)
{
	*ret_form = (struct http_form){ 0 };
	buffer_init(&ret_form->text, text.length);
	return read_pairs(text, ret_form);
}

struct result http_form_read_secret(struct bytes text, struct http_form *ret_form)
{
	*ret_form = (struct http_form){ 0 };
	buffer_init_secret(&ret_form->text, text.length);
	return read_pairs(text, ret_form);
}

void http_form_done(struct http_form *form)
{
	free(form->pairs);
	form->pairs = NULL;
	form->count = 0;
	buffer_done(&form->text);
}

struct bytes http_form_get(const struct http_form *form, const char *name)
{
	struct bytes wanted = bytes_text(name);

	for (size_t i = 0; i < form->count; i++)
		if (bytes_equal(form->pairs[i].name, wanted))
			return form->pairs[i].value;
	return BYTES_NONE;
}

static void encode(struct bytes text, bool brackets, struct buffer *buffer)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.length; i++) {
		uint8_t byte = text.data[i];
		if (http_one_of(byte, HTTP_FREE) || (brackets && (byte == '[' || byte == ']'))) {
			buffer_put_byte(buffer, byte);
			continue;
		}
		char escaped[3] = { '%', digits[byte >> 4], digits[byte & 15] };
		buffer_put(buffer, BYTES_ARRAY(escaped));
	}
}

void http_percent_encode(struct bytes text, struct buffer *buffer)
{
	encode(text, false, buffer);
}

void http_form_put(struct buffer *buffer, struct bytes name, struct bytes value)
{
	if (buffer->length)
		buffer_put_byte(buffer, '&');
	encode(name, true, buffer);
	buffer_put_byte(buffer, '=');
	encode(value, false, buffer);
}

void http_form_put_text(struct buffer *buffer, const char *name, const char *value)
{
	http_form_put(buffer, bytes_text(name), bytes_text(value));
}
