// Many HTTP connections on one thread, each with one request at a time, for measuring. Two ways to
// ask: as fast as the answers come (closed), or at given times whatever the answers do (open). In
// the open way the clock of a request starts when it was due, also when no connection was free, so
// that a server that stalls cannot hide the requests that it kept from being sent.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct fleet_work {
	int port;
	unsigned connections;
	uint64_t count;    // requests in all; 0: until the time is over
	unsigned seconds;  // how long to ask; 0: until `count` is reached
	double per_second; // open: requests a second; 0: closed
	// Appends the whole request of this number.
	void (*make)(void *owner, uint64_t number, struct buffer *request);
	// Takes the answer; false: it is not what was wanted.
	bool (*take)(void *owner, uint64_t number, int status, struct bytes body);
	void *owner;
};

struct fleet_result {
	uint64_t done, bad;
	double seconds;       // from the first request to the last answer
	double middle_rate;   // answers a second, without the first and the last tenth of the time
	uint32_t *latency_us; // one for each answer, sorted; the caller's to free
	char first_bad[400];  // what the first answer was that was not wanted
};

// Does the work; false when the server cannot be reached or hangs up.
bool fleet_run(const struct fleet_work *work, struct fleet_result *ret_result);
void fleet_result_done(struct fleet_result *result); // for cleanup()

// The latency below which this share of the answers came, 0 to 1.
uint32_t fleet_quantile(const struct fleet_result *result, double share);
