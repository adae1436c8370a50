// Checkout sessions in payment mode: what is sold, and the PaymentIntent for it.
#include "core/api.h"
#include "core/api_sessions.h"

#include <stdio.h>

enum { ITEMS_MAX = 100, INDEX_MAX = 999, AMOUNT_MAX = 99999999 };

struct item {
	int64_t unit_amount, quantity;
	struct bytes currency, name;
};

static bool refuse(struct api_call *call, const char *code, const char *param, const char *message)
{
	struct api_error error;

	api_fail(&error, 400, code, param, "%s", message);
	api_refuse(call, &error);
	return false;
}

static const struct api_value *of_item(const struct api_call *call, const char *index,
                                       const char *member)
{
	char name[API_PARAM_CAPACITY];

	snprintf(name, sizeof(name), "line_items[%s]%s", index, member);
	for (size_t i = 0; i < call->params.count; i++)
		if (bytes_equal_text(call->params.values[i].name, name))
			return &call->params.values[i];
	return NULL;
}

// One line item; what is missing is named as the caller would have written it.
static bool read_item(struct api_call *call, const char *index, struct item *item)
{
	static const char *const members[] = { "[price_data][currency]",
		                               "[price_data][unit_amount]",
		                               "[price_data][product_data][name]", "[quantity]" };
	const struct api_value *values[4];
	char name[API_PARAM_CAPACITY];
	struct api_error error;

	for (size_t i = 0; i < 4; i++) {
		values[i] = of_item(call, index, members[i]);
		if (values[i] && values[i]->text.length)
			continue;
		snprintf(name, sizeof(name), "line_items[%s]%s", index, members[i]);
		api_fail_missing_param(&error, name);
		api_refuse(call, &error);
		return false;
	}
	*item = (struct item){ .unit_amount = values[1]->number,
		               .quantity = values[3]->number,
		               .currency = values[0]->text,
		               .name = values[2]->text };
	return true;
}

static json_t *item_json(const struct item *item)
{
	return json_pack("{s:o, s:I, s:I}", "name",
	                 json_stringn((const char *)item->name.data, item->name.length), "quantity",
	                 (json_int_t)item->quantity, "amount",
	                 (json_int_t)(item->unit_amount * item->quantity));
}

// True when some parameter speaks of this element.
static bool has_item(const struct api_call *call, const char *index)
{
	char start[24];

	snprintf(start, sizeof(start), "line_items[%s]", index);
	for (size_t i = 0; i < call->params.count; i++)
		if (bytes_start_with(call->params.values[i].name, start))
			return true;
	return false;
}

static bool add_item(struct api_call *call, const char *index, json_t *items,
                     struct payment_intent *payment)
{
	struct item item;
	char before[4];

	memcpy(before, payment->currency, sizeof(before));
	if (!read_item(call, index, &item) ||
	    !api_currency_fits(call, "line_items", item.currency, payment->currency))
		return false;
	if (json_array_size(items) && strcmp(before, payment->currency) != 0)
		return refuse(call, NULL, "line_items",
		              "All line items must have the same currency.");
	if (json_array_size(items) == ITEMS_MAX)
		return refuse(call, NULL, "line_items", "A session has at most 100 line items.");
	payment->amount += item.unit_amount * item.quantity;
	if (payment->amount > AMOUNT_MAX)
		return refuse(call, "amount_too_large", "line_items",
		              "The total must be no more than 99999999.");
	json_array_append_new(items, item_json(&item));
	return true;
}

// Clients number the elements, mostly from 0; one element may be written without a number.
static bool read_items(struct api_call *call, json_t *items, struct payment_intent *payment)
{
	bool single = has_item(call, "");
	char index[8];

	if (single && !add_item(call, "", items, payment))
		return false;
	for (int i = 0; i <= INDEX_MAX; i++) {
		snprintf(index, sizeof(index), "%d", i);
		if (!has_item(call, index))
			continue;
		if (single)
			return refuse(
			        call, NULL, "line_items",
			        "Either number all line items, or send one without a number.");
		if (!add_item(call, index, items, payment))
			return false;
	}
	if (json_array_size(items) == 0)
		return refuse(call, "parameter_missing", "line_items",
		              "You must provide line_items in payment mode.");
	return payment->amount > 0 ||
	       refuse(call, "amount_too_small", "line_items", "The total must be at least 1.");
}

static void settle(struct session *session, struct payment_intent *payment, json_t *items)
{
	json_t *of_session = api_details_read(session->details);
	json_t *of_payment = api_details_read(payment->details);
	const char *capture = json_string_value(json_object_get(of_payment, "capture_method"));

	json_object_set(of_session, "line_items", items);
	json_object_set_new(of_session, "currency", json_string(payment->currency));
	json_object_set_new(of_session, "amount_subtotal", json_integer(payment->amount));
	json_object_set_new(of_session, "amount_total", json_integer(payment->amount));
	json_object_set_new(of_payment, "session", json_integer(session->id));
	payment->flags = PAYMENT_OF_SESSION;
	if (capture && strcmp(capture, "manual") == 0)
		payment->flags |= PAYMENT_MANUAL_CAPTURE;
	free(session->details);
	free(payment->details);
	session->details = api_details_text(of_session);
	payment->details = api_details_text(of_payment);
}

bool api_checkout_fill(struct api_call *call, struct session *session,
                       struct payment_intent *payment)
{
	json_t *items = json_array();
	bool good = read_items(call, items, payment);

	if (good) {
		session->id = core_next_id(call->core);
		payment->id = core_next_id(call->core);
		session->payment = payment->id;
		settle(session, payment, items);
		store_insert(call->core->store, STORE_PAYMENT_INTENTS, payment);
	}
	json_decref(items);
	return good;
}
