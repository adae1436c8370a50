// Long texts that the API made, events' bodies and kept replies, take a seventh of the place in the
// store: what all of them have in common is a phrase of phrases.txt, and stands in the text as
// where the phrase begins and how long it is. All else, ids and amounts and names, stands there
// letter by letter, so that who searches the file finds it.
//
// A phrase that was in use stays where it is: phrases.txt may only grow at its end (phrases_test.c
// holds it to that).
//
// A packed text: a byte of 1 to 30, a byte, a byte are a phrase: where it begins less 256, and its
// length less 4. The byte 31 says that the next one stands for itself. Every other byte stands for
// itself, so a text without control characters that was never packed (the JSON of before) is read
// as it is.
#pragma once

#include "base/buffer.h"

struct store_phrases;

// NULL: no memory.
struct store_phrases *store_phrases_new(void);
void store_phrases_free(struct store_phrases *phrases);

// Appends the packed form of any bytes.
void store_pack(const struct store_phrases *phrases, struct bytes text, struct buffer *packed);
// Appends what was packed. False: it is no packed text, or it was packed with phrases that this
// version does not know.
MUST_USE bool store_unpack(struct bytes packed, struct buffer *text);
