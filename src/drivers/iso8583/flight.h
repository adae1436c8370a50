// The requests on their way: found by the numbers that the bank sends back, ended by their
// deadline, and remembered for a while after it so that a late answer is recognised.
#pragma once

#include "base/bytes.h"

struct line;
struct line_frame;

// OP_LINE and OP_PROBE are our own: sign-on, echo, sign-off, and the verification of a test.
enum operation { OP_VERIFY, OP_AUTHORIZE, OP_CAPTURE, OP_REVERSE, OP_REFUND, OP_LINE, OP_PROBE };

enum flight_state {
	FLIGHT_QUEUED,  // not one byte written
	FLIGHT_WRITING, // some bytes written
	FLIGHT_SENT,
	FLIGHT_LATE, // answered `unknown`; the bank's answer may still come
};

// What an answer has in common with its request: second digit of the message type, and of DE7,
// DE11, DE37 and DE41 those that the connection says (parameters.h, match); the others are spaces,
// and so is what a message does not have.
struct flight_key {
	char class;
	char sent_at[10];
	char stan[6];
	char rrn[12];
	char terminal[8];
};

struct flight_entry {
	enum flight_state state;
	enum operation operation;
	struct flight_key key;
	struct line *line;   // that it was queued on
	uint64_t id;         // of the request; 0: the line's own message
	char stan[7];        // of the request where DE11 is its original's; else empty
	int64_t deadline_ms; // Unix; FLIGHT_LATE: when it is forgotten
	bool has_cvc;
	uint64_t amount;
	char currency[4];
	char mti[4];
	unsigned unreadable_before; // how many unreadable messages the line had when this one was
	                            // made
	struct line_frame *frame;   // in the line's queue; NULL once it is written
	struct flight_entry *before, *after, *same_hash;
};

struct flight_list {
	struct flight_entry *first, *last;
	size_t count;
};

#define FLIGHT_SLOTS 16384

struct flight {
	struct flight_list live, late;
	int64_t earliest_ms; // no live entry's deadline is before this
	struct flight_entry *slots[FLIGHT_SLOTS];
};

// At most this many are under way, and at most this many are remembered afterwards.
#define FLIGHT_LIVE_MAX 8192
#define FLIGHT_LATE_MAX 65536

void flight_init(struct flight *flight);
void flight_done(struct flight *flight);
// A new live entry, or NULL when there is one with this key (live or late).
struct flight_entry *flight_add(struct flight *flight, const struct flight_key *key,
                                int64_t deadline_ms);
struct flight_entry *flight_find(const struct flight *flight, const struct flight_key *key);
// The one live entry that a message can be meant for of which only the fields before `field` were
// read; NULL when there is none or more, or when too little was read.
struct flight_entry *flight_find_partly(const struct flight *flight, const struct flight_key *key,
                                        int field);
// From live to late, until `until_ms`; the oldest late one is forgotten when there are too many.
void flight_make_late(struct flight *flight, struct flight_entry *entry, int64_t until_ms);
// The entry's frame must have left the line's queue.
void flight_remove(struct flight *flight, struct flight_entry *entry);
// Forgets late entries whose time is over.
void flight_forget(struct flight *flight, int64_t now_ms);
