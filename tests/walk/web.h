// The walk's browser: one blocking HTTP request at a time over lib/http, cookies of one site, and
// just enough HTML to press a button of a form.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

#include <jansson.h>

struct answer {
	int status;
	struct buffer body;
	char location[4096];
	char policy[4096]; // Content-Security-Policy
	json_t *json;      // NULL when the body is no JSON
};

void answer_done(struct answer *answer); // for cleanup()

struct site {
	int port;
	const char *host;   // "shop.localhost:8080"
	const char *origin; // "http://shop.localhost:8080"
	char cookie[512];   // kept from Set-Cookie
	const char *key;    // Authorization: Bearer; NULL: none
};

// Sends a request to the site; false when nothing came back. `type` NULL: a form body.
bool site_ask(struct site *site, const char *method, const char *path, const char *type,
              struct bytes body, struct answer *ret_answer);

// The value of the attribute `name` of the first tag that holds `mark`, as HTML text decoded; false
// when there is none.
bool html_attribute(struct bytes html, const char *mark, const char *name, char *ret_value,
                    size_t capacity);
// The path of a URL, from its first slash after the host.
const char *url_path(const char *url);
