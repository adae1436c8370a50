// PEM texts looked at before a line is tried with them: what an operator has to change is told in a
// sentence that names the parameter. Needs libcrypto alone.
#pragma once

#include "base/buffer.h"

// What one side brings; any of them may be empty.
struct tls_brought {
	struct bytes authorities; // whom to believe
	struct bytes certificate; // our own chain, leaf first
	struct bytes key;         // of the leaf
};

// How the operator calls them.
struct tls_names {
	const char *authorities, *certificate, *key;
};

// Do they parse, does the key fit the certificate, is none of our own certificates over or yet to
// begin, and are not all authorities over? If not, a sentence says what is wrong and what to
// change.
bool tls_look(const struct tls_brought *brought, const struct tls_names *names, int64_t now_ms,
              struct buffer *ret_sentence);
// Does a certificate in the text end within so many days? Then appends a sentence about the one
// that ends first; `whose` is its beginning.
bool tls_text_ends_soon(struct bytes pem, const char *whose, int64_t now_ms, int days,
                        struct buffer *text);
