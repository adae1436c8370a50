// Header fields of a request or a response: the table that the parsers fill, the pairs that the
// writers take, and the classes of bytes (RFC 9110 section 5, RFC 9112 section 5). The table holds
// places in the buffer that was read, so that the buffer may move while it grows.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

enum { HTTP_MAX_FIELDS = 100 };

// What a parser says after each piece of input. HTTP_WHOLE and HTTP_REFUSED are final.
enum http_progress { HTTP_MORE, HTTP_WHOLE, HTTP_REFUSED };

// What is more than this is refused: bytes of the head with its empty line, count of fields (at
// most HTTP_MAX_FIELDS), bytes of the target, bytes of the body.
struct http_limits {
	size_t head, fields, target, body;
};

#define HTTP_LIMITS_DEFAULT                                                                        \
	((struct http_limits){                                                                     \
	        .head = 16 * 1024, .fields = 100, .target = 8 * 1024, .body = 64 * 1024 })

struct http_field {
	uint32_t name_at, name_length, value_at, value_length;
};

struct http_fields {
	const uint8_t *data; // what the places refer to
	size_t count;
	struct http_field entries[HTTP_MAX_FIELDS];
};

// A field to be written.
struct http_pair {
	const char *name;
	struct bytes value;
};

#define HTTP_PAIR(name, literal) ((struct http_pair){ (name), BYTES_LITERAL(literal) })
#define HTTP_PAIR_TEXT(name, text) ((struct http_pair){ (name), bytes_text(text) })

// The name (lower case) and the value (without white space around it) of field `index`.
struct bytes http_fields_name(const struct http_fields *fields, size_t index);
struct bytes http_fields_value(const struct http_fields *fields, size_t index);

// The value of the first field of this name (given in lower case); .data is NULL when there is
// none.
struct bytes http_fields_get(const struct http_fields *fields, const char *name);
// How many fields have this name.
size_t http_fields_count(const struct http_fields *fields, const char *name);
// True when a field of this name, read as a comma-separated list, holds the token (lower case; the
// comparison ignores case).
bool http_fields_list_has(const struct http_fields *fields, const char *name, const char *token);

// Adds the field line that lies at `at` in `data` (its CR LF not counted), after lower-casing its
// name in place. False when it is not exactly `token ":" OWS value OWS`. There must be room.
MUST_USE bool http_fields_add(struct http_fields *fields, uint8_t *data, size_t at, size_t length);

// Appends `name: value` CR LF. ERROR_INPUT, and nothing written, when the name is not a token or
// the value holds CR, LF, NUL or another control character.
MUST_USE struct result http_fields_put(struct buffer *buffer, const char *name, struct bytes value);

// Finds the end of the line that begins at `from`, looking from *scanned on, no further than
// `limit`. HTTP_WHOLE: *ret_length is its length without CR LF. HTTP_MORE: not there yet.
// HTTP_REFUSED: the line ends in a bare LF (*ret_long is false), or the limit comes first (true).
enum http_progress http_line(const struct buffer *in, size_t from, size_t *scanned, size_t limit,
                             size_t *ret_length, bool *ret_long);

// Classes of bytes.
enum {
	HTTP_TOKEN = 1, // RFC 9110 section 5.6.2
	HTTP_VALUE = 2, // what a field value may hold: visible, space, tab, 0x80 to 0xff
	HTTP_PATH = 4,  // RFC 3986 pchar and "/"; "%" must be followed by two hexadecimal digits
	HTTP_QUERY = 8, // the same with "?" and, since real clients send them, "[" and "]"
	HTTP_NAME = 16, // letters, digits, "-", ".", "_": what we take as a host's name
	HTTP_FREE = 32, // RFC 3986 unreserved: what is never percent-encoded
};

bool http_all_of(struct bytes text, uint8_t class_of_bytes);
bool http_one_of(uint8_t byte, uint8_t class_of_bytes);
// True when the text is all of the class and each "%" is followed by two hexadecimal digits.
bool http_is_escaped(struct bytes text, uint8_t class_of_bytes);

// Value of a hexadecimal digit of either case, or -1.
int http_hex(uint8_t digit);

// A host with or without port, as in Host and in URLs (RFC 9110 section 4.2, stricter: no
// percent-encoding, no empty port, no port with leading zeros). *ret_port is 0 when there is none.
MUST_USE bool http_read_host(struct bytes text, struct bytes *ret_host, uint16_t *ret_port);
