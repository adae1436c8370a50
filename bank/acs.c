// The access control server's decisions, clocks and results. Messages are checked by lib/emv3ds;
// pages are in challenge.c. EMV 3-D Secure 2.2.0 sections 3.3 and 5.5 (time-outs).
#include "acs.h"

#include "map.h"
#include "outgoing.h"
#include "phone.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"
#include "http/form.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

enum {
	FIRST_CREQ_MS = 30 * 1000,
	PAGE_MS = 10 * 60 * 1000,
	REPORT_MS = 5 * 1000,
	REPORT_AGAIN_MS = 10 * 1000,
	REPORTS = 60,             // then it is given up
	KEPT_MS = 15 * 60 * 1000, // after the end, for those who load the page again
	TICK_MS = 250,
};

struct acs {
	struct map *transactions; // acsTransID -> struct acs_transaction
	uv_timer_t *timer;
	uint8_t code_key[32];
};

static void fill_random(void *memory, size_t length)
{
	CHECK(getrandom(memory, length, 0) == (ssize_t)length);
}

void web_uuid(char ret_uuid[static EMV3DS_ID + 1])
{
	uint8_t b[16];

	fill_random(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(ret_uuid, EMV3DS_ID + 1,
	         "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
	         b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
	         b[15]);
}

struct acs_transaction *acs_find(struct bank_web *web, const char *id)
{
	return map_get(web->acs->transactions, bytes_text(id));
}

const uint8_t *acs_code_key(struct bank_web *web)
{
	return web->acs->code_key;
}

void acs_page_sent(struct bank_web *web, struct acs_transaction *transaction)
{
	if (transaction->state == ACS_OPEN)
		transaction->until_ms = bank_now_ms(web->bank) + PAGE_MS;
}

// ------------------------------------------------------------------ results

static void report(struct bank_web *web, struct acs_transaction *transaction);

struct report {
	struct bank_web *web;
	char id[EMV3DS_ID + 1];
};

static bool proved(const char *status)
{
	return *status == 'Y' || *status == 'A';
}

static const char *eci_of(const char *brand, const char *category, char status)
{
	bool attempted = status == 'A';

	if (strcmp(brand, "mastercard") == 0) {
		if (attempted)
			return "01";
		return strcmp(category, "02") == 0 ? "N2" : "02";
	}
	if (strcmp(brand, "mir") == 0)
		return attempted ? "01" : "02";
	return attempted ? "06" : "05";
}

// A value of twenty random bytes; the host knows which it gave out for which card.
static void make_value(struct bank_web *web, const char *number, char ret_value[static 29])
{
	cleanup(buffer_done) struct buffer text = { 0 };
	uint8_t raw[20];

	fill_random(raw, sizeof(raw));
	buffer_init(&text, 64);
	base64_put(&text, BYTES_ARRAY(raw));
	snprintf(ret_value, 29, "%s", buffer_text(&text));
	bank_authentication_note(web->bank->authentications, number, ret_value,
	                         bank_now_ms(web->bank));
}

static json_t *make_rreq(const struct acs_transaction *transaction)
{
	static const char *const types[] = { "02", "03", "04" };
	static const char *const methods[] = { "02", "11", "12" };
	json_t *rreq = emv3ds_new(EMV3DS_RREQ);
	char counter[12];
	bool decided = *transaction->status == 'Y' || *transaction->status == 'N';

	CHECK(rreq);
	snprintf(counter, sizeof(counter), "%02u",
	         transaction->interactions > 99 ? 99 : transaction->interactions);
	CHECK(emv3ds_put(rreq, "threeDSServerTransID", transaction->transaction) &&
	      emv3ds_put(rreq, "dsTransID", transaction->ds_transaction) &&
	      emv3ds_put(rreq, "acsTransID", transaction->id) &&
	      emv3ds_put(rreq, "messageCategory", transaction->category) &&
	      emv3ds_put(rreq, "transStatus", transaction->status) &&
	      emv3ds_put(rreq, "transStatusReason", transaction->reason) &&
	      emv3ds_put(rreq, "challengeCancel", transaction->cancel) &&
	      emv3ds_put(rreq, "eci", transaction->eci) &&
	      emv3ds_put(rreq, "authenticationValue", transaction->value));
	if (decided)
		CHECK(emv3ds_put(rreq, "authenticationType", types[transaction->way]) &&
		      emv3ds_put(rreq, "authenticationMethod", methods[transaction->way]));
	if (transaction->way != ACS_DECOUPLED)
		CHECK(emv3ds_put(rreq, "interactionCounter", counter));
	return rreq;
}

static void let_go(struct bank_web *web, struct acs_transaction *transaction)
{
	struct serve_request *held = transaction->held;

	transaction->held = NULL;
	if (held)
		challenge_answer_over(web, transaction, held);
}

static void over(struct bank_web *web, struct acs_transaction *transaction)
{
	transaction->state = ACS_OVER;
	transaction->until_ms = bank_now_ms(web->bank) + KEPT_MS;
	let_go(web, transaction);
}

// True when the answer is an RRes of this transaction, or an Erro: both end the reporting.
static bool is_taken(const struct acs_transaction *transaction, struct bytes body)
{
	struct emv3ds_known known = { .reader = EMV3DS_AT_ACS,
		                      .accepts = EMV3DS_BIT(EMV3DS_RRES) | EMV3DS_BIT(EMV3DS_ERRO),
		                      .version = EMV3DS_VERSION,
		                      .transaction = transaction->transaction,
		                      .ds_transaction = transaction->ds_transaction,
		                      .acs_transaction = transaction->id };
	struct emv3ds_reading reading = emv3ds_read(body, &known);
	bool transient = false;

	if (reading.problem.code == EMV3DS_FINE && reading.type == EMV3DS_ERRO) {
		const char *code = emv3ds_text(reading.message, "errorCode");

		transient = code[0] == '4' && strcmp(code, "404") != 0;
		log_event(LOG_WARN, "result_refused", LOG_TEXT("error", code),
		          LOG_TEXT("detail", emv3ds_text(reading.message, "errorDetail")));
	}
	json_decref(reading.message);
	return reading.problem.code == EMV3DS_FINE && !transient;
}

static void on_reported(enum outgoing_end end, struct bytes body, void *owner)
{
	struct report *sent = owner;
	struct bank_web *web = sent->web;
	struct acs_transaction *transaction = acs_find(web, sent->id);

	free(sent);
	if (!transaction)
		return;
	transaction->on_its_way = false;
	if (end == OUTGOING_ANSWERED && is_taken(transaction, body)) {
		over(web, transaction);
	} else if (transaction->reports == 1) {
		report(web, transaction); // at once, once
	} else if (transaction->reports < REPORTS) {
		// The shopper goes back and hears there that the result is not known yet.
		transaction->report_again_ms = bank_now_ms(web->bank) + REPORT_AGAIN_MS;
		let_go(web, transaction);
	} else {
		log_event(LOG_ERROR, "result_given_up", LOG_NUMBER("tries", transaction->reports));
		over(web, transaction);
	}
}

static void report(struct bank_web *web, struct acs_transaction *transaction)
{
	cleanup(cleanup_json) json_t *rreq = make_rreq(transaction);
	cleanup(buffer_done) struct buffer text = { 0 };
	struct report *sent = calloc(1, sizeof(*sent));

	CHECK(sent);
	sent->web = web;
	snprintf(sent->id, sizeof(sent->id), "%s", transaction->id);
	transaction->reports++;
	transaction->report_again_ms = 0;
	transaction->on_its_way = true;
	buffer_init(&text, 16 * 1024);
	CHECK(result_ok(emv3ds_write(rreq, &text)));
	outgoing_post(web->outgoing, transaction->ds_url, buffer_view(&text), REPORT_MS,
	              on_reported, sent);
}

void acs_decide(struct bank_web *web, struct acs_transaction *transaction, const char *status,
                const char *reason, const char *cancel)
{
	if (transaction->state != ACS_EXPECTED && transaction->state != ACS_OPEN)
		return;
	snprintf(transaction->status, sizeof(transaction->status), "%s", status);
	snprintf(transaction->reason, sizeof(transaction->reason), "%s", reason);
	snprintf(transaction->cancel, sizeof(transaction->cancel), "%s", cancel);
	if (proved(status)) {
		snprintf(transaction->eci, sizeof(transaction->eci), "%s",
		         eci_of(transaction->brand, transaction->category, *status));
		make_value(web, transaction->number, transaction->value);
	}
	if (transaction->app_request)
		phone_withdraw(web, transaction->app_request);
	transaction->app_request = 0;
	transaction->state = ACS_REPORTING;
	report(web, transaction);
}

void acs_app_answer(struct bank_web *web, const char *id, bool approved)
{
	struct acs_transaction *transaction = acs_find(web, id);

	if (!transaction)
		return;
	transaction->app_request = 0;
	transaction->interactions++;
	if (transaction->way == ACS_BY_SMS) // asked for a code in between, and answered here
		transaction->way = ACS_BY_APP;
	acs_decide(web, transaction, approved ? "Y" : "N", approved ? "" : "01", "");
}

// ------------------------------------------------------------------ reaching the shopper

static void send_code(struct bank_web *web, struct acs_transaction *transaction)
{
	char code[CODE_DIGITS + 1];
	cleanup(buffer_done) struct buffer text = { 0 };
	size_t length = strlen(transaction->number);
	const struct page_value values[] = {
		{ "code", code },
		{ "shop", transaction->merchant },
		{ "last4", transaction->number + length - 4 },
		{ "amount", transaction->amount },
		{ "shop_host", transaction->shop_host },
		{ "bank_host", web->host },
	};

	code_make(&transaction->code, web->acs->code_key, transaction->id, bank_now_ms(web->bank),
	          code);
	buffer_init_secret(&text, 2000);
	CHECK(result_ok(page_put_plain(&text, *transaction->amount ? "sms_pay" : "sms_link",
	                               transaction->russian, values,
	                               sizeof(values) / sizeof(values[0]))));
	phone_take_sms(web, PHONE_NUMBER, "Sandbox Bank", buffer_text(&text));
	explicit_bzero(code, sizeof(code));
}

void acs_contact(struct bank_web *web, struct acs_transaction *transaction)
{
	if (transaction->way == ACS_BY_SMS)
		send_code(web, transaction);
	else if (!transaction->app_request)
		transaction->app_request = phone_ask(
		        web, transaction->id, transaction->merchant,
		        transaction->number + strlen(transaction->number) - 4, transaction->amount);
}

// ------------------------------------------------------------------ AReq

static void copy(char *to, size_t size, struct bytes from)
{
	size_t length = from.length < size ? from.length : size - 1;

	// Cut between characters.
	while (length < from.length && length > 0 && (from.data[length] & 0xc0) == 0x80)
		length--;
	if (length)
		memcpy(to, from.data, length);
	to[length] = 0;
}

#define COPY(to, message, name) copy((to), sizeof(to), bytes_text(emv3ds_text((message), (name))))

// "1 299.00 RUB"
static void put_amount(struct acs_transaction *transaction, const json_t *areq)
{
	static const char *const names[][2] = { { "643", "RUB" }, { "840", "USD" },
		                                { "978", "EUR" }, { "826", "GBP" },
		                                { "933", "BYN" }, { "398", "KZT" } };
	const char *currency = emv3ds_text(areq, "purchaseCurrency");
	const char *digits = emv3ds_text(areq, "purchaseAmount");
	unsigned exponent = (unsigned)strtoul(emv3ds_text(areq, "purchaseExponent"), NULL, 10);
	unsigned long long amount = strtoull(digits, NULL, 10);
	unsigned long long one = 1;

	if (strcmp(transaction->category, "01") != 0)
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i][0], currency) == 0)
			currency = names[i][1];
	for (unsigned i = 0; i < exponent && i < 4; i++)
		one *= 10;
	snprintf(transaction->amount, sizeof(transaction->amount), "%llu%s%.*llu %s", amount / one,
	         exponent ? (transaction->russian ? "," : ".") : "", (int)exponent, amount % one,
	         currency);
	if (!exponent)
		snprintf(transaction->amount, sizeof(transaction->amount), "%llu %s", amount,
		         currency);
}

static struct acs_transaction *keep(struct bank_web *web, const json_t *areq,
                                    const struct bank_card *card)
{
	struct acs_transaction *transaction = calloc(1, sizeof(*transaction));
	const char *url = emv3ds_text(areq, "threeDSRequestorURL");
	uint8_t token[16];
	cleanup(buffer_done) struct buffer hex = { 0 };

	CHECK(transaction);
	web_uuid(transaction->id);
	COPY(transaction->transaction, areq, "threeDSServerTransID");
	COPY(transaction->ds_transaction, areq, "dsTransID");
	COPY(transaction->ds_url, areq, "dsURL");
	COPY(transaction->notification_url, areq, "notificationURL");
	COPY(transaction->merchant, areq,
	     *emv3ds_text(areq, "merchantName") ? "merchantName" : "threeDSRequestorName");
	COPY(transaction->category, areq, "messageCategory");
	copy(transaction->shop_host, sizeof(transaction->shop_host),
	     emv3ds_url_host(bytes_text(url)));
	copy(transaction->requestor_origin, sizeof(transaction->requestor_origin),
	     emv3ds_url_origin(bytes_text(url)));
	snprintf(transaction->number, sizeof(transaction->number), "%s", card->number);
	snprintf(transaction->brand, sizeof(transaction->brand), "%s", card->row->brand);
	transaction->russian = strncmp(emv3ds_text(areq, "browserLanguage"), "ru", 2) == 0;
	put_amount(transaction, areq);
	fill_random(token, sizeof(token));
	buffer_init(&hex, 64);
	hex_put(&hex, BYTES_ARRAY(token));
	snprintf(transaction->form_token, sizeof(transaction->form_token), "%s", buffer_text(&hex));
	transaction->until_ms = bank_now_ms(web->bank) + FIRST_CREQ_MS;
	map_set(web->acs->transactions, bytes_text(transaction->id), transaction);
	return transaction;
}

static json_t *ares_for(const json_t *areq, const char *acs_transaction, const char *status)
{
	static const char *const same[] = { "threeDSServerTransID", "dsTransID",
		                            "dsReferenceNumber", NULL };
	json_t *ares = emv3ds_new(EMV3DS_ARES);

	CHECK(ares && emv3ds_copy(ares, areq, same) &&
	      emv3ds_put(ares, "acsTransID", acs_transaction) &&
	      emv3ds_put(ares, "acsReferenceNumber", "SANDBOX-ACS-0001") &&
	      emv3ds_put(ares, "transStatus", status));
	return ares;
}

// Without the shopper: Y and A with a value, N and U with a reason.
static json_t *decide_now(struct bank_web *web, const json_t *areq, const struct bank_card *card,
                          const char *status, const char *reason)
{
	char id[EMV3DS_ID + 1];
	char value[29];
	json_t *ares;

	web_uuid(id);
	ares = ares_for(areq, id, status);
	CHECK(emv3ds_put(ares, "transStatusReason", reason));
	if (proved(status)) {
		make_value(web, card->number, value);
		CHECK(emv3ds_put(ares, "authenticationValue", value) &&
		      emv3ds_put(ares, "eci",
		                 eci_of(card->row->brand, emv3ds_text(areq, "messageCategory"),
		                        *status)));
	}
	return ares;
}

static json_t *challenge(struct bank_web *web, const json_t *areq, const struct bank_card *card,
                         enum acs_way way)
{
	struct acs_transaction *transaction = keep(web, areq, card);
	json_t *ares = ares_for(areq, transaction->id, "C");
	char url[200];

	transaction->way = way;
	snprintf(url, sizeof(url), "%s/acs/challenge", web->origin);
	CHECK(emv3ds_put(ares, "acsURL", url) && emv3ds_put(ares, "acsChallengeMandated", "Y") &&
	      emv3ds_put(ares, "authenticationType", way == ACS_BY_SMS ? "02" : "03"));
	return ares;
}

static json_t *decouple(struct bank_web *web, const json_t *areq, const struct bank_card *card)
{
	struct acs_transaction *transaction;
	json_t *ares;
	unsigned long minutes;
	cleanup(buffer_done) struct buffer text = { 0 };

	// Only when it was asked for; otherwise the same tap, in a challenge.
	if (*emv3ds_text(areq, "threeDSRequestorDecReqInd") != 'Y')
		return challenge(web, areq, card, ACS_BY_APP);
	minutes = strtoul(emv3ds_text(areq, "threeDSRequestorDecMaxTime"), NULL, 10);
	transaction = keep(web, areq, card);
	transaction->way = ACS_DECOUPLED;
	transaction->until_ms = bank_now_ms(web->bank) + (int64_t)minutes * 60 * 1000;
	ares = ares_for(areq, transaction->id, "D");
	buffer_init(&text, 2000);
	CHECK(result_ok(page_put_plain(&text, "decoupled_info", transaction->russian, NULL, 0)));
	CHECK(emv3ds_put(ares, "acsDecConInd", "Y") &&
	      emv3ds_put(ares, "acsChallengeMandated", "Y") &&
	      emv3ds_put(ares, "authenticationType", "04") &&
	      emv3ds_put(ares, "cardholderInfo", buffer_text(&text)));
	acs_contact(web, transaction);
	return ares;
}

static json_t *decide(struct bank_web *web, const json_t *areq, const struct bank_card *card)
{
	bool mandated = strcmp(emv3ds_text(areq, "threeDSRequestorChallengeInd"), "04") == 0;

	switch (card->behaviour.challenge) {
	case BANK_FRICTIONLESS:
		if (mandated)
			return challenge(web, areq, card, ACS_BY_SMS);
		return decide_now(web, areq, card, "Y", "");
	case BANK_CODE_BY_SMS: return challenge(web, areq, card, ACS_BY_SMS);
	case BANK_TAP_IN_APP: return challenge(web, areq, card, ACS_BY_APP);
	case BANK_DECOUPLED: return decouple(web, areq, card);
	case BANK_ATTEMPTED: return decide_now(web, areq, card, "A", "");
	case BANK_REFUSED: return decide_now(web, areq, card, "N", "11");
	default: return decide_now(web, areq, card, "U", "22");
	}
}

void web_message(struct serve_request *request, const json_t *message)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct serve_reply reply = { .status = 200, .type = "application/JSON; charset=UTF-8" };

	buffer_init(&text, 1024 * 1024);
	CHECK(result_ok(emv3ds_write(message, &text)));
	reply.body = buffer_view(&text);
	serve_reply(request, &reply);
}

json_t *acs_answer(struct bank_web *web, const json_t *areq)
{
	struct emv3ds_known known = { .reader = EMV3DS_AT_ACS, .accepts = EMV3DS_BIT(EMV3DS_AREQ) };
	struct emv3ds_problem problem = emv3ds_check(areq, &known, NULL);
	struct bank_card card;

	if (problem.code == EMV3DS_FINE &&
	    !bank_cards_find(web->bank->cards, bytes_text(emv3ds_text(areq, "acctNumber")), &card))
		problem = emv3ds_problem(EMV3DS_TRANSACTION_DATA, "acctNumber");
	if (problem.code == EMV3DS_FINE)
		return decide(web, areq, &card);
	json_t *erro = emv3ds_erro('A', &problem, areq, emv3ds_text(areq, "messageType"));
	CHECK(erro);
	return erro;
}

// ------------------------------------------------------------------ clocks

static void look_at(void *context, struct bytes key, void *value)
{
	struct bank_web *web = context;
	struct acs_transaction *transaction = value;
	int64_t now_ms = bank_now_ms(web->bank);
	bool decoupled = transaction->way == ACS_DECOUPLED;

	(void)key;
	if (transaction->report_again_ms && now_ms >= transaction->report_again_ms)
		report(web, transaction);
	if (now_ms < transaction->until_ms)
		return;
	if (transaction->state == ACS_EXPECTED && decoupled)
		acs_decide(web, transaction, "U", "26", "03");
	else if (transaction->state == ACS_EXPECTED)
		acs_decide(web, transaction, "N", "14", "05");
	else if (transaction->state == ACS_OPEN)
		acs_decide(web, transaction, "N", "14", "04");
	else if (transaction->state == ACS_OVER)
		transaction->forget = true;
}

struct sweep {
	struct acs_transaction *found[64];
	size_t count;
};

static void find_forgotten(void *context, struct bytes key, void *value)
{
	struct sweep *sweep = context;
	struct acs_transaction *transaction = value;

	(void)key;
	if (transaction->forget && sweep->count < sizeof(sweep->found) / sizeof(sweep->found[0]))
		sweep->found[sweep->count++] = transaction;
}

static void on_tick(uv_timer_t *timer)
{
	struct bank_web *web = timer->data;
	struct sweep sweep = { 0 };

	map_each(web->acs->transactions, look_at, web);
	map_each(web->acs->transactions, find_forgotten, &sweep);
	for (size_t i = 0; i < sweep.count; i++)
		free(map_remove(web->acs->transactions, bytes_text(sweep.found[i]->id)));
}

struct acs *acs_new(struct bank_web *web)
{
	struct acs *acs = calloc(1, sizeof(*acs));

	CHECK(acs);
	acs->transactions = map_new();
	acs->timer = calloc(1, sizeof(*acs->timer));
	CHECK(acs->timer);
	fill_random(acs->code_key, sizeof(acs->code_key));
	uv_timer_init(web->bank->loop, acs->timer);
	acs->timer->data = web;
	uv_timer_start(acs->timer, on_tick, TICK_MS, TICK_MS);
	uv_unref((uv_handle_t *)acs->timer);
	return acs;
}

static void free_timer(uv_handle_t *handle)
{
	free(handle);
}

void acs_free(struct acs *acs)
{
	if (!acs)
		return;
	uv_close((uv_handle_t *)acs->timer, free_timer);
	map_free(acs->transactions, free);
	explicit_bzero(acs, sizeof(*acs));
	free(acs);
}
