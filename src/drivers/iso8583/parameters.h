// The parameters of a connection: one table makes `--describe` and reads the first line.
// docs/drivers.md, `--describe`; meanings in docs/iso8583.md.
#pragma once

#include "base/buffer.h"
#include "iso8583/dialect.h"
#include "iso8583/frame.h"

#include <jansson.h>

struct parameters {
	char host[256];
	int64_t port;
	struct iso8583_dialect *dialect; // owned
	struct iso8583_framing framing;
	uint8_t tpdu[ISO8583_TPDU];
	char acquirer[12];       // DE32
	char category[5];        // DE18
	char country[4];         // DE19; empty: not sent
	char processing_code[7]; // DE3 of a verification
	char refund_code[7];     // DE3 of a refund
	bool refund_advice;      // a refund is an advice, not a request
	bool sign_on;
	int64_t connect_timeout_ms, sign_on_timeout_ms, echo_interval_ms, echo_timeout_ms,
	        late_window_ms;
};

// Reads the object `parameters` of the first line. On failure the sentence names the parameter and
// what it should be (in `ret_sentence`, for the operator).
MUST_USE struct result parameters_read(const json_t *object, struct parameters *ret_parameters,
                                       struct buffer *ret_sentence);

// Appends the JSON object of `--describe`.
void parameters_describe(struct buffer *buffer);
