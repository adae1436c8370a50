// The TCP line to the bank: connects, signs on, keeps itself alive with echoes, connects again
// after a growing, uneven pause; frames out and in. One line is one connection.
#pragma once

#include "flight.h"

#include "base/buffer.h"
#include "base/result.h"

struct driver;

enum line_state {
	LINE_DOWN,       // waits until timer_ms, then connects
	LINE_CONNECTING, // until timer_ms
	LINE_SIGNING_ON, // the flight entry's deadline is the limit
	LINE_UP,
	LINE_SIGNING_OFF, // nothing more is sent
	LINE_OVER,        // signed off, or will not connect again
};

struct line {
	enum line_state state;
	int fd;           // -1: none
	int64_t timer_ms; // monotonic: the next thing to do without an event; INT64_MAX: none
	int64_t heard_ms; // monotonic: when the bank last said anything
	int64_t pause_ms;
	struct buffer incoming;          // secret
	struct line_frame *first, *last; // not written yet, or not all of it
	uint32_t stan;                   // of our own messages
	bool echo_open;                  // an echo has not been answered yet
	bool told_down;                  // the vault knows that the line is down
	unsigned unreadable;             // messages that could not be read, since the start
	char why[160];                   // the last sentence about it
};

void line_init(struct line *line);
void line_done(struct line *line);

// ERROR_DENIED when the host is not this machine: without TLS nothing else is dialled.
MUST_USE struct result line_check_host(const char *host);

// What poll() is to wait for on line->fd (0: nothing), and until when (monotonic).
short line_events(const struct line *line);
// Works on what poll() reported (0: nothing) and on the timers.
void line_turn(struct driver *driver, short events, int64_t tick_ms);

// Copies a whole frame to the end of the queue. `entry` is told when it leaves (its state and its
// frame); NULL: an answer of ours.
void line_queue(struct line *line, struct flight_entry *entry, struct bytes frame);
// Takes the entry's frame, of which no byte was written, out of the queue again and wipes it.
void line_unqueue(struct line *line, struct flight_entry *entry);
// Writes as much of the queue as the line takes.
void line_flush(struct driver *driver);
// Closes the connection: all that was sent becomes unknown, all that was not becomes not_sent.
void line_break(struct driver *driver, const char *detail);
// The bank answered one of our own messages, with 00 or not.
void line_answered(struct driver *driver, bool good);
// One of our own messages was not answered in time.
void line_unanswered(struct driver *driver);
// The bank sent a message that cannot be read; `why` is a sentence.
void line_note_unreadable(struct line *line, const char *why);
// No more requests come: signs off and closes.
void line_sign_off(struct driver *driver);
