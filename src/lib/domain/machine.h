// What the two machines share: rows of a table, and the steps of 3-D Secure, which a link and a
// payment walk in the same way. Inside of lib/domain only.
#pragma once

#include "domain/flow.h"

struct flow_now {
	const struct flow_facts *facts;
	const struct flow_event *event;
	const struct flow_policy *policy;
	int64_t now_ms;
};

// A row of a machine: in this state, on this event, this function says what comes.
struct flow_row {
	enum attempt_state state;
	enum flow_event_kind event;
	struct flow_step (*act)(const struct flow_now *now);
};

// Runs the first row that fits; FLOW_IGNORED when none does.
struct flow_step machine_run(const struct flow_row *rows, size_t count, const struct flow_now *now);

// The flow is over for this reason.
struct flow_step machine_over(const struct flow_now *now, enum problem problem, unsigned effects);
// The next state with its deadline, keeping what the facts remember.
struct flow_step machine_go(const struct flow_now *now, enum attempt_state next, int64_t wait_ms,
                            unsigned effects);

// On to a state that waits for an answer of the bank.
struct flow_step machine_ask_bank(const struct flow_now *now, enum attempt_state next,
                                  unsigned effects);
// On to the directory server.
struct flow_step machine_look_up(const struct flow_now *now, unsigned effects);

// The rows of 3-D Secure. `passed` is what the machine does when the issuer knows the shopper.
struct flow_step authentication_run(const struct flow_now *now,
                                    struct flow_step (*passed)(const struct flow_now *now));
