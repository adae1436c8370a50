// The guards of a link: how often, by whom, with which card, from where. The numbers are
// configuration (docs/config.md); 0 lifts a guard. An address is never refused, it has to work: a
// phone network shares one address among thousands.
#include "core/guards.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "core/flows.h"

#include <arpa/inet.h>
#include <stdio.h>

static const int64_t hour_ms = 3600 * 1000;
static const int64_t day_ms = 24 * 3600 * 1000;
enum { SLOW_MS = 10000, PROOF_BITS_MAX = 20, SHOP_SAMPLE = 20 };

// What an address counts as: itself and its /24; an IPv6 address, whose holder has a whole /64,
// counts by that both times. An address that cannot be read counts as it is written.
struct place {
	char unit[46], network[46];
};

static struct place place_of(const char *address)
{
	struct place place = { { 0 }, { 0 } };
	uint8_t a[16] = { 0 };

	if (strncmp(address, "::ffff:", 7) == 0 && strchr(address, '.'))
		address += 7; // an IPv4 address that came in on an IPv6 socket
	bytes_copy_text(bytes_text(address), place.unit, sizeof(place.unit));
	if (inet_pton(AF_INET, address, a) == 1) {
		snprintf(place.network, sizeof(place.network), "%u.%u.%u.", a[0], a[1], a[2]);
		return place;
	}
	if (inet_pton(AF_INET6, address, a) == 1)
		snprintf(place.unit, sizeof(place.unit), "%02x%02x:%02x%02x:%02x%02x:%02x%02x/64",
		         a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
	memcpy(place.network, place.unit, sizeof(place.network));
	return place;
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

static bool counts_for_shop(enum trial trial)
{
	return trial != TRIAL_WRONG && trial != TRIAL_OTHER;
}

static bool is_refusal(enum trial trial)
{
	return trial == TRIAL_REFUSED || trial == TRIAL_REFUSED_WRONG;
}

static void window_add(struct guard_window *window, bool refused, int64_t at_ms)
{
	if (window->count == GUARD_WINDOW)
		window->refusals -= window->refused[window->next];
	else
		window->count++;
	window->refused[window->next] = refused;
	window->refusals += refused;
	window->next = (window->next + 1) % GUARD_WINDOW;
	if (at_ms > window->last_ms)
		window->last_ms = at_ms;
}

// The rows come newest first, the ring takes them oldest first.
static void window_load(struct core *core, struct guard_window *window)
{
	struct store_query query = store_ask(core->store, STORE_TRIALS_LAST, STORE_N(GUARD_WINDOW));
	bool refused[GUARD_WINDOW];
	int64_t at_ms[GUARD_WINDOW];
	int count = 0;

	for (; count < GUARD_WINDOW && store_step(&query); count++) {
		refused[count] = is_refusal((enum trial)store_number(&query, 0));
		at_ms[count] = store_number(&query, 1);
	}
	store_end(&query);
	*window = (struct guard_window){ .known = true };
	while (count-- > 0)
		window_add(window, refused[count], at_ms[count]);
}

static struct shop_state shop_state(struct core *core)
{
	struct guard_window *window = &core->flows->window;

	if (!window->known)
		window_load(core, window);
	return (struct shop_state){ window->count, window->refusals, window->last_ms };
}

static bool above(const struct shop_state *state, int64_t percent)
{
	return percent > 0 && state->trials >= SHOP_SAMPLE &&
	       state->refused * 100 > state->trials * percent;
}

int guards_refused_percent(struct core *core)
{
	struct shop_state state = shop_state(core);

	return state.trials < SHOP_SAMPLE ? 0 : (int)(state.refused * 100 / state.trials);
}

static int64_t beyond(int64_t count, int64_t limit)
{
	return limit > 0 && count > limit ? count - limit : 0;
}

// How much proof of work an address has to bring: grows with every refusal above the limit.
static int address_bits(struct core *core, const char *address)
{
	const struct config *config = &core->config;
	struct place place = place_of(address);
	int64_t refused = store_one_number(core->store, STORE_TRIALS_OF_ADDRESS, 0,
	                                   STORE_T(place.unit), STORE_N(core->now_ms - hour_ms));
	int64_t wide = store_one_number(core->store, STORE_TRIALS_OF_NETWORK, 0,
	                                STORE_T(place.network), STORE_N(core->now_ms - day_ms));
	int64_t near_over = beyond(refused, config->guard_refused_per_address_hour);
	int64_t wide_over = beyond(wide, config->guard_refused_per_network_day);
	int64_t over = near_over > wide_over ? near_over : wide_over;

	if (address[0] == '\0' || over == 0)
		return 0;
	int bits = (int)config->guard_proof_bits + (int)(over > 10 ? 10 : over) - 1;
	return bits > PROOF_BITS_MAX ? PROOF_BITS_MAX : bits;
}

static struct guard_verdict wait_until(int64_t at_ms)
{
	return (struct guard_verdict){ .problem = at_ms ? PROBLEM_TOO_MANY_TRIES : 0,
		                       .again_ms = at_ms };
}

// One trial in ten seconds: counted from the start of the last one, wherever it came from.
static int64_t slow_until(const struct core *core, const struct shop_state *shop)
{
	int64_t last_ms = core->flows->last_trial_ms;

	if (!above(shop, core->config.guard_slow_percent))
		return 0;
	if (last_ms < shop->last_ms)
		last_ms = shop->last_ms;
	return core->now_ms - last_ms < SLOW_MS ? last_ms + SLOW_MS : 0;
}

struct guard_verdict guards_before(struct core *core, int64_t customer, const char *address)
{
	const struct config *config = &core->config;
	struct shop_state shop = shop_state(core);
	int64_t until = 0;

	if (customer)
		until = full_until(core, STORE_TRIALS_OF_CUSTOMER, STORE_N(customer), day_ms,
		                   config->guard_refused_per_customer);
	if (until == 0)
		until = slow_until(core, &shop);
	if (until)
		return wait_until(until);
	int bits = address_bits(core, address);
	if (above(&shop, config->guard_proof_percent) && bits < (int)config->guard_proof_bits)
		bits = (int)config->guard_proof_bits;
	return (struct guard_verdict){ .proof_bits = bits };
}

// A customer who has this card already gets no new one: it is refreshed.
static struct guard_verdict customer_has_room(struct core *core, int64_t customer,
                                              struct bytes fingerprint)
{
	const struct config *config = &core->config;

	if (customer == 0 || store_one_number(core->store, STORE_CARD_SAME, 0, STORE_N(customer),
	                                      STORE_B(fingerprint)))
		return (struct guard_verdict){ 0 };
	if (config->guard_cards_stored &&
	    store_one_number(core->store, STORE_CARDS_COUNT, 0, STORE_N(customer)) >=
	            config->guard_cards_stored)
		return (struct guard_verdict){ .problem = PROBLEM_TOO_MANY_CARDS };
	return wait_until(full_until(core, STORE_LINKS_OF_CUSTOMER, STORE_N(customer), day_ms,
	                             config->guard_cards_per_day));
}

struct guard_verdict guards_card(struct core *core, int64_t customer, struct bytes fingerprint)
{
	const struct config *config = &core->config;

	if (config->guard_fraud_block_days &&
	    store_one_number(core->store, STORE_BLOCKED_CARD, 0, STORE_B(fingerprint),
	                     STORE_N(core->now_ms)))
		return (struct guard_verdict){ .problem = PROBLEM_CARD_BLOCKED };
	int64_t day = full_until(core, STORE_TRIALS_OF_CARD, STORE_B(fingerprint), day_ms,
	                         config->guard_refused_per_card_day);
	int64_t month = full_until(core, STORE_TRIALS_OF_CARD, STORE_B(fingerprint), 30 * day_ms,
	                           config->guard_refused_per_card_month);
	if (day || month)
		return wait_until(day > month ? day : month);
	return customer_has_room(core, customer, fingerprint);
}

// Lost and stolen: never again; fraud and pick-up: until the block is over or an operator frees the
// card (control.c).
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

// The operator is told when issuers begin to refuse more than what the guards allow, once.
static void raise_alarm(struct core *core, bool before)
{
	struct shop_state now = shop_state(core);

	if (before || !above(&now, core->config.guard_slow_percent))
		return;
	metric_add(METRIC_LINK_ALARMS, 1);
	log_event(LOG_ERROR, "links_are_refused", LOG_NUMBER("count", now.refused),
	          LOG_NUMBER("size", now.trials));
}

void guards_note(struct core *core, const struct attempt *attempt, const char *address,
                 enum trial trial)
{
	struct card card cleanup(card_done) = { 0 };
	struct bytes fingerprint = BYTES_NONE;
	struct place place = place_of(address);
	bool refused = is_refusal(trial);
	struct shop_state shop = shop_state(core);

	bool known = attempt->card && store_load(core->store, STORE_CARDS, attempt->card, &card);
	if (card.state & CARD_OF_TOKEN)
		return; // no number that somebody tries
	if (known)
		fingerprint = BYTES_ARRAY(card.fingerprint);
	store_run(core->store, STORE_TRIAL_INSERT, STORE_N(core_next_id(core)),
	          STORE_N(core->now_ms), STORE_N(attempt->merchant), STORE_N(attempt->customer),
	          STORE_T(place.unit), STORE_T(place.network), STORE_B(fingerprint),
	          STORE_N(trial));
	if (counts_for_shop(trial))
		window_add(&core->flows->window, refused, core->now_ms);
	if (trial == TRIAL_REFUSED_WRONG && fingerprint.length)
		block(core, attempt, fingerprint);
	if (refused)
		raise_alarm(core, above(&shop, core->config.guard_slow_percent));
}
