// Events: retrieve, and list with the filters that webhooks' readers use. Kept in sight for 30
// days.
#include "core/api.h"

#include "core/event.h"

#include <stdlib.h>

enum { TYPES_MAX = 20 };
static const int64_t shown_ms = 30LL * 24 * 3600 * 1000;

const struct api_param api_event_list_params[] = {
	{ "type", API_TEXT, 0, 0, 80, NULL },
	{ "types[]", API_TEXT, 0, 0, 80, NULL },
	{ "delivery_success", API_FLAG, 0, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// A type, or one with a star: `setup_intent.*`, `*`.
static bool type_fits(struct bytes wanted, const char *type)
{
	if (wanted.length && wanted.data[wanted.length - 1] == '*')
		return strncmp(type, (const char *)wanted.data, wanted.length - 1) == 0;
	return bytes_equal_text(wanted, type);
}

static bool is_wanted(const struct api_call *call, int number)
{
	const char *type = event_name(number);
	const struct api_value *value = api_params_get(&call->params, "type");

	if (!type || (value && !type_fits(value->text, type)))
		return false;
	if (!api_params_has(&call->params, "types[]"))
		return true;
	for (size_t i = 0; (value = api_params_at(&call->params, "types[]", i)); i++)
		if (type_fits(value->text, type))
			return true;
	return false;
}

// All endpoints have it, or not all (some wait for it, or it was given up).
static bool success_fits(const struct api_call *call, int64_t event)
{
	if (!api_params_has(&call->params, "delivery_success"))
		return true;
	bool done = store_one_number(call->core->store, STORE_DELIVERIES_NOT_DONE, 0,
	                             STORE_N(event)) == 0;
	return done == api_params_flag(&call->params, "delivery_success", true);
}

static void put_event(struct buffer *buffer, const struct api_call *call,
                      const struct store_query *query)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	int64_t id = store_number(query, 0);

	buffer_init(&body, API_REPLY_MAX);
	store_text(query, 2, &body);
	struct api_event event = { id, event_name((int)store_number(query, 1)),
		                   store_one_number(call->core->store, STORE_DELIVERIES_PENDING, 0,
		                                    STORE_N(id)),
		                   buffer_view(&body) };

	api_render_event(buffer, &call->view, &event);
}

void api_event_retrieve(struct api_call *call)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	struct api_error error;

	buffer_init(&body, API_REPLY_MAX);
	struct store_query query = store_ask(call->core->store, STORE_EVENT_FIND,
	                                     STORE_N(call->merchant), STORE_N(call->id));
	if (call->id && store_step(&query) && event_name((int)store_number(&query, 1)))
		put_event(&body, call, &query);
	store_end(&query);
	if (body.length) {
		api_answer_text(call, 200, buffer_view(&body));
		return;
	}
	api_fail_missing_object(&error, "event", "id", call->words[0]);
	api_refuse(call, &error);
}

// Where the elements of one page begin and end in a buffer, to be turned round.
struct page {
	size_t ends[101];
	size_t count;
	bool more;
};

static void collect(struct api_call *call, const struct api_range *range, struct buffer *texts,
                    struct page *page)
{
	struct store_query query =
	        store_ask(call->core->store, range->up ? STORE_EVENTS_UP : STORE_EVENTS,
	                  STORE_N(call->merchant), STORE_N(range->low), STORE_N(range->high));

	while (!page->more && store_step(&query)) {
		if (!is_wanted(call, (int)store_number(&query, 1)) ||
		    !success_fits(call, store_number(&query, 0)))
			continue;
		if (page->count == range->limit) {
			page->more = true;
			break;
		}
		put_event(texts, call, &query);
		page->ends[page->count++] = texts->length;
	}
	store_end(&query);
}

static bool types_fit(struct api_call *call)
{
	struct api_error error;

	if (api_params_at(&call->params, "types[]", TYPES_MAX))
		api_fail(&error, 400, NULL, "types", "At most %d types", TYPES_MAX);
	else if (api_params_has(&call->params, "types[]") && api_params_has(&call->params, "type"))
		api_fail(&error, 400, "parameters_exclusive", "types",
		         "Use either type or types, not both");
	else
		return true;
	api_refuse(call, &error);
	return false;
}

void api_event_list(struct api_call *call)
{
	struct buffer texts cleanup(buffer_done) = { 0 };
	struct buffer elements cleanup(buffer_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };
	struct page page = { .count = 0 };
	struct api_range range;

	buffer_init(&texts, API_REPLY_MAX);
	buffer_init(&elements, API_REPLY_MAX);
	buffer_init(&body, API_REPLY_MAX);
	if (!types_fit(call) || !api_range_read(call, &range))
		return;
	int64_t oldest = api_id_at(call->core->now_ms - shown_ms) - 1;
	range.low = range.low > oldest ? range.low : oldest;
	collect(call, &range, &texts, &page);
	for (size_t i = 0; i < page.count; i++) {
		size_t at = range.up ? page.count - 1 - i : i;
		size_t from = at ? page.ends[at - 1] : 0;
		if (i)
			buffer_put_byte(&elements, ',');
		buffer_put(&elements, bytes_slice(buffer_view(&texts), from, page.ends[at] - from));
	}
	api_put_list(&body, call, buffer_view(&elements), page.more);
	api_answer_page(call, &body, texts.failed || elements.failed);
}
