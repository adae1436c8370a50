// What the machines of link and payment are made of: rows of a table. The first row that fits the
// state, the event and the facts says what comes. The rows are data, so that docs/states.md is
// drawn from them (states_test.c). Inside of lib/domain only.
#pragma once

#include "domain/flow.h"

struct flow_now {
	const struct flow_facts *facts;
	const struct flow_event *event;
	const struct flow_policy *policy;
	int64_t now_ms;
};

// How long the next state may last.
enum flow_wait {
	REST, // nothing happens by itself
	WAIT_BANK,
	WAIT_DIRECTORY,
	WAIT_METHOD,  // the bank's method frame
	WAIT_SHOPPER, // the shopper in front of the page
	WAIT_APP,     // the shopper in the bank's app
	WAIT_HOLD,    // the life of an authorization
};

enum {
	// As `next` of a row of 3-D Secure: the issuer knows the shopper; the machine that asked
	// has rows of its own for that.
	ATTEMPT_PASSED = 0,
	// As `problem` of a row: what the event says, or else that there was no answer.
	PROBLEM_OF_EVENT = -1,
	// As `method` of a row: the frame may still come back.
	METHOD_PENDING = '-',
};

struct flow_row {
	enum attempt_state state;
	enum flow_event_kind event;
	bool (*when)(const struct flow_now *now); // NULL: whatever the facts are
	const char *condition;                    // its name
	enum attempt_state next;
	int problem;
	unsigned effects;
	enum flow_wait wait;
	char method;    // 0: as it was
	bool ask_again; // true from now on
};

// ROW(state, event, when, next, problem, effects, wait), and what else a row sets.
#define ROW(state_, event_, when_, next_, problem_, effects_, wait_, ...)                          \
	{                                                                                          \
		.state = (enum attempt_state)ATTEMPT_##state_, .event = EVENT_##event_,            \
		.when = when_, .condition = #when_, .next = (enum attempt_state)ATTEMPT_##next_,   \
		.problem = PROBLEM_##problem_, .effects = effects_, .wait = wait_, __VA_ARGS__     \
	}
#define ALWAYS NULL

// A machine: its own rows before those of 3-D Secure, which it walks as the other one does.
struct flow_machine {
	const char *name;
	const struct flow_row *rows;
	size_t count;
	// What is done when the issuer knows the shopper; `state` and `event` of these rows mean
	// nothing.
	const struct flow_row *passed;
	size_t passed_count;
};

extern const struct flow_machine machine_link, machine_payment;
extern const struct flow_row machine_authentication[];
extern const size_t machine_authentication_count;

struct flow_step machine_run(const struct flow_machine *machine, const struct flow_now *now);
