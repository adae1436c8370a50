// The operator's control socket: the verbs of the `onfile` command that core answers. One client,
// one command, some lines, an exit status. Who may connect is a matter of the socket's owner and
// mode.
#include "core/flows.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"
#include "crypto/mac.h"
#include "http/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { OUT_LIMIT = 1024 * 1024, TEST_MS = 10000, CLIENTS_MAX = 32 };

struct client {
	struct client *next;
	struct core *core;
	struct wire_channel channel;
	uv_poll_t poll;
	int64_t number;
	bool ended; // the exit status was written; the client hangs up
	bool closing;
};

struct control {
	uv_poll_t *poll;
	int fd;
	struct client *clients;
	int64_t next_number;
	int count;
};

struct control *control_new(struct core *core)
{
	struct control *control = calloc(1, sizeof(*control));

	(void)core;
	CHECK(control);
	control->fd = -1;
	return control;
}

// --- saying things

static void say(struct client *client, int stream, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
static void say(struct client *client, int stream, const char *format, ...)
{
	char text[4000];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	struct result result = wire_channel_put(
	        &client->channel, WIRE_CLI_LINE,
	        (const struct wire_value[]){ [WIRE_CLI_LINE_STREAM] = WIRE_N(stream),
	                                     [WIRE_CLI_LINE_TEXT] = WIRE_B(bytes_text(text)) });
	if (!result_ok(result))
		client->closing = true;
}

static void end(struct client *client, int status)
{
	struct result result = wire_channel_put(
	        &client->channel, WIRE_CLI_END,
	        (const struct wire_value[]){ [WIRE_CLI_END_STATUS] = WIRE_N(status) });

	client->ended = true;
	client->closing |= !result_ok(result);
}

static void fail(struct client *client, const char *sentence)
{
	say(client, 2, "%s", sentence);
	end(client, 1);
}

// --- arguments: "name=value" and a zero byte each

static bool argument(struct bytes arguments, const char *name, char *to, size_t capacity)
{
	size_t length = strlen(name);

	to[0] = '\0';
	while (arguments.length) {
		size_t size = bytes_find(arguments, 0);
		struct bytes one = bytes_slice(arguments, 0, size);
		if (bytes_start_with(one, name) && one.length > length && one.data[length] == '=')
			return bytes_copy_text(bytes_slice(one, length + 1, one.length), to,
			                       capacity);
		arguments = bytes_slice(arguments, size + 1, arguments.length);
	}
	return false;
}

// --- verbs

typedef void verb(struct core *core, struct client *client, struct bytes arguments,
                  struct bytes blob);

static void make_key(struct core *core, struct client *client, int64_t merchant, bool publishable)
{
	uint8_t chance[32], digest[CRYPTO_SHA256];
	struct buffer key;

	crypto_random(chance, sizeof(chance));
	buffer_init_secret(&key, 128);
	buffer_printf(&key, "%s_%s_", publishable ? "pk" : "sk",
	              core->config.live ? "live" : "test");
	for (int i = 0; i < 4; i++) {
		uint64_t part;
		memcpy(&part, chance + 8 * i, 8);
		base62_put(&key, part, 11);
	}
	crypto_sha256(buffer_view(&key), digest);
	store_run(core->store, STORE_KEY_INSERT, STORE_B(BYTES_ARRAY(digest)), STORE_N(merchant),
	          STORE_N(publishable));
	say(client, 1, "%s %s", publishable ? "publishable_key" : "secret_key", buffer_text(&key));
	buffer_done(&key);
	explicit_bzero(chance, sizeof(chance));
}

// The bank's pages and 3-D Secure name the shop by this address: no plain HTTP beyond this machine.
static bool url_is_good(const char *text)
{
	struct http_url url;

	if (!result_ok(http_url_read(bytes_text(text), &url)))
		return false;
	struct bytes host = url.host;
	size_t tail = host.length > 10 ? host.length - 10 : 0;
	return url.https || bytes_equal_text(host, "localhost") ||
	       bytes_equal_text(host, "127.0.0.1") || bytes_equal_text(host, "[::1]") ||
	       bytes_equal_text(bytes_slice(host, tail, host.length), ".localhost");
}

static void merchant_add(struct core *core, struct client *client, struct bytes arguments,
                         struct bytes blob)
{
	struct merchant merchant = { .id = core_next_id(core) };

	(void)blob;
	if (!argument(arguments, "name", merchant.name, sizeof(merchant.name)) ||
	    !argument(arguments, "url", merchant.url, sizeof(merchant.url)) ||
	    !argument(arguments, "support", merchant.support, sizeof(merchant.support))) {
		fail(client, "merchant add needs --name, --url and --support");
		return;
	}
	if (!url_is_good(merchant.url)) {
		fail(client, "the merchant's url should be https://…, or http://… of this machine");
		return;
	}
	if (!text_is_utf8(bytes_text(merchant.name)) ||
	    !text_is_utf8(bytes_text(merchant.support))) {
		fail(client, "name and support must be UTF-8");
		return;
	}
	if (!argument(arguments, "mcc", merchant.mcc, sizeof(merchant.mcc)))
		memcpy(merchant.mcc, "5999", 5);
	if (!argument(arguments, "country", merchant.country, sizeof(merchant.country)))
		memcpy(merchant.country, "643", 4);
	if (!argument(arguments, "bank-id", merchant.bank_id, sizeof(merchant.bank_id)))
		snprintf(merchant.bank_id, sizeof(merchant.bank_id), "%015u",
		         (unsigned)(merchant.id % 1000000000));
	store_insert(core->store, STORE_MERCHANTS, &merchant);
	say(client, 1, "merchant %lld %s", (long long)merchant.id, merchant.name);
	make_key(core, client, merchant.id, false);
	make_key(core, client, merchant.id, true);
	end(client, 0);
}

static void merchant_list(struct core *core, struct client *client, struct bytes arguments,
                          struct bytes blob)
{
	struct store_query query = store_begin(core->store, STORE_MERCHANT_LIST, NULL, 0);
	struct merchant merchant;

	(void)arguments;
	(void)blob;
	while (store_step(&query)) {
		store_read(&query, STORE_MERCHANTS, &merchant);
		say(client, 1, "%lld  %s  %s  %s", (long long)merchant.id, merchant.name,
		    merchant.url, merchant.support);
	}
	end(client, 0);
}

static void connection_add(struct core *core, struct client *client, struct bytes arguments,
                           struct bytes blob)
{
	char name[64], driver[64], kind[32];

	if (!argument(arguments, "name", name, sizeof(name)) ||
	    !argument(arguments, "driver", driver, sizeof(driver)) ||
	    !argument(arguments, "kind", kind, sizeof(kind)) || blob.length == 0) {
		fail(client, "a connection needs a name, a driver, its kind and sealed parameters");
		return;
	}
	if (store_run(core->store, STORE_CONNECTION_INSERT, STORE_T(name), STORE_T(driver),
	              STORE_T(kind), STORE_B(blob)) == 0) {
		fail(client, "there is a connection of this name; remove it first");
		return;
	}
	connections_load(core);
	connections_tell_vault(core);
	say(client, 1, "connection %s added (%s, driver %s)", name, kind, driver);
	end(client, 0);
}

static void connection_list(struct core *core, struct client *client, struct bytes arguments,
                            struct bytes blob)
{
	static const char *const states[] = { "starting", "up", "down", "failed" };

	(void)arguments;
	(void)blob;
	for (const struct connection *c = core->flows->connections; c; c = c->next)
		say(client, 1, "%-16s %-16s %-15s %-9s %s", c->name, c->driver,
		    c->bank ? "bank" : "authentication", states[c->state], c->detail);
	end(client, 0);
}

static void connection_remove(struct core *core, struct client *client, struct bytes arguments,
                              struct bytes blob)
{
	char name[64];

	(void)blob;
	argument(arguments, "name", name, sizeof(name));
	const struct connection *connection = connections_find(core, name);
	if (!connection) {
		fail(client, "there is no connection of this name");
		return;
	}
	core_tell_vault(core, WIRE_CONNECTION_REMOVE,
	                (const struct wire_value[]){ [WIRE_CONNECTION_REMOVE_NUMBER] =
	                                                     WIRE_N(connection->number) });
	store_run(core->store, STORE_CONNECTION_REMOVE, STORE_T(name));
	connections_load(core);
	connections_tell_vault(core);
	say(client, 1, "connection %s removed", name);
	end(client, 0);
}

static void connection_test(struct core *core, struct client *client, struct bytes arguments,
                            struct bytes blob)
{
	struct buffer line cleanup(buffer_done) = { 0 };
	char name[64];

	(void)blob;
	argument(arguments, "name", name, sizeof(name));
	const struct connection *connection = connections_find(core, name);
	if (!connection) {
		fail(client, "there is no connection of this name");
		return;
	}
	int64_t id = core_next_id(core);
	struct question *question = flows_ask(core, QUESTION_TEST, id, client->number);
	buffer_init(&line, 1024);
	buffer_printf(
	        &line, "{\"id\":%lld,\"op\":\"test\",\"deadline_ms\":%lld,\"stan\":\"%06lld\"",
	        (long long)id, (long long)(core->now_ms + TEST_MS), (long long)(id % 999999 + 1));
	bank_put_times(core, &line);
	buffer_printf(&line, ",\"terminal\":\"%08lld\",\"merchant\":\"ONFILE\"}",
	              (long long)connection->number);
	say(client, 1, "connection %s: driver %s, %s", connection->name, connection->driver,
	    connection->state == 1  ? "up"
	    : connection->detail[0] ? connection->detail
	                            : "not up");
	if (!bank_ask(core, question, connection->number, core->now_ms + TEST_MS, 0, 0,
	              buffer_view(&line)))
		fail(client, "vault is away; try again in a moment");
}

static struct client *find_client(struct core *core, int64_t number)
{
	for (struct client *client = core->control->clients; client; client = client->next)
		if (client->number == number && !client->closing)
			return client;
	return NULL;
}

void control_test_answer(struct core *core, const struct question *question, const json_t *answer,
                         const char *detail)
{
	struct client *client = find_client(core, question->subject);
	const char *outcome = json_string_value(json_object_get(answer, "outcome"));
	const char *said = json_string_value(json_object_get(answer, "detail"));
	bool good = outcome && strcmp(outcome, "approved") == 0;

	if (!client)
		return;
	if (good)
		say(client, 1, "the bank answered in %lld ms",
		    (long long)(core->now_ms - question->asked_ms));
	else
		say(client, 2, "the bank did not answer: %s",
		    said        ? said
		    : detail[0] ? detail
		    : outcome   ? outcome
		                : "the driver's answer cannot be read");
	end(client, good ? 0 : 1);
	core_wake(core);
}

// --- trace

static void say_at(struct client *client, int64_t at_ms, const char *text)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	char when[32];

	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &utc);
	say(client, 1, "%s.%03d  %s", when, (int)(at_ms % 1000), text);
}

static void trace_head(struct core *core, struct client *client, const struct attempt *row)
{
	struct card card cleanup(card_done) = { 0 };
	const struct problem_row *problem = problem_row(row->problem);

	say(client, 1, "%s, %s", row->kind == ATTEMPT_LINK ? "link a card" : "payment",
	    flow_state_name(row->state));
	if (row->card && store_load(core->store, STORE_CARDS, row->card, &card))
		say(client, 1, "card: %s, ends in %s, %02d/%d", card.brand, card.last4,
		    card.exp_month, card.exp_year);
	if (row->kind == ATTEMPT_PAYMENT)
		say(client, 1, "amount: %lld %s (minor units)", (long long)row->amount,
		    row->currency);
	if (row->stan)
		say(client, 1, "on the wire: STAN %06lld, response code %s, approval %s",
		    (long long)row->stan, row->response_code[0] ? row->response_code : "-",
		    row->approval_code[0] ? row->approval_code : "-");
	if (row->problem)
		say(client, 1, "why: %s%s%s; who can fix it: %s; again: %s", problem->name,
		    row->decline_code[0] ? ", the bank says " : "", row->decline_code,
		    problem_who_name(problem->group->who),
		    problem_again_name(problem->group->again));
}

// The attempt with the code that a shopper read out; a client is told when there is none.
static bool find_attempt(struct core *core, struct client *client, struct bytes arguments,
                         struct attempt *ret_row)
{
	char code[32];

	argument(arguments, "code", code, sizeof(code));
	for (char *c = code; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	int64_t attempt = store_one_number(core->store, STORE_CODE_FIND, 0, STORE_T(code));
	if (attempt && store_load(core->store, STORE_ATTEMPTS, attempt, ret_row))
		return true;
	fail(client, "no attempt has this code");
	return false;
}

static void trace(struct core *core, struct client *client, struct bytes arguments,
                  struct bytes blob)
{
	struct attempt row;

	(void)blob;
	if (!find_attempt(core, client, arguments, &row))
		return;
	trace_head(core, client, &row);
	say_at(client, core_id_ms(row.id), "started");
	struct store_query query = store_ask(core->store, STORE_STEP_LIST, STORE_N(row.id));
	while (store_step(&query)) {
		char text[512];
		bytes_copy_text(store_bytes(&query, 1), text, sizeof(text));
		say_at(client, store_number(&query, 0), text);
	}
	end(client, 0);
}

// Ends the block after fraud or pick-up. A card that its bank calls lost or stolen stays blocked.
static void card_free(struct core *core, struct client *client, struct bytes arguments,
                      struct bytes blob)
{
	struct card card cleanup(card_done) = { 0 };
	struct attempt row;
	int64_t until_ms = 0;

	(void)blob;
	if (!find_attempt(core, client, arguments, &row))
		return;
	struct bytes fingerprint = BYTES_ARRAY(card.fingerprint);
	if (row.card && store_load(core->store, STORE_CARDS, row.card, &card))
		until_ms = store_one_number(core->store, STORE_BLOCKED_CARD, 0,
		                            STORE_B(fingerprint), STORE_N(core->now_ms));
	if (until_ms == 0) {
		fail(client, "the card of this attempt is not blocked");
	} else if (until_ms == INT64_MAX) {
		fail(client, "its bank says that this card is lost or stolen; it stays blocked");
	} else {
		store_run(core->store, STORE_UNBLOCK_CARD, STORE_B(fingerprint));
		flows_step(core, row.id, "an operator freed the card");
		say(client, 1, "the card may be tried again: %s, ends in %s", card.brand,
		    card.last4);
		end(client, 0);
	}
}

static void attention_list(struct core *core, struct client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct store_query query = store_begin(core->store, STORE_ADVICES_ATTENTION, NULL, 0);
	struct advice advice;

	(void)arguments;
	(void)blob;
	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		char code[24];
		flow_code(core, advice.attempt, code, sizeof(code));
		say(client, 1, "%lld  %s  amount %lld  tries %d  response code %s  reference %s",
		    (long long)advice.id, advice.kind == ADVICE_REVERSE ? "reversal" : "capture",
		    (long long)advice.amount, advice.tries,
		    advice.response_code[0] ? advice.response_code : "-", code[0] ? code : "-");
	}
	end(client, 0);
}

static const struct {
	const char *name;
	verb *run;
} verbs[] = {
	{ "merchant add", merchant_add },
	{ "merchant list", merchant_list },
	{ "connection add", connection_add },
	{ "connection list", connection_list },
	{ "connection test", connection_test },
	{ "connection remove", connection_remove },
	{ "trace", trace },
	{ "card free", card_free },
	{ "attention list", attention_list },
};

static void run_command(struct core *core, struct client *client,
                        const struct wire_message *message)
{
	struct bytes name = message->fields[WIRE_CLI_COMMAND_VERB].bytes;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (bytes_equal_text(name, verbs[i].name)) {
			verbs[i].run(core, client,
			             message->fields[WIRE_CLI_COMMAND_ARGUMENTS].bytes,
			             message->fields[WIRE_CLI_COMMAND_BLOB].bytes);
			return;
		}
	fail(client, "core has no such verb");
}

// --- clients

static void client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	wire_channel_done(&client->channel);
	client->core->control->count--;
	free(client);
}

static void client_close(struct client *client)
{
	struct client **at = &client->core->control->clients;

	while (*at && *at != client)
		at = &(*at)->next;
	if (*at)
		*at = client->next;
	uv_close((uv_handle_t *)&client->poll, client_closed);
}

static void listener_closed(uv_handle_t *handle)
{
	free(handle);
}

// Closes what it has on the loop; the loop lets go of it when it runs for the last time.
void control_free(struct control *control)
{
	while (control->clients)
		client_close(control->clients);
	if (control->poll)
		uv_close((uv_handle_t *)control->poll, listener_closed);
	if (control->fd >= 0)
		close(control->fd);
	control->poll = NULL;
}

static void on_client(uv_poll_t *poll, int status, int events);

// Answers leave only after the commit, so they are written when a turn has ended.
void control_flush(struct core *core)
{
	for (struct client *client = core->control->clients, *next; client; client = next) {
		next = client->next;
		if (wire_channel_waiting(&client->channel) &&
		    !result_ok(wire_channel_flush(&client->channel)))
			client->closing = true;
		if (client->closing) {
			client_close(client);
			continue;
		}
		uv_poll_start(&client->poll,
		              UV_READABLE |
		                      (wire_channel_waiting(&client->channel) ? UV_WRITABLE : 0),
		              on_client);
	}
}

static void on_client(uv_poll_t *poll, int status, int events)
{
	struct client *client = poll->data;
	struct core *core = client->core;
	struct wire_message message;
	bool got = true;

	core_wake(core);
	if (status >= 0 && !(events & UV_READABLE))
		return;
	struct result result = wire_channel_read(&client->channel);
	while (result_ok(result) && got) {
		result = wire_channel_next(&client->channel, &message, &got);
		if (result_ok(result) && got && !client->ended)
			run_command(core, client, &message);
	}
	client->closing |= !result_ok(result);
}

static void on_connect(uv_poll_t *poll, int status, int events)
{
	struct core *core = poll->data;
	struct control *control = core->control;
	int fd = accept4(control->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)status;
	(void)events;
	if (fd < 0)
		return;
	if (control->count >= CLIENTS_MAX) {
		close(fd);
		return;
	}
	struct client *client = calloc(1, sizeof(*client));
	CHECK(client);
	client->core = core;
	client->number = ++control->next_number;
	wire_channel_init(&client->channel, fd, WIRE_CORE, WIRE_CLI, OUT_LIMIT);
	uv_poll_init(core_loop(core), &client->poll, fd);
	client->poll.data = client;
	uv_poll_start(&client->poll, UV_READABLE, on_client);
	client->next = control->clients;
	control->clients = client;
	control->count++;
}

void control_listen(struct core *core, int fd)
{
	struct control *control = core->control;

	if (control->poll) {
		log_event(LOG_WARN, "second_control_socket");
		close(fd);
		return;
	}
	control->fd = fd;
	control->poll = calloc(1, sizeof(*control->poll));
	CHECK(control->poll && uv_poll_init(core_loop(core), control->poll, fd) == 0);
	control->poll->data = core;
	uv_poll_start(control->poll, UV_READABLE, on_connect);
}
