// See lines.h.
#include "lines.h"

#include "host.h"
#include "parts.h"

#include "base/check.h"

#include <stdlib.h>

enum { LINE_LIMIT = 16 * 1024 * 1024 };

struct answer_out {
	struct answer_out *next;
	struct answer answer;
};

static struct {
	struct answer_out *answers, **last_answer;
	struct buffer to_vault;
} lines;

void lines_begin(void)
{
	buffer_init(&lines.to_vault, LINE_LIMIT);
	lines.last_answer = &lines.answers;
}

void lines_end(void)
{
	buffer_done(&lines.to_vault);
}

void lines_answer(uint64_t serial, const struct reply *reply)
{
	struct answer_out *out = world_room(sizeof(*out));

	out->answer =
	        (struct answer){ serial, reply->status, reply->flags, NULL, reply->body.length };
	out->answer.body = world_room(reply->body.length + 1);
	if (reply->body.length)
		memcpy(out->answer.body, reply->body.data, reply->body.length);
	*lines.last_answer = out;
	lines.last_answer = &out->next;
}

void lines_tell_vault(enum wire_number number, const struct wire_value *values)
{
	CHECK(result_ok(wire_encode(&lines.to_vault, number, values)));
}

static struct answer_out *take_answer(void)
{
	struct answer_out *out = lines.answers;

	lines.answers = out->next;
	if (!lines.answers)
		lines.last_answer = &lines.answers;
	return out;
}

static void free_answer(struct answer_out *out)
{
	free(out->answer.body);
	free(out);
}

void lines_drop_to_vault(void)
{
	buffer_reset(&lines.to_vault);
}

void lines_drop(void)
{
	while (lines.answers)
		free_answer(take_answer());
	lines_drop_to_vault();
}

bool lines_may_leave(void)
{
	return lines.answers || lines.to_vault.length;
}

static void flush_vault(bool (*dies)(void))
{
	struct wire_message message;
	size_t length = 0;

	while (lines.to_vault.length && !dies()) {
		CHECK(result_ok(wire_decode(buffer_view(&lines.to_vault), WIRE_CORE, WIRE_VAULT,
		                            &message, &length)) &&
		      length);
		vault_message(&message);
		buffer_drop(&lines.to_vault, length);
	}
}

static void flush_web(bool (*dies)(void))
{
	while (lines.answers && !dies()) {
		struct answer_out *out = take_answer();
		shop_answer(&out->answer);
		free_answer(out);
	}
}

void lines_flush(bool (*dies)(void))
{
	flush_vault(dies);
	flush_web(dies);
}
