// Events on their way to merchants. What is to be delivered is a row (table deliveries) that is
// written in the transaction of its event; when it is tried, and what follows, is decided by
// lib/domain/delivery.h; dialling is courier's. In memory is only what is under way and which
// endpoints there are, so that a backlog costs disk and nothing else.
#pragma once

#include "core/core.h"
#include "core/event.h"
#include "domain/delivery.h"

// To be called with every event, in its transaction: writes the deliveries of the endpoints that
// want it. `object` is the row that the event is about.
void deliveries_event(struct core *core, int64_t merchant, int64_t event, int type, int64_t object);
// An endpoint's row was written.
void deliveries_endpoint(struct core *core, const struct endpoint *endpoint);
// Sends an event to an endpoint that wants it (0: to each of its merchant's) once more, from the
// first step of the schedule. How many deliveries that makes.
int deliveries_again(struct core *core, int64_t merchant, int64_t event, int64_t endpoint);

// Who hears of every event besides the endpoints, in its transaction: the developer's desk.
typedef void event_hook(struct core *core, int64_t merchant, int64_t event, int type);
void deliveries_hook(struct core *core, event_hook *hook);

// Courier's line, and what it says.
void deliveries_courier_is_here(struct core *core);
void deliveries_courier_is_gone(struct core *core);
bool deliveries_courier(const struct core *core);
void deliveries_message(struct core *core, const struct wire_message *message); // DELIVERED
// How many tries are under way.
size_t deliveries_under_way(const struct core *core);
