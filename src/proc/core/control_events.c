// `onfile events …`, `onfile webhooks …` and `onfile listen`: what merchants are told, whether it
// reached them, and a developer's desk that hears of everything as it happens.
#include "core/control.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "core/api.h"
#include "core/deliveries.h"
#include "core/secrets.h"

#include <stdio.h>
#include <time.h>

enum {
	LISTENERS_MAX = 8,
	LIST_STANDARD = 20,
	LIST_MOST = 1000,
	SHOWN_GIVEN_UP = 50,
	PURPOSE_LISTENER = 1,
};

static void put_time(int64_t at_ms, char ret_text[static 24])
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;

	gmtime_r(&seconds, &utc);
	strftime(ret_text, 24, "%Y-%m-%d %H:%M:%S", &utc);
}

// The merchant that --merchant names; without it, the one that there is. 0: the client was told.
static int64_t merchant_of(struct core *core, struct control_client *client, struct bytes arguments)
{
	char text[24];
	uint64_t number = 0;
	struct merchant merchant;

	if (control_argument(arguments, "merchant", text, sizeof(text))) {
		if (text_to_number(bytes_text(text), INT64_MAX, &number) &&
		    store_load(core->store, STORE_MERCHANTS, (int64_t)number, &merchant))
			return merchant.id;
		control_fail(client, "there is no such merchant; `onfile merchant list` has them");
		return 0;
	}
	struct store_query query cleanup(store_end) =
	        store_begin(core->store, STORE_MERCHANT_LIST, NULL, 0);
	int64_t only = store_step(&query) ? store_number(&query, 0) : 0;
	if (only && !store_step(&query))
		return only;
	control_fail(client, only ? "there are several merchants: say which with --merchant NUMBER"
	                          : "there is no merchant yet");
	return 0;
}

// --- events

static void say_event(struct core *core, struct control_client *client, int64_t id, int type)
{
	char text[API_ID_CAPACITY];
	char when[24];
	int64_t pending = store_one_number(core->store, STORE_DELIVERIES_PENDING, 0, STORE_N(id));
	int64_t not_done = store_one_number(core->store, STORE_DELIVERIES_NOT_DONE, 0, STORE_N(id));

	api_id_make(core->id_key, API_ID_EVENT, id, text);
	put_time(core_id_ms(id), when);
	control_say(client, 1, "%s  %s  %-40s waiting %lld, given up %lld", when, text,
	            event_name(type) ? event_name(type) : "?", (long long)pending,
	            (long long)(not_done - pending));
}

static void events_list(struct core *core, struct control_client *client, struct bytes arguments,
                        struct bytes blob)
{
	int64_t merchant = merchant_of(core, client, arguments);
	uint64_t most = LIST_STANDARD;
	struct event_set set = { { 0 } };
	char text[80];
	uint64_t count = 0;

	(void)blob;
	if (!merchant)
		return;
	if (control_argument(arguments, "limit", text, sizeof(text)) &&
	    (!text_to_number(bytes_text(text), LIST_MOST, &most) || most == 0)) {
		control_fail(client, "--limit wants a number from 1 to 1000");
		return;
	}
	event_set_add(&set, "*");
	if (control_argument(arguments, "type", text, sizeof(text))) {
		set = (struct event_set){ { 0 } };
		if (!event_set_add(&set, text)) {
			control_fail(client, "onfile sends no such event");
			return;
		}
	}
	struct store_query query = store_ask(core->store, STORE_EVENTS, STORE_N(merchant),
	                                     STORE_N(0), STORE_N(INT64_MAX));
	while (count < most && store_step(&query)) {
		int type = (int)store_number(&query, 1);
		if (!event_set_has(&set, type))
			continue;
		say_event(core, client, store_number(&query, 0), type);
		count++;
	}
	store_end(&query);
	control_end(client, 0);
}

static void events_resend(struct core *core, struct control_client *client, struct bytes arguments,
                          struct bytes blob)
{
	char text[API_ID_CAPACITY];
	int64_t event = 0;
	int64_t endpoint = 0;

	(void)blob;
	control_argument(arguments, "event", text, sizeof(text));
	bool known = api_id_read(core->id_key, API_ID_EVENT, bytes_text(text), &event);
	if (control_argument(arguments, "endpoint", text, sizeof(text)) &&
	    !api_id_read(core->id_key, API_ID_WEBHOOK, bytes_text(text), &endpoint)) {
		control_fail(client, "there is no such endpoint; `onfile webhooks list` has them");
		return;
	}
	int64_t merchant =
	        known ? store_one_number(core->store, STORE_EVENT_LOAD, 0, STORE_N(event)) : 0;
	if (!merchant) {
		control_fail(client, "there is no such event; `onfile events list` has the last");
		return;
	}
	int count = deliveries_again(core, merchant, event, endpoint);
	if (count == 0) {
		control_fail(client, "no enabled endpoint of its merchant wants this event");
		return;
	}
	control_say(client, 1, "sent again to %d endpoint%s", count, count == 1 ? "" : "s");
	control_end(client, 0);
}

// --- endpoints

static const char *const status_words[] = { "enabled", "disabled", "disabled (it said 410)" };

static void count(struct core *core, enum store_statement statement, int64_t endpoint,
                  char ret_text[static CONTROL_COUNT])
{
	const struct store_value values[] = { STORE_N(endpoint), STORE_N(CONTROL_COUNTED) };

	control_count(store_one(core->store, statement, 0, values, 2), ret_text);
}

static void say_given_up(struct core *core, struct control_client *client, int64_t endpoint)
{
	struct store_query query = store_ask(core->store, STORE_DELIVERIES_GIVEN_UP,
	                                     STORE_N(endpoint), STORE_N(SHOWN_GIVEN_UP));
	struct delivery row;
	char event[API_ID_CAPACITY];
	char when[24];

	while (store_step(&query)) {
		store_read(&query, STORE_DELIVERIES, &row);
		api_id_make(core->id_key, API_ID_EVENT, row.event, event);
		put_time(row.tried_ms ? row.tried_ms : core_id_ms(row.id), when);
		control_say(client, 1, "  given up %s  %s after %d tries: %s", event, when,
		            row.tries, row.detail);
	}
	store_end(&query);
}

static void say_endpoint(struct core *core, struct control_client *client,
                         const struct endpoint *endpoint)
{
	json_t *details = api_details_read(endpoint->details);
	char id[API_ID_CAPACITY], waiting[CONTROL_COUNT], given_up[CONTROL_COUNT];

	api_id_make(core->id_key, API_ID_WEBHOOK, endpoint->id, id);
	count(core, STORE_DELIVERIES_OPEN_COUNT, endpoint->id, waiting);
	count(core, STORE_DELIVERIES_GIVEN_UP_COUNT, endpoint->id, given_up);
	control_say(client, 1, "%s  merchant %lld  %s  waiting %s, given up %s  %s", id,
	            (long long)endpoint->merchant,
	            endpoint->removed_ms ? "deleted" : status_words[endpoint->status], waiting,
	            given_up, json_string_value(json_object_get(details, "url")));
	json_decref(details);
	say_given_up(core, client, endpoint->id);
}

static void webhooks_list(struct core *core, struct control_client *client, struct bytes arguments,
                          struct bytes blob)
{
	struct store_query query = store_begin(core->store, STORE_ENDPOINTS_SHOWN, NULL, 0);
	struct endpoint endpoint = { 0 };
	char text[24];
	uint64_t only = 0;

	(void)blob;
	if (control_argument(arguments, "merchant", text, sizeof(text)) &&
	    !text_to_number(bytes_text(text), INT64_MAX, &only)) {
		store_end(&query);
		control_fail(client, "--merchant wants a number of `onfile merchant list`");
		return;
	}
	while (store_step(&query)) {
		store_read(&query, STORE_ENDPOINTS, &endpoint);
		if (only == 0 || endpoint.merchant == (int64_t)only)
			say_endpoint(core, client, &endpoint);
		endpoint_done(&endpoint);
	}
	store_end(&query);
	control_end(client, 0);
}

// --- the desk

static struct listener {
	int64_t client; // 0: free
	int64_t merchant;
	struct event_set wants;
} listeners[LISTENERS_MAX];

static void tell_listener(struct core *core, struct control_client *client, int64_t event, int type)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	char id[API_ID_CAPACITY];

	buffer_init(&body, API_REPLY_MAX);
	event_render(core, event, &body);
	api_id_make(core->id_key, API_ID_EVENT, event, id);
	control_put(client, WIRE_CLI_EVENT,
	            (const struct wire_value[WIRE_FIELDS_OF_CLI_EVENT]){
	                    [WIRE_CLI_EVENT_ID] = WIRE_B(bytes_text(id)),
	                    [WIRE_CLI_EVENT_TYPE] = WIRE_B(bytes_text(event_name(type))),
	                    [WIRE_CLI_EVENT_BODY] = WIRE_B(buffer_view(&body)) });
}

static void on_event(struct core *core, int64_t merchant, int64_t event, int type)
{
	for (int i = 0; i < LISTENERS_MAX; i++) {
		struct listener *listener = &listeners[i];
		struct control_client *client =
		        listener->client ? control_find_client(core, listener->client) : NULL;
		if (!client)
			listener->client = 0; // it hung up
		else if (listener->merchant == merchant && event_set_has(&listener->wants, type))
			tell_listener(core, client, event, type);
	}
}

static void on_secret(struct core *core, void *owner, const char *secret)
{
	struct listener *listener = owner;
	struct control_client *client = control_find_client(core, listener->client);

	if (!client)
		listener->client = 0;
	else if (secret)
		control_put(client, WIRE_CLI_SECRET,
		            (const struct wire_value[WIRE_FIELDS_OF_CLI_SECRET]){
		                    [WIRE_CLI_SECRET_SECRET] = WIRE_B(bytes_text(secret)) });
	else
		control_fail(client, "courier, which knows the secrets, ended; try again");
}

static bool read_wanted(struct bytes arguments, struct event_set *set)
{
	char text[80];
	bool any = false;

	while (control_next_argument(&arguments, "events", text, sizeof(text))) {
		any = true;
		if (!event_set_add(set, text))
			return false;
	}
	return any || event_set_add(set, "*");
}

static void listen_to_events(struct core *core, struct control_client *client,
                             struct bytes arguments, struct bytes blob)
{
	int64_t merchant = merchant_of(core, client, arguments);
	struct listener *listener = listeners;
	struct event_set set = { { 0 } };

	(void)blob;
	if (!merchant)
		return;
	if (!read_wanted(arguments, &set)) {
		control_fail(client, "onfile sends no such event; --events wants names like "
		                     "payment_intent.succeeded, payment_intent.* or *");
		return;
	}
	on_event(core, 0, 0, 0); // frees the places of those that hung up
	while (listener < listeners + LISTENERS_MAX && listener->client)
		listener++;
	if (listener == listeners + LISTENERS_MAX) {
		control_fail(client, "eight listen already");
		return;
	}
	*listener = (struct listener){ control_client_number(client), merchant, set };
	deliveries_hook(core, on_event);
	if (!secrets_ask(core, PURPOSE_LISTENER, merchant, 1, on_secret, listener))
		control_fail(client, "courier, which knows the secrets, is away; try again");
}

const struct control_row control_event_verbs[] = {
	{ "events list", events_list },
	{ "events resend", events_resend },
	{ "webhooks list", webhooks_list },
	{ "listen", listen_to_events },
	{ 0 },
};
