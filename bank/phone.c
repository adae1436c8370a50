// The shopper's phone: SMS inbox and the bank's app. Kept in memory, the last of each; the page
// (pages/phone.js) asks for them every second.
#include "phone.h"

#include "acs.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 100, REQUESTS = 50, TEXT_MAX = 1000 };

struct message {
	uint64_t number;
	int64_t at_ms;
	char to[24];
	char from[40];
	char text[TEXT_MAX];
};

struct ask {
	uint64_t number; // 0: the place is free
	int64_t at_ms;
	char id[40];
	char merchant[200];
	char last4[5];
	char amount[64];
	const char *state; // "open", "approved", "denied", "withdrawn"
};

struct phone {
	struct message messages[MESSAGES]; // a ring: number % MESSAGES
	struct ask asks[REQUESTS];
	uint64_t last_message, last_ask;
};

struct phone *phone_new(void)
{
	struct phone *phone = calloc(1, sizeof(*phone));

	CHECK(phone);
	return phone;
}

void phone_free(struct phone *phone)
{
	if (!phone)
		return;
	explicit_bzero(phone, sizeof(*phone));
	free(phone);
}

// Copies as much as fits, whole characters only.
static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size);

	if (length == size)
		for (length--; length && ((unsigned char)from[length] & 0xc0) == 0x80;)
			length--;
	memcpy(to, from, length);
	to[length] = 0;
}

void phone_take_sms(struct bank_web *web, const char *to, const char *from, const char *text)
{
	struct phone *phone = web->phone;
	struct message *message = &phone->messages[++phone->last_message % MESSAGES];

	message->number = phone->last_message;
	message->at_ms = bank_now_ms(web->bank);
	copy(message->to, sizeof(message->to), to);
	copy(message->from, sizeof(message->from), from);
	copy(message->text, sizeof(message->text), text);
}

uint64_t phone_ask(struct bank_web *web, const char *id, const char *merchant, const char *last4,
                   const char *amount)
{
	struct phone *phone = web->phone;
	struct ask *ask = &phone->asks[++phone->last_ask % REQUESTS];

	ask->number = phone->last_ask;
	ask->at_ms = bank_now_ms(web->bank);
	copy(ask->id, sizeof(ask->id), id);
	copy(ask->merchant, sizeof(ask->merchant), merchant);
	copy(ask->last4, sizeof(ask->last4), last4);
	copy(ask->amount, sizeof(ask->amount), amount);
	ask->state = "open";
	return ask->number;
}

static struct ask *find(struct phone *phone, uint64_t number)
{
	struct ask *ask = &phone->asks[number % REQUESTS];

	return number && ask->number == number ? ask : NULL;
}

void phone_withdraw(struct bank_web *web, uint64_t number)
{
	struct ask *ask = find(web->phone, number);

	if (ask && strcmp(ask->state, "open") == 0)
		ask->state = "withdrawn";
}

static json_t *describe_messages(const struct phone *phone)
{
	json_t *list = json_array();
	uint64_t first = phone->last_message > MESSAGES ? phone->last_message - MESSAGES + 1 : 1;

	for (uint64_t number = first; number <= phone->last_message; number++) {
		const struct message *message = &phone->messages[number % MESSAGES];

		json_array_append_new(
		        list, json_pack("{s:I,s:I,s:s,s:s,s:s}", "id", (json_int_t)message->number,
		                        "at", (json_int_t)message->at_ms, "to", message->to, "from",
		                        message->from, "text", message->text));
	}
	return list;
}

static json_t *describe_asks(const struct phone *phone)
{
	json_t *list = json_array();
	uint64_t first = phone->last_ask > REQUESTS ? phone->last_ask - REQUESTS + 1 : 1;

	for (uint64_t number = first; number <= phone->last_ask; number++) {
		const struct ask *ask = &phone->asks[number % REQUESTS];

		json_array_append_new(list, json_pack("{s:I,s:I,s:s,s:s,s:s,s:s}", "id",
		                                      (json_int_t)ask->number, "at",
		                                      (json_int_t)ask->at_ms, "merchant",
		                                      ask->merchant, "last4", ask->last4, "amount",
		                                      ask->amount, "state", ask->state));
	}
	return list;
}

void phone_handle_messages(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)rest;
	web_json(request, 200, describe_messages(web->phone));
}

void phone_handle_requests(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)rest;
	web_json(request, 200, describe_asks(web->phone));
}

// {"id":3,"decision":"approve"} or "deny", as a form or as JSON.
void phone_handle_decision(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	json_t *body = web_body(request);
	const char *decision = json_string_value(json_object_get(body, "decision"));
	const char *digits = json_string_value(json_object_get(body, "id"));
	uint64_t number = (uint64_t)json_integer_value(json_object_get(body, "id"));
	struct ask *ask;
	bool approve = decision && strcmp(decision, "approve") == 0;
	bool deny = decision && strcmp(decision, "deny") == 0;

	(void)rest;
	if (digits && !text_to_number(bytes_text(digits), INT64_MAX, &number))
		number = 0;
	ask = find(web->phone, number);
	if (!ask || (!approve && !deny)) {
		web_text_error(request, ask ? 400 : 404,
		               "there is no such request, or no decision\n");
	} else if (strcmp(ask->state, "open") != 0) {
		web_text_error(request, 409, "this request is not open any more\n");
	} else {
		ask->state = approve ? "approved" : "denied";
		acs_app_answer(web, ask->id, approve);
		web_json(request, 200,
		         json_pack("{s:I,s:s}", "id", (json_int_t)number, "state", ask->state));
	}
	json_decref(body);
}

void phone_handle_page(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)rest;
	web_page(web, request, 200, "phone.html", web_wants_russian(request), NULL, 0, NULL);
}
