// What any request may hold (docs/drivers.md), put where the dialect has it.
#include "work.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

bool work_text(const json_t *object, const char *name, size_t shortest, size_t longest,
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

bool work_digits(const json_t *object, const char *name, size_t shortest, size_t longest,
                 struct bytes *ret_text)
{
	return work_text(object, name, shortest, longest, ret_text) && text_is_digits(*ret_text);
}

static void set_if(struct iso8583_message *message, int field, struct bytes value)
{
	if (value.length > 0)
		iso8583_set(message, field, value);
}

void work_place(struct work *work, enum iso8583_role role, struct bytes value)
{
	iso8583_compose_put(work->composer, &work->composer->dialect->roles.places[role], value);
}

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

struct result work_numbers(struct work *work)
{
	struct iso8583_message *message = work->message;
	struct bytes text, rrn;

	if (!work_digits(work->request, "stan", 6, 6, &text))
		return WRONG("stan should be six digits");
	iso8583_set(message, 11, text);
	if (!work_digits(work->request, "sent_at", 10, 10, &text))
		return WRONG("sent_at should be ten digits, MMDDhhmmss");
	iso8583_set(message, 7, text);
	if (!work_digits(work->request, "local_at", 12, 12, &text))
		return WRONG("local_at should be twelve digits, YYMMDDhhmmss");
	snprintf(work->scratch->local, sizeof work->scratch->local, "20%.12s",
	         (const char *)text.data);
	work_place(work, ISO8583_ROLE_LOCAL_DATE_TIME,
	           driver_local_time(work->driver, bytes_text(work->scratch->local)));
	work_place(work, ISO8583_ROLE_LOCAL_TIME, bytes_slice(text, 6, 6));
	work_place(work, ISO8583_ROLE_LOCAL_DATE, bytes_slice(text, 2, 4));
	if (!work_text(work->request, "terminal", 1, 8, &text))
		return WRONG("terminal should be a text of up to 8 characters");
	if (!work_text(work->request, "rrn", 12, 12, &rrn))
		return WRONG("rrn should be twelve characters");
	set_if(message, 41, choose_terminal(&work->driver->parameters, text, rrn));
	if (!work_text(work->request, "merchant", 1, 15, &text))
		return WRONG("merchant should be a text of up to 15 characters");
	set_if(message, 42, text);
	return RESULT_OK;
}

struct result work_card(struct work *work)
{
	const json_t *card = json_object_get(work->request, "card");
	const json_t *month = json_object_get(card, "exp_month");
	const json_t *year = json_object_get(card, "exp_year");
	struct bytes text;

	if (!work_digits(card, "number", 12, 19, &text))
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
	if (!work_digits(card, "cvc", 3, 4, &text))
		return WRONG("cvc should be three or four digits");
	work->has_cvc = true;
	work_place(work, ISO8583_ROLE_CVC, text);
	return RESULT_OK;
}

// DE43, or where the dialect has the name. It is ASCII: what is not becomes a question mark, one
// for each character.
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
	if (work->composer->dialect->roles.places[ISO8583_ROLE_MERCHANT_NAME].target)
		work_place(work, ISO8583_ROLE_MERCHANT_NAME, bytes_from(to, length));
	else
		set_if(work->message, 43, bytes_from(to, length));
}

struct result work_amount(const struct work *work, uint64_t amount, uint64_t *ret_number,
                          int *ret_digits)
{
	const struct edition *edition = driver_edition(work->driver);
	struct bytes currency;

	*ret_digits = edition->amounts_whole ? WHOLE_AMOUNT_DIGITS : AMOUNT_DIGITS;
	if (!work_digits(work->request, "currency", 3, 3, &currency))
		return WRONG("currency should be three digits");
	if (!edition_amount(edition, (const char *)currency.data, amount, ret_number))
		return WRONG("it is not known how many decimals this currency has, which the "
		             "dialect's amounts say");
	return RESULT_OK;
}

struct result work_money(struct work *work)
{
	const json_t *amount = json_object_get(work->request, "amount");
	const json_t *name = json_object_get(work->request, "merchant_name");
	const struct parameters *parameters = &work->driver->parameters;
	struct bytes text;
	uint64_t number;
	int digits;

	if (!json_is_integer(amount) || json_integer_value(amount) < 0 ||
	    json_integer_value(amount) > 999999999999)
		return WRONG("amount should be a whole number of up to 12 digits");
	work->amount = (uint64_t)json_integer_value(amount);
	TRY(work_amount(work, work->amount, &number, &digits));
	iso8583_set_number(work->message, 4, number, digits);
	if (digits == AMOUNT_DIGITS && work_digits(work->request, "currency", 3, 3, &text))
		iso8583_set(work->message, 49, text);
	if (!work_text(work->request, "rrn", 12, 12, &text) || text.length == 0)
		return WRONG("rrn should be twelve characters");
	iso8583_set(work->message, 37, text);
	if (name && !json_is_string(name))
		return WRONG("merchant_name should be a text");
	set_name(work, bytes_from(json_string_value(name), json_string_length(name)));
	iso8583_set(work->message, 3, BYTES_LITERAL("000000"));
	work_place(work, ISO8583_ROLE_CATEGORY, bytes_text(parameters->category));
	set_if(work->message, 19, bytes_text(parameters->country));
	iso8583_set(work->message, 32, bytes_text(parameters->acquirer));
	return RESULT_OK;
}

struct result work_credential(struct work *work)
{
	struct bytes initiator, credential, transaction;

	if (!work_text(work->request, "initiator", 1, 16, &initiator) ||
	    !work_text(work->request, "credential", 1, 16, &credential) ||
	    !work_text(work->request, "network_transaction_id", 1, 32, &transaction))
		return WRONG("initiator, credential and network_transaction_id should be texts");
	bool merchant = bytes_equal_text(initiator, "merchant");
	bool stored = bytes_equal_text(credential, "stored");
	if (!merchant && !bytes_equal_text(initiator, "customer"))
		return WRONG("initiator should be customer or merchant");
	if (!stored && !bytes_equal_text(credential, "first"))
		return WRONG("credential should be first or stored");
	work->situation |= merchant ? ISO8583_WHEN_MERCHANT : ISO8583_WHEN_CUSTOMER;
	work->situation |= stored ? ISO8583_WHEN_STORED : ISO8583_WHEN_TYPED;
	work_transaction(work, transaction);
	return RESULT_OK;
}

void work_transaction(struct work *work, struct bytes id)
{
	work_place(work, ISO8583_ROLE_TRANSACTION, id);
	if (id.length > 0 && work->composer->dialect->roles.places[ISO8583_ROLE_TRANSACTION].target)
		work->situation |= ISO8583_WHEN_TRACED;
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
	work_place(work, ISO8583_ROLE_PROOF_VALUE, value);
	return RESULT_OK;
}

struct result work_authentication(struct work *work)
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
		if (!work_text(authentication, members[i].name, 0, members[i].longest, &text))
			return WRONG("authentication should be an object of short texts");
		if (members[i].role == ISO8583_ROLE_PROOF_VALUE)
			TRY(place_proof(work, text));
		else
			work_place(work, members[i].role, text);
	}
	return RESULT_OK;
}
