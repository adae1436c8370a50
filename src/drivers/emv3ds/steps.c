// What `onfile connection test` is told of the way to the directory server: the name, the
// connection, TLS with its certificate, and the answer to a PReq, each with its time.
// docs/drivers.md, "What a test tells".

#include "driver.h"

#include "base/cleanup.h"

#include <stdio.h>
#include <string.h>

enum { STEP_NAMES = 4 };

static const struct {
	const char *name, *failed, *advice;
} steps[STEP_NAMES] = {
	[CALL_RESOLVE] = { "resolve", "the name was not found",
	                   "Is the host in the parameter url right, and does this machine's name "
	                   "server know it?" },
	[CALL_CONNECT] = { "connect", "nobody took the connection",
	                   "Is the port in the parameter url right, and does a firewall let this "
	                   "machine out to it?" },
	[CALL_TLS] = { "tls", "no TLS session was agreed on",
	               "Compare the parameters ca, certificate and key with what the payment "
	               "system "
	               "gave you; is the certificate still valid?" },
	[CALL_ANSWER] = { "directory", "the directory server did not answer as it should",
	                  "Ask the payment system whether url, server_reference and operator_id "
	                  "are registered there, and whether it takes our certificate "
	                  "(parameters certificate and key)." },
};

static void add(json_t *list, enum call_step step, const struct call_trace *trace,
                const char *detail)
{
	json_t *row = json_pack("{s:s,s:f,s:s}", "step", steps[step].name, "ms", trace->ms[step],
	                        "detail", detail);

	if (step == CALL_TLS && trace->soon[0])
		json_object_set_new(row, "warning", json_string(trace->soon));
	json_array_append_new(list, row);
}

// Its time is what libcurl has no part for: the rest of the whole.
static void add_failed(json_t *list, enum call_step step, const struct call_trace *trace,
                       const char *problem)
{
	char detail[300];

	snprintf(detail, sizeof(detail), "%s: %s", steps[step].failed, problem);
	json_array_append_new(list, json_pack("{s:s,s:f,s:s,s:b,s:s}", "step", steps[step].name,
	                                      "ms", trace->ms[CALL_ANSWER], "detail", detail,
	                                      "failed", 1, "advice", steps[step].advice));
}

json_t *steps_of(const struct call_trace *trace, const char *problem)
{
	json_t *list = json_array();
	char where[80];

	snprintf(where, sizeof(where), "%s port %ld", trace->address, trace->port);
	for (int i = CALL_RESOLVE; i < STEP_NAMES; i++) {
		enum call_step step = (enum call_step)i;
		if (problem && step == trace->reached) {
			add_failed(list, step, trace, problem);
			break;
		}
		if (step == CALL_TLS && !trace->tls)
			continue;
		add(list, step, trace,
		    step == CALL_RESOLVE   ? trace->address
		    : step == CALL_CONNECT ? where
		    : step == CALL_TLS     ? trace->certificate
		                           : "it answered a question for card ranges");
	}
	return list;
}
