// Requests (lines of JSON, docs/drivers.md) made into messages (docs/iso8583.md). Each operation is
// a row: message type, and the function that adds what only it has.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "iso8583/compose.h"

#include <stdio.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

// Room for what a message needs beyond the request's own texts. Wiped with it.
struct scratch {
	char expiry[8];    // DE14
	char name[41];     // DE43
	char original[64]; // which message is meant
	char amounts[64];  // the original's amount, or what stays of it
	uint8_t proof[64]; // the authentication value where it is sent as bytes
};

struct work {
	struct driver *driver;
	struct iso8583_message *message;
	const json_t *request;
	struct scratch *scratch;
	struct iso8583_composer *composer;
	uint32_t situation; // enum iso8583_situation: what is true of the message so far
	uint64_t amount;
	bool has_cvc;
	struct bytes own_stan; // where DE11 is the original's
};

struct operation_row {
	const char *name;
	char mti[5]; // of the first transmission, as in 1987; a repeat's last digit is 1
	enum operation operation;
	uint32_t situation;
	struct result (*build)(struct work *work);
};

// The text of a member; *ret_text is empty when it is absent or null. False: not a text of
// `shortest` to `longest` printable characters.
static bool read_text(const json_t *object, const char *name, size_t shortest, size_t longest,
                      struct bytes *ret_text)
{
	const json_t *member = json_object_get(object, name);

	*ret_text = BYTES_NONE;
	if (!member || json_is_null(member))
		return true;
	*ret_text = bytes_from(json_string_value(member), json_string_length(member));
	return json_is_string(member) && ret_text->length >= shortest &&
	       ret_text->length <= longest && text_is_printable(*ret_text);
}

// The same for digits, which have to be there.
static bool read_digits(const json_t *object, const char *name, size_t shortest, size_t longest,
                        struct bytes *ret_text)
{
	return read_text(object, name, shortest, longest, ret_text) && text_is_digits(*ret_text);
}

static void set_if(struct iso8583_message *message, int field, struct bytes value)
{
	if (value.length > 0)
		iso8583_set(message, field, value);
}

// Puts a value where the dialect says; nowhere when it says nothing.
static void place(struct work *work, enum iso8583_role role, struct bytes value)
{
	iso8583_compose_put(work->composer, &work->composer->dialect->roles.places[role], value);
}

#define WRONG(sentence) FAIL(ERROR_INPUT, sentence)

// One of the bank's terminals where the connection names them: by DE37, so that all messages about
// a payment have the same one.
static struct bytes choose_terminal(const struct parameters *parameters, struct bytes given,
                                    struct bytes rrn)
{
	uint64_t hash = 0xcbf29ce484222325u;

	if (parameters->terminal_count == 0)
		return given;
	for (size_t i = 0; i < rrn.length; i++)
		hash = (hash ^ rrn.data[i]) * 0x100000001b3u;
	return bytes_text(parameters->terminals[(hash ^ hash >> 29) % parameters->terminal_count]);
}

// DE7, DE11, DE41, DE42 and the local time: in every message.
static struct result build_numbers(struct work *work)
{
	struct iso8583_message *message = work->message;
	struct bytes text, rrn;

	if (!read_digits(work->request, "stan", 6, 6, &text))
		return WRONG("stan should be six digits");
	iso8583_set(message, 11, text);
	if (!read_digits(work->request, "sent_at", 10, 10, &text))
		return WRONG("sent_at should be ten digits, MMDDhhmmss");
	iso8583_set(message, 7, text);
	if (!read_digits(work->request, "local_at", 12, 12, &text))
		return WRONG("local_at should be twelve digits, YYMMDDhhmmss");
	place(work, ISO8583_ROLE_LOCAL_DATE_TIME, text);
	place(work, ISO8583_ROLE_LOCAL_TIME, bytes_slice(text, 6, 6));
	place(work, ISO8583_ROLE_LOCAL_DATE, bytes_slice(text, 2, 4));
	if (!read_text(work->request, "terminal", 1, 8, &text))
		return WRONG("terminal should be a text of up to 8 characters");
	if (!read_text(work->request, "rrn", 12, 12, &rrn))
		return WRONG("rrn should be twelve characters");
	set_if(message, 41, choose_terminal(&work->driver->parameters, text, rrn));
	if (!read_text(work->request, "merchant", 1, 15, &text))
		return WRONG("merchant should be a text of up to 15 characters");
	set_if(message, 42, text);
	return RESULT_OK;
}

static struct result build_card(struct work *work)
{
	const json_t *card = json_object_get(work->request, "card");
	const json_t *month = json_object_get(card, "exp_month");
	const json_t *year = json_object_get(card, "exp_year");
	struct bytes text;

	if (!read_digits(card, "number", 12, 19, &text))
		return WRONG("card should have a number of 12 to 19 digits");
	iso8583_set(work->message, 2, text);
	json_int_t months = json_integer_value(month), years = json_integer_value(year);
	if (!json_is_integer(month) || months < 1 || months > 12 || !json_is_integer(year) ||
	    years < 2000 || years > 2099)
		return WRONG("card should have exp_month from 1 to 12 and exp_year of four digits");
	int digits[4] = { (int)(years / 10 % 10), (int)(years % 10), (int)(months / 10),
		          (int)(months % 10) };
	for (int i = 0; i < 4; i++)
		work->scratch->expiry[i] = (char)('0' + digits[i]);
	iso8583_set(work->message, 14, bytes_from(work->scratch->expiry, 4));
	if (!json_object_get(card, "cvc"))
		return RESULT_OK;
	if (!read_digits(card, "cvc", 3, 4, &text))
		return WRONG("cvc should be three or four digits");
	work->has_cvc = true;
	place(work, ISO8583_ROLE_CVC, text);
	return RESULT_OK;
}

// DE43 is ASCII: what is not becomes a question mark, one for each character.
static void set_name(struct work *work, struct bytes name)
{
	char *to = work->scratch->name;
	size_t length = 0;

	for (size_t i = 0; i < name.length && length < 40; i++) {
		uint8_t byte = name.data[i];
		if (byte >= 0x20 && byte < 0x7f)
			to[length++] = (char)byte;
		else if ((byte & 0xc0) != 0x80)
			to[length++] = '?';
	}
	set_if(work->message, 43, bytes_from(to, length));
}

static struct result build_money(struct work *work)
{
	const json_t *amount = json_object_get(work->request, "amount");
	const json_t *name = json_object_get(work->request, "merchant_name");
	const struct parameters *parameters = &work->driver->parameters;
	struct bytes text;

	if (!json_is_integer(amount) || json_integer_value(amount) < 0 ||
	    json_integer_value(amount) > 999999999999)
		return WRONG("amount should be a whole number of up to 12 digits");
	work->amount = (uint64_t)json_integer_value(amount);
	iso8583_set_number(work->message, 4, work->amount, 12);
	if (!read_digits(work->request, "currency", 3, 3, &text))
		return WRONG("currency should be three digits");
	iso8583_set(work->message, 49, text);
	if (!read_text(work->request, "rrn", 12, 12, &text) || text.length == 0)
		return WRONG("rrn should be twelve characters");
	iso8583_set(work->message, 37, text);
	if (name && !json_is_string(name))
		return WRONG("merchant_name should be a text");
	set_name(work, bytes_from(json_string_value(name), json_string_length(name)));
	iso8583_set(work->message, 3, BYTES_LITERAL("000000"));
	place(work, ISO8583_ROLE_CATEGORY, bytes_text(parameters->category));
	set_if(work->message, 19, bytes_text(parameters->country));
	iso8583_set(work->message, 32, bytes_text(parameters->acquirer));
	return RESULT_OK;
}

// Who asks, and whether the card is on file: the dialect's lines `send` say how that is marked.
static struct result build_credential(struct work *work)
{
	struct bytes initiator, credential, transaction;

	if (!read_text(work->request, "initiator", 1, 16, &initiator) ||
	    !read_text(work->request, "credential", 1, 16, &credential) ||
	    !read_text(work->request, "network_transaction_id", 1, 32, &transaction))
		return WRONG("initiator, credential and network_transaction_id should be texts");
	bool merchant = bytes_equal_text(initiator, "merchant");
	bool stored = bytes_equal_text(credential, "stored");
	if (!merchant && !bytes_equal_text(initiator, "customer"))
		return WRONG("initiator should be customer or merchant");
	if (!stored && !bytes_equal_text(credential, "first"))
		return WRONG("credential should be first or stored");
	work->situation |= merchant ? ISO8583_WHEN_MERCHANT : ISO8583_WHEN_CUSTOMER;
	work->situation |= stored ? ISO8583_WHEN_STORED : ISO8583_WHEN_TYPED;
	place(work, ISO8583_ROLE_TRANSACTION, transaction);
	return RESULT_OK;
}

// The authentication value, base64 in the request: as it is, or its bytes where the dialect has
// bytes.
static struct result place_proof(struct work *work, struct bytes value)
{
	const struct iso8583_field *target =
	        work->composer->dialect->roles.places[ISO8583_ROLE_PROOF_VALUE].target;
	struct buffer bytes cleanup(buffer_done) = { 0 };

	if (target && target->type == ISO8583_B && value.length > 0) {
		buffer_init_secret(&bytes, sizeof work->scratch->proof);
		if (!result_ok(base64_read(value, &bytes)) ||
		    bytes.length > sizeof work->scratch->proof)
			return WRONG("authentication should have a value in base64");
		memcpy(work->scratch->proof, bytes.data, bytes.length);
		value = bytes_from(work->scratch->proof, bytes.length);
	}
	place(work, ISO8583_ROLE_PROOF_VALUE, value);
	return RESULT_OK;
}

// What 3-D Secure brought.
static struct result build_authentication(struct work *work)
{
	static const struct {
		const char *name;
		enum iso8583_role role;
		size_t longest;
	} members[] = {
		{ "version", ISO8583_ROLE_PROOF_VERSION, 8 },
		{ "eci", ISO8583_ROLE_PROOF_ECI, 2 },
		{ "value", ISO8583_ROLE_PROOF_VALUE, 48 },
		{ "ds_transaction", ISO8583_ROLE_PROOF_DS, 36 },
	};
	const json_t *authentication = json_object_get(work->request, "authentication");

	if (!authentication || json_is_null(authentication))
		return RESULT_OK;
	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		struct bytes text;
		if (!read_text(authentication, members[i].name, 0, members[i].longest, &text))
			return WRONG("authentication should be an object of short texts");
		if (members[i].role == ISO8583_ROLE_PROOF_VALUE)
			TRY(place_proof(work, text));
		else
			place(work, members[i].role, text);
	}
	return RESULT_OK;
}

// Which message is meant, as each edition writes it.
static struct result build_reference(struct work *work, const json_t *original)
{
	const struct parameters *parameters = &work->driver->parameters;
	const struct edition *edition = driver_edition(work->driver);
	struct bytes mti, stan, sent_at, local_at;

	if (!read_digits(original, "mti", 4, 4, &mti) ||
	    !read_digits(original, "stan", 6, 6, &stan) ||
	    !read_digits(original, "sent_at", 10, 10, &sent_at) ||
	    !read_text(original, "local_at", 12, 12, &local_at))
		return WRONG("original should have mti, stan, sent_at and local_at");
	if (parameters->original_stan) {
		read_digits(work->request, "stan", 6, 6, &work->own_stan);
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
	place(work, ISO8583_ROLE_ORIGINAL, bytes_text(work->scratch->original));
	return RESULT_OK;
}

// What is known of the original. *ret_amount is what it was for.
static struct result build_original(struct work *work, uint64_t *ret_amount)
{
	const json_t *original = json_object_get(work->request, "original");
	const json_t *amount = json_object_get(original, "amount");
	struct bytes approval, transaction;

	if (!read_text(original, "approval_code", 0, 6, &approval) ||
	    !read_text(original, "network_transaction_id", 0, 32, &transaction))
		return WRONG("original has an approval_code or a network_transaction_id that is no "
		             "text");
	if (amount && (!json_is_integer(amount) || json_integer_value(amount) < 0 ||
	               json_integer_value(amount) > 999999999999))
		return WRONG("original has an amount that is no amount");
	*ret_amount = amount ? (uint64_t)json_integer_value(amount) : work->amount;
	set_if(work->message, 38, approval);
	if (approval.length == 0)
		work->situation |= ISO8583_WHEN_UNANSWERED;
	if (work->amount < *ret_amount)
		work->situation |= ISO8583_WHEN_PART;
	place(work, ISO8583_ROLE_TRANSACTION, transaction);
	return build_reference(work, original);
}

// Where the edition has it: the original's amount, and zeros for its amount of reconciliation.
static void place_original_amount(struct work *work, uint64_t amount)
{
	char *to = work->scratch->amounts;

	if (!(work->situation & ISO8583_WHEN_PART))
		return;
	snprintf(to, sizeof work->scratch->amounts, "%012llu%012d", (unsigned long long)amount, 0);
	place(work, ISO8583_ROLE_ORIGINAL_AMOUNTS, bytes_text(to));
}

static struct result build_verify(struct work *work)
{
	TRY(build_card(work));
	TRY(build_money(work));
	if (work->amount != 0)
		return WRONG("the amount of a verification should be 0");
	TRY(build_credential(work));
	TRY(build_authentication(work));
	iso8583_set(work->message, 3, bytes_text(work->driver->parameters.processing_code));
	return RESULT_OK;
}

static struct result build_authorize(struct work *work)
{
	TRY(build_card(work));
	TRY(build_money(work));
	if (work->amount == 0)
		return WRONG("the amount of a payment should not be 0");
	TRY(build_credential(work));
	// Authorized and captured in one message.
	if (json_is_true(json_object_get(work->request, "single_message"))) {
		work->message->mti[1] = '2';
		work->situation |= ISO8583_WHEN_SINGLE;
	}
	return build_authentication(work);
}

static struct result build_capture(struct work *work)
{
	uint64_t authorized;

	TRY(build_card(work));
	TRY(build_money(work));
	TRY(build_original(work, &authorized));
	place_original_amount(work, authorized);
	return RESULT_OK;
}

// A reversal takes back all, or a part. Where the dialect has a place for what stays (DE95), DE4 is
// the original's amount; else it is what is taken back, and the original's amount is beside it.
static struct result build_reverse(struct work *work)
{
	const struct iso8583_roles *roles = &work->composer->dialect->roles;
	char *to = work->scratch->amounts;
	uint64_t authorized;

	TRY(build_card(work));
	TRY(build_money(work));
	TRY(build_original(work, &authorized));
	if (work->driver->parameters.reversal_request)
		work->message->mti[2] = '0';
	if (work->amount > authorized)
		return WRONG("more cannot be taken back than there was");
	if (!roles->places[ISO8583_ROLE_REPLACEMENT].target) {
		place_original_amount(work, authorized);
		return RESULT_OK;
	}
	if (work->amount == authorized)
		return RESULT_OK;
	iso8583_set_number(work->message, 4, authorized, 12);
	snprintf(to, sizeof work->scratch->amounts, "%012llu%030d",
	         (unsigned long long)(authorized - work->amount), 0);
	place(work, ISO8583_ROLE_REPLACEMENT, bytes_text(to));
	return RESULT_OK;
}

// Credits the card: a request (0200), or an advice (0220) where the bank wants to be told only.
static struct result build_refund(struct work *work)
{
	uint64_t captured;

	TRY(build_card(work));
	TRY(build_money(work));
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
	TRY(build_numbers(work));
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
	if (read_text(work->request, "currency", 3, 3, &currency))
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

	if (!read_digits(request, "stan", 6, 6, &stan))
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
