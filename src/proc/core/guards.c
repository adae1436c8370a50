// The guards of a link: how often, by whom, with which card, from where. The numbers are
// configuration (docs/config.md); 0 lifts a guard. An address is never refused, it has to work: a
// phone network shares one address among thousands.
#include "core/flows.h"

#include "base/cleanup.h"
#include <stdio.h>

static const int64_t hour_ms = 3600 * 1000;
static const int64_t day_ms = 24 * 3600 * 1000;
enum { SLOW_MS = 10000, PROOF_BITS_MAX = 24, SHOP_SAMPLE = 20 };

// The /24 of an IPv4 address; the /64 of an IPv6 address.
static void network_of(const char *address, char *ret_network, size_t capacity)
{
	const char *end = address;
	bool six = strchr(address, ':') != NULL;

	for (int parts = 0; *end && parts < (six ? 4 : 3); end++)
		parts += *end == (six ? ':' : '.');
	snprintf(ret_network, capacity, "%.*s", (int)(end - address), address);
}

// An IPv6 address counts by its /64.
static void unit_of(const char *address, char *ret_unit, size_t capacity)
{
	if (strchr(address, ':'))
		network_of(address, ret_unit, capacity);
	else
		snprintf(ret_unit, capacity, "%s", address);
}

// When the oldest of the refusals that fill the limit leaves the window; 0 when the limit is not
// reached.
static int64_t full_until(struct core *core, enum store_statement statement, struct store_value who,
                          int64_t window_ms, int64_t limit)
{
	const struct store_value values[] = { who, STORE_N(core->now_ms - window_ms),
		                              STORE_N(limit) };
	struct store_query query = store_begin(core->store, statement, values, 3);
	int64_t until = 0;

	if (limit > 0 && store_step(&query) && store_number(&query, 0) >= limit)
		until = store_number(&query, 1) + window_ms;
	store_end(&query);
	return until;
}

struct shop_state {
	int64_t trials, refused, last_ms;
};

static struct shop_state shop_state(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_TRIALS_LAST, NULL, 0);
	struct shop_state state = { 0 };

	if (store_step(&query))
		state = (struct shop_state){ store_number(&query, 0), store_number(&query, 1),
			                     store_number(&query, 2) };
	store_end(&query);
	return state;
}

static bool above(const struct shop_state *state, int64_t percent)
{
	return percent > 0 && state->trials >= SHOP_SAMPLE &&
	       state->refused * 100 > state->trials * percent;
}

// How much proof of work an address has to bring: grows with every refusal above the limit.
static int address_bits(struct core *core, const char *address)
{
	const struct config *config = &core->config;
	char unit[46], network[46];

	unit_of(address, unit, sizeof(unit));
	network_of(address, network, sizeof(network));
	int64_t refused = store_one_number(core->store, STORE_TRIALS_OF_ADDRESS, 0, STORE_T(unit),
	                                   STORE_N(core->now_ms - hour_ms));
	int64_t wide = store_one_number(core->store, STORE_TRIALS_OF_NETWORK, 0, STORE_T(network),
	                                STORE_N(core->now_ms - day_ms));
	int64_t over = 0;

	if (config->guard_refused_per_address_hour &&
	    refused > config->guard_refused_per_address_hour)
		over = refused - config->guard_refused_per_address_hour;
	if (config->guard_refused_per_network_day && wide > config->guard_refused_per_network_day &&
	    wide - config->guard_refused_per_network_day > over)
		over = wide - config->guard_refused_per_network_day;
	if (over == 0)
		return 0;
	int bits = (int)config->guard_proof_bits + (int)(over > 10 ? 10 : over) - 1;
	return bits > PROOF_BITS_MAX ? PROOF_BITS_MAX : bits;
}

static struct guard_verdict customer_verdict(struct core *core, int64_t customer)
{
	const struct config *config = &core->config;
	int64_t until = full_until(core, STORE_TRIALS_OF_CUSTOMER, STORE_N(customer), day_ms,
	                           config->guard_refused_per_customer);

	if (until)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_TRIES,
			                       .again_ms = until };
	if (config->guard_cards_stored &&
	    store_one_number(core->store, STORE_CARDS_COUNT, 0, STORE_N(customer)) >=
	            config->guard_cards_stored)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_CARDS };
	until = full_until(core, STORE_LINKS_OF_CUSTOMER, STORE_N(customer), day_ms,
	                   config->guard_cards_per_day);
	if (until)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_TRIES,
			                       .again_ms = until };
	return (struct guard_verdict){ 0 };
}

struct guard_verdict guards_before(struct core *core, int64_t customer, const char *address)
{
	const struct config *config = &core->config;
	struct guard_verdict verdict = { 0 };
	struct shop_state shop = shop_state(core);

	if (customer)
		verdict = customer_verdict(core, customer);
	if (verdict.problem)
		return verdict;
	if (above(&shop, config->guard_slow_percent) && core->now_ms - shop.last_ms < SLOW_MS)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_TRIES,
			                       .again_ms = shop.last_ms + SLOW_MS };
	verdict.proof_bits = address_bits(core, address);
	if (above(&shop, config->guard_proof_percent) &&
	    verdict.proof_bits < (int)config->guard_proof_bits)
		verdict.proof_bits = (int)config->guard_proof_bits;
	return verdict;
}

struct guard_verdict guards_card(struct core *core, int64_t customer, struct bytes fingerprint)
{
	const struct config *config = &core->config;

	(void)customer;
	if (config->guard_fraud_block_days &&
	    store_one_number(core->store, STORE_BLOCKED_CARD, 0, STORE_B(fingerprint),
	                     STORE_N(core->now_ms)))
		return (struct guard_verdict){ .problem = PROBLEM_CARD_BLOCKED };
	int64_t day = full_until(core, STORE_TRIALS_OF_CARD, STORE_B(fingerprint), day_ms,
	                         config->guard_refused_per_card_day);
	int64_t month = full_until(core, STORE_TRIALS_OF_CARD, STORE_B(fingerprint), 30 * day_ms,
	                           config->guard_refused_per_card_month);
	int64_t until = day > month ? day : month;
	if (until)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_TRIES,
			                       .again_ms = until };
	return (struct guard_verdict){ 0 };
}

// Lost and stolen: never again; fraud and pick-up: until the block is over or an operator frees the
// card.
static void block(struct core *core, const struct attempt *attempt, struct bytes fingerprint)
{
	int64_t days = core->config.guard_fraud_block_days;
	bool never =
	        attempt->problem == PROBLEM_LOST_CARD || attempt->problem == PROBLEM_STOLEN_CARD;

	if (days == 0 || !(problem_row(attempt->problem)->flags & PROBLEM_HIDDEN))
		return;
	store_run(core->store, STORE_BLOCK_CARD, STORE_B(fingerprint),
	          STORE_N(never ? INT64_MAX : core->now_ms + days * day_ms),
	          STORE_T(problem_row(attempt->problem)->name));
}

void guards_note(struct core *core, const struct attempt *attempt, const char *address, int result)
{
	struct card card cleanup(card_done) = { 0 };
	struct bytes fingerprint = BYTES_NONE;
	char unit[46], network[46];

	if (attempt->card && store_load(core->store, STORE_CARDS, attempt->card, &card))
		fingerprint = BYTES_ARRAY(card.fingerprint);
	unit_of(address, unit, sizeof(unit));
	network_of(address, network, sizeof(network));
	store_run(core->store, STORE_TRIAL_INSERT, STORE_N(core_next_id(core)),
	          STORE_N(core->now_ms), STORE_N(attempt->merchant), STORE_N(attempt->customer),
	          STORE_T(unit), STORE_T(network), STORE_B(fingerprint), STORE_N(result));
	if (result == 1 && fingerprint.length)
		block(core, attempt, fingerprint);
}
