// Vault, the driver and the network to the bank, as docs/drivers.md and ARCHITECTURE.md have them:
// a card is opened, a line goes to the driver, every answer is kept until core has taken it.
#include "parts.h"

#include "base/check.h"
#include "base/text.h"
#include "crypto/mac.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { ANSWERED, NOT_SENT, UNKNOWN, LATE, BODY_MAX = 400 };

struct kept_answer {
	struct kept_answer *next;
	int64_t id;
	int connection, state;
	bool sent; // on the line to this core
	char line[BODY_MAX + 32];
};

// Connection 1 is the bank's, 2 the directory server's, 3 a second line to the bank.
enum { DIRECTORY = 2, SECOND = 3, CONNECTIONS };

struct driver {
	bool up, line_up;
	uint64_t life;
};

struct flight {
	struct flight *next;
	struct bank_request request;
	int64_t deadline_ms;
	bool late; // unknown was answered; what still comes is late
};

static struct {
	bool up, core_up;
	uint64_t life;
	struct driver drivers[CONNECTIONS]; // by the number of their connection
	struct kept_answer *answers, **last_answer;
	struct flight *flights;
	int64_t *ids; // that core has ever chosen
	size_t id_count;
} vault;

struct reply_in {
	struct bank_request request;
	char body[BODY_MAX];
};

static void vault_starts(void *what);
static void driver_starts(void *what);

// --- answers, kept until they are taken

static void send_answers(void)
{
	for (struct kept_answer *a = vault.answers; a; a = a->next) {
		const struct wire_value values[WIRE_FIELDS_OF_DRIVER_ANSWER] = {
			[WIRE_DRIVER_ANSWER_ID] = WIRE_N(a->id),
			[WIRE_DRIVER_ANSWER_CONNECTION] = WIRE_N(a->connection),
			[WIRE_DRIVER_ANSWER_STATE] = WIRE_N(a->state),
			[WIRE_DRIVER_ANSWER_LINE] = WIRE_B(bytes_text(a->line)),
		};
		if (!vault.core_up || a->sent)
			continue;
		host_from_vault(WIRE_DRIVER_ANSWER, values);
		a->sent = true;
	}
}

void vault_answer(int connection, int64_t id, int state, const char *body)
{
	struct kept_answer *answer = world_room(sizeof(*answer));

	answer->id = id;
	answer->connection = connection;
	answer->state = state;
	if (body[0])
		snprintf(answer->line, sizeof(answer->line), "{\"id\":%lld,%s}", (long long)id,
		         body);
	*vault.last_answer = answer;
	vault.last_answer = &answer->next;
	send_answers();
}

static void answer_taken(int64_t id)
{
	struct kept_answer **place = &vault.answers;

	while (*place && (*place)->id != id)
		place = &(*place)->next;
	if (!*place)
		return;
	struct kept_answer *answer = *place;
	*place = answer->next;
	if (vault.last_answer == &answer->next)
		vault.last_answer = place;
	free(answer);
}

// --- the network

// A little while, or one that is too long for any deadline.
static int64_t way_ms(void)
{
	return fault_of(sim.faults.late) ? chance_between(1000, 38000) : chance_between(2, 40);
}

static struct flight **find_flight(int64_t id)
{
	struct flight **place = &vault.flights;

	while (*place && (*place)->request.id != id)
		place = &(*place)->next;
	return place;
}

static void end_flight(struct flight **place)
{
	struct flight *flight = *place;

	*place = flight->next;
	free(flight);
}

static void reply_arrives(void *what)
{
	const struct reply_in *reply = what;
	struct flight **flight = find_flight(reply->request.id);

	const struct driver *driver = &vault.drivers[reply->request.connection];

	if (reply->request.driver_life != driver->life || !driver->up || !*flight)
		return;
	vault_answer(reply->request.connection, reply->request.id,
	             (*flight)->late ? LATE : ANSWERED, reply->body);
	end_flight(flight);
}

static void send_reply(const struct bank_request *request, const char *body)
{
	if (fault_of(sim.faults.lost))
		return;
	struct reply_in *reply = world_room(sizeof(*reply));
	reply->request = *request;
	bytes_copy_text(bytes_text(body), reply->body, sizeof(reply->body));
	world_after(way_ms(), reply_arrives, reply);
}

static void request_arrives(void *what)
{
	const struct bank_request *request = what;
	const char *body = ledger_process(request);

	if (!body)
		return;
	send_reply(request, body);
	if (fault_of(sim.faults.doubled))
		send_reply(request, body);
}

static void send_request(const struct bank_request *request)
{
	for (int i = 0; i < 1 + fault_of(sim.faults.doubled); i++) {
		if (fault_of(sim.faults.lost))
			continue;
		struct bank_request *copy = world_room(sizeof(*copy));
		*copy = *request;
		world_after(way_ms(), request_arrives, copy);
	}
}

// --- the driver

static void deadline_passes(void *what)
{
	struct flight **place = find_flight(*(const int64_t *)what);

	if (!*place || (*place)->late)
		return;
	if ((*place)->deadline_ms > sim_wall_ms()) { // the clock was set back
		int64_t *again = world_room(sizeof(*again));
		*again = *(const int64_t *)what;
		world_after((*place)->deadline_ms - sim_wall_ms(), deadline_passes, again);
		return;
	}
	(*place)->late = true;
	vault_answer((*place)->request.connection, (*place)->request.id, UNKNOWN, "");
}

// What is open on a connection (0: on all) may have reached the bank.
static void lose_flights(int connection, bool answered)
{
	struct flight **place = &vault.flights;

	while (*place) {
		const struct flight *flight = *place;
		if (connection && flight->request.connection != connection) {
			place = &(*place)->next;
			continue;
		}
		if (answered && !flight->late)
			vault_answer(connection, flight->request.id, UNKNOWN, "");
		end_flight(place);
	}
}

static bool is_used(int connection)
{
	return connection == 1 || (connection == DIRECTORY && sim.policy->directory) ||
	       (connection == SECOND && sim.policy->second);
}

static void tell_state(int connection)
{
	const struct driver *driver = &vault.drivers[connection];
	const struct wire_value values[WIRE_FIELDS_OF_CONNECTION_STATE] = {
		[WIRE_CONNECTION_STATE_NUMBER] = WIRE_N(connection),
		[WIRE_CONNECTION_STATE_STATE] = WIRE_N(driver->up && driver->line_up ? 1 : 2),
	};

	if (vault.core_up)
		host_from_vault(WIRE_CONNECTION_STATE, values);
}

static int pick_driver(void)
{
	return sim.policy->second && chance_of(500) ? SECOND : 1;
}

static void later(int64_t wait_ms, void (*happen)(void *what), int connection)
{
	int *room = world_room(sizeof(*room));

	*room = connection;
	world_after(wait_ms, happen, room);
}

void driver_dies(void)
{
	int connection = pick_driver();
	struct driver *driver = &vault.drivers[connection];

	if (!driver->up)
		return;
	TELL("driver %d: dead", connection);
	driver->up = false;
	driver->life++;
	lose_flights(connection, true);
	tell_state(connection);
	later(chance_between(100, 2000), driver_starts, connection);
}

static void line_is_up_again(void *what)
{
	int connection = *(int *)what;

	vault.drivers[connection].line_up = true;
	tell_state(connection);
}

void driver_line_breaks(void)
{
	int connection = pick_driver();
	struct driver *driver = &vault.drivers[connection];

	if (!driver->up || !driver->line_up)
		return;
	TELL("driver %d: the line to the bank breaks", connection);
	driver->line_up = false;
	driver->life++; // answers on the old line are lost
	lose_flights(connection, true);
	if (chance_of(700)) // core may hear of it only by an answer
		tell_state(connection);
	later(chance_between(100, 5000), line_is_up_again, connection);
}

static void driver_starts(void *what)
{
	int connection = *(int *)what;
	struct driver *driver = &vault.drivers[connection];

	if (!vault.up || driver->up || !is_used(connection))
		return;
	driver->up = driver->line_up = true;
	tell_state(connection);
}

static void start_drivers(int64_t within_ms)
{
	for (int connection = 1; connection < CONNECTIONS; connection++)
		later(chance_below(within_ms + 1), driver_starts, connection);
}

static const char *text_in(const json_t *line, const char *name)
{
	const char *text = json_string_value(json_object_get(line, name));

	return text ? text : "";
}

static void read_key(const json_t *line, const char *terminal, struct wire_key *ret_key)
{
	bytes_copy_text(bytes_text(terminal), ret_key->terminal, sizeof(ret_key->terminal));
	bytes_copy_text(bytes_text(text_in(line, "sent_at")), ret_key->sent_at,
	                sizeof(ret_key->sent_at));
	bytes_copy_text(bytes_text(text_in(line, "stan")), ret_key->stan, sizeof(ret_key->stan));
}

static bool read_line(struct bytes text, struct bank_request *ret_request)
{
	static const char *const names[OPERATIONS] = { "verify", "authorize", "capture", "reverse",
		                                       "refund" };
	json_t *line = json_loadb((const char *)text.data, text.length, 0, NULL);
	const json_t *original = json_object_get(line, "original");
	const char *name = text_in(line, "op");
	int operation = 0;

	while (operation < OPERATIONS && strcmp(names[operation], name) != 0)
		operation++;
	*ret_request = (struct bank_request){
		.id = json_integer_value(json_object_get(line, "id")),
		.operation = (enum operation)operation,
		.amount = json_integer_value(json_object_get(line, "amount")),
		.repeat = json_is_true(json_object_get(line, "repeat")),
		.authenticated = json_object_get(line, "authentication") != NULL,
		.single = json_is_true(json_object_get(line, "single_message")),
	};
	read_key(line, text_in(line, "terminal"), &ret_request->key);
	if (original) {
		read_key(original, text_in(line, "terminal"), &ret_request->original);
		ret_request->original_amount =
		        json_integer_value(json_object_get(original, "amount"));
	}
	bytes_copy_text(bytes_text(text_in(line, "rrn")), ret_request->rrn,
	                sizeof(ret_request->rrn));
	bytes_copy_text(bytes_text(text_in(line, "currency")), ret_request->currency,
	                sizeof(ret_request->currency));
	json_decref(line);
	return operation < OPERATIONS;
}

static void note_id(int64_t id)
{
	for (size_t i = 0; i < vault.id_count; i++)
		if (vault.ids[i] == id)
			sim_fail("core chose the number %lld for two questions", (long long)id);
	if ((vault.id_count & (vault.id_count - 1)) == 0) {
		vault.ids = realloc(vault.ids, (vault.id_count ? vault.id_count * 2 : 64) *
		                                       sizeof(*vault.ids));
		CHECK(vault.ids);
	}
	vault.ids[vault.id_count++] = id;
}

// The card that a seal is of; -1: it is none. The seal names the handle that it was made for.
static int unseal(struct bytes sealed, struct bytes handle)
{
	if (sealed.length != 4 + handle.length || !bytes_start_with(sealed, "seal") ||
	    memcmp(sealed.data + 4, handle.data, handle.length) != 0)
		return -1;
	return handle.data[0];
}

static void on_driver_request(const struct wire_value *f)
{
	struct bank_request request;
	int64_t deadline_ms = (int64_t)f[WIRE_DRIVER_REQUEST_DEADLINE_MS].number;
	int connection = (int)f[WIRE_DRIVER_REQUEST_CONNECTION].number;

	note_id((int64_t)f[WIRE_DRIVER_REQUEST_ID].number);
	CHECK(connection >= 1 && connection < CONNECTIONS);
	const struct driver *driver = &vault.drivers[connection];
	if (connection == DIRECTORY) {
		directory_request(f[WIRE_DRIVER_REQUEST_LINE].bytes, deadline_ms);
		return;
	}
	CHECK(read_line(f[WIRE_DRIVER_REQUEST_LINE].bytes, &request));
	request.connection = connection;
	request.driver_life = driver->life;
	if (f[WIRE_DRIVER_REQUEST_CARD].number)
		request.card = unseal(f[WIRE_DRIVER_REQUEST_SEALED].bytes,
		                      f[WIRE_DRIVER_REQUEST_HANDLE].bytes);
	if (request.card < 0)
		sim_fail("%.*s: core sends a card without its seal",
		         (int)f[WIRE_DRIVER_REQUEST_LINE].bytes.length,
		         (const char *)f[WIRE_DRIVER_REQUEST_LINE].bytes.data);
	if (!driver->up || !driver->line_up || deadline_ms <= sim_wall_ms()) {
		vault_answer(connection, request.id, NOT_SENT, "");
		return;
	}
	struct flight *flight = world_room(sizeof(*flight));
	flight->request = request;
	flight->deadline_ms = deadline_ms;
	flight->next = vault.flights;
	vault.flights = flight;
	int64_t *id = world_room(sizeof(*id));
	*id = request.id;
	world_after(deadline_ms - sim_wall_ms(), deadline_passes, id);
	send_request(&request);
}

// --- cards

// `card` is a digit; `used` is empty for one of a token.
static void tell_opened(uint64_t id, uint8_t card, struct bytes used)
{
	uint8_t fingerprint[CRYPTO_SHA256], handle[16];
	char sealed[4 + sizeof(handle)];

	crypto_sha256(bytes_from(&card, 1), fingerprint);
	chance_bytes(handle, sizeof(handle));
	handle[0] = (uint8_t)(card - '0');
	memcpy(sealed, "seal", 4);
	memcpy(sealed + 4, handle, sizeof(handle));
	const struct wire_value values[WIRE_FIELDS_OF_CARD_OPENED] = {
		[WIRE_CARD_OPENED_ID] = WIRE_N(id),
		[WIRE_CARD_OPENED_USED] = WIRE_B(used),
		[WIRE_CARD_OPENED_BRAND] = WIRE_B(BYTES_LITERAL("mir")),
		[WIRE_CARD_OPENED_LAST4] = WIRE_B(BYTES_LITERAL("4242")),
		[WIRE_CARD_OPENED_EXP_MONTH] = WIRE_N(12),
		[WIRE_CARD_OPENED_EXP_YEAR] = WIRE_N(2049),
		[WIRE_CARD_OPENED_FINGERPRINT] = WIRE_B(BYTES_ARRAY(fingerprint)),
		[WIRE_CARD_OPENED_HANDLE] = WIRE_B(BYTES_ARRAY(handle)),
		[WIRE_CARD_OPENED_SEALED] = WIRE_B(BYTES_ARRAY(sealed)),
	};
	host_from_vault(WIRE_CARD_OPENED, values);
}

// What a shop calls an encrypted card: "card-7-123456": which card, and its ephemeral key.
static void on_open_card(const struct wire_value *f)
{
	struct bytes jwe = f[WIRE_OPEN_CARD_JWE].bytes;
	uint8_t used[CRYPTO_SHA256];

	CHECK(jwe.length > 7 && bytes_start_with(jwe, "card-"));
	crypto_sha256(jwe, used);
	tell_opened(f[WIRE_OPEN_CARD_ID].number, jwe.data[5], BYTES_ARRAY(used));
}

void vault_message(const struct wire_message *message)
{
	const struct wire_value *f = message->fields;

	if (!vault.up)
		return;
	switch (message->row->number) {
	case WIRE_OPEN_CARD: on_open_card(f); break;
	case WIRE_TEST_CARD: // a token's is always the same card
		tell_opened(f[WIRE_TEST_CARD_ID].number, '0', BYTES_NONE);
		break;
	case WIRE_DRIVER_REQUEST: on_driver_request(f); break;
	case WIRE_ANSWER_TAKEN: answer_taken((int64_t)f[WIRE_ANSWER_TAKEN_ID].number); break;
	case WIRE_CONNECTION: tell_state((int)f[WIRE_CONNECTION_NUMBER].number); break;
	case WIRE_KEYS_WANTED:
		host_from_vault(WIRE_CARD_KEYS,
		                (const struct wire_value[]){ [WIRE_CARD_KEYS_JWKS] =
		                                                     WIRE_B(BYTES_LITERAL("{}")) });
		break;
	default: break; // FORGET_CODE: no code is here
	}
}

// --- life and death

uint64_t vault_life(void)
{
	return vault.life;
}

void vault_core_is_up(void)
{
	if (!vault.up)
		return;
	vault.core_up = true;
	host_vault_line(true);
	for (struct kept_answer *a = vault.answers; a; a = a->next)
		a->sent = false;
	send_answers();
}

void vault_core_died(void)
{
	vault.core_up = false;
}

static void forget_answers(void)
{
	while (vault.answers)
		answer_taken(vault.answers->id);
	vault.last_answer = &vault.answers;
}

void vault_dies(void)
{
	if (!vault.up)
		return;
	TELL("vault: dead");
	vault.up = vault.core_up = false;
	vault.life++;
	for (int i = 1; i < CONNECTIONS; i++)
		vault.drivers[i] = (struct driver){ .life = vault.drivers[i].life + 1 };
	lose_flights(0, false);
	forget_answers();
	host_vault_line(false);
	world_after(chance_between(50, 1500), vault_starts, NULL);
}

static void vault_starts(void *what)
{
	(void)what;
	if (vault.up)
		return;
	TELL("vault: up");
	vault.up = true;
	start_drivers(500);
	if (host_is_up())
		vault_core_is_up();
}

void vault_begin(void)
{
	vault.last_answer = &vault.answers;
	vault.up = true;
	start_drivers(0);
}

void vault_end(void)
{
	lose_flights(0, false);
	forget_answers();
	free(vault.ids);
	memset(&vault, 0, sizeof(vault));
}
