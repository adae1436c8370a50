// What the parts of this driver share: the state of the program, and the answer to a request.
// docs/drivers.md, section "Kind `authentication`".
#pragma once

#include "calls.h"
#include "parameters.h"

#include "emv3ds/message.h"
#include "emv3ds/ranges.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

struct driver {
	struct parameters parameters;
	struct calls *calls;
	struct buffer in; // secret: lines hold card numbers
	struct buffer out;
	bool input_over;
	bool output_broken;
	bool vault_gone; // nobody reads the answers any more

	// The card ranges (directory.c).
	struct emv3ds_ranges ranges;
	bool have_ranges;
	bool asking; // a PReq is under way
	char asked_id[EMV3DS_ID + 1];
	bool asked_in_full;
	int64_t ask_at_ms; // when the next PReq is due
	struct waiting *waiting;
	struct call_trace trace; // of the last PReq
	const char *state;       // "up", "down", or NULL before the first
};

// One request, while it is worked on. `line` is the whole request; the card in it is wiped when
// the last reference goes.
struct request {
	struct driver *driver;
	json_t *line;
	json_int_t id;
	int64_t deadline_ms;
};

// Appends an answer: {"id":…,"outcome":…} and the members of `more` (taken over; may be NULL).
void driver_answer(struct driver *driver, json_int_t id, const char *outcome, json_t *more);
// The same with one sentence for the operator.
void driver_answer_detail(struct driver *driver, json_int_t id, const char *outcome,
                          const char *detail);
// Tells vault of the line to the directory server, when that has changed.
void driver_tell_state(struct driver *driver, const char *state, const char *detail);

// A random UUID, version 4.
void driver_uuid(char ret_uuid[static EMV3DS_ID + 1]);

// steps.c: the `steps` of a test's answer; `problem` is NULL when all went well.
json_t *steps_of(const struct call_trace *trace, const char *problem);

// The operations. Each answers, now or later.
void versions_start(const struct request *request);
void authenticate_start(const struct request *request);
void results_start(const struct request *request);
void test_start(const struct request *request);

// directory.c: asks for the card ranges when that is due, and gives up on those who wait too long.
void directory_tick(struct driver *driver, int64_t now_ms);
// How long until directory_tick() has something to do.
int directory_wait_ms(const struct driver *driver, int64_t now_ms);
void directory_done(struct driver *driver);
