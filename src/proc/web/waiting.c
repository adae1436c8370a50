// The table of requests that core has not answered. A serial is a place in the table and a count
// that never comes twice, so that a late reply finds nobody instead of somebody else.
#include "web/web.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

// Core puts a number of its own above bit 48 of a serial.
enum { PLACE_BITS = 12, GENERATION_BITS = 36, TICK_MS = 100 };

static uint32_t place_of(uint64_t serial)
{
	return (uint32_t)(serial & ((1U << PLACE_BITS) - 1));
}

bool waitings_init(struct web *web, uint32_t count)
{
	struct waitings *waitings = &web->waitings;

	CHECK(count < 1U << PLACE_BITS);
	waitings->places = calloc(count + 1, sizeof(*waitings->places));
	if (!waitings->places)
		return false;
	waitings->count = count;
	for (uint32_t i = count; i > 0; i--) {
		waitings->places[i].next = waitings->free;
		waitings->free = i;
	}
	return true;
}

void waitings_done(struct web *web)
{
	free(web->waitings.places);
	web->waitings = (struct waitings){ 0 };
}

// A request's tag is its place; place 0 is not used, so a tag is never NULL.
static void mark(struct serve_request *request, uint32_t place)
{
	request->tag = (void *)(uintptr_t)place;
}

static void unlink_unsent(struct waitings *waitings, uint32_t place)
{
	uint32_t previous = 0;
	uint32_t *link = &waitings->first_unsent;

	while (*link && *link != place) {
		previous = *link;
		link = &waitings->places[*link].next;
	}
	if (*link == 0)
		return;
	*link = waitings->places[place].next;
	if (waitings->last_unsent == place)
		waitings->last_unsent = previous;
}

static struct serve_request *release(struct web *web, uint32_t place)
{
	struct waitings *waitings = &web->waitings;
	struct waiting *waiting = &waitings->places[place];
	struct serve_request *request = waiting->request;

	if (!waiting->sent)
		unlink_unsent(waitings, place);
	*waiting = (struct waiting){ .next = waitings->free };
	waitings->free = place;
	if (--waitings->in_use == 0)
		uv_timer_stop(&web->timer);
	return request;
}

static void expire(struct web *web, uint32_t place)
{
	bool sent = web->waitings.places[place].sent;

	refusal_away(web, release(web, place), sent);
}

static void on_tick(uv_timer_t *timer)
{
	struct web *web = timer->data;
	uint64_t now = uv_now(&web->loop);

	for (uint32_t i = 1; i <= web->waitings.count; i++)
		if (web->waitings.places[i].request && web->waitings.places[i].deadline <= now)
			expire(web, i);
}

// False when the line is away or full.
static bool send_one(struct web *web, struct waiting *waiting)
{
	if (!web->core || !result_ok(request_put(web, waiting)))
		return false;
	waiting->sent = true;
	waiting->deadline = uv_now(&web->loop) + WEB_ANSWER_MS;
	return true;
}

static void enqueue(struct web *web, uint32_t place)
{
	struct waitings *waitings = &web->waitings;

	waitings->places[place].next = 0;
	waitings->places[place].deadline = uv_now(&web->loop) + WEB_AWAY_MS;
	if (waitings->last_unsent)
		waitings->places[waitings->last_unsent].next = place;
	else
		waitings->first_unsent = place;
	waitings->last_unsent = place;
}

void waiting_begin(struct web *web, struct serve_request *request, enum web_listener kind,
                   const char *shopper)
{
	struct waitings *waitings = &web->waitings;
	uint32_t place = waitings->free;

	// There are as many places as clients, and a client has one request at a time.
	CHECK(place != 0);
	struct waiting *waiting = &waitings->places[place];
	uint64_t generation = ++waitings->generation & ((1ULL << GENERATION_BITS) - 1);
	waitings->free = waiting->next;
	*waiting = (struct waiting){ .request = request,
		                     .serial = generation << PLACE_BITS | place,
		                     .kind = kind };
	snprintf(waiting->shopper, sizeof(waiting->shopper), "%s", shopper);
	mark(request, place);
	if (waitings->in_use++ == 0)
		uv_timer_start(&web->timer, on_tick, TICK_MS, TICK_MS);
	if (waitings->first_unsent || !send_one(web, waiting))
		enqueue(web, place);
}

void waiting_send(struct web *web)
{
	struct waitings *waitings = &web->waitings;

	while (waitings->first_unsent) {
		struct waiting *waiting = &waitings->places[waitings->first_unsent];
		uint32_t next = waiting->next;
		if (!send_one(web, waiting))
			return;
		waitings->first_unsent = next;
		if (next == 0)
			waitings->last_unsent = 0;
	}
}

void waiting_forget(struct web *web, struct serve_request *request)
{
	uint32_t place = (uint32_t)(uintptr_t)request->tag;
	struct waiting *waiting = &web->waitings.places[place];

	CHECK(waiting->request == request);
	// A line that is full loses this; core then answers nobody.
	if (waiting->sent && web->core)
		(void)!result_ok(
		        wire_channel_put(&web->core->channel, WIRE_REQUEST_GONE,
		                         (struct wire_value[]){ [WIRE_REQUEST_GONE_SERIAL] =
		                                                        WIRE_N(waiting->serial) }));
	release(web, place);
}

struct serve_request *waiting_end(struct web *web, uint64_t serial)
{
	uint32_t place = place_of(serial);

	if (place == 0 || place > web->waitings.count)
		return NULL;
	struct waiting *waiting = &web->waitings.places[place];
	if (!waiting->request || !waiting->sent || waiting->serial != serial)
		return NULL;
	return release(web, place);
}

void waiting_lost(struct web *web)
{
	for (uint32_t i = 1; i <= web->waitings.count; i++)
		if (web->waitings.places[i].request && web->waitings.places[i].sent)
			refusal_away(web, release(web, i), true);
}
