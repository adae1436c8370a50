// The queue of answers.
#include "answers.h"

#include "base/check.h"

#include <stdlib.h>

void vault_answers_init(struct vault_answers *answers)
{
	*answers = (struct vault_answers){ 0 };
	answers->end = &answers->first;
	answers->unsent = &answers->first;
}

static void answer_free(struct vault_answer *answer)
{
	if (answer->line)
		explicit_bzero(answer->line, answer->length);
	free(answer->line);
	free(answer);
}

void vault_answers_done(struct vault_answers *answers)
{
	while (answers->first) {
		struct vault_answer *next = answers->first->next;
		answer_free(answers->first);
		answers->first = next;
	}
}

bool vault_answers_full(const struct vault_answers *answers)
{
	return answers->count >= VAULT_ANSWERS_MAX || answers->bytes >= VAULT_ANSWERS_BYTES_MAX;
}

void vault_answers_add(struct vault_answers *answers, int64_t id, uint32_t connection,
                       enum vault_answer_state state, const char *detail, struct bytes line)
{
	struct vault_answer *answer = malloc(sizeof(*answer));

	CHECK(answer);
	*answer = (struct vault_answer){ .id = id,
		                         .connection = connection,
		                         .state = state,
		                         .detail = detail,
		                         .length = line.length };
	if (line.length > 0) {
		answer->line = malloc(line.length);
		CHECK(answer->line);
		memcpy(answer->line, line.data, line.length);
	}
	*answers->end = answer;
	answers->end = &answer->next;
	answers->count++;
	answers->bytes += line.length;
}

bool vault_answers_taken(struct vault_answers *answers, int64_t id)
{
	for (struct vault_answer **link = &answers->first; link != answers->unsent;
	     link = &(*link)->next) {
		struct vault_answer *answer = *link;
		if (answer->id != id)
			continue;
		if (answers->unsent == &answer->next)
			answers->unsent = link;
		if (answers->end == &answer->next)
			answers->end = link;
		*link = answer->next;
		answers->count--;
		answers->bytes -= answer->length;
		answer_free(answer);
		return true;
	}
	return false;
}

void vault_answers_resend(struct vault_answers *answers)
{
	answers->unsent = &answers->first;
}

void vault_answers_send(struct vault_answers *answers, struct wire_channel *core)
{
	while (*answers->unsent && wire_channel_is_open(core)) {
		const struct vault_answer *answer = *answers->unsent;
		const struct wire_value values[] = {
			[WIRE_DRIVER_ANSWER_ID] = WIRE_N(answer->id),
			[WIRE_DRIVER_ANSWER_CONNECTION] = WIRE_N(answer->connection),
			[WIRE_DRIVER_ANSWER_STATE] = WIRE_N(answer->state),
			[WIRE_DRIVER_ANSWER_DETAIL] = WIRE_B(bytes_text(answer->detail)),
			[WIRE_DRIVER_ANSWER_LINE] =
			        WIRE_B(bytes_from(answer->line, answer->length)),
		};
		if (!result_ok(wire_channel_put(core, WIRE_DRIVER_ANSWER, values)))
			return; // its buffer is full; the rest goes when it has been written
		answers->unsent = &(*answers->unsent)->next;
	}
}
