// A bank's settlement file (docs/reconciliation.md): lines of text into movements, kept so that one
// can be found by the numbers that went over the wire. Reading is strict: a file that is not as it
// should be is refused with the line's number, never half understood.
#pragma once

#include "base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { SETTLEMENT_CURRENCIES = 64, SETTLEMENT_TERMINALS = 64, SETTLEMENT_WANTED = 256 };

struct settlement_line {
	char rrn[13];
	char kind; // 'c' capture, 'r' refund
	bool seen; // the books have it
	char currency[4];
	char approval[7];
	uint32_t stan, number; // of the line
	int64_t amount;        // minor units, above 0
};

// Captures less refunds of one currency.
struct settlement_total {
	char currency[4];
	bool said;    // the file has a total for it
	int64_t net;  // of the lines
	int64_t told; // what the file says
	uint32_t number;
};

struct settlement {
	struct settlement_line *lines; // sorted by RRN, kind and STAN
	size_t count, capacity;
	struct settlement_total totals[SETTLEMENT_CURRENCIES];
	size_t total_count;
	char terminals[SETTLEMENT_TERMINALS][9];
	size_t terminal_count;
	int64_t first_day, last_day; // days since 1970, of the lines; 0, 0: there are none
};

// Reads and sorts. ERROR_INPUT: ret_wanted is a sentence with the line's number. ret_settlement is
// to be given back in both cases.
MUST_USE struct result settlement_read(FILE *file, struct settlement *ret_settlement,
                                       char ret_wanted[static SETTLEMENT_WANTED]);
void settlement_done(struct settlement *settlement);

// The first line of this movement that was not seen yet. A refund is found by its STAN too: one
// payment may have several. NULL: there is none.
struct settlement_line *settlement_find(struct settlement *settlement, char kind, const char *rrn,
                                        uint32_t stan);
bool settlement_has_terminal(const struct settlement *settlement, const char *terminal);

// "2026-11-27" as days since 1970. False: there is no such day.
bool settlement_day(const char *text, int64_t *ret_day);
