// The rig: forking the vault, speaking for its neighbours.
#include "rig.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "vault.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_vault(const char *keys, int parent, bool live)
{
	struct vault_keyring *keyring = NULL;
	struct vault *vault = calloc(1, sizeof(*vault));
	int folder = open(keys, O_RDONLY | O_DIRECTORY);
	bool good = vault && folder >= 0 && result_ok(vault_keyring_open(folder, &keyring)) &&
	            result_ok(vault_init(vault, parent, keyring));

	if (good) {
		vault->live = live;
		good = result_ok(vault_run(vault));
	}
	vault_done(vault);
	free(vault);
	close(folder);
	return good ? 0 : 1;
}

// Becomes the program itself, jail and all, with a configuration of its own.
__attribute__((noreturn)) static void become_program(const char *program, const char *keys,
                                                     int parent, bool live)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/config", keys);
	if (parent != 3 && dup2(parent, 3) != 3)
		_exit(1);
	fcntl(3, F_SETFD, 0);
	FILE *config = fopen(path, "w");
	if (!config)
		_exit(1);
	fprintf(config,
	        "data = %s\nkeys = %s\nrun = %s\ndrivers = %s\npages = %s\nlog.level = error\n"
	        "public_url = http://pay.localhost\nresults_url = http://pay.localhost\nlive = "
	        "%s\n",
	        keys, keys, keys, keys, keys, live ? "yes" : "no");
	fclose(config);
	execl(program, program, path, (char *)NULL);
	_exit(1);
}

static bool learn_key(struct rig *rig)
{
	struct wire_message message;

	if (!rig_send(rig, WIRE_KEYS_WANTED, NULL) ||
	    !rig_expect(&rig->core, WIRE_CARD_KEYS, &message))
		return false;
	struct bytes jwks = message.fields[WIRE_CARD_KEYS_JWKS].bytes;
	json_t *root = json_loadb((const char *)jwks.data, jwks.length, 0, NULL);
	const json_t *key = json_array_get(json_object_get(root, "keys"), 0);
	const char *kid = json_string_value(json_object_get(key, "kid"));
	struct buffer point;
	buffer_init(&point, sizeof(rig->card_key));
	bool good = kid && bytes_copy_text(bytes_text(kid), rig->kid, sizeof(rig->kid)) &&
	            result_ok(base64url_read(
	                    bytes_text(json_string_value(json_object_get(key, "x"))), &point)) &&
	            result_ok(base64url_read(
	                    bytes_text(json_string_value(json_object_get(key, "y"))), &point)) &&
	            point.length == sizeof(rig->card_key);
	if (good)
		memcpy(&rig->card_key, point.data, point.length);
	buffer_done(&point);
	json_decref(root);
	return good;
}

static bool start(struct rig *rig, bool live)
{
	int pair[2];
	struct wire_message message;

	*rig = (struct rig){ .keys = "/tmp/onfile-rig-XXXXXX", .driver_in = -1, .driver_out = -1 };
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_ERROR + 1);
	json_set_alloc_funcs(secret_malloc, secret_free);
	wire_channel_init(&rig->core, -1, WIRE_CORE, WIRE_VAULT, 1024 * 1024);
	buffer_init(&rig->blob, 16384);
	if (!mkdtemp(rig->keys) || !result_ok(wire_pair(pair)))
		return false;
	fflush(stdout);
	rig->vault = fork();
	if (rig->vault == 0) {
		const char *program = getenv("VAULT_PROGRAM");
		close(pair[0]);
		if (program)
			become_program(program, rig->keys, pair[1], live);
		_exit(run_vault(rig->keys, pair[1], live));
	}
	close(pair[1]);
	wire_channel_init(&rig->parent, pair[0], WIRE_PARENT, WIRE_VAULT, 1024 * 1024);
	return rig_expect(&rig->parent, WIRE_READY_VAULT, &message) && rig_new_core(rig) &&
	       learn_key(rig);
}

bool rig_init(struct rig *rig)
{
	return start(rig, false);
}

bool rig_init_live(struct rig *rig)
{
	return start(rig, true);
}

bool rig_done(struct rig *rig)
{
	int status = -1;
	char path[96];

	rig_driver_dies(rig);
	(void)rig_send(rig, WIRE_STOP_VAULT, NULL); // it may have stopped already
	waitpid(rig->vault, &status, 0);
	wire_channel_done(&rig->core);
	wire_channel_done(&rig->parent);
	buffer_done(&rig->blob);
	snprintf(path, sizeof(path), "%s/keyring", rig->keys);
	unlink(path);
	snprintf(path, sizeof(path), "%s/config", rig->keys);
	unlink(path);
	rmdir(rig->keys);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool rig_new_core(struct rig *rig)
{
	int pair[2];

	if (!result_ok(wire_pair(pair)))
		return false;
	wire_channel_done(&rig->core);
	wire_channel_init(&rig->core, pair[0], WIRE_CORE, WIRE_VAULT, 1024 * 1024);
	struct result result = wire_channel_put_descriptors(&rig->parent, WIRE_HANDOVER_PEER_VAULT,
	                                                    NULL, &pair[1]);
	close(pair[1]);
	return result_ok(result);
}

bool rig_send(struct rig *rig, enum wire_number number, const struct wire_value *values)
{
	bool of_parent = wire_row((uint16_t)number)->sender == WIRE_PARENT;
	struct wire_channel *channel = of_parent ? &rig->parent : &rig->core;

	return result_ok(wire_channel_put(channel, number, values)) &&
	       result_ok(wire_channel_flush(channel));
}

static bool wait_for(int fd, short events)
{
	struct pollfd wait = { .fd = fd, .events = events };

	return poll(&wait, 1, RIG_WAIT_MS) == 1;
}

// Waits for bytes and reads them, and writes meanwhile what did not fit the socket.
static bool more_comes(struct wire_channel *channel)
{
	while (wire_channel_waiting(channel)) {
		struct pollfd wait = { .fd = channel->fd, .events = POLLIN | POLLOUT };
		if (poll(&wait, 1, RIG_WAIT_MS) != 1 || !result_ok(wire_channel_flush(channel)))
			return false;
		if (wait.revents & POLLIN)
			break;
	}
	return wait_for(channel->fd, POLLIN) && result_ok(wire_channel_read(channel));
}

bool rig_expect(struct wire_channel *channel, enum wire_number number,
                struct wire_message *ret_message)
{
	bool got = false;

	for (;;) {
		if (!result_ok(wire_channel_next(channel, ret_message, &got)))
			return false;
		if (got)
			break;
		if (!more_comes(channel)) {
			printf("# waited in vain for %s\n", wire_row((uint16_t)number)->name);
			return false;
		}
	}
	if (ret_message->row->number == (uint16_t)number)
		return true;
	printf("# got %s instead of %s\n", ret_message->row->name,
	       wire_row((uint16_t)number)->name);
	return false;
}

bool rig_expect_end(struct wire_channel *channel)
{
	struct wire_message message;
	bool got = false;

	while (wait_for(channel->fd, POLLIN)) {
		struct result result = wire_channel_read(channel);
		if (!result_ok(result))
			return result.error == ERROR_CLOSED;
		if (!result_ok(wire_channel_next(channel, &message, &got)) || got)
			return false;
	}
	return false;
}

bool rig_connect(struct rig *rig)
{
	const struct wire_value seal[WIRE_FIELDS_OF_SEAL_CONNECTION] = {
		[WIRE_SEAL_CONNECTION_ID] = WIRE_N(1),
		[WIRE_SEAL_CONNECTION_NAME] = WIRE_B(BYTES_LITERAL("main")),
		[WIRE_SEAL_CONNECTION_DRIVER] = WIRE_B(BYTES_LITERAL("fake")),
		[WIRE_SEAL_CONNECTION_PARAMETERS] =
		        WIRE_B(BYTES_LITERAL("{\"host\": \"127.0.0.1\", \"key\": \"s\"}")),
		[WIRE_SEAL_CONNECTION_GRANTS] = WIRE_B(BYTES_LITERAL("connect\nport 7")),
		[WIRE_SEAL_CONNECTION_SHOWN] = WIRE_B(BYTES_LITERAL("port host")),
	};
	struct wire_message message;
	int program = open("/proc/self/exe", O_RDONLY);

	bool sealed = result_ok(wire_channel_put_descriptors(&rig->parent, WIRE_SEAL_CONNECTION,
	                                                     seal, &program)) &&
	              rig_expect(&rig->parent, WIRE_CONNECTION_SEALED, &message) &&
	              message.fields[WIRE_CONNECTION_SEALED_PROBLEM].bytes.length == 0;
	close(program);
	if (!sealed)
		return false;
	buffer_put(&rig->blob, message.fields[WIRE_CONNECTION_SEALED_BLOB].bytes);
	const struct wire_value connection[] = {
		[WIRE_CONNECTION_NUMBER] = WIRE_N(RIG_CONNECTION),
		[WIRE_CONNECTION_NAME] = WIRE_B(BYTES_LITERAL("main")),
		[WIRE_CONNECTION_BLOB] = WIRE_B(buffer_view(&rig->blob)),
	};
	return rig_send(rig, WIRE_CONNECTION, connection) && rig_expect_state(rig, 0) &&
	       rig_expect(&rig->parent, WIRE_START_DRIVER, &message) &&
	       bytes_equal_text(message.fields[WIRE_START_DRIVER_DRIVER].bytes, "fake") &&
	       bytes_equal_text(message.fields[WIRE_START_DRIVER_GRANTS].bytes, "connect\nport 7");
}

bool rig_start_driver(struct rig *rig, const char *program)
{
	const struct wire_value values[] = { [WIRE_HANDOVER_DRIVER_CONNECTION] =
		                                     WIRE_N(RIG_CONNECTION) };
	int in[2];
	int out[2];

	rig_driver_dies(rig);
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		return false;
	fcntl(in[1], F_SETPIPE_SZ, 4096); // small, so that a test can fill it
	int file = open(program, O_RDONLY);
	int descriptors[] = { in[1], out[0], file };
	struct result result = wire_channel_put_descriptors(&rig->parent, WIRE_HANDOVER_DRIVER,
	                                                    values, descriptors);
	close(in[1]);
	close(out[0]);
	close(file);
	rig->driver_in = in[0];
	rig->driver_out = out[1];
	return result_ok(result);
}

bool rig_driver_reads(struct rig *rig)
{
	size_t length = 0;

	while (length + 1 < sizeof(rig->line)) {
		if (!wait_for(rig->driver_in, POLLIN) ||
		    read(rig->driver_in, rig->line + length, 1) != 1)
			return false;
		if (rig->line[length] == '\n') {
			rig->line[length] = '\0';
			return true;
		}
		length++;
	}
	return false;
}

bool rig_driver_writes(struct rig *rig, const char *line)
{
	struct bytes rest = bytes_text(line);

	while (rest.length > 0) {
		ssize_t put = write(rig->driver_out, rest.data, rest.length);
		if (put <= 0)
			return false;
		rest = bytes_slice(rest, (size_t)put, rest.length);
	}
	return true;
}

void rig_driver_dies(struct rig *rig)
{
	if (rig->driver_in >= 0)
		close(rig->driver_in);
	if (rig->driver_out >= 0)
		close(rig->driver_out);
	rig->driver_in = -1;
	rig->driver_out = -1;
}

bool rig_expect_state(struct rig *rig, uint64_t state)
{
	struct wire_message message;

	return rig_expect(&rig->core, WIRE_CONNECTION_STATE, &message) &&
	       message.fields[WIRE_CONNECTION_STATE_STATE].number == state &&
	       message.fields[WIRE_CONNECTION_STATE_NUMBER].number == RIG_CONNECTION;
}

bool rig_open_card(struct rig *rig, const char *number, const char *code,
                   struct wire_message *ret_opened)
{
	int64_t now_ms = clock_wall_ms();
	struct buffer text;
	struct buffer jwe;

	buffer_init_secret(&text, 1024);
	buffer_init(&jwe, 4096);
	buffer_printf(&text,
	              "{\"number\":\"%s\",\"exp_month\":12,\"exp_year\":2040,\"cvc\":\"%s\","
	              "\"name\":\"A. Person\",\"intent\":\"seti_1\",\"issued\":%lld}",
	              number, code, (long long)(now_ms / 1000));
	crypto_jwe_seal(&rig->card_key, bytes_text(rig->kid), buffer_view(&text), &jwe);
	const struct wire_value values[] = {
		[WIRE_OPEN_CARD_ID] = WIRE_N(42),
		[WIRE_OPEN_CARD_MERCHANT] = WIRE_N(RIG_MERCHANT),
		[WIRE_OPEN_CARD_INTENT] = WIRE_B(BYTES_LITERAL("seti_1")),
		[WIRE_OPEN_CARD_NOW_MS] = WIRE_N(now_ms),
		[WIRE_OPEN_CARD_JWE] = WIRE_B(buffer_view(&jwe)),
	};
	bool opened = rig_send(rig, WIRE_OPEN_CARD, values) &&
	              rig_expect(&rig->core, WIRE_CARD_OPENED, ret_opened) &&
	              ret_opened->fields[WIRE_CARD_OPENED_ID].number == 42;
	buffer_done(&text);
	buffer_done(&jwe);
	return opened;
}

bool rig_store_card(struct rig *rig, const char *number, const char *code,
                    struct rig_card *ret_card)
{
	struct wire_message opened;

	if (!rig_open_card(rig, number, code, &opened) ||
	    opened.fields[WIRE_CARD_OPENED_PROBLEM].bytes.length != 0)
		return false;
	struct bytes handle = opened.fields[WIRE_CARD_OPENED_HANDLE].bytes;
	struct bytes sealed = opened.fields[WIRE_CARD_OPENED_SEALED].bytes;
	if (handle.length != sizeof(ret_card->handle) || sealed.length > sizeof(ret_card->sealed))
		return false;
	memcpy(ret_card->handle, handle.data, handle.length);
	memcpy(ret_card->sealed, sealed.data, sealed.length);
	ret_card->sealed_length = sealed.length;
	return true;
}

bool rig_request(struct rig *rig, int64_t id, const struct rig_card *card, uint64_t card_kind,
                 int64_t deadline_ms)
{
	char line[64];

	snprintf(line, sizeof(line), "{\"id\":%lld,\"op\":\"verify\"}", (long long)id);
	struct wire_value values[WIRE_FIELDS_OF_DRIVER_REQUEST] = {
		[WIRE_DRIVER_REQUEST_ID] = WIRE_N(id),
		[WIRE_DRIVER_REQUEST_CONNECTION] = WIRE_N(RIG_CONNECTION),
		[WIRE_DRIVER_REQUEST_DEADLINE_MS] = WIRE_N(deadline_ms),
		[WIRE_DRIVER_REQUEST_CARD] = WIRE_N(card_kind),
		[WIRE_DRIVER_REQUEST_LINE] = WIRE_B(bytes_text(line)),
	};
	if (card) {
		values[WIRE_DRIVER_REQUEST_MERCHANT] = WIRE_N(RIG_MERCHANT);
		values[WIRE_DRIVER_REQUEST_HANDLE] = WIRE_B(BYTES_ARRAY(card->handle));
		values[WIRE_DRIVER_REQUEST_SEALED] =
		        WIRE_B(bytes_from(card->sealed, card->sealed_length));
	}
	return rig_send(rig, WIRE_DRIVER_REQUEST, values);
}

bool rig_expect_answer(struct rig *rig, int64_t id, uint64_t state, const char *line)
{
	struct wire_message message;

	if (!rig_expect(&rig->core, WIRE_DRIVER_ANSWER, &message))
		return false;
	const struct wire_value *fields = message.fields;
	if (fields[WIRE_DRIVER_ANSWER_ID].number == (uint64_t)id &&
	    fields[WIRE_DRIVER_ANSWER_STATE].number == state &&
	    fields[WIRE_DRIVER_ANSWER_CONNECTION].number == RIG_CONNECTION &&
	    bytes_equal_text(fields[WIRE_DRIVER_ANSWER_LINE].bytes, line))
		return true;
	printf("# got id %llu, state %llu, %.*s\n",
	       (unsigned long long)fields[WIRE_DRIVER_ANSWER_ID].number,
	       (unsigned long long)fields[WIRE_DRIVER_ANSWER_STATE].number,
	       (int)fields[WIRE_DRIVER_ANSWER_DETAIL].bytes.length,
	       (const char *)fields[WIRE_DRIVER_ANSWER_DETAIL].bytes.data);
	return false;
}

bool rig_taken(struct rig *rig, int64_t id)
{
	return rig_send(rig, WIRE_ANSWER_TAKEN,
	                (const struct wire_value[]){ [WIRE_ANSWER_TAKEN_ID] = WIRE_N(id) });
}
