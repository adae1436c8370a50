// The card ranges that a directory server knows (PRes): kept sorted, replaced or changed by the
// next PRes, asked for one card number at a time. Fetching them is left to the driver. EMV 3-D
// Secure 2.2.0 annex A.5.7 (Card Range Data) and section 5.6 (PReq/PRes).
#pragma once

#include "base/bytes.h"
#include "base/result.h"

#include <jansson.h>

struct emv3ds_range {
	char start[20];
	char end[20];
	uint8_t digits;
	bool enrolled;   // version 2.2.0 lies within what the range's ACS speaks
	bool decoupled;  // acsInfoInd has 03
	uint32_t method; // index + 1 into `urls`; 0: no method URL
};

struct emv3ds_ranges {
	struct emv3ds_range *ranges; // by digits, then by start; none overlap
	size_t count;
	char **urls;
	size_t url_count;
	char serial[21]; // serialNum of the last PRes; "" when there was none
	bool supported;  // the directory server itself speaks 2.2.0
};

void emv3ds_ranges_init(struct emv3ds_ranges *ranges);
void emv3ds_ranges_done(struct emv3ds_ranges *ranges);

// Takes a PRes that was checked. `full`: the PReq had no serial number, so the list replaces what
// was there and actionInd does not count; otherwise A, D and M change it, and a PRes without ranges
// leaves it as it is. On failure (ERROR_INPUT: ranges overlap, or a range to be changed is not
// there) *ranges is what it was.
MUST_USE struct result emv3ds_ranges_apply(struct emv3ds_ranges *ranges, const json_t *pres,
                                           bool full);

// The range of a card number, or NULL when it is in none, or in one that does not speak 2.2.0.
// Compares the digits where they are and keeps no copy of them.
const struct emv3ds_range *emv3ds_ranges_find(const struct emv3ds_ranges *ranges,
                                              struct bytes number);

// The method URL of a range; NULL when it has none.
const char *emv3ds_ranges_method(const struct emv3ds_ranges *ranges,
                                 const struct emv3ds_range *range);
