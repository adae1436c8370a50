// What moves money after an authorization, as plain data: the messages that the bank must have in
// the end, and refunds. domain/objects.h says what the structs of tables have in common.
#pragma once

#include "domain/objects.h"

enum advice_kind {
	ADVICE_REVERSE = 1,
	ADVICE_CAPTURE,
	ADVICE_RELEASE, // a reversal of what a partial capture left
	ADVICE_REFUND,
};

// Which follow which is in domain/advice.c.
enum advice_state {
	ADVICE_QUEUED = 0,
	ADVICE_SENT,
	ADVICE_ACKNOWLEDGED,
	ADVICE_NEEDS_ATTENTION,
	ADVICE_WITHOUT_ORIGINAL, // a reversal of what never reached the bank
	ADVICE_REFUSED,          // a refund that the bank will not make
	ADVICE_RESOLVED_DONE,    // a person found out that it is done
	ADVICE_RESOLVED_FAILED,  // a person found out that it is not, and will not be
};

struct advice {
	int64_t id, attempt;
	int64_t refund; // ADVICE_REFUND: what it carries out
	enum advice_kind kind;
	enum advice_state state;
	int tries;
	int transmissions; // of the tries, those that may have reached the bank
	int64_t asked;     // the number of the driver's line that went last: its answer may come
	                   // after a restart
	int64_t due_ms;    // queued: when to send; sent: when it counts as unanswered
	int64_t first_ms;  // when it was queued first, or again by a person
	int64_t stan, sent_ms, amount;
	char response_code[8];
};

enum refund_status { REFUND_PENDING = 0, REFUND_SUCCEEDED, REFUND_FAILED };
enum refund_reason {
	REFUND_NO_REASON = 0,
	REFUND_DUPLICATE,
	REFUND_FRAUDULENT,
	REFUND_REQUESTED_BY_CUSTOMER,
};

struct refund {
	int64_t id, merchant, intent, attempt;
	enum refund_status status;
	enum refund_reason reason;
	int64_t amount;
	char currency[4];
	char decline_code[CODE_MAX]; // why the bank refused
	char *details;               // metadata
};

static inline void refund_done(struct refund *refund)
{
	free(refund->details);
	refund->details = NULL;
}
