// `onfile connection …`: what core knows of the lines to banks. Their parameters are
// sealed: root's command has vault seal and show them.
#include "core/control.h"
#include "core/money.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

static bool merchants_exist(struct core *core, const char *list)
{
	struct merchant merchant;
	char word[24];

	for (const char *at = list; *at && at[1]; at += 1 + strlen(word)) {
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at + 1, " "), at + 1);
		if (!store_load(core->store, STORE_MERCHANTS, strtoll(word, NULL, 10), &merchant))
			return false;
	}
	return true;
}

// Applies every --policy of the command to the text in `json`. False: the client was told.
static bool change_policy(struct core *core, struct control_client *client, struct bytes arguments,
                          struct buffer *json, struct connection_policy *ret_policy)
{
	char setting[POLICY_LIST_MAX], wanted[256];

	while (control_next_argument(&arguments, "policy", setting, sizeof(setting))) {
		if (!policy_change(json, setting, wanted)) {
			control_fail(client, wanted);
			return false;
		}
	}
	struct connection_policy policy;
	struct result result = policy_read(buffer_view(json), &policy);
	if (result_ok(result) && merchants_exist(core, policy.merchants)) {
		*ret_policy = policy;
		return true;
	}
	control_fail(client, result_ok(result) ? "the policy names a merchant that does not exist"
	                                       : result.detail);
	return false;
}

static struct connection *find(struct core *core, struct control_client *client,
                               struct bytes arguments)
{
	struct connection *connection = control_find_connection(core, arguments);

	if (!connection)
		control_fail(client, "there is no connection of this name");
	return connection;
}

struct connection *control_find_connection(struct core *core, struct bytes arguments)
{
	char name[64];

	control_argument(arguments, "name", name, sizeof(name));
	return connections_find(core, name);
}

// A number is never given twice: what was paid over a connection that is gone must not go on over
// another one.
static int64_t next_number(struct core *core)
{
	int64_t number = 0;

	if (!store_setting(core->store, "last_connection", (uint8_t *)&number, sizeof(number)))
		number = 0;
	number++;
	store_set_setting(core->store, "last_connection", bytes_from(&number, sizeof(number)));
	return number;
}

static void connection_add(struct core *core, struct control_client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct buffer policy cleanup(buffer_done) = { 0 };
	struct connection_policy read;
	char name[64], driver[64], kind[32];

	buffer_init(&policy, POLICY_TEXT_MAX);
	buffer_put_text(&policy, "{}");
	if (!control_argument(arguments, "name", name, sizeof(name)) ||
	    !control_argument(arguments, "driver", driver, sizeof(driver)) ||
	    !control_argument(arguments, "kind", kind, sizeof(kind)) || blob.length == 0) {
		control_fail(client,
		             "a connection needs a name, a driver, its kind and sealed parameters");
		return;
	}
	if (connections_find(core, name)) {
		control_fail(client, "there is a connection of this name; change it with "
		                     "`onfile connection set`, or choose another name");
		return;
	}
	if (!change_policy(core, client, arguments, &policy, &read))
		return;
	store_run(core->store, STORE_CONNECTION_INSERT, STORE_N(next_number(core)), STORE_T(name),
	          STORE_T(driver), STORE_T(kind), STORE_B(blob), STORE_TB(buffer_view(&policy)));
	connections_load(core);
	connections_tell_vault(core);
	control_say(client, 1, "connection %s added (%s, driver %s)", name, kind, driver);
	control_end(client, 0);
}

// Parameters that were sealed anew. False: the client was told.
static bool take_blob(struct core *core, struct control_client *client,
                      const struct connection *connection, struct bytes arguments,
                      struct bytes blob)
{
	char driver[64], kind[32];

	if (!control_argument(arguments, "driver", driver, sizeof(driver)) ||
	    !control_argument(arguments, "kind", kind, sizeof(kind)) ||
	    (strcmp(kind, "bank") == 0) != connection->bank) {
		control_fail(client, "a connection stays of its kind; add a new one");
		return false;
	}
	store_run(core->store, STORE_CONNECTION_SET_BLOB, STORE_T(driver), STORE_B(blob),
	          STORE_N(connection->number));
	return true;
}

static void connection_set(struct core *core, struct control_client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct connection *connection = find(core, client, arguments);
	struct buffer policy cleanup(buffer_done) = { 0 };

	if (!connection)
		return;
	buffer_init(&policy, POLICY_TEXT_MAX);
	connections_policy(core, connection->name, &policy);
	if (!change_policy(core, client, arguments, &policy, &connection->policy))
		return;
	if (blob.length && !take_blob(core, client, connection, arguments, blob))
		return;
	store_run(core->store, STORE_CONNECTION_SET_POLICY, STORE_TB(buffer_view(&policy)),
	          STORE_N(connection->number));
	control_say(client, 1, "connection %s changed", connection->name);
	control_end(client, 0);
	if (blob.length) {
		connections_load(core);
		connections_tell_vault(core);
	}
}

static void enable(struct core *core, struct control_client *client, struct bytes arguments,
                   bool enabled)
{
	struct connection *connection = find(core, client, arguments);

	if (!connection)
		return;
	connection->enabled = enabled;
	store_run(core->store, STORE_CONNECTION_ENABLE, STORE_N(enabled),
	          STORE_N(connection->number));
	control_say(client, 1, "connection %s %s", connection->name,
	            enabled ? "is used for new payments" : "gets nothing new");
	control_end(client, 0);
}

static void connection_enable(struct core *core, struct control_client *client,
                              struct bytes arguments, struct bytes blob)
{
	(void)blob;
	enable(core, client, arguments, true);
}

static void connection_disable(struct core *core, struct control_client *client,
                               struct bytes arguments, struct bytes blob)
{
	(void)blob;
	enable(core, client, arguments, false);
}

const char *control_connection_state(const struct connection *connection)
{
	static const char *const states[] = { "starting", "up", "down", "failed" };

	return states[connection->state];
}

static void connection_list(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	(void)arguments;
	(void)blob;
	for (const struct connection *c = core->flows->connections; c; c = c->next)
		control_say(client, 1, "%-16s %-16s %-15s %-9s%s %s", c->name, c->driver,
		            c->bank ? "bank" : "authentication", control_connection_state(c),
		            c->enabled ? "" : " disabled", c->detail);
	control_end(client, 0);
}

static void connection_show(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	const struct connection *c = find(core, client, arguments);
	struct buffer policy cleanup(buffer_done) = { 0 };

	(void)blob;
	if (!c)
		return;
	buffer_init(&policy, POLICY_TEXT_MAX);
	policy_put(&policy, &c->policy);
	control_say(client, 1, "connection %s, number %lld: %s, driver %s, %s%s%s%s", c->name,
	            (long long)c->number, c->bank ? "bank" : "authentication", c->driver,
	            control_connection_state(c), c->enabled ? "" : ", disabled",
	            c->detail[0] ? ": " : "", c->detail);
	control_say(client, 1, "policy %s", buffer_text(&policy));
	control_end(client, 0);
}

static void connection_blob(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	const struct connection *connection = find(core, client, arguments);

	(void)blob;
	if (!connection)
		return;
	struct store_query query cleanup(store_end) =
	        store_ask(core->store, STORE_CONNECTION_BLOB, STORE_N(connection->number));
	if (store_step(&query))
		control_blob(client, connection->number, store_bytes(&query, 0),
		             store_bytes(&query, 1));
	control_end(client, 0);
}

static void connection_remove(struct core *core, struct control_client *client,
                              struct bytes arguments, struct bytes blob)
{
	const struct connection *connection = find(core, client, arguments);

	(void)blob;
	if (!connection)
		return;
	int64_t open = store_one_number(core->store, STORE_CONNECTION_IN_USE, 0,
	                                STORE_N(connection->number), STORE_N(connection->number),
	                                STORE_N(connection->number));
	if (open > 0) {
		control_fail(
		        client,
		        "payments, authentications or messages to the bank are under way on it; "
		        "`onfile connection disable` it and wait for them");
		return;
	}
	core_tell_vault(core, WIRE_CONNECTION_REMOVE,
	                (const struct wire_value[]){ [WIRE_CONNECTION_REMOVE_NUMBER] =
	                                                     WIRE_N(connection->number) });
	control_say(client, 1, "connection %s removed", connection->name);
	store_run(core->store, STORE_CONNECTION_REMOVE, STORE_N(connection->number));
	connections_load(core);
	connections_tell_vault(core);
	control_end(client, 0);
}

static void driver_used(struct core *core, struct control_client *client, struct bytes arguments,
                        struct bytes blob)
{
	char driver[64];
	bool used = false;

	(void)blob;
	control_argument(arguments, "driver", driver, sizeof(driver));
	for (const struct connection *c = core->flows->connections; c; c = c->next) {
		if (strcmp(c->driver, driver) != 0)
			continue;
		control_say(client, 2, "connection %s uses this driver", c->name);
		used = true;
	}
	control_end(client, used ? 1 : 0);
}

const struct control_row control_connection_verbs[] = {
	{ "connection add", connection_add },
	{ "connection set", connection_set },
	{ "connection enable", connection_enable },
	{ "connection disable", connection_disable },
	{ "connection list", connection_list },
	{ "connection show", connection_show },
	{ "connection blob", connection_blob },
	{ "connection test", control_connection_test },
	{ "connection remove", connection_remove },
	{ "driver used", driver_used },
	{ 0 },
};
