// The books as `onfile reconcile` asks for them: what moved money, a page at a time, in the order
// of its making. The command compares; core only reads, and never more than a page in one turn.
#include "core/control.h"
#include "core/money.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>

enum { PAGE = 500 };

struct page {
	struct control_client *client;
	int64_t low, high; // keys, both exclusive
	int64_t last;      // that was looked at
	int count;
};

// One movement: kind, RRN, STAN, terminal, amount, currency (digits), approval code, how it stands,
// when it was first and last sent, its row.
struct movement {
	const struct attempt *attempt;
	char kind;
	int64_t stan, amount, first_ms, last_ms, id;
	const char *state;
};

static void say(struct control_client *client, const struct movement *movement)
{
	const struct attempt *attempt = movement->attempt;
	char rrn[BANK_RRN_CAPACITY];

	bank_rrn(attempt->id, rrn);
	control_say(client, 1,
	            "%c %s %06" PRId64 " %08" PRId64 " %" PRId64 " %s %s %s %" PRId64 " %" PRId64
	            " %" PRId64,
	            movement->kind, rrn, movement->stan, attempt->connection, movement->amount,
	            bank_currency(attempt->currency),
	            attempt->approval_code[0] ? attempt->approval_code : "-", movement->state,
	            movement->first_ms, movement->last_ms, movement->id);
}

static const char *state_of(const struct advice *advice)
{
	switch (advice->state) {
	case ADVICE_QUEUED:
	case ADVICE_SENT: return "open";
	case ADVICE_NEEDS_ATTENTION: return "attention";
	case ADVICE_ACKNOWLEDGED:
	case ADVICE_RESOLVED_DONE: return "done";
	default: return "failed";
	}
}

// Captures and refunds.
static void say_messages(struct core *core, struct page *page)
{
	struct store_query query = store_ask(core->store, STORE_BOOKS_MESSAGES, STORE_N(page->low),
	                                     STORE_N(page->high), STORE_N(PAGE));
	struct attempt attempt;
	struct advice advice;

	for (; store_step(&query); page->count++) {
		store_read(&query, STORE_ADVICES, &advice);
		page->last = advice.id;
		bool refund = advice.kind == ADVICE_REFUND;
		if ((!refund && advice.kind != ADVICE_CAPTURE) ||
		    !store_load(core->store, STORE_ATTEMPTS, advice.attempt, &attempt))
			continue;
		const struct movement movement = { &attempt,        refund ? 'r' : 'c',
			                           advice.stan,     advice.amount,
			                           advice.first_ms, advice.sent_ms,
			                           advice.id,       state_of(&advice) };
		say(page->client, &movement);
	}
	store_end(&query);
}

// Payments that were taken with their authorization (a single message).
static void say_payments(struct core *core, struct page *page)
{
	struct store_query query = store_ask(core->store, STORE_BOOKS_PAYMENTS, STORE_N(page->low),
	                                     STORE_N(page->high), STORE_N(PAGE));
	struct attempt attempt;

	for (; store_step(&query); page->count++) {
		store_read(&query, STORE_ATTEMPTS, &attempt);
		page->last = attempt.id;
		if (attempt.state != ATTEMPT_PAID || !(attempt.flags & ATTEMPT_SINGLE_MESSAGE))
			continue;
		const struct movement movement = { &attempt,        'c',
			                           attempt.stan,    attempt.captured,
			                           attempt.sent_ms, attempt.sent_ms,
			                           attempt.id,      "done" };
		say(page->client, &movement);
	}
	store_end(&query);
}

static bool read_number(struct bytes arguments, const char *name, int64_t *ret_number)
{
	char text[24];
	uint64_t number;

	if (!control_argument(arguments, name, text, sizeof(text)) ||
	    !text_to_number(bytes_text(text), INT64_MAX, &number))
		return false;
	*ret_number = (int64_t)number;
	return true;
}

// `of` messages or payments; from, to: Unix milliseconds; after: the last row of the page before.
// The last line says whether there is more: "next ROW" or "end".
static void books_page(struct core *core, struct control_client *client, struct bytes arguments,
                       struct bytes blob)
{
	struct page page = { .client = client };
	int64_t from_ms, to_ms, after;
	char of[16];

	(void)blob;
	if (!read_number(arguments, "from", &from_ms) || !read_number(arguments, "to", &to_ms) ||
	    !read_number(arguments, "after", &after) ||
	    !control_argument(arguments, "of", of, sizeof(of))) {
		control_fail(client, "books page wants of, from, to and after");
		return;
	}
	page.low = core_id_make(from_ms, 0) - 1;
	page.low = page.low > after ? page.low : after;
	page.high = core_id_make(to_ms, 0);
	if (strcmp(of, "messages") == 0)
		say_messages(core, &page);
	else
		say_payments(core, &page);
	if (page.count == PAGE)
		control_say(client, 1, "next %" PRId64, page.last);
	else
		control_say(client, 1, "end");
	control_end(client, 0);
}

// What the books say of a number that went over the wire: for a line that they do not have.
static void books_find(struct core *core, struct control_client *client, struct bytes arguments,
                       struct bytes blob)
{
	char rrn[BANK_RRN_CAPACITY], code[24];
	struct attempt attempt;

	(void)blob;
	control_argument(arguments, "rrn", rrn, sizeof(rrn));
	int64_t id = bank_rrn_read(rrn, core->now_ms);
	if (id <= 0 || !store_load(core->store, STORE_ATTEMPTS, id, &attempt)) {
		control_say(client, 1, "no payment of these books has this number");
	} else {
		flow_code(core, id, code, sizeof(code));
		control_say(client, 1,
		            "its payment is %s, %" PRId64 " captured, %" PRId64
		            " refunded, reference %s",
		            flow_state_name(attempt.state), attempt.captured, attempt.refunded,
		            code[0] ? code : "-");
	}
	control_end(client, 0);
}

const struct control_row control_books_verbs[] = {
	{ "books page", books_page },
	{ "books find", books_find },
	{ 0 },
};
