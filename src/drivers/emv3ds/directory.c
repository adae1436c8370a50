// The directory server's card ranges: asked for at the start and at intervals (PReq), kept, looked
// up (`versions`); and `test`, which asks again. A `versions` that comes before the first list
// waits for it. EMV 3-D Secure 2.2.0 section 5.6 and annex A.5.7.

#include "driver.h"

#include "emv3ds/build.h"
#include "emv3ds/encode.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

enum { PRES_MAX = 64 * 1024 * 1024, PREQ_MS = 10 * 1000, RETRY_MS = 5 * 1000 };

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

// A request that waits for card ranges, or a test that waits for an answer.
struct waiting {
	struct waiting *next;
	struct request request;
	bool is_test;
};

static void answer_versions(const struct request *request)
{
	struct driver *driver = request->driver;
	const json_t *card = json_object_get(request->line, "card");
	const char *number = emv3ds_text(card, "number");
	const struct emv3ds_range *range = emv3ds_ranges_find(&driver->ranges, bytes_text(number));
	const char *method;
	json_t *more;
	struct bytes origin;

	if (!range) {
		driver_answer(driver, request->id, "declined",
		              json_pack("{s:s}", "decline_code", "not_enrolled"));
		return;
	}
	more = json_pack("{s:s}", "version", EMV3DS_VERSION);
	method = emv3ds_ranges_method(&driver->ranges, range);
	if (method) {
		origin = emv3ds_url_origin(bytes_text(method));
		json_object_set_new(more, "method_url", json_string(method));
		json_object_set_new(more, "method_origin",
		                    json_stringn((const char *)origin.data, origin.length));
	}
	driver_answer(driver, request->id, "approved", more);
}

static void answer_test(struct driver *driver, const struct request *request, const char *problem)
{
	json_t *more = json_pack("{s:s,s:o}", "detail", problem ? problem : "it answers", "steps",
	                         steps_of(&driver->trace, problem));

	driver_answer(driver, request->id, problem ? "unknown" : "approved", more);
}

// Answers all who wait. `problem` is NULL when the directory server has answered.
static void answer_waiting(struct driver *driver, const char *problem)
{
	struct waiting *waiting = take_ptr(driver->waiting);

	while (waiting) {
		struct waiting *next = waiting->next;
		const struct request *request = &waiting->request;

		if (waiting->is_test)
			answer_test(driver, request, problem);
		else if (problem)
			driver_answer_detail(driver, request->id, "unknown", problem);
		else if (!driver->have_ranges)
			driver_answer_detail(driver, request->id, "unknown",
			                     "there are no card ranges");
		else
			answer_versions(request);
		json_decref(request->line);
		free(waiting);
		waiting = next;
	}
}

// The card ranges are as good as they were: the next question is an interval away.
static void keep(struct driver *driver)
{
	driver->ask_at_ms = clock_monotonic_ms() + driver->parameters.refresh_minutes * 60 * 1000;
	driver_tell_state(driver, "up", "");
	answer_waiting(driver, NULL);
}

static void lose(struct driver *driver, const char *detail)
{
	log_event(LOG_WARN, "card_ranges_failed", LOG_TEXT("detail", detail));
	driver->ask_at_ms = clock_monotonic_ms() + RETRY_MS;
	driver_tell_state(driver, "down", detail);
	answer_waiting(driver, detail);
}

static void take_erro(struct driver *driver, const json_t *erro)
{
	const char *code = emv3ds_text(erro, "errorCode");

	log_event(LOG_WARN, "card_ranges_refused", LOG_TEXT("error", code),
	          LOG_TEXT("detail", emv3ds_text(erro, "errorDetail")));
	if (strcmp(code, "103") ==
	    0) { // asked too often: it is there, and the list is fresh enough
		keep(driver);
		return;
	}
	if (strcmp(code, "307") == 0) // it does not know our serial number: the next asks for all
		driver->ranges.serial[0] = 0;
	lose(driver, "the directory server refuses to send card ranges");
}

static void take_list(struct driver *driver, const json_t *pres)
{
	struct result result = emv3ds_ranges_apply(&driver->ranges, pres, driver->asked_in_full);

	if (!result_ok(result)) {
		driver->ranges.serial[0] = 0;
		lose(driver, result.detail);
		return;
	}
	driver->have_ranges = true;
	log_event(LOG_INFO, "card_ranges", LOG_NUMBER("count", driver->ranges.count));
	keep(driver);
}

static void preq_done(struct call *call)
{
	cleanup(cleanup_json) json_t *message = NULL;
	struct driver *driver = call->owner;
	struct emv3ds_known known = { .reader = EMV3DS_AT_SERVER,
		                      .accepts = EMV3DS_BIT(EMV3DS_PRES) | EMV3DS_BIT(EMV3DS_ERRO),
		                      .version = EMV3DS_VERSION,
		                      .transaction = driver->asked_id };
	struct emv3ds_reading reading;

	driver->asking = false;
	driver->trace = call->trace;
	if (call->end != CALL_ANSWERED) {
		lose(driver, call->detail);
		return;
	}
	reading = emv3ds_read(call->response, &known);
	message = reading.message;
	if (reading.problem.code != EMV3DS_FINE)
		lose(driver, "the card ranges cannot be read");
	else if (reading.type == EMV3DS_ERRO)
		take_erro(driver, message);
	else
		take_list(driver, message);
}

static void ask(struct driver *driver)
{
	const struct parameters *parameters = &driver->parameters;
	cleanup(cleanup_json) json_t *preq = NULL;

	driver_uuid(driver->asked_id);
	driver->asked_in_full = !driver->have_ranges || !driver->ranges.serial[0];
	preq = emv3ds_preq(driver->asked_id, parameters->server_reference, parameters->operator_id,
	                   driver->asked_in_full ? "" : driver->ranges.serial);
	driver->asking = true;
	calls_post(driver->calls, preq, clock_wall_ms() + PREQ_MS, PRES_MAX, preq_done, driver);
}

static void wait_for_ranges(const struct request *request, bool is_test)
{
	struct waiting *waiting = calloc(1, sizeof(*waiting));

	if (!waiting) {
		driver_answer_detail(request->driver, request->id, "not_sent", "no memory");
		return;
	}
	*waiting = (struct waiting){ request->driver->waiting, *request, is_test };
	json_incref(request->line);
	request->driver->waiting = waiting;
}

void versions_start(const struct request *request)
{
	struct driver *driver = request->driver;

	if (driver->have_ranges) {
		answer_versions(request);
		return;
	}
	wait_for_ranges(request, false);
	// Someone needs it now: a failure a moment ago is no reason to wait for the interval.
	driver->ask_at_ms = 0;
}

void test_start(const struct request *request)
{
	wait_for_ranges(request, true);
	calls_fresh(request->driver->calls);
	request->driver->ask_at_ms = 0;
}

void directory_tick(struct driver *driver, int64_t now_ms)
{
	struct waiting **where = &driver->waiting;

	if (!driver->asking && (!driver->input_over || driver->waiting) &&
	    now_ms >= driver->ask_at_ms)
		ask(driver);
	while (*where) {
		struct waiting *waiting = *where;

		if (clock_wall_ms() < waiting->request.deadline_ms) {
			where = &waiting->next;
			continue;
		}
		*where = waiting->next;
		driver_answer_detail(driver, waiting->request.id, "unknown",
		                     "the directory server has not answered in time");
		json_decref(waiting->request.line);
		free(waiting);
	}
}

int directory_wait_ms(const struct driver *driver, int64_t now_ms)
{
	int64_t wait_ms = driver->asking ? PREQ_MS : driver->ask_at_ms - now_ms;
	int64_t wall_ms = clock_wall_ms();

	for (const struct waiting *waiting = driver->waiting; waiting; waiting = waiting->next)
		if (waiting->request.deadline_ms - wall_ms < wait_ms)
			wait_ms = waiting->request.deadline_ms - wall_ms;
	return wait_ms < 0 ? 0 : wait_ms > 60 * 1000 ? 60 * 1000 : (int)wait_ms;
}

void directory_done(struct driver *driver)
{
	while (driver->waiting) {
		struct waiting *waiting = driver->waiting;

		driver->waiting = waiting->next;
		json_decref(waiting->request.line);
		free(waiting);
	}
	emv3ds_ranges_done(&driver->ranges);
}
