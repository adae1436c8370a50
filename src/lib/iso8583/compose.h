// A message put together from values and the spots where they go (roles.h): what goes into parts of
// a field is gathered, and the field is written of them in the order of their tags, bits or
// positions.
#pragma once

#include "iso8583/codec.h"

#define ISO8583_PLACED_MAX 64

struct iso8583_placed {
	const struct iso8583_spot *spot;
	struct bytes value;
};

struct iso8583_composer {
	const struct iso8583_dialect *dialect;
	struct iso8583_message *message;
	size_t count; // of the values that go into parts
	struct iso8583_placed placed[ISO8583_PLACED_MAX];
};

void iso8583_compose_begin(struct iso8583_composer *composer, const struct iso8583_dialect *dialect,
                           struct iso8583_message *message);
// Puts a value where it goes; nothing when the value is empty or the dialect has no such spot. The
// bytes must live until the message is packed.
void iso8583_compose_put(struct iso8583_composer *composer, const struct iso8583_spot *spot,
                         struct bytes value);
// Writes the fields that have parts, into the message's own room. ERROR_INPUT: a value does not fit
// its part; ERROR_LIMIT: no room left.
MUST_USE struct result iso8583_compose_end(struct iso8583_composer *composer);
