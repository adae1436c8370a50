// Refunds: money that goes back to the card that paid. What can be given back is looked at here;
// the rest is the flow's (flow_refund.c). An answer comes when the bank has answered, or is
// `pending`.
#include "core/api.h"

#include "base/check.h"
#include "core/connections.h"
#include "core/event.h"

#include <stdlib.h>

const struct api_param api_refund_create_params[] = {
	{ "payment_intent", API_TEXT, 0, 0, 128, NULL },
	{ "charge", API_TEXT, 0, 0, 128, NULL },
	{ "amount", API_NUMBER, 0, 1, 99999999, NULL },
	{ "currency", API_TEXT, 0, 0, 3, NULL },
	{ "reason", API_CHOICE, 0, 0, 0, "duplicate fraudulent requested_by_customer" },
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "instructions_email", API_TEXT, API_STORED | API_NOT_EMPTY, 0, 0, NULL },
	API_NOT_HERE("customer", "Send payment_intent or charge."),
	API_NOT_HERE("origin", "Send payment_intent or charge."),
	API_NOT_HERE("refund_application_fee", NULL),
	API_NOT_HERE("reverse_transfer", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_refund_update_params[] = {
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_refund_list_params[] = {
	{ "charge", API_TEXT, 0, 0, 128, NULL },
	{ "payment_intent", API_TEXT, 0, 0, 128, NULL },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

static bool fail(struct api_call *call, const char *code, const char *param, const char *message)
{
	struct api_error error;

	api_fail(&error, 400, code, param, "%s", message);
	api_refuse(call, &error);
	return false;
}

// --- which charge

static bool missing(struct api_call *call, const char *param)
{
	struct api_error error;

	api_fail_missing_object(&error, param, param, api_params_text(&call->params, param));
	api_refuse(call, &error);
	return false;
}

static bool find_by_intent(struct api_call *call, int64_t id, struct attempt *ret_charge)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct store *store = call->core->store;
	struct api_error error;

	if (!store_find(store, STORE_PAYMENT_INTENTS, call->merchant, id, &intent))
		return missing(call, "payment_intent");
	if (intent.attempt && store_load(store, STORE_ATTEMPTS, intent.attempt, ret_charge) &&
	    ret_charge->state == ATTEMPT_PAID)
		return true;
	api_fail(&error, 400, "payment_intent_unexpected_state", NULL,
	         intent.status == INTENT_REQUIRES_CAPTURE
	                 ? "This PaymentIntent was not captured yet. Cancel it: then the money is "
	                   "released."
	                 : "This PaymentIntent does not have a successful charge to refund.");
	api_refuse_with(call, &error, API_PAYMENT_INTENT, &intent);
	return false;
}

static bool find_by_charge(struct api_call *call, int64_t id, struct attempt *ret_charge)
{
	if (!store_find(call->core->store, STORE_ATTEMPTS, call->merchant, id, ret_charge) ||
	    ret_charge->kind != ATTEMPT_PAYMENT || ret_charge->state < ATTEMPT_SENT)
		return missing(call, "charge");
	if (ret_charge->state == ATTEMPT_PAID)
		return true;
	return fail(
	        call, "charge_not_refundable", "charge",
	        ret_charge->state == ATTEMPT_HELD
	                ? "This charge was not captured yet. Cancel its PaymentIntent: then the "
	                  "money is released."
	                : "This charge was not paid: there is nothing to give back.");
}

static bool find_charge(struct api_call *call, struct attempt *ret_charge)
{
	int64_t intent;
	int64_t charge;

	if (!api_id_named(call, "payment_intent", API_PAYMENT_INTENT, &intent) ||
	    !api_id_named(call, "charge", API_CHARGE, &charge))
		return false;
	if (!intent && !charge)
		return fail(call, "parameter_missing", "payment_intent",
		            "Send what is to be given back: payment_intent or charge.");
	if (intent && charge)
		return fail(call, "parameters_exclusive", "charge",
		            "Send either payment_intent or charge, not both.");
	return intent ? find_by_intent(call, intent, ret_charge)
	              : find_by_charge(call, charge, ret_charge);
}

// --- how much

static bool currency_fits(struct api_call *call, const struct attempt *charge)
{
	struct bytes text = api_params_text(&call->params, "currency");

	if (text.length == 0 ||
	    (text.length == 3 && strncasecmp((const char *)text.data, charge->currency, 3) == 0))
		return true;
	return fail(call, NULL, "currency", "The currency of a refund is that of its charge.");
}

static bool read_amount(struct api_call *call, const struct attempt *charge, int64_t *ret_amount)
{
	int64_t open = charge->captured - charge->refunded;
	struct api_error error;

	*ret_amount = api_params_number(&call->params, "amount", open);
	if (open == 0)
		return fail(call, "charge_already_refunded", NULL,
		            "This charge has already been refunded.");
	if (*ret_amount <= open)
		return true;
	api_fail(&error, 400, "amount_too_large", "amount",
	         "Refund amount (%lld) is greater than the unrefunded amount on the charge (%lld).",
	         (long long)*ret_amount, (long long)open);
	api_refuse(call, &error);
	return false;
}

// The bank wants the card's number, which is kept for as long as this takes (flow_card.c).
static bool still_possible(struct api_call *call, const struct attempt *charge)
{
	struct card card cleanup(card_done) = { 0 };

	if (!connections_has(call->core, charge->connection))
		return fail(call, "charge_not_refundable", NULL,
		            "The connection to the bank that took this charge was removed: the "
		            "bank cannot be asked any more.");
	if (flow_refundable_until_ms(call->core, charge) > call->core->now_ms &&
	    store_load(call->core->store, STORE_CARDS, charge->card, &card) &&
	    card.sealed_length > 0)
		return true;
	return fail(call, "charge_not_refundable", NULL,
	            "The time in which this charge could be refunded is over.");
}

static enum refund_reason read_reason(struct api_call *call)
{
	static const char *const names[] = { "", "duplicate", "fraudulent",
		                             "requested_by_customer" };

	for (int i = REFUND_DUPLICATE; i <= REFUND_REQUESTED_BY_CUSTOMER; i++)
		if (api_params_is(&call->params, "reason", names[i]))
			return (enum refund_reason)i;
	return REFUND_NO_REASON;
}

static bool merge(struct api_call *call, struct refund *refund)
{
	json_t *details = api_details_read(refund->details);
	struct api_error error;

	if (!api_params_merge(&call->params, NULL, details, &error)) {
		json_decref(details);
		api_refuse(call, &error);
		return false;
	}
	free(refund->details);
	refund->details = api_details_text(details);
	return true;
}

// --- handlers

static void answered(struct core *core, void *owner, const struct flow_outcome *outcome)
{
	struct api_call *call = owner;
	struct refund refund cleanup(refund_done) = { 0 };
	struct buffer body cleanup(buffer_done) = { 0 };

	(void)outcome;
	call->view.now_ms = core->now_ms;
	CHECK(store_load(core->store, STORE_REFUNDS, call->intent, &refund));
	buffer_init(&body, API_REPLY_MAX);
	api_render(&body, &call->view, API_REFUND, &refund, "");
	api_end(call, 200, buffer_view(&body), false);
}

// The work of an earlier request with the same key: its refund was made then.
static bool resume(struct api_call *call)
{
	struct refund refund cleanup(refund_done) = { 0 };

	if (!call->resumed || !call->intent ||
	    !store_find(call->core->store, STORE_REFUNDS, call->merchant, call->intent, &refund))
		return false;
	call->created = true;
	api_park(call, refund.id);
	flow_refund_wait(call->core, refund.id, answered, call);
	return true;
}

void api_refund_create(struct api_call *call)
{
	struct core *core = call->core;
	struct refund refund cleanup(refund_done) = { .merchant = call->merchant };
	struct attempt charge = { 0 };

	if (resume(call) || !find_charge(call, &charge) || !currency_fits(call, &charge) ||
	    !read_amount(call, &charge, &refund.amount) || !still_possible(call, &charge) ||
	    !merge(call, &refund))
		return;
	refund.id = core_next_id(core);
	refund.intent = charge.intent;
	refund.attempt = charge.id;
	refund.reason = read_reason(call);
	memcpy(refund.currency, charge.currency, sizeof(refund.currency));
	store_insert(core->store, STORE_REFUNDS, &refund);
	event_refund(core, EVENT_REFUND_CREATED, &refund);
	call->created = true;
	api_park(call, refund.id);
	CHECK(flow_refund(core, &refund, answered, call)); // all that it asks was looked at above
}

void api_refund_retrieve(struct api_call *call)
{
	struct refund refund cleanup(refund_done) = { 0 };

	if (api_find(call, &refund))
		api_answer(call, API_REFUND, &refund);
}

void api_refund_update(struct api_call *call)
{
	struct refund refund cleanup(refund_done) = { 0 };

	if (!api_find(call, &refund) || !merge(call, &refund))
		return;
	store_update(call->core->store, STORE_REFUNDS, &refund);
	event_refund(call->core, EVENT_REFUND_UPDATED, &refund);
	api_answer(call, API_REFUND, &refund);
}

void api_refund_list(struct api_call *call)
{
	int64_t intent;
	int64_t charge;

	if (!api_named(call, "payment_intent", API_PAYMENT_INTENT, &intent) ||
	    !api_named(call, "charge", API_CHARGE, &charge))
		return;
	struct api_list list = { STORE_LIST_REFUNDS, STORE_LIST_REFUNDS_UP, STORE_N(intent),
		                 STORE_N(charge), charge ? charge : intent };
	api_answer_list(call, &list);
}

void api_charge_refunds(struct api_call *call)
{
	struct attempt charge = { 0 };

	if (!api_find(call, &charge))
		return;
	struct api_list list = { STORE_LIST_REFUNDS, STORE_LIST_REFUNDS_UP, STORE_N(0),
		                 STORE_N(charge.id), charge.id };
	api_answer_list(call, &list);
}
