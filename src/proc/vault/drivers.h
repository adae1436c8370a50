// The connections and their drivers: opened from core's blobs, started and restarted through the
// parent, fed with lines, read line by line. Every change of a driver's phase goes through a
// function of drivers.c; reading and writing its pipes is in pipes.c.
#pragma once

#include "requests.h"
#include "vault/card.h"
#include "vault/connection.h"
#include "wire/wire.h"

struct vault;

enum {
	VAULT_DRIVERS_MAX = 64,
	VAULT_PAUSE_MIN_MS = 100,
	VAULT_PAUSE_MAX_MS = 30000,
	VAULT_GOOD_RUN_MS = 30000,     // after a run of this length the pauses begin anew
	VAULT_DEADLINE_GRACE_MS = 250, // the driver's own `unknown` comes first
	VAULT_SWEEP_MS = 50,
};

enum vault_phase {
	VAULT_PAUSED,   // waits for its next start
	VAULT_STARTING, // the parent was asked
	VAULT_RUNNING,
	VAULT_BROKEN, // blob or program file are not as they should be: not started again
};

// As on the wire (CONNECTION_STATE).
enum vault_state { VAULT_STATE_STARTING, VAULT_STATE_UP, VAULT_STATE_DOWN, VAULT_STATE_FAILED };

struct vault_driver {
	uint32_t number;
	uint8_t blob_digest[CRYPTO_SHA256];
	struct vault_connection connection;
	enum vault_phase phase;
	enum vault_state state;
	char detail[257];
	bool told;           // core knows state and detail
	int in;              // the driver's standard input; -1
	int out;             // its standard output; -1
	struct buffer hello; // the first line, as long as it is not written
	size_t hello_written;
	struct vault_request_list requests;
	struct vault_request *first_to_write;
	struct vault_request *last_to_write;
	struct buffer read;
	bool skipping; // the rest of a line that is too long
	bool silent;   // it let a deadline pass, and has not said a word since
	int64_t pause_ms;
	int64_t start_at_ms;   // PAUSED; monotonic
	int64_t started_at_ms; // RUNNING; monotonic
};

struct vault_drivers {
	struct vault_driver *list[VAULT_DRIVERS_MAX];
	size_t count;
	int64_t next_sweep_ms; // monotonic
};

struct vault_driver *vault_drivers_find(struct vault *vault, uint32_t number);
void vault_drivers_done(struct vault *vault);

// CONNECTION: opens the blob and has the driver started. The same blob again changes nothing;
// another one replaces the driver.
void vault_driver_connect(struct vault *vault, uint32_t number, struct bytes name,
                          struct bytes blob);
// CONNECTION_REMOVE.
void vault_driver_remove(struct vault *vault, struct vault_driver *driver);
// HANDOVER_DRIVER: takes input, output and program file. A program file with another digest than
// the blob's ends the driver for good.
void vault_driver_take(struct vault *vault, struct vault_driver *driver, const int descriptors[3]);
// The driver is gone, or has to go: answers its open requests and plans the next start.
// `tell_parent` is false when the parent said so itself.
void vault_driver_failed(struct vault *vault, struct vault_driver *driver, const char *detail,
                         bool tell_parent);
void vault_driver_set_state(struct vault_driver *driver, enum vault_state state,
                            const char *detail);

// Why the driver cannot be given a request now; NULL when it can.
const char *vault_driver_refusal(const struct vault *vault, const struct vault_driver *driver,
                                 int64_t deadline_ms);

struct vault_order {
	int64_t id;
	int64_t deadline_ms;
	struct bytes line;
	struct vault_card *card; // its number is taken; NULL without a card
};

// DRIVER_REQUEST, after vault_driver_refusal() had nothing against it.
void vault_driver_request(struct vault *vault, struct vault_driver *driver,
                          const struct vault_order *order);

// Ends a request: takes it from the queue if not one byte of it was written (then `not_sent`),
// answers core and forgets the request, or keeps it as expired.
void vault_driver_expire(struct vault *vault, struct vault_driver *driver,
                         struct vault_request *request);

// Starts what is due, ends what is past its deadline. Returns when it wants to be called again
// (monotonic; INT64_MAX: not before something happens).
int64_t vault_drivers_tick(struct vault *vault);

// Writes what waits, as far as the pipe takes it (pipes.c).
void vault_driver_write(struct vault *vault, struct vault_driver *driver);
// Reads what is there and handles each whole line (pipes.c).
void vault_driver_read(struct vault *vault, struct vault_driver *driver);

static inline bool vault_driver_waiting(const struct vault_driver *driver)
{
	return driver->in >= 0 && (driver->hello.length > 0 || driver->first_to_write);
}
