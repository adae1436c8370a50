// The issuer's desk: takes a message, looks at card, code, proof, money and ledger, and makes the
// answer. Knows nothing of connections and faults.
#pragma once

#include "bank.h"
#include "cards.h"

#include "iso8583/codec.h"

// What host.c has to know of a message that was worked on.
struct desk_result {
	bool about_card;       // authorization, capture, reversal or refund
	enum bank_fault fault; // as the card behaves
};

// Works on a request; `force_code` (may be empty) refuses it whatever the card says. The answer's
// fields are views of the request and of itself, so both must live until it is packed. False: the
// message is none that this host answers.
bool desk_work(struct bank *bank, const struct iso8583_message *request, const char *force_code,
               struct iso8583_message *ret_answer, struct desk_result *ret_result);
// Is it a message about a card (0100, 0200, 0220, 0400, 0420)?
bool desk_is_about_card(const struct iso8583_message *request);
