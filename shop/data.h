// The shop's own data in one SQLite file: accounts, sessions, sign-in codes, orders. Cards are not
// here: they live at onfile, and the shop knows their ids, brands and last four digits.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "phone.h"
#include "secret.h"

#define SHOP_ID_TEXT 64       // ids of onfile: cus_…, pm_…, pi_…
#define SHOP_NAME_TEXT 128    // a person's name, UTF-8
#define SHOP_ORDER_TEXT 16    // "S-7KQ2M4"
#define SHOP_ITEMS_TEXT 4096  // JSON
#define SHOP_ERROR_TEXT 4096  // JSON
#define SHOP_LINK_TEXT 1024   // an address at onfile
#define SHOP_SESSION_TEXT 128 // cs_…

struct shop_data;

struct shop_account {
	int64_t row;                  // 0: nobody
	char public[SHOP_TOKEN_TEXT]; // what others may know: metadata at onfile
	char phone[SHOP_PHONE_TEXT];
	char name[SHOP_NAME_TEXT];
	char language[3];            // "ru" or "en"
	char customer[SHOP_ID_TEXT]; // empty until the first card is wanted
	int64_t created;
};

struct shop_challenge { // one sign-in code that was sent
	char phone[SHOP_PHONE_TEXT];
	uint8_t key[SHOP_HASH]; // of the keyed hash
	uint8_t code[SHOP_HASH];
	int64_t expires;
	int64_t tries;
	int64_t used;
};

enum shop_order_state {
	SHOP_ORDER_PAYING, // a call is out, or its answer was never seen: ask again with the same
	                   // key
	SHOP_ORDER_ACTION, // the bank has a question, at `action`
	SHOP_ORDER_PAID,
	SHOP_ORDER_FAILED, // refused for good, `error` says why; a new try is the shopper's
	                   // decision
};

struct shop_order {
	char id[SHOP_ORDER_TEXT];
	int64_t account;
	char page_key[SHOP_TOKEN_TEXT]; // what the page calls it, so that a repeated tap is one
	                                // order
	char items[SHOP_ITEMS_TEXT];
	int64_t amount; // kopecks
	int64_t created;
	int64_t paid;
	enum shop_order_state state;
	int64_t attempt; // counts the shopper's tries; each has one idempotency key
	char card[SHOP_ID_TEXT];
	char brand[24];
	char last4[5];
	char intent[SHOP_ID_TEXT];
	char action[SHOP_LINK_TEXT];
	char error[SHOP_ERROR_TEXT];
};

MUST_USE struct result shop_data_open(const char *folder, struct shop_data **ret_data);
void shop_data_close(struct shop_data *data);
// Between begin and commit, changes become durable together, or not at all. Calls do not nest.
MUST_USE struct result shop_data_begin(struct shop_data *data);
MUST_USE struct result shop_data_commit(struct shop_data *data);
void shop_data_rollback(struct shop_data *data);

// Accounts. _find gives ERROR_NOT_FOUND when there is none.
MUST_USE struct result shop_account_find(struct shop_data *data, const char *phone,
                                         struct shop_account *ret_account);
MUST_USE struct result shop_account_get(struct shop_data *data, int64_t row,
                                        struct shop_account *ret_account);
MUST_USE struct result shop_account_add(struct shop_data *data, const char *phone,
                                        const char *language, int64_t now);
MUST_USE struct result shop_account_change(struct shop_data *data,
                                           const struct shop_account *account);

// Sessions, by the hash of the cookie's token.
MUST_USE struct result shop_session_find(struct shop_data *data, const uint8_t token[SHOP_HASH],
                                         int64_t now, struct shop_account *ret_account);
MUST_USE struct result shop_session_add(struct shop_data *data, const uint8_t token[SHOP_HASH],
                                        int64_t account, int64_t now, int64_t expires);
MUST_USE struct result shop_session_end(struct shop_data *data, const uint8_t token[SHOP_HASH]);

// Sign-in codes, by the hash of the challenge that the browser holds.
MUST_USE struct result shop_challenge_add(struct shop_data *data, const uint8_t id[SHOP_HASH],
                                          const struct shop_challenge *challenge, int64_t now);
MUST_USE struct result shop_challenge_find(struct shop_data *data, const uint8_t id[SHOP_HASH],
                                           struct shop_challenge *ret_challenge);
MUST_USE struct result shop_challenge_tried(struct shop_data *data, const uint8_t id[SHOP_HASH]);
// Ends all codes of a number: one was used.
MUST_USE struct result shop_challenge_end_all(struct shop_data *data, const char *phone);
// How many codes went to a number since a time, and when the oldest of them was sent.
MUST_USE struct result shop_challenge_count(struct shop_data *data, const char *phone,
                                            int64_t since, int64_t *ret_count, int64_t *ret_oldest);
// Forgets codes and sessions that ended long ago.
MUST_USE struct result shop_data_tidy(struct shop_data *data, int64_t now);

// Orders. A page key that is known: ERROR_STATE.
MUST_USE struct result shop_order_add(struct shop_data *data, const struct shop_order *order);
MUST_USE struct result shop_order_get(struct shop_data *data, int64_t account, struct bytes id,
                                      struct shop_order *ret_order);
MUST_USE struct result shop_order_by_key(struct shop_data *data, int64_t account, const char *key,
                                         struct shop_order *ret_order);
// Calls `each` for the account's orders, newest first, at most `limit`.
MUST_USE struct result shop_order_list(struct shop_data *data, int64_t account, int64_t limit,
                                       void (*each)(void *context, const struct shop_order *order),
                                       void *context);
// The same for orders of anybody that are PAYING, oldest first.
MUST_USE struct result shop_order_open(struct shop_data *data, int64_t limit,
                                       void (*each)(void *context, const struct shop_order *order),
                                       void *context);
MUST_USE struct result shop_order_change(struct shop_data *data, const struct shop_order *order);

// Checkout sessions that were opened to link a card, and where to go afterwards.
MUST_USE struct result shop_link_add(struct shop_data *data, const char *session, int64_t account,
                                     const char *next, int64_t now);
MUST_USE struct result shop_link_find(struct shop_data *data, struct bytes session, int64_t account,
                                      char ret_next[SHOP_LINK_TEXT]);
