// The lines that drivers write (docs/drivers.md): only their head is read, but for the lines with
// id 0, which are about the driver itself.
#pragma once

#include "base/buffer.h"
#include "base/bytes.h"

enum { VAULT_LINE_MAX = 64 * 1024 };

// Reads `{"id":N` and what must follow it, a comma or the closing brace; white space is allowed.
// False when the line does not begin like this, or does not end with a brace.
bool vault_line_id(struct bytes line, int64_t *ret_id);
// The same for a line of which only the beginning is there.
bool vault_line_head(struct bytes line, int64_t *ret_id);

enum vault_notice_kind { VAULT_NOTICE_NONE, VAULT_NOTICE_UP, VAULT_NOTICE_DOWN, VAULT_NOTICE_LATE };

// A line with id 0.
struct vault_notice {
	enum vault_notice_kind kind;
	char detail[257];     // DOWN
	int64_t request;      // LATE
	struct buffer answer; // LATE: the answer as an object of its own
};

// VAULT_NOTICE_NONE for what is not one. Call vault_notice_done() in every case.
void vault_notice_read(struct bytes line, struct vault_notice *ret_notice);
void vault_notice_done(struct vault_notice *notice);

// Appends the line that core prepared with the card after its first brace, and a line break:
// {"card":{"number":"…","exp_month":12,"exp_year":2030,"cvc":"123"},…}. `code` may be empty.
// Without a number the line is appended as it is. False when the line is not `{"…}` on one line.
bool vault_line_put(struct buffer *buffer, struct bytes line, struct bytes number,
                    unsigned exp_month, unsigned exp_year, struct bytes code);
