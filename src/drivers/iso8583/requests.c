// Requests (lines of JSON, docs/drivers.md) made into messages (docs/iso8583.md). Each operation is
// a row: message type, and the function that adds what only it has.
#include "work.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"

#include <stdio.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

struct operation_row {
	const char *name;
	char mti[5]; // of the first transmission, as in 1987; a repeat's last digit is 1
	enum operation operation;
	uint32_t situation;
	struct result (*build)(struct work *work);
};

// Which message is meant, as each edition writes it.
static struct result build_reference(struct work *work, const json_t *original)
{
	const struct parameters *parameters = &work->driver->parameters;
	const struct edition *edition = driver_edition(work->driver);
	struct bytes mti, stan, sent_at, local_at;

	if (!work_digits(original, "mti", 4, 4, &mti) ||
	    !work_digits(original, "stan", 6, 6, &stan) ||
	    !work_digits(original, "sent_at", 10, 10, &sent_at) ||
	    !work_text(original, "local_at", 12, 12, &local_at))
		return WRONG("original should have mti, stan, sent_at and local_at");
	if (parameters->original_stan) {
		work_digits(work->request, "stan", 6, 6, &work->own_stan);
		iso8583_set(work->message, 11, stan);
	}
	if (!parameters->original_data)
		return RESULT_OK;
	if (edition->original_local && local_at.length == 0)
		return WRONG("original should have local_at, twelve digits");
	work->scratch->original[0] = edition->digit;
	memcpy(work->scratch->original + 1, mti.data + 1, 3);
	edition->write_original(
	        work->scratch->original + 4, sizeof work->scratch->original - 4,
	        &(struct reference){ (const char *)stan.data, (const char *)sent_at.data,
	                             (const char *)local_at.data, parameters->acquirer });
	work_place(work, ISO8583_ROLE_ORIGINAL, bytes_text(work->scratch->original));
	return RESULT_OK;
}

// What is known of the original. *ret_amount is what it was for.
static struct result build_original(struct work *work, uint64_t *ret_amount)
{
	const json_t *original = json_object_get(work->request, "original");
	const json_t *amount = json_object_get(original, "amount");
	struct bytes approval, transaction;

	if (!work_text(original, "approval_code", 0, 6, &approval) ||
	    !work_text(original, "network_transaction_id", 0, 32, &transaction))
		return WRONG("original has an approval_code or a network_transaction_id that is no "
		             "text");
	if (amount && (!json_is_integer(amount) || json_integer_value(amount) < 0 ||
	               json_integer_value(amount) > 999999999999))
		return WRONG("original has an amount that is no amount");
	*ret_amount = amount ? (uint64_t)json_integer_value(amount) : work->amount;
	if (approval.length > 0)
		iso8583_set(work->message, 38, approval);
	else
		work->situation |= ISO8583_WHEN_UNANSWERED;
	if (work->amount < *ret_amount)
		work->situation |= ISO8583_WHEN_PART;
	work_transaction(work, transaction);
	return build_reference(work, original);
}

// Where the edition has it: the original's amount, and zeros for its amount of reconciliation.
static struct result place_original_amount(struct work *work, uint64_t amount)
{
	char *to = work->scratch->amounts;
	uint64_t number;
	int digits;

	if (!(work->situation & ISO8583_WHEN_PART))
		return RESULT_OK;
	TRY(work_amount(work, amount, &number, &digits));
	snprintf(to, sizeof work->scratch->amounts, "%0*llu%0*d", digits,
	         (unsigned long long)number, digits, 0);
	work_place(work, ISO8583_ROLE_ORIGINAL_AMOUNTS, bytes_text(to));
	return RESULT_OK;
}

static struct result build_verify(struct work *work)
{
	TRY(work_card(work));
	TRY(work_money(work));
	if (work->amount != 0)
		return WRONG("the amount of a verification should be 0");
	TRY(work_credential(work));
	TRY(work_authentication(work));
	const char *code = work->driver->parameters.processing_code;
	iso8583_set(work->message, 3,
	            bytes_text(code[0] ? code : driver_edition(work->driver)->verify));
	return RESULT_OK;
}

static struct result build_authorize(struct work *work)
{
	TRY(work_card(work));
	TRY(work_money(work));
	if (work->amount == 0)
		return WRONG("the amount of a payment should not be 0");
	TRY(work_credential(work));
	// Authorized and captured in one message.
	if (json_is_true(json_object_get(work->request, "single_message"))) {
		work->message->mti[1] = '2';
		work->situation |= ISO8583_WHEN_SINGLE;
	}
	return work_authentication(work);
}

static struct result build_capture(struct work *work)
{
	uint64_t authorized;

	TRY(work_card(work));
	TRY(work_money(work));
	TRY(build_original(work, &authorized));
	return place_original_amount(work, authorized);
}

// A reversal takes back all, or a part. Where the dialect has a place for what stays (DE95), DE4 is
// the original's amount; else it is what is taken back, and the original's amount is beside it.
static struct result build_reverse(struct work *work)
{
	const struct iso8583_roles *roles = &work->composer->dialect->roles;
	char *to = work->scratch->amounts;
	uint64_t authorized, number;
	int digits;

	TRY(work_card(work));
	TRY(work_money(work));
	TRY(build_original(work, &authorized));
	if (work->driver->parameters.reversal_request)
		work->message->mti[2] = '0';
	if (work->amount > authorized)
		return WRONG("more cannot be taken back than there was");
	if (!roles->places[ISO8583_ROLE_REPLACEMENT].target)
		return place_original_amount(work, authorized);
	if (work->amount == authorized)
		return RESULT_OK;
	TRY(work_amount(work, authorized, &number, &digits));
	iso8583_set_number(work->message, 4, number, digits);
	TRY(work_amount(work, authorized - work->amount, &number, &digits));
	// What stays, and zeros for the amounts that nobody converts: 42 digits, or 96.
	snprintf(to, sizeof work->scratch->amounts, "%0*llu%0*d", digits,
	         (unsigned long long)number, digits == AMOUNT_DIGITS ? 30 : 80, 0);
	work_place(work, ISO8583_ROLE_REPLACEMENT, bytes_text(to));
	return RESULT_OK;
}

// Credits the card: a request (0200), or an advice (0220) where the bank wants to be told only.
static struct result build_refund(struct work *work)
{
	uint64_t captured;

	TRY(work_card(work));
	TRY(work_money(work));
	if (work->amount == 0)
		return WRONG("the amount of a refund should not be 0");
	TRY(build_original(work, &captured));
	if (work->amount > captured)
		return WRONG("more cannot be given back than there was");
	iso8583_set(work->message, 3, bytes_text(work->driver->parameters.refund_code));
	if (work->driver->parameters.refund_advice)
		work->message->mti[2] = '2';
	return RESULT_OK;
}

static const struct operation_row operations[] = {
	{ "verify", "0100", OP_VERIFY, ISO8583_WHEN_VERIFY, build_verify },
	{ "authorize", "0100", OP_AUTHORIZE, ISO8583_WHEN_AUTHORIZE, build_authorize },
	{ "capture", "0220", OP_CAPTURE, ISO8583_WHEN_CAPTURE, build_capture },
	{ "reverse", "0420", OP_REVERSE, ISO8583_WHEN_REVERSE, build_reverse },
	{ "refund", "0200", OP_REFUND, ISO8583_WHEN_REFUND, build_refund },
};

static const struct operation_row *find_operation(const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "op"));

	for (size_t i = 0; name && i < sizeof operations / sizeof operations[0]; i++)
		if (strcmp(name, operations[i].name) == 0)
			return &operations[i];
	return NULL;
}

static struct result build_message(struct work *work, const struct operation_row *row)
{
	bool repeat = json_is_true(json_object_get(work->request, "repeat"));

	const struct iso8583_roles *roles = &work->composer->dialect->roles;

	iso8583_begin(work->message, row->mti);
	work->message->mti[0] = driver_edition(work->driver)->digit;
	if (repeat && row->operation != OP_VERIFY && row->operation != OP_AUTHORIZE)
		work->message->mti[3] = '1';
	work->situation = ISO8583_WHEN_ANY | row->situation;
	TRY(work_numbers(work));
	TRY(row->build(work));
	for (size_t i = 0; i < roles->send_count; i++)
		iso8583_compose_put(work->composer, &roles->sends[i].spot,
		                    iso8583_send_value(roles, &roles->sends[i], work->situation));
	return iso8583_compose_end(work->composer);
}

static struct result send_request(struct work *work, const struct operation_row *row,
                                  struct line *line, int64_t deadline_ms,
                                  struct flight_entry **ret_entry)
{
	struct bytes currency;

	TRY(build_message(work, row));
	TRY(driver_send(work->driver, line, deadline_ms, ret_entry));
	(*ret_entry)->operation = row->operation;
	(*ret_entry)->has_cvc = work->has_cvc;
	(*ret_entry)->amount = work->amount;
	if (work_text(work->request, "currency", 3, 3, &currency))
		bytes_copy_text(currency, (*ret_entry)->currency, sizeof(*ret_entry)->currency);
	bytes_copy_text(work->own_stan, (*ret_entry)->stan, sizeof(*ret_entry)->stan);
	return RESULT_OK;
}

static struct result build_and_send(struct driver *driver, const json_t *request,
                                    const struct operation_row *row, struct line *line,
                                    int64_t deadline_ms, struct flight_entry **ret_entry)
{
	struct scratch scratch = { 0 };
	struct iso8583_composer composer;
	struct work work = { .driver = driver,
		             .message = &driver->message,
		             .request = request,
		             .scratch = &scratch,
		             .composer = &composer };
	iso8583_compose_begin(&composer, driver->parameters.dialect, &driver->message);
	struct result result = send_request(&work, row, line, deadline_ms, ret_entry);

	iso8583_wipe(&driver->message);
	explicit_bzero(&scratch, sizeof scratch);
	return result;
}

// A verification made of the test's own numbers and the connection's card.
struct result driver_send_test_card(struct driver *driver, struct line *line, const json_t *request,
                                    int64_t deadline_ms, struct flight_entry **ret_entry)
{
	const struct parameters *parameters = &driver->parameters;
	cleanup(cleanup_json) json_t *verification = json_copy((json_t *)request);
	const char *expiry = parameters->test_card_expiry;
	int year = 2000 + (expiry[0] - '0') * 10 + expiry[1] - '0';
	int month = (expiry[2] - '0') * 10 + expiry[3] - '0';
	char rrn[13];
	struct bytes stan;

	if (!work_digits(request, "stan", 6, 6, &stan))
		return WRONG("stan should be six digits");
	snprintf(rrn, sizeof rrn, "TEST00%.6s", (const char *)stan.data);
	cleanup(cleanup_json) json_t *more =
	        json_pack("{s:s,s:{s:s,s:i,s:i},s:i,s:s,s:s,s:s}", "op", "verify", "card", "number",
	                  parameters->test_card, "exp_month", month, "exp_year", year, "amount", 0,
	                  "rrn", rrn, "initiator", "customer", "credential", "first");
	CHECK(verification && more && json_object_update(verification, more) == 0);
	if (!json_object_get(verification, "currency"))
		json_object_set_new(verification, "currency", json_string("643"));
	TRY(build_and_send(driver, verification, find_operation(verification), line, deadline_ms,
	                   ret_entry));
	(*ret_entry)->operation = OP_PROBE;
	return RESULT_OK;
}

static void refuse(struct driver *driver, uint64_t id, const char *detail)
{
	driver_answer_plain(driver, id, "not_sent", detail);
}

static void do_message(struct driver *driver, const json_t *request,
                       const struct operation_row *row, uint64_t id, int64_t deadline_ms)
{
	struct line *line = driver_choose_line(driver);
	struct flight_entry *entry;
	char detail[300];

	if (!line) {
		snprintf(detail, sizeof detail, "the line is down: %s",
		         driver->why[0] ? driver->why : "not connected yet");
		refuse(driver, id, detail);
		return;
	}
	struct result result = build_and_send(driver, request, row, line, deadline_ms, &entry);
	if (result_ok(result))
		entry->id = id;
	else
		refuse(driver, id, result.detail);
}

static void do_request(struct driver *driver, json_t *request)
{
	const json_t *id = json_object_get(request, "id");
	const json_t *deadline = json_object_get(request, "deadline_ms");
	const char *operation = json_string_value(json_object_get(request, "op"));
	const struct operation_row *row = find_operation(request);

	if (!json_is_integer(id) || json_integer_value(id) < 1) {
		log_event(LOG_ERROR, "bad_request", LOG_TEXT("detail", "a request without id"));
		return;
	}
	uint64_t number = (uint64_t)json_integer_value(id);
	int64_t deadline_ms = (int64_t)json_integer_value(deadline);
	if (!json_is_integer(deadline))
		refuse(driver, number, "the request has no deadline_ms");
	else if (deadline_ms <= driver->now_ms)
		refuse(driver, number, "the deadline was over before anything was sent");
	else if (operation && strcmp(operation, "test") == 0)
		probe_begin(driver, number, deadline_ms, request);
	else if (row)
		do_message(driver, request, row, number, deadline_ms);
	else
		refuse(driver, number, "this driver does not have the operation");
}

void driver_read_line(struct driver *driver, struct bytes line)
{
	cleanup(cleanup_json) json_t *json =
	        json_loadb((const char *)line.data, line.length, JSON_REJECT_DUPLICATES, NULL);

	if (!json_is_object(json))
		log_event(LOG_ERROR, "bad_request", LOG_TEXT("detail", "a line that is no JSON"));
	else
		do_request(driver, json);
}
