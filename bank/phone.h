// The shopper's phone: what SMS came, and what the bank's app asks ("Was it you?"). One phone for
// all cards of the sandbox. The page is drawn in the browser from the JSON that phone.c answers.
#pragma once

#include "web.h"

#define PHONE_NUMBER "+79000000042"
#define PHONE_MASKED "+7 ••• ••• •• 42"

struct phone *phone_new(void);
void phone_free(struct phone *phone);

// An SMS arrives. All texts are copied, and cut where they are too long.
void phone_take_sms(struct bank_web *web, const char *to, const char *from, const char *text);

// Asks in the bank's app; the answer goes to acs_app_answer() under `id`. `amount` is "" for an add
// card. Returns the number of the request.
uint64_t phone_ask(struct bank_web *web, const char *id, const char *merchant, const char *last4,
                   const char *amount);
// The request is not open any more, and nobody was asked.
void phone_withdraw(struct bank_web *web, uint64_t number);
