// Lists: newest first, a page at a time, in both directions.
#include "core/api.h"

#include "base/check.h"
#include "domain/delivery.h"

#include <stdlib.h>

union row {
	struct customer customer;
	struct card card;
	struct setup_intent setup_intent;
	struct payment_intent payment_intent;
	struct session session;
	struct refund refund;
	struct attempt attempt;
	struct endpoint endpoint;
};

static void row_done(enum api_object kind, union row *row)
{
	switch (kind) {
	case API_CUSTOMER: customer_done(&row->customer); break;
	case API_CARD: card_done(&row->card); break;
	case API_SETUP_INTENT: setup_intent_done(&row->setup_intent); break;
	case API_PAYMENT_INTENT: payment_intent_done(&row->payment_intent); break;
	case API_SESSION: session_done(&row->session); break;
	case API_REFUND: refund_done(&row->refund); break;
	case API_WEBHOOK: endpoint_done(&row->endpoint); break;
	default: break;
	}
}

bool api_owns(const struct api_call *call, enum api_object kind, int64_t id)
{
	struct store *store = call->core->store;
	union row row = { 0 };

	if (kind == API_EVENT)
		return store_one_number(store, STORE_EVENT_OWNED, 0, STORE_N(call->merchant),
		                        STORE_N(id)) != 0;
	bool found = store_find(store, api_table(kind), call->merchant, id, &row);
	if (found)
		row_done(kind, &row);
	return found;
}

// The row of a cursor: an id of the kind that is listed.
static bool cursor(struct api_call *call, const char *param, int64_t *ret_id)
{
	enum api_object kind = call->route->object;
	struct bytes text = api_params_text(&call->params, param);
	struct api_error error;

	*ret_id = 0;
	if (text.length == 0 ||
	    (api_id_read(call->core->id_key, api_object_id(kind, call->view.live), text, ret_id) &&
	     api_owns(call, kind, *ret_id)))
		return true;
	api_fail_missing_object(&error, api_object_name(kind), param, text);
	api_refuse(call, &error);
	return false;
}

static void narrow(struct api_range *range, int64_t low, int64_t high)
{
	range->low = low > range->low ? low : range->low;
	range->high = high < range->high ? high : range->high;
}

// created, created[gt], … as bounds of row keys.
static void narrow_by_time(const struct api_call *call, struct api_range *range)
{
	const struct api_params *p = &call->params;
	int64_t second = api_params_number(p, "created", -1);

	if (second >= 0)
		narrow(range, api_id_at(second * 1000) - 1, api_id_at((second + 1) * 1000));
	if (api_params_has(p, "created[gt]"))
		narrow(range, api_id_at((api_params_number(p, "created[gt]", 0) + 1) * 1000) - 1,
		       INT64_MAX);
	if (api_params_has(p, "created[gte]"))
		narrow(range, api_id_at(api_params_number(p, "created[gte]", 0) * 1000) - 1,
		       INT64_MAX);
	if (api_params_has(p, "created[lt]"))
		narrow(range, 0, api_id_at(api_params_number(p, "created[lt]", 0) * 1000));
	if (api_params_has(p, "created[lte]"))
		narrow(range, 0, api_id_at((api_params_number(p, "created[lte]", 0) + 1) * 1000));
}

bool api_range_read(struct api_call *call, struct api_range *ret_range)
{
	int64_t after;
	int64_t before;
	struct api_error error;

	*ret_range = (struct api_range){ 0, INT64_MAX, false, 0 };
	if (!cursor(call, "starting_after", &after) || !cursor(call, "ending_before", &before))
		return false;
	if (after && before) {
		api_fail(&error, 400, "parameters_exclusive", "ending_before",
		         "Use either starting_after or ending_before, not both");
		api_refuse(call, &error);
		return false;
	}
	narrow_by_time(call, ret_range);
	if (after)
		narrow(ret_range, 0, after);
	if (before)
		narrow(ret_range, before, INT64_MAX);
	ret_range->up = before != 0;
	ret_range->limit = (size_t)api_params_number(&call->params, "limit", 10);
	return true;
}

void api_put_list(struct buffer *buffer, const struct api_call *call, struct bytes elements,
                  bool more)
{
	struct api_json json = api_json_on(buffer);

	api_json_open(&json, NULL, '{');
	api_json_text(&json, "object", "list");
	api_json_open(&json, "data", '[');
	buffer_put(buffer, elements);
	api_json_close(&json, ']');
	api_json_flag(&json, "has_more", more);
	api_json_bytes(&json, "url", call->request->path);
	api_json_close(&json, '}');
}

static size_t read_rows(struct api_call *call, const struct api_list *list,
                        const struct api_range *range, union row *rows)
{
	const struct store_value values[] = { STORE_N(call->merchant),
		                              STORE_N(range->low),
		                              STORE_N(range->high),
		                              list->a,
		                              list->b,
		                              STORE_N(range->limit + 1) };
	struct store_query query =
	        store_begin(call->core->store, range->up ? list->up : list->down, values, 6);
	size_t count = 0;

	while (count <= range->limit && store_step(&query))
		store_read(&query, api_table(call->route->object), &rows[count++]);
	store_end(&query);
	return count;
}

void api_answer_list(struct api_call *call, const struct api_list *list)
{
	enum api_object kind = call->route->object;
	struct buffer elements cleanup(buffer_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };
	struct api_range range;

	if (!api_range_read(call, &range))
		return;
	narrow(&range, list->above, list->below ? list->below : INT64_MAX);
	union row *rows cleanup(cleanup_free) = calloc(range.limit + 1, sizeof(*rows));
	CHECK(rows);
	size_t count = read_rows(call, list, &range, rows);
	size_t shown = count < range.limit ? count : range.limit;
	buffer_init(&elements, API_REPLY_MAX);
	buffer_init(&body, API_REPLY_MAX);
	for (size_t i = 0; i < shown; i++) {
		if (i)
			buffer_put_byte(&elements, ',');
		api_render(&elements, &call->view, kind, &rows[range.up ? shown - 1 - i : i],
		           "data.");
	}
	for (size_t i = 0; i < count; i++)
		row_done(kind, &rows[i]);
	api_put_list(&body, call, buffer_view(&elements), count > shown);
	api_answer_page(call, &body, elements.failed);
}

void api_answer_page(struct api_call *call, const struct buffer *body, bool failed)
{
	struct api_error error;

	if (!failed && !body->failed) {
		api_answer_text(call, 200, buffer_view(body));
		return;
	}
	api_fail(&error, 400, NULL, "limit", "This page is too large: ask for fewer at a time");
	api_refuse(call, &error);
}
