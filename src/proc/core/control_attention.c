// `onfile attention …`: what a person has to look at, and what they found out. None of it goes away
// by itself (lib/domain/advice.c).
#include "base/text.h"
#include "core/control.h"
#include "core/money.h"

#include <stdio.h>
#include <time.h>

enum { LINES_MAX = 2000 };

static void say(struct core *core, struct control_client *client, const struct advice *advice)
{
	time_t seconds = (time_t)(advice->first_ms / 1000);
	struct attempt attempt = { 0 };
	struct tm utc;
	char since[32], code[24];

	if (!store_load(core->store, STORE_ATTEMPTS, advice->attempt, &attempt))
		return;
	flow_code(core, advice->attempt, code, sizeof(code));
	gmtime_r(&seconds, &utc);
	strftime(since, sizeof(since), "%Y-%m-%d %H:%M:%S", &utc);
	control_say(client, 1,
	            "%lld  %s  %lld %s  since %s  tries %d  response code %s  reference %s",
	            (long long)advice->id, advice_kind_name(advice->kind),
	            (long long)advice->amount, attempt.currency, since, advice->tries,
	            advice->response_code[0] ? advice->response_code : "-", code[0] ? code : "-");
}

static void attention_list(struct core *core, struct control_client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct advice advice;
	int64_t after = 0;
	int said = 0;
	bool more = true;

	(void)arguments;
	(void)blob;
	while (more && said < LINES_MAX) {
		struct store_query query =
		        store_ask(core->store, STORE_ADVICES_ATTENTION, STORE_N(after));
		for (more = false; store_step(&query); more = true, said++) {
			store_read(&query, STORE_ADVICES, &advice);
			say(core, client, &advice);
			after = advice.id;
		}
		store_end(&query);
	}
	if (more)
		control_say(client, 2, "there are more than these %d", said);
	control_end(client, 0);
}

static bool read_event(const char *word, enum advice_event *ret_event)
{
	static const struct {
		const char *word;
		enum advice_event event;
	} rows[] = {
		{ "done", ADVICE_RESOLVE_DONE },
		{ "failed", ADVICE_RESOLVE_FAILED },
		{ "again", ADVICE_RESOLVE_AGAIN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0) {
			*ret_event = rows[i].event;
			return true;
		}
	return false;
}

// What a person writes goes into the story: one line of readable text.
static bool is_line(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return text[0] && text_is_utf8(bytes_text(text));
}

static void attention_resolve(struct core *core, struct control_client *client,
                              struct bytes arguments, struct bytes blob)
{
	char id_text[24], word[16], by[80], note[256], story[400];
	enum advice_event event;
	uint64_t id;

	(void)blob;
	if (!control_argument(arguments, "id", id_text, sizeof(id_text)) ||
	    !text_to_number(bytes_text(id_text), INT64_MAX, &id)) {
		control_fail(client, "the id should be a number of `onfile attention list`");
		return;
	}
	if (!control_argument(arguments, "as", word, sizeof(word)) || !read_event(word, &event)) {
		control_fail(client, "--as should be done, failed or again");
		return;
	}
	if (!control_argument(arguments, "by", by, sizeof(by)) || !is_line(by) ||
	    !control_argument(arguments, "note", note, sizeof(note)) || !is_line(note)) {
		control_fail(client, "say who (--by, up to 79 bytes) and why (--note, up to 255)");
		return;
	}
	snprintf(story, sizeof(story), "%s: %s", by, note);
	if (!advice_resolve(core, (int64_t)id, event, story)) {
		control_fail(client, "nothing with this id needs attention");
		return;
	}
	control_say(client, 1, "%llu resolved as %s", (unsigned long long)id, word);
	control_end(client, 0);
}

const struct control_row control_attention_verbs[] = {
	{ "attention list", attention_list },
	{ "attention resolve", attention_resolve },
	{ 0 },
};
