// The objects of the API as JSON, from the rows of the store. Which members an object has is a
// table for each kind (render_*.c): constants, what is copied from `details`, what a function
// writes. What an object refers to is written as an id, or as an object where `expand` asks for it;
// rows of others come from whoever owns the store, through the view's functions.
#pragma once

#include "api/id.h"
#include "api/json.h"
#include "api/params.h"
#include "domain/money.h"
#include "domain/problem.h"

enum api_object {
	API_NOTHING = 0, // expandable in name only: always null here
	API_CUSTOMER,
	API_CARD, // payment_method
	API_SETUP_INTENT,
	API_SETUP_ATTEMPT, // an attempt of a link
	API_PAYMENT_INTENT,
	API_CHARGE, // an attempt of a payment
	API_SESSION,
	API_REFUND,
	API_PORTAL, // billing_portal.session
	API_CUSTOMER_SESSION,
	API_EVENT,
	API_WEBHOOK, // webhook_endpoint
	API_OBJECTS
};

enum { API_EXPAND_MAX = 20, API_EXPAND_DEPTH = 4, API_PATH_CAPACITY = 128 };

struct api_expand {
	char paths[API_EXPAND_MAX][API_PATH_CAPACITY];
	size_t count;
};

// What an issuer's answer about the shopper said. Texts are "" when not known.
struct api_three_d_secure {
	const char *flow; // "challenge", "frictionless"
	const char *result, *reason;
	char eci[4], transaction[40], version[8];
};

enum { API_REFERENCE_CAPACITY = 24 };

// Who asks, and where the rest comes from.
struct api_view {
	const uint8_t *id_key; // API_ID_KEY_BYTES
	struct api_ids *ids;   // made with it; NULL: none are kept
	const char *public_url;
	const char *support; // whom a shopper of this merchant writes to
	bool live;
	bool shopper; // the one who asks has a publishable key: less is shown
	int64_t now_ms;
	enum problem_language language;
	const struct api_expand *expand; // NULL: nothing
	int64_t (*time_ms)(int64_t id);  // when a row was made
	void *owner;
	// Reads a row of the kind's struct (an attempt for API_SETUP_ATTEMPT and API_CHARGE).
	bool (*load)(void *owner, enum api_object kind, int64_t id, void *ret_object);
	bool (*three_d_secure)(void *owner, int64_t attempt, struct api_three_d_secure *ret_facts);
	// The refunds of a charge, newest first; NULL: none are shown.
	size_t (*refunds)(void *owner, int64_t attempt, struct refund *ret_refunds,
	                  size_t capacity);
	// The short code that support knows an attempt by; "" when it has none.
	void (*reference)(void *owner, int64_t attempt, char *ret_code, size_t capacity);
};

// Appends one object. `object` is the struct of its kind. `below` is where expand's paths stand:
// "" for the object itself, "data." for an element of a list.
void api_render(struct buffer *buffer, const struct api_view *view, enum api_object kind,
                const void *object, const char *below);
// Appends `{"id":…,"object":…,"deleted":true}`.
void api_render_deleted(struct buffer *buffer, const struct api_view *view, enum api_object kind,
                        int64_t id);

// An event as it is kept: `body` is what api_event_body() has written.
struct api_event {
	int64_t id;
	const char *type;
	int64_t pending; // endpoints that wait for it
	struct bytes body;
};
void api_event_body(struct buffer *buffer, struct bytes object, struct bytes previous,
                    const char *request, struct bytes idempotency_key);
void api_render_event(struct buffer *buffer, const struct api_view *view,
                      const struct api_event *event);

// A card's error: why an attempt came to nothing. Top level: with the intent inside.
struct api_trouble {
	int problem; // enum problem
	enum problem_deed deed;
	const struct attempt *attempt; // NULL: none was made
	int64_t again_ms;              // when the guards allow the next try; 0: not known
	const void *intent;            // setup_intent or payment_intent, NULL: none
};
void api_trouble_put(struct buffer *buffer, const struct api_view *view,
                     const struct api_trouble *trouble);
// The row that the one who asks may see, and the HTTP status that goes with it.
const struct problem_row *api_trouble_row(const struct api_view *view, int problem);
// An error about a request with the object that it concerns inside: wrong state.
void api_error_put_with(struct buffer *buffer, const struct api_view *view,
                        const struct api_error *error, enum api_object kind, const void *object);

// Reads `expand[]`. `list`: the paths begin with "data.". False: one cannot be expanded.
bool api_expand_read(const struct api_params *params, enum api_object kind, bool list,
                     struct api_expand *ret_expand, struct api_error *ret_error);

// The id of the payment-methods page's configuration: a merchant has one, and cannot change it.
void api_configuration_id(int64_t merchant, char ret_text[static API_ID_CAPACITY]);

// Names for people and machines.
const char *api_object_name(enum api_object kind); // "payment_method"
enum api_id_kind api_object_id(enum api_object kind, bool live);
const char *api_intent_status_name(enum intent_status status);
const char *api_session_status_name(enum session_status status);

// The tables, for tests and the description: NULL past the end.
const char *api_field_name(enum api_object kind, size_t index);
