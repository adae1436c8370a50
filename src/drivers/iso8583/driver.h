// driver-iso8583: one connection to one bank over ISO 8583. Lines of JSON on standard input become
// messages, answers become lines on standard output (docs/drivers.md, docs/iso8583.md). One thread,
// one poll loop (main.c). What has held a card is wiped as soon as it is not needed.
#pragma once

#include "edition.h"
#include "flight.h"
#include "line.h"
#include "mac.h"
#include "parameters.h"
#include "probe.h"

#include "iso8583/codec.h"

// The longest frame that we send: a message of the largest size that a dialect can have.
#define FRAME_MAX (ISO8583_MESSAGE_MAX + ISO8583_FRAME_OVERHEAD)

// A certificate that ends within so many days is told.
enum { CERTIFICATE_DAYS = 30 };

struct driver {
	struct parameters parameters;
	struct flight flight;
	struct line lines[LINES_MAX];   // parameters.lines of them
	struct probe probe;             // the test that is under way, on a line of its own
	size_t turn;                    // the line that the next request is offered to first
	size_t up;                      // lines that are up
	bool told_down;                 // the vault knows that none is
	char why[200];                  // the last sentence about a line that went down
	uint32_t stan;                  // of our own messages
	struct tls_context *tls;        // NULL: plain
	struct mac *mac;                // NULL: none
	unsigned unreadable;            // messages that could not be read, since the start
	struct buffer input;            // secret: lines with cards
	struct buffer output;           // answers on their way to standard output
	struct iso8583_message message; // scratch; wiped after every use
	int64_t now_ms;                 // wall clock, read once a turn
	bool input_over;
};

// Reads the first line of standard input and the files that it names. A failure was told and
// logged. start.c.
MUST_USE struct result driver_start(struct driver *driver);

// Reads the first line and the files that it names, writes what an operator should know of them
// (docs/drivers.md, `--check`), and goes no further. start.c.
MUST_USE struct result driver_check(struct driver *driver);

// Works on one line of standard input (without its line break): a request. requests.c.
void driver_read_line(struct driver *driver, struct bytes line);
// Sends the verification of a test with the card for tests; `entry` is its flight. requests.c.
MUST_USE struct result driver_send_test_card(struct driver *driver, struct line *line,
                                             const json_t *request, int64_t deadline_ms,
                                             struct flight_entry **ret_entry);

// Answers that come from ourselves. `detail` is one sentence for the operator. answers.c.
void driver_answer_plain(struct driver *driver, uint64_t id, const char *outcome,
                         const char *detail);
// Ends a live entry without an answer of the bank: not_sent when no byte of it left, else unknown
// (and then it waits for a late answer). Our own messages just end.
void driver_give_up(struct driver *driver, struct flight_entry *entry, const char *detail);
// A line came up, or one that was up went down; the vault is told when it is the first or the last.
void driver_line_up(struct driver *driver);
void driver_line_down(struct driver *driver, bool was_up, const char *detail);
// Tells of the state: "up", or "down" with a sentence.
void driver_tell_state(struct driver *driver, const char *state, const char *detail);
// A message came in from the bank on this line. answers.c.
void driver_message_came(struct driver *driver, struct line *line, struct bytes wire);

// Packs driver->message into a frame and puts it into the line's queue as a new entry. On failure
// nothing was queued. The message is the caller's to wipe. send.c.
MUST_USE struct result driver_send(struct driver *driver, struct line *line, int64_t deadline_ms,
                                   struct flight_entry **ret_entry);
// The same for a message that gets no answer.
void driver_send_answer(struct driver *driver, struct line *line);
// One of our own messages: ISO8583_WHEN_SIGN_ON, SIGN_OFF or ECHO.
MUST_USE struct result driver_send_network(struct driver *driver, struct line *line,
                                           uint32_t situation, int64_t timeout_ms);
// The edition that the connection's dialect is of.
static inline const struct edition *driver_edition(const struct driver *driver)
{
	return edition_row(driver->parameters.dialect->roles.edition);
}
// What goes where the dialect has the local time, of CCYYMMDDhhmmss: with its century where 14
// digits are wanted.
struct bytes driver_local_time(const struct driver *driver, struct bytes text);
// The number of a message (DE11), without zeros in front of six digits: other editions have longer
// fields for it. Empty: it has none, or not one of ours.
struct bytes driver_stan_of(const struct iso8583_message *message);
// The key of a message; what it does not have is spaces.
struct flight_key driver_key_of(const struct driver *driver, const struct iso8583_message *message);
// The line that the next request goes to; NULL when none is up.
struct line *driver_choose_line(struct driver *driver);
