// The desk thinks in the fields of ISO 8583:1987. A host that speaks 1993 changes what comes and
// what goes, here and nowhere else.
#pragma once

#include "iso8583/codec.h"

// What the answer needs of a request of 1993 as it came.
struct bank_edition {
	bool is_1993;
	char mti[4];
	struct bytes sent_at, local_at, function, original, amount; // views of the request
};

// Makes a message of 1987 out of one that came; one of 1987 stays as it is.
void bank_edition_in(struct iso8583_message *message, struct bank_edition *ret_edition);
// Makes what the desk answered fit the request.
void bank_edition_out(const struct bank_edition *edition, struct iso8583_message *answer);
// The same for a network message of ours, before it is packed.
void bank_edition_ask(bool is_1993, struct iso8583_message *message);
