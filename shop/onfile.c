// The shop as a merchant of onfile: every call goes through the public API with the secret key, and
// a refusal becomes what the page shows: onfile's own sentence and reference code, never raw text.
#include "shop.h"

#include "base/check.h"
#include "base/log.h"
#include "http/form.h"

#include <ctype.h>
#include <stdio.h>

void shop_onfile(struct shop *shop, const char *method, const char *path, struct bytes form,
                 const char *idempotency, const char *language, shop_answered *done, void *context)
{
	char url[512];
	int length = snprintf(url, sizeof url, "%s%s", shop->settings.onfile_url, path);

	CHECK(length > 0 && (size_t)length < sizeof url);
	shop_client_send(shop->client, &(struct shop_call){ .method = method,
	                                                    .url = url,
	                                                    .form = form,
	                                                    .bearer = shop->settings.secret_key,
	                                                    .idempotency = idempotency,
	                                                    .language = language,
	                                                    .timeout_ms = shop->settings.timeout_ms,
	                                                    .done = done,
	                                                    .context = context });
}

bool shop_is_id(struct bytes id)
{
	for (size_t i = 0; i < id.length; i++)
		if (id.data[i] >= 0x80 ||
		    (!isalnum(id.data[i]) && id.data[i] != '_' && id.data[i] != '-'))
			return false;
	return id.length > 0 && id.length < SHOP_ID_TEXT;
}

static void copy(json_t *to, const char *name, const json_t *from)
{
	if (from && !json_is_null(from))
		json_object_set(to, name, (json_t *)from);
}

// Sentences are kept in both languages, since an order is looked at later, perhaps in the other
// one.
json_t *shop_onfile_error(const json_t *error)
{
	static const char *const names[] = {
		"messages", "titles", "who", "again", "at", "reference"
	};
	const json_t *advice = json_object_get(error, "advice");
	json_t *shown = json_object();

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		copy(shown, names[i], json_object_get(advice, names[i]));
	// Without advice the shopper's sentence is user_message; `message` is for developers.
	if (!json_object_get(shown, "messages"))
		copy(shown, "message", json_object_get(error, "user_message"));
	return shown;
}

void shop_reply_onfile(struct shop_turn *turn, const struct shop_answer *answer)
{
	const json_t *error = json_object_get(answer->body, "error");

	log_event(LOG_WARN, "onfile_refused", LOG_NUMBER("status", answer->status));
	if (answer->status == 402 || answer->status == 429)
		shop_reply_error(turn, answer->status, "card", shop_onfile_error(error));
	else if (answer->status == 404)
		shop_reply_error(turn, 404, "not_found", NULL);
	else if (answer->status == 0 || answer->status >= 500)
		shop_reply_error(turn, 502, "onfile_away", NULL);
	else
		shop_reply_error(turn, 502, "our_fault", shop_onfile_error(error));
}

static void customer_made(void *context, const struct shop_answer *answer)
{
	struct shop_turn *turn = context;
	const char *id = shop_json_text(answer->body, "id", NULL);

	if (answer->status != 200 || !id || !shop_is_id(bytes_text(id))) {
		shop_reply_onfile(turn, answer);
		return;
	}
	// The account may have changed (its name, its language) while the call was out.
	struct result result =
	        shop_account_get(turn->shop->data, turn->account.row, &turn->account);
	if (result_ok(result)) {
		(void)bytes_copy_text(bytes_text(id), turn->account.customer,
		                      sizeof turn->account.customer);
		result = shop_account_change(turn->shop->data, &turn->account);
	}
	if (result_ok(result))
		turn->then(turn);
	else
		shop_reply_broken(turn, result);
}

void shop_with_customer(struct shop_turn *turn, void (*then)(struct shop_turn *turn))
{
	struct buffer form;
	char key[96];

	turn->then = then;
	if (turn->account.customer[0]) {
		then(turn);
		return;
	}
	buffer_init(&form, 2048);
	http_form_put_text(&form, "phone", turn->account.phone);
	http_form_put_text(&form, "metadata[account]", turn->account.public);
	// One customer for an account, whatever is cut or repeated: the body holds nothing that can
	// change between two tries.
	(void)snprintf(key, sizeof key, "soyka-account-%s", turn->account.public);
	shop_onfile(turn->shop, "POST", "/v1/customers", buffer_view(&form), key, turn->language,
	            customer_made, turn);
	buffer_done(&form);
}
