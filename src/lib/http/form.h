// Form bodies and query strings (application/x-www-form-urlencoded): percent-decoding, names and
// values, and writing them. "+" and "%20" both are a space. A bad "%", a NUL and what is not UTF-8
// are errors; nothing is repaired. Nesting by brackets is for whoever knows the parameters.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"

enum { HTTP_FORM_MAX_PAIRS = 1000 };

struct http_form_pair {
	struct bytes name, value; // decoded
};

struct http_form {
	struct http_form_pair *pairs; // in the order in which they came
	size_t count;
	struct buffer text; // what the pairs look into
};

// Takes a body or query apart. Parts between "&" that are empty do not count; one without "=" has
// an empty value. ERROR_INPUT: malformed; ERROR_LIMIT: more than HTTP_FORM_MAX_PAIRS. One
// allocation for the text and one for the pairs; http_form_done() gives both back (also after an
// error).
MUST_USE struct result http_form_read(struct bytes text, struct http_form *ret_form);
// The same, wiping the decoded text at the end: for forms that hold secrets.
MUST_USE struct result http_form_read_secret(struct bytes text, struct http_form *ret_form);
void http_form_done(struct http_form *form);

// The value of the first pair of this name; .data is NULL when there is none.
struct bytes http_form_get(const struct http_form *form, const char *name);

// Appends the decoded text; `plus`: "+" is a space (it is in forms and queries, not in paths).
MUST_USE struct result http_percent_decode(struct bytes text, bool plus, struct buffer *buffer);
// Appends the text with everything but letters, digits and "-._~" as %XX.
void http_percent_encode(struct bytes text, struct buffer *buffer);

// Appends `name=value`, encoded, after an "&" unless the buffer is empty. Brackets in names are
// left as they are, as the usual clients do.
void http_form_put(struct buffer *buffer, struct bytes name, struct bytes value);
void http_form_put_text(struct buffer *buffer, const char *name, const char *value);
