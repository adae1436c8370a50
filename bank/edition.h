// The desk thinks in the fields of ISO 8583:1987. A host that speaks 1993 or the jPOS CMF (2003)
// changes what comes and what goes, here and nowhere else: edition.c has 1993 and what both have in
// common, edition_2003.c the rest.
#pragma once

#include "iso8583/codec.h"

// What the answer needs of a request of another edition as it came.
struct bank_edition {
	char version; // the first digit of its message type
	char mti[4];
	struct bytes sent_at, stan, local_at, function, original, amount; // views of the request
};

// Makes a message of 1987 out of one that came; one of 1987 stays as it is.
void bank_edition_in(const struct iso8583_dialect *dialect, struct iso8583_message *message,
                     struct bank_edition *ret_edition);
// Makes what the desk answered fit the request.
void bank_edition_out(const struct bank_edition *edition, struct iso8583_message *answer);
// The same for a network message of ours, before it is packed.
void bank_edition_ask(enum iso8583_edition edition, struct iso8583_message *message);

// --- between the two files

void bank_2003_in(const struct iso8583_dialect *dialect, struct iso8583_message *message,
                  const struct bank_edition *edition);
void bank_2003_out(struct iso8583_message *answer);
// Copies a text into the message's own room.
void bank_edition_set(struct iso8583_message *message, int field, const char *text);
// A reversal in part, of which DE4 is taken back: DE95 is what stays of the original's amount.
void bank_edition_part_in(struct iso8583_message *message, struct bytes original);
