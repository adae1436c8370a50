// Which endpoints want an event, what is due, what is under way, how it ended. See deliveries.h.
#include "core/deliveries.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "core/api.h"
#include "core/due.h"
#include "core/map.h"
#include "core/secrets.h"

#include <stdlib.h>

enum {
	WIDTH_MOST = 8,   // tries at a time to one endpoint; one that fails gets one
	AT_ONCE = 256,    // to all
	CROWDED_MS = 50,  // all places taken: when to look again
	ROWS_MOST = 200,  // in one turn and endpoint
	SWEEP_MS = 60000, // how often old deliveries are looked for
};
static const int64_t kept_ms = 30LL * 24 * 3600 * 1000;

struct place {
	struct place *next_of_merchant;
	int64_t id, merchant;
	enum endpoint_status status;
	bool removed;
	int version;
	int64_t overlap_ms; // until when the secret before this version signs too
	struct event_set wants;
	char *url;
	int in_flight, width;
	int64_t look_ms; // when it is to be looked at; INT64_MAX: at nothing's time
};

struct flight {
	int64_t delivery, endpoint;
};

struct deliveries {
	struct map places;    // by endpoint
	struct map merchants; // the first place of each
	struct map flights;   // by delivery
	struct due due;
	event_hook *hook;
	bool courier;
	int64_t sweep_ms;
};

// --- endpoints in memory

static struct place *place_of(struct core *core, int64_t endpoint)
{
	return map_get(&core->deliveries->places, endpoint);
}

static void look_at(struct core *core, struct place *place, int64_t at_ms)
{
	if (at_ms >= place->look_ms)
		return;
	place->look_ms = at_ms;
	due_add(&core->deliveries->due, at_ms, 0, place->id);
}

static struct place *place_new(struct core *core, const struct endpoint *endpoint)
{
	struct deliveries *deliveries = core->deliveries;
	struct place *place = calloc(1, sizeof(*place));

	CHECK(place);
	*place = (struct place){ .id = endpoint->id,
		                 .merchant = endpoint->merchant,
		                 .width = WIDTH_MOST,
		                 .look_ms = INT64_MAX };
	place->next_of_merchant = map_get(&deliveries->merchants, place->merchant);
	map_put(&deliveries->merchants, place->merchant, place);
	map_put(&deliveries->places, place->id, place);
	return place;
}

static void place_drop(struct core *core, struct place *place)
{
	struct deliveries *deliveries = core->deliveries;
	struct place *first = map_get(&deliveries->merchants, place->merchant);
	struct place **at = &first;

	while (*at != place)
		at = &(*at)->next_of_merchant;
	*at = place->next_of_merchant;
	map_take(&deliveries->merchants, place->merchant);
	if (first)
		map_put(&deliveries->merchants, place->merchant, first);
	map_take(&deliveries->places, place->id);
	free(place->url);
	free(place);
}

void deliveries_endpoint(struct core *core, const struct endpoint *endpoint)
{
	struct place *place = place_of(core, endpoint->id);
	json_t *details = api_details_read(endpoint->details);
	const char *url = json_string_value(json_object_get(details, "url"));
	size_t index;
	json_t *name;

	if (!place)
		place = place_new(core, endpoint);
	place->status = endpoint->status;
	place->removed = endpoint->removed_ms != 0;
	place->version = endpoint->version;
	place->overlap_ms = json_integer_value(json_object_get(details, ENDPOINT_OVERLAP));
	place->wants = (struct event_set){ { 0 } };
	free(place->url);
	place->url = strdup(url ? url : "");
	CHECK(place->url);
	json_array_foreach(json_object_get(details, "enabled_events"), index, name)
	        event_set_add(&place->wants, json_string_value(name));
	json_decref(details);
	look_at(core, place, core->now_ms);
}

// --- events

static bool has_others_before(struct core *core, int64_t endpoint, int64_t object)
{
	return store_one_number(core->store, STORE_DELIVERY_AHEAD, 0, STORE_N(endpoint),
	                        STORE_N(object)) != 0;
}

static void queue(struct core *core, struct place *place, int64_t event, int64_t object)
{
	struct delivery row = { .id = core_next_id(core),
		                .merchant = place->merchant,
		                .endpoint = place->id,
		                .event = event,
		                .object = object };

	row.due_ms = delivery_first_ms(has_others_before(core, place->id, object), core->now_ms);
	store_insert(core->store, STORE_DELIVERIES, &row);
	metric_add(METRIC_DELIVERIES_QUEUED, 1);
	look_at(core, place, row.due_ms);
}

static bool wants(const struct place *place, int type)
{
	return place->status == ENDPOINT_ENABLED && !place->removed &&
	       event_set_has(&place->wants, type);
}

void deliveries_event(struct core *core, int64_t merchant, int64_t event, int type, int64_t object)
{
	struct deliveries *deliveries = core->deliveries;

	if (!deliveries)
		return;
	for (struct place *place = map_get(&deliveries->merchants, merchant); place;
	     place = place->next_of_merchant)
		if (wants(place, type))
			queue(core, place, event, object);
	if (deliveries->hook)
		deliveries->hook(core, merchant, event, type);
}

void deliveries_hook(struct core *core, event_hook *hook)
{
	core->deliveries->hook = hook;
}

// --- again

static void queue_again(struct core *core, struct place *place, int64_t id)
{
	struct delivery row;

	if (!store_load(core->store, STORE_DELIVERIES, id, &row) ||
	    map_get(&core->deliveries->flights, id))
		return;
	bool before =
	        row.state != DELIVERY_WAITING && has_others_before(core, place->id, row.object);
	if (row.state != DELIVERY_WAITING || row.due_ms != DELIVERY_BEHIND)
		row.due_ms = delivery_first_ms(before, core->now_ms);
	row.state = DELIVERY_WAITING;
	row.tries = 0;
	store_update(core->store, STORE_DELIVERIES, &row);
	look_at(core, place, row.due_ms);
}

int deliveries_again(struct core *core, int64_t merchant, int64_t event, int64_t endpoint)
{
	struct store_query query = store_ask(core->store, STORE_EVENT_LOAD, STORE_N(event));
	int count = 0;
	int type = 0;
	int64_t object = 0;

	if (store_step(&query) && store_number(&query, 0) == merchant) {
		type = (int)store_number(&query, 1);
		object = store_number(&query, 2);
	}
	store_end(&query);
	for (struct place *place = map_get(&core->deliveries->merchants, merchant); place && type;
	     place = place->next_of_merchant) {
		if (!wants(place, type) || (endpoint && place->id != endpoint))
			continue;
		int64_t row = store_one_number(core->store, STORE_DELIVERY_OF_EVENT, 0,
		                               STORE_N(event), STORE_N(place->id));
		if (row)
			queue_again(core, place, row);
		else
			queue(core, place, event, object);
		count++;
	}
	return count;
}

// --- ends of tries

static void log_end(struct core *core, const struct delivery *row, int64_t ms)
{
	enum log_level level = row->state == DELIVERY_DONE ? LOG_DEBUG : LOG_WARN;
	char endpoint[API_ID_CAPACITY];
	char event[API_ID_CAPACITY];

	api_id_make(core->id_key, API_ID_WEBHOOK, row->endpoint, endpoint);
	api_id_make(core->id_key, API_ID_EVENT, row->event, event);
	log_event(level,
	          row->state == DELIVERY_DONE       ? "delivered"
	          : row->state == DELIVERY_GIVEN_UP ? "delivery_given_up"
	                                            : "delivery_failed",
	          LOG_TEXT("endpoint", endpoint), LOG_TEXT("event", event),
	          LOG_NUMBER("tries", row->tries), LOG_NUMBER("status", row->status),
	          LOG_NUMBER("ms", ms), LOG_TEXT("detail", row->detail));
}

// Writes how it is now, and lets the next one of its object go.
static void settle(struct core *core, struct place *place, struct delivery *row, int64_t ms)
{
	store_update(core->store, STORE_DELIVERIES, row);
	log_end(core, row, ms);
	if (row->state == DELIVERY_WAITING) {
		look_at(core, place, row->due_ms);
		return;
	}
	metric_add(row->state == DELIVERY_DONE ? METRIC_DELIVERIES_DONE
	                                       : METRIC_DELIVERIES_GIVEN_UP,
	           1);
	store_run(core->store, STORE_DELIVERY_RELEASE, STORE_N(row->endpoint), STORE_N(row->object),
	          STORE_N(core->now_ms));
	look_at(core, place, core->now_ms);
}

static void give_up(struct core *core, struct place *place, struct delivery *row, const char *why)
{
	row->state = DELIVERY_GIVEN_UP;
	row->due_ms = 0;
	bytes_copy_text(bytes_text(why), row->detail, sizeof(row->detail));
	settle(core, place, row, 0);
}

static void disable(struct core *core, int64_t id)
{
	struct endpoint endpoint cleanup(endpoint_done) = { 0 };

	if (!store_load(core->store, STORE_ENDPOINTS, id, &endpoint) ||
	    endpoint.status != ENDPOINT_ENABLED)
		return;
	endpoint.status = ENDPOINT_GONE;
	store_update(core->store, STORE_ENDPOINTS, &endpoint);
	deliveries_endpoint(core, &endpoint);
}

static void tried(struct core *core, int64_t id, const struct delivery_answer *answer,
                  struct bytes detail, int64_t ms)
{
	struct flight *flight = map_take(&core->deliveries->flights, id);
	struct delivery row;

	if (!flight)
		return; // courier answers what it was not asked
	struct place *place = place_of(core, flight->endpoint);
	free(flight);
	CHECK(place); // it stays while something is under way to it
	place->in_flight--;
	place->width = !answer->delivered              ? 1
	               : place->width * 2 < WIDTH_MOST ? place->width * 2
	                                               : WIDTH_MOST;
	look_at(core, place, core->now_ms);
	if (!store_load(core->store, STORE_DELIVERIES, id, &row))
		return;
	struct delivery_step step = delivery_next(row.tries, answer, core->now_ms);
	row.state = step.state;
	row.tries = step.tries;
	row.due_ms = step.due_ms;
	row.tried_ms = core->now_ms;
	row.status = answer->status;
	bytes_copy_text(detail, row.detail, sizeof(row.detail));
	metric_add(METRIC_DELIVERY_TRIES, 1);
	settle(core, place, &row, ms);
	if (step.disable)
		disable(core, row.endpoint);
}

// --- tries

static void try_failed(struct core *core, int64_t id, const char *why)
{
	tried(core, id, &(struct delivery_answer){ 0, false }, bytes_text(why), 0);
}

static void try_now(struct core *core, struct place *place, const struct delivery *row)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	struct flight *flight = calloc(1, sizeof(*flight));
	char id[API_ID_CAPACITY];

	CHECK(flight);
	*flight = (struct flight){ row->id, place->id };
	map_put(&core->deliveries->flights, row->id, flight);
	place->in_flight++;
	buffer_init(&body, API_REPLY_MAX);
	event_render(core, row->event, &body);
	api_id_make(core->id_key, API_ID_EVENT, row->event, id);
	const struct wire_value values[WIRE_FIELDS_OF_DELIVER] = {
		[WIRE_DELIVER_ID] = WIRE_N(row->id),
		[WIRE_DELIVER_ENDPOINT] = WIRE_N(place->id),
		[WIRE_DELIVER_VERSION] = WIRE_N(place->version),
		[WIRE_DELIVER_OLD_VERSION] =
		        WIRE_N(core->now_ms < place->overlap_ms ? place->version - 1 : 0),
		[WIRE_DELIVER_EVENT] = WIRE_B(bytes_text(id)),
		[WIRE_DELIVER_URL] = WIRE_B(bytes_text(place->url)),
		[WIRE_DELIVER_BODY] = WIRE_B(buffer_view(&body)),
	};
	if (body.failed || body.length == 0)
		try_failed(core, row->id, "the event is too large");
	else if (!core_tell_courier(core, WIRE_DELIVER, values))
		try_failed(core, row->id, "courier takes nothing just now");
}

static int read_rows(struct core *core, struct store_query query,
                     struct delivery rows[static ROWS_MOST])
{
	int count = 0;

	while (count < ROWS_MOST && store_step(&query))
		store_read(&query, STORE_DELIVERIES, &rows[count++]);
	store_end(&query);
	(void)core;
	return count;
}

// An endpoint that is removed or gone takes nothing any more: what waits for it is given up, a part
// in each turn, and then it is forgotten.
static void close_place(struct core *core, struct place *place)
{
	static struct delivery rows[ROWS_MOST];
	int count = read_rows(
	        core, store_ask(core->store, STORE_DELIVERIES_OPEN, STORE_N(place->id)), rows);
	int left = 0;

	for (int i = 0; i < count; i++) {
		if (map_get(&core->deliveries->flights, rows[i].id))
			left++;
		else
			give_up(core, place, &rows[i],
			        place->removed ? "the endpoint was removed"
			                       : "the endpoint said that it is gone (410)");
	}
	place->look_ms = INT64_MAX; // giving up asked for a look
	if (count > left)
		look_at(core, place, core->now_ms);
	else if (place->removed && place->in_flight == 0)
		place_drop(core, place);
}

static void try_due(struct core *core, struct place *place)
{
	static struct delivery rows[ROWS_MOST];
	bool enabled = place->status == ENDPOINT_ENABLED;
	int most = enabled ? place->width : ROWS_MOST;
	int count = read_rows(core,
	                      store_ask(core->store, STORE_DELIVERIES_DUE, STORE_N(place->id),
	                                STORE_N(core->now_ms), STORE_N(most)),
	                      rows);

	for (int i = 0; i < count; i++) {
		if (map_get(&core->deliveries->flights, rows[i].id))
			continue;
		if (enabled && place->in_flight < place->width)
			try_now(core, place, &rows[i]);
		else if (!enabled)
			give_up(core, place, &rows[i], "the endpoint was disabled");
	}
	if (count == most)
		return; // the end of one of them asks for the next look
	int64_t next_ms = store_one_number(core->store, STORE_DELIVERY_NEXT_MS, 0,
	                                   STORE_N(place->id), STORE_N(core->now_ms));
	if (next_ms)
		look_at(core, place, next_ms);
}

static void look(struct core *core, struct place *place)
{
	place->look_ms = INT64_MAX;
	if (place->removed || place->status == ENDPOINT_GONE)
		close_place(core, place);
	else if (!core->deliveries->courier && place->status == ENDPOINT_ENABLED)
		return; // all are looked at when it comes
	else if (core->deliveries->flights.count >= AT_ONCE)
		look_at(core, place, core->now_ms + CROWDED_MS);
	else
		try_due(core, place);
}

static void sweep(struct core *core)
{
	struct deliveries *deliveries = core->deliveries;

	if (core->now_ms < deliveries->sweep_ms)
		return;
	deliveries->sweep_ms = core->now_ms + SWEEP_MS;
	store_run(core->store, STORE_DELIVERIES_PURGE, STORE_N(core->now_ms - kept_ms));
}

void deliveries_timer(struct core *core)
{
	struct due_entry entry;

	sweep(core);
	while (due_take(&core->deliveries->due, core->now_ms, &entry)) {
		struct place *place = place_of(core, entry.id);
		if (place && place->look_ms <= core->now_ms)
			look(core, place);
	}
}

int64_t deliveries_next_timer(const struct core *core)
{
	return due_first_ms(&core->deliveries->due);
}

// --- courier

bool deliveries_courier(const struct core *core)
{
	return core->deliveries->courier;
}

size_t deliveries_under_way(const struct core *core)
{
	return core->deliveries->flights.count;
}

void deliveries_courier_is_here(struct core *core)
{
	struct map *places = &core->deliveries->places;

	core->deliveries->courier = true;
	for (size_t i = 0; i < places->capacity; i++)
		if (places->slots[i].value)
			look_at(core, places->slots[i].value, core->now_ms);
}

// What was under way counts as tried: one whose delivery ends courier must not come again at once.
void deliveries_courier_is_gone(struct core *core)
{
	struct deliveries *deliveries = core->deliveries;

	deliveries->courier = false;
	secrets_lost(core);
	while (deliveries->flights.count) {
		size_t at = 0;
		while (!deliveries->flights.slots[at].value)
			at++;
		try_failed(core, ((struct flight *)deliveries->flights.slots[at].value)->delivery,
		           "courier ended meanwhile");
	}
	core_wake(core);
}

void deliveries_message(struct core *core, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;

	struct bytes detail = f[WIRE_DELIVERED_DETAIL].bytes;
	int status = (int)f[WIRE_DELIVERED_STATUS].number;
	struct delivery_answer answer = { status,
		                          detail.length == 0 && status >= 200 && status < 300 };
	tried(core, (int64_t)f[WIRE_DELIVERED_ID].number, &answer, detail,
	      (int64_t)f[WIRE_DELIVERED_MS].number);
}

// --- start

struct deliveries *deliveries_new(struct core *core)
{
	struct deliveries *deliveries = calloc(1, sizeof(*deliveries));
	struct endpoint endpoint = { 0 };

	CHECK(deliveries);
	core->deliveries = deliveries;
	struct store_query query = store_begin(core->store, STORE_ENDPOINTS_AT_WORK, NULL, 0);
	while (store_step(&query)) {
		store_read(&query, STORE_ENDPOINTS, &endpoint);
		deliveries_endpoint(core, &endpoint);
		endpoint_done(&endpoint);
	}
	store_end(&query);
	return deliveries;
}

void deliveries_free(struct deliveries *deliveries)
{
	struct map *places = &deliveries->places;

	for (size_t i = 0; i < places->capacity; i++) {
		struct place *place = places->slots[i].value;
		if (place)
			free(place->url);
		free(place);
	}
	for (size_t i = 0; i < deliveries->flights.capacity; i++)
		free(deliveries->flights.slots[i].value);
	map_done(&deliveries->places);
	map_done(&deliveries->merchants);
	map_done(&deliveries->flights);
	due_done(&deliveries->due);
	free(deliveries);
}
