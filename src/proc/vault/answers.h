// Answers on their way to core: each is kept until core says that it is durable (ANSWER_TAKEN), and
// sent again to a core that came back. Their number and size are bounded; whoever adds looks first
// (vault_answers_full).
#pragma once

#include "base/buffer.h"
#include "wire/channel.h"

enum { VAULT_ANSWERS_MAX = 65536, VAULT_ANSWERS_BYTES_MAX = 16 * 1024 * 1024 };

enum vault_answer_state {
	VAULT_ANSWERED = 0,
	VAULT_NOT_SENT = 1,
	VAULT_UNKNOWN = 2,
	VAULT_LATE = 3,
};

struct vault_answer {
	int64_t id;
	uint32_t connection;
	enum vault_answer_state state;
	const char *detail; // a static sentence
	uint8_t *line;      // NULL without a line
	size_t length;
	struct vault_answer *next;
};

struct vault_answers {
	struct vault_answer *first;
	struct vault_answer **end;    // where the next one is linked in
	struct vault_answer **unsent; // the link to the first that core was not sent yet
	size_t count;
	size_t bytes;
};

void vault_answers_init(struct vault_answers *answers);
void vault_answers_done(struct vault_answers *answers);

bool vault_answers_full(const struct vault_answers *answers);
// Keeps a copy of the line.
void vault_answers_add(struct vault_answers *answers, int64_t id, uint32_t connection,
                       enum vault_answer_state state, const char *detail, struct bytes line);
// Forgets the oldest answer with this id that was sent. False when there is none.
bool vault_answers_taken(struct vault_answers *answers, int64_t id);
// A new core: all answers are to be sent again.
void vault_answers_resend(struct vault_answers *answers);
// Puts into the channel what it takes.
void vault_answers_send(struct vault_answers *answers, struct wire_channel *core);
