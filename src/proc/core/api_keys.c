// What Stripe does not have: the keys that cards are encrypted for, and the story of an attempt for
// support.
#include "core/api.h"

#include <ctype.h>
#include <stdlib.h>

void api_card_keys(struct api_call *call)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	const char *keys = call->core->card_keys;
	struct api_error error;

	buffer_init(&body, API_REPLY_MAX);
	if (!keys || keys[0] != '{') {
		api_fail(&error, 503, NULL, NULL, "The keys are not there yet. Try again shortly.");
		error.type = "api_error";
		api_refuse(call, &error);
		return;
	}
	buffer_printf(&body, "{\"object\":\"card_keys\",\"now\":%lld,",
	              (long long)(call->core->now_ms / 1000));
	buffer_put_text(&body, keys + 1);
	api_answer_text(call, 200, buffer_view(&body));
}

// --- the story of an attempt

// Codes are read out on the telephone: upper case, the dash may be missing, and what sounds or
// looks like another sign is taken for it (Crockford's base 32).
static void normalize(struct bytes word, char *ret_code, size_t capacity)
{
	size_t length = 0;

	for (size_t i = 0; i < word.length && length + 2 < capacity; i++) {
		int letter = toupper(word.data[i]);
		if (letter == '-' || letter == ' ')
			continue;
		if (length == 4)
			ret_code[length++] = '-';
		ret_code[length++] = (char)(letter == 'O'                    ? '0'
		                            : letter == 'I' || letter == 'L' ? '1'
		                                                             : letter);
	}
	ret_code[length] = '\0';
}

static bool find_attempt(struct api_call *call, const char *code, struct attempt *attempt)
{
	int64_t id = store_one_number(call->core->store, STORE_CODE_FIND, 0, STORE_T(code));

	return id && store_find(call->core->store, STORE_ATTEMPTS, call->merchant, id, attempt);
}

static void put_id(struct api_json *json, const struct api_call *call, const char *name,
                   enum api_id_kind kind, int64_t row)
{
	char id[API_ID_CAPACITY] = "";

	if (row)
		api_id_make(call->core->id_key, kind, row, id);
	api_json_text_or_null(json, name, id);
}

static void put_steps(struct api_json *json, struct api_call *call, int64_t attempt)
{
	struct store_query query = store_ask(call->core->store, STORE_STEP_LIST, STORE_N(attempt));

	api_json_open(json, "steps", '[');
	while (store_step(&query)) {
		api_json_open(json, NULL, '{');
		api_json_number(json, "at", store_number(&query, 0) / 1000);
		api_json_bytes(json, "text", store_bytes(&query, 1));
		api_json_close(json, '}');
	}
	api_json_close(json, ']');
	store_end(&query);
}

static void put_story(struct buffer *body, struct api_call *call, const struct attempt *attempt,
                      const char *code)
{
	struct api_json json = api_json_on(body);
	bool link = attempt->kind == ATTEMPT_LINK;
	bool pays = !link || attempt->flags & ATTEMPT_FOR_PAYMENT;

	api_json_open(&json, NULL, '{');
	api_json_text(&json, "object", "card_link");
	api_json_text(&json, "reference", code);
	api_json_number(&json, "created", core_id_ms(attempt->id) / 1000);
	api_json_text(&json, "kind", link ? "link" : "payment");
	put_id(&json, call, "customer", API_ID_CUSTOMER, attempt->customer);
	put_id(&json, call, "payment_method", API_ID_PAYMENT_METHOD, attempt->card);
	put_id(&json, call, "setup_intent", API_ID_SETUP_INTENT, pays ? 0 : attempt->intent);
	put_id(&json, call, "payment_intent", API_ID_PAYMENT_INTENT, pays ? attempt->intent : 0);
	api_json_text_or_null(&json, "problem",
	                      attempt->problem ? problem_row(attempt->problem)->name : NULL);
	api_json_text_or_null(&json, "decline_code", attempt->decline_code);
	api_json_text_or_null(&json, "response_code", attempt->response_code);
	put_steps(&json, call, attempt->id);
	api_json_close(&json, '}');
}

void api_card_link(struct api_call *call)
{
	struct buffer body cleanup(buffer_done) = { 0 };
	struct attempt attempt;
	struct api_error error;
	char code[24];

	buffer_init(&body, API_REPLY_MAX);
	normalize(call->words[0], code, sizeof(code));
	if (find_attempt(call, code, &attempt)) {
		put_story(&body, call, &attempt, code);
		api_answer_text(call, 200, buffer_view(&body));
		return;
	}
	api_fail_missing_object(&error, "card_link", "reference", call->words[0]);
	api_refuse(call, &error);
}
