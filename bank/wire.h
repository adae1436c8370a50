// How the bank's side of the line is built: dialect, frames, MAC and TLS, from one text on the
// command line ("dialect=1987-bcd,header=binary2,mac=cmac:2b7e…"; bank/README.md has all of it).
#pragma once

#include "base/result.h"
#include "iso8583/codec.h"
#include "iso8583/frame.h"

struct crypto_message_mac;
struct tls_context;

struct bank_wire {
	struct iso8583_dialect *dialect;
	struct iso8583_framing framing;
	struct crypto_message_mac *mac; // NULL: none
	bool mac_network;               // in 0800 too
	struct tls_context *tls;        // NULL: plain
};

// ERROR_INPUT: the text is not understood, or a file in it cannot be used.
MUST_USE struct result bank_wire_read(const char *text, struct bank_wire *ret_wire);
void bank_wire_done(struct bank_wire *wire);

// Does a message of this type have a MAC here?
bool bank_wire_wants_mac(const struct bank_wire *wire, const char mti[static 4]);
// Is the MAC of a message that came right?
bool bank_wire_check(const struct bank_wire *wire, const struct iso8583_message *message,
                     struct bytes text);
// Packs a message to `to`, with its MAC; `spoil` makes that wrong.
MUST_USE struct result bank_wire_pack(const struct bank_wire *wire, struct iso8583_message *message,
                                      bool spoil, uint8_t *to, size_t *ret_length);
