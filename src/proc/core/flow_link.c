// Linking a card: guards, opening by vault, the first question to the bank, and the one commit that
// saves the card. The rules are in lib/domain/link.c.
#include "core/money.h"
#include "core/subject.h"
#include "core/guards.h"

#include "base/cleanup.h"
#include "api/id.h"

#include "base/check.h"
#include "base/text.h"
#include "core/checkout.h"
#include "core/event.h"
#include "crypto/mac.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPENING_MS = 10000, JWE_MAX = 4096 };

void opening_free(struct opening *opening)
{
	if (!opening)
		return;
	free(opening->browser);
	free(opening->card_details);
	free(opening);
}

static void refuse(struct core *core, flow_done *done, void *owner, const struct flow_outcome *why)
{
	if (done)
		flows_tell(core, done, owner, why);
}

// Who has tried too often tells nothing new about the intent: what its last attempt said stays.
static bool is_about_the_card(int problem)
{
	return problem != PROBLEM_TOO_MANY_TRIES && problem != PROBLEM_TOO_MANY_CARDS;
}

static int link_flags(const struct link_subject *subject)
{
	return (subject->payment ? ATTEMPT_FOR_PAYMENT : 0) |
	       (subject->kept ? 0 : ATTEMPT_CARD_ONCE) |
	       (subject->unasked ? ATTEMPT_BY_MERCHANT : 0);
}

// A refusal before anything was asked is still an attempt with a story and a code. `card` is 0 when
// it was not opened. `outcome` gets attempt and problem.
static void refused_attempt(struct core *core, struct link_subject *subject, int problem,
                            int64_t card, const char *address, struct flow_outcome *outcome)
{
	struct attempt row = { .id = core_next_id(core),
		               .merchant = subject->merchant,
		               .kind = ATTEMPT_LINK,
		               .intent = subject->id,
		               .customer = subject->customer,
		               .card = card,
		               .state = ATTEMPT_OVER,
		               .problem = problem,
		               .flags = link_flags(subject) };

	store_insert(core->store, STORE_ATTEMPTS, &row);
	flows_step(core, row.id, "refused before the bank was asked: %s",
	           problem_row(problem)->name);
	flows_make_code(core, row.id);
	guards_note(core, &row, address,
	            problem_row(problem)->flags & PROBLEM_COUNTS ? TRIAL_WRONG : TRIAL_OTHER);
	metric_add(METRIC_LINKS_FAILED, 1);
	outcome->end = FLOW_REFUSED;
	outcome->problem = problem;
	outcome->attempt = row.id;
	if (!subject->id || !subject_may_link(subject) || !is_about_the_card(problem))
		return;
	subject->attempt = row.id;
	if (subject->payment) { // whatever it was to be paid with before
		subject->card = 0;
		subject->status = INTENT_REQUIRES_PAYMENT_METHOD;
	}
	subject_save(core, subject);
}

bool link_is_opening(const struct core *core, int64_t intent)
{
	const struct map *openings = &core->flows->openings;

	for (size_t i = 0; i < openings->capacity; i++) {
		const struct opening *opening = openings->slots[i].value;
		if (opening && opening->intent == intent)
			return true;
	}
	return false;
}

static bool customer_is_opening(const struct core *core, int64_t customer)
{
	const struct map *openings = &core->flows->openings;

	for (size_t i = 0; customer && i < openings->capacity; i++) {
		const struct opening *opening = openings->slots[i].value;
		if (opening && opening->customer == customer)
			return true;
	}
	return false;
}

static bool is_busy(struct core *core, const struct link_subject *subject)
{
	struct attempt live;

	if (subject->attempt && store_load(core->store, STORE_ATTEMPTS, subject->attempt, &live) &&
	    !flow_is_over(live.state))
		return true;
	if (link_is_opening(core, subject->id) || customer_is_opening(core, subject->customer))
		return true;
	return flows_is_linking(core, subject->customer);
}

// The browser encrypted the card for this very intent: vault compares.
static void send_to_vault(struct core *core, const struct opening *opening, enum api_id_kind kind,
                          struct bytes jwe)
{
	char intent[API_ID_CAPACITY];

	api_id_make(core->id_key, kind, opening->intent, intent);
	core_tell_vault(core, WIRE_OPEN_CARD,
	                (const struct wire_value[WIRE_FIELDS_OF_OPEN_CARD]){
	                        [WIRE_OPEN_CARD_ID] = WIRE_N(opening->id),
	                        [WIRE_OPEN_CARD_MERCHANT] = WIRE_N(opening->merchant),
	                        [WIRE_OPEN_CARD_INTENT] = WIRE_B(bytes_text(intent)),
	                        [WIRE_OPEN_CARD_NOW_MS] = WIRE_N(core->now_ms),
	                        [WIRE_OPEN_CARD_JWE] = WIRE_B(jwe) });
}

static void take_session_currency(struct core *core, const struct link_subject *subject,
                                  struct opening *opening)
{
	struct session session cleanup(session_done) = { 0 };

	if (!subject->session ||
	    !store_load(core->store, STORE_SESSIONS, subject->session, &session))
		return;
	json_t *details = json_loads(session.details, 0, NULL);
	const char *said = json_string_value(json_object_get(details, "currency"));
	bytes_copy_text(bytes_text(said), opening->currency, sizeof(opening->currency));
	json_decref(details);
}

// What will be paid with the card, when the merchant has said so.
static void take_currency(struct core *core, const struct link_subject *subject,
                          struct opening *opening)
{
	if (subject->payment)
		memcpy(opening->currency, subject->currency, sizeof(opening->currency));
	else
		take_session_currency(core, subject, opening);
	for (char *letter = opening->currency; *letter; letter++)
		*letter = (char)tolower((unsigned char)*letter);
	if (strcmp(bank_currency(opening->currency), "000") == 0)
		opening->currency[0] = '\0';
}

// A verification is for zero, but in some currency: the payment's or the session's, else the first
// that the connection is for, else the operator's.
static void choose_currency(struct core *core, const struct opening *opening, struct attempt *row)
{
	const struct connection_policy policy = connections_policy_of(core, row->connection);
	char first[4];

	if (opening->currency[0])
		memcpy(row->currency, opening->currency, sizeof(row->currency));
	else if (sscanf(policy.currencies, " %3s", first) == 1)
		memcpy(row->currency, first, sizeof(first));
	else
		bytes_copy_text(bytes_text(core->config.link_currency), row->currency,
		                sizeof(row->currency));
}

static void open_card(struct core *core, const struct link_subject *subject,
                      const struct flow_link_start *start, flow_done *done, void *owner)
{
	struct opening *opening = calloc(1, sizeof(*opening));

	CHECK(opening);
	*opening = (struct opening){
		.id = core_next_id(core),
		.payment = subject->payment,
		.intent = subject->id,
		.merchant = subject->merchant,
		.customer = subject->customer,
		.browser = start->browser ? strdup(start->browser) : NULL,
		.card_details = start->card_details ? strdup(start->card_details) : NULL,
		.waiter = { .done = done, .owner = owner },
	};
	bytes_copy_text(bytes_text(start->address), opening->address, sizeof(opening->address));
	bytes_copy_text(start->window, opening->window, sizeof(opening->window));
	take_currency(core, subject, opening);
	map_put(&core->flows->openings, opening->id, opening);
	due_add(&core->flows->due, core->now_ms + OPENING_MS, DUE_OPENING, opening->id);
	send_to_vault(core, opening, subject_id_kind(subject), start->jwe);
	core->flows->last_trial_ms = core->now_ms;
	metric_add(METRIC_LINKS_STARTED, 1);
}

static void link_token_card(struct core *core, struct link_subject *subject,
                            const struct flow_link_start *start, flow_done *done, void *owner);

void flow_link(struct core *core, const struct flow_link_start *start, flow_done *done, void *owner)
{
	struct link_subject subject;
	struct flow_outcome outcome = { .end = FLOW_REFUSED, .problem = PROBLEM_OUR_FAULT };

	if (!subject_load(core, start->payment, start->intent, &subject)) {
		refuse(core, done, owner, &outcome);
		return;
	}
	if (is_busy(core, &subject)) {
		outcome = (struct flow_outcome){ .end = FLOW_BUSY, .problem = PROBLEM_RUNNING };
		refuse(core, done, owner, &outcome);
		return;
	}
	if (start->card) {
		link_token_card(core, &subject, start, done, owner);
		return;
	}
	struct guard_verdict verdict =
	        start->verdict ? *start->verdict
	                       : guards_before(core, subject.customer, start->address);
	if (verdict.proof_bits && start->unproven) {
		outcome.problem = PROBLEM_PROOF_WANTED;
		outcome.proof_bits = verdict.proof_bits;
		refuse(core, done, owner, &outcome);
		return;
	}
	int problem = verdict.problem               ? verdict.problem
	              : start->jwe.length > JWE_MAX ? PROBLEM_UNREADABLE
	                                            : 0;
	if (problem == 0) {
		open_card(core, &subject, start, done, owner);
		return;
	}
	outcome.again_ms = verdict.again_ms;
	refused_attempt(core, &subject, problem, 0, start->address, &outcome);
	refuse(core, done, owner, &outcome);
}

void link_opening_over(struct core *core, struct opening *opening, int problem)
{
	struct link_subject subject;
	struct flow_outcome outcome = { .end = FLOW_REFUSED, .problem = problem };

	if (subject_load(core, opening->payment, opening->intent, &subject))
		refused_attempt(core, &subject, problem, 0, opening->address, &outcome);
	refuse(core, opening->waiter.done, opening->waiter.owner, &outcome);
	pages_changed(core, opening->intent);
	opening_free(opening);
}

void flow_cancel_link(struct core *core, int64_t intent, int64_t attempt)
{
	const struct map *openings = &core->flows->openings;

	flow_cancel(core, attempt);
	for (size_t i = 0; i < openings->capacity; i++) {
		struct opening *opening = openings->slots[i].value;
		if (opening && opening->intent == intent) {
			map_take(&core->flows->openings, opening->id);
			link_opening_over(core, opening, PROBLEM_CANCELLED);
			return; // an intent has one at most
		}
	}
}

// --- vault has opened the card

static const struct connection *pick(const struct core *core, const struct opening *opening,
                                     struct bytes text)
{
	char brand[16];

	bytes_copy_text(text, brand, sizeof(brand));
	return connections_pick(core, &(struct connection_facts){ .bank = true,
	                                                          .merchant = opening->merchant,
	                                                          .currency = opening->currency,
	                                                          .brand = brand });
}

// The first reason not to ask the bank; 0 when there is none.
static int reason_not_to_ask(struct core *core, const struct opening *opening,
                             const struct wire_value *f, int64_t *ret_again_ms)
{
	struct bytes problem = f[WIRE_CARD_OPENED_PROBLEM].bytes;

	if (problem.length)
		return (int)problem_of_opening(problem);
	if (store_run(core->store, STORE_CARD_USED, STORE_B(f[WIRE_CARD_OPENED_USED].bytes),
	              STORE_N(core->now_ms)) == 0)
		return PROBLEM_USED;
	struct guard_verdict verdict =
	        guards_card(core, opening->customer, f[WIRE_CARD_OPENED_FINGERPRINT].bytes);
	*ret_again_ms = verdict.again_ms;
	if (verdict.problem)
		return verdict.problem;
	return pick(core, opening, f[WIRE_CARD_OPENED_BRAND].bytes) ? 0 : PROBLEM_NO_CONNECTION;
}

static void start_attempt(struct core *core, const struct opening *opening, const struct card *card,
                          struct link_subject *subject)
{
	struct attempt row = { .id = core_next_id(core),
		               .merchant = opening->merchant,
		               .kind = ATTEMPT_LINK,
		               .intent = opening->intent,
		               .customer = opening->customer,
		               .card = card->id,
		               .connection = pick(core, opening, bytes_text(card->brand))->number,
		               .state = ATTEMPT_VERIFYING,
		               .deadline_ms =
		                       core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS,
		               .stan = flows_new_stan(core),
		               .sent_ms = core->now_ms,
		               .amount = subject->amount, // what the issuer is asked about
		               .flags = link_flags(subject) };

	choose_currency(core, opening, &row);
	store_insert(core->store, STORE_ATTEMPTS, &row);
	struct live *live = flows_add(core, &row);
	live->authentication.code = true;
	live->authentication.pageless = card->state & CARD_OF_TOKEN;
	if (opening->browser)
		authentication_take_browser(&live->authentication, opening->browser,
		                            bytes_text(opening->window));
	memcpy(live->authentication.address, opening->address, sizeof(opening->address));
	authentication_save(core, row.id, &live->authentication);
	subject->attempt = row.id;
	subject->card = card->id;
	subject->status = INTENT_PROCESSING;
	subject_save(core, subject);
	flows_step(core, row.id, "card opened: %s, ends in %s, %02d/%d; the bank is asked",
	           card->brand, card->last4, card->exp_month, card->exp_year);
	bank_verify(core, live);
	if (opening->waiter.done)
		flow_wait(core, row.id, opening->waiter.done, opening->waiter.owner);
}

// A token has no page that would tell of the shopper's browser: its own is a plain one.
#define TOKEN_BROWSER                                                                              \
	"{\"accept_header\":\"*/*\",\"user_agent\":\"test token\",\"javascript\":true,\"java\":"   \
	"false,\"language\":\"en\",\"color_depth\":24,\"screen_height\":800,\"screen_width\":360," \
	"\"time_zone\":0}"

// The card of a test token is not opened, it is there; and it is no number that somebody tries.
static void link_token_card(struct core *core, struct link_subject *subject,
                            const struct flow_link_start *start, flow_done *done, void *owner)
{
	struct card card cleanup(card_done) = { 0 };
	struct flow_outcome outcome = { .end = FLOW_REFUSED, .problem = PROBLEM_OUR_FAULT };
	char browser[] = TOKEN_BROWSER;
	struct opening opening = { .intent = subject->id,
		                   .merchant = subject->merchant,
		                   .customer = subject->customer,
		                   .browser = browser,
		                   .waiter = { .done = done, .owner = owner } };

	take_currency(core, subject, &opening);
	if (!store_load(core->store, STORE_CARDS, start->card, &card)) {
		refuse(core, done, owner, &outcome);
	} else if (!pick(core, &opening, bytes_text(card.brand))) {
		refused_attempt(core, subject, PROBLEM_NO_CONNECTION, card.id, "", &outcome);
		refuse(core, done, owner, &outcome);
	} else {
		metric_add(METRIC_LINKS_STARTED, 1);
		start_attempt(core, &opening, &card, subject);
	}
	pages_changed(core, subject->id);
}

bool link_elsewhere(struct core *core, struct live *live)
{
	const struct connection *next =
	        live->row.kind == ATTEMPT_LINK && live->row.state == ATTEMPT_VERIFYING
	                ? connections_after(core, &live->row)
	                : NULL;

	if (!next)
		return false;
	flows_step(core, live->row.id, "nothing was sent; the bank is asked over %s", next->name);
	live->row.connection = next->number;
	live->row.deadline_ms = core->now_ms + core->flows->policy.bank_ms + FLOW_GRACE_MS;
	bank_verify(core, live);
	store_update(core->store, STORE_ATTEMPTS, &live->row);
	authentication_save(core, live->row.id, &live->authentication);
	due_add(&core->flows->due, live->row.deadline_ms, DUE_ATTEMPT, live->row.id);
	return true;
}

static void forget_code(struct core *core, struct bytes handle)
{
	core_tell_vault(core, WIRE_FORGET_CODE,
	                (const struct wire_value[]){ [WIRE_FORGET_CODE_HANDLE] = WIRE_B(handle) });
}

// A customer who was removed in the meantime gets no card any more.
bool link_customer_is_here(struct core *core, int64_t id)
{
	struct customer customer cleanup(customer_done) = { 0 };

	return id == 0 || (store_load(core->store, STORE_CUSTOMERS, id, &customer) &&
	                   customer.removed_ms == 0);
}

// What a refused card leaves: brand and last digits for messages, its fingerprint for the guards.
// Nothing that the number could be had from.
static void wipe(struct card *card)
{
	explicit_bzero(card->sealed, sizeof(card->sealed));
	explicit_bzero(card->handle, sizeof(card->handle));
	card->sealed_length = 0;
}

static void refuse_opened(struct core *core, struct opening *opening, const struct wire_value *f,
                          struct link_subject *subject, struct flow_outcome *outcome)
{
	struct card card cleanup(card_done) = { 0 };

	if (f[WIRE_CARD_OPENED_PROBLEM].bytes.length == 0) {
		flow_card_of_vault(core, opening->merchant, opening->card_details, f, &card);
		wipe(&card);
		store_insert(core->store, STORE_CARDS, &card);
		forget_code(core, f[WIRE_CARD_OPENED_HANDLE].bytes);
	}
	refused_attempt(core, subject, outcome->problem, card.id, opening->address, outcome);
	refuse(core, opening->waiter.done, opening->waiter.owner, outcome);
}

void link_opened(struct core *core, const struct wire_message *message)
{
	const struct wire_value *f = message->fields;
	struct link_subject subject;
	struct card card cleanup(card_done) = { 0 };
	struct flow_outcome outcome = { 0 };
	struct opening *opening =
	        map_take(&core->flows->openings, (int64_t)f[WIRE_CARD_OPENED_ID].number);

	if (!opening) { // it took too long, or the shopper went back; who waited was told
		if (f[WIRE_CARD_OPENED_HANDLE].bytes.length)
			forget_code(core, f[WIRE_CARD_OPENED_HANDLE].bytes);
		return;
	}
	outcome.problem = PROBLEM_CANCELLED;
	if (subject_load(core, opening->payment, opening->intent, &subject) &&
	    subject_may_link(&subject) && link_customer_is_here(core, subject.customer))
		outcome.problem = reason_not_to_ask(core, opening, f, &outcome.again_ms);
	if (outcome.problem == 0) {
		flow_card_of_vault(core, opening->merchant, opening->card_details, f, &card);
		store_insert(core->store, STORE_CARDS, &card);
		start_attempt(core, opening, &card, &subject);
	} else {
		refuse_opened(core, opening, f, &subject, &outcome);
	}
	pages_changed(core, opening->intent);
	opening_free(opening);
}

// --- the end

// The same card of the same customer keeps its id and is refreshed.
static bool refresh(struct core *core, struct card *card)
{
	struct card old cleanup(card_done) = { 0 };
	int64_t same =
	        card->customer == 0
	                ? 0
	                : store_one_number(core->store, STORE_CARD_SAME, 0, STORE_N(card->customer),
	                                   STORE_B(BYTES_ARRAY(card->fingerprint)));

	if (same == 0 || !store_load(core->store, STORE_CARDS, same, &old))
		return false;
	store_run(core->store, STORE_CARD_DROP, STORE_N(card->id));
	card->id = old.id;
	free(card->details);
	card->details = take_ptr(old.details);
	store_update(core->store, STORE_CARDS, card);
	event_card(core, EVENT_PAYMENT_METHOD_UPDATED, card);
	return true;
}

static void make_default(struct core *core, const struct card *card)
{
	struct customer customer cleanup(customer_done) = { 0 };
	struct card old cleanup(card_done) = { 0 };

	if (!store_load(core->store, STORE_CUSTOMERS, card->customer, &customer))
		return;
	if (customer.default_card &&
	    store_load(core->store, STORE_CARDS, customer.default_card, &old) &&
	    old.removed_ms == 0)
		return;
	customer.default_card = card->id;
	store_update(core->store, STORE_CUSTOMERS, &customer);
	event_customer(core, EVENT_CUSTOMER_UPDATED, &customer);
}

static void complete_session(struct core *core, const struct setup_intent *intent)
{
	struct session session cleanup(session_done) = { 0 };

	if (!intent->session ||
	    !store_load(core->store, STORE_SESSIONS, intent->session, &session) ||
	    session.status != SESSION_OPEN)
		return;
	session.status = SESSION_COMPLETE;
	store_update(core->store, STORE_SESSIONS, &session);
	event_session(core, EVENT_CHECKOUT_SESSION_COMPLETED, &session);
}

// The order of the events is the merchants': the intent, the default card, the session.
static void complete_setup(struct core *core, const struct live *live, const struct card *card)
{
	struct setup_intent intent cleanup(setup_intent_done) = { 0 };

	if (!store_load(core->store, STORE_SETUP_INTENTS, live->row.intent, &intent))
		return;
	intent.card = card->id;
	intent.status = INTENT_SUCCEEDED;
	store_update(core->store, STORE_SETUP_INTENTS, &intent);
	event_setup_intent(core, EVENT_SETUP_INTENT_SUCCEEDED, &intent);
	if (card->customer)
		make_default(core, card);
	complete_session(core, &intent);
}

// Stores the card, for its customer or for nobody. True: the customer had it already.
static bool save_card(struct core *core, const struct live *live, struct card *card)
{
	bool attached = card->customer != 0;

	card->state |= CARD_PROVEN;
	card->cvc_check = live->authentication.cvc_check;
	memcpy(card->network_transaction_id, live->row.network_transaction_id,
	       sizeof(card->network_transaction_id));
	card->customer = live->row.customer;
	// Gone from its first day: its seal is kept as any removed card's, while money needs it.
	if (live->row.flags & ATTEMPT_CARD_ONCE)
		card->removed_ms = core->now_ms;
	if (!(card->state & CARD_OF_TOKEN) && refresh(core, card))
		return true;
	store_update(core->store, STORE_CARDS, card);
	if (card->customer && !attached)
		event_card(core, EVENT_PAYMENT_METHOD_ATTACHED, card);
	return false;
}

void link_saved(struct core *core, struct live *live)
{
	bool pays = live->row.flags & ATTEMPT_FOR_PAYMENT;
	struct card card cleanup(card_done) = { 0 };

	if (live->row.flags & ATTEMPT_ATTACH) {
		attach_saved(core, live);
		return;
	}
	if (!store_load(core->store, STORE_CARDS, live->row.card, &card))
		return;
	bool known = save_card(core, live, &card);
	live->row.card = card.id;
	if (!pays)
		complete_setup(core, live, &card);
	else if (card.customer)
		make_default(core, &card);
	guards_note(core, &live->row, live->authentication.address,
	            known ? TRIAL_LINKED_AGAIN : TRIAL_LINKED);
	flows_step(core, live->row.id,
	           pays    ? "the card is paid with"
	           : known ? "card refreshed"
	                   : "card saved");
	metric_add(METRIC_LINKS_DONE, 1);
	if (pays)
		payment_linked(core, live);
}

void link_failed(struct core *core, struct live *live)
{
	struct card card cleanup(card_done) = { 0 };

	metric_add(METRIC_LINKS_FAILED, 1);
	if (!store_load(core->store, STORE_CARDS, live->row.card, &card) || card.state != 0)
		return;
	wipe(&card);
	store_update(core->store, STORE_CARDS, &card);
}
