// The directory server: POST /ds takes PReq and AReq from the shop's side and RReq from the access
// control server. That server is in this program, and an AReq goes to it without a line between.
// EMV 3-D Secure 2.2.0 sections 3.3, 5.6, 5.9.2 and 5.9.8.
#include "ds.h"

#include "acs.h"
#include "map.h"
#include "outgoing.h"

#include "emv3ds/build.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

enum {
	RESULT_ANSWER_MS = 3 * 1000,
	KEPT_MS = 60 * 60 * 1000,
	TICK_MS = 60 * 1000,
};

#define DS_REFERENCE "SANDBOX-DS-0001"

// What is remembered of a transaction that was challenged, until its result came by.
struct passed {
	char ds_transaction[EMV3DS_ID + 1];
	char transaction[EMV3DS_ID + 1];
	char acs_transaction[EMV3DS_ID + 1];
	char server_url[2049];
	char category[3];
	bool decoupled;
	int64_t until_ms;
};

struct ds {
	struct map *passed; // dsTransID -> struct passed
	uv_timer_t *timer;
	char serial[21]; // serialNum: new with every start, because the ranges may be new
};

// A result that is under way to the shop's side.
struct hop {
	struct serve_request *request;
	json_t *rreq;
};

static void answer_erro(struct serve_request *request, enum emv3ds_code code, const char *detail,
                        const json_t *about)
{
	struct emv3ds_problem problem = emv3ds_problem(code, detail);
	const char *type = emv3ds_text(about, "messageType");
	cleanup(cleanup_json) json_t *erro = emv3ds_erro('D', &problem, about, type);

	web_message(request, erro);
}

// ------------------------------------------------------------------ PReq

// A range is never one card at a real scheme: whoever keeps the list would keep a card number. The
// neighbours of a card do not pass the check digit, so nobody else gets in.
static void widen(const struct bank_card_row *row, char ret_first[static 20],
                  char ret_last[static 20])
{
	unsigned long long first = strtoull(row->first, NULL, 10);
	unsigned long long last = strtoull(row->last, NULL, 10);
	int digits = (int)strlen(row->first);

	if (first == last) {
		first -= 2;
		last += 3;
	}
	snprintf(ret_first, 20, "%0*llu", digits, first);
	snprintf(ret_last, 20, "%0*llu", digits, last);
}

static json_t *describe_range(const struct bank_web *web, const struct bank_card_row *row)
{
	char method[200];
	char first[20];
	char last[20];

	widen(row, first, last);
	json_t *range =
	        json_pack("{s:s,s:s,s:s,s:s,s:s,s:[s,s,s]}", "startRange", first, "endRange", last,
	                  "actionInd", "A", "acsStartProtocolVersion", EMV3DS_VERSION,
	                  "acsEndProtocolVersion", EMV3DS_VERSION, "acsInfoInd", "01", "02", "03");

	CHECK(range);
	// The bench's million cards go without the bank's method, so that both kinds of range
	// exist.
	snprintf(method, sizeof(method), "%s/acs/method", web->origin);
	if (strcmp(row->first, "4100000000000000") != 0)
		CHECK(emv3ds_put(range, "threeDSMethodURL", method));
	return range;
}

static void answer_preq(struct bank_web *web, struct serve_request *request, const json_t *preq)
{
	cleanup(cleanup_json) json_t *pres = emv3ds_new(EMV3DS_PRES);
	const char *serial = emv3ds_text(preq, "serialNum");
	char id[EMV3DS_ID + 1];
	json_t *list = json_array();
	const struct bank_card_row *row;

	web_uuid(id);
	CHECK(pres && list);
	CHECK(emv3ds_put(pres, "threeDSServerTransID", emv3ds_text(preq, "threeDSServerTransID")) &&
	      emv3ds_put(pres, "dsTransID", id) && emv3ds_put(pres, "serialNum", web->ds->serial) &&
	      emv3ds_put(pres, "dsStartProtocolVersion", "2.1.0") &&
	      emv3ds_put(pres, "dsEndProtocolVersion", EMV3DS_VERSION));
	for (size_t i = 0; (row = bank_cards_row(i)); i++)
		if (row->behaviour.challenge != BANK_NOT_ENROLLED)
			CHECK(json_array_append_new(list, describe_range(web, row)) == 0);
	if (*serial && strcmp(serial, web->ds->serial) != 0) {
		json_decref(list);
		answer_erro(request, EMV3DS_SERIAL_NUMBER, "serialNum", preq);
		return;
	}
	if (*serial) // nothing has changed since
		json_decref(list);
	else
		CHECK(json_object_set_new(pres, "cardRangeData", list) == 0);
	web_message(request, pres);
}

// ------------------------------------------------------------------ AReq

static void remember(struct bank_web *web, const json_t *areq, const json_t *ares)
{
	const char *status = emv3ds_text(ares, "transStatus");
	struct passed *passed;
	unsigned long minutes = strtoul(emv3ds_text(areq, "threeDSRequestorDecMaxTime"), NULL, 10);

	if (*status != 'C' && *status != 'D')
		return;
	passed = calloc(1, sizeof(*passed));
	CHECK(passed);
#define KEEP(to, from, name) snprintf(passed->to, sizeof(passed->to), "%s", emv3ds_text(from, name))
	KEEP(ds_transaction, ares, "dsTransID");
	KEEP(transaction, ares, "threeDSServerTransID");
	KEEP(acs_transaction, ares, "acsTransID");
	KEEP(server_url, areq, "threeDSServerURL");
	KEEP(category, areq, "messageCategory");
#undef KEEP
	passed->decoupled = *status == 'D';
	passed->until_ms = bank_now_ms(web->bank) + KEPT_MS + (int64_t)minutes * 60 * 1000;
	map_set(web->ds->passed, bytes_text(passed->ds_transaction), passed);
}

// What the access control server says is checked as if a stranger had said it.
static void answer_ares(struct bank_web *web, struct serve_request *request, const json_t *areq,
                        const json_t *ares)
{
	const char *challenge = emv3ds_text(areq, "threeDSRequestorChallengeInd");
	struct emv3ds_known known = {
		.reader = EMV3DS_AT_DIRECTORY,
		.accepts = EMV3DS_BIT(EMV3DS_ARES) | EMV3DS_BIT(EMV3DS_ERRO),
		.version = EMV3DS_VERSION,
		.transaction = emv3ds_text(areq, "threeDSServerTransID"),
		.ds_transaction = emv3ds_text(areq, "dsTransID"),
		.category = emv3ds_text(areq, "messageCategory"),
		.challenge = *challenge ? challenge : NULL,
		.decoupled_asked = *emv3ds_text(areq, "threeDSRequestorDecReqInd") == 'Y',
	};
	enum emv3ds_type type;
	struct emv3ds_problem problem = emv3ds_check(ares, &known, &type);

	if (problem.code != EMV3DS_FINE) {
		answer_erro(request, problem.code, problem.detail, ares);
		return;
	}
	if (type == EMV3DS_ARES)
		remember(web, areq, ares);
	web_message(request, ares);
}

static void pass_areq(struct bank_web *web, struct serve_request *request, json_t *areq)
{
	struct bank_card card;
	char id[EMV3DS_ID + 1];
	char url[200];

	if (!bank_cards_find(web->bank->cards, bytes_text(emv3ds_text(areq, "acctNumber")),
	                     &card) ||
	    card.behaviour.challenge == BANK_NOT_ENROLLED) {
		answer_erro(request, EMV3DS_TRANSACTION_DATA, "acctNumber", areq);
		return;
	}
	if (card.behaviour.challenge == BANK_DS_FAILS) {
		answer_erro(request, EMV3DS_TRANSIENT, "the directory server has a bad day", areq);
		return;
	}
	web_uuid(id);
	snprintf(url, sizeof(url), "%s/ds", web->origin);
	CHECK(emv3ds_put(areq, "dsTransID", id) &&
	      emv3ds_put(areq, "dsReferenceNumber", DS_REFERENCE) &&
	      emv3ds_put(areq, "dsURL", url));
	cleanup(cleanup_json) json_t *ares = acs_answer(web, areq);
	answer_ares(web, request, areq, ares);
}

// ------------------------------------------------------------------ RReq

static void on_rres(enum outgoing_end end, struct bytes body, void *owner)
{
	struct hop *hop = owner;
	const json_t *rreq = hop->rreq;
	struct emv3ds_known known = {
		.reader = EMV3DS_AT_DIRECTORY,
		.accepts = EMV3DS_BIT(EMV3DS_RRES) | EMV3DS_BIT(EMV3DS_ERRO),
		.version = EMV3DS_VERSION,
		.transaction = emv3ds_text(rreq, "threeDSServerTransID"),
		.ds_transaction = emv3ds_text(rreq, "dsTransID"),
		.acs_transaction = emv3ds_text(rreq, "acsTransID"),
	};
	struct emv3ds_reading reading = { 0 };

	if (end == OUTGOING_ANSWERED)
		reading = emv3ds_read(body, &known);
	if (end != OUTGOING_ANSWERED)
		answer_erro(hop->request,
		            end == OUTGOING_NO_CONNECTION ? EMV3DS_NO_CONNECTION : EMV3DS_TIMED_OUT,
		            "the shop's side does not answer", rreq);
	else if (reading.problem.code != EMV3DS_FINE)
		answer_erro(hop->request, reading.problem.code, reading.problem.detail,
		            reading.message);
	else
		web_message(hop->request, reading.message);
	json_decref(reading.message);
	json_decref(hop->rreq);
	free(hop);
}

static void pass_on(struct bank_web *web, struct serve_request *request, json_t *rreq,
                    const char *url)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct hop *hop = calloc(1, sizeof(*hop));

	CHECK(hop);
	*hop = (struct hop){ request, json_incref(rreq) };
	buffer_init(&text, 256 * 1024);
	CHECK(result_ok(emv3ds_write(rreq, &text)));
	outgoing_post(web->outgoing, url, buffer_view(&text), RESULT_ANSWER_MS, on_rres, hop);
}

static void pass_rreq(struct bank_web *web, struct serve_request *request, json_t *rreq)
{
	const struct passed *passed =
	        map_get(web->ds->passed, bytes_text(emv3ds_text(rreq, "dsTransID")));
	struct emv3ds_known known = { .reader = EMV3DS_AT_DIRECTORY,
		                      .accepts = EMV3DS_BIT(EMV3DS_RREQ) };
	struct emv3ds_problem problem;

	if (!passed) {
		answer_erro(request, EMV3DS_UNKNOWN_ID, "dsTransID", rreq);
		return;
	}
	known.transaction = passed->transaction;
	known.acs_transaction = passed->acs_transaction;
	known.category = passed->category;
	known.decoupled = passed->decoupled;
	problem = emv3ds_check(rreq, &known, NULL);
	if (problem.code != EMV3DS_FINE) {
		answer_erro(request, problem.code, problem.detail, rreq);
		return;
	}
	// Between access control server and directory server only (annex B.7).
	json_object_del(rreq, "authenticationMethod");
	pass_on(web, request, rreq, passed->server_url);
}

// ------------------------------------------------------------------ POST /ds

static void take_erro(struct serve_request *request, const json_t *erro)
{
	struct serve_reply reply = { .status = 200 };

	log_event(LOG_WARN, "erro_received", LOG_TEXT("error", emv3ds_text(erro, "errorCode")),
	          LOG_TEXT("detail", emv3ds_text(erro, "errorDetail")));
	serve_reply(request, &reply);
}

void ds_handle(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	struct emv3ds_known known = { .reader = EMV3DS_AT_DIRECTORY,
		                      .accepts = EMV3DS_BIT(EMV3DS_PREQ) | EMV3DS_BIT(EMV3DS_AREQ) |
		                                 EMV3DS_BIT(EMV3DS_RREQ) | EMV3DS_BIT(EMV3DS_ERRO),
		                      .decoupled = true };
	struct emv3ds_reading reading = emv3ds_read(request->http->body, &known);
	cleanup(cleanup_json) json_t *message = reading.message;

	(void)rest;
	if (reading.problem.code != EMV3DS_FINE)
		answer_erro(request, reading.problem.code, reading.problem.detail, message);
	else if (reading.type == EMV3DS_PREQ)
		answer_preq(web, request, message);
	else if (reading.type == EMV3DS_AREQ)
		pass_areq(web, request, message);
	else if (reading.type == EMV3DS_RREQ)
		pass_rreq(web, request, message);
	else
		take_erro(request, message);
}

// ------------------------------------------------------------------ memory

struct old {
	int64_t now_ms;
	const struct passed *found[256];
	size_t count;
};

static void find_old(void *context, struct bytes key, void *value)
{
	struct old *old = context;
	const struct passed *passed = value;

	(void)key;
	if (passed->until_ms < old->now_ms && old->count < 256)
		old->found[old->count++] = passed;
}

static void on_tick(uv_timer_t *timer)
{
	struct bank_web *web = timer->data;
	struct old old = { .now_ms = bank_now_ms(web->bank) };

	map_each(web->ds->passed, find_old, &old);
	for (size_t i = 0; i < old.count; i++)
		free(map_remove(web->ds->passed, bytes_text(old.found[i]->ds_transaction)));
}

struct ds *ds_new(struct bank_web *web)
{
	struct ds *ds = calloc(1, sizeof(*ds));

	CHECK(ds);
	ds->passed = map_new();
	ds->timer = calloc(1, sizeof(*ds->timer));
	CHECK(ds->timer);
	snprintf(ds->serial, sizeof(ds->serial), "%lld", (long long)clock_wall_ms());
	uv_timer_init(web->bank->loop, ds->timer);
	ds->timer->data = web;
	uv_timer_start(ds->timer, on_tick, TICK_MS, TICK_MS);
	uv_unref((uv_handle_t *)ds->timer);
	return ds;
}

static void free_timer(uv_handle_t *handle)
{
	free(handle);
}

void ds_free(struct ds *ds)
{
	if (!ds)
		return;
	uv_close((uv_handle_t *)ds->timer, free_timer);
	map_free(ds->passed, free);
	free(ds);
}
