// What the files of the API share about customers and their cards.
#pragma once

#include "core/api.h"

// The call names a session (a shopper's has to) that is alive, of this merchant, and allows what
// the route does. What it names of somebody else's is as unknown as a made-up id. False: refused.
bool api_customer_session_fits(struct api_call *call, struct bytes secret);

// Answers with the cards of a customer that type, allow_redisplay and the customer session leave.
// api_cards.c.
void api_list_cards_of(struct api_call *call, int64_t customer);
// The card of a test token is to be attached: its bank is asked first, and the call waits.
// `customer` 0: one that is yet to be made, which is then for `done` to do. api_cards.c.
void api_ask_bank(struct api_call *call, const struct card *card, int64_t customer,
                  flow_done *done);
// For `done`: the card if the bank agreed. False: the call was answered, and is gone.
bool api_bank_agreed(struct api_call *call, struct card *ret_card);
