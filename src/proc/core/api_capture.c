// What ends a PaymentIntent besides its confirm: taking what it holds, in full or in part, once
// (what is left is released as the connection's bank wants it, lib/domain/payment.c), and
// cancelling it.
#include "core/api.h"

#include "core/event.h"

const struct api_param api_payment_capture_params[] = {
	{ "amount_to_capture", API_NUMBER, 0, 1, 99999999, NULL },
	{ "final_capture", API_FLAG, 0, 0, 0, NULL },
	{ "metadata", API_METADATA, API_STORED, 0, 0, NULL },
	{ "statement_descriptor", API_TEXT, API_STORED, 0, 22, NULL },
	{ "statement_descriptor_suffix", API_TEXT, API_STORED, 0, 22, NULL },
	API_DETAILS_PARAMS,
	API_NONE_OF("hooks", NULL),
	API_NOT_HERE("application_fee_amount", NULL),
	API_NONE_OF("transfer_data", NULL),
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

const struct api_param api_payment_cancel_params[] = {
	{ "cancellation_reason", API_CHOICE, 0, 0, 0,
	  "abandoned duplicate fraudulent requested_by_customer" },
	{ NULL, API_TEXT, 0, 0, 0, NULL },
};

// --- capture

static bool refuse(struct api_call *call, const struct payment_intent *intent,
                   const struct api_error *error)
{
	api_refuse_with(call, error, API_PAYMENT_INTENT, intent);
	return false;
}

static bool can_be_captured(struct api_call *call, const struct payment_intent *intent)
{
	struct attempt attempt = { 0 };
	struct api_error error;

	if (intent->status != INTENT_REQUIRES_CAPTURE) {
		api_fail(&error, 400, "payment_intent_unexpected_state", NULL,
		         "This PaymentIntent could not be captured because it has a status of %s. "
		         "Only a PaymentIntent with the status requires_capture may be captured.",
		         api_intent_status_name(intent->status));
		return refuse(call, intent, &error);
	}
	if (store_load(call->core->store, STORE_ATTEMPTS, intent->attempt, &attempt) &&
	    attempt.deadline_ms > call->core->now_ms)
		return true;
	api_fail(&error, 400, "capture_charge_authorization_expired", NULL,
	         "The authorization of this PaymentIntent has expired.");
	return refuse(call, intent, &error);
}

static bool amount_fits(struct api_call *call, const struct payment_intent *intent,
                        int64_t *ret_amount)
{
	struct api_error error;

	*ret_amount = api_params_number(&call->params, "amount_to_capture", intent->capturable);
	if (!api_params_flag(&call->params, "final_capture", true)) {
		api_fail(&error, 400, NULL, "final_capture",
		         "A payment is captured once: what is left is released.");
		api_refuse(call, &error);
		return false;
	}
	if (*ret_amount <= intent->capturable)
		return true;
	api_fail(&error, 400, "amount_too_large", "amount_to_capture",
	         "The amount to capture (%lld) is greater than the amount that can be captured "
	         "(%lld).",
	         (long long)*ret_amount, (long long)intent->capturable);
	return refuse(call, intent, &error);
}

void api_payment_capture(struct api_call *call)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };
	struct core *core = call->core;
	int64_t amount;

	if (!api_find(call, &intent) || !can_be_captured(call, &intent) ||
	    !amount_fits(call, &intent, &amount) || !api_payment_merge(call, &intent))
		return;
	int64_t id = intent.id;
	store_update(core->store, STORE_PAYMENT_INTENTS, &intent);
	flow_capture(core, intent.attempt, amount);
	payment_intent_done(&intent);
	if (store_load(core->store, STORE_PAYMENT_INTENTS, id, &intent))
		api_answer(call, API_PAYMENT_INTENT, &intent);
}

// --- cancel

static bool can_be_cancelled(struct api_call *call, const struct payment_intent *intent)
{
	struct api_error error;

	if (intent->status <= INTENT_REQUIRES_ACTION || intent->status == INTENT_REQUIRES_CAPTURE)
		return true;
	api_fail(&error, 400, "payment_intent_unexpected_state", NULL,
	         "You cannot cancel this PaymentIntent because it has a status of %s. Only a "
	         "PaymentIntent with one of the following statuses may be canceled: "
	         "requires_payment_method, requires_capture, requires_confirmation, "
	         "requires_action.",
	         api_intent_status_name(intent->status));
	return refuse(call, intent, &error);
}

// Ends what runs, and the intent. A hold goes back in this commit: the flow writes the intent then,
// with its events.
static void take_back(struct core *core, struct payment_intent *intent, enum cancel_reason reason)
{
	int64_t id = intent->id;

	intent->canceled = reason;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	if (intent->attempt) {
		flow_cancel(core, intent->attempt);
		payment_intent_done(intent);
		if (!store_load(core->store, STORE_PAYMENT_INTENTS, id, intent) ||
		    intent->status == INTENT_CANCELED)
			return;
	}
	intent->status = INTENT_CANCELED;
	intent->canceled_ms = core->now_ms;
	intent->capturable = 0;
	store_update(core->store, STORE_PAYMENT_INTENTS, intent);
	event_payment_intent(core, EVENT_PAYMENT_INTENT_CANCELED, intent);
	pages_changed(core, id);
}

void api_payment_abandon(struct core *core, int64_t id)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (store_load(core->store, STORE_PAYMENT_INTENTS, id, &intent) &&
	    intent.status <= INTENT_REQUIRES_ACTION)
		take_back(core, &intent, CANCEL_ABANDONED);
}

void api_payment_cancel(struct api_call *call)
{
	struct payment_intent intent cleanup(payment_intent_done) = { 0 };

	if (!api_find(call, &intent) || !can_be_cancelled(call, &intent))
		return;
	// A session that ended with the hold has nothing to say any more.
	if (intent.status != INTENT_REQUIRES_CAPTURE && api_payment_of_session(call, &intent))
		return;
	take_back(call->core, &intent, api_cancel_reason(call));
	api_answer(call, API_PAYMENT_INTENT, &intent);
}
