// Making an event really happen: the calls of the API that lead to it, as a merchant's server would
// make them, in test mode. Each call is said, and at the end the event is looked for.
#include "desk.h"

#include "base/bytes.h"
#include "base/cleanup.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_MAX = 4, ID_MAX = 80, TEXT_MAX = 1024, ANSWER_MAX = 1024 * 1024, TIMEOUT_S = 60 };

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

struct step {
	const char *method, *path, *form; // %1 … %4: the id that this step answered; %u: the
	                                  // customer, %c: their card
	bool refused;                     // it is meant to be
};

// The card that a recipe needs: none, one on file, or one that the bank declines.
enum card { NO_CARD, A_CARD, A_DECLINED_CARD };

struct recipe {
	const char *event;
	enum card card;
	struct step steps[STEPS_MAX];
};

#define MAKE_CUSTOMER                                                                              \
	{                                                                                          \
		"POST", "/v1/customers", "name=Trigger"                                            \
	}
#define ATTACH                                                                                     \
	{                                                                                          \
		"POST", "/v1/payment_methods/pm_card_visa/attach", "customer=%1"                   \
	}
#define PAY(more)                                                                                  \
	{                                                                                          \
		"POST", "/v1/payment_intents",                                                     \
		        "amount=2000&currency=rub&customer=%u&payment_method=%c&confirm=true" more \
	}
#define SESSION                                                                                    \
	{                                                                                          \
		"POST", "/v1/checkout/sessions",                                                   \
		        "mode=setup&currency=rub&customer=%1&success_url=https://example.com/"     \
	}

static const struct recipe recipes[] = {
	{ "customer.created", NO_CARD, { MAKE_CUSTOMER } },
	{ "customer.updated",
	  NO_CARD,
	  { MAKE_CUSTOMER, { "POST", "/v1/customers/%1", "name=Two" } } },
	{ "customer.deleted", NO_CARD, { MAKE_CUSTOMER, { "DELETE", "/v1/customers/%1", "" } } },
	{ "setup_intent.created",
	  NO_CARD,
	  { MAKE_CUSTOMER, { "POST", "/v1/setup_intents", "customer=%1" } } },
	{ "setup_intent.canceled",
	  NO_CARD,
	  { MAKE_CUSTOMER,
	    { "POST", "/v1/setup_intents", "customer=%1" },
	    { "POST", "/v1/setup_intents/%2/cancel", "" } } },
	{ "setup_intent.succeeded",
	  A_CARD,
	  { { "POST", "/v1/setup_intents", "customer=%u&payment_method=%c&confirm=true" } } },
	{ "setup_intent.requires_action",
	  NO_CARD,
	  { MAKE_CUSTOMER,
	    { "POST", "/v1/setup_intents",
	      "customer=%1&payment_method=pm_card_authenticationRequired&confirm=true" } } },
	{ "setup_intent.setup_failed",
	  NO_CARD,
	  { MAKE_CUSTOMER,
	    { "POST", "/v1/setup_intents",
	      "customer=%1&payment_method=pm_card_chargeDeclined&confirm=true", true } } },
	{ "payment_method.attached", NO_CARD, { MAKE_CUSTOMER, ATTACH } },
	{ "payment_method.detached",
	  NO_CARD,
	  { MAKE_CUSTOMER, ATTACH, { "POST", "/v1/payment_methods/%2/detach", "" } } },
	{ "payment_method.updated",
	  A_CARD,
	  { { "POST", "/v1/payment_methods/%c", "metadata[trigger]=yes" } } },
	{ "payment_intent.created",
	  NO_CARD,
	  { { "POST", "/v1/payment_intents", "amount=2000&currency=rub" } } },
	{ "payment_intent.canceled",
	  NO_CARD,
	  { { "POST", "/v1/payment_intents", "amount=2000&currency=rub" },
	    { "POST", "/v1/payment_intents/%1/cancel", "" } } },
	{ "payment_intent.requires_action",
	  NO_CARD,
	  { { "POST", "/v1/payment_intents",
	      "amount=2000&currency=rub&payment_method=pm_card_authenticationRequired"
	      "&confirm=true" } } },
	{ "payment_intent.succeeded", A_CARD, { PAY("") } },
	{ "charge.succeeded", A_CARD, { PAY("") } },
	{ "payment_intent.amount_capturable_updated", A_CARD, { PAY("&capture_method=manual") } },
	{ "charge.captured",
	  A_CARD,
	  { PAY("&capture_method=manual"), { "POST", "/v1/payment_intents/%1/capture", "" } } },
	{ "charge.refunded", A_CARD, { PAY(""), { "POST", "/v1/refunds", "payment_intent=%1" } } },
	{ "refund.created", A_CARD, { PAY(""), { "POST", "/v1/refunds", "payment_intent=%1" } } },
	{ "refund.updated", A_CARD, { PAY(""), { "POST", "/v1/refunds", "payment_intent=%1" } } },
	{ "payment_intent.payment_failed",
	  A_DECLINED_CARD,
	  { { "POST", "/v1/payment_intents",
	      "amount=2000&currency=rub&customer=%u&payment_method=%c&confirm=true", true } } },
	{ "charge.failed",
	  A_DECLINED_CARD,
	  { { "POST", "/v1/payment_intents",
	      "amount=2000&currency=rub&customer=%u&payment_method=%c&confirm=true", true } } },
	{ "checkout.session.expired",
	  NO_CARD,
	  { MAKE_CUSTOMER, SESSION, { "POST", "/v1/checkout/sessions/%2/expire", "" } } },
};

// What only a shopper can make happen, on the page that we open for them.
static const char *const of_shoppers[] = { "checkout.session.completed" };

struct trigger {
	const char *api, *key;
	char customer[ID_MAX], card[ID_MAX];
	char ids[STEPS_MAX][ID_MAX];
};

struct answer {
	long status;
	json_t *json;
	char text[ANSWER_MAX];
	size_t length;
};

// --- calls

static size_t take(char *data, size_t size, size_t count, void *owner)
{
	struct answer *answer = owner;
	size_t length = size * count;

	if (length > sizeof(answer->text) - answer->length)
		return 0;
	memcpy(answer->text + answer->length, data, length);
	answer->length += length;
	return length;
}

static bool perform(const struct trigger *trigger, const struct step *step, const char *url,
                    struct answer *answer)
{
	CURL *easy = curl_easy_init();
	char user[TEXT_MAX];

	if (!easy)
		return false;
	snprintf(user, sizeof(user), "%s:", trigger->key);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
	curl_easy_setopt(easy, CURLOPT_USERPWD, user);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, step->method);
	if (strcmp(step->method, "POST") == 0)
		curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, step->form);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
	CURLcode code = curl_easy_perform(easy);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &answer->status);
	if (code != CURLE_OK)
		desk_fail("%s cannot be reached: %s", url, curl_easy_strerror(code));
	curl_easy_cleanup(easy);
	return code == CURLE_OK;
}

// The answer as JSON, NULL when there was none; *ret_status is HTTP's.
static json_t *call(const struct trigger *trigger, const struct step *step, long *ret_status)
{
	struct answer *answer cleanup(cleanup_free) = calloc(1, sizeof(*answer));
	char url[2 * TEXT_MAX];

	*ret_status = 0;
	snprintf(url, sizeof(url), "%s%s", trigger->api, step->path);
	if (!answer || !perform(trigger, step, url, answer))
		return NULL;
	*ret_status = answer->status;
	return json_loadb(answer->text, answer->length, 0, NULL);
}

static const char *text_of(const json_t *json, const char *name)
{
	const char *text = json_string_value(json_object_get(json, name));

	return text ? text : "";
}

static json_t *get(const struct trigger *trigger, const char *path)
{
	long status;
	json_t *json = call(trigger, &(struct step){ "GET", path, "" }, &status);

	if (status == 200)
		return json;
	json_decref(json);
	return NULL;
}

// --- a card

static bool first_card(struct trigger *trigger, const char *customer)
{
	char path[TEXT_MAX];

	snprintf(path, sizeof(path), "/v1/customers/%s/payment_methods?limit=1", customer);
	json_t *list cleanup(cleanup_json) = get(trigger, path);
	const json_t *card = json_array_get(json_object_get(list, "data"), 0);
	if (!card)
		return false;
	snprintf(trigger->customer, sizeof(trigger->customer), "%s", customer);
	snprintf(trigger->card, sizeof(trigger->card), "%s", text_of(card, "id"));
	return true;
}

static bool any_card(struct trigger *trigger)
{
	json_t *list cleanup(cleanup_json) = get(trigger, "/v1/customers?limit=100");
	size_t index;
	json_t *customer;

	json_array_foreach(json_object_get(list, "data"), index,
	                   customer) if (first_card(trigger, text_of(customer, "id"))) return true;
	return false;
}

// The card of a test token, on a customer of its own.
static bool token_card(struct trigger *trigger, const char *token)
{
	char path[TEXT_MAX];
	char form[TEXT_MAX];
	long status;
	json_t *customer cleanup(cleanup_json) =
	        call(trigger, &(struct step)MAKE_CUSTOMER, &status);

	snprintf(path, sizeof(path), "/v1/payment_methods/%s/attach", token);
	snprintf(form, sizeof(form), "customer=%s", text_of(customer, "id"));
	json_t *card cleanup(cleanup_json) =
	        call(trigger, &(struct step){ "POST", path, form }, &status);
	if (status != 200)
		return false;
	snprintf(trigger->customer, sizeof(trigger->customer), "%s", text_of(customer, "id"));
	snprintf(trigger->card, sizeof(trigger->card), "%s", text_of(card, "id"));
	printf("POST /v1/customers -> %s\nPOST %s -> %s\n", trigger->customer, path, trigger->card);
	return true;
}

static void show_page(struct trigger *trigger)
{
	static const struct step steps[] = { MAKE_CUSTOMER, SESSION };
	char form[TEXT_MAX];
	long status;
	json_t *customer cleanup(cleanup_json) = call(trigger, &steps[0], &status);

	snprintf(form, sizeof(form),
	         "mode=setup&currency=rub&customer=%s&success_url=https://example.com/",
	         text_of(customer, "id"));
	json_t *session cleanup(cleanup_json) =
	        call(trigger, &(struct step){ "POST", "/v1/checkout/sessions", form }, &status);
	if (status == 200)
		printf("POST /v1/customers -> %s\nPOST /v1/checkout/sessions -> %s\n"
		       "Open this page and be the shopper: %s\n",
		       text_of(customer, "id"), text_of(session, "id"), text_of(session, "url"));
}

static bool find_card(struct trigger *trigger, enum card kind, const char *customer)
{
	if (kind == NO_CARD)
		return true;
	if (customer[0]) {
		if (first_card(trigger, customer))
			return true;
		desk_fail("%s has no card on file, or is no customer of this key's", customer);
		return false;
	}
	if (kind == A_DECLINED_CARD) {
		if (token_card(trigger, "pm_card_chargeCustomerFail"))
			return true;
		desk_fail("this event needs a card that its bank declines: link one on the page "
		          "and name its customer with --customer");
		show_page(trigger);
		return false;
	}
	if (token_card(trigger, "pm_card_visa") || any_card(trigger))
		return true;
	desk_fail("no customer has a card on file yet: link one on the page, then trigger again");
	show_page(trigger);
	return false;
}

// --- the steps

static void fill_in(const struct trigger *trigger, const char *template, char *ret_text,
                    size_t capacity)
{
	size_t length = 0;

	ret_text[0] = '\0';
	for (const char *c = template; *c && length + ID_MAX < capacity; c++) {
		const char *value = NULL;
		if (c[0] == '%' && c[1] >= '1' && c[1] < '1' + STEPS_MAX)
			value = trigger->ids[c[1] - '1'];
		else if (c[0] == '%' && (c[1] == 'u' || c[1] == 'c'))
			value = c[1] == 'u' ? trigger->customer : trigger->card;
		if (value) {
			length +=
			        (size_t)snprintf(ret_text + length, capacity - length, "%s", value);
			c++;
		} else {
			ret_text[length++] = *c;
			ret_text[length] = '\0';
		}
	}
}

static bool take_step(struct trigger *trigger, const struct step *template, int number)
{
	char path[TEXT_MAX];
	char form[TEXT_MAX];
	long status;

	fill_in(trigger, template->path, path, sizeof(path));
	fill_in(trigger, template->form, form, sizeof(form));
	json_t *json cleanup(cleanup_json) =
	        call(trigger, &(struct step){ template->method, path, form }, &status);
	const json_t *error = json_object_get(json, "error");
	const char *id = text_of(json, "id");
	printf("%s %s %s -> %ld %s\n", template->method, path, form, status,
	       error ? text_of(error, "message") : id);
	if (json_is_true(json_object_get(json, "livemode"))) {
		desk_fail("the server is in live mode");
		return false;
	}
	snprintf(trigger->ids[number], ID_MAX, "%s", id);
	return status == 200 || (template->refused && status == 402);
}

// The newest event of this name since we began.
static int look_for(struct trigger *trigger, const char *event, time_t began)
{
	const struct timespec pause = { 0, 100 * 1000 * 1000 };
	char path[TEXT_MAX];

	snprintf(path, sizeof(path), "/v1/events?limit=1&type=%s&created[gte]=%lld", event,
	         (long long)began - 1);
	// A refund or a capture may take its bank a moment.
	for (int i = 0; i < 100; i++) {
		json_t *list cleanup(cleanup_json) = get(trigger, path);
		const json_t *found = json_array_get(json_object_get(list, "data"), 0);
		if (found) {
			printf("%s happened: %s\n", event, text_of(found, "id"));
			return 0;
		}
		nanosleep(&pause, NULL);
	}
	return desk_fail("the calls were made, but %s did not happen", event);
}

static int run(struct trigger *trigger, const struct recipe *recipe, const char *customer)
{
	time_t began = time(NULL);

	if (!find_card(trigger, recipe->card, customer))
		return 1;
	for (int i = 0; i < STEPS_MAX && recipe->steps[i].method; i++)
		if (!take_step(trigger, &recipe->steps[i], i))
			return desk_fail("%s did not happen", recipe->event);
	return look_for(trigger, recipe->event, began);
}

static int unknown(const char *event)
{
	desk_fail("`onfile trigger` cannot make %s happen; it can:", event);
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
		(void)fprintf(stderr, "  %s\n", recipes[i].event);
	(void)fprintf(stderr, "and with a shopper on the page that it opens:\n");
	for (size_t i = 0; i < sizeof(of_shoppers) / sizeof(of_shoppers[0]); i++)
		(void)fprintf(stderr, "  %s\n", of_shoppers[i]);
	return 1;
}

int desk_trigger(const char *api, const char *event, const char *customer)
{
	struct trigger trigger = { .api = api, .key = getenv("ONFILE_API_KEY") };

	if (!trigger.key || strncmp(trigger.key, "sk_test_", 8) != 0)
		return desk_fail("a secret key of test mode is needed: --key sk_test_…, or "
		                 "ONFILE_API_KEY in the environment");
	for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++)
		if (strcmp(recipes[i].event, event) == 0)
			return run(&trigger, &recipes[i], customer);
	for (size_t i = 0; i < sizeof(of_shoppers) / sizeof(of_shoppers[0]); i++)
		if (strcmp(of_shoppers[i], event) == 0) {
			show_page(&trigger);
			return 0;
		}
	return unknown(event);
}
