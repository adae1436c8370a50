// How the rest of core starts, joins and ends the flows (link, payment). A flow works on over
// several turns of the loop; whoever waits for it is called back once, when there is something to
// answer: the attempt is at rest, or the shopper has to act.
#pragma once

#include "base/bytes.h"
#include "domain/money.h"

struct core;
struct card;
struct guard_verdict;
struct wire_value;

// Facts about the shopper's browser, as a JSON object of docs/drivers.md's `browser`; NULL when not
// known yet (the page will bring them).
struct flow_link_start {
	int64_t intent; // a SetupIntent
	bool payment;   // a PaymentIntent, which is paid with the card once it is linked
	struct bytes jwe;
	int64_t card; // instead of `jwe`: the card of a test token, which no link has proven
	const char *browser;
	struct bytes window;      // its challengeWindowSize, as it says it
	const char *address;      // of the client, for the guards
	const char *card_details; // JSON or NULL
	const char *name;
	bool unproven; // a browser that was not asked for a proof of work: refused when one is due
	const struct guard_verdict *verdict; // guards_before(), when it was asked; NULL: it will be
};

struct flow_payment_start {
	int64_t intent;
};

enum flow_end {
	FLOW_AT_REST, // read the intent and the attempt and answer
	FLOW_ACTION,  // the shopper has to act: the intent is requires_action
	FLOW_REFUSED, // nothing was started; `problem` says why, `attempt` has the story and the
	              // code
	FLOW_BUSY,    // another attempt of this intent or this customer is running
};

struct flow_outcome {
	enum flow_end end;
	int problem;      // enum problem of domain/problem.h
	int64_t attempt;  // 0 when there is none
	int64_t again_ms; // when the guards allow the next try; 0 otherwise
	int proof_bits;   // above 0: the guards ask for a proof of work
};

typedef void flow_done(struct core *core, void *owner, const struct flow_outcome *outcome);

// Starts an attempt. Who waits for the link of a payment waits for the payment too. `done` is
// called once, never before this function has returned.
void flow_link(struct core *core, const struct flow_link_start *start, flow_done *done,
               void *owner);
void flow_pay(struct core *core, const struct flow_payment_start *start, flow_done *done,
              void *owner);

// Asks the bank about the card of a test token and attaches it to the customer (0: to nobody yet,
// who waits makes the customer). Returns the attempt; 0: no connection takes it, `done` will not be
// called.
int64_t flow_attach(struct core *core, const struct card *card, int64_t customer, flow_done *done,
                    void *owner);

// Takes `amount` of what an attempt holds, or gives it back to its customer: the message to the
// bank is queued in this commit. False: it cannot be, nothing has happened.
bool flow_capture(struct core *core, int64_t attempt, int64_t amount);
// `refund` is stored and new. `done` is called once, when the bank has answered, or after its time.
bool flow_refund(struct core *core, const struct refund *refund, flow_done *done, void *owner);
// Waits for the bank's answer to a refund; calls back in this turn's end when there is none to wait
// for.
void flow_refund_wait(struct core *core, int64_t refund, flow_done *done, void *owner);
// When a payment can no longer be given back, Unix milliseconds.
int64_t flow_refundable_until_ms(const struct core *core, const struct attempt *attempt);
// The row of a new card from the fields of CARD_OPENED, not stored and in state 0.
// `card_details` is JSON or NULL. To be given back with card_done().
void flow_card_of_vault(struct core *core, int64_t merchant, const char *card_details,
                        const struct wire_value *opened, struct card *ret_card);
// A card was removed: its seal is destroyed now, or when nothing needs it any more.
void flow_card_removed(struct core *core, int64_t card);

// Waits for a running attempt; calls back in this turn's end when it is at rest already.
void flow_wait(struct core *core, int64_t attempt, flow_done *done, void *owner);

// Nobody waits any more (the client has gone). The flow goes on.
void flow_forget(struct core *core, void *owner);

// Ends what runs for an intent's page, even a card that vault is just opening.
void flow_cancel_link(struct core *core, int64_t intent, int64_t attempt);
// Ends the live attempt of an intent because the shopper or the merchant says so.
void flow_cancel(struct core *core, int64_t attempt);

// The short code of an attempt that failed: at least 16 bytes; "" when there is none.
void flow_code(struct core *core, int64_t attempt, char *ret_code, size_t capacity);
