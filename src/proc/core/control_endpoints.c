// `onfile doctor` asks where webhooks go, to see whether it can be reached from here.
#include "core/control.h"
#include "core/flows.h"

#include "domain/delivery.h"

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

const struct control_row control_endpoint_verbs[] = {
	{ "endpoint addresses", endpoint_addresses },
	{ 0 },
};
