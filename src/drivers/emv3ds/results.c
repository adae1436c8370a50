// `results`: an RReq that came in on onfile's own listener is checked against what is known of the
// transaction, and the RRes or Erro that it gets is made. Nothing is sent from here.
// EMV 3-D Secure 2.2.0 sections 3.3 (step 17 on) and 5.9.9, annexes B.7 and B.8.

#include "driver.h"

#include "emv3ds/build.h"

#include "base/cleanup.h"

#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

static const char *expected_text(const json_t *expected, const char *name)
{
	const char *text = emv3ds_text(expected, name);

	return *text ? text : NULL;
}

static void put_text(json_t *more, const char *member, const json_t *rreq, const char *field)
{
	const char *text = emv3ds_text(rreq, field);

	if (*text)
		json_object_set_new(more, member, json_string(text));
}

static void put_response(json_t *more, const json_t *message)
{
	cleanup(buffer_done) struct buffer text = { 0 };

	buffer_init(&text, 8192);
	if (result_ok(emv3ds_write(message, &text)))
		json_object_set_new(more, "response", json_string(buffer_text(&text)));
}

static void accept(const struct request *request, const json_t *rreq)
{
	cleanup(cleanup_json) json_t *rres = emv3ds_rres(rreq, "01");
	const char *counter = emv3ds_text(rreq, "interactionCounter");
	json_t *more = json_object();

	put_text(more, "status", rreq, "transStatus");
	put_text(more, "reason", rreq, "transStatusReason");
	put_text(more, "cancel", rreq, "challengeCancel");
	put_text(more, "eci", rreq, "eci");
	put_text(more, "value", rreq, "authenticationValue");
	if (*counter)
		json_object_set_new(more, "interactions", json_integer(strtol(counter, NULL, 10)));
	put_response(more, rres);
	driver_answer(request->driver, request->id, "approved", more);
}

static void refuse(const struct request *request, const struct emv3ds_reading *reading)
{
	cleanup(cleanup_json) json_t *erro = emv3ds_erro('S', &reading->problem, reading->message,
	                                                 emv3ds_type_name(reading->type));
	json_t *more = json_object();

	json_object_set_new(more, "detail", json_string(reading->problem.detail));
	put_response(more, erro);
	driver_answer(request->driver, request->id, "declined", more);
}

void results_start(const struct request *request)
{
	const json_t *expected = json_object_get(request->line, "expected");
	const char *purpose = expected_text(expected, "purpose");
	const json_t *decoupled = json_object_get(expected, "decoupled");
	struct emv3ds_known known = {
		.reader = EMV3DS_AT_SERVER,
		.accepts = EMV3DS_BIT(EMV3DS_RREQ),
		.version = expected_text(expected, "version"),
		.transaction = expected_text(expected, "transaction"),
		.ds_transaction = expected_text(expected, "ds_transaction"),
		.acs_transaction = expected_text(expected, "acs_transaction"),
		// Not known means: a decoupled result, without a counter, is sound.
		.decoupled = !decoupled || json_is_true(decoupled),
	};
	struct emv3ds_reading reading;

	if (!known.transaction || !known.ds_transaction || !known.acs_transaction) {
		driver_answer_detail(request->driver, request->id, "not_sent",
		                     "the ids to be expected are missing");
		return;
	}
	if (purpose)
		known.category = strcmp(purpose, "01") == 0 ? "01" : "02";
	reading = emv3ds_read(bytes_text(emv3ds_text(request->line, "body")), &known);
	if (reading.problem.code == EMV3DS_FINE)
		accept(request, reading.message);
	else
		refuse(request, &reading);
	json_decref(reading.message);
}
