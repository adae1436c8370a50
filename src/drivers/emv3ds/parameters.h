// The parameters of the connection: one table from which --describe is written and by which the
// first line is read and checked. docs/drivers.md, section "--describe".
#pragma once

#include "base/buffer.h"
#include "base/result.h"

#include <jansson.h>

// A certificate that ends within so many days is told.
enum { CERTIFICATE_DAYS = 30 };

struct parameters {
	const char *url;
	const char *requestor_id;
	const char *requestor_name;
	const char *server_reference;
	const char *operator_id; // "" when there is none; so are the next but the numbers
	const char *acquirer_bin;
	const char *merchant_id;
	const char *mcc;
	const char *country;
	const char *version;
	const char *ca;
	const char *certificate;
	const char *key;
	long refresh_minutes;

	json_t *line; // what the texts point into
};

// Reads the first line. On ERROR_INPUT *ret_name is the parameter that is missing or wrong.
MUST_USE struct result parameters_read(struct bytes line, struct parameters *ret_parameters,
                                       const char **ret_name);
void parameters_done(struct parameters *parameters);

// Appends what --describe prints.
MUST_USE struct result parameters_describe(struct buffer *buffer);
