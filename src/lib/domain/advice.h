// Advices: messages that the bank must have in the end (reversal, capture, release of what a
// capture left, refund). They repeat on their own clock until the bank acknowledges them; none is
// ever dropped: what stays open is shown to a person. flows.md, "Advices". A refund may be told
// twice only to a bank that recognises repeats.
#pragma once

#include "domain/money.h"

enum advice_event {
	ADVICE_DUE,            // its time has come: send it, or, when it was sent: no answer came
	ADVICE_ACCEPTED,       // the bank acknowledged it
	ADVICE_NO_ORIGINAL,    // the bank does not know what it is about
	ADVICE_IS_REFUSED,     // any other no
	ADVICE_NOT_SENT,       // not one byte reached the bank
	ADVICE_UNANSWERED,     // unknown
	ADVICE_RESOLVE_DONE,   // a person says: it is done
	ADVICE_RESOLVE_FAILED, // a person says: it is not, and will not be
	ADVICE_RESOLVE_AGAIN,  // a person says: try again
	ADVICE_EVENTS
};

struct advice_policy {
	int64_t answer_ms;      // until the bank must have answered
	int64_t late_window_ms; // how long after the original's deadline it may still arrive at the
	                        // bank
	int64_t attention_ms;   // after this a person is called (24 h)
	bool refund_repeats;    // the bank recognises a refund that it has had before
};

struct advice_step {
	enum advice_state next;
	bool ignored;   // nothing changes
	bool send;      // write it to the bank now, as a repeat when transmissions is above 1
	bool renew;     // its 24 hours begin anew
	int64_t due_ms; // of the next state
	int tries, transmissions;
};

// True when nothing more is sent.
bool advice_is_settled(enum advice_state state);
// True when nothing is open any more, not even for a person.
bool advice_is_over(enum advice_state state);

// One step. `original_deadline_ms` is when the authorization that the advice is about had to be
// answered.
struct advice_step advice_next(const struct advice *advice, enum advice_event event,
                               int64_t original_deadline_ms, const struct advice_policy *policy,
                               int64_t now_ms);

// What a refund shows while its advice is in this state.
enum refund_status refund_status_of(enum advice_state state);

// Names for logs, people and the documentation: "refund", "needs_attention", "not_sent".
const char *advice_kind_name(enum advice_kind kind);
const char *advice_state_name(enum advice_state state);
const char *advice_event_name(enum advice_event event);
