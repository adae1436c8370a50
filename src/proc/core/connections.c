// The connections to banks: names and sealed blobs in the store, how they are in memory. Core can
// name a connection; what is in it only vault can read.
#include "core/flows.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const state_names[] = { "starting", "up", "down", "failed" };

static void tell_vault(struct core *core, const struct store_query *query)
{
	core_tell_vault(core, WIRE_CONNECTION,
	                (const struct wire_value[WIRE_FIELDS_OF_CONNECTION]){
	                        [WIRE_CONNECTION_NUMBER] = WIRE_N(store_number(query, 0)),
	                        [WIRE_CONNECTION_NAME] = WIRE_B(store_bytes(query, 1)),
	                        [WIRE_CONNECTION_BLOB] = WIRE_B(store_bytes(query, 4)) });
}

void connections_tell_vault(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_CONNECTION_LIST, NULL, 0);

	for (struct connection *c = core->flows->connections; c; c = c->next)
		c->state = 0;
	while (store_step(&query))
		tell_vault(core, &query); // one that is disabled, too: it has things to finish
}

// What the store keeps was checked when it was set; one that an older version wrote may not fit.
static void read_policy(struct connection *connection, struct bytes json)
{
	if (!result_ok(policy_read(json, &connection->policy)))
		log_event(LOG_ERROR, "connection_policy_unreadable",
		          LOG_TEXT("connection", connection->name));
}

void connections_load(struct core *core)
{
	struct store_query query = store_begin(core->store, STORE_CONNECTION_LIST, NULL, 0);
	struct connection **last = &core->flows->connections;

	while (*last) {
		struct connection *old = *last;
		*last = old->next;
		free(old);
	}
	while (store_step(&query)) {
		struct connection *one = calloc(1, sizeof(*one));
		CHECK(one);
		one->number = store_number(&query, 0);
		bytes_copy_text(store_bytes(&query, 1), one->name, sizeof(one->name));
		bytes_copy_text(store_bytes(&query, 2), one->driver, sizeof(one->driver));
		one->enabled = store_number(&query, 5) != 0;
		one->bank = bytes_equal_text(store_bytes(&query, 3), "bank");
		read_policy(one, store_bytes(&query, 6));
		*last = one;
		last = &one->next;
	}
}

void connections_policy(struct core *core, const char *name, struct buffer *json)
{
	struct store_query query cleanup(store_end) =
	        store_ask(core->store, STORE_CONNECTION_POLICY, STORE_T(name));

	if (store_step(&query))
		buffer_put(json, store_bytes(&query, 0));
}

void connections_state(struct core *core, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	int64_t number = (int64_t)f[WIRE_CONNECTION_STATE_NUMBER].number;

	for (struct connection *c = core->flows->connections; c; c = c->next) {
		if (c->number != number)
			continue;
		c->state = (int)f[WIRE_CONNECTION_STATE_STATE].number;
		bytes_copy_text(f[WIRE_CONNECTION_STATE_DETAIL].bytes, c->detail,
		                sizeof(c->detail));
		log_event(c->state <= 1 ? LOG_INFO : LOG_WARN, "connection",
		          LOG_TEXT("connection", c->name), LOG_TEXT("state", state_names[c->state]),
		          LOG_TEXT("detail", c->detail));
	}
}

static bool fits(const struct connection *connection, const struct connection_facts *facts)
{
	const struct connection_policy *policy = &connection->policy;
	char merchant[24];

	snprintf(merchant, sizeof(merchant), "%lld", (long long)facts->merchant);
	return connection->enabled && connection->bank == facts->bank &&
	       policy_lists(policy->merchants, merchant) &&
	       (!facts->brand || policy_lists(policy->brands, facts->brand)) &&
	       (!facts->currency || !facts->currency[0] ||
	        policy_lists(policy->currencies, facts->currency));
}

// The order in which connections are tried; numbers are those of their making.
static bool is_before(const struct connection *a, const struct connection *b)
{
	return a->policy.priority != b->policy.priority ? a->policy.priority < b->policy.priority
	                                                : a->number < b->number;
}

// One that is up comes before one that may come up; a driver of a line that is down says not_sent
// itself.
const struct connection *connections_pick(const struct core *core,
                                          const struct connection_facts *facts)
{
	const struct connection *best = NULL;

	for (const struct connection *c = core->flows->connections; c; c = c->next) {
		if (!fits(c, facts))
			continue;
		bool better_up = best && (c->state == 1) != (best->state == 1);
		if (!best || (better_up ? c->state == 1 : is_before(c, best)))
			best = c;
	}
	return best;
}

const struct connection *connections_pick_for(const struct core *core, bool bank, int64_t merchant,
                                              int64_t card_id, const char *currency)
{
	struct card card cleanup(card_done) = { 0 };
	bool known = card_id && store_load(core->store, STORE_CARDS, card_id, &card);

	return connections_pick(core,
	                        &(struct connection_facts){ .bank = bank,
	                                                    .merchant = merchant,
	                                                    .brand = known ? card.brand : NULL,
	                                                    .currency = currency });
}

struct connection *connections_find(const struct core *core, const char *name)
{
	for (struct connection *c = core->flows->connections; c; c = c->next)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

static const struct connection *of_number(const struct core *core, int64_t number)
{
	for (const struct connection *c = core->flows->connections; c; c = c->next)
		if (c->number == number)
			return c;
	return NULL;
}

bool connections_has(const struct core *core, int64_t number)
{
	return of_number(core, number) != NULL;
}

struct connection_policy connections_policy_of(const struct core *core, int64_t number)
{
	struct connection_policy policy;

	const struct connection *connection = of_number(core, number);

	if (connection)
		return connection->policy;
	policy_init(&policy); // it was removed; what is open still has to end
	return policy;
}

// Each connection is tried once: the order only goes on.
const struct connection *connections_after(const struct core *core, const struct attempt *row)
{
	struct card card cleanup(card_done) = { 0 };
	bool known = row->card && store_load(core->store, STORE_CARDS, row->card, &card);
	const struct connection_facts facts = { .bank = true,
		                                .merchant = row->merchant,
		                                .brand = known ? card.brand : NULL,
		                                .currency = row->currency };
	const struct connection *last = of_number(core, row->connection);
	const struct connection *best = NULL;

	for (const struct connection *c = core->flows->connections; c && last; c = c->next)
		if (c->state == 1 && fits(c, &facts) && is_before(last, c) &&
		    (!best || is_before(c, best)))
			best = c;
	return best;
}
