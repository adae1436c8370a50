// 3-D Secure messages, version 2.2.0, browser channel: one table of fields for each message and one
// checker for both ends of every line. What a field may hold is in tables.c, when it must be there
// in rules.c, how a value looks in format.c. Sending and receiving is left to the programs.
// Defined by EMV 3-D Secure Protocol and Core Functions Specification 2.2.0, annexes A and B.
#pragma once

#include "base/bytes.h"

#include <jansson.h>

#define EMV3DS_VERSION "2.2.0"
// Ids are texts of 36 characters; DETAIL_MAX bounds errorDetail, which may have 2048 characters.
enum { EMV3DS_ID = 36, EMV3DS_DETAIL_MAX = 1000 };

enum emv3ds_type {
	EMV3DS_PREQ,
	EMV3DS_PRES,
	EMV3DS_AREQ,
	EMV3DS_ARES,
	EMV3DS_CREQ,
	EMV3DS_CRES,
	EMV3DS_RREQ,
	EMV3DS_RRES,
	EMV3DS_ERRO,
	EMV3DS_TYPES, // how many there are; also "none of them"
};

// For `accepts`: EMV3DS_BIT(EMV3DS_ARES) | EMV3DS_BIT(EMV3DS_ERRO)
#define EMV3DS_BIT(type) (1U << (type))

// errorCode (annex A.5.5).
enum emv3ds_code {
	EMV3DS_FINE = 0,
	EMV3DS_WRONG_TYPE = 101,
	EMV3DS_WRONG_VERSION = 102,
	EMV3DS_TOO_OFTEN = 103,
	EMV3DS_MISSING = 201,
	EMV3DS_CRITICAL_EXTENSION = 202,
	EMV3DS_FORMAT = 203,
	EMV3DS_DUPLICATE = 204,
	EMV3DS_UNKNOWN_ID = 301,
	EMV3DS_NO_ACCESS = 303,
	EMV3DS_ISO_CODE = 304,
	EMV3DS_TRANSACTION_DATA = 305,
	EMV3DS_SERIAL_NUMBER = 307,
	EMV3DS_TIMED_OUT = 402,
	EMV3DS_TRANSIENT = 403,
	EMV3DS_PERMANENT = 404,
	EMV3DS_NO_CONNECTION = 405,
};

struct emv3ds_problem {
	enum emv3ds_code code;
	char detail[EMV3DS_DETAIL_MAX + 1]; // names of fields, or versions, with commas between
};

// Which end of the line reads. Fields that the directory server adds, or keeps, depend on it.
enum emv3ds_reader { EMV3DS_AT_SERVER, EMV3DS_AT_DIRECTORY, EMV3DS_AT_ACS };

// What the reader knows of the transaction before it reads. NULL means: not known, not compared.
struct emv3ds_known {
	enum emv3ds_reader reader;
	unsigned accepts;
	const char *version;         // messageVersion that the transaction began with
	const char *transaction;     // threeDSServerTransID
	const char *ds_transaction;  // dsTransID
	const char *acs_transaction; // acsTransID
	const char *category;        // messageCategory of the AReq
	const char *challenge;       // threeDSRequestorChallengeInd of the AReq
	bool decoupled_asked;        // threeDSRequestorDecReqInd was Y
	bool decoupled;              // the ARes was D
};

struct emv3ds_reading {
	struct emv3ds_problem problem; // code EMV3DS_FINE when the message may be used
	enum emv3ds_type type;         // EMV3DS_TYPES when it could not be told
	json_t *message; // an object even when there is a problem, or NULL; json_decref() is the
	                 // caller's
};

// Reads one message and checks it. The first kind of problem that is found is reported, in this
// order: not a message 101, a key twice 204, wrong type 101, version 102, fields missing 201,
// values malformed 203, critical extensions 202, ISO codes 304, ids 301. Fields that no table knows
// pass.
struct emv3ds_reading emv3ds_read(struct bytes text, const struct emv3ds_known *known);

// The same for a message that is an object already. ret_type may be NULL.
struct emv3ds_problem emv3ds_check(const json_t *message, const struct emv3ds_known *known,
                                   enum emv3ds_type *ret_type);

// "AReq"; "" for EMV3DS_TYPES.
const char *emv3ds_type_name(enum emv3ds_type type);
// The sentence for errorDescription.
const char *emv3ds_code_text(enum emv3ds_code code);

// The text of a member; "" when it is absent or not a text.
const char *emv3ds_text(const json_t *message, const char *name);
