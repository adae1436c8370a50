// Messages between onfile's programs: the catalogue as types. A message is a row of catalogue.def;
// encoding and decoding follow the row, and whatever does not fit it is refused: an unknown number,
// a wrong sender or receiver, a field past its limit, a byte left over.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"
#include "base/result.h"
#include "wire/catalogue.def"

enum wire_program { WIRE_PARENT, WIRE_WEB, WIRE_CORE, WIRE_VAULT, WIRE_CLI, WIRE_COURIER };

enum wire_kind { WIRE_NUMBER, WIRE_BYTES };

enum wire_number {
#define WIRE_ENUM(name, number, sender, receiver, descriptors) WIRE_##name = number,
	WIRE_MESSAGES(WIRE_ENUM)
#undef WIRE_ENUM
};

// The place of each field in its message: WIRE_REQUEST_TARGET, …; WIRE_FIELDS_OF_REQUEST counts
// them.
#define WIRE_PLACE(name, kind, limit) WIRE_##name,
#define WIRE_PLACES(name, number, sender, receiver, descriptors)                                   \
	enum { WIRE_FIELDS_##name(WIRE_PLACE) WIRE_FIELDS_OF_##name };
WIRE_MESSAGES(WIRE_PLACES)
#undef WIRE_PLACES

enum { WIRE_MAX_FIELDS = 16, WIRE_MAX_DESCRIPTORS = 3 };

struct wire_field {
	const char *name;
	enum wire_kind kind;
	uint64_t limit; // NUMBER: largest value; BYTES: largest length
};

struct wire_row {
	const char *name;
	uint16_t number;
	uint8_t sender;
	uint8_t receiver;
	uint8_t descriptors;
	uint8_t count;
	const struct wire_field *fields;
};

// One field's value: the number or the bytes, as the row says.
struct wire_value {
	uint64_t number;
	struct bytes bytes;
};

#define WIRE_N(value) ((struct wire_value){ .number = (uint64_t)(value) })
#define WIRE_B(view) ((struct wire_value){ .bytes = (view) })

struct wire_message {
	const struct wire_row *row;
	struct wire_value fields[WIRE_MAX_FIELDS]; // views into the channel's buffer
	int descriptors[WIRE_MAX_DESCRIPTORS];     // the receiver's to close; -1: taken or none
};

// The row of a message number, or NULL. For tests and documentation also by position.
const struct wire_row *wire_row(uint16_t number);
const struct wire_row *wire_row_at(size_t index);

// Appends one frame. `values` has the row's count of fields, in the row's order (use designated
// initialisers with the WIRE_… places). ERROR_LIMIT when a field is past its limit.
MUST_USE struct result wire_encode(struct buffer *buffer, enum wire_number number,
                                   const struct wire_value *values);

// Reads one frame from the front of `from`. *ret_length is 0 when more bytes are needed.
// ERROR_INPUT when the frame is not as its row says or was not sent from `sender` to `receiver`.
MUST_USE struct result wire_decode(struct bytes from, enum wire_program sender,
                                   enum wire_program receiver, struct wire_message *ret_message,
                                   size_t *ret_length);
