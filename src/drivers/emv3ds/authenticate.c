// `authenticate`: an AReq is made from the request and the parameters, sent, and the ARes checked
// and handed on. The card number is taken out of our copy of the AReq as soon as it is written.
// EMV 3-D Secure 2.2.0 section 3.3 and annexes B.1, B.2; docs/drivers.md.

#include "driver.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"

#include "base/cleanup.h"
#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARES_MAX = 128 * 1024, ERRO_MS = 5 * 1000 };

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

struct pending {
	struct driver *driver;
	json_int_t id;
	int64_t deadline_ms;
	json_t *areq; // without the card
	char window[3];
};

// Digits after the point, where they are not two (ISO 4217).
static const char *exponent_of(const char *currency)
{
	static const char *const none[] = { "108", "152", "174", "262", "324", "352",
		                            "392", "410", "548", "600", "646", "704",
		                            "800", "940", "950", "952", "953" };
	static const char *const three[] = { "048", "368", "400", "414", "434", "512", "788" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (strcmp(none[i], currency) == 0)
			return "0";
	for (size_t i = 0; i < sizeof(three) / sizeof(three[0]); i++)
		if (strcmp(three[i], currency) == 0)
			return "3";
	return "2";
}

static bool put_card(json_t *areq, const json_t *line)
{
	const json_t *card = json_object_get(line, "card");
	json_int_t month = json_integer_value(json_object_get(card, "exp_month"));
	json_int_t year = json_integer_value(json_object_get(card, "exp_year"));
	char expiry[8] = "";

	if (month >= 1 && month <= 12 && year >= 2000 && year <= 2099)
		snprintf(expiry, sizeof(expiry), "%02d%02d", (int)(year % 100), (int)month);
	return emv3ds_put(areq, "acctNumber", emv3ds_text(card, "number")) &&
	       emv3ds_put(areq, "cardExpiryDate", expiry);
}

static bool put_parties(json_t *areq, const json_t *line, const struct parameters *parameters)
{
	return emv3ds_put(areq, "threeDSRequestorID", parameters->requestor_id) &&
	       emv3ds_put(areq, "threeDSRequestorName", parameters->requestor_name) &&
	       emv3ds_put(areq, "threeDSRequestorURL", emv3ds_text(line, "requestor_url")) &&
	       emv3ds_put(areq, "threeDSServerRefNumber", parameters->server_reference) &&
	       emv3ds_put(areq, "threeDSServerOperatorID", parameters->operator_id) &&
	       emv3ds_put(areq, "threeDSServerURL", emv3ds_text(line, "results_url")) &&
	       emv3ds_put(areq, "acquirerBIN", parameters->acquirer_bin) &&
	       emv3ds_put(areq, "acquirerMerchantID", parameters->merchant_id) &&
	       emv3ds_put(areq, "mcc", parameters->mcc) &&
	       emv3ds_put(areq, "merchantCountryCode", parameters->country) &&
	       emv3ds_put_cut(areq, "merchantName", emv3ds_text(line, "merchant_name"), 40);
}

static bool put_wishes(json_t *areq, const json_t *line)
{
	json_int_t minutes = json_integer_value(json_object_get(line, "decoupled_minutes"));
	const char *purpose = emv3ds_text(line, "purpose");
	char time[8];

	if (minutes > 0) {
		snprintf(time, sizeof(time), "%05d", minutes > 10080 ? 10080 : (int)minutes);
		if (!emv3ds_put(areq, "threeDSRequestorDecReqInd", "Y") ||
		    !emv3ds_put(areq, "threeDSRequestorDecMaxTime", time))
			return false;
	}
	return emv3ds_put(areq, "messageCategory", strcmp(purpose, "01") == 0 ? "01" : "02") &&
	       emv3ds_put(areq, "deviceChannel", "02") &&
	       emv3ds_put(areq, "threeDSCompInd", emv3ds_text(line, "method")) &&
	       emv3ds_put(areq, "threeDSRequestorAuthenticationInd", purpose) &&
	       emv3ds_put(areq, "threeDSRequestorChallengeInd", emv3ds_text(line, "challenge")) &&
	       emv3ds_put(areq, "notificationURL", emv3ds_text(line, "notification_url"));
}

static bool put_purchase(json_t *areq, const json_t *line)
{
	json_int_t amount = json_integer_value(json_object_get(line, "amount"));
	const char *currency = emv3ds_text(line, "currency");
	char digits[24];

	if (strcmp(emv3ds_text(line, "purpose"), "01") != 0 || amount < 0)
		return amount >= 0;
	snprintf(digits, sizeof(digits), "%lld", (long long)amount);
	return emv3ds_put(areq, "purchaseAmount", digits) &&
	       emv3ds_put(areq, "purchaseCurrency", currency) &&
	       emv3ds_put(areq, "purchaseExponent", exponent_of(currency)) &&
	       emv3ds_put(areq, "purchaseDate", emv3ds_text(line, "sent_at"));
}

static long number(const json_t *object, const char *name)
{
	return (long)json_number_value(json_object_get(object, name));
}

static bool put_browser(json_t *areq, const json_t *line)
{
	const json_t *from = json_object_get(line, "browser");
	struct emv3ds_browser browser = {
		.accept_header = emv3ds_text(from, "accept_header"),
		.user_agent = emv3ds_text(from, "user_agent"),
		.ip = emv3ds_text(from, "ip"),
		.language = emv3ds_text(from, "language"),
		.script = json_is_true(json_object_get(from, "javascript")),
		.java = json_is_true(json_object_get(from, "java")),
		.color_depth = number(from, "color_depth"),
		.screen_height = number(from, "screen_height"),
		.screen_width = number(from, "screen_width"),
		.time_zone = number(from, "time_zone"),
	};

	return emv3ds_put_browser(areq, &browser);
}

static json_t *make_areq(const struct request *request)
{
	json_t *areq = emv3ds_new(EMV3DS_AREQ);

	if (areq &&
	    emv3ds_put(areq, "threeDSServerTransID", emv3ds_text(request->line, "transaction")) &&
	    put_card(areq, request->line) &&
	    put_parties(areq, request->line, &request->driver->parameters) &&
	    put_wishes(areq, request->line) && put_purchase(areq, request->line) &&
	    put_browser(areq, request->line))
		return areq;
	json_decref(areq);
	return NULL;
}

static void set_if(json_t *more, const char *member, const json_t *message, const char *field)
{
	const char *text = emv3ds_text(message, field);

	if (*text)
		json_object_set_new(more, member, json_string(text));
}

static void put_challenge(json_t *more, const struct pending *pending, const json_t *ares)
{
	const char *url = emv3ds_text(ares, "acsURL");
	struct bytes origin = emv3ds_url_origin(bytes_text(url));
	cleanup(cleanup_json) json_t *creq =
	        emv3ds_creq(emv3ds_text(ares, "threeDSServerTransID"),
	                    emv3ds_text(ares, "acsTransID"), pending->window);
	cleanup(buffer_done) struct buffer text = { 0 };

	buffer_init(&text, 4096);
	json_object_set_new(more, "acs_url", json_string(url));
	json_object_set_new(more, "acs_origin",
	                    json_stringn((const char *)origin.data, origin.length));
	if (result_ok(emv3ds_write_base64url(creq, &text)))
		json_object_set_new(more, "creq", json_string(buffer_text(&text)));
}

static void answer_ares(const struct pending *pending, const json_t *ares)
{
	const char *status = emv3ds_text(ares, "transStatus");
	json_t *more = json_object();

	set_if(more, "status", ares, "transStatus");
	set_if(more, "reason", ares, "transStatusReason");
	set_if(more, "eci", ares, "eci");
	set_if(more, "value", ares, "authenticationValue");
	set_if(more, "ds_transaction", ares, "dsTransID");
	set_if(more, "acs_transaction", ares, "acsTransID");
	set_if(more, "cardholder_info", ares, "cardholderInfo");
	if (strcmp(status, "C") == 0)
		put_challenge(more, pending, ares);
	driver_answer(pending->driver, pending->id, "approved", more);
}

static void answer_erro(const struct pending *pending, const json_t *erro)
{
	char detail[400];

	snprintf(detail, sizeof(detail), "refused with %s: %.100s (%.200s)",
	         emv3ds_text(erro, "errorCode"), emv3ds_text(erro, "errorDescription"),
	         emv3ds_text(erro, "errorDetail"));
	driver_answer_detail(pending->driver, pending->id, "declined", detail);
}

static void erro_sent(struct call *call)
{
	(void)call; // nobody waits for an answer to an Erro
}

// Tells the directory server what is wrong with its ARes (section 5.9.4), and vault that the
// answer cannot be used.
static void refuse(const struct pending *pending, const struct emv3ds_reading *reading)
{
	const char *type = emv3ds_type_name(reading->type);
	cleanup(cleanup_json) json_t *erro =
	        emv3ds_erro('S', &reading->problem, reading->message, *type ? type : "ARes");
	char detail[400];

	calls_post(pending->driver->calls, erro, clock_wall_ms() + ERRO_MS, ARES_MAX, erro_sent,
	           NULL);
	snprintf(detail, sizeof(detail), "the answer is not sound: %d %.300s",
	         (int)reading->problem.code, reading->problem.detail);
	driver_answer_detail(pending->driver, pending->id, "unknown", detail);
}

static void areq_done(struct call *call)
{
	struct pending *pending = call->owner;
	struct driver *driver = pending->driver;
	const json_t *areq = pending->areq;
	struct emv3ds_known known = {
		.reader = EMV3DS_AT_SERVER,
		.accepts = EMV3DS_BIT(EMV3DS_ARES) | EMV3DS_BIT(EMV3DS_ERRO),
		.version = EMV3DS_VERSION,
		.transaction = emv3ds_text(areq, "threeDSServerTransID"),
		.category = emv3ds_text(areq, "messageCategory"),
		.decoupled_asked = *emv3ds_text(areq, "threeDSRequestorDecReqInd") == 'Y',
	};
	const char *challenge = emv3ds_text(areq, "threeDSRequestorChallengeInd");
	struct emv3ds_reading reading = { 0 };

	if (*challenge)
		known.challenge = challenge;
	if (call->end == CALL_ANSWERED) {
		driver_tell_state(driver, "up", "");
		reading = emv3ds_read(call->response, &known);
		if (reading.problem.code != EMV3DS_FINE)
			refuse(pending, &reading);
		else if (reading.type == EMV3DS_ERRO)
			answer_erro(pending, reading.message);
		else
			answer_ares(pending, reading.message);
		json_decref(reading.message);
	} else {
		bool sent = call->end == CALL_UNKNOWN;

		driver_answer_detail(driver, pending->id, sent ? "unknown" : "not_sent",
		                     call->detail);
	}
	json_decref(pending->areq);
	free(pending);
}

void authenticate_start(const struct request *request)
{
	struct driver *driver = request->driver;
	struct emv3ds_known known = { .reader = EMV3DS_AT_DIRECTORY,
		                      .accepts = EMV3DS_BIT(EMV3DS_AREQ) };
	cleanup(cleanup_json) json_t *areq = make_areq(request);
	const char *window = emv3ds_text(request->line, "window");
	struct emv3ds_problem problem =
	        areq ? emv3ds_check(areq, &known, NULL) : emv3ds_problem(EMV3DS_FORMAT, "amount");
	struct pending *pending = NULL;
	char detail[400];

	if (problem.code == EMV3DS_FINE &&
	    (strlen(window) != 2 || window[0] != '0' || window[1] < '1' || window[1] > '5'))
		problem = emv3ds_problem(EMV3DS_FORMAT, "window");
	if (problem.code != EMV3DS_FINE) {
		snprintf(detail, sizeof(detail), "this request cannot be sent: %s %.300s",
		         problem.code == EMV3DS_MISSING ? "missing" : "malformed", problem.detail);
		driver_answer_detail(driver, request->id, "not_sent", detail);
		return;
	}
	pending = calloc(1, sizeof(*pending));
	if (!pending) {
		driver_answer_detail(driver, request->id, "not_sent", "no memory");
		return;
	}
	*pending = (struct pending){ driver, request->id, request->deadline_ms, json_incref(areq),
		                     "" };
	memcpy(pending->window, window, 2);
	calls_post(driver->calls, areq, request->deadline_ms, ARES_MAX, areq_done, pending);
	json_object_del(areq, "acctNumber");
}
