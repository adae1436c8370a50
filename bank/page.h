// Small templates for the bank's pages. In a template, {{name}} is a value with &, <, > and quotes
// made harmless, {{t:key}} a text of texts.def in the reader's language (which may hold values
// too),
// {{?name}} … {{/}} is there only when the value is not empty, {{!name}} … {{/}} only when it is.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

struct page_value {
	const char *name;
	const char *value; // NULL is the same as ""
};

// ERROR_INPUT when the template names a text that is not there, or does not end what it began.
MUST_USE struct result page_put(struct buffer *out, struct bytes template, bool russian,
                                const struct page_value *values, size_t count);

// A text with its values filled in and nothing escaped: for SMS.
MUST_USE struct result page_put_plain(struct buffer *out, const char *key, bool russian,
                                      const struct page_value *values, size_t count);
