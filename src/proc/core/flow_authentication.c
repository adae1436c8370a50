// 3-D Secure from core's side: the lines that a driver of kind `authentication` gets, what its
// answers mean, and the facts of a transaction, which the driver does not keep. docs/drivers.md.
#include "core/money.h"

#include "base/cleanup.h"
#include "api/id.h"
#include "api/json.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_LIMIT = 48 * 1024, FACTS_LIMIT = 1024 * 1024, QUESTION_MS = 15000, RESULT_MS = 3000 };

void authentication_free(struct authentication *a)
{
	char **texts[] = { &a->method_url, &a->method_origin, &a->acs_url, &a->acs_origin,
		           &a->creq,       &a->browser,       &a->info };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		free(*texts[i]);
		*texts[i] = NULL;
	}
}

// --- kept as JSON

// The members that are arrays and those that are heap texts, by name: read and written by the same
// table.
struct fact {
	const char *name;
	size_t offset;
	size_t size; // 0: a heap text
};
#define FACT_ARRAY(name)                                                                           \
	{                                                                                          \
#name, offsetof(struct authentication, name),                                      \
		        sizeof(((struct authentication *)0)->name)                                 \
	}
#define FACT_HEAP(name)                                                                            \
	{                                                                                          \
#name, offsetof(struct authentication, name), 0                                    \
	}
static const struct fact facts[] = {
	FACT_ARRAY(transaction),
	FACT_ARRAY(ds_transaction),
	FACT_ARRAY(acs_transaction),
	FACT_ARRAY(version),
	FACT_ARRAY(eci),
	FACT_ARRAY(value),
	FACT_ARRAY(window),
	FACT_ARRAY(address),
	FACT_HEAP(method_url),
	FACT_HEAP(method_origin),
	FACT_HEAP(acs_url),
	FACT_HEAP(acs_origin),
	FACT_HEAP(creq),
	FACT_HEAP(browser),
	FACT_HEAP(info),
};
enum { FACTS = sizeof(facts) / sizeof(facts[0]) };

void authentication_save(struct core *core, int64_t attempt, const struct authentication *a)
{
	struct buffer text cleanup(buffer_done) = { 0 };
	struct api_json json = api_json_on(&text);

	buffer_init(&text, FACTS_LIMIT);
	api_json_open(&json, NULL, '{');
	for (int i = 0; i < FACTS; i++) {
		const char *member = (const char *)a + facts[i].offset;
		const char *fact = facts[i].size ? member : *(char *const *)(const void *)member;
		if (fact && fact[0])
			api_json_text(&json, facts[i].name, fact);
	}
	api_json_number(&json, "asked", a->asked);
	api_json_number(&json, "cvc_check", a->cvc_check);
	api_json_number(&json, "method", a->method);
	api_json_flag(&json, "ask_again", a->ask_again);
	api_json_flag(&json, "code", a->code);
	api_json_flag(&json, "pageless", a->pageless);
	api_json_close(&json, '}');
	CHECK(!text.failed);
	store_run(core->store, STORE_AUTHENTICATION_PUT, STORE_N(attempt), STORE_N(a->connection),
	          STORE_TB(buffer_view(&text)));
}

static void keep(const json_t *object, const char *name, struct authentication *a)
{
	const char *text = json_string_value(json_object_get(object, name));

	for (int i = 0; i < FACTS; i++) {
		if (strcmp(facts[i].name, name) != 0 || !text)
			continue;
		char *member = (char *)a + facts[i].offset;
		if (facts[i].size) {
			bytes_copy_text(bytes_text(text), member, facts[i].size);
		} else {
			free(*(char **)(void *)member);
			*(char **)(void *)member = strdup(text);
		}
	}
}

void authentication_load(struct core *core, int64_t attempt, struct authentication *ret)
{
	struct store_query query =
	        store_ask(core->store, STORE_AUTHENTICATION_GET, STORE_N(attempt));

	*ret = (struct authentication){ 0 };
	if (store_step(&query)) {
		struct bytes text = store_bytes(&query, 1);
		json_t *object = json_loadb((const char *)text.data, text.length, 0, NULL);
		ret->connection = store_number(&query, 0);
		for (int i = 0; i < FACTS; i++)
			keep(object, facts[i].name, ret);
		ret->asked = json_integer_value(json_object_get(object, "asked"));
		ret->cvc_check =
		        (enum check)json_integer_value(json_object_get(object, "cvc_check"));
		ret->method = (char)json_integer_value(json_object_get(object, "method"));
		ret->ask_again = json_is_true(json_object_get(object, "ask_again"));
		ret->code = json_is_true(json_object_get(object, "code"));
		ret->pageless = json_is_true(json_object_get(object, "pageless"));
		json_decref(object);
	}
	store_end(&query);
}

// --- questions

// RFC 4122, version 4.
static void make_uuid(char ret_text[static 37])
{
	uint8_t b[16];

	crypto_random(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(ret_text, 37,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	         b[15]);
}

// Asks what the attempt then waits for.
static struct question *ask(struct core *core, struct live *live, enum question_kind kind)
{
	live->authentication.asked = core_next_id(core);
	return flows_ask(core, kind, live->authentication.asked, live->row.id);
}

// The front of a line, into an empty buffer; what is asked follows, then send_line().
static struct api_json begin_line(struct buffer *line, const struct question *question,
                                  const char *op, int64_t deadline_ms)
{
	struct api_json json = api_json_on(line);

	buffer_init(line, LINE_LIMIT);
	api_json_open(&json, NULL, '{');
	api_json_number(&json, "id", question->id);
	api_json_text(&json, "op", op);
	api_json_number(&json, "deadline_ms", deadline_ms);
	return json;
}

// Sends it with the card of the attempt, or without. False: it is too long.
static bool send_line(struct core *core, const struct live *live, const struct question *question,
                      int64_t deadline_ms, bool card, struct api_json *json)
{
	api_json_close(json, '}');
	if (json->buffer->failed)
		return false;
	bank_ask(core, question, live->authentication.connection, deadline_ms, card ? 1 : 0,
	         live->row.card, buffer_view(json->buffer));
	return true;
}

void authentication_look_up(struct core *core, struct live *live)
{
	const struct connection *connection =
	        connections_pick_for(core, false, live->row.merchant, live->row.card, NULL);
	struct buffer line cleanup(buffer_done) = { 0 };

	make_uuid(live->authentication.transaction);
	if (!connection) {
		// Without a connection to a directory server no card is enrolled; policy decides.
		due_add(&core->flows->due, core->now_ms, DUE_UNENROLLED, live->row.id);
		return;
	}
	live->authentication.connection = connection->number;
	const struct question *question = ask(core, live, QUESTION_VERSIONS);
	struct api_json json = begin_line(&line, question, "versions", core->now_ms + QUESTION_MS);
	api_json_text(&json, "transaction", live->authentication.transaction);
	send_line(core, live, question, core->now_ms + QUESTION_MS, true, &json);
}

static void put_url(struct core *core, struct api_json *json, const char *name, const char *base,
                    const char *path, enum api_id_kind secret, int64_t attempt)
{
	char nonce[API_SECRET_CAPACITY];
	char url[URL_MAX + 128];

	api_secret_make(core->id_key, secret, attempt, nonce);
	snprintf(url, sizeof(url), "%s%s%s", base, path, nonce);
	api_json_text(json, name, url);
}

// The shopper is asked once: a link of a payment's card is about the payment already.
static bool is_for_payment(const struct live *live)
{
	return live->row.kind == ATTEMPT_PAYMENT || live->row.flags & ATTEMPT_FOR_PAYMENT;
}

// threeDSRequestorAuthenticationInd
static const char *purpose_of(const struct live *live)
{
	return is_for_payment(live) ? "01" : "04";
}

static void put_purpose(struct core *core, const struct live *live, struct api_json *json)
{
	bool link = live->row.kind == ATTEMPT_LINK;
	time_t seconds = (time_t)(core->now_ms / 1000);
	struct tm utc;
	char text[16];

	api_json_text(json, "purpose", purpose_of(live));
	api_json_text(json, "challenge", link ? core->config.link_challenge : "03");
	if (core->flows->policy.decoupled_minutes && link)
		api_json_number(json, "decoupled_minutes", core->flows->policy.decoupled_minutes);
	if (!is_for_payment(live))
		return;
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", &utc);
	api_json_number(json, "amount", live->row.amount);
	api_json_text(json, "currency", bank_currency(live->row.currency));
	api_json_text(json, "sent_at", text);
}

void authentication_ask(struct core *core, struct live *live)
{
	const struct authentication *a = &live->authentication;
	const struct question *question = ask(core, live, QUESTION_AUTHENTICATE);
	int64_t deadline_ms = core->now_ms + core->flows->policy.bank_ms;
	struct buffer line cleanup(buffer_done) = { 0 };
	struct api_json json = begin_line(&line, question, "authenticate", deadline_ms);
	struct merchant merchant;
	char method[2] = { a->method ? a->method : 'U', 0 };

	if (!store_load(core->store, STORE_MERCHANTS, live->row.merchant, &merchant))
		memset(&merchant, 0, sizeof(merchant));
	api_json_text(&json, "transaction", a->transaction);
	api_json_text(&json, "version", a->version);
	api_json_text(&json, "method", method);
	api_json_raw(&json, "browser", a->browser ? a->browser : "{}");
	put_url(core, &json, "results_url", core->config.results_url, "/3ds/results/",
	        SECRET_OF_RESULT, live->row.id);
	put_url(core, &json, "notification_url", core->config.public_url, "/3ds/done/",
	        SECRET_OF_BROWSER, live->row.id);
	api_json_text(&json, "requestor_url", merchant.url);
	api_json_text(&json, "merchant_name", merchant.name);
	api_json_text(&json, "window", a->window[0] ? a->window : "05");
	put_purpose(core, live, &json);
	send_line(core, live, question, deadline_ms, true, &json);
}

// --- answers

static bool outcome_is(const json_t *answer, const char *outcome)
{
	const char *text = json_string_value(json_object_get(answer, "outcome"));

	return text && strcmp(text, outcome) == 0;
}

static void versions_answer(struct core *core, struct live *live, const json_t *answer)
{
	struct flow_event event = { .kind = EVENT_DIRECTORY_AWAY };

	if (outcome_is(answer, "approved")) {
		keep(answer, "version", &live->authentication);
		if (!live->authentication.pageless) {
			keep(answer, "method_url", &live->authentication);
			keep(answer, "method_origin", &live->authentication);
		}
		event.kind = EVENT_ENROLLED;
		event.method = live->authentication.method_url != NULL;
	} else if (outcome_is(answer, "declined")) {
		event.kind = EVENT_NOT_ENROLLED;
	}
	flows_event(core, live, &event);
}

static void authenticate_answer(struct core *core, struct live *live, const json_t *answer)
{
	static const char *const members[] = {
		"ds_transaction", "acs_transaction", "acs_url", "acs_origin", "creq", "eci", "value"
	};
	const char *status = json_string_value(json_object_get(answer, "status"));
	const char *info = json_string_value(json_object_get(answer, "cardholder_info"));
	struct flow_event event = { .kind = EVENT_UNKNOWN };

	if (outcome_is(answer, "approved") && status && strlen(status) == 1) {
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			keep(answer, members[i], &live->authentication);
		if (info && !live->authentication.info)
			live->authentication.info = strdup(info);
		event = (struct flow_event){ .kind = EVENT_STATUS, .status = status[0] };
		// A challenge that cannot be shown is none.
		if (status[0] == 'C' &&
		    (!live->authentication.acs_url || !live->authentication.creq ||
		     !live->authentication.acs_origin))
			event.kind = EVENT_UNKNOWN;
	}
	flows_event(core, live, &event);
}

void authentication_answer(struct core *core, struct live *live, enum question_kind kind,
                           const json_t *answer)
{
	if (kind == QUESTION_VERSIONS && live->row.state == ATTEMPT_LOOKING_UP)
		versions_answer(core, live, answer);
	else if (kind == QUESTION_AUTHENTICATE && live->row.state == ATTEMPT_AUTHENTICATING)
		authenticate_answer(core, live, answer);
}

// --- the browser

void authentication_take_browser(struct authentication *a, const char *browser, struct bytes window)
{
	// challengeWindowSize: 01 to 05; anything else is the full screen.
	if (window.length == 2 && window.data[0] == '0' && window.data[1] >= '1' &&
	    window.data[1] <= '5')
		bytes_copy_text(window, a->window, sizeof(a->window));
	else
		memcpy(a->window, "05", 3);
	free(a->browser);
	a->browser = strdup(browser);
	CHECK(a->browser);
}

void authentication_browser(struct core *core, struct live *live, const char *browser,
                            struct bytes window)
{
	if (live->authentication.browser)
		return;
	authentication_take_browser(&live->authentication, browser, window);
	authentication_save(core, live->row.id, &live->authentication);
	if (live->row.state == ATTEMPT_PREPARING)
		flows_event(core, live, &(struct flow_event){ .kind = EVENT_BROWSER });
}

void authentication_method_done(struct core *core, struct live *live)
{
	if (live->row.state == ATTEMPT_PREPARING && live->authentication.method == 0)
		flows_event(core, live, &(struct flow_event){ .kind = EVENT_METHOD_DONE });
}

// --- the result message (RReq)

static void reply_text(struct core *core, uint64_t serial, int status, const char *text)
{
	core_reply(
	        core, serial,
	        &(struct reply){ .status = status, .kind = REPLY_JSON, .body = bytes_text(text) });
}

static void put_result(const struct live *live, struct bytes body, struct api_json *json)
{
	const struct authentication *a = &live->authentication;

	api_json_bytes(json, "body", body);
	api_json_open(json, "expected", '{');
	api_json_text(json, "transaction", a->transaction);
	api_json_text(json, "ds_transaction", a->ds_transaction);
	api_json_text(json, "acs_transaction", a->acs_transaction);
	api_json_text(json, "version", a->version);
	api_json_text(json, "purpose", purpose_of(live));
	if (live->row.state == ATTEMPT_CHALLENGING)
		api_json_flag(json, "decoupled", false);
	api_json_close(json, '}');
}

// What can be a text in a line of JSON. Whether it is a message is the driver's matter.
static bool is_text(struct bytes body)
{
	return body.length && bytes_find(body, 0) == body.length && text_is_utf8(body);
}

void authentication_result(struct core *core, int64_t attempt, uint64_t serial, struct bytes body)
{
	struct live room;
	struct live *live = flows_any(core, attempt, &room);
	struct buffer line cleanup(buffer_done) = { 0 };
	bool asked = false;

	if (live && live->authentication.acs_transaction[0] && is_text(body)) {
		struct question *question =
		        flows_ask(core, QUESTION_RESULTS, core_next_id(core), attempt);
		question->serial = serial;
		struct api_json json =
		        begin_line(&line, question, "results", core->now_ms + RESULT_MS);
		put_result(live, body, &json);
		asked = send_line(core, live, question, core->now_ms + RESULT_MS, false, &json);
		if (!asked)
			free(map_take(&core->flows->questions, question->id));
	}
	if (!asked)
		reply_text(core, serial, 400, "{}");
	authentication_free(&room.authentication);
}

void authentication_result_answer(struct core *core, const struct question *question,
                                  const json_t *answer)
{
	const char *response = json_string_value(json_object_get(answer, "response"));
	const char *status = json_string_value(json_object_get(answer, "status"));
	struct live room;
	struct live *live = flows_any(core, question->subject, &room);

	if (response && outcome_is(answer, "approved") && live && status && strlen(status) == 1) {
		keep(answer, "eci", &live->authentication);
		keep(answer, "value", &live->authentication);
		flows_event(core, live,
		            &(struct flow_event){ .kind = EVENT_RESULT, .status = status[0] });
	}
	reply_text(core, question->serial, response ? 200 : 503, response ? response : "{}");
	authentication_free(&room.authentication);
}
