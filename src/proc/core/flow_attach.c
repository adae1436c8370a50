// Attaching the card of a test token to a customer: its bank is asked about number, date and code
// for zero amount, as when a card is linked, and its issuer is not asked about the shopper. So a
// card that will be declined is not attached, and one that is attached is not proven. The rules are
// in lib/domain/link.c.
#include "core/money.h"

#include "base/cleanup.h"
#include "core/event.h"

#include <stdio.h>

// The first that the connection is for, else the operator's.
static void choose_currency(struct core *core, struct attempt *row)
{
	const struct connection_policy policy = connections_policy_of(core, row->connection);
	char first[4];

	bool named = sscanf(policy.currencies, " %3s", first) == 1;
	bytes_copy_text(bytes_text(named ? first : core->config.link_currency), row->currency,
	                sizeof(row->currency));
}

int64_t flow_attach(struct core *core, const struct card *card, int64_t customer, flow_done *done,
                    void *owner)
{
	const struct connection *connection =
	        connections_pick(core, &(struct connection_facts){ .bank = true,
	                                                           .merchant = card->merchant,
	                                                           .currency = "",
	                                                           .brand = card->brand });

	if (!connection)
		return 0;
	struct attempt row = { .id = core_next_id(core),
		               .merchant = card->merchant,
		               .kind = ATTEMPT_LINK,
		               .customer = customer,
		               .card = card->id,
		               .connection = connection->number,
		               .state = ATTEMPT_VERIFYING,
		               .deadline_ms =
		                       core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS,
		               .stan = flows_new_stan(core),
		               .sent_ms = core->now_ms,
		               .flags = ATTEMPT_ATTACH };
	choose_currency(core, &row);
	store_insert(core->store, STORE_ATTEMPTS, &row);
	struct live *live = flows_add(core, &row);
	live->authentication.code = true;
	authentication_save(core, row.id, &live->authentication);
	flows_step(core, row.id, "a test token's card is to be attached; the bank is asked");
	bank_verify(core, live);
	flow_wait(core, row.id, done, owner);
	return row.id;
}

void attach_saved(struct core *core, struct live *live)
{
	struct card card cleanup(card_done) = { 0 };

	if (!store_load(core->store, STORE_CARDS, live->row.card, &card) || card.customer)
		return;
	card.customer = live->row.customer;
	card.cvc_check = live->authentication.cvc_check;
	store_update(core->store, STORE_CARDS, &card);
	if (card.customer)
		event_card(core, EVENT_PAYMENT_METHOD_ATTACHED, &card);
	flows_step(core, live->row.id,
	           card.customer ? "card attached" : "card agreed to, for a customer to be made");
}
