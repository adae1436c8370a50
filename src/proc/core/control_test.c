// `onfile connection test`: the driver walks its line step by step and says what each step took
// and, when one failed, what would mend it (docs/drivers.md, op `test`).
#include "core/control.h"
#include "core/flows.h"
#include "core/money.h"

#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>

enum { TEST_MS = 15000, SAID_MAX = 400 };

void control_connection_test(struct core *core, struct control_client *client,
                             struct bytes arguments, struct bytes blob)
{
	const struct connection *connection = control_find_connection(core, arguments);
	struct buffer line cleanup(buffer_done) = { 0 };

	(void)blob;
	if (!connection) {
		control_fail(client, "there is no connection of this name");
		return;
	}
	int64_t id = core_next_id(core);
	struct question *question =
	        flows_ask(core, QUESTION_TEST, id, control_client_number(client));
	buffer_init(&line, 1024);
	buffer_printf(
	        &line, "{\"id\":%lld,\"op\":\"test\",\"deadline_ms\":%lld,\"stan\":\"%06lld\"",
	        (long long)id, (long long)(core->now_ms + TEST_MS), (long long)(id % 999999 + 1));
	bank_put_times(core, &line);
	buffer_printf(&line, ",\"terminal\":\"%08lld\",\"merchant\":\"ONFILE\"}",
	              (long long)connection->number);
	control_say(client, 1, "connection %s: driver %s, %s%s%s", connection->name,
	            connection->driver, control_connection_state(connection),
	            connection->detail[0] ? ": " : "", connection->detail);
	if (!bank_ask(core, question, connection->number, core->now_ms + TEST_MS, 0, 0,
	              buffer_view(&line)))
		control_fail(client, "vault is away; try again in a moment");
}

// A member of a driver's answer, which may be anything: cut, never NULL.
static const char *text_in(const json_t *object, const char *member, char room[static SAID_MAX])
{
	struct bytes text = bytes_text(json_string_value(json_object_get(object, member)));
	size_t length = text.length < SAID_MAX ? text.length : SAID_MAX - 1;

	while (length < text.length && length > 0 && (text.data[length] & 0xc0) == 0x80)
		length--; // not within a character
	memcpy(room, text.data ? text.data : (const uint8_t *)"", length);
	room[length] = '\0';
	return room;
}

static void say_step(struct control_client *client, const json_t *step)
{
	char name[SAID_MAX], detail[SAID_MAX], advice[SAID_MAX], warning[SAID_MAX], took[32] = "";
	const json_t *ms = json_object_get(step, "ms");
	bool warned = text_in(step, "warning", warning)[0] != '\0';
	const char *mark = json_is_true(json_object_get(step, "failed"))    ? "✗"
	                   : json_is_true(json_object_get(step, "skipped")) ? "·"
	                   : warned                                         ? "!"
	                                                                    : "✓";

	if (json_is_number(ms) && json_number_value(ms) >= 0 && json_number_value(ms) < 1e9)
		snprintf(took, sizeof(took), "%.1f ms", json_number_value(ms));
	control_say(client, 1, "%s %-10s %11s  %s", mark, text_in(step, "step", name), took,
	            text_in(step, "detail", detail));
	if (warned)
		control_say(client, 1, "             soon: %s", warning);
	if (text_in(step, "advice", advice)[0])
		control_say(client, 1, "             what to do: %s", advice);
}

void control_test_answer(struct core *core, const struct question *question, const json_t *answer,
                         const char *detail)
{
	struct control_client *client = control_find_client(core, question->subject);
	const json_t *steps = json_object_get(answer, "steps");
	char outcome[SAID_MAX], said[SAID_MAX];
	const json_t *step;
	size_t index;

	if (!client)
		return;
	text_in(answer, "outcome", outcome);
	text_in(answer, "detail", said);
	bool good = strcmp(outcome, "approved") == 0;
	json_array_foreach(steps, index, step) say_step(client, step);
	if (good)
		control_say(client, 1, "the bank answered in %lld ms",
		            (long long)(core->now_ms - question->asked_ms));
	else
		control_say(client, 2, "the test failed: %s",
		            said[0]      ? said
		            : detail[0]  ? detail
		            : outcome[0] ? outcome
		                         : "the driver's answer cannot be read");
	control_end(client, good ? 0 : 1);
	core_wake(core);
}
