// The flows as pure functions: (facts, event, policy, now) in, (next state, effects) out. No clock,
// no chance, no input or output, no allocation. What runs live, what recovers after a crash and
// what a simulation runs is this code. States and events are those of docs/states.md.
//
// A flow knows outcomes, never a bank's codes. It does not do anything: it says what is to be done
// (effects), and its caller writes the step and the effects in one commit before any of them
// leaves.
#pragma once

#include "domain/objects.h"
#include "domain/problem.h"

enum flow_event_kind {
	EVENT_APPROVED,             // the bank said yes
	EVENT_DECLINED,             // the bank said no; `problem` says why
	EVENT_NEEDS_AUTHENTICATION, // the bank would say yes to a shopper who proves who they are
	EVENT_NOT_SENT,             // not one byte reached the bank
	EVENT_UNKNOWN,              // whatever happened, nobody here can know
	EVENT_ENROLLED, // the card's range has 3-D Secure; `method` tells of a method URL
	EVENT_NOT_ENROLLED,
	EVENT_DIRECTORY_AWAY, // no answer about the range
	EVENT_BROWSER,        // the browser's facts are known now
	EVENT_METHOD_DONE,    // the bank's method frame came back
	EVENT_STATUS,         // ARes: `status`
	EVENT_RESULT,         // RReq: `status`
	EVENT_CANCEL,         // the shopper went back, or the merchant canceled
	EVENT_TIMER,          // the deadline of the state has passed
	EVENT_CAPTURE,        // the merchant takes `amount` of what is held
	EVENT_REFUND,         // the merchant gives `amount` of what was taken back
	EVENT_CAPTURE_FAILED, // a person found out that the bank never took the money
	FLOW_EVENTS
};

struct flow_event {
	enum flow_event_kind kind;
	enum problem problem; // EVENT_DECLINED; EVENT_UNKNOWN: why, when it is not NO_ANSWER
	enum check cvc_check; // of the bank's answer
	char status;          // EVENT_STATUS, EVENT_RESULT: transStatus
	bool method;          // EVENT_ENROLLED: the range has a method URL
	bool differs;         // EVENT_APPROVED: another amount or currency than was asked for
	int64_t amount;       // EVENT_CAPTURE, EVENT_REFUND: minor units
};

// A driver answers by its deadline; this much later its answer must have been heard here.
enum { FLOW_GRACE_MS = 2000 };

// What the operator decided; docs/config.md.
struct flow_policy {
	bool accept_unenrolled;
	bool accept_attempted;
	bool accept_code_unchecked;
	int decoupled_minutes;
	int64_t bank_ms;          // until the bank must have answered
	int64_t hold_ms;          // the life of an authorization that nobody captures
	bool release_by_reversal; // what a partial capture leaves is given back by a partial
	                          // reversal
};

// What the flow must remember beside its state.
struct flow_facts {
	enum attempt_state state;
	int flags;      // ATTEMPT_…
	bool browser;   // the browser's facts are known
	char method;    // threeDSCompInd: Y, N, U; 0 while the method frame may still come back
	bool ask_again; // the bank wants the authentication's result in a second verification
	bool present;   // a shopper is there who can be asked
	bool code;      // the shopper typed a CVC
	bool elsewhere; // another connection would take this payment
	int64_t open;   // minor units: held and not captured, or captured and not refunded
};

// What is to be done once the step is durable.
enum flow_effect {
	FLOW_VERIFY = 1 << 0,       // ask the bank about the card (zero amount)
	FLOW_FORGET_CODE = 1 << 1,  // vault wipes the CVC
	FLOW_LOOK_UP = 1 << 2,      // ask the directory server about the card's range
	FLOW_AUTHENTICATE = 1 << 3, // AReq
	FLOW_SAVE = 1 << 4,         // the card is linked: save card, intent, events in this commit
	FLOW_COUNT = 1 << 5,        // counts for the guards as refused
	FLOW_PAY_AGAIN = 1 << 6,    // a new attempt with the authentication's result
	FLOW_REVERSE = 1 << 7,      // queue a reversal in this commit, unless there is one
	FLOW_CAPTURE = 1 << 8,      // queue a capture advice in this commit
	FLOW_IGNORED = 1 << 9, // the event means nothing in this state; nothing is to be written
	FLOW_PAY_ELSEWHERE = 1 << 10, // a new attempt on the next connection
	FLOW_RELEASE = 1 << 11,       // queue a reversal of what the capture left in this commit
	FLOW_REFUND = 1 << 12,        // queue the refund in this commit
};

struct flow_step {
	enum attempt_state next;
	enum problem problem; // why it is over, when next is ATTEMPT_OVER or ATTEMPT_GIVEN_UP
	unsigned effects;
	int64_t deadline_ms; // of the next state; 0: at rest
	char method;         // as in the facts, after this step
	bool ask_again;
};

// One step of linking a card, and of a payment.
struct flow_step link_next(const struct flow_facts *facts, const struct flow_event *event,
                           const struct flow_policy *policy, int64_t now_ms);
struct flow_step payment_next(const struct flow_facts *facts, const struct flow_event *event,
                              const struct flow_policy *policy, int64_t now_ms);

// Names for logs, the support view and the documentation: "verifying", "approved".
const char *flow_state_name(enum attempt_state state);
const char *flow_event_name(enum flow_event_kind kind);
// True when the attempt waits for nobody: it is over, or held until the merchant says what is to be
// done (or its life ends).
bool flow_is_at_rest(enum attempt_state state);
// True when nothing but a refund changes anything any more.
bool flow_is_over(enum attempt_state state);
// The longest that an attempt may be in this state, in milliseconds; 0: as long as it likes.
int64_t flow_longest_ms(enum attempt_state state, const struct flow_policy *policy);
// What the intent shows while its attempt is in this state.
enum intent_status flow_intent_status(enum attempt_state state);
