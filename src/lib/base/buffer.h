// A growing buffer with a limit that its owner names at the start. Writing past the limit or out of
// memory sets `failed`, once and for all: callers write freely and look at the flag at the end.
// A buffer made by buffer_init_secret() wipes every byte that it leaves behind.
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <stdarg.h>

struct buffer {
	uint8_t *data;
	size_t length;
	size_t capacity;
	size_t limit;
	bool failed;
	bool secret;
};

void buffer_init(struct buffer *buffer, size_t limit);
void buffer_init_secret(struct buffer *buffer, size_t limit);
// Gives the memory back (wiped, if secret). The buffer may be used again, empty.
void buffer_done(struct buffer *buffer);
// For cleanup(buffer_done).

// Empties the buffer and keeps its memory (wiped, if secret); clears `failed`.
void buffer_reset(struct buffer *buffer);

void buffer_put_slowly(struct buffer *buffer,
                       struct bytes bytes);                    // buffer_put() without a shortcut
void buffer_put_number(struct buffer *buffer, int64_t number); // decimal
void buffer_printf(struct buffer *buffer, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

// Texts are made of many small pieces, most of which there is room for already.
static inline void buffer_put(struct buffer *buffer, struct bytes bytes)
{
	if (buffer->failed || bytes.length == 0 || buffer->length >= buffer->capacity ||
	    bytes.length >= buffer->capacity - buffer->length ||
	    bytes.length > buffer->limit - buffer->length) {
		buffer_put_slowly(buffer, bytes);
		return;
	}
	memcpy(buffer->data + buffer->length, bytes.data, bytes.length);
	buffer->length += bytes.length;
}

static inline void buffer_put_text(struct buffer *buffer, const char *text)
{
	buffer_put(buffer, bytes_text(text));
}

static inline void buffer_put_byte(struct buffer *buffer, uint8_t byte)
{
	buffer_put(buffer, bytes_from(&byte, 1));
}

// Makes room for `length` bytes at the end and returns where they are to be written; they count
// only after buffer_grew(). NULL (and `failed`) past the limit.
uint8_t *buffer_room(struct buffer *buffer, size_t length);
void buffer_grew(struct buffer *buffer, size_t length);

// Drops `length` bytes from the front (they are wiped, if secret).
void buffer_drop(struct buffer *buffer, size_t length);

static inline struct bytes buffer_view(const struct buffer *buffer)
{
	return (struct bytes){ buffer->data, buffer->length };
}

// ERROR_LIMIT when anything that was written did not fit.
MUST_USE struct result buffer_result(const struct buffer *buffer);

// Returns the content as a zero-terminated text that is valid until the buffer changes.
const char *buffer_text(struct buffer *buffer);
