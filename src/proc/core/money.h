// What the files of the flows share about money: payments and what follows them (captures,
// reversals, refunds), the lines that a bank's driver gets. flows.h has the rest.
#pragma once

#include "core/flows.h"
#include "domain/advice.h"

// --- flow_payment.c: what is done in the commit of a step
void payment_stepped(struct core *core, struct live *live, const struct flow_event *event,
                     const struct flow_step *step);
// The card of this link is there: the payment that it was typed for begins, and who waited for the
// link waits for that.
void payment_linked(struct core *core, struct live *link);
// setup_future_usage: the card is to be on file.
bool payment_keeps_card(const struct payment_intent *intent);
// A new attempt of the same payment: with the proof (FLOW_PAY_AGAIN), or on another connection
// (FLOW_PAY_ELSEWHERE).
void payment_again(struct core *core, struct live *live, unsigned effects);
// True when a connection that was not tried yet would take this payment.
bool payment_has_elsewhere(struct core *core, const struct attempt *row);
// Ends authorizations that nobody captured in their life.
void payment_holds_due(struct core *core);

// --- flow_bank.c: lines of docs/drivers.md, kind bank
void bank_verify(struct core *core, struct live *live);
void bank_authorize(struct core *core, struct live *live);
// DE37 of an attempt, and the attempt's key that has it in the ten years around now; 0: none can.
enum { BANK_RRN_CAPACITY = 16 };
void bank_rrn(int64_t attempt, char ret_rrn[static BANK_RRN_CAPACITY]);
int64_t bank_rrn_read(const char *rrn, int64_t now_ms);
bool bank_advice(struct core *core, const struct advice *advice, const struct attempt *attempt,
                 int64_t deadline_ms);
// The event that a driver's answer to verify or authorize means; fills in the attempt's row.
struct flow_event bank_event(struct core *core, struct attempt *row, const json_t *answer);
// ISO 4217 digits of a currency's letters; "000" when it is not in domain/currencies.def.
const char *bank_currency(const char *letters);
// Appends the times of a message that leaves now: `sent_at` (DE7) and `local_at` (DE12, DE13).
void bank_put_times(const struct core *core, struct buffer *line);
// Sends a line with (card 1), with its code (2) or without (0) the card of an attempt.
bool bank_ask(struct core *core, const struct question *question, int64_t connection,
              int64_t deadline_ms, int card_kind, int64_t card, struct bytes line);

// --- flow_advice.c
// `refund`: of ADVICE_REFUND, else 0. A reversal is queued once only.
void advice_queue(struct core *core, const struct attempt *attempt, enum advice_kind kind,
                  int64_t amount, int64_t refund);
void advice_due(struct core *core, int64_t id);
// What a person has found out. `by` goes into the story. False: it does not need attention.
bool advice_resolve(struct core *core, int64_t id, enum advice_event event, const char *by);
void advice_answer(struct core *core, int64_t id, const json_t *answer);
void advices_recover(struct core *core);

// --- flow_refund.c
// The advice of a refund has come to a new state.
void refund_stepped(struct core *core, const struct advice *advice);
// The bank said why it refuses.
void refund_answered(struct core *core, int64_t refund, struct bytes decline_code);
void refund_waited(struct core *core, int64_t refund);
void refunds_free(struct flows *flows);

// --- flow_card.c: how long the sealed number of a card is kept
// A payment is made with it.
void card_used(struct core *core, struct card *card);
// Destroys the seal of a removed card when nothing on it can be captured, reversed or refunded.
void card_let_go(struct core *core, int64_t card);
void cards_sweep(struct core *core);
