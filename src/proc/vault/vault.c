// The loop: read the clocks, handle what came, write what waits, sleep until something happens.
#include "vault.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <unistd.h>

enum { FIXED_POLLS = 2, POLLS = FIXED_POLLS + 2 * VAULT_DRIVERS_MAX };
enum { AT_PARENT, AT_CORE };

struct result vault_init(struct vault *vault, int parent, struct vault_keyring *keyring)
{
	*vault = (struct vault){ .keyring = keyring };
	wire_channel_init(&vault->parent, parent, WIRE_VAULT, WIRE_PARENT, VAULT_PARENT_OUT);
	// The parameters of connections come this way.
	vault->parent.in.secret = true;
	vault->parent.out.secret = true;
	wire_channel_init(&vault->core, -1, WIRE_VAULT, WIRE_CORE, VAULT_CORE_OUT);
	vault_answers_init(&vault->answers);
	TRY(secret_pool_new(VAULT_ENVELOPE_SLOT, 2, &vault->pools.envelopes));
	TRY(secret_pool_new(VAULT_CARD_SLOT, VAULT_REQUESTS_MAX + 16, &vault->pools.cards));
	return vault_codes_new(VAULT_CODES_MAX, &vault->codes);
}

void vault_done(struct vault *vault)
{
	vault_drivers_done(vault);
	vault_answers_done(&vault->answers);
	wire_channel_done(&vault->core);
	wire_channel_done(&vault->parent);
	vault_codes_free(vault->codes);
	secret_pool_free(vault->pools.envelopes);
	secret_pool_free(vault->pools.cards);
	vault_keyring_free(vault->keyring);
}

static void read_clocks(struct vault *vault)
{
	vault->wall_ms = clock_wall_ms();
	vault->monotonic_ms = clock_monotonic_ms();
}

static void end_core(struct vault *vault, struct result result)
{
	log_event(result.error == ERROR_CLOSED ? LOG_INFO : LOG_ERROR, "core_gone",
	          LOG_RESULT(result));
	wire_channel_done(&vault->core);
}

// Core is not read while it does not read us: what it asks would only pile up here.
static short core_events(const struct vault *vault)
{
	bool full = vault->core.out.length - vault->core.out_taken > VAULT_CORE_OUT_HIGH;

	return (short)((full ? 0 : POLLIN) | (wire_channel_waiting(&vault->core) ? POLLOUT : 0));
}

// Fills `polls`: the channels, then two for each driver. Drivers are not read while core does not
// take their answers. Returns how many there are.
static nfds_t fill(const struct vault *vault, struct pollfd polls[static POLLS])
{
	bool full = vault_answers_full(&vault->answers);
	nfds_t count = FIXED_POLLS;

	polls[AT_PARENT] = (struct pollfd){
		.fd = vault->parent.fd,
		.events = (short)(POLLIN | (wire_channel_waiting(&vault->parent) ? POLLOUT : 0))
	};
	polls[AT_CORE] = (struct pollfd){ .fd = vault->core.fd, .events = core_events(vault) };
	for (size_t i = 0; i < vault->drivers.count; i++) {
		const struct vault_driver *driver = vault->drivers.list[i];
		int in = vault_driver_waiting(driver) ? driver->in : -1;
		polls[count++] = (struct pollfd){ .fd = in, .events = POLLOUT };
		polls[count++] = (struct pollfd){ .fd = full ? -1 : driver->out, .events = POLLIN };
	}
	return count;
}

// Only drivers whose descriptor is still the one that was polled are read: one may have been
// replaced by a message of this turn.
static void read_drivers(struct vault *vault, const struct pollfd *polls, nfds_t count)
{
	for (nfds_t i = FIXED_POLLS; i + 1 < count; i += 2) {
		size_t at = (i - FIXED_POLLS) / 2;
		if (at >= vault->drivers.count || polls[i + 1].revents == 0)
			continue;
		struct vault_driver *driver = vault->drivers.list[at];
		if (driver->out == polls[i + 1].fd)
			vault_driver_read(vault, driver);
	}
}

static void write_all(struct vault *vault)
{
	for (size_t i = 0; i < vault->drivers.count; i++)
		vault_driver_write(vault, vault->drivers.list[i]);
	vault_tell_core(vault);
	if (wire_channel_is_open(&vault->core)) {
		struct result result = wire_channel_flush(&vault->core);
		if (!result_ok(result))
			end_core(vault, result);
	}
}

// Core is read before the drivers, so that a batch of requests goes out in one turn.
static struct result handle(struct vault *vault, const struct pollfd *polls, nfds_t count)
{
	if (polls[AT_CORE].revents & ~POLLOUT && polls[AT_CORE].fd == vault->core.fd) {
		struct result result = vault_core_messages(vault);
		if (!result_ok(result))
			end_core(vault, result);
	}
	read_drivers(vault, polls, count);
	if (polls[AT_PARENT].revents & ~POLLOUT)
		TRY(vault_parent_messages(vault));
	return RESULT_OK;
}

// Closes the drivers' inputs once all is written: they finish what is open and end.
static bool stopped(struct vault *vault)
{
	if (!vault->stopping)
		return false;
	for (size_t i = 0; i < vault->drivers.count; i++) {
		struct vault_driver *driver = vault->drivers.list[i];
		if (driver->in >= 0 && !vault_driver_waiting(driver)) {
			close(driver->in);
			driver->in = -1;
		}
	}
	return vault->requests.open == 0 || vault->monotonic_ms >= vault->stop_at_ms;
}

static int time_out(const struct vault *vault, int64_t next_ms)
{
	if (vault_codes_next_deadline(vault->codes) < next_ms)
		next_ms = vault_codes_next_deadline(vault->codes);
	if (vault->stopping && vault->stop_at_ms < next_ms)
		next_ms = vault->stop_at_ms;
	if (next_ms == INT64_MAX)
		return -1;
	int64_t wait_ms = next_ms - vault->monotonic_ms;
	return wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
}

struct result vault_run(struct vault *vault)
{
	struct pollfd polls[POLLS];

	TRY(wire_channel_put(&vault->parent, WIRE_READY_VAULT, NULL));
	read_clocks(vault);
	while (!stopped(vault)) {
		int64_t next_ms = vault_drivers_tick(vault);
		vault_codes_expire(vault->codes, vault->monotonic_ms);
		write_all(vault);
		TRY(wire_channel_flush(&vault->parent));
		secret_wipe_stack();
		nfds_t count = fill(vault, polls);
		if (poll(polls, count, time_out(vault, next_ms)) < 0 && errno != EINTR)
			return FAIL(ERROR_SYSTEM, "poll failed");
		read_clocks(vault);
		TRY(handle(vault, polls, count));
	}
	write_all(vault);
	return RESULT_OK;
}
