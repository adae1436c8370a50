// What a hosted page is about: whose token it is, and the rows behind it. pages.c and page_state.c.
#pragma once

#include "core/core.h"
#include "core/flow.h"
#include "domain/problem.h"

#include <jansson.h>

struct page {
	bool payment;           // something is paid: by a session, or by the PaymentIntent itself
	struct session session; // id 0: the token is an intent's client secret
	struct setup_intent setup; // unless `payment`
	struct payment_intent payment_intent;
	struct merchant merchant;
	struct attempt attempt;       // the latest, of a link or a payment; id 0: none yet
	int64_t intent;               // whose page it is: a SetupIntent, or a PaymentIntent
	char token[128], address[46]; // address: who asks
	enum problem_language language;
};

// Reads what TOKEN stands for. False: no such thing.
bool page_find(struct core *core, struct bytes token, struct page *ret_page);
// Reads it once more, for the same shopper.
bool page_find_again(struct core *core, struct page *page);
void page_done(struct page *page);
// The language that the shopper wants: the query's lang, the session's locale, Accept-Language.
enum problem_language page_language(const struct page *page, const struct request *request);

// The shopper may choose among cards on file now; a card may be linked here (or is being linked:
// the flow says that it is busy).
bool page_may_choose(struct core *core, const struct page *page);
bool page_may_link(const struct page *page);
// Who gets the card that is typed here; 0: nobody.
int64_t page_customer(const struct page *page);

// The state of docs/hosted-pages.md.
json_t *page_state(struct core *core, const struct page *page);
int64_t page_revision(struct core *core, const struct page *page);
// The error member: of an attempt that failed, or of a refusal.
json_t *page_error(struct core *core, const struct page *page, const struct flow_outcome *outcome);

// A customer's cards as pages show them, the default first. portal.c.
json_t *page_cards(struct core *core, int64_t customer);

// Answers of pages. `object` is given away.
void page_send_json(struct core *core, uint64_t serial, int status, json_t *object,
                    int retry_after_s);
void page_send(struct core *core, const struct request *request, int status, const char *page,
               const char *csp_origin, const char *ancestor);
void page_send_lost(struct core *core, const struct request *request);
// Posts come from our own pages only: another site's form has another Origin.
bool page_is_own_post(const struct core *core, const struct request *request);

// The payment-methods page, /p/…. portal.c.
void portal_request(struct core *core, const struct request *request);
