// The bank: it believes what it is told, so that a double message is a double booking unless the
// message says that it is a repeat. What the same wire number brought once it brings again.
#include "parts.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MAX = 200 };

struct advice_entry {
	struct bank_request request;
	char answer[ANSWER_MAX];
};

// A message and what was answered, for those that come twice.
struct seen {
	struct bank_request request;
	char answer[ANSWER_MAX];
};

static struct {
	struct bank_entry *entries;
	struct advice_entry *advices;
	struct seen *seen;
	struct wire_key *forbidden;
	size_t entry_count, advice_count, seen_count, forbidden_count;
	bool remembers; // a reversal of what never came forbids it
	int refuses;    // per mille of the advices, for good
	int approvals;
} ledger;

static void *grow(void *list, size_t count, size_t size)
{
	if (count & (count - 1))
		return list; // grows at powers of two
	list = realloc(list, (count ? count * 2 : 16) * size);
	CHECK(list);
	return list;
}

static bool same_key(const struct wire_key *a, const struct wire_key *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static struct bank_entry *find(const struct wire_key *key)
{
	for (size_t i = 0; i < ledger.entry_count; i++)
		if (same_key(&ledger.entries[i].request.key, key))
			return &ledger.entries[i];
	return NULL;
}

static bool is_forbidden(const struct wire_key *key)
{
	for (size_t i = 0; i < ledger.forbidden_count; i++)
		if (same_key(&ledger.forbidden[i], key))
			return true;
	return false;
}

// --- answers

static void decline(char answer[static ANSWER_MAX], const char *code, const char *more)
{
	snprintf(answer, ANSWER_MAX,
	         "\"outcome\":\"declined\",\"decline_code\":\"%s\",\"response_code\":\"05\"%s",
	         code, more);
}

static void approve(char answer[static ANSWER_MAX], const struct bank_request *request,
                    int64_t amount)
{
	snprintf(answer, ANSWER_MAX,
	         "\"outcome\":\"approved\",\"response_code\":\"00\",\"approval_code\":\"%06d\","
	         "\"network_transaction_id\":\"N%08d\",\"amount\":%lld,\"currency\":\"%s\","
	         "\"stan\":\"%s\",\"rrn\":\"%s\",\"cvc_check\":\"pass\"",
	         ledger.approvals, ledger.approvals, (long long)amount, request->currency,
	         request->key.stan, request->rrn);
}

static void authorize(const struct bank_request *request, char answer[static ANSWER_MAX])
{
	static const char *const codes[] = { "do_not_honor", "insufficient_funds", "stolen_card",
		                             "issuer_not_available" };
	int64_t kind = chance_below(100);

	ledger.entries = grow(ledger.entries, ledger.entry_count, sizeof(*ledger.entries));
	struct bank_entry *entry = &ledger.entries[ledger.entry_count++];
	*entry = (struct bank_entry){ .request = *request };
	if (is_forbidden(&request->key) || kind < 8) {
		decline(answer, codes[chance_below(4)], "");
		return;
	}
	if (kind < 14 && !request->authenticated) {
		decline(answer, "authentication_required", ",\"authentication_required\":true");
		return;
	}
	ledger.approvals++;
	entry->approved = true;
	entry->approved_amount = request->amount;
	if (kind == 14 && request->amount > 1)
		entry->approved_amount = request->amount / 2; // in part
	if (request->single)
		entry->captured = entry->approved_amount;
	approve(answer, request, entry->approved_amount);
}

// --- advices

static void reverse(struct bank_entry *entry, const struct bank_request *request,
                    char answer[static ANSWER_MAX])
{
	if (!entry && ledger.remembers) {
		ledger.forbidden =
		        grow(ledger.forbidden, ledger.forbidden_count, sizeof(*ledger.forbidden));
		ledger.forbidden[ledger.forbidden_count++] = request->original;
	} else if (!entry) {
		decline(answer, "processing_error", ",\"no_original\":true");
		return;
	}
	if (entry && entry->captured && !entry->request.single &&
	    entry->captured + request->amount > entry->approved_amount) {
		sim_fail("a reversal of %lld of what was taken (%s)", (long long)request->amount,
		         request->rrn);
		return;
	}
	// A part is given back, or all of it.
	if (entry && entry->approved && request->amount < request->original_amount)
		entry->released += request->amount;
	else if (entry && entry->approved)
		entry->reversed = true;
	if (entry && entry->reversed)
		entry->captured = 0; // single message
	approve(answer, request, request->amount);
}

static void capture(struct bank_entry *entry, const struct bank_request *request,
                    char answer[static ANSWER_MAX])
{
	if (!entry || !entry->approved || entry->reversed || entry->request.single) {
		sim_fail("a capture of what is not held (%s)", request->rrn);
		return;
	}
	entry->captured += request->amount;
	if (entry->captured > entry->approved_amount)
		sim_fail("%lld was approved, and %lld are taken (%s)",
		         (long long)entry->approved_amount, (long long)entry->captured,
		         request->rrn);
	approve(answer, request, request->amount);
}

static void refund(struct bank_entry *entry, const struct bank_request *request,
                   char answer[static ANSWER_MAX])
{
	if (!entry || !entry->approved || entry->reversed || chance_of(50)) {
		decline(answer, "do_not_honor", "");
		return;
	}
	entry->refunded += request->amount;
	if (entry->refunded > entry->captured)
		sim_fail("%lld was taken, and %lld are given back (%s)", (long long)entry->captured,
		         (long long)entry->refunded, request->rrn);
	approve(answer, request, request->amount);
}

// The message that this one repeats: the same number of the same payment, sent before.
static const struct advice_entry *repeated(const struct bank_request *request)
{
	if (request->operation == OP_REFUND && !sim.policy->refund_repeats)
		return NULL;
	for (size_t i = ledger.advice_count; i-- > 0;) { // the last is what became of it
		const struct bank_request *old = &ledger.advices[i].request;
		if (old->operation == request->operation &&
		    strcmp(old->key.stan, request->key.stan) == 0 &&
		    same_key(&old->original, &request->original))
			return &ledger.advices[i];
	}
	return NULL;
}

static bool answer_is(const char *answer, const char *outcome)
{
	return strstr(answer, outcome) != NULL;
}

static void advise(const struct bank_request *request, char answer[static ANSWER_MAX])
{
	const struct advice_entry *old = repeated(request);
	struct bank_entry *entry = find(&request->original);

	// What was not done is looked at anew: the original may have come since.
	if (old && answer_is(old->answer, "\"approved\"")) {
		memcpy(answer, old->answer, ANSWER_MAX);
		return;
	}
	if (fault_of(60) || fault_of(ledger.refuses)) {
		decline(answer,
		        chance_of(500) && ledger.refuses ? "transaction_not_allowed"
		                                         : "issuer_not_available",
		        "");
		return;
	}
	if (request->operation == OP_REVERSE)
		reverse(entry, request, answer);
	else if (request->operation == OP_CAPTURE)
		capture(entry, request, answer);
	else
		refund(entry, request, answer);
	ledger.advices = grow(ledger.advices, ledger.advice_count, sizeof(*ledger.advices));
	struct advice_entry *new = &ledger.advices[ledger.advice_count++];
	new->request = *request;
	memcpy(new->answer, answer, ANSWER_MAX);
}

// --- what came before

static struct seen *seen_before(const struct bank_request *request)
{
	for (size_t i = 0; i < ledger.seen_count; i++)
		if (same_key(&ledger.seen[i].request.key, &request->key))
			return &ledger.seen[i];
	return NULL;
}

// A repeat may come within the second of the first, on a clock that was set back: it is the same.
static bool same_message(const struct bank_request *a, const struct bank_request *b)
{
	return a->operation == b->operation && a->amount == b->amount &&
	       strcmp(a->rrn, b->rrn) == 0 && same_key(&a->original, &b->original) &&
	       (a->id == b->id || a->repeat || b->repeat);
}

const char *ledger_process(const struct bank_request *request)
{
	struct seen *seen = seen_before(request);

	if (seen && !same_message(&seen->request, request))
		sim_fail("the wire number %s/%s/%s was used for two messages (%s and %s)",
		         request->key.terminal, request->key.sent_at, request->key.stan,
		         seen->request.rrn, request->rrn);
	if (seen)
		return seen->answer[0] ? seen->answer : NULL;
	ledger.seen = grow(ledger.seen, ledger.seen_count, sizeof(*ledger.seen));
	seen = &ledger.seen[ledger.seen_count++];
	*seen = (struct seen){ .request = *request };
	bool done = chance_of(500); // before it hangs
	bool hangs = fault_of(sim.faults.bank_hangs);
	if (!hangs || done) {
		if (request->operation <= OP_AUTHORIZE)
			authorize(request, seen->answer);
		else
			advise(request, seen->answer);
	}
	TELL("bank: %s %s %lld of %s%s: %s%s",
	     (const char *[]){ "verify", "authorize", "capture", "reverse",
	                       "refund" }[request->operation],
	     request->key.stan, (long long)request->amount, request->rrn,
	     request->repeat ? " (repeat)" : "", hangs ? "hangs " : "", seen->answer);
	if (hangs)
		return NULL;
	return seen->answer;
}

size_t ledger_count(void)
{
	return ledger.entry_count;
}

const struct bank_entry *ledger_at(size_t index)
{
	return &ledger.entries[index];
}

bool ledger_has_done(enum operation operation, const char *stan, const struct wire_key *original)
{
	for (size_t i = 0; i < ledger.advice_count; i++) {
		const struct advice_entry *entry = &ledger.advices[i];
		if (entry->request.operation == operation &&
		    strcmp(entry->request.key.stan, stan) == 0 &&
		    same_key(&entry->request.original, original) &&
		    answer_is(entry->answer, "\"approved\""))
			return true;
	}
	return false;
}

bool ledger_refuses(void)
{
	return ledger.refuses > 0;
}

void ledger_begin(void)
{
	ledger.remembers = chance_of(500);
	ledger.refuses = chance_of(100) ? 50 : 0;
}

void ledger_end(void)
{
	free(ledger.entries);
	free(ledger.advices);
	free(ledger.seen);
	free(ledger.forbidden);
	memset(&ledger, 0, sizeof(ledger));
}
