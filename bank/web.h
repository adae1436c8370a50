// What the parts of the bank's HTTP side share: the server, the pages, and the few ways to answer.
// Routes are a table in web.c; their handlers are in ds.c, acs.c, challenge.c, phone.c, sms.c and
// control.c.
#pragma once

#include "bank.h"
#include "page.h"

#include "base/buffer.h"
#include "serve/serve.h"
#include "serve/static.h"

#include <jansson.h>

struct acs;
struct ds;
struct outgoing;
struct phone;

struct bank_web {
	struct bank *bank;
	struct serve *serve;
	struct serve_static *pages;
	struct buffer tokens; // tokens.css
	struct outgoing *outgoing;
	struct ds *ds;
	struct acs *acs;
	struct phone *phone;
	char origin[128]; // "http://bank.localhost:8084"
	char host[100];   // "bank.localhost"
};

typedef void web_handler(struct bank_web *web, struct serve_request *request, struct bytes rest);

// What comes after the route's path, without the slash, is `rest`.
web_handler ds_handle;
web_handler acs_handle_method;
web_handler challenge_handle_creq;
web_handler challenge_handle_page;
web_handler challenge_handle_state;
web_handler challenge_handle_answer;
web_handler sms_handle;
web_handler phone_handle_page;
web_handler phone_handle_messages;
web_handler phone_handle_requests;
web_handler phone_handle_decision;
web_handler phone_handle_account;
web_handler control_handle_page;
web_handler control_handle_cards;
web_handler control_handle_change;
web_handler control_handle_ledger;
web_handler control_handle_settlement;
web_handler control_handle_line;
web_handler control_handle_trouble;
web_handler control_handle_clock;

// A random UUID, version 4.
void web_uuid(char ret_uuid[static 37]);

// Answers. web_message() is for 3-D Secure messages; web_json() takes the object over.
void web_message(struct serve_request *request, const json_t *message);
void web_json(struct serve_request *request, int status, json_t *body);
void web_text_error(struct serve_request *request, int status, const char *text);
void web_redirect(struct serve_request *request, const char *location);
// A page made from a template; `forms` names the origins beside our own that its forms may go to,
// separated by spaces (NULL: none).
void web_page(struct bank_web *web, struct serve_request *request, int status, const char *template,
              bool russian, const struct page_value *values, size_t count, const char *forms);

// The body of a request as one object of texts, whether it came as a form or as JSON; NULL when it
// is neither.
json_t *web_body(const struct serve_request *request);

// True when Accept-Language wants Russian before English.
bool web_wants_russian(const struct serve_request *request);
