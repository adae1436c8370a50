// Inside lib/emv3ds only: how a field is described. The tables are in tables.c; rules.c says when a
// field must be there, format.c how its value must look.
#pragma once

#include "emv3ds/message.h"

enum emv3ds_format {
	FORMAT_TEXT,
	FORMAT_DIGITS,
	FORMAT_UUID,
	FORMAT_URL,     // https, or http to a loopback host
	FORMAT_BOOLEAN, // a JSON boolean
	FORMAT_MONTH,   // YYMM
	FORMAT_DATE,    // YYYYMMDD
	FORMAT_MINUTE,  // YYYYMMDDHHMM
	FORMAT_SECOND,  // YYYYMMDDHHMMSS
	FORMAT_ADDRESS, // IPv4 or IPv6
	FORMAT_EMAIL,
	FORMAT_ZONE,     // minutes with an optional sign
	FORMAT_CURRENCY, // ISO 4217 number
	FORMAT_COUNTRY,  // ISO 3166-1 number
	FORMAT_CAVV,     // 20 bytes in base64
	FORMAT_VERSION,  // 2.2.0
	FORMAT_CARD,     // 13 to 19 digits
	FORMAT_OBJECT,   // `children`
	FORMAT_OBJECTS,  // an array of `min` to `max` such objects
	FORMAT_TEXTS,    // an array of texts out of `values`
	FORMAT_ANY,
};

enum emv3ds_presence { REQUIRED, OPTIONAL, FORBIDDEN };

// One row of rules.c each: when is the field required.
enum emv3ds_need {
	NEED_ALWAYS,
	NEED_NEVER,
	NEED_SCRIPT,         // browserJavascriptEnabled is true
	NEED_PAYMENT,        // messageCategory 01
	NEED_PURCHASE,       // 01, or instalment and recurring of 02
	NEED_INSTALMENT,     // threeDSRequestorAuthenticationInd 03
	NEED_RECURRING,      // 02 and 03
	NEED_DECOUPLED_TIME, // threeDSRequestorDecReqInd is Y
	NEED_TOKEN_SOURCE,
	NEED_SHIP_COUNTRY,
	NEED_LIST_SOURCE,
	NEED_FROM_DIRECTORY, // the ACS needs what the directory server adds
	NEED_CHALLENGED,     // transStatus C or D
	NEED_DECOUPLED,      // transStatus D
	NEED_CHALLENGE_URL,  // transStatus C
	NEED_CONFIRMATION,   // acsDecConInd is Y
	NEED_PROOF,          // payment and Y or A
	NEED_REASON,         // payment and N, U or R
	NEED_METHOD,         // transStatus Y or N
	NEED_COUNTER,        // a challenge that was not decoupled
	NEED_CANCEL,         // transStatusReason 14
};

struct emv3ds_field {
	const char *name;
	enum emv3ds_need need;
	enum emv3ds_format format;
	unsigned min;       // characters, or elements
	unsigned max;       // 0: no bound of its own
	const char *values; // "Y N", "01 02 80-99"; NULL: any
	const struct emv3ds_field *children;
};

struct emv3ds_table {
	const char *name;
	const struct emv3ds_field *fields; // ends with a row without a name
};

extern const struct emv3ds_table emv3ds_tables[EMV3DS_TYPES];

enum emv3ds_presence emv3ds_presence(enum emv3ds_need need, const json_t *message,
                                     const struct emv3ds_known *known);
// True when the value is as the row says. An object's children are not looked at.
bool emv3ds_value_ok(const struct emv3ds_field *field, const json_t *value);
// False for the numbers that annex A.5 forbids.
bool emv3ds_code_ok(enum emv3ds_format format, const char *text);
// Rules between fields, and between request and answer. Adds to *problem when one is broken.
void emv3ds_rules(enum emv3ds_type type, const json_t *message, const struct emv3ds_known *known,
                  struct emv3ds_problem *problem);
// Sets the code, if none is set yet, and adds a name to the detail, if the code is the same.
void emv3ds_blame(struct emv3ds_problem *problem, enum emv3ds_code code, const char *parent,
                  const char *name);
