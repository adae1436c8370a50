// What the files of the API share: a call from its arrival to its answer, the table of routes, the
// view that objects are rendered through. Only api_*.c, event.c and idempotency.c look in here.
#pragma once

#include "api/render.h"
#include "base/cleanup.h"
#include "core/api_params.h"
#include "core/core.h"
#include "core/flow.h"
#include "store/lists.h"

enum { API_REPLY_MAX = 1024 * 1024, API_PATH_IDS = 2, API_WAITERS_MAX = 32 };

struct api_call;

enum api_route_flag {
	API_SHOPPER = 1, // a publishable key may call it, with the client secret of what it names
	API_OPEN = 2,    // a publishable key may call it
	API_LIST = 4,
	API_CUSTOMER_OPEN = 8, // the same with the secret of a customer session
	API_SECRET_ONCE = 64,  // shows a secret that is not kept: the handler fills `kept` in
};

enum { API_FOR_BROWSERS = API_SHOPPER | API_OPEN | API_CUSTOMER_OPEN };
struct api_route {
	const char *method;
	const char *path; // ":id" stands for an id or a word
	int flags;
	enum api_object object; // what is answered: for expand
	enum api_object named;  // what the first ":id" is
	void (*handle)(struct api_call *call);
	const struct api_param *params; // or NULL
	const char *summary;            // one sentence, for the description
};
extern const struct api_route api_routes[]; // ends with a row without method

// One request. Lives until it is answered.
struct api_call {
	struct api_call *next;
	struct core *core;
	uint64_t serials[API_WAITERS_MAX]; // the first, and those with its key that wait for it
	size_t waiting;
	char request_id[40];
	char version[64];
	const struct request *request; // only while the handler runs
	const struct api_route *route;
	int64_t merchant;
	int64_t key_id; // the row of the key that it came with
	struct merchant owner;
	bool shopper;     // came with a publishable key
	char filters[40]; // values of allow_redisplay, of the cards that may be shown; "": all
	bool limited;     // refused: the rate of its key is used up
	struct limits_state limit;
	struct bytes words[API_PATH_IDS]; // of the path; only while the handler runs
	int64_t id;                       // the row that the path names
	struct http_form form;
	struct api_params params;
	struct api_expand expand;
	struct api_view view;
	bool parked; // will be answered later
	bool asking; // vault is asked for the card of a test token; the handler then runs again
	bool answered;
	bool replayed; // the answer is one that was given before
	char *kept;    // API_SECRET_ONCE: that answer, of a request that came before; the handler's
	struct api_token *token;               // NULL: none was named
	bool keyed, claimed, resumed, created; // and what follows: see idempotency.h
	uint8_t key[STORE_IDEMPOTENCY_BYTES], fingerprint[STORE_IDEMPOTENCY_BYTES];
	int64_t claimed_ms, intent; // intent: what the call is about
	enum problem_deed deed;
};

struct api {
	struct api_call *parked, *asking;
	const struct request *request; // that is being handled
	struct limits *limits;
	struct keys *keys;
	struct api_ids ids;
	int64_t next_sweep_ms, next_replays_ms, swept; // swept: the last old reply that was seen
};

// --- api_call.c
// The view of one merchant's objects. `ret_owner` must live as long as the view.
void api_view_of(struct core *core, int64_t merchant, struct merchant *ret_owner,
                 struct api_view *ret_view);
// Answers. The first three begin no work: what they say is not kept for a repeated request.
void api_refuse(struct api_call *call, const struct api_error *error);
void api_refuse_with(struct api_call *call, const struct api_error *error, enum api_object kind,
                     const void *object);
void api_refuse_trouble(struct api_call *call, const struct api_trouble *trouble);
void api_answer(struct api_call *call, enum api_object kind, const void *object);
void api_answer_text(struct api_call *call, int status, struct bytes body);
// The end of a call that was parked: the reply is kept with its key unless `forget`.
void api_end(struct api_call *call, int status, struct bytes body, bool forget);
// The handler will answer later: takes the call out of its turn and claims its key for `intent`.
void api_park(struct api_call *call, int64_t intent);
// Reads the id of another object of this merchant from a parameter (empty: 0). An id of somebody
// else's is as unknown as one that is made up. False: refused.
bool api_named(struct api_call *call, const char *param, enum api_object kind, int64_t *ret_id);
// The same for a caller that looks the object up with its merchant itself.
bool api_id_named(struct api_call *call, const char *param, enum api_object kind, int64_t *ret_id);
// Reads the object that the path names into `ret_object`. False: refused with 404.
bool api_find(struct api_call *call, void *ret_object);
enum store_table api_table(enum api_object kind);
// The lowest row key that was made at `ms` or later.
int64_t api_id_at(int64_t ms);

// --- api_routes.c
// What becomes of a call after its handler: it goes, or waits in one of the lists.
void api_settle(struct api_call *call);
void api_call_free(struct api_call *call);

// --- api_tokens.c: test tokens, wherever a payment method can be named
// Is it written like one? No id and no encrypted card is.
bool api_is_token(struct bytes text);
// Has a card made of it; the handler will be run again, so it must have written nothing and ends
// now. Returns false.
bool api_token_ask(struct api_call *call, const char *param, struct bytes text);
// The same when payment_method_data[card][token] is one; true when it is not.
bool api_data_token(struct api_call *call);
// The card that was made for this call; 0: none.
int64_t api_token_card(const struct api_call *call);
void api_token_free(struct api_token *token);

// --- api_typed.c: a card that a shopper typed and their browser encrypted
// The card that the request brings, or a test token; empty: none. False: refused, there are two.
bool api_typed_card(struct api_call *call, struct bytes *ret_jwe);
// A card may not be typed where no intent is there yet that it was encrypted for. False: refused.
bool api_may_not_be_typed(struct api_call *call, struct bytes jwe);
// What payment_method_data says of the card, as a card's details; NULL: nothing. To be freed.
char *api_card_details(struct api_call *call);
// Parks the call and starts the link of `start`'s card; fills in what the request says of shopper
// and card.
void api_link(struct api_call *call, struct flow_link_start start, flow_done *done);

// --- api_list.c
// Whether the row is one of this call's merchant.
bool api_owns(const struct api_call *call, enum api_object kind, int64_t id);
struct api_list {
	enum store_statement down, up;
	struct store_value a, b; // the two filters of the statement
	int64_t above, below;    // rows are looked for between these keys; 0: all
};
void api_answer_list(struct api_call *call, const struct api_list *list);
// The keys between which a list's rows are, from starting_after, ending_before and created.
struct api_range {
	int64_t low, high; // both exclusive
	bool up;
	size_t limit;
};
bool api_range_read(struct api_call *call, struct api_range *ret_range);
// Frames the elements (joined by commas) as a list.
void api_put_list(struct buffer *buffer, const struct api_call *call, struct bytes elements,
                  bool more);
// Answers with it, or refuses when it did not fit.
void api_answer_page(struct api_call *call, const struct buffer *body, bool failed);

// --- what the handlers share
// A customer that a parameter names, of this merchant and not deleted (empty: id 0). False:
// refused.
bool api_customer_of(struct api_call *call, struct customer *ret_customer);
json_t *api_details_read(const char *details);
char *api_details_text(json_t *details); // takes the reference
// The members of `before` that are not as in `after`, as they were: for previous_attributes. Empty
// when nothing changed.
void api_changes(struct buffer *buffer, json_t *before, json_t *after);
// The card that `payment_method` names, of this merchant and customer, fit to be charged. False:
// refused.
bool api_card_on_file(struct api_call *call, int64_t customer, struct card *ret_card);
// payment_method_types and allowed_payment_method_types contain card. False: refused.
bool api_types_fit(struct api_call *call);
// An ISO 4217 code that we know, in any case, as small letters. False: refused.
bool api_currency_fits(struct api_call *call, const char *param, struct bytes text,
                       char ret_letters[static 4]);
// Cancels a PaymentIntent that waits for its shopper; one that is under way or over is left alone.
void api_payment_abandon(struct core *core, int64_t id);
enum cancel_reason api_cancel_reason(struct api_call *call);
// An address that a shopper may be sent to: http(s), or an app's own scheme. False: refused.
bool api_url_fits(struct api_call *call, const char *param);

// The tables of what a route takes: its own, and those that all routes of its kind have.
// api_routes.c.
void api_param_tables(const struct api_route *route,
                      const struct api_param *ret_tables[static API_PARAMS_TABLES]);

// --- handlers: each answers, or parks its call
#define API_ROUTE(method, path, flags, object, named, handle, params, summary)                     \
	void handle(struct api_call *call);
#include "core/routes.def"
#undef API_ROUTE

// api_payment_intents.c: stores what a call says about an intent in it, and looks whether an open
// session owns it. False, or true for the second: refused.
bool api_payment_merge(struct api_call *call, struct payment_intent *intent);
bool api_payment_of_session(struct api_call *call, const struct payment_intent *intent);

// What a removed card or customer takes with it. api_cards.c.
void api_card_remove(struct core *core, struct card *card);
// Takes an open session's intent, or an intent, back. api_setup_intents.c.
void api_setup_take_back(struct core *core, struct setup_intent *intent, enum cancel_reason reason);
