// Which edition of ISO 8583 a dialect is, and where the values go that stand in another field in
// each edition or at each bank (lines `edition`, `place` and `send` of a dialect file,
// docs/iso8583-dialects.md). The codec does not need it; who builds messages does.
#pragma once

#include "base/bytes.h"

#include <stdint.h>

struct iso8583_field;

enum iso8583_edition {
	ISO8583_NO_EDITION,
	ISO8583_1987,
	ISO8583_1993,
	ISO8583_2003,
	ISO8583_EDITIONS
};

enum iso8583_role {
#define ROLE(name, word, example, lost) ISO8583_ROLE_##name,
#include "iso8583/roles.def"
#undef ROLE
	ISO8583_ROLES,
};

enum iso8583_situation_bit {
#define SITUATION(name, word) ISO8583_BIT_##name,
#include "iso8583/situations.def"
#undef SITUATION
	ISO8583_SITUATIONS,
};

enum iso8583_situation {
#define SITUATION(name, word) ISO8583_WHEN_##name = 1 << ISO8583_BIT_##name,
#include "iso8583/situations.def"
#undef SITUATION
};

#define ISO8583_DEPTH_MAX 4
#define ISO8583_SENDS_MAX 32
#define ISO8583_CASES_MAX 128

// A field, or a part in it.
struct iso8583_spot {
	const char *path;                   // as the file writes it
	const struct iso8583_field *target; // what is there; NULL: the dialect has no such spot
	uint8_t field, depth;               // depth 0: the field itself
	uint32_t keys[ISO8583_DEPTH_MAX];
};

// A value that is sent in this situation: when all of its bits are true.
struct iso8583_case {
	uint32_t situation;
	struct bytes value; // bytes where the target has bytes
};

struct iso8583_send {
	struct iso8583_spot spot;
	uint16_t first, count; // its cases
};

struct iso8583_roles {
	enum iso8583_edition edition;
	struct iso8583_spot places[ISO8583_ROLES];
	struct iso8583_send sends[ISO8583_SENDS_MAX];
	struct iso8583_case cases[ISO8583_CASES_MAX];
	uint16_t send_count, case_count;
};

// The value that a line `send` has for a message of which `situation` is true: the first that fits.
// BYTES_NONE: nothing is sent.
struct bytes iso8583_send_value(const struct iso8583_roles *roles, const struct iso8583_send *send,
                                uint32_t situation);
// The situation that a received value of that line means; 0: none that the line names.
uint32_t iso8583_send_meaning(const struct iso8583_roles *roles, const struct iso8583_send *send,
                              struct bytes value);
// Calls `tell` for each value that a driver has and that the dialect has neither place nor line
// for: the word of the line `place` or `send`, and one sentence about what follows. A dialect
// without an edition is not spoken; of it nothing is told.
void iso8583_roles_missing(const struct iso8583_roles *roles,
                           void (*tell)(void *context, const char *word, const char *lost),
                           void *context);
// The line that has a value for the situation; NULL: none does.
const struct iso8583_send *iso8583_send_for(const struct iso8583_roles *roles, uint32_t situation);
