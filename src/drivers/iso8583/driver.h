// driver-iso8583: one connection to one bank over ISO 8583. Lines of JSON on standard input become
// messages, answers become lines on standard output (docs/drivers.md, docs/iso8583.md). One thread,
// one poll loop (main.c). What has held a card is wiped as soon as it is not needed.
#pragma once

#include "flight.h"
#include "line.h"
#include "parameters.h"

#include "iso8583/codec.h"

struct driver {
	struct parameters parameters;
	struct flight flight;
	struct line line;
	struct buffer input;            // secret: lines with cards
	struct buffer output;           // answers on their way to standard output
	struct iso8583_message message; // scratch; wiped after every use
	int64_t now_ms;                 // wall clock, read once a turn
	bool started;                   // the first line has been read
	bool input_over;
};

// Works on one line of standard input (without its line break): the parameters first, then
// requests. A failure means that the driver cannot go on. requests.c.
MUST_USE struct result driver_read_line(struct driver *driver, struct bytes line);

// Answers that come from ourselves. `detail` is one sentence for the operator. answers.c.
void driver_answer_plain(struct driver *driver, uint64_t id, const char *outcome,
                         const char *detail);
// Ends a live entry without an answer of the bank: not_sent when no byte of it left, else unknown
// (and then it waits for a late answer). The line's own messages just end.
void driver_give_up(struct driver *driver, struct flight_entry *entry, const char *detail);
// Tells of the line's state: "up", or "down" with a sentence.
void driver_tell_state(struct driver *driver, const char *state, const char *detail);
// A message came in from the bank.
void driver_message_came(struct driver *driver, struct bytes wire);

// Packs driver->message into a frame and puts it into the line's queue as a new entry. On failure
// nothing was queued. The message is the caller's to wipe.
MUST_USE struct result driver_send(struct driver *driver, const struct flight_key *key,
                                   int64_t deadline_ms, struct flight_entry **ret_entry);

// The key of a message; what it does not have is spaces.
struct flight_key driver_key_of(const struct iso8583_message *message);
