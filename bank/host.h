// The bank's ISO 8583 host: listens, reads messages of its dialect, lets desk.c decide, answers;
// and does wrong what it was told to do wrong. The messages are those of docs/iso8583.md.
#pragma once

#include "bank.h"
#include "cards.h"

// What goes wrong on the whole line, in percent of the messages about cards; and what happens to
// the next messages. The control page changes it in place.
struct host_trouble {
	int lose_requests_percent; // as if they had never come
	int lose_answers_percent;  // worked on, not answered
	int delay_percent, delay_ms;
	int repeat_percent; // answered twice
	int next_count;     // for so many messages about cards …
	enum bank_fault next_fault;
	char next_code[BANK_CODE]; // … and, when not empty, refused with this code
	int late_ms;               // what BANK_FAULT_LATE waits
	bool deaf;                 // takes connections, answers nothing, sign-on and echo included
};

// `line` describes the line: "dialect=1987-bcd,header=binary2,inclusive=no,tpdu=no" (these are the
// defaults; NULL or parts of it will do; wire.h). Port 0: any; bank->iso_port is set to the real
// one.
MUST_USE struct result bank_host_start(struct bank *bank, const char *line, int late_ms);
void bank_host_stop(struct bank *bank);

struct host_trouble *bank_host_trouble(struct bank_host *host);
// Closes every connection at once.
void bank_host_hang_up(struct bank_host *host);
// Sends a network message (0800) with this DE70 on every connection: 001, 002, 201 (cut-over), 301.
void bank_host_say(struct bank_host *host, const char *code);
// How long DE39 is in the host's edition: 2, 3 or 4.
size_t bank_host_code_length(const struct bank_host *host);
size_t bank_host_connections(const struct bank_host *host);
