// Webhook endpoints. The secret is no member: it is shown once, by whoever has just asked for it.
#include "api/fields.h"

#include "domain/delivery.h"

static void put_status(struct render *render)
{
	const struct endpoint *endpoint = render->object;

	api_json_text(&render->json, render->name,
	              endpoint->status == ENDPOINT_ENABLED ? "enabled" : "disabled");
}

static const struct field webhook_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"webhook_endpoint\""),
	DETAIL("api_version", "null"),
	CONSTANT("application", "null"),
	PUT("created", put_created),
	DETAIL("description", "null"),
	DETAIL("enabled_events", "[]"),
	PUT("livemode", put_livemode),
	DETAIL("metadata", "{}"),
	PUT("status", put_status),
	DETAIL("url", "null"),
	FIELDS_END,
};

const struct object_kind webhook_kind = { "webhook_endpoint", API_ID_WEBHOOK, webhook_fields };
