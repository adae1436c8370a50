// The pages of the access control server: the bank's method, the challenge in its two ways (code by
// SMS, tap in the bank's app), and the way back. Every step answers with a redirect to one page, so
// that a reload continues where the shopper was. EMV 3-D Secure 2.2.0 sections 3.3, 5.8.1
// and 5.8.2.
#include "acs.h"

#include "phone.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"
#include "http/form.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void refuse_page(struct bank_web *web, struct serve_request *request, int status,
                        const struct emv3ds_problem *problem)
{
	char code[16];
	const struct page_value values[] = { { "code", code }, { "detail", problem->detail } };

	snprintf(code, sizeof(code), "%d", (int)problem->code);
	web_page(web, request, status, "problem.html", web_wants_russian(request), values,
	         COUNT(values), NULL);
}

static struct result decode(struct bytes value, struct buffer *out)
{
	return emv3ds_base64url_read(value, out);
}

// ------------------------------------------------------------------ the bank's method

void acs_handle_method(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(http_form_done) struct http_form form = { 0 };
	cleanup(buffer_done) struct buffer text = { 0 };
	cleanup(buffer_done) struct buffer back = { 0 };
	cleanup(buffer_done) struct buffer encoded = { 0 };
	cleanup(cleanup_json) json_t *data = NULL;
	struct emv3ds_problem problem = emv3ds_problem(EMV3DS_FORMAT, "threeDSMethodData");
	const char *url;
	struct bytes origin;
	char forms[300];

	(void)rest;
	buffer_init(&text, 8192);
	buffer_init(&back, 8192);
	buffer_init(&encoded, 8192);
	if (result_ok(http_form_read(request->http->body, &form)) &&
	    result_ok(decode(http_form_get(&form, "threeDSMethodData"), &text)))
		data = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES,
		                  NULL);
	url = emv3ds_text(data, "threeDSMethodNotificationURL");
	if (strlen(emv3ds_text(data, "threeDSServerTransID")) != EMV3DS_ID ||
	    !emv3ds_url_ok(bytes_text(url))) {
		refuse_page(web, request, 400, &problem);
		return;
	}
	buffer_put_text(&back, "{\"threeDSServerTransID\":");
	json_put_text(&back, bytes_text(emv3ds_text(data, "threeDSServerTransID")));
	buffer_put_text(&back, "}");
	base64url_put(&encoded, buffer_view(&back));
	origin = emv3ds_url_origin(bytes_text(url));
	snprintf(forms, sizeof(forms), "%.*s", (int)origin.length, (const char *)origin.data);
	const struct page_value values[] = { { "url", url },
		                             { "field", "threeDSMethodData" },
		                             { "data", buffer_text(&encoded) } };

	web_page(web, request, 200, "return.html", web_wants_russian(request), values,
	         COUNT(values), forms);
}

// ------------------------------------------------------------------ the way back

// A form that posts itself, with a button for browsers without scripts, to where the shop waits.
static void send_back(struct bank_web *web, struct serve_request *request,
                      const struct acs_transaction *transaction, const json_t *message)
{
	cleanup(buffer_done) struct buffer text = { 0 };
	struct bytes origin = emv3ds_url_origin(bytes_text(transaction->notification_url));
	char forms[700];

	buffer_init(&text, 16 * 1024);
	CHECK(result_ok(emv3ds_write_base64url(message, &text)));
	// The page that the form leads to may itself send the shopper on to the shop.
	snprintf(forms, sizeof(forms), "%.*s %s", (int)origin.length, (const char *)origin.data,
	         transaction->requestor_origin);
	const struct page_value values[] = {
		{ "url", transaction->notification_url },
		{ "field", "cres" },
		{ "data", buffer_text(&text) },
		{ "session", transaction->has_session ? transaction->session : "" },
		{ "merchant", transaction->merchant },
	};

	web_page(web, request, 200, "return.html", transaction->russian, values, COUNT(values),
	         forms);
}

void challenge_answer_over(struct bank_web *web, struct acs_transaction *transaction,
                           struct serve_request *request)
{
	cleanup(cleanup_json) json_t *cres = emv3ds_cres(transaction->transaction, transaction->id,
	                                                 *transaction->status == 'Y' ? "Y" : "N");

	CHECK(cres);
	send_back(web, request, transaction, cres);
}

// ------------------------------------------------------------------ the first CReq

static void go_to_page(struct serve_request *request, const struct acs_transaction *transaction)
{
	char location[100];

	snprintf(location, sizeof(location), "/acs/page/%s", transaction->id);
	web_redirect(request, location);
}

static bool take_session(const struct http_form *form, struct acs_transaction *transaction)
{
	struct bytes session = http_form_get(form, "threeDSSessionData");

	if (!session.data)
		return true;
	transaction->has_session = true;
	return bytes_copy_text(session, transaction->session, sizeof(transaction->session));
}

// Checks a CReq against the transaction that it names. A page that is loaded again sends the same
// text again; another text under the same ids is an attack or a mistake.
static struct emv3ds_problem judge_creq(const struct http_form *form, const json_t *creq,
                                        const char *text, struct acs_transaction *transaction)
{
	struct emv3ds_known known = { .reader = EMV3DS_AT_ACS,
		                      .accepts = EMV3DS_BIT(EMV3DS_CREQ),
		                      .version = EMV3DS_VERSION,
		                      .transaction = transaction->transaction,
		                      .acs_transaction = transaction->id };
	struct emv3ds_problem problem = emv3ds_check(creq, &known, NULL);

	if (problem.code != EMV3DS_FINE)
		return problem;
	if (transaction->way == ACS_DECOUPLED)
		return emv3ds_problem(EMV3DS_TRANSACTION_DATA, "acsTransID");
	if (transaction->state == ACS_EXPECTED) {
		if (!take_session(form, transaction))
			return emv3ds_problem(EMV3DS_FORMAT, "threeDSSessionData");
		snprintf(transaction->creq, sizeof(transaction->creq), "%s", text);
	} else if (strcmp(transaction->creq, text) != 0) {
		return emv3ds_problem(EMV3DS_TRANSACTION_DATA, "creq");
	}
	return problem;
}

static void refuse_creq(struct bank_web *web, struct serve_request *request,
                        struct acs_transaction *transaction, const struct emv3ds_problem *problem,
                        const json_t *creq)
{
	cleanup(cleanup_json) json_t *erro = emv3ds_erro('A', problem, creq, "CReq");

	acs_decide(web, transaction, "U", "07", "06");
	send_back(web, request, transaction, erro);
}

void challenge_handle_creq(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(http_form_done) struct http_form form = { 0 };
	cleanup(buffer_done) struct buffer text = { 0 };
	cleanup(cleanup_json) json_t *creq = NULL;
	struct emv3ds_problem problem = emv3ds_problem(EMV3DS_UNKNOWN_ID, "acsTransID");
	struct acs_transaction *transaction;

	(void)rest;
	buffer_init(&text, sizeof(transaction->creq) - 1);
	if (result_ok(http_form_read(request->http->body, &form)) &&
	    result_ok(decode(http_form_get(&form, "creq"), &text)))
		creq = json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES,
		                  NULL);
	if (!creq)
		problem = emv3ds_problem(EMV3DS_WRONG_TYPE, "creq");
	transaction = creq ? acs_find(web, emv3ds_text(creq, "acsTransID")) : NULL;
	if (!transaction) {
		refuse_page(web, request, 400, &problem);
		return;
	}
	problem = judge_creq(&form, creq, buffer_text(&text), transaction);
	if (problem.code != EMV3DS_FINE) {
		refuse_creq(web, request, transaction, &problem, creq);
		return;
	}
	if (transaction->state == ACS_EXPECTED) {
		transaction->state = ACS_OPEN;
		acs_page_sent(web, transaction);
		acs_contact(web, transaction);
	}
	go_to_page(request, transaction);
}

// ------------------------------------------------------------------ the pages

static void show_challenge(struct bank_web *web, struct serve_request *request,
                           struct acs_transaction *transaction)
{
	static const char *const notices[] = {
		[ACS_WRONG_CODE] = "wrong",      [ACS_CODE_EXPIRED] = "expired",
		[ACS_CODE_SENT_AGAIN] = "again", [ACS_WAIT_TO_SEND] = "wait",
		[ACS_NO_MORE_SENDS] = "no_more", [ACS_NOT_APPROVED_YET] = "not_yet",
	};
	static const struct {
		const char *brand, *name;
	} names[] = { { "visa", "Visa" },
		      { "mastercard", "Mastercard" },
		      { "mir", "Mir" },
		      { "amex", "American Express" },
		      { "unionpay", "UnionPay" } };
	const char *notice = transaction->notice ? notices[transaction->notice] : "";
	const char *brand = "";
	char left[12];
	char wait[24];
	int64_t wait_ms = code_wait_ms(&transaction->code, bank_now_ms(web->bank));

	bool wrong = transaction->notice == ACS_WRONG_CODE;
	bool last = transaction->code.tries + 1 == CODE_TRIES;

#define IF_NOTICE(name)                                                                            \
	{                                                                                          \
		name, strcmp(notice, name) == 0 ? "1" : ""                                         \
	}
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].brand, transaction->brand) == 0)
			brand = names[i].name;
	snprintf(left, sizeof(left), "%u", CODE_TRIES - transaction->code.tries);
	snprintf(wait, sizeof(wait), "%lld", (long long)(wait_ms + 999) / 1000);
	const struct page_value values[] = {
		{ "lang", transaction->russian ? "ru" : "en" },
		{ "id", transaction->id },
		{ "token", transaction->form_token },
		{ "merchant", transaction->merchant },
		{ "last4", transaction->number + strlen(transaction->number) - 4 },
		{ "amount", transaction->amount },
		{ "brand", brand },
		{ "phone", PHONE_MASKED },
		{ "left", left },
		{ "wait_s", wait },
		{ "wrong_last", wrong && last ? "1" : "" },
		{ "can_resend", wait_ms >= 0 ? "1" : "" },
		{ "invalid",
		  transaction->notice == ACS_WRONG_CODE || transaction->notice == ACS_CODE_EXPIRED
		          ? "true"
		          : "false" },
		{ "wrong", wrong && !last ? "1" : "" },
		IF_NOTICE("expired"),
		IF_NOTICE("again"),
		IF_NOTICE("wait"),
		IF_NOTICE("no_more"),
		IF_NOTICE("not_yet"),
	};
#undef IF_NOTICE

	acs_page_sent(web, transaction);
	web_page(web, request, 200, transaction->way == ACS_BY_SMS ? "code.html" : "app.html",
	         transaction->russian, values, COUNT(values), NULL);
}

static struct acs_transaction *find(struct bank_web *web, struct bytes id)
{
	char text[EMV3DS_ID + 1];

	return bytes_copy_text(id, text, sizeof(text)) ? acs_find(web, text) : NULL;
}

void challenge_handle_page(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	struct acs_transaction *transaction = find(web, rest);
	struct emv3ds_problem problem = emv3ds_problem(EMV3DS_UNKNOWN_ID, "acsTransID");

	if (!transaction || transaction->state == ACS_EXPECTED ||
	    transaction->way == ACS_DECOUPLED) {
		refuse_page(web, request, 404, &problem);
	} else if (transaction->state == ACS_OPEN) {
		show_challenge(web, request, transaction);
	} else if (transaction->state == ACS_REPORTING && transaction->reports < 3 &&
	           transaction->on_its_way) {
		// The result goes first, then the browser. One page waits: the newest.
		if (transaction->held)
			serve_forget(transaction->held);
		request->tag = transaction;
		transaction->held = request;
	} else {
		challenge_answer_over(web, transaction, request);
	}
}

void challenge_handle_state(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	struct acs_transaction *transaction = find(web, rest);
	bool open = transaction && transaction->state == ACS_OPEN;

	web_json(request, transaction ? 200 : 404,
	         json_pack("{s:s}", "state", open ? "open" : "over"));
}

// ------------------------------------------------------------------ what the shopper does

static void act_code(struct bank_web *web, struct acs_transaction *transaction,
                     const struct http_form *form)
{
	struct bytes given = http_form_get(form, "code");
	char digits[CODE_DIGITS + 2];
	size_t length = 0;

	if (transaction->way != ACS_BY_SMS)
		return;
	// People type spaces into codes.
	for (size_t i = 0; i < given.length && length < sizeof(digits); i++)
		if (given.data[i] != ' ' && given.data[i] != '-')
			digits[length++] = (char)given.data[i];
	transaction->interactions++;
	switch (code_check(&transaction->code, acs_code_key(web), transaction->id,
	                   bytes_from(digits, length), bank_now_ms(web->bank))) {
	case CODE_RIGHT: acs_decide(web, transaction, "Y", "", ""); break;
	case CODE_USED_UP: acs_decide(web, transaction, "N", "19", ""); break;
	case CODE_WRONG: transaction->notice = ACS_WRONG_CODE; break;
	case CODE_EXPIRED: transaction->notice = ACS_CODE_EXPIRED; break;
	}
	explicit_bzero(digits, sizeof(digits));
}

static void act_resend(struct bank_web *web, struct acs_transaction *transaction,
                       const struct http_form *form)
{
	int64_t wait_ms = code_wait_ms(&transaction->code, bank_now_ms(web->bank));

	(void)form;
	if (transaction->way != ACS_BY_SMS)
		return;
	transaction->notice = wait_ms < 0   ? ACS_NO_MORE_SENDS
	                      : wait_ms > 0 ? ACS_WAIT_TO_SEND
	                                    : ACS_CODE_SENT_AGAIN;
	if (wait_ms == 0)
		acs_contact(web, transaction);
}

static void act_cancel(struct bank_web *web, struct acs_transaction *transaction,
                       const struct http_form *form)
{
	(void)form;
	acs_decide(web, transaction, "N", "01", "01");
}

static void act_switch(struct bank_web *web, struct acs_transaction *transaction,
                       const struct http_form *form)
{
	(void)form;
	if (transaction->way != ACS_BY_APP)
		return;
	transaction->way = ACS_BY_SMS;
	acs_contact(web, transaction);
}

static void act_complete(struct bank_web *web, struct acs_transaction *transaction,
                         const struct http_form *form)
{
	(void)web;
	(void)form;
	transaction->notice = ACS_NOT_APPROVED_YET;
}

static const struct {
	const char *name;
	void (*act)(struct bank_web *, struct acs_transaction *, const struct http_form *);
} actions[] = { { "code", act_code },
	        { "resend", act_resend },
	        { "cancel", act_cancel },
	        { "switch", act_switch },
	        { "complete", act_complete } };

void challenge_handle_answer(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(http_form_done) struct http_form form = { 0 };
	struct emv3ds_problem problem = emv3ds_problem(EMV3DS_UNKNOWN_ID, "acsTransID");
	struct acs_transaction *transaction = NULL;
	struct bytes action;

	(void)rest;
	if (result_ok(http_form_read_secret(request->http->body, &form)))
		transaction = find(web, http_form_get(&form, "id"));
	// The form's own token: no other page can fill in the form for the shopper.
	if (!transaction || transaction->way == ACS_DECOUPLED ||
	    transaction->state == ACS_EXPECTED ||
	    !bytes_equal_constant_time(http_form_get(&form, "token"),
	                               bytes_text(transaction->form_token))) {
		refuse_page(web, request, 400, &problem);
		return;
	}
	action = http_form_get(&form, "action");
	if (transaction->state == ACS_OPEN) {
		transaction->notice = ACS_NO_NOTICE;
		for (size_t i = 0; i < COUNT(actions); i++)
			if (bytes_equal_text(action, actions[i].name))
				actions[i].act(web, transaction, &form);
	}
	go_to_page(request, transaction);
}
