// The control page's data: how cards behave, what goes wrong on the line, the clock, accounts and
// the ledger. Everything that the page does, a test can do with the same requests. JSON both ways.
#include "cards.h"
#include "host.h"
#include "ledger.h"
#include "settlement.h"
#include "web.h"

#include "http/form.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

enum { ENTRIES = 200, ACCOUNT_ENTRIES = 30, ACCOUNT_CARDS = 3, ACCOUNT_LOOK_BACK = 1000 };

#define FIRST_CARD "4000002500003155" // on the phone before any card was used

static const char *const states[] = {
	[BANK_REFUSED_ENTRY] = "refused", [BANK_VERIFIED] = "verified", [BANK_HELD] = "held",
	[BANK_CAPTURED] = "captured",     [BANK_REVERSED] = "reversed",
};

// ------------------------------------------------------------------ cards

static json_t *describe_behaviour(const struct bank_behaviour *behaviour)
{
	char cvc[2] = { behaviour->cvc_result, 0 };
	json_t *described = json_pack(
	        "{s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b,s:s,s:s,s:s}", "challenge",
	        bank_challenge_name(behaviour->challenge), "verify_code", behaviour->verify_code,
	        "payment_code", behaviour->payment_code, "advice_code", behaviour->advice_code,
	        "cvc_result", cvc, "verify_wants_proof", behaviour->verify_wants_proof,
	        "payment_wants_proof", behaviour->payment_wants_proof, "first_wants_proof",
	        behaviour->first_wants_proof, "verify_fault",
	        bank_fault_name(behaviour->verify_fault), "payment_fault",
	        bank_fault_name(behaviour->payment_fault), "advice_fault",
	        bank_fault_name(behaviour->advice_fault));

	CHECK(described);
	return described;
}

static json_t *describe_row(const struct bank_web *web, const struct bank_card_row *row)
{
	const struct bank_behaviour *behaviour = &row->behaviour;
	struct bank_card card;
	json_t *described;

	if (bank_cards_find(web->bank->cards, bytes_text(row->first), &card))
		behaviour = &card.behaviour;
	described = json_pack("{s:s,s:s,s:s,s:s,s:b,s:o}", "first", row->first, "last", row->last,
	                      "brand", row->brand, "note", row->note, "changed",
	                      memcmp(behaviour, &row->behaviour, sizeof(*behaviour)) != 0,
	                      "behaviour", describe_behaviour(behaviour));
	CHECK(described);
	return described;
}

void control_handle_cards(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	json_t *list = json_array();
	const struct bank_card_row *row;

	(void)rest;
	for (size_t i = 0; (row = bank_cards_row(i)); i++)
		json_array_append_new(list, describe_row(web, row));
	web_json(request, 200, list);
}

// Two characters of 1987, which the host says in its own edition, or digits of that edition, but
// none that would be an approval.
static bool read_code(const struct bank_web *web, const json_t *body, const char *name,
                      char code[static BANK_CODE])
{
	const char *text = json_string_value(json_object_get(body, name));

	if (!text)
		return !json_object_get(body, name);
	if (strlen(text) > 2 &&
	    (strlen(text) != bank_host_code_length(web->bank->host) ||
	     !text_is_digits(bytes_text(text)) || strspn(text, "0") == strlen(text)))
		return false;
	snprintf(code, BANK_CODE, "%s", text);
	return true;
}

static bool read_fault(const json_t *body, const char *name, enum bank_fault *fault)
{
	const char *text = json_string_value(json_object_get(body, name));

	return text ? bank_fault_read(bytes_text(text), fault) : !json_object_get(body, name);
}

static bool read_behaviour(const struct bank_web *web, const json_t *body,
                           struct bank_behaviour *behaviour)
{
	const char *challenge = json_string_value(json_object_get(body, "challenge"));
	const char *cvc = json_string_value(json_object_get(body, "cvc_result"));
	const json_t *proof = json_object_get(body, "verify_wants_proof");
	const json_t *payment_proof = json_object_get(body, "payment_wants_proof");
	const json_t *first_proof = json_object_get(body, "first_wants_proof");

	if (proof)
		behaviour->verify_wants_proof = json_is_true(proof);
	if (payment_proof)
		behaviour->payment_wants_proof = json_is_true(payment_proof);
	if (first_proof)
		behaviour->first_wants_proof = json_is_true(first_proof);
	if (cvc && strlen(cvc) <= 1)
		behaviour->cvc_result = *cvc;
	return (!challenge || bank_challenge_read(bytes_text(challenge), &behaviour->challenge)) &&
	       read_code(web, body, "verify_code", behaviour->verify_code) &&
	       read_code(web, body, "payment_code", behaviour->payment_code) &&
	       read_code(web, body, "advice_code", behaviour->advice_code) &&
	       read_fault(body, "verify_fault", &behaviour->verify_fault) &&
	       read_fault(body, "payment_fault", &behaviour->payment_fault) &&
	       read_fault(body, "advice_fault", &behaviour->advice_fault);
}

// {"number":"4242…","challenge":"sms",…}: members that are not there stay;
// {"number":…,"reset":true} gives the card its own behaviour again.
void control_handle_change(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(cleanup_json) json_t *body = web_body(request);
	struct bytes number = bytes_text(json_string_value(json_object_get(body, "number")));
	struct bank_card card;

	(void)rest;
	if (!number.length || !bank_cards_find(web->bank->cards, number, &card)) {
		web_text_error(request, 404, "there is no such card\n");
		return;
	}
	if (json_is_true(json_object_get(body, "reset"))) {
		bank_cards_change(web->bank->cards, number, NULL);
	} else if (!read_behaviour(web, body, &card.behaviour)) {
		web_text_error(request, 400, "a value is not known\n");
		return;
	} else {
		bank_cards_change(web->bank->cards, number, &card.behaviour);
	}
	bank_cards_find(web->bank->cards, number, &card);
	web_json(request, 200, describe_behaviour(&card.behaviour));
}

// ------------------------------------------------------------------ the line

#define PERCENT(member)                                                                            \
	{                                                                                          \
#member, offsetof(struct host_trouble, member), 100                                \
	}

static const struct {
	const char *name;
	size_t place;
	int max;
} troubles[] = {
	PERCENT(lose_requests_percent),
	PERCENT(lose_answers_percent),
	PERCENT(delay_percent),
	PERCENT(repeat_percent),
	{ "delay_ms", offsetof(struct host_trouble, delay_ms), 3600000 },
	{ "next_count", offsetof(struct host_trouble, next_count), 1000000 },
	{ "late_ms", offsetof(struct host_trouble, late_ms), 3600000 },
};

static json_t *describe_line(const struct bank_web *web)
{
	const struct host_trouble *trouble = bank_host_trouble(web->bank->host);
	json_t *described =
	        json_pack("{s:s,s:s,s:b,s:b,s:I,s:I}", "next_fault",
	                  bank_fault_name(trouble->next_fault), "next_code", trouble->next_code,
	                  "deaf", trouble->deaf, "keeps_rest", web->bank->keeps_rest, "connections",
	                  (json_int_t)bank_host_connections(web->bank->host), "port",
	                  (json_int_t)web->bank->iso_port);

	CHECK(described);
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		const int *value = (const void *)((const char *)trouble + troubles[i].place);

		json_object_set_new(described, troubles[i].name, json_integer(*value));
	}
	return described;
}

void control_handle_line(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)rest;
	web_json(request, 200, describe_line(web));
}

static bool read_trouble(const struct bank_web *web, const json_t *body,
                         struct host_trouble *trouble)
{
	const json_t *deaf = json_object_get(body, "deaf");

	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		const json_t *value = json_object_get(body, troubles[i].name);
		int *place = (void *)((char *)trouble + troubles[i].place);

		if (!value)
			continue;
		if (!json_is_integer(value) || json_integer_value(value) < 0 ||
		    json_integer_value(value) > troubles[i].max)
			return false;
		*place = (int)json_integer_value(value);
	}
	if (deaf)
		trouble->deaf = json_is_true(deaf);
	return read_fault(body, "next_fault", &trouble->next_fault) &&
	       read_code(web, body, "next_code", trouble->next_code);
}

// What the bank says on its own: {"say":"201"} is the cut-over, which closes the settlement.
static void say(struct bank_web *web, const char *code)
{
	if (!code || strlen(code) != 3 || !text_is_digits(bytes_text(code)))
		return;
	bank_host_say(web->bank->host, code);
	struct result result =
	        strcmp(code, "201") == 0 ? settlement_save(web->bank->ledger) : RESULT_OK;
	if (!result_ok(result))
		log_event(LOG_ERROR, "no_settlement_file", LOG_RESULT(result));
}

// {"lose_answers_percent":10,…}: members that are not there stay; {"hang_up":true} closes all.
void control_handle_trouble(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(cleanup_json) json_t *body = web_body(request);
	struct host_trouble *trouble = bank_host_trouble(web->bank->host);
	struct host_trouble next = *trouble;

	(void)rest;
	if (!body || !read_trouble(web, body, &next)) {
		web_text_error(request, 400, "a value is not known\n");
		return;
	}
	*trouble = next;
	if (json_object_get(body, "keeps_rest"))
		web->bank->keeps_rest = json_is_true(json_object_get(body, "keeps_rest"));
	say(web, json_string_value(json_object_get(body, "say")));
	if (json_is_true(json_object_get(body, "hang_up")))
		bank_host_hang_up(web->bank->host);
	web_json(request, 200, describe_line(web));
}

// {"ahead_ms":600000}: the bank's clock runs ahead by so much, for timers that nobody waits for.
void control_handle_clock(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	cleanup(cleanup_json) json_t *body = web_body(request);
	json_t *ahead = json_object_get(body, "ahead_ms");

	(void)rest;
	if (!json_is_integer(ahead) || json_integer_value(ahead) < web->bank->clock_ahead_ms) {
		web_text_error(request, 400, "the clock goes forwards only\n");
		return;
	}
	web->bank->clock_ahead_ms = json_integer_value(ahead);
	web_json(request, 200, json_pack("{s:I}", "now", (json_int_t)bank_now_ms(web->bank)));
}

// ------------------------------------------------------------------ books

static json_t *describe_entry(const struct bank_entry *entry)
{
	json_t *described = json_pack(
	        "{s:s,s:s,s:s,s:I,s:I,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:I}", "number",
	        entry->number, "state", states[entry->state], "currency", entry->currency, "amount",
	        (json_int_t)entry->amount_minor, "captured", (json_int_t)entry->captured_minor,
	        "reversed", (json_int_t)entry->reversed_minor, "held",
	        (json_int_t)entry->held_minor, "refunded", (json_int_t)entry->refunded_minor,
	        "code", entry->code, "rrn", entry->rrn, "terminal", entry->terminal, "merchant",
	        entry->merchant, "approval_code", entry->approval_code, "transaction",
	        entry->transaction, "at", (json_int_t)entry->at_ms);

	CHECK(described);
	return described;
}

static uint64_t asked_for(const struct serve_request *request, const char *name, uint64_t fallback)
{
	cleanup(http_form_done) struct http_form form = { 0 };
	struct bytes value;
	uint64_t number;

	if (!result_ok(http_form_read(request->http->query, &form)))
		return fallback;
	value = http_form_get(&form, name);
	return value.data && text_to_number(value, INT64_MAX, &number) ? number : fallback;
}

// The totals, and the newest entries, oldest of them first; ?last=N for another count.
void control_handle_ledger(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	struct bank_ledger *ledger = web->bank->ledger;
	struct bank_totals totals = ledger_totals(ledger);
	uint64_t last = asked_for(request, "last", ENTRIES);
	size_t count = ledger_count(ledger);
	json_t *entries = json_array();

	(void)rest;
	for (size_t i = count > last ? count - (size_t)last : 0; i < count; i++)
		json_array_append_new(entries, describe_entry(ledger_at(ledger, i)));
	web_json(request, 200,
	         json_pack("{s:I,s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I},s:o}", "count",
	                   (json_int_t)count, "totals", "verifications",
	                   (json_int_t)totals.verifications, "approvals",
	                   (json_int_t)totals.approvals, "refusals", (json_int_t)totals.refusals,
	                   "captures", (json_int_t)totals.captures, "reversals",
	                   (json_int_t)totals.reversals, "unknown_reversals",
	                   (json_int_t)totals.unknown_reversals, "held",
	                   (json_int_t)totals.held_minor, "captured",
	                   (json_int_t)totals.captured_minor, "reversed",
	                   (json_int_t)totals.reversed_minor, "refunds", (json_int_t)totals.refunds,
	                   "refunded", (json_int_t)totals.refunded_minor, "entries", entries));
}

// The settlement file as of now, also written beside the ledger's; ?date=2026-11-27 for one day.
void control_handle_settlement(struct bank_web *web, struct serve_request *request,
                               struct bytes rest)
{
	const struct http_pair pairs[] = { HTTP_PAIR("Cache-Control", "no-store") };
	struct serve_reply reply = {
		.status = 200, .type = "text/csv; charset=utf-8", .pairs = pairs, .pair_count = 1
	};
	cleanup(http_form_done) struct http_form form = { 0 };
	cleanup(cleanup_free) char *text = NULL;
	char date[16] = "";
	size_t length;
	FILE *file = open_memstream(&text, &length);

	(void)rest;
	CHECK(file);
	bool one_day = result_ok(http_form_read(request->http->query, &form)) &&
	               bytes_copy_text(http_form_get(&form, "date"), date, sizeof date) && date[0];
	settlement_print(web->bank->ledger, one_day ? date : NULL, file);
	CHECK(fclose(file) == 0);
	struct result result = settlement_save(web->bank->ledger);
	if (!result_ok(result))
		log_event(LOG_ERROR, "no_settlement_file", LOG_RESULT(result));
	reply.body = bytes_from(text, length);
	serve_reply(request, &reply);
}

// ------------------------------------------------------------------ the phone's account

static void put_card(const struct bank_web *web, json_t *cards, const char *number,
                     const char *currency)
{
	struct bank_account *account;
	struct bank_card card;
	size_t index;
	json_t *known;

	json_array_foreach(cards, index, known)
	{
		const char *text = json_string_value(json_object_get(known, "number"));

		if (text && strcmp(text, number) == 0)
			return;
	}
	if (index >= ACCOUNT_CARDS || !bank_cards_find(web->bank->cards, bytes_text(number), &card))
		return;
	account = ledger_account(web->bank->ledger, number);
	json_array_append_new(cards,
	                      json_pack("{s:s,s:s,s:s,s:s,s:I,s:I}", "number", number, "brand",
	                                card.row->brand, "cvc", card.cvc, "currency", currency,
	                                "balance", (json_int_t)account->balance_minor, "held",
	                                (json_int_t)account->held_minor));
}

static json_t *describe_operation(const struct bank_entry *entry)
{
	size_t length = strlen(entry->number);
	bool captured = entry->state == BANK_CAPTURED;

	return json_pack("{s:s,s:s,s:s,s:I,s:s,s:I}", "state", states[entry->state], "merchant",
	                 entry->merchant, "last4", entry->number + (length > 4 ? length - 4 : 0),
	                 "amount",
	                 (json_int_t)(captured ? entry->captured_minor : entry->amount_minor),
	                 "currency", entry->currency, "at", (json_int_t)entry->at_ms);
}

// The cards that were used last, and what was done with them, newest first.
void phone_handle_account(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	const struct bank_ledger *ledger = web->bank->ledger;
	json_t *cards = json_array();
	json_t *operations = json_array();
	size_t count = ledger_count(ledger);

	(void)rest;
	for (size_t i = count; i-- > 0 && count - i <= ACCOUNT_LOOK_BACK;) {
		const struct bank_entry *entry = ledger_at(ledger, i);

		put_card(web, cards, entry->number, entry->currency);
		if (json_array_size(operations) < ACCOUNT_ENTRIES)
			json_array_append_new(operations, describe_operation(entry));
	}
	if (json_array_size(cards) == 0)
		put_card(web, cards, FIRST_CARD, "643");
	web_json(request, 200, json_pack("{s:o,s:o}", "cards", cards, "operations", operations));
}

void control_handle_page(struct bank_web *web, struct serve_request *request, struct bytes rest)
{
	(void)rest;
	web_page(web, request, 200, "control.html", web_wants_russian(request), NULL, 0, NULL);
}
