// A view of bytes that somebody else owns. Views are passed by value; a view of a text does not
// include the terminating zero.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	const uint8_t *data;
	size_t length;
};

#define BYTES_NONE ((struct bytes){ NULL, 0 })
// A view of a string literal.
#define BYTES_LITERAL(text) ((struct bytes){ (const uint8_t *)(text), sizeof(text) - 1 })
// A view of a whole array variable.
#define BYTES_ARRAY(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })

static inline struct bytes bytes_from(const void *data, size_t length)
{
	return (struct bytes){ data, length };
}

static inline struct bytes bytes_text(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, text ? strlen(text) : 0 };
}

static inline bool bytes_equal(struct bytes a, struct bytes b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

static inline bool bytes_equal_text(struct bytes a, const char *text)
{
	return bytes_equal(a, bytes_text(text));
}

// Compares in a time that depends on the lengths only. For tags, keys, codes.
bool bytes_equal_constant_time(struct bytes a, struct bytes b);

bool bytes_start_with(struct bytes whole, const char *prefix);

// The part of `whole` from `from` on, at most `length` bytes; empty when `from` is past the end.
struct bytes bytes_slice(struct bytes whole, size_t from, size_t length);

// Without the spaces and tabs at both ends.
struct bytes bytes_trim(struct bytes text);

// Where the first `byte` is; whole.length when there is none.
size_t bytes_find(struct bytes whole, uint8_t byte);

// Copies a view into a zero-terminated array of `capacity` bytes. False (and an empty text) when it
// does not fit or holds a zero byte.
bool bytes_copy_text(struct bytes from, char *ret_text, size_t capacity);
