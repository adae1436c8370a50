// 3-D Secure from core's side: the lines that a driver of kind `authentication` gets, what its
// answers mean, and the facts of a transaction, which the driver does not keep. docs/drivers.md.
#include "core/money.h"

#include "base/cleanup.h"
#include "api/id.h"
#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LINE_LIMIT = 48 * 1024, QUESTION_MS = 15000, RESULT_MS = 3000 };

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
	json_t *object = json_object();

	for (int i = 0; i < FACTS; i++) {
		const char *member = (const char *)a + facts[i].offset;
		const char *text = facts[i].size ? member : *(char *const *)(const void *)member;
		if (text && text[0])
			json_object_set_new(object, facts[i].name, json_string(text));
	}
	json_object_set_new(object, "asked", json_integer(a->asked));
	json_object_set_new(object, "cvc_check", json_integer(a->cvc_check));
	json_object_set_new(object, "method", json_integer(a->method));
	json_object_set_new(object, "ask_again", json_boolean(a->ask_again));
	json_object_set_new(object, "code", json_boolean(a->code));
	json_object_set_new(object, "pageless", json_boolean(a->pageless));
	char *text = json_dumps(object, JSON_COMPACT);
	CHECK(text);
	store_run(core->store, STORE_AUTHENTICATION_PUT, STORE_N(attempt), STORE_N(a->connection),
	          STORE_T(text));
	free(text);
	json_decref(object);
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

// Sends `object` (given away) with the card of the attempt, or without. False: it is too long.
static bool send_line(struct core *core, const struct live *live, const struct question *question,
                      const char *op, int64_t deadline_ms, bool card, json_t *object)
{
	struct buffer line cleanup(buffer_done) = { 0 };

	char *rest = json_dumps(object, JSON_COMPACT);
	CHECK(rest);
	buffer_init(&line, LINE_LIMIT);
	buffer_printf(&line, "{\"id\":%lld,\"op\":\"%s\",\"deadline_ms\":%lld%s%s",
	              (long long)question->id, op, (long long)deadline_ms,
	              json_object_size(object) ? "," : "", rest + 1);
	bool fits = !line.failed;
	if (fits)
		bank_ask(core, question, live->authentication.connection, deadline_ms, card ? 1 : 0,
		         live->row.card, buffer_view(&line));
	free(rest);
	json_decref(object);
	return fits;
}

void authentication_look_up(struct core *core, struct live *live)
{
	const struct connection *connection =
	        connections_pick_for(core, false, live->row.merchant, live->row.card, NULL);

	make_uuid(live->authentication.transaction);
	if (!connection) {
		// Without a connection to a directory server no card is enrolled; policy decides.
		due_add(&core->flows->due, core->now_ms, DUE_UNENROLLED, live->row.id);
		return;
	}
	live->authentication.connection = connection->number;
	send_line(core, live, ask(core, live, QUESTION_VERSIONS), "versions",
	          core->now_ms + QUESTION_MS, true,
	          json_pack("{s:s}", "transaction", live->authentication.transaction));
}

static json_t *url_of(struct core *core, const char *base, const char *path,
                      enum api_id_kind secret, int64_t attempt)
{
	char nonce[API_SECRET_CAPACITY];
	char url[URL_MAX + 128];

	api_secret_make(core->id_key, secret, attempt, nonce);
	snprintf(url, sizeof(url), "%s%s%s", base, path, nonce);
	return json_string(url);
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

static void add_purpose(struct core *core, const struct live *live, json_t *object)
{
	bool link = live->row.kind == ATTEMPT_LINK;
	time_t seconds = (time_t)(core->now_ms / 1000);
	struct tm utc;
	char text[16];

	json_object_set_new(object, "purpose", json_string(purpose_of(live)));
	json_object_set_new(object, "challenge",
	                    json_string(link ? core->config.link_challenge : "03"));
	if (core->flows->policy.decoupled_minutes && link)
		json_object_set_new(object, "decoupled_minutes",
		                    json_integer(core->flows->policy.decoupled_minutes));
	if (!is_for_payment(live))
		return;
	gmtime_r(&seconds, &utc);
	strftime(text, sizeof(text), "%Y%m%d%H%M%S", &utc);
	json_object_set_new(object, "amount", json_integer(live->row.amount));
	json_object_set_new(object, "currency", json_string(bank_currency(live->row.currency)));
	json_object_set_new(object, "sent_at", json_string(text));
}

void authentication_ask(struct core *core, struct live *live)
{
	struct authentication *a = &live->authentication;
	struct merchant merchant;
	json_t *object = json_object();
	char method[2] = { a->method ? a->method : 'U', 0 };

	if (!store_load(core->store, STORE_MERCHANTS, live->row.merchant, &merchant))
		memset(&merchant, 0, sizeof(merchant));
	json_object_set_new(object, "transaction", json_string(a->transaction));
	json_object_set_new(object, "version", json_string(a->version));
	json_object_set_new(object, "method", json_string(method));
	json_t *browser = a->browser ? json_loads(a->browser, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_object_del(browser, "window");
	json_object_set_new(object, "browser", browser ? browser : json_object());
	json_object_set_new(object, "results_url",
	                    url_of(core, core->config.results_url, "/3ds/results/",
	                           SECRET_OF_RESULT, live->row.id));
	json_object_set_new(object, "notification_url",
	                    url_of(core, core->config.public_url, "/3ds/done/", SECRET_OF_BROWSER,
	                           live->row.id));
	json_object_set_new(object, "requestor_url", json_string(merchant.url));
	json_object_set_new(object, "merchant_name", json_string(merchant.name));
	json_object_set_new(object, "window", json_string(a->window[0] ? a->window : "05"));
	add_purpose(core, live, object);
	send_line(core, live, ask(core, live, QUESTION_AUTHENTICATE), "authenticate",
	          core->now_ms + core->flows->policy.bank_ms, true, object);
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

void authentication_take_browser(struct authentication *a, const char *browser)
{
	json_t *object = json_loads(browser, JSON_REJECT_DUPLICATES, NULL);
	const char *window = json_string_value(json_object_get(object, "window"));

	free(a->browser);
	a->browser = strdup(browser);
	CHECK(a->browser);
	// challengeWindowSize: 01 to 05; anything else is the full screen.
	if (window && strlen(window) == 2 && window[0] == '0' && window[1] >= '1' &&
	    window[1] <= '5')
		memcpy(a->window, window, 3);
	else
		memcpy(a->window, "05", 3);
	json_decref(object);
}

void authentication_browser(struct core *core, struct live *live, const char *browser)
{
	if (live->authentication.browser)
		return;
	authentication_take_browser(&live->authentication, browser);
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

static json_t *result_line(const struct live *live, struct bytes body)
{
	const struct authentication *a = &live->authentication;
	json_t *expected =
	        json_pack("{s:s, s:s, s:s, s:s, s:s}", "transaction", a->transaction,
	                  "ds_transaction", a->ds_transaction, "acs_transaction",
	                  a->acs_transaction, "version", a->version, "purpose", purpose_of(live));

	if (live->row.state == ATTEMPT_CHALLENGING)
		json_object_set_new(expected, "decoupled", json_false());
	json_t *line =
	        json_pack("{s:o, s:o}", "body", json_stringn((const char *)body.data, body.length),
	                  "expected", expected);
	CHECK(line); // see is_text()
	return line;
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
	bool asked = false;

	if (live && live->authentication.acs_transaction[0] && is_text(body)) {
		struct question *question =
		        flows_ask(core, QUESTION_RESULTS, core_next_id(core), attempt);
		question->serial = serial;
		asked = send_line(core, live, question, "results", core->now_ms + RESULT_MS, false,
		                  result_line(live, body));
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
