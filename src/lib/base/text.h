// Texts and the bytes behind them: numbers read strictly, hexadecimal, base64url, base62, UTF-8.
// Every reader says no to what is not exactly right; none repairs.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

// Decimal digits only, no sign, no space, no leading zero but "0" itself, at most `max`.
MUST_USE bool text_to_number(struct bytes text, uint64_t max, uint64_t *ret_number);
// True when the text is one or more of the digits 0 to 9.
bool text_is_digits(struct bytes text);
bool text_is_utf8(struct bytes text);
// True when all bytes are printable ASCII, 0x20 to 0x7e.
bool text_is_printable(struct bytes text);

// Appends lower-case hexadecimal. Reading takes both cases and an even count only.
void hex_put(struct buffer *buffer, struct bytes bytes);
MUST_USE bool hex_read(struct bytes text, uint8_t *ret_bytes, size_t length);

// base64url without padding (RFC 4648 section 5). Reading refuses padding, white space and stray
// bits in the last character, so that one text has one meaning.
void base64url_put(struct buffer *buffer, struct bytes bytes);
MUST_USE struct result base64url_read(struct bytes text, struct buffer *buffer);
// Standard base64 with padding (section 4).
void base64_put(struct buffer *buffer, struct bytes bytes);
MUST_USE struct result base64_read(struct bytes text, struct buffer *buffer);

// A number as exactly `digits` characters of 0-9A-Za-z, most significant first (so that texts sort
// as their numbers do). What does not fit is cut off on the left.
void base62_put(struct buffer *buffer, uint64_t number, int digits);
MUST_USE bool base62_read(struct bytes text, uint64_t *ret_number);

// Appends a JSON string with its quotes; the text must be UTF-8.
void json_put_text(struct buffer *buffer, struct bytes text);
