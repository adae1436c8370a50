// The life of a driver: connect, start, take, fail, start again; and of its requests: queued,
// written, answered, past their deadline.
#include "drivers.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "hash.h"
#include "lines.h"
#include "vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_LIMIT = 4 * VAULT_LINE_MAX };

struct vault_driver *vault_drivers_find(struct vault *vault, uint32_t number)
{
	for (size_t i = 0; i < vault->drivers.count; i++)
		if (vault->drivers.list[i]->number == number)
			return vault->drivers.list[i];
	return NULL;
}

void vault_driver_set_state(struct vault_driver *driver, enum vault_state state, const char *detail)
{
	if (driver->state == state && strcmp(driver->detail, detail) == 0)
		return;
	driver->state = state;
	if (!bytes_copy_text(bytes_text(detail), driver->detail, sizeof(driver->detail)))
		driver->detail[0] = '\0';
	driver->told = false;
	log_event(state == VAULT_STATE_FAILED ? LOG_ERROR : LOG_INFO, "connection",
	          LOG_TEXT("connection", driver->connection.name), LOG_NUMBER("state", state),
	          LOG_TEXT("detail", driver->detail));
}

static void answer(struct vault *vault, const struct vault_driver *driver, int64_t id,
                   enum vault_answer_state state, const char *detail)
{
	vault_answers_add(&vault->answers, id, driver->number, state, detail, BYTES_NONE);
}

static void unqueue(struct vault_driver *driver, struct vault_request *request)
{
	struct vault_request *before = NULL;

	for (struct vault_request *r = driver->first_to_write; r != request; r = r->next_to_write)
		before = r;
	*(before ? &before->next_to_write : &driver->first_to_write) = request->next_to_write;
	if (driver->last_to_write == request)
		driver->last_to_write = before;
}

// Not one byte of it is in the pipe, and none will be.
static void not_sent(struct vault *vault, struct vault_driver *driver,
                     struct vault_request *request, const char *detail)
{
	unqueue(driver, request);
	answer(vault, driver, request->id, VAULT_NOT_SENT, detail);
	vault_requests_remove(&vault->requests, &driver->requests, request);
}

static bool is_unwritten(const struct vault_request *request)
{
	return request->line.length > 0 && request->written == 0;
}

void vault_driver_expire(struct vault *vault, struct vault_driver *driver,
                         struct vault_request *request)
{
	if (is_unwritten(request)) {
		not_sent(vault, driver, request, "the driver did not take the request in time");
		return;
	}
	answer(vault, driver, request->id, VAULT_UNKNOWN, "the driver did not answer in time");
	vault_requests_expire(&vault->requests, &driver->requests, request, vault->keyring);
}

// Answers every open request, and forgets those past their deadline.
static void end_requests(struct vault *vault, struct vault_driver *driver, const char *detail)
{
	while (driver->requests.first) {
		struct vault_request *request = driver->requests.first;
		if (is_unwritten(request)) {
			not_sent(vault, driver, request, detail);
			continue;
		}
		if (!request->expired)
			answer(vault, driver, request->id, VAULT_UNKNOWN,
			       "the driver stopped before it answered");
		vault_requests_remove(&vault->requests, &driver->requests, request);
	}
	driver->first_to_write = NULL;
	driver->last_to_write = NULL;
}

static void close_pipes(struct vault_driver *driver)
{
	cleanup_fd(&driver->in);
	cleanup_fd(&driver->out);
	buffer_done(&driver->hello);
	buffer_done(&driver->read);
	driver->hello_written = 0;
	driver->skipping = false;
	driver->silent = false;
}

static void tell_stop(struct vault *vault, const struct vault_driver *driver)
{
	vault_tell_parent(vault, WIRE_STOP_DRIVER,
	                  (const struct wire_value[]){ [WIRE_STOP_DRIVER_CONNECTION] =
	                                                       WIRE_N(driver->number) });
}

static void break_for_good(struct vault *vault, struct vault_driver *driver, const char *detail)
{
	if (driver->phase == VAULT_RUNNING || driver->phase == VAULT_STARTING)
		tell_stop(vault, driver);
	close_pipes(driver);
	end_requests(vault, driver, "the connection has failed");
	driver->phase = VAULT_BROKEN;
	vault_driver_set_state(driver, VAULT_STATE_FAILED, detail);
}

static void start(struct vault *vault, struct vault_driver *driver)
{
	const struct wire_value values[] = {
		[WIRE_START_DRIVER_CONNECTION] = WIRE_N(driver->number),
		[WIRE_START_DRIVER_DRIVER] = WIRE_B(bytes_text(driver->connection.driver)),
		[WIRE_START_DRIVER_GRANTS] = WIRE_B(buffer_view(&driver->connection.grants)),
	};

	driver->phase = VAULT_STARTING;
	vault_driver_set_state(driver, VAULT_STATE_STARTING, "");
	vault_tell_parent(vault, WIRE_START_DRIVER, values);
}

void vault_driver_failed(struct vault *vault, struct vault_driver *driver, const char *detail,
                         bool tell_parent)
{
	if (driver->phase != VAULT_RUNNING && driver->phase != VAULT_STARTING)
		return;
	if (driver->phase == VAULT_RUNNING &&
	    vault->monotonic_ms - driver->started_at_ms >= VAULT_GOOD_RUN_MS)
		driver->pause_ms = VAULT_PAUSE_MIN_MS;
	if (tell_parent)
		tell_stop(vault, driver);
	close_pipes(driver);
	end_requests(vault, driver, "the driver stopped before it took the request");
	driver->phase = VAULT_PAUSED;
	driver->start_at_ms = vault->monotonic_ms + driver->pause_ms;
	driver->pause_ms *= 2;
	if (driver->pause_ms > VAULT_PAUSE_MAX_MS)
		driver->pause_ms = VAULT_PAUSE_MAX_MS;
	vault_driver_set_state(driver, VAULT_STATE_DOWN, detail);
}

static void driver_free(struct vault_driver *driver)
{
	close_pipes(driver);
	vault_connection_done(&driver->connection);
	free(driver);
}

void vault_driver_remove(struct vault *vault, struct vault_driver *driver)
{
	struct vault_drivers *drivers = &vault->drivers;

	if (driver->phase == VAULT_RUNNING || driver->phase == VAULT_STARTING)
		tell_stop(vault, driver);
	end_requests(vault, driver, "the connection was removed");
	for (size_t i = 0; i < drivers->count; i++)
		if (drivers->list[i] == driver)
			drivers->list[i] = drivers->list[--drivers->count];
	driver_free(driver);
}

void vault_drivers_done(struct vault *vault)
{
	while (vault->drivers.count > 0) {
		struct vault_driver *driver = vault->drivers.list[--vault->drivers.count];
		while (driver->requests.first)
			vault_requests_remove(&vault->requests, &driver->requests,
			                      driver->requests.first);
		driver_free(driver);
	}
}

static struct vault_driver *driver_new(struct vault *vault, uint32_t number)
{
	struct vault_drivers *drivers = &vault->drivers;

	if (drivers->count == VAULT_DRIVERS_MAX)
		return NULL;
	struct vault_driver *driver = calloc(1, sizeof(*driver));
	CHECK(driver);
	driver->number = number;
	driver->in = -1;
	driver->out = -1;
	driver->pause_ms = VAULT_PAUSE_MIN_MS;
	buffer_init_secret(&driver->hello, VAULT_LINE_MAX);
	buffer_init_secret(&driver->read, READ_LIMIT);
	drivers->list[drivers->count++] = driver;
	return driver;
}

void vault_driver_connect(struct vault *vault, uint32_t number, struct bytes name,
                          struct bytes blob)
{
	struct vault_driver *driver = vault_drivers_find(vault, number);
	uint8_t digest[CRYPTO_SHA256];

	crypto_sha256(blob, digest);
	if (driver && memcmp(driver->blob_digest, digest, sizeof(digest)) == 0 &&
	    bytes_equal_text(name, driver->connection.name)) {
		driver->told = false;
		return;
	}
	if (driver)
		vault_driver_remove(vault, driver);
	driver = driver_new(vault, number);
	if (!driver) {
		log_event(LOG_ERROR, "too_many_connections",
		          LOG_NUMBER("count", VAULT_DRIVERS_MAX));
		return;
	}
	struct result result =
	        vault_connection_open(vault->keyring, blob, name, &driver->connection);
	if (!result_ok(result)) {
		break_for_good(vault, driver, result.detail);
		return;
	}
	memcpy(driver->blob_digest, digest, sizeof(digest));
	start(vault, driver);
}

static void put_hello(struct vault_driver *driver)
{
	buffer_put_text(&driver->hello, "{\"contract\":1,\"parameters\":");
	buffer_put(&driver->hello, buffer_view(&driver->connection.parameters));
	buffer_put_text(&driver->hello, "}\n");
	CHECK(!driver->hello.failed);
}

static void set_non_blocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

void vault_driver_take(struct vault *vault, struct vault_driver *driver, const int descriptors[3])
{
	uint8_t digest[CRYPTO_SHA256];

	if (driver->phase == VAULT_BROKEN) { // was asked for before it broke
		close(descriptors[0]);
		close(descriptors[1]);
		return;
	}
	close_pipes(driver);
	end_requests(vault, driver, "the driver was started anew");
	driver->in = descriptors[0];
	driver->out = descriptors[1];
	driver->phase = VAULT_RUNNING;
	driver->started_at_ms = vault->monotonic_ms;
	if (!result_ok(vault_hash_file(descriptors[2], digest)) ||
	    memcmp(digest, driver->connection.digest, sizeof(digest)) != 0) {
		break_for_good(vault, driver,
		               "the driver's program file is not the one that the connection was "
		               "added with");
		return;
	}
	set_non_blocking(driver->in);
	set_non_blocking(driver->out);
	put_hello(driver);
}

const char *vault_driver_refusal(const struct vault *vault, const struct vault_driver *driver,
                                 int64_t deadline_ms)
{
	if (driver->phase != VAULT_RUNNING || vault->stopping)
		return "the driver does not run";
	if (deadline_ms <= vault->wall_ms)
		return "the request's deadline has passed";
	if (vault_answers_full(&vault->answers))
		return "too many answers wait to be taken";
	if (vault->requests.open >= VAULT_REQUESTS_MAX)
		return "too many requests are open";
	return NULL;
}

void vault_driver_request(struct vault *vault, struct vault_driver *driver,
                          const struct vault_order *order)
{
	struct vault_card none = { 0 };
	struct vault_card *card = order->card ? order->card : &none;
	struct vault_request *request = vault_requests_add(
	        &vault->requests, &driver->requests, order->id, driver->number, order->deadline_ms);

	request->asked_in_silence = driver->silent;
	if (!vault_line_put(&request->line, order->line, secret_view(&card->number),
	                    card->exp_month, card->exp_year, secret_view(&card->code))) {
		answer(vault, driver, order->id, VAULT_NOT_SENT,
		       "the request's line is malformed or too long");
		vault_requests_remove(&vault->requests, &driver->requests, request);
		return;
	}
	if (card->number.data)
		vault_requests_carry(&vault->requests, request, &card->number);
	*(driver->last_to_write ? &driver->last_to_write->next_to_write : &driver->first_to_write) =
	        request;
	driver->last_to_write = request;
}

// True when the driver hangs: it let a deadline pass, then that of a request that it was given
// after that, and between the two it said nothing, not even that it does not know.
static bool sweep(struct vault *vault, struct vault_driver *driver)
{
	struct vault_request *next;
	bool hangs = false;

	for (struct vault_request *request = driver->requests.first; request; request = next) {
		next = request->next;
		if (request->expired ||
		    request->deadline_ms + VAULT_DEADLINE_GRACE_MS > vault->wall_ms)
			continue;
		hangs = hangs || request->asked_in_silence;
		driver->silent = true;
		vault_driver_expire(vault, driver, request);
	}
	return hangs;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t vault_drivers_tick(struct vault *vault)
{
	struct vault_drivers *drivers = &vault->drivers;
	int64_t next_ms = INT64_MAX;
	bool sweeping = vault->monotonic_ms >= drivers->next_sweep_ms;

	for (size_t i = 0; i < drivers->count; i++) {
		struct vault_driver *driver = drivers->list[i];
		if (sweeping && sweep(vault, driver))
			vault_driver_failed(vault, driver, "the driver does not answer", true);
		if (driver->phase != VAULT_PAUSED || vault->stopping)
			continue;
		if (driver->start_at_ms <= vault->monotonic_ms)
			start(vault, driver);
		else
			next_ms = earlier(next_ms, driver->start_at_ms);
	}
	if (sweeping)
		drivers->next_sweep_ms = vault->monotonic_ms + VAULT_SWEEP_MS;
	return vault->requests.open > 0 ? earlier(next_ms, drivers->next_sweep_ms) : next_ms;
}
