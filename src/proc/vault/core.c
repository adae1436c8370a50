// The messages of core: one row each, with a small handler. A message without a row, and one that
// breaks a rule that core knows, ends the channel.
#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "vault.h"
#include "vault/tokens.h"

static struct result on_keys_wanted(struct vault *vault, const struct wire_value *fields)
{
	cleanup(buffer_done) struct buffer jwks = { 0 };

	(void)fields;
	buffer_init(&jwks, 4096);
	vault_keyring_put_jwks(vault->keyring, &jwks);
	TRY(buffer_result(&jwks));
	return wire_channel_put(
	        &vault->core, WIRE_CARD_KEYS,
	        (const struct wire_value[]){ [WIRE_CARD_KEYS_JWKS] = WIRE_B(buffer_view(&jwks)) });
}

static struct result tell_problem(struct vault *vault, uint64_t id, const char *problem)
{
	const struct wire_value values[WIRE_FIELDS_OF_CARD_OPENED] = {
		[WIRE_CARD_OPENED_ID] = WIRE_N(id),
		[WIRE_CARD_OPENED_PROBLEM] = WIRE_B(bytes_text(problem)),
	};

	return wire_channel_put(&vault->core, WIRE_CARD_OPENED, values);
}

// Seals the card under a new handle, keeps its code, tells core what it may know.
static struct result tell_opened(struct vault *vault, uint64_t id, uint64_t merchant,
                                 const struct vault_card *card, struct bytes used)
{
	uint8_t handle[VAULT_HANDLE];
	uint8_t fingerprint[VAULT_FINGERPRINT];
	char last4[CARD_LAST4 + 1];
	cleanup(buffer_done) struct buffer sealed = { 0 };

	crypto_random(handle, sizeof(handle));
	vault_fingerprint(vault->keyring, secret_view(&card->number), fingerprint);
	card_last4(secret_view(&card->number), last4);
	buffer_init(&sealed, VAULT_CARD_SEALED_MAX);
	vault_card_seal(vault->keyring, card, merchant, handle, &sealed);
	TRY(buffer_result(&sealed));
	vault_codes_put(vault->codes, handle, secret_view(&card->code),
	                vault->monotonic_ms + VAULT_CODE_LIFE_MS);
	const struct wire_value values[] = {
		[WIRE_CARD_OPENED_ID] = WIRE_N(id),
		[WIRE_CARD_OPENED_PROBLEM] = WIRE_B(BYTES_NONE),
		[WIRE_CARD_OPENED_USED] = WIRE_B(used),
		[WIRE_CARD_OPENED_BRAND] = WIRE_B(bytes_text(card->brand->name)),
		[WIRE_CARD_OPENED_LAST4] = WIRE_B(bytes_text(last4)),
		[WIRE_CARD_OPENED_EXP_MONTH] = WIRE_N(card->exp_month),
		[WIRE_CARD_OPENED_EXP_YEAR] = WIRE_N(card->exp_year),
		[WIRE_CARD_OPENED_NAME] = WIRE_B(bytes_text(card->name)),
		[WIRE_CARD_OPENED_FINGERPRINT] = WIRE_B(BYTES_ARRAY(fingerprint)),
		[WIRE_CARD_OPENED_HANDLE] = WIRE_B(BYTES_ARRAY(handle)),
		[WIRE_CARD_OPENED_SEALED] = WIRE_B(buffer_view(&sealed)),
	};
	return wire_channel_put(&vault->core, WIRE_CARD_OPENED, values);
}

static struct result on_open_card(struct vault *vault, const struct wire_value *fields)
{
	cleanup(vault_card_done) struct vault_card card = { 0 };
	uint8_t used[CRYPTO_SHA256];
	uint64_t now_ms = fields[WIRE_OPEN_CARD_NOW_MS].number;
	uint64_t id = fields[WIRE_OPEN_CARD_ID].number;

	if (now_ms > INT64_MAX)
		return FAIL(ERROR_INPUT, "core's clock is out of range");
	enum vault_problem problem = vault_card_open_envelope(
	        vault->keyring, &vault->pools, fields[WIRE_OPEN_CARD_JWE].bytes,
	        fields[WIRE_OPEN_CARD_INTENT].bytes, (int64_t)now_ms, &card, used);
	if (problem != VAULT_GOOD)
		return tell_problem(vault, id, vault_problem_name(problem));
	return tell_opened(vault, id, fields[WIRE_OPEN_CARD_MERCHANT].number, &card,
	                   BYTES_ARRAY(used));
}

static struct result on_test_card(struct vault *vault, const struct wire_value *fields)
{
	cleanup(vault_card_done) struct vault_card card = { 0 };
	uint64_t id = fields[WIRE_TEST_CARD_ID].number;

	if (vault->live)
		return tell_problem(vault, id, "live_mode");
	struct result result = vault_token_card(fields[WIRE_TEST_CARD_TOKEN].bytes, vault->wall_ms,
	                                        vault->pools.cards, &card);
	if (result.error == ERROR_INPUT)
		return tell_problem(vault, id, "unknown_token");
	TRY(result);
	return tell_opened(vault, id, fields[WIRE_TEST_CARD_MERCHANT].number, &card, BYTES_NONE);
}

static struct result on_forget_code(struct vault *vault, const struct wire_value *fields)
{
	struct bytes handle = fields[WIRE_FORGET_CODE_HANDLE].bytes;

	if (handle.length != VAULT_HANDLE)
		return FAIL(ERROR_INPUT, "a handle has 16 bytes");
	vault_codes_forget(vault->codes, handle.data);
	return RESULT_OK;
}

static struct result on_connection(struct vault *vault, const struct wire_value *fields)
{
	vault_driver_connect(vault, (uint32_t)fields[WIRE_CONNECTION_NUMBER].number,
	                     fields[WIRE_CONNECTION_NAME].bytes,
	                     fields[WIRE_CONNECTION_BLOB].bytes);
	return RESULT_OK;
}

static struct result on_connection_remove(struct vault *vault, const struct wire_value *fields)
{
	struct vault_driver *driver =
	        vault_drivers_find(vault, (uint32_t)fields[WIRE_CONNECTION_REMOVE_NUMBER].number);

	if (driver)
		vault_driver_remove(vault, driver);
	return RESULT_OK;
}

// The card of a request, with the code if core wants it and it is still there. The code is handed
// out once: it is gone from memory as soon as the driver's line is written.
static struct result open_card(struct vault *vault, const struct wire_value *fields,
                               struct vault_card *ret_card)
{
	struct bytes handle = fields[WIRE_DRIVER_REQUEST_HANDLE].bytes;

	if (handle.length != VAULT_HANDLE)
		return FAIL(ERROR_INPUT, "a handle has 16 bytes");
	TRY(vault_card_open(vault->keyring, vault->pools.cards,
	                    fields[WIRE_DRIVER_REQUEST_SEALED].bytes,
	                    fields[WIRE_DRIVER_REQUEST_MERCHANT].number, handle.data, ret_card));
	if (fields[WIRE_DRIVER_REQUEST_CARD].number == 2)
		vault_codes_take(vault->codes, handle.data, vault->monotonic_ms, vault->pools.cards,
		                 &ret_card->code);
	return RESULT_OK;
}

static void refuse(struct vault *vault, const struct vault_order *order, uint32_t connection,
                   const char *detail)
{
	vault_answers_add(&vault->answers, order->id, connection, VAULT_NOT_SENT, detail,
	                  BYTES_NONE);
}

static struct result on_driver_request(struct vault *vault, const struct wire_value *fields)
{
	cleanup(vault_card_done) struct vault_card card = { 0 };
	uint32_t connection = (uint32_t)fields[WIRE_DRIVER_REQUEST_CONNECTION].number;
	struct vault_driver *driver = vault_drivers_find(vault, connection);
	struct vault_order order = {
		.id = (int64_t)fields[WIRE_DRIVER_REQUEST_ID].number,
		.deadline_ms = (int64_t)fields[WIRE_DRIVER_REQUEST_DEADLINE_MS].number,
		.line = fields[WIRE_DRIVER_REQUEST_LINE].bytes,
	};

	if (order.id == 0 || vault_requests_find(&vault->requests, order.id))
		return FAIL(ERROR_INPUT, "the number of a request is 0 or in use");
	const char *refusal = driver ? vault_driver_refusal(vault, driver, order.deadline_ms)
	                             : "there is no such connection";
	if (!refusal && fields[WIRE_DRIVER_REQUEST_CARD].number > 0) {
		struct result result = open_card(vault, fields, &card);
		refusal = result_ok(result) ? NULL : result.detail;
		order.card = &card;
	}
	if (refusal)
		refuse(vault, &order, connection, refusal);
	else
		vault_driver_request(vault, driver, &order);
	return RESULT_OK;
}

static struct result on_answer_taken(struct vault *vault, const struct wire_value *fields)
{
	int64_t id = (int64_t)fields[WIRE_ANSWER_TAKEN_ID].number;

	if (!vault_answers_taken(&vault->answers, id))
		log_event(LOG_WARN, "answer_taken_twice", LOG_NUMBER("request", id));
	return RESULT_OK;
}

static const struct {
	enum wire_number number;
	struct result (*handle)(struct vault *vault, const struct wire_value *fields);
} rows[] = {
	{ WIRE_KEYS_WANTED, on_keys_wanted },
	{ WIRE_OPEN_CARD, on_open_card },
	{ WIRE_TEST_CARD, on_test_card },
	{ WIRE_FORGET_CODE, on_forget_code },
	{ WIRE_CONNECTION, on_connection },
	{ WIRE_CONNECTION_REMOVE, on_connection_remove },
	{ WIRE_DRIVER_REQUEST, on_driver_request },
	{ WIRE_ANSWER_TAKEN, on_answer_taken },
};

static struct result dispatch(struct vault *vault, const struct wire_message *message)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((uint16_t)rows[i].number == message->row->number)
			return rows[i].handle(vault, message->fields);
	return FAIL(ERROR_INPUT, "a message that core may not send");
}

struct result vault_core_messages(struct vault *vault)
{
	struct wire_message message;
	bool got = false;

	TRY(wire_channel_read(&vault->core));
	for (;;) {
		TRY(wire_channel_next(&vault->core, &message, &got));
		if (!got)
			return RESULT_OK;
		TRY(dispatch(vault, &message));
	}
}

static void tell_state(struct vault *vault, struct vault_driver *driver)
{
	const struct wire_value values[] = {
		[WIRE_CONNECTION_STATE_NUMBER] = WIRE_N(driver->number),
		[WIRE_CONNECTION_STATE_STATE] = WIRE_N(driver->state),
		[WIRE_CONNECTION_STATE_DETAIL] = WIRE_B(bytes_text(driver->detail)),
	};

	driver->told = result_ok(wire_channel_put(&vault->core, WIRE_CONNECTION_STATE, values));
}

void vault_tell_core(struct vault *vault)
{
	if (!wire_channel_is_open(&vault->core))
		return;
	for (size_t i = 0; i < vault->drivers.count; i++)
		if (!vault->drivers.list[i]->told)
			tell_state(vault, vault->drivers.list[i]);
	vault_answers_send(&vault->answers, &vault->core);
}
