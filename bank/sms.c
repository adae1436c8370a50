// POST /sms: anyone on this machine hands in an SMS (the shop does, with its sign-in codes), and it
// arrives on the phone. A form or JSON with `to`, `text` and, if wanted, `from`.
#include "phone.h"

#include "base/bytes.h"

void sms_handle(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	json_t *body;
	const char *to;
	const char *text;
	const char *from;

	(void)rest;
	if (strncmp(request->peer, "127.", 4) != 0 && strcmp(request->peer, "::1") != 0 &&
	    strncmp(request->peer, "::ffff:127.", 11) != 0) {
		web_text_error(request, 403, "SMS are taken from this machine only\n");
		return;
	}
	body = web_body(request);
	to = json_string_value(json_object_get(body, "to"));
	text = json_string_value(json_object_get(body, "text"));
	from = json_string_value(json_object_get(body, "from"));
	if (!to || !*to || !text || !*text) {
		web_text_error(request, 400, "an SMS has `to` and `text`\n");
	} else {
		phone_take_sms(web, to, from && *from ? from : "SMS", text);
		web_json(request, 200, json_pack("{s:b}", "taken", 1));
	}
	json_decref(body);
}
