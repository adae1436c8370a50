// What the parts of the issuer's desk share: one message at work. desk.c takes it and knows
// authorizations; desk_moves.c knows what moves money afterwards.
#pragma once

#include "desk.h"
#include "ledger.h"

struct work {
	struct bank *bank;
	const struct iso8583_message *request;
	struct iso8583_message *answer;
	struct desk_result *result;
	const char *force_code; // may be empty
	struct bank_card card;
	struct bytes private_data; // DE48
	int64_t amount_minor;
	char key[BANK_KEY];
};

int64_t desk_number(struct bytes digits);
// Copies a field; empty when it does not fit.
void desk_copy(struct bytes from, char *to, size_t capacity);
// Puts a text into the answer, in its own room; an empty one is left out.
void desk_set_text(struct iso8583_message *answer, int field, const char *text);
// The key of a message: class, DE7, DE11, DE32 with zeros in front, DE41.
void desk_make_key(char class, struct bytes sent_at, struct bytes stan, int64_t acquirer,
                   struct bytes terminal, char ret_key[static BANK_KEY]);
void desk_make_approval(int64_t now_ms, char ret_code[static 7]);

// A capture (0220), a reversal (0400, 0420), a refund (0200 or 0220 with DE3 20….).
void desk_work_capture(struct work *work);
void desk_work_reversal(struct work *work);
void desk_work_refund(struct work *work);
// Books an entry that was just approved in one message (0200) as captured.
void desk_capture_at_once(struct work *work, struct bank_entry *entry);
