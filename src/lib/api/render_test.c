// Rendering: every object has what the official clients require, ids and expansions are in place,
// shoppers see less, errors say what they have to.
#include "api/render.h"

#include "base/tap.h"

#include "api/required.def"
#include "domain/delivery.h"

#include <jansson.h>
#include <stdlib.h>

enum {
	CUSTOMER = 10,
	CARD = 20,
	INTENT = 30,
	ATTEMPT = 40,
	PAYMENT = 50,
	CHARGE = 60,
	SESSION = 70,
	REFUND = 80
};

static const uint8_t key[API_ID_KEY_BYTES] = { 7 };
static int link_problem, payment_problem;
static enum intent_status setup_status, payment_status;

static int64_t time_of(int64_t id)
{
	return 1750000000000 + id;
}

static char *text_copy(const char *text)
{
	return strdup(text);
}

static struct customer a_customer(void)
{
	return (struct customer){ .id = CUSTOMER,
		                  .merchant = 1,
		                  .default_card = CARD,
		                  .email = "a@b.c",
		                  .details =
		                          text_copy("{\"name\":\"Иван\",\"metadata\":{\"k\":\"v\"},"
		                                    "\"address\":{\"city\":\"Köln\"}}") };
}

static struct card a_card(void)
{
	return (struct card){ .id = CARD,
		              .merchant = 1,
		              .customer = CUSTOMER,
		              .state = 1,
		              .brand = "mir",
		              .last4 = "4242",
		              .exp_month = 12,
		              .exp_year = 2031,
		              .cvc_check = CHECK_PASS,
		              .details = text_copy("{}") };
}

static struct setup_intent a_setup_intent(void)
{
	return (struct setup_intent){ .id = INTENT,
		                      .merchant = 1,
		                      .customer = CUSTOMER,
		                      .card = link_problem ? 0 : CARD,
		                      .attempt = ATTEMPT,
		                      .status = setup_status,
		                      .details = text_copy("{\"usage\":\"on_session\"}") };
}

static struct attempt an_attempt(void)
{
	return (struct attempt){ .id = ATTEMPT,
		                 .merchant = 1,
		                 .kind = ATTEMPT_LINK,
		                 .intent = INTENT,
		                 .customer = CUSTOMER,
		                 .card = CARD,
		                 .state = link_problem ? ATTEMPT_OVER : ATTEMPT_LINKED,
		                 .problem = link_problem,
		                 .response_code = "41" };
}

static struct payment_intent a_payment(void)
{
	return (struct payment_intent){ .id = PAYMENT,
		                        .merchant = 1,
		                        .customer = CUSTOMER,
		                        .card = CARD,
		                        .attempt = CHARGE,
		                        .status = payment_status,
		                        .amount = 1099,
		                        .currency = "rub",
		                        .details = text_copy("{\"description\":\"D\"}") };
}

static struct attempt a_charge(void)
{
	return (struct attempt){ .id = CHARGE,
		                 .merchant = 1,
		                 .kind = ATTEMPT_PAYMENT,
		                 .intent = PAYMENT,
		                 .customer = CUSTOMER,
		                 .card = CARD,
		                 .state = payment_problem ? ATTEMPT_OVER : ATTEMPT_PAID,
		                 .problem = payment_problem,
		                 .sent_ms = 1,
		                 .amount = 1099,
		                 .captured = payment_problem ? 0 : 1099,
		                 .refunded = payment_problem ? 0 : 300,
		                 .currency = "rub",
		                 .response_code = "51",
		                 .approval_code = "A1B2C3" };
}

static struct refund a_refund(enum refund_status status)
{
	return (struct refund){ .id = REFUND,
		                .merchant = 1,
		                .intent = PAYMENT,
		                .attempt = CHARGE,
		                .status = status,
		                .reason = REFUND_REQUESTED_BY_CUSTOMER,
		                .amount = 300,
		                .currency = "rub",
		                .details = text_copy("{\"metadata\":{\"k\":\"v\"}}") };
}

static size_t refunds(void *owner, int64_t attempt, struct refund *ret_refunds, size_t capacity)
{
	(void)owner;
	if (attempt != CHARGE)
		return 0;
	for (size_t i = 0; i < capacity; i++)
		ret_refunds[i] = a_refund(REFUND_SUCCEEDED);
	return capacity;
}

static struct session a_session(enum session_status status)
{
	return (struct session){ .id = SESSION,
		                 .merchant = 1,
		                 .customer = CUSTOMER,
		                 .intent = INTENT,
		                 .status = status,
		                 .expires_ms = 1760000000000,
		                 .details = text_copy("{\"success_url\":\"https://s\"}") };
}

static bool load(void *owner, enum api_object kind, int64_t id, void *ret_object)
{
	(void)owner;
	switch (kind) {
	case API_CUSTOMER: *(struct customer *)ret_object = a_customer(); return id == CUSTOMER;
	case API_CARD: *(struct card *)ret_object = a_card(); return id == CARD;
	case API_SETUP_INTENT:
		*(struct setup_intent *)ret_object = a_setup_intent();
		return id == INTENT;
	case API_PAYMENT_INTENT:
		*(struct payment_intent *)ret_object = a_payment();
		return id == PAYMENT;
	case API_SETUP_ATTEMPT: *(struct attempt *)ret_object = an_attempt(); return id == ATTEMPT;
	case API_CHARGE: *(struct attempt *)ret_object = a_charge(); return id == CHARGE;
	default: return false;
	}
}

static void reference(void *owner, int64_t attempt, char *ret_code, size_t capacity)
{
	(void)owner;
	snprintf(ret_code, capacity, "REF-%lld", (long long)attempt);
}

static struct api_expand expand;
static struct api_view view = { .id_key = key,
	                        .public_url = "http://pay.localhost:8081",
	                        .support = "help@shop.example",
	                        .now_ms = 1760000000000,
	                        .expand = &expand,
	                        .time_ms = time_of,
	                        .load = load,
	                        .refunds = refunds,
	                        .reference = reference };

static void reset(void)
{
	link_problem = payment_problem = 0;
	setup_status = payment_status = INTENT_SUCCEEDED;
	expand.count = 0;
	view.shopper = false;
	view.language = PROBLEM_ENGLISH;
}

static json_t *parse(struct buffer *buffer)
{
	json_error_t error;
	json_t *json = json_loadb((const char *)buffer->data, buffer->length,
	                          JSON_REJECT_DUPLICATES, &error);

	if (!json)
		printf("# %s at %d in %s\n", error.text, error.position, buffer_text(buffer));
	buffer_done(buffer);
	return json;
}

static json_t *rendered(enum api_object kind, const void *object, const char *below)
{
	struct buffer buffer;

	buffer_init(&buffer, 65536);
	api_render(&buffer, &view, kind, object, below);
	return parse(&buffer);
}

// Renders and gives the object back.
#define RENDER(kind, type, value)                                                                  \
	({                                                                                         \
		struct type object_ = (value);                                                     \
		json_t *json_ = rendered((kind), &object_, "");                                    \
		type##_done(&object_);                                                             \
		json_;                                                                             \
	})

static void attempt_done(struct attempt *attempt)
{
	(void)attempt;
}

static bool has_all(const json_t *json, const char *const *names)
{
	bool all = json_is_object(json);

	for (; **names; names++)
		if (!json_object_get(json, *names)) {
			printf("# %s is missing\n", *names);
			all = false;
		}
	return all;
}

static const json_t *at(const json_t *json, const char *path)
{
	char name[64];

	while (json && *path) {
		size_t length = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)length, path);
		json = json_is_array(json) ? json_array_get(json, (size_t)strtoul(name, NULL, 10))
		                           : json_object_get(json, name);
		path += length + (path[length] == '.');
	}
	return json;
}

static bool is_text(const json_t *json, const char *path, const char *text)
{
	const char *value = json_string_value(at(json, path));

	if (value && strcmp(value, text) == 0)
		return true;
	printf("# %s is %s\n", path, value ? value : "no text");
	return false;
}

TEST(objects_have_every_member_that_the_clients_require)
{
	reset();
	json_t *json = RENDER(API_CUSTOMER, customer, a_customer());
	EXPECT(has_all(json, required_customer));
	json_decref(json);
	json = RENDER(API_CARD, card, a_card());
	EXPECT(has_all(json, required_payment_method));
	EXPECT(has_all(at(json, "card"), required_payment_method_card));
	json_decref(json);
	json = RENDER(API_SETUP_INTENT, setup_intent, a_setup_intent());
	EXPECT(has_all(json, required_setup_intent));
	json_decref(json);
	json = RENDER(API_SETUP_ATTEMPT, attempt, an_attempt());
	EXPECT(has_all(json, required_setup_attempt));
	EXPECT(has_all(at(json, "payment_method_details.card"),
	               required_setup_attempt_payment_method_details_card));
	json_decref(json);
	json = RENDER(API_PAYMENT_INTENT, payment_intent, a_payment());
	EXPECT(has_all(json, required_payment_intent));
	json_decref(json);
	json = RENDER(API_CHARGE, attempt, a_charge());
	EXPECT(has_all(json, required_charge));
	EXPECT(has_all(at(json, "payment_method_details.card"),
	               required_charge_payment_method_details_card));
	EXPECT(is_text(json, "description", "D") && is_text(json, "outcome.type", "authorized"));
	json_decref(json);
	json = RENDER(API_REFUND, refund, a_refund(REFUND_PENDING));
	EXPECT(has_all(json, required_refund));
	EXPECT(is_text(json, "pending_reason", "processing") && is_text(json, "status", "pending"));
	json_decref(json);
	json = RENDER(API_SESSION, session, a_session(SESSION_OPEN));
	EXPECT(has_all(json, required_checkout_session));
	EXPECT(!strncmp(json_string_value(at(json, "url")), "http://pay.localhost:8081/c/cs_test_",
	                36));
	json_decref(json);
	json = RENDER(API_SESSION, session, a_session(SESSION_EXPIRED));
	EXPECT(json_is_null(at(json, "url")));
	json_decref(json);
}

TEST(values_come_from_the_row_and_its_details)
{
	reset();
	json_t *json = RENDER(API_CUSTOMER, customer, a_customer());
	EXPECT(is_text(json, "name", "Иван") && is_text(json, "email", "a@b.c"));
	EXPECT(is_text(json, "metadata.k", "v") && is_text(json, "address.city", "Köln"));
	EXPECT(json_is_null(at(json, "address.line1")) && json_is_null(at(json, "shipping")));
	EXPECT(json_integer_value(at(json, "created")) == 1750000000);
	EXPECT(!strncmp(json_string_value(at(json, "invoice_settings.default_payment_method")),
	                "pm_", 3));
	json_decref(json);
	json = RENDER(API_CARD, card, a_card());
	EXPECT(is_text(json, "card.brand", "mir") && is_text(json, "card.last4", "4242"));
	EXPECT(is_text(json, "card.checks.cvc_check", "pass"));
	EXPECT(json_is_object(at(json, "billing_details.address")));
	json_decref(json);
}

TEST(a_charge_says_what_was_taken_and_given_back)
{
	reset();
	json_t *json = RENDER(API_CHARGE, attempt, a_charge());
	EXPECT(json_integer_value(at(json, "amount_captured")) == 1099);
	EXPECT(json_integer_value(at(json, "amount_refunded")) == 300);
	EXPECT(json_is_true(at(json, "captured")) && json_is_false(at(json, "refunded")));
	EXPECT(!at(json, "refunds"));
	json_decref(json);
	snprintf(expand.paths[0], sizeof(expand.paths[0]), "refunds");
	expand.count = 1;
	json = RENDER(API_CHARGE, attempt, a_charge());
	EXPECT(json_array_size(at(json, "refunds.data")) == 10);
	EXPECT(json_is_true(at(json, "refunds.has_more")));
	EXPECT(is_text(json, "refunds.data.9.object", "refund"));
	EXPECT(is_text(json, "refunds.data.0.metadata.k", "v"));
	json_decref(json);
	expand.count = 0;
	struct attempt held = a_charge();
	held.state = ATTEMPT_RELEASED;
	held.captured = held.refunded = 0;
	json = RENDER(API_CHARGE, attempt, held);
	EXPECT(json_integer_value(at(json, "amount_refunded")) == 1099);
	EXPECT(json_is_false(at(json, "captured")) && json_is_true(at(json, "refunded")));
	json_decref(json);
}

TEST(expand_turns_ids_into_objects_four_levels_deep)
{
	static const char path[] = "latest_charge.payment_intent.payment_method.customer";
	struct api_value value = { .text = BYTES_LITERAL(path) };
	struct api_param param = { "expand[]", API_TEXT, 0, 0, 0, NULL };
	struct api_params params = { &value, 1 };
	struct api_error error;

	reset();
	value.param = &param;
	EXPECT(api_expand_read(&params, API_PAYMENT_INTENT, false, &expand, &error));
	json_t *json = RENDER(API_PAYMENT_INTENT, payment_intent, a_payment());
	EXPECT(is_text(json, "latest_charge.object", "charge"));
	EXPECT(is_text(json, "latest_charge.payment_intent.payment_method.customer.email",
	               "a@b.c"));
	EXPECT(json_is_string(at(json, "payment_method"))); // not asked for at the top
	json_decref(json);
	value.text = BYTES_LITERAL("latest_charge.balance_transaction.source.anything");
	EXPECT(api_expand_read(&params, API_PAYMENT_INTENT, false, &expand, &error));
	value.text = BYTES_LITERAL("data.invoice_settings.default_payment_method");
	EXPECT(api_expand_read(&params, API_CUSTOMER, true, &expand, &error));
	struct customer customer = a_customer();
	json = rendered(API_CUSTOMER, &customer, "data.");
	EXPECT(is_text(json, "invoice_settings.default_payment_method.card.last4", "4242"));
	json_decref(json);
	customer_done(&customer);
	static const char *const wrong[] = { "",     "nonsense",  "customer.nonsense", "customer.",
		                             "data", "a.b.c.d.e", "latest_charges" };
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		value.text = bytes_text(wrong[i]);
		EXPECT(!api_expand_read(&params, API_PAYMENT_INTENT, false, &expand, &error) &&
		       error.status == 400);
	}
}

TEST(a_refused_link_tells_why_and_shows_less_to_a_shopper)
{
	reset();
	link_problem = PROBLEM_LOST_CARD;
	setup_status = INTENT_REQUIRES_PAYMENT_METHOD;
	json_t *json = RENDER(API_SETUP_INTENT, setup_intent, a_setup_intent());
	EXPECT(is_text(json, "last_setup_error.decline_code", "lost_card"));
	EXPECT(is_text(json, "last_setup_error.advice_code", "do_not_try_again"));
	EXPECT(is_text(json, "last_setup_error.network_decline_code", "41"));
	EXPECT(is_text(json, "last_setup_error.payment_method.object", "payment_method"));
	EXPECT(is_text(json, "last_setup_error.advice.reference", "REF-40"));
	EXPECT(json_is_null(at(json, "payment_method")));
	json_decref(json);
	view.shopper = true;
	view.language = PROBLEM_RUSSIAN;
	struct buffer buffer;
	buffer_init(&buffer, 65536);
	struct setup_intent intent = a_setup_intent();
	api_render(&buffer, &view, API_SETUP_INTENT, &intent, "");
	setup_intent_done(&intent);
	EXPECT(!strstr(buffer_text(&buffer), "lost") &&
	       !strstr(buffer_text(&buffer), "do_not_try"));
	EXPECT(!strstr(buffer_text(&buffer), "\"41\"") &&
	       !strstr(buffer_text(&buffer), "\"never\""));
	json = parse(&buffer);
	EXPECT(is_text(json, "last_setup_error.decline_code", "generic_decline"));
	EXPECT(!strncmp(json_string_value(at(json, "last_setup_error.user_message")), "Банк", 8));
	EXPECT(!at(json, "metadata") && !at(json, "customer"));
	json_decref(json);
}

TEST(a_refused_payment_has_its_charge_and_its_intent)
{
	reset();
	payment_problem = PROBLEM_INSUFFICIENT_FUNDS;
	payment_status = INTENT_REQUIRES_PAYMENT_METHOD;
	struct attempt attempt = a_charge();
	struct payment_intent intent = a_payment();
	struct api_trouble trouble = { payment_problem, PROBLEM_PAYMENT, &attempt, 0, &intent };
	struct buffer buffer;
	buffer_init(&buffer, 65536);
	api_trouble_put(&buffer, &view, &trouble);
	payment_intent_done(&intent);
	json_t *json = parse(&buffer);
	EXPECT(is_text(json, "error.type", "card_error") &&
	       is_text(json, "error.code", "card_declined"));
	EXPECT(is_text(json, "error.decline_code", "insufficient_funds"));
	EXPECT(!strncmp(json_string_value(at(json, "error.charge")), "ch_", 3));
	EXPECT(is_text(json, "error.payment_intent.status", "requires_payment_method"));
	EXPECT(is_text(json, "error.payment_intent.last_payment_error.decline_code",
	               "insufficient_funds"));
	EXPECT(is_text(json, "error.payment_method.card.last4", "4242"));
	json_decref(json);
	json = RENDER(API_CHARGE, attempt, a_charge());
	EXPECT(is_text(json, "status", "failed") && is_text(json, "failure_code", "card_declined"));
	EXPECT(is_text(json, "outcome.network_decline_code", "51"));
	json_decref(json);
}

TEST(guards_say_when_and_our_fault_says_whom_to_write_to)
{
	struct api_trouble trouble = { PROBLEM_TOO_MANY_TRIES, PROBLEM_LINK, NULL,
		                       1760000000000 + 3600000, NULL };
	struct attempt attempt = an_attempt();
	struct buffer buffer;

	reset();
	buffer_init(&buffer, 65536);
	api_trouble_put(&buffer, &view, &trouble);
	json_t *json = parse(&buffer);
	EXPECT(json_integer_value(at(json, "error.advice.at")) == 1760003600);
	EXPECT(is_text(json, "error.user_message",
	               "Too many tries. You can try again at 09:53 UTC."));
	json_decref(json);
	trouble = (struct api_trouble){ PROBLEM_OUR_FAULT, PROBLEM_LINK, &attempt, 0, NULL };
	api_trouble_put(&buffer, &view, &trouble);
	json = parse(&buffer);
	EXPECT(is_text(json, "error.advice.messages.en",
	               "This is our fault and we are on it. Write to help@shop.example with the "
	               "code REF-40."));
	json_decref(json);
}

TEST(a_shopper_who_has_to_act_is_sent_to_our_page)
{
	reset();
	setup_status = INTENT_REQUIRES_ACTION;
	json_t *json = RENDER(API_SETUP_INTENT, setup_intent, a_setup_intent());
	const char *url = json_string_value(at(json, "next_action.redirect_to_url.url"));
	const char *secret = json_string_value(at(json, "client_secret"));
	EXPECT(is_text(json, "next_action.type", "redirect_to_url"));
	EXPECT(url && secret && strstr(url, "http://pay.localhost:8081/c/") == url &&
	       strcmp(url + 28, secret) == 0);
	EXPECT(json_is_null(at(json, "last_setup_error")));
	json_decref(json);
}

TEST(an_event_is_its_object_and_what_caused_it)
{
	struct buffer body;
	struct buffer buffer;

	reset();
	buffer_init(&body, 65536);
	buffer_init(&buffer, 65536);
	api_event_body(&body, BYTES_LITERAL("{\"id\":\"x\"}"), BYTES_LITERAL("{\"name\":null}"),
	               "req_1", BYTES_LITERAL("k\"1"));
	struct api_event event = { 99, "customer.created", 2, buffer_view(&body) };
	api_render_event(&buffer, &view, &event);
	json_t *json = parse(&buffer);
	EXPECT(has_all(json, required_event));
	EXPECT(is_text(json, "data.object.id", "x") && is_text(json, "request.id", "req_1"));
	EXPECT(is_text(json, "request.idempotency_key", "k\"1"));
	EXPECT(json_is_null(at(json, "data.previous_attributes.name")));
	json_decref(json);
	buffer_done(&body);
}

TEST(an_endpoint_has_what_clients_require_and_no_secret)
{
	struct endpoint endpoint = { 7, 1, 0, ENDPOINT_GONE, 1, (char *)"{}" };
	struct buffer buffer;

	reset();
	buffer_init(&buffer, 65536);
	api_render(&buffer, &view, API_WEBHOOK, &endpoint, "");
	json_t *json = parse(&buffer);
	EXPECT(has_all(json, required_webhook_endpoint));
	EXPECT(is_text(json, "object", "webhook_endpoint") && is_text(json, "status", "disabled"));
	EXPECT(!json_object_get(json, "secret"));
	json_decref(json);
	buffer_done(&buffer);
}

TAP_MAIN
