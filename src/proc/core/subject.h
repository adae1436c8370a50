// What a link is for: a SetupIntent, or a PaymentIntent that is paid with the card. flow_link.c and
// flow_subject.c.
#pragma once

#include "core/flows.h"

struct link_subject {
	bool payment; // a PaymentIntent, which the card then pays; else a SetupIntent
	int64_t id, merchant;
	int64_t customer; // who gets the card; 0: nobody
	int64_t session;  // of a SetupIntent
	int64_t card, attempt;
	enum intent_status status;
	bool kept;        // the card is on file afterwards; else it is for this payment alone
	bool unasked;     // a card whose shopper has to be asked is refused instead
	int64_t amount;   // of the payment, minor units
	char currency[4]; // of the payment; "": none
};

bool subject_load(struct core *core, bool payment, int64_t id, struct link_subject *ret_subject);
// Writes card, attempt and status.
void subject_save(struct core *core, const struct link_subject *subject);
// A card may be opened, or saved, for it now.
bool subject_may_link(const struct link_subject *subject);
enum api_id_kind subject_id_kind(const struct link_subject *subject);
