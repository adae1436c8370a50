// `onfile trace` and `onfile card free`: the story of an attempt for whoever talks to its shopper.
#include "core/control.h"
#include "core/flows.h"

#include "base/cleanup.h"
#include "domain/problem.h"

#include <stdio.h>
#include <time.h>

static void say_at(struct control_client *client, int64_t at_ms, const char *text)
{
	time_t seconds = (time_t)(at_ms / 1000);
	struct tm utc;
	char when[32];

	gmtime_r(&seconds, &utc);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &utc);
	control_say(client, 1, "%s.%03d  %s", when, (int)(at_ms % 1000), text);
}

static void trace_head(struct core *core, struct control_client *client, const struct attempt *row)
{
	struct card card cleanup(card_done) = { 0 };
	const struct problem_row *problem = problem_row(row->problem);

	control_say(client, 1, "%s, %s", row->kind == ATTEMPT_LINK ? "link a card" : "payment",
	            flow_state_name(row->state));
	if (row->card && store_load(core->store, STORE_CARDS, row->card, &card))
		control_say(client, 1, "card: %s, ends in %s, %02d/%d", card.brand, card.last4,
		            card.exp_month, card.exp_year);
	if (row->kind == ATTEMPT_PAYMENT)
		control_say(client, 1, "amount: %lld %s (minor units)", (long long)row->amount,
		            row->currency);
	if (row->stan)
		control_say(client, 1, "on the wire: STAN %06lld, response code %s, approval %s",
		            (long long)row->stan, row->response_code[0] ? row->response_code : "-",
		            row->approval_code[0] ? row->approval_code : "-");
	if (row->problem)
		control_say(client, 1, "why: %s%s%s; who can fix it: %s; again: %s", problem->name,
		            row->decline_code[0] ? ", the bank says " : "", row->decline_code,
		            problem_who_name(problem->group->who),
		            problem_again_name(problem->group->again));
}

// The attempt with the code that a shopper read out; a client is told when there is none.
static bool find_attempt(struct core *core, struct control_client *client, struct bytes arguments,
                         struct attempt *ret_row)
{
	char code[32];

	control_argument(arguments, "code", code, sizeof(code));
	for (char *c = code; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 32);
	int64_t attempt = store_one_number(core->store, STORE_CODE_FIND, 0, STORE_T(code));
	if (attempt && store_load(core->store, STORE_ATTEMPTS, attempt, ret_row))
		return true;
	control_fail(client, "no attempt has this code");
	return false;
}

static void trace(struct core *core, struct control_client *client, struct bytes arguments,
                  struct bytes blob)
{
	struct attempt row;

	(void)blob;
	if (!find_attempt(core, client, arguments, &row))
		return;
	trace_head(core, client, &row);
	say_at(client, core_id_ms(row.id), "started");
	struct store_query query = store_ask(core->store, STORE_STEP_LIST, STORE_N(row.id));
	while (store_step(&query)) {
		char text[512];
		bytes_copy_text(store_bytes(&query, 1), text, sizeof(text));
		say_at(client, store_number(&query, 0), text);
	}
	control_end(client, 0);
}

// Ends the block after fraud or pick-up. A card that its bank calls lost or stolen stays blocked.
static void card_free(struct core *core, struct control_client *client, struct bytes arguments,
                      struct bytes blob)
{
	struct card card cleanup(card_done) = { 0 };
	struct attempt row;
	int64_t until_ms = 0;

	(void)blob;
	if (!find_attempt(core, client, arguments, &row))
		return;
	struct bytes fingerprint = BYTES_ARRAY(card.fingerprint);
	if (row.card && store_load(core->store, STORE_CARDS, row.card, &card))
		until_ms = store_one_number(core->store, STORE_BLOCKED_CARD, 0,
		                            STORE_B(fingerprint), STORE_N(core->now_ms));
	if (until_ms == 0) {
		control_fail(client, "the card of this attempt is not blocked");
	} else if (until_ms == INT64_MAX) {
		control_fail(client,
		             "its bank says that this card is lost or stolen; it stays blocked");
	} else {
		store_run(core->store, STORE_UNBLOCK_CARD, STORE_B(fingerprint));
		flows_step(core, row.id, "an operator freed the card");
		control_say(client, 1, "the card may be tried again: %s, ends in %s", card.brand,
		            card.last4);
		control_end(client, 0);
	}
}

const struct control_row control_trace_verbs[] = {
	{ "trace", trace },
	{ "card free", card_free },
	{ 0 },
};
