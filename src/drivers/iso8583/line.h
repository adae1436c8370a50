// A line to the bank: one TCP connection, in TLS where the parameters say so. It finds the address,
// connects, signs on, keeps itself alive with echoes, connects again after a growing, uneven pause
// (line.c); frames go out and come in (carry.c).
#pragma once

#include "flight.h"
#include "resolve.h"

#include "base/buffer.h"
#include "base/result.h"

#include <sys/socket.h>

struct driver;
struct tls;

enum line_state {
	LINE_DOWN,      // waits until timer_ms, then looks for the bank
	LINE_RESOLVING, // until timer_ms
	LINE_CONNECTING,
	LINE_GREETING,   // TLS; until timer_ms
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
	struct resolve *look_up;
	struct addresses addresses;
	size_t address; // which of them is being tried
	struct tls *tls;
	struct buffer incoming;          // secret, in clear
	struct line_frame *first, *last; // not written yet, or not all of it
	size_t queued;                   // frames
	bool echo_open;                  // an echo has not been answered yet
	bool bank_leaves; // the bank signed off: the line is made anew once that is answered
	bool probe;       // belongs to a test (probe.h)
};

void line_init(struct line *line, bool probe);
void line_done(struct line *line);
// From LINE_DOWN or LINE_OVER: looks for the bank now.
void line_open(struct driver *driver, struct line *line);

// ERROR_DENIED when the host is beyond this machine and the line would be plain without leave.
MUST_USE struct result line_check_host(const struct driver *driver);

// What poll() is to wait for, on which descriptor (-1: none).
short line_events(const struct line *line, int *ret_fd);
// Works on what poll() reported (0: nothing) and on the timers.
void line_turn(struct driver *driver, struct line *line, short events, int64_t tick_ms);

// Closes the connection: all that was sent becomes unknown, all that was not becomes not_sent.
void line_break(struct driver *driver, struct line *line, const char *detail);
void line_break_errno(struct driver *driver, struct line *line, const char *what, int error);
// The bank answered one of our own messages, with a yes or a no and this code.
void line_answered(struct driver *driver, struct line *line, bool good, const char *code);
// One of our own messages was not answered in time.
void line_unanswered(struct driver *driver, struct line *line);
// No more requests come: signs off and closes.
void line_sign_off(struct driver *driver, struct line *line);
// TLS is up.
void line_greeted(struct driver *driver, struct line *line);

// carry.c: copies a whole frame to the end of the queue. `entry` is told when it leaves (its state
// and its frame); NULL: an answer of ours.
void line_queue(struct line *line, struct flight_entry *entry, struct bytes frame);
// Takes the entry's frame, of which no byte was written, out of the queue again and wipes it.
void line_unqueue(struct line *line, struct flight_entry *entry);
void line_drop_frames(struct line *line);
// Writes as much of the queue as the line takes.
void line_flush(struct driver *driver, struct line *line);
void line_read(struct driver *driver, struct line *line, int64_t tick_ms);
