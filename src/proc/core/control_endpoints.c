// Webhook endpoints for the operator: `onfile webhooks rotate`, and where webhooks go, which
// `onfile doctor` asks to see whether it can be reached from here.
#include "core/control.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"
#include "core/api.h"
#include "core/deliveries.h"
#include "core/secrets.h"
#include "domain/delivery.h"

#include <stdlib.h>
#include <time.h>

enum { PURPOSE_ENDPOINT = 0, OVERLAP_HOURS = 24, OVERLAP_HOURS_MAX = 72, HOUR_MS = 3600 * 1000 };

static void endpoint_addresses(struct core *core, struct control_client *client,
                               struct bytes arguments, struct bytes blob)
{
	struct store_query query = store_begin(core->store, STORE_ENDPOINTS_AT_WORK, NULL, 0);
	struct endpoint endpoint;

	(void)arguments;
	(void)blob;
	while (store_step(&query)) {
		store_read(&query, STORE_ENDPOINTS, &endpoint);
		json_t *details = json_loads(endpoint.details, 0, NULL);
		const char *url = json_string_value(json_object_get(details, "url"));
		if (url)
			control_say(client, 1, "%s", url);
		json_decref(details);
		endpoint_done(&endpoint);
	}
	control_end(client, 0);
}

// --- another secret

// A rotation that waits for courier to say the new secret.
struct rotation {
	int64_t client, endpoint, overlap_ms;
	int version; // of the new secret
};

static void say_secret(struct core *core, struct control_client *client,
                       const struct rotation *rotation, const char *secret)
{
	time_t seconds = (time_t)((core->now_ms + rotation->overlap_ms) / 1000);
	struct tm utc;
	char until[32];

	control_say(client, 1, "secret %s", secret);
	if (rotation->overlap_ms == 0) {
		control_say(client, 1, "the secret before it is over");
	} else {
		gmtime_r(&seconds, &utc);
		strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", &utc);
		control_say(client, 1, "the secret before it signs too, until %s", until);
	}
	control_end(client, 0);
}

// Only when somebody sees the new secret does it become the endpoint's.
static void on_secret(struct core *core, void *owner, const char *secret)
{
	struct rotation *rotation cleanup(cleanup_free) = owner;
	struct control_client *client = control_find_client(core, rotation->client);
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };

	if (!client)
		return; // it hung up
	if (!secret) {
		control_fail(client, "courier, which knows the secrets, ended; try again");
		return;
	}
	if (!store_load(core->store, STORE_ENDPOINTS, rotation->endpoint, &endpoint) ||
	    endpoint.removed_ms || endpoint.version + 1 != rotation->version) {
		control_fail(client, "the endpoint was deleted or rotated meanwhile");
		return;
	}
	json_t *details = api_details_read(endpoint.details);
	json_object_set_new(details, ENDPOINT_OVERLAP,
	                    json_integer(core->now_ms + rotation->overlap_ms));
	free(endpoint.details);
	endpoint.details = api_details_text(details);
	endpoint.version = rotation->version;
	store_update(core->store, STORE_ENDPOINTS, &endpoint);
	deliveries_endpoint(core, &endpoint);
	say_secret(core, client, rotation, secret);
}

static bool find_endpoint(struct core *core, struct bytes arguments, struct endpoint *ret_endpoint)
{
	char text[API_ID_CAPACITY];
	int64_t id;

	return control_argument(arguments, "endpoint", text, sizeof(text)) &&
	       api_id_read(core->id_key, API_ID_WEBHOOK, bytes_text(text), &id) &&
	       store_load(core->store, STORE_ENDPOINTS, id, ret_endpoint) &&
	       !ret_endpoint->removed_ms;
}

static void webhooks_rotate(struct core *core, struct control_client *client,
                            struct bytes arguments, struct bytes blob)
{
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };
	uint64_t hours = OVERLAP_HOURS;
	char text[24];

	(void)blob;
	if (control_argument(arguments, "overlap", text, sizeof(text)) &&
	    !text_to_number(bytes_text(text), OVERLAP_HOURS_MAX, &hours)) {
		control_fail(client,
		             "--overlap wants hours, from 0 (the old secret ends now) to 72");
		return;
	}
	if (!find_endpoint(core, arguments, &endpoint)) {
		control_fail(client, "there is no such endpoint; `onfile webhooks list` has them");
		return;
	}
	struct rotation *rotation = calloc(1, sizeof(*rotation));
	CHECK(rotation);
	*rotation = (struct rotation){ .client = control_client_number(client),
		                       .endpoint = endpoint.id,
		                       .overlap_ms = (int64_t)hours * HOUR_MS,
		                       .version = endpoint.version + 1 };
	if (secrets_ask(core, PURPOSE_ENDPOINT, endpoint.id, rotation->version, on_secret,
	                rotation))
		return;
	free(rotation);
	control_fail(client, "courier, which knows the secrets, is away; try again");
}

const struct control_row control_endpoint_verbs[] = {
	{ "webhooks rotate", webhooks_rotate },
	{ "endpoint addresses", endpoint_addresses },
	{ 0 },
};
