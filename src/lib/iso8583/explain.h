// A message for people: field by field, with names, offsets and parts, as `onfile iso8583 decode`
// prints it. Only what the dialect marks as printable is shown.
#pragma once

#include "iso8583/codec.h"

// Reads `wire` and appends lines to `buffer`. After an error what was read so far stands above a
// last line that names field and offset; the error is returned. The message is wiped.
MUST_USE struct result iso8583_explain(const struct iso8583_dialect *dialect, struct bytes wire,
                                       struct buffer *buffer);
