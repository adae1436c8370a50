// What the files of the flows share: attempts in memory, questions to drivers, timers. Only
// flow_*.c, guards.c, control_*.c and pages.c look in here; everyone else uses flow.h.
#pragma once

#include "api/id.h"
#include "core/connections.h"
#include "core/core.h"
#include "core/guards.h"
#include "core/due.h"
#include "core/forget.h"
#include "core/flow.h"
#include "core/map.h"
#include "domain/flow.h"

#include <jansson.h>

// The addresses of an attempt that the bank's side posts to hold a secret: those that the browser
// sees, and the one for the result, which it never sees.
#define SECRET_OF_BROWSER API_ID_SETUP_ATTEMPT
#define SECRET_OF_RESULT API_ID_CHARGE

// What is known of a 3-D Secure authentication; kept as JSON in the table authentications.
struct authentication {
	int64_t connection;
	int64_t asked;        // the driver's line that is open; 0: the attempt's own number
	enum check cvc_check; // what the bank said of the code
	char transaction[40], ds_transaction[40], acs_transaction[40]; // UUIDs
	char version[8];
	char eci[4];
	char value[64];
	char window[3];
	char method;    // threeDSCompInd, 0 while pending
	bool ask_again; // a second verification follows
	bool code;      // the shopper typed a CVC
	bool pageless;  // of a test token: no page runs the bank's method frame
	char address[46];
	char *method_url, *method_origin, *acs_url, *acs_origin, *creq, *browser, *info;
};

void authentication_free(struct authentication *authentication);
// Reads and writes the row of an attempt.
void authentication_load(struct core *core, int64_t attempt, struct authentication *ret);
void authentication_save(struct core *core, int64_t attempt,
                         const struct authentication *authentication);

struct waiter {
	struct waiter *next;
	flow_done *done;
	void *owner;
};

// An attempt that is not at rest, or one that something happens to.
struct live {
	struct attempt row;
	struct authentication authentication;
	int64_t refund; // EVENT_REFUND: the refund's row
	struct waiter *waiters;
};

// A card that vault is opening: nothing is stored yet.
struct opening {
	int64_t id;
	bool payment; // `intent` is a PaymentIntent
	int64_t intent, merchant, customer;
	char *browser, *card_details;
	char window[3];
	char address[46];
	char currency[4]; // of its payment or session; "": not known
	struct waiter waiter;
};

enum question_kind {
	QUESTION_BANK, // verify or authorize
	QUESTION_VERSIONS,
	QUESTION_AUTHENTICATE,
	QUESTION_RESULTS,
	QUESTION_ADVICE,
	QUESTION_TEST,
};

// A line that went to a driver and has not been answered.
struct question {
	int64_t id;
	enum question_kind kind;
	int64_t subject; // attempt, advice or (test) the control client's number
	uint64_t serial; // QUESTION_RESULTS: the request that waits for the RRes
	int64_t asked_ms;
};

enum due_kind {
	DUE_ATTEMPT,
	DUE_ADVICE,
	DUE_OPENING,
	DUE_UNENROLLED,
	DUE_SWEEP,  // once an hour
	DUE_FORGET, // and in steps after it
	DUE_HOLDS,  // authorizations whose life is over are looked for
	DUE_REFUND, // who waits for this refund has waited long enough
};

// What a waiter is to be told, at the end of the turn.
struct told {
	struct told *next;
	flow_done *done;
	void *owner;
	struct flow_outcome outcome;
};

struct flows {
	struct map lives;     // attempt -> struct live
	struct map questions; // id -> struct question
	struct map openings;  // id -> struct opening
	struct map refunds;   // refund -> struct waiter: who waits for its answer
	struct due due;
	struct connection *connections;
	struct told *told;
	struct flow_policy policy;
	uint8_t stans[1000000 / 8]; // those that an open attempt or advice has
	int64_t next_stan;
	struct guard_window window; // guards.c
	struct forget forget;
	int64_t last_trial_ms; // when a link was started last
	bool stopping;         // no advice is sent any more
	int64_t clock_ms;      // what the clock showed at the end of the last turn
};

// --- flows.c
// An attempt that is not at rest; NULL: there is none, or it is over.
struct live *flows_live(struct core *core, int64_t attempt);
// One that may be over: read into `room` then, whose authentication is to be freed.
struct live *flows_any(struct core *core, int64_t attempt, struct live *room);
struct live *flows_add(struct core *core, const struct attempt *row);
// A card of this customer is being linked; 0 is nobody.
bool flows_is_linking(const struct core *core, int64_t customer);
// One event of an attempt: step, store, effects, waiters. False: it means nothing in its state.
bool flows_event(struct core *core, struct live *live, const struct flow_event *event);
// The same for one that may be at rest.
bool flows_event_of(struct core *core, int64_t attempt, const struct flow_event *event);
// What the operator decided, with what a connection's policy says.
struct flow_policy flows_policy(const struct core *core, int64_t connection);
void flows_tell(struct core *core, flow_done *done, void *owner,
                const struct flow_outcome *outcome);
// Adds a line to the story of an attempt.
void flows_step(struct core *core, int64_t attempt, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
// A number for a message that has none yet, and one that is in use again (after a restart).
int64_t flows_new_stan(struct core *core);
void flows_keep_stan(struct core *core, int64_t stan);
void flows_free_stan(struct core *core, int64_t stan);
void flows_start_stans(struct core *core);
struct question *flows_ask(struct core *core, enum question_kind kind, int64_t id, int64_t subject);
// Makes the short code of an attempt that failed.
void flows_make_code(struct core *core, int64_t attempt);

// --- flow_clock.c: once a turn, and at the start; no timer stays further away than it can be
void flows_watch_clock(struct core *core);
void flows_hurry(struct core *core);

// --- flow_link.c: what is done in the commit of a step
bool link_customer_is_here(struct core *core, int64_t customer);
void link_saved(struct core *core, struct live *live);
void link_failed(struct core *core, struct live *live);
// The bank said yes to the card of a test token that is to be attached. flow_attach.c.
void attach_saved(struct core *core, struct live *live);
// Verifies over the next connection, since not one byte left on this one. False: it is no link that
// is being verified, or no other connection takes it.
bool link_elsewhere(struct core *core, struct live *live);
void link_opened(struct core *core, const struct wire_message *message);
// Vault is just opening a card for this intent.
bool link_is_opening(const struct core *core, int64_t intent);
// Accepts NULL.
void opening_free(struct opening *opening);
void link_opening_over(struct core *core, struct opening *opening, int problem);

// --- flow_authentication.c
void authentication_look_up(struct core *core, struct live *live);
void authentication_ask(struct core *core, struct live *live);
void authentication_answer(struct core *core, struct live *live, enum question_kind kind,
                           const json_t *answer);
// Keeps the browser's facts, and the size of the window, which the lines have beside them.
void authentication_take_browser(struct authentication *authentication, const char *browser,
                                 struct bytes window);
void authentication_browser(struct core *core, struct live *live, const char *browser,
                            struct bytes window);
void authentication_method_done(struct core *core, struct live *live);
// A result message for this attempt; the reply to `serial` comes after the outcome is durable.
void authentication_result(struct core *core, int64_t attempt, uint64_t serial, struct bytes body);
void authentication_result_answer(struct core *core, const struct question *question,
                                  const json_t *answer);

// QUESTION_TEST was answered (control_test.c).
void control_test_answer(struct core *core, const struct question *question, const json_t *answer,
                         const char *detail);
