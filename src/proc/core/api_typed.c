// A card that a shopper typed and their browser encrypted for one intent: where a request brings
// it, what it says about it, and the start of its link. SetupIntents and PaymentIntents share it.
#include "core/api.h"

#include <stdlib.h>

static const char by_name[] = "payment_method_data[card][encrypted]";
static const char as_token[] = "payment_method_data[card][token]"; // typed clients can write it

bool api_typed_card(struct api_call *call, struct bytes *ret_jwe)
{
	struct bytes encrypted = api_params_text(&call->params, by_name);
	struct bytes token = api_params_text(&call->params, as_token);
	bool named = api_params_has(&call->params, "payment_method");
	struct api_error error;

	*ret_jwe = encrypted.length ? encrypted : token;
	if (ret_jwe->length == 0 || !(named || (encrypted.length && token.length)))
		return true;
	api_fail(&error, 400, "parameters_exclusive", "payment_method_data",
	         "Send only one of payment_method, payment_method_data[card][encrypted] and "
	         "payment_method_data[card][token].");
	api_refuse(call, &error);
	return false;
}

bool api_may_not_be_typed(struct api_call *call, struct bytes jwe)
{
	struct api_error error;

	if (jwe.length == 0)
		return true;
	api_fail(&error, 400, NULL, "payment_method_data",
	         "A browser encrypts a card for the id of an intent, so the intent comes first: "
	         "create it without the card, encrypt the card for its id, then confirm it with "
	         "payment_method_data[card][encrypted].");
	api_refuse(call, &error);
	return false;
}

char *api_card_details(struct api_call *call)
{
	json_t *data = json_object();
	struct api_error error;
	char *text = NULL;

	if (api_params_merge(&call->params, "payment_method_data", data, &error) &&
	    json_object_size(data))
		text = json_dumps(data, JSON_COMPACT);
	json_decref(data);
	return text;
}

// The shopper's address, for the guards: the browser's own when it calls, else what the shop says.
static void shopper_address(const struct api_call *call, char *ret_address, size_t capacity)
{
	struct bytes said = api_params_text(
	        &call->params, "mandate_data[customer_acceptance][online][ip_address]");

	bytes_copy_text(call->shopper ? call->request->peer : said, ret_address, capacity);
}

void api_link(struct api_call *call, struct flow_link_start start, flow_done *done)
{
	char *details cleanup(cleanup_free) = api_card_details(call);
	char address[46];

	shopper_address(call, address, sizeof(address));
	start.address = address;
	start.card_details = details;
	start.unproven = call->shopper;
	api_park(call, start.intent);
	flow_link(call->core, &start, done, call);
}
