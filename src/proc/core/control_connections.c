// `onfile connection …`: what core knows of the lines to banks, and their tests.
#include "core/control.h"
#include "core/money.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { TEST_MS = 10000 };

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
	if (!change_policy(core, client, arguments, &policy, &read))
		return;
	if (store_run(core->store, STORE_CONNECTION_INSERT, STORE_T(name), STORE_T(driver),
	              STORE_T(kind), STORE_B(blob), STORE_TB(buffer_view(&policy))) == 0) {
		control_fail(client, "there is a connection of this name; remove it first");
		return;
	}
	connections_load(core);
	connections_tell_vault(core);
	control_say(client, 1, "connection %s added (%s, driver %s)", name, kind, driver);
	control_end(client, 0);
}

static struct connection *find(struct core *core, struct control_client *client,
                               struct bytes arguments)
{
	char name[64];

	control_argument(arguments, "name", name, sizeof(name));
	struct connection *connection = connections_find(core, name);
	if (!connection)
		control_fail(client, "there is no connection of this name");
	return connection;
}

static void connection_set(struct core *core, struct control_client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct connection *connection = find(core, client, arguments);
	struct buffer policy cleanup(buffer_done) = { 0 };

	(void)blob;
	if (!connection)
		return;
	buffer_init(&policy, POLICY_TEXT_MAX);
	connections_policy(core, connection->name, &policy);
	if (!change_policy(core, client, arguments, &policy, &connection->policy))
		return;
	store_run(core->store, STORE_CONNECTION_SET_POLICY, STORE_TB(buffer_view(&policy)),
	          STORE_T(connection->name));
	buffer_reset(&policy);
	policy_put(&policy, &connection->policy);
	control_say(client, 1, "connection %s: %s", connection->name, buffer_text(&policy));
	control_end(client, 0);
}

static void connection_list(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	static const char *const states[] = { "starting", "up", "down", "failed" };

	(void)arguments;
	(void)blob;
	for (const struct connection *c = core->flows->connections; c; c = c->next)
		control_say(client, 1, "%-16s %-16s %-15s %-9s %s", c->name, c->driver,
		            c->bank ? "bank" : "authentication", states[c->state], c->detail);
	control_end(client, 0);
}

static void connection_remove(struct core *core, struct control_client *client,
                              struct bytes arguments, struct bytes blob)
{
	const struct connection *connection = find(core, client, arguments);

	(void)blob;
	if (!connection)
		return;
	core_tell_vault(core, WIRE_CONNECTION_REMOVE,
	                (const struct wire_value[]){ [WIRE_CONNECTION_REMOVE_NUMBER] =
	                                                     WIRE_N(connection->number) });
	control_say(client, 1, "connection %s removed", connection->name);
	store_run(core->store, STORE_CONNECTION_REMOVE, STORE_T(connection->name));
	connections_load(core);
	connections_tell_vault(core);
	control_end(client, 0);
}

static void connection_test(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	struct buffer line cleanup(buffer_done) = { 0 };
	const struct connection *connection = find(core, client, arguments);

	(void)blob;
	if (!connection)
		return;
	int64_t id = core_next_id(core);
	struct question *question =
	        flows_ask(core, QUESTION_TEST, id, control_client_number(client));
	buffer_init(&line, 1024);
	buffer_printf(
	        &line, "{\"id\":%lld,\"op\":\"test\",\"deadline_ms\":%lld,\"stan\":\"%06lld\"",
	        (long long)id, (long long)(core->now_ms + TEST_MS), (long long)(id % 999999 + 1));
	bank_put_times(core, &line);
	buffer_printf(&line, ",\"terminal\":\"%08lld\",\"merchant\":\"ONFILE\"}",
	              (long long)connection->number);
	control_say(client, 1, "connection %s: driver %s, %s", connection->name, connection->driver,
	            connection->state == 1  ? "up"
	            : connection->detail[0] ? connection->detail
	                                    : "not up");
	if (!bank_ask(core, question, connection->number, core->now_ms + TEST_MS, 0, 0,
	              buffer_view(&line)))
		control_fail(client, "vault is away; try again in a moment");
}

void control_test_answer(struct core *core, const struct question *question, const json_t *answer,
                         const char *detail)
{
	struct control_client *client = control_find_client(core, question->subject);
	const char *outcome = json_string_value(json_object_get(answer, "outcome"));
	const char *said = json_string_value(json_object_get(answer, "detail"));
	bool good = outcome && strcmp(outcome, "approved") == 0;

	if (!client)
		return;
	if (good)
		control_say(client, 1, "the bank answered in %lld ms",
		            (long long)(core->now_ms - question->asked_ms));
	else
		control_say(client, 2, "the bank did not answer: %s",
		            said        ? said
		            : detail[0] ? detail
		            : outcome   ? outcome
		                        : "the driver's answer cannot be read");
	control_end(client, good ? 0 : 1);
	core_wake(core);
}

const struct control_row control_connection_verbs[] = {
	{ "connection add", connection_add },       { "connection set", connection_set },
	{ "connection list", connection_list },     { "connection test", connection_test },
	{ "connection remove", connection_remove }, { 0 },
};
