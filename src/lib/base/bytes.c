// Views of bytes: comparing, cutting, copying out.
#include "base/bytes.h"

#include "base/check.h"

bool bytes_equal_constant_time(struct bytes a, struct bytes b)
{
	volatile uint8_t difference = 0;

	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		difference = (uint8_t)(difference | (a.data[i] ^ b.data[i]));
	return difference == 0;
}

bool bytes_start_with(struct bytes whole, const char *prefix)
{
	size_t length = strlen(prefix);

	return whole.length >= length && (length == 0 || memcmp(whole.data, prefix, length) == 0);
}

struct bytes bytes_slice(struct bytes whole, size_t from, size_t length)
{
	if (from >= whole.length)
		return BYTES_NONE;
	size_t left = whole.length - from;
	return (struct bytes){ whole.data + from, length < left ? length : left };
}

size_t bytes_find(struct bytes whole, uint8_t byte)
{
	const uint8_t *found = whole.length ? memchr(whole.data, byte, whole.length) : NULL;

	return found ? (size_t)(found - whole.data) : whole.length;
}

bool bytes_copy_text(struct bytes from, char *ret_text, size_t capacity)
{
	CHECK(capacity > 0);
	ret_text[0] = '\0';
	if (from.length >= capacity || bytes_find(from, 0) != from.length)
		return false;
	if (from.length)
		memcpy(ret_text, from.data, from.length);
	ret_text[from.length] = '\0';
	return true;
}

struct bytes bytes_trim(struct bytes text)
{
	while (text.length && (text.data[0] == ' ' || text.data[0] == '\t'))
		text = bytes_slice(text, 1, text.length);
	while (text.length &&
	       (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
		text.length--;
	return text;
}
