// What the parts of the simulated world say to each other.
#pragma once

#include "host.h"
#include "sim.h"

#define SIM_KEY "sk_test_simulated"

// --- bank.c: the fake bank with books of its own
enum operation { OP_VERIFY, OP_AUTHORIZE, OP_CAPTURE, OP_REVERSE, OP_REFUND, OPERATIONS };

// DE41, DE7 and DE11: what a message is known by.
struct wire_key {
	char terminal[9], sent_at[11], stan[7];
};

struct bank_request {
	int64_t id;
	enum operation operation;
	struct wire_key key, original;
	char rrn[13], currency[4];
	int64_t amount, original_amount;
	int card, connection;
	bool repeat, authenticated, single;
	uint64_t driver_life;
};

// One authorization or verification in the bank's books.
struct bank_entry {
	struct bank_request request;
	bool approved, reversed;
	int64_t approved_amount, released, captured, refunded;
};

void ledger_begin(void);
void ledger_end(void);
// What the bank answers: the members of an answer without its id; NULL: nothing, it hangs.
const char *ledger_process(const struct bank_request *request);
size_t ledger_count(void);
const struct bank_entry *ledger_at(size_t index);
// Whether this capture, reversal or refund is in its books.
bool ledger_has_done(enum operation operation, const char *stan, const struct wire_key *original);
bool ledger_refuses(void); // now and then it refuses an advice for good

// --- vault.c: vault, the driver, and the network behind it
void vault_begin(void);
void vault_end(void);
void vault_message(const struct wire_message *message);
void vault_core_is_up(void);
void vault_core_died(void);
void vault_dies(void);
void driver_dies(void);
void driver_line_breaks(void);

// How often vault died; an answer to a question of an earlier life is none.
uint64_t vault_life(void);
// An answer of the driver of a connection. `state` as in WIRE_DRIVER_ANSWER_STATE.
void vault_answer(int connection, int64_t id, int state, const char *body);

// --- directory.c: 3-D Secure, from the directory server to the shopper
void directory_request(struct bytes line, int64_t deadline_ms);
// True: the answer was for the issuer's server.
bool directory_answer(const struct answer *answer);
// The issuer said yes to this transaction, or has no 3-D Secure for the card.
bool directory_confirms(const char *transaction);
// Opens the page of an intent, and does what it asks for.
void shopper_comes(const char *client_secret);
void directory_end(void);

// --- shop.c: merchants
void shop_begin(void);
void shop_end(void);
void shop_answer(const struct answer *answer);
void shop_core_died(void); // nobody answers any more
bool shop_is_done(void);
// Everything is asked once more: keys give the same bytes, objects are as they were said to be.
void shop_ask_again(void);

// --- host.c
void host_clock_was_set(void);

// Something was written from outside of a turn: one follows.
void host_soon(void);

// --- check.c: the rules of docs, held against the store and the bank
void check_timers(void); // while core runs
void check_books(void);  // at rest, core is down
// The number that an attempt's authorization went with.
void check_key_of(int64_t connection, int64_t stan, int64_t sent_ms, struct wire_key *ret_key);

// --- person.c: who is called when an advice needs attention
void person_comes(void);

// --- plants.c: bugs that are there only when asked for
bool plant_is(const char *name);
// The plants by position, with a sentence each; NULL: no more.
const char *plant_at(size_t index, const char **ret_what);
void plants_turn(struct core *core);
