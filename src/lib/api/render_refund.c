// Refunds, and the list of them that a charge shows when it is asked to.
#include "api/fields.h"

static const struct refund *refund(const struct render *render)
{
	return render->object;
}

static void put_amount(struct render *render)
{
	api_json_number(&render->json, render->name, refund(render)->amount);
}

static void put_charge(struct render *render)
{
	put_reference(render, API_CHARGE, refund(render)->attempt);
}

static void put_currency(struct render *render)
{
	api_json_text(&render->json, render->name, refund(render)->currency);
}

static void put_customer(struct render *render)
{
	put_reference(render, API_CUSTOMER, render->attempt.customer);
}

static void put_method(struct render *render)
{
	put_reference(render, API_CARD, render->attempt.card);
}

static void put_intent(struct render *render)
{
	put_reference(render, API_PAYMENT_INTENT, refund(render)->intent);
}

static void put_destination(struct render *render)
{
	api_json_raw(&render->json, render->name,
	             "{\"card\":{\"type\":\"refund\"},\"type\":\"card\"}");
}

// Why a refund failed is shown as the bank's refusal; a person may have found it out, too.
static void put_failure(struct render *render)
{
	const struct refund *of = refund(render);

	if (of->status != REFUND_FAILED)
		return;
	api_json_text(&render->json, render->name, of->decline_code[0] ? "declined" : "unknown");
}

static void put_pending(struct render *render)
{
	if (refund(render)->status == REFUND_PENDING)
		api_json_text(&render->json, render->name, "processing");
}

static void put_reason(struct render *render)
{
	static const char *const names[] = { NULL, "duplicate", "fraudulent",
		                             "requested_by_customer" };

	api_json_text_or_null(&render->json, render->name, names[refund(render)->reason]);
}

static void put_status(struct render *render)
{
	static const char *const names[] = { "pending", "succeeded", "failed" };

	api_json_text(&render->json, render->name, names[refund(render)->status]);
}

static void put_if_said(struct render *render)
{
	if (detail_text(render, render->name))
		api_json_text(&render->json, render->name, detail_text(render, render->name));
}

static const struct field refund_fields[] = {
	PUT("id", put_id),
	CONSTANT("object", "\"refund\""),
	PUT("amount", put_amount),
	CONSTANT("balance_transaction", "null"),
	PUT("charge", put_charge),
	PUT("created", put_created),
	PUT("currency", put_currency),
	PUT("customer", put_customer),
	CONSTANT("customer_account", "null"),
	PUT("destination_details", put_destination),
	PUT("failure_reason", put_failure),
	PUT("instructions_email", put_if_said),
	DETAIL("metadata", "{}"),
	PUT("payment_intent", put_intent),
	PUT("payment_method", put_method),
	PUT("pending_reason", put_pending),
	PUT("reason", put_reason),
	CONSTANT("receipt_number", "null"),
	CONSTANT("source_transfer_reversal", "null"),
	PUT("status", put_status),
	CONSTANT("transfer_reversal", "null"),
	FIELDS_END,
};

const struct object_kind refund_kind = { "refund", API_ID_REFUND, refund_fields };

// The newest, as in the list of which this is the first page; only when asked for, as the clients
// expect.
void put_charge_refunds(struct render *render)
{
	enum { SHOWN = 10 };
	const struct api_view *view = render->view;
	struct refund refunds[SHOWN + 1] = { 0 };

	if (!is_expanded(render))
		return;
	size_t count =
	        view->refunds ? view->refunds(view->owner, render->id, refunds, SHOWN + 1) : 0;
	put_list_open(render);
	for (size_t i = 0; i < count; i++) {
		if (i < SHOWN)
			put_element(render, API_REFUND, &refunds[i]);
		refund_done(&refunds[i]);
	}
	put_list_close(render, count > SHOWN, "/v1/charges", "refunds");
}
