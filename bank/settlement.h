// The settlement file: what the bank pays out for captures, less what was refunded, one line for
// each movement, then one total for each currency. Its form is in bank/README.md.
#pragma once

#include "ledger.h"

#include <stdio.h>

// `date` ("2026-11-27", UTC) leaves other days out; NULL: all days.
void settlement_print(const struct bank_ledger *ledger, const char *date, FILE *file);
// Writes all days to the file beside the ledger's, whose name it has with ".settlement.csv" behind;
// it is there whole or not at all. Does nothing for a ledger in memory.
MUST_USE struct result settlement_save(const struct bank_ledger *ledger);
