// `onfile attention …`: what a person has to look at.
#include "core/control.h"
#include "core/flows.h"

static void attention_list(struct core *core, struct control_client *client, struct bytes arguments,
                           struct bytes blob)
{
	struct store_query query = store_ask(core->store, STORE_ADVICES_ATTENTION, STORE_N(0));
	struct advice advice;

	(void)arguments;
	(void)blob;
	while (store_step(&query)) {
		store_read(&query, STORE_ADVICES, &advice);
		char code[24];
		flow_code(core, advice.attempt, code, sizeof(code));
		control_say(client, 1,
		            "%lld  %s  amount %lld  tries %d  response code %s  reference %s",
		            (long long)advice.id,
		            advice.kind == ADVICE_REVERSE ? "reversal" : "capture",
		            (long long)advice.amount, advice.tries,
		            advice.response_code[0] ? advice.response_code : "-",
		            code[0] ? code : "-");
	}
	control_end(client, 0);
}

const struct control_row control_attention_verbs[] = {
	{ "attention list", attention_list },
	{ 0 },
};
