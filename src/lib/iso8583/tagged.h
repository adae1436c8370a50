// Subfields inside a field: a tag of two characters, a length of two digits, the value; one after
// the other. Our generic dialect's DE48 is built so (docs/iso8583.md).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

// Takes the next subfield off the front of *rest. False at the end, and (with *ret_broken set) when
// what is left is not a subfield.
MUST_USE bool iso8583_tagged_next(struct bytes *rest, struct bytes *ret_tag,
                                  struct bytes *ret_value, bool *ret_broken);

// The value of the first subfield with this tag; BYTES_NONE when there is none or when what stands
// before it is not well-formed.
struct bytes iso8583_tagged_get(struct bytes field, const char *tag);

// Appends a subfield at to[*length]. An empty value is left out. False when it does not fit
// `capacity` or is longer than 99.
MUST_USE bool iso8583_tagged_put(uint8_t *to, size_t capacity, size_t *length, const char *tag,
                                 struct bytes value);
