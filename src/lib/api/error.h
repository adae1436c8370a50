// Errors of the API in Stripe's shape, as far as they do not concern a card: what is wrong with a
// request, a key, an id, a state. Those about cards come from domain/problem.h and render.h.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

enum { API_PARAM_CAPACITY = 160, API_MESSAGE_CAPACITY = 480 };

struct api_error {
	int status;              // HTTP; 0: no error
	const char *type, *code; // static; code may be NULL
	char param[API_PARAM_CAPACITY];
	char message[API_MESSAGE_CAPACITY];
};

// Fills in an invalid_request_error and returns false, so that a check can end with it. `code` and
// `param` may be NULL; both texts are made safe (printable, cut to what fits).
bool api_fail(struct api_error *ret_error, int status, const char *code, const char *param,
              const char *format, ...) __attribute__((format(printf, 5, 6)));

// The usual ones.
bool api_fail_missing_object(struct api_error *ret_error, const char *what, const char *param,
                             struct bytes id); // 404 resource_missing
bool api_fail_missing_param(struct api_error *ret_error,
                            const char *param); // 400 parameter_missing

// Copies what a client sent so that it can be shown: printable ASCII, cut with "…" when too long.
void api_show(struct bytes from, char *ret_text, size_t capacity);

// Appends `{"error":{…}}`.
void api_error_put(struct buffer *buffer, const struct api_error *error);
