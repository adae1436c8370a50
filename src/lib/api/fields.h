// Inside of lib/api: what the tables of members are made of, and what their functions share.
#pragma once

#include "api/render.h"

#include <jansson.h>

// Where the writing of an object stands.
struct render {
	struct api_json json;
	const struct api_view *view;
	enum api_object kind;
	const void *object;
	int64_t id;
	json_t *details;              // NULL where the kind has none
	struct attempt attempt;       // of an intent: its latest; id 0: none
	char path[API_PATH_CAPACITY]; // of expand, with a dot at the end unless empty
	const char *name;             // of the member that is being written
};

enum field_kind {
	FIELD_CONSTANT, // `json`
	FIELD_DETAIL,   // the member of details with this name, else `json`
	FIELD_PUT,      // `put`
};

struct field {
	const char *name;
	enum field_kind kind;
	bool shopper; // shown to publishable keys too
	const char *json;
	void (*put)(struct render *render);
};

#define CONSTANT(name, json)                                                                       \
	{                                                                                          \
		name, FIELD_CONSTANT, false, json, NULL                                            \
	}
#define DETAIL(name, json)                                                                         \
	{                                                                                          \
		name, FIELD_DETAIL, false, json, NULL                                              \
	}
#define PUT(name, put)                                                                             \
	{                                                                                          \
		name, FIELD_PUT, false, NULL, put                                                  \
	}
#define SHOWN_CONSTANT(name, json)                                                                 \
	{                                                                                          \
		name, FIELD_CONSTANT, true, json, NULL                                             \
	}
#define SHOWN_DETAIL(name, json)                                                                   \
	{                                                                                          \
		name, FIELD_DETAIL, true, json, NULL                                               \
	}
#define SHOWN(name, put)                                                                           \
	{                                                                                          \
		name, FIELD_PUT, true, NULL, put                                                   \
	}
#define FIELDS_END                                                                                 \
	{                                                                                          \
		NULL, FIELD_CONSTANT, false, NULL, NULL                                            \
	}

struct object_kind {
	const char *name;
	enum api_id_kind id;
	const struct field *fields;
};
extern const struct object_kind customer_kind, card_kind, setup_intent_kind, setup_attempt_kind,
        payment_intent_kind, charge_kind, refund_kind, session_kind, portal_kind, webhook_kind,
        customer_session_kind;
// By enum api_object; NULL for events, which are written by a function of their own.
extern const struct object_kind *const object_kinds[API_OBJECTS];

// Members that many kinds have; `render->name` is theirs.
void put_id(struct render *render);
void put_created(struct render *render);
void put_livemode(struct render *render);
void put_address(struct render *render);         // details[name], six members
void put_shipping(struct render *render);        // details[name] or null
void put_billing_details(struct render *render); // details[name], always an object
void put_method_types(struct render *render);    // ["card"], what was asked for

// A reference under the current member's name: null, an id, or the object.
void put_reference(struct render *render, enum api_object kind, int64_t id);
// An element of the array that is open under the current member's name: a list's `data`.
void put_element(struct render *render, enum api_object kind, const void *object);
// A list under the current member's name, around its elements; `what`: the last word of its url,
// behind `path` ("/v1/charges") and the object's id.
void put_list_open(struct render *render);
void put_list_close(struct render *render, bool more, const char *path, const char *what);
// The list of a charge's refunds.
void put_charge_refunds(struct render *render);
// True when a path of expand is the current member, or goes on below it. expand.c.
bool is_expanded(const struct render *render);
// What expand may name in an object: by path which object stands there, null for what is never
// there, and whether it is a list of them.
json_t *api_expand_describe(enum api_object kind);
// A text of details; NULL when it is not there.
const char *detail_text(const struct render *render, const char *name);
// A member of details as it is, or `otherwise`.
void put_detail(struct render *render, const char *name, const json_t *details,
                const char *otherwise);
// The same members for the card of an attempt and of a charge.
void put_card_details(struct render *render, const struct card *card, bool charge);
// The error object of an attempt, without the intent, under the current member's name.
void put_trouble(struct render *render, const struct api_trouble *trouble);

// What both kinds of intents have.
void put_client_secret(struct render *render);
void put_redirect(struct render *render, enum intent_status status); // next_action
void put_method_options(struct render *render);
void put_cancellation_reason(struct render *render, enum cancel_reason reason);
// three_d_secure of an attempt: what its issuer said about the shopper, or null.
void put_three_d_secure(struct render *render, int64_t attempt, bool charge);
