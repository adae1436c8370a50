// The test of a connection (op `test`): a line of its own, from the name to the sign-off, each step
// with its time (docs/drivers.md, "What a test tells"). One at a time.
#pragma once

#include "line.h"

#include <jansson.h>

#define PROBE_STEPS 8

enum probe_step {
	PROBE_DIALECT,
	PROBE_RESOLVE,
	PROBE_CONNECT,
	PROBE_TLS,
	PROBE_SIGN_ON,
	PROBE_ECHO,
	PROBE_VERIFY,
	PROBE_SIGN_OFF,
	PROBE_OVER,
};

struct probe_note {
	enum probe_step step;
	bool failed, skipped;
	int64_t us;
	char detail[400];
	const char *advice; // NULL: none
	char warning[200];  // empty: none
};

struct probe {
	struct line line;
	uint64_t id; // of the request; 0: none is under way
	int64_t deadline_ms;
	json_t *request;      // owned
	enum probe_step step; // the one that is being tried
	int64_t since_us;     // monotonic
	struct probe_note notes[PROBE_STEPS];
	size_t note_count;
	struct flight_entry *verification;
	bool refused; // the bank answered the step, with a no
};

// Takes a request; answers `not_sent` when a test is under way already.
void probe_begin(struct driver *driver, uint64_t id, int64_t deadline_ms, json_t *request);
void probe_done(struct probe *probe);

// What the line tells: its new state, that it broke, and what the bank said to the echo.
void probe_moved(struct driver *driver, enum line_state state);
void probe_broke(struct driver *driver, const char *detail);
void probe_answered(struct driver *driver, bool good, const char *code);
// What became of the verification: the outcome's name, and a code of the bank or a sentence.
void probe_verified(struct driver *driver, const char *outcome, const char *detail);
// The deadline is over.
void probe_expire(struct driver *driver);
