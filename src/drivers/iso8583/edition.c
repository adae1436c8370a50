// The editions: their numbers, and how each names an earlier message.
#include "edition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// DE90: type 4 (written by the caller), DE11 6, DE7 10, DE32 11 and DE33 11 with zeros in front.
static void write_1987(char *to, size_t capacity, const struct reference *reference)
{
	snprintf(to, capacity, "%.6s%.10s%011llu%011d", reference->stan, reference->sent_at,
	         strtoull(reference->acquirer, NULL, 10), 0);
}

// DE56: type 4 (written by the caller), DE11 6, DE12 12, DE32 behind its length.
static void write_1993(char *to, size_t capacity, const struct reference *reference)
{
	snprintf(to, capacity, "%.6s%.12s%02zu%s", reference->stan, reference->local_at,
	         strlen(reference->acquirer), reference->acquirer);
}

static const struct edition editions[ISO8583_EDITIONS] = {
	[ISO8583_1987] = { '0', "0800", "00", "40", false, write_1987 },
	[ISO8583_1993] = { '1', "1804", "800", "902", true, write_1993 },
};

const struct edition *edition_row(enum iso8583_edition edition)
{
	return edition == ISO8583_NO_EDITION ? NULL : &editions[edition];
}
