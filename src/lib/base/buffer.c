// The growing buffer: doubling up to its limit, sticky failure, wiping where asked.
#include "base/buffer.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

void buffer_init(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){ .limit = limit };
}

void buffer_init_secret(struct buffer *buffer, size_t limit)
{
	*buffer = (struct buffer){ .limit = limit, .secret = true };
}

static void wipe(struct buffer *buffer, size_t from, size_t length)
{
	if (buffer->secret && length)
		explicit_bzero(buffer->data + from, length);
}

void buffer_done(struct buffer *buffer)
{
	wipe(buffer, 0, buffer->capacity);
	free(buffer->data);
	*buffer = (struct buffer){ .limit = buffer->limit, .secret = buffer->secret };
}

void buffer_reset(struct buffer *buffer)
{
	wipe(buffer, 0, buffer->length);
	buffer->length = 0;
	buffer->failed = false;
}

// realloc() may leave a copy behind, so a secret buffer moves by hand.
static bool grow(struct buffer *buffer, size_t capacity)
{
	if (!buffer->secret) {
		uint8_t *bigger = realloc(buffer->data, capacity);
		if (!bigger)
			return false;
		buffer->data = bigger;
	} else {
		uint8_t *bigger = malloc(capacity);
		if (!bigger)
			return false;
		if (buffer->length)
			memcpy(bigger, buffer->data, buffer->length);
		wipe(buffer, 0, buffer->capacity);
		free(buffer->data);
		buffer->data = bigger;
	}
	buffer->capacity = capacity;
	return true;
}

// One byte more than asked is kept, so that buffer_text() has a place for its zero.
uint8_t *buffer_room(struct buffer *buffer, size_t length)
{
	if (buffer->failed || length > buffer->limit - buffer->length) {
		buffer->failed = true;
		return NULL;
	}
	size_t needed = buffer->length + length + 1;
	if (needed > buffer->capacity) {
		size_t capacity = buffer->capacity ? buffer->capacity : 256;
		while (capacity < needed)
			capacity *= 2;
		if (!grow(buffer, capacity)) {
			buffer->failed = true;
			return NULL;
		}
	}
	return buffer->data + buffer->length;
}

void buffer_grew(struct buffer *buffer, size_t length)
{
	CHECK(length < buffer->capacity - buffer->length);
	buffer->length += length;
}

void buffer_put_slowly(struct buffer *buffer, struct bytes bytes)
{
	uint8_t *room = buffer_room(buffer, bytes.length);

	if (!room || bytes.length == 0)
		return;
	memcpy(room, bytes.data, bytes.length);
	buffer_grew(buffer, bytes.length);
}

void buffer_put_number(struct buffer *buffer, int64_t number)
{
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	uint8_t digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (uint8_t)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		digits[--at] = '-';
	buffer_put(buffer, bytes_from(digits + at, sizeof(digits) - at));
}

void buffer_printf(struct buffer *buffer, const char *format, ...)
{
	va_list first;
	va_list second;

	va_start(first, format);
	va_copy(second, first);
	int length = vsnprintf(NULL, 0, format, first);
	va_end(first);
	CHECK(length >= 0);
	uint8_t *room = buffer_room(buffer, (size_t)length);
	if (room) {
		vsnprintf((char *)room, (size_t)length + 1, format, second);
		buffer_grew(buffer, (size_t)length);
	}
	va_end(second);
}

void buffer_drop(struct buffer *buffer, size_t length)
{
	CHECK(length <= buffer->length);
	if (length == 0)
		return;
	size_t left = buffer->length - length;
	memmove(buffer->data, buffer->data + length, left);
	wipe(buffer, left, length);
	buffer->length = left;
}

struct result buffer_result(const struct buffer *buffer)
{
	return buffer->failed ? FAIL(ERROR_LIMIT, "a buffer's limit was reached") : RESULT_OK;
}

const char *buffer_text(struct buffer *buffer)
{
	if (!buffer->data)
		return "";
	buffer->data[buffer->length] = '\0';
	return (const char *)buffer->data;
}
