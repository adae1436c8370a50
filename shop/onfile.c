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

// A sentence may be a text, or an object with one text for each language.
static const char *sentence(const json_t *from, const char *name, const char *language)
{
	const json_t *value = json_object_get(from, name);

	return json_is_object(value) ? json_string_value(json_object_get(value, language))
	                             : json_string_value(value);
}

static void copy(json_t *to, const char *name, const char *text)
{
	if (text)
		json_object_set_new(to, name, json_string(text));
}

static const char *first(const char *a, const char *b)
{
	return a ? a : b;
}

json_t *shop_onfile_error(const json_t *error, const char *language)
{
	const json_t *advice = json_object_get(error, "advice");
	const json_t *at = json_object_get(advice, "at");
	json_t *shown = json_object();

	// `message` is written for developers unless user_message or the advice is missing and the
	// error is the card's: then the field's convention is that shoppers may read it.
	const char *type = shop_json_text(error, "type", NULL);
	const char *message = first(sentence(advice, "message", language),
	                            json_string_value(json_object_get(error, "user_message")));
	if (!message && type && strcmp(type, "card_error") == 0)
		message = json_string_value(json_object_get(error, "message"));
	copy(shown, "message", message);
	copy(shown, "title", sentence(advice, "title", language));
	copy(shown, "who", json_string_value(json_object_get(advice, "who")));
	copy(shown, "again", json_string_value(json_object_get(advice, "again")));
	copy(shown, "reference", json_string_value(json_object_get(advice, "reference")));
	if (json_is_integer(at))
		json_object_set(shown, "at", (json_t *)at);
	return shown;
}

void shop_reply_onfile(struct shop_turn *turn, const struct shop_answer *answer)
{
	const json_t *error = json_object_get(answer->body, "error");

	log_event(LOG_WARN, "onfile_refused", LOG_NUMBER("status", answer->status));
	if (answer->status == 402 || answer->status == 429)
		shop_reply_error(turn, answer->status, "card",
		                 shop_onfile_error(error, turn->language));
	else if (answer->status == 404)
		shop_reply_error(turn, 404, "not_found", NULL);
	else if (answer->status == 0 || answer->status >= 500)
		shop_reply_error(turn, 502, "onfile_away", NULL);
	else
		shop_reply_error(turn, 502, "our_fault", shop_onfile_error(error, turn->language));
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
