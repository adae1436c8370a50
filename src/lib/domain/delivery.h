// Webhook endpoints and deliveries. A delivery is an event on its way to one endpoint of its
// merchant. Each is tried until the endpoint takes it, or until the schedule is over: it is then
// given up, and listed. Events of one object come in their order: one that has an earlier one of
// the same object before it waits until that one is delivered or given up.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

// A merchant's address for events. Disabled by the merchant, or by its own answer that it is gone.
enum endpoint_status { ENDPOINT_ENABLED = 0, ENDPOINT_DISABLED, ENDPOINT_GONE };

struct endpoint {
	int64_t id, merchant, removed_ms;
	enum endpoint_status status;
	int version;   // of its secret
	char *details; // url, enabled_events, description, metadata, api_version, and
	               // ENDPOINT_OVERLAP
};

// Until when the secret of the version before signs too, Unix milliseconds.
#define ENDPOINT_OVERLAP "overlap_until_ms"

enum delivery_state { DELIVERY_WAITING = 0, DELIVERY_DONE, DELIVERY_GIVEN_UP };

// An event on its way to an endpoint.
struct delivery {
	int64_t id, merchant, endpoint, event;
	int64_t object; // the row that the event is about: events of one come in order
	enum delivery_state state;
	int tries;
	int64_t due_ms;   // of the next try; DELIVERY_BEHIND: others of its object are before it
	int64_t tried_ms; // the last try; 0: none yet
	int status;       // its HTTP status; 0: there was no answer
	char detail[160]; // why the last try failed
};

static inline void endpoint_done(struct endpoint *endpoint)
{
	free(endpoint->details);
	endpoint->details = NULL;
}

// A delivery that waits for an earlier one has no time of its own.
#define DELIVERY_BEHIND INT64_MAX

// How one try ended.
struct delivery_answer {
	int status;     // HTTP; 0: there was no answer
	bool delivered; // a 2xx whose answer is as it has to be
};

struct delivery_step {
	enum delivery_state state;
	int tries;
	int64_t due_ms; // of the next try; 0: there is none
	bool disable;   // the endpoint says that it is gone (410): no more of anything
};

// What follows from the end of a try. `tries`: how many there were before it.
struct delivery_step delivery_next(int tries, const struct delivery_answer *answer, int64_t now_ms);

// When a new delivery, or one that is to be sent again, is due: now, or when those before it are
// through.
int64_t delivery_first_ms(bool others_before, int64_t now_ms);

// How many tries there are in all.
int delivery_tries_max(void);
