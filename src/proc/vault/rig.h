// What the tests of the vault's process stand on: a child process that runs its loop, with the test
// as its parent, its core and its driver. Nothing waits longer than RIG_WAIT_MS.
#pragma once

#include "crypto/jwe.h"
#include "wire/channel.h"

#include <sys/types.h>

enum { RIG_WAIT_MS = 20000, RIG_CONNECTION = 5, RIG_MERCHANT = 77 };

struct rig {
	char keys[64];
	pid_t vault;
	struct wire_channel parent; // the parent's end
	struct wire_channel core;   // core's end
	int driver_in;              // what the driver reads
	int driver_out;             // what the driver writes
	struct buffer blob;
	struct crypto_p256_point card_key;
	char kid[CRYPTO_JWE_KID_MAX + 1];
	char line[70000]; // the last line that the driver read
};

// Starts the vault and gives it a core. False: see the output.
bool rig_init(struct rig *rig);
// The same in live mode.
bool rig_init_live(struct rig *rig);
// Ends the vault and waits for it. False when it did not end well.
bool rig_done(struct rig *rig);

// A new line to core, as after core's restart.
bool rig_new_core(struct rig *rig);
// Sends to the vault. The channel of the message's sender is the rig's.
bool rig_send(struct rig *rig, enum wire_number number, const struct wire_value *values);
// Waits for the next message on the channel; false when it is another one or does not come. Its
// views live until the next call.
bool rig_expect(struct wire_channel *channel, enum wire_number number,
                struct wire_message *ret_message);
// True when the vault closes the channel before it sends anything more.
bool rig_expect_end(struct wire_channel *channel);

// Seals a connection, tells core's side of it, takes START_DRIVER. The driver's program file is
// this test's own.
bool rig_connect(struct rig *rig);
// Hands over a driver and reads its first line; `program` is the file that is handed over.
bool rig_start_driver(struct rig *rig, const char *program);
bool rig_driver_reads(struct rig *rig);
bool rig_driver_writes(struct rig *rig, const char *line);
void rig_driver_dies(struct rig *rig);
// Takes the state of the connection from core's side.
bool rig_expect_state(struct rig *rig, uint64_t state);

// Encrypts a card as a page does and has it opened; the message is CARD_OPENED.
bool rig_open_card(struct rig *rig, const char *number, const char *code,
                   struct wire_message *ret_opened);

struct rig_card {
	uint8_t handle[16];
	uint8_t sealed[256];
	size_t sealed_length;
};
// The same, and keeps what core would keep.
bool rig_store_card(struct rig *rig, const char *number, const char *code,
                    struct rig_card *ret_card);
// DRIVER_REQUEST with the line {"id":ID,"op":"verify"}. `card` may be NULL.
bool rig_request(struct rig *rig, int64_t id, const struct rig_card *card, uint64_t card_kind,
                 int64_t deadline_ms);
// Waits for DRIVER_ANSWER and compares.
bool rig_expect_answer(struct rig *rig, int64_t id, uint64_t state, const char *line);
bool rig_taken(struct rig *rig, int64_t id);
