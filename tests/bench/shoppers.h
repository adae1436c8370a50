// The shoppers of the load, and what they ask for: a customer and a SetupIntent each, a card that
// is linked as the card page does it, payments with one tap. The functions are for struct
// fleet_work; their owner is the struct shoppers.
#pragma once

#include "fleet.h"

#include <stddef.h>

enum { SHOPPER_ID_MAX = 128, SHOPPER_JWE_MAX = 2048 };

// On the way from a customer to a card on file.
struct shopper {
	char customer[SHOPPER_ID_MAX], intent[SHOPPER_ID_MAX], secret[SHOPPER_ID_MAX],
	        card[SHOPPER_ID_MAX];
	char jwe[SHOPPER_JWE_MAX];
};

struct shoppers {
	int port;
	const char *host, *key;
	char origin[300], authorization[300];
	int64_t run; // makes the cards and the idempotency keys of this run its own
	struct shopper *list;
	size_t count;
};

void shoppers_init(struct shoppers *shoppers, int port, const char *host, const char *key);
void shoppers_done(struct shoppers *shoppers);
void shoppers_make(struct shoppers *shoppers, size_t count);

void shoppers_put_customer(void *owner, uint64_t number, struct buffer *request);
bool shoppers_take_customer(void *owner, uint64_t number, int status, struct bytes body);
void shoppers_put_intent(void *owner, uint64_t number, struct buffer *request);
bool shoppers_take_intent(void *owner, uint64_t number, int status, struct bytes body);
// What the card page sends when the shopper has typed the card; done when the card is linked.
void shoppers_put_link(void *owner, uint64_t number, struct buffer *request);
bool shoppers_take_link(void *owner, uint64_t number, int status, struct bytes body);
// Asks which card it was.
void shoppers_put_look(void *owner, uint64_t number, struct buffer *request);
bool shoppers_take_look(void *owner, uint64_t number, int status, struct bytes body);
// One tap: the shop's server pays with a card on file and waits for the bank's word.
void shoppers_put_payment(void *owner, uint64_t number, struct buffer *request);
bool shoppers_take_payment(void *owner, uint64_t number, int status, struct bytes body);

// Encrypts a card for each of the SetupIntents, with the key that the API names. False: it names
// none.
bool shoppers_seal(struct shoppers *shoppers);

// Customers and cards as a file: one of each on a line.
bool shoppers_read(struct shoppers *shoppers, const char *path);
void shoppers_write(const struct shoppers *shoppers, const char *path);
