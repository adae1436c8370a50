// What vault says to the flows: drivers' answers, each to the attempt, advice, result or test that
// asked; cards that were opened; and what is done about questions that were lost with an old vault.
#include "core/money.h"

#include "base/log.h"

#include <stdlib.h>

// The line that the attempt waits for; any other is an old one.
static bool is_awaited(const struct live *live, const struct question *question)
{
	int64_t asked = live->authentication.asked;

	return question->id == (asked ? asked : live->row.id);
}

static void attempt_answer(struct core *core, const struct question *question, const json_t *answer)
{
	struct live room;
	struct live *live = flows_any(core, question->subject, &room);

	if (!live)
		return;
	if (live != &room && !is_awaited(live, question)) {
		flows_step(core, live->row.id, "an answer to an older question was put aside");
	} else if (question->kind == QUESTION_BANK) {
		live->row.answered_ms = core->now_ms;
		struct flow_event event = bank_event(core, &live->row, answer);
		if (event.kind == EVENT_NOT_SENT && live != &room && link_elsewhere(core, live))
			return;
		live->authentication.cvc_check = event.cvc_check;
		flows_event(core, live, &event);
	} else {
		authentication_answer(core, live, question->kind, answer);
	}
	authentication_free(&room.authentication);
}

static void dispatch_answer(struct core *core, const struct question *question,
                            const json_t *answer, const char *detail)
{
	switch (question->kind) {
	case QUESTION_ADVICE: advice_answer(core, question->subject, answer); break;
	case QUESTION_TEST: control_test_answer(core, question, answer, detail); break;
	case QUESTION_RESULTS: authentication_result_answer(core, question, answer); break;
	default: attempt_answer(core, question, answer); break;
	}
}

static enum question_kind awaited_kind(const struct live *live)
{
	switch (live->row.state) {
	case ATTEMPT_LOOKING_UP: return QUESTION_VERSIONS;
	case ATTEMPT_AUTHENTICATING: return QUESTION_AUTHENTICATE;
	default: return QUESTION_BANK;
	}
}

// A question of before a restart, or one that was answered `unknown` before: the first question of
// an attempt has the attempt's own number, a later one is kept with its facts.
static struct question old_question(struct core *core, int64_t id)
{
	const struct map *lives = &core->flows->lives;
	struct attempt row;

	for (size_t i = 0; i < lives->capacity; i++) {
		const struct live *live = lives->slots[i].value;
		if (live && live->authentication.asked == id)
			return (struct question){ .id = id,
				                  .kind = awaited_kind(live),
				                  .subject = live->row.id };
	}
	if (store_load(core->store, STORE_ATTEMPTS, id, &row))
		return (struct question){ .id = id, .kind = QUESTION_BANK, .subject = id };
	int64_t advice = store_one_number(core->store, STORE_ADVICE_ASKED, 0, STORE_N(id));
	return (struct question){ .id = advice ? id : 0,
		                  .kind = QUESTION_ADVICE,
		                  .subject = advice };
}

static void on_answer(struct core *core, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	int64_t id = (int64_t)f[WIRE_DRIVER_ANSWER_ID].number;
	struct bytes line = f[WIRE_DRIVER_ANSWER_LINE].bytes;
	uint64_t state = f[WIRE_DRIVER_ANSWER_STATE].number;
	struct question *asked = map_take(&core->flows->questions, id);
	struct question question = asked ? *asked : old_question(core, id);
	char detail[257];
	json_t *answer = NULL;

	free(asked);
	bytes_copy_text(f[WIRE_DRIVER_ANSWER_DETAIL].bytes, detail, sizeof(detail));
	if (state == 0 || state == 3)
		answer = json_loadb((const char *)line.data, line.length,
		                    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
	else
		answer = json_pack("{s:s, s:s}", "outcome", state == 1 ? "not_sent" : "unknown",
		                   "detail", detail);
	if (state == 3)
		metric_add(METRIC_LATE_ANSWERS, 1);
	if (question.id)
		dispatch_answer(core, &question, answer, detail);
	json_decref(answer);
	core_tell_vault(core, WIRE_ANSWER_TAKEN,
	                (const struct wire_value[]){ [WIRE_ANSWER_TAKEN_ID] = WIRE_N(id) });
}

void flows_vault_message(struct core *core, const struct wire_message *message)
{
	switch (message->row->number) {
	case WIRE_CARD_OPENED:
		if (!api_token_opened(core, message))
			link_opened(core, message);
		break;
	case WIRE_DRIVER_ANSWER: on_answer(core, message); break;
	default: connections_state(core, message); break;
	}
}

// The shopper of a link starts again: their code was in the old vault's memory.
static void question_lost(struct core *core, const struct question *question)
{
	struct live *live = flows_live(core, question->subject);
	json_t *answer =
	        json_pack("{s:s, s:s}", "outcome", "unknown", "detail", "vault was started anew");

	if (question->kind == QUESTION_BANK && live && live->row.kind == ATTEMPT_LINK)
		flows_event(core, live,
		            &(struct flow_event){ .kind = EVENT_UNKNOWN,
		                                  .problem = PROBLEM_INTERRUPTED });
	else
		dispatch_answer(core, question, answer, "vault was started anew");
	json_decref(answer);
}

// What is done about a lost question may ask new ones: they go into a new map.
static void lose_questions(struct core *core)
{
	struct map *questions = &core->flows->questions;
	struct map old = *questions;

	*questions = (struct map){ 0 };
	for (size_t i = 0; i < old.capacity; i++) {
		if (!old.slots[i].key)
			continue;
		question_lost(core, old.slots[i].value);
		free(old.slots[i].value);
	}
	map_done(&old);
}

// What the old vault had in hand is lost with it: cards that were being opened, codes, questions.
void flows_vault_is_back(struct core *core)
{
	struct flows *flows = core->flows;

	connections_tell_vault(core);
	api_tokens_ask_again(core);
	for (size_t i = 0; i < flows->openings.capacity; i++)
		if (flows->openings.slots[i].value)
			due_add(&flows->due, core->now_ms, DUE_OPENING,
			        flows->openings.slots[i].key);
	lose_questions(core);
}

// --- stopping

void flows_stop(struct core *core)
{
	core->flows->stopping = true;
}

// The states in which an answer is under way: a message is not only queued.
static bool is_asked(enum attempt_state state)
{
	return state == ATTEMPT_SENT || state == ATTEMPT_VERIFYING || state == ATTEMPT_LOOKING_UP ||
	       state == ATTEMPT_AUTHENTICATING;
}

bool flows_are_asking(const struct core *core)
{
	const struct map *lives = &core->flows->lives;
	const struct map *questions = &core->flows->questions;

	for (size_t i = 0; i < lives->capacity; i++) {
		const struct live *live = lives->slots[i].value;
		if (live && is_asked(live->row.state))
			return true;
	}
	for (size_t i = 0; i < questions->capacity; i++) {
		const struct question *question = questions->slots[i].value;
		if (question && question->kind == QUESTION_ADVICE)
			return true;
	}
	return false;
}
