// Merchants: orders, the calls that they make for them, and what they were told.
#pragma once

#include "parts.h"

#include <jansson.h>

enum { CUSTOMERS = 3, CARDS = 4, ID_MAX = 48, CALL_TRIES_MAX = 12 };

enum deed {
	DEED_CUSTOMER, // create a customer
	DEED_SETUP,    // create a SetupIntent
	DEED_LINK,     // confirm it with an encrypted card
	DEED_PAY,      // create and confirm a PaymentIntent in one call
	DEED_CREATE,
	DEED_CONFIRM,
	DEED_CAPTURE,
	DEED_CANCEL,
	DEED_REFUND,
	DEED_DETACH,
	DEED_LOOK, // at the object
	DEEDS
};

// A request with its key, sent until it is answered.
struct call {
	struct call *next;
	struct order *order;
	enum deed deed;
	const char *method;
	char path[120], body[400], key[32];
	int64_t amount;
	int open, tries;
	bool decided; // an answer came that is not "try again"
	bool kept;    // and the same bytes have to come whenever the key comes
	int status;
	char *body_said;
	size_t said_length;
};

enum { STATUSES = 8 };

struct order {
	struct order *next;
	int number;
	bool links; // else it pays
	int customer;
	bool manual, two_steps, by_merchant;
	bool typed, keeps; // the shopper types a card for this payment; it is on file then
	int64_t amount, captured, refunded; // refunded: that was asked for and not refused
	char intent[ID_MAX], card[ID_MAX];
	unsigned told; // a bit for each status that some answer showed
	int64_t received_told;
	int paying;   // calls that may move money and are not decided
	bool may_pay; // some confirm was answered with 200
	int tries, looks;
	bool done;
};

struct shop_card {
	char id[ID_MAX];
	bool removed; // asked to be; whether it was is seen at the end
};

struct shop {
	struct order *orders;
	struct call *calls;
	struct {
		char id[ID_MAX];
		bool wanted;
		struct shop_card cards[CARDS];
	} customers[CUSTOMERS];
	int order_count, key_count, open_orders;
	bool asking_again;
};

extern struct shop shop;

// --- shop.c: sending
// A call that is sent at once and again until it is answered; shop_decided() hears of it.
struct call *shop_call(struct order *order, enum deed deed, const char *path, const char *format,
                       ...) __attribute__((format(printf, 4, 5)));
void shop_send_again(struct call *call);

// --- orders.c: what is to be done next
void orders_begin(void);
void order_decided(struct call *call, const json_t *answer);
// An object in an answer; `fresh` when it is how things are now.
void order_told(struct order *order, const json_t *object, bool fresh);
int order_status(const json_t *object);
