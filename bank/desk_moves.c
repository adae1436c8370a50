// What moves money after an authorization: captures, reversals, refunds. Each is answered once; the
// same message again, or a repeat of it (digit 4 of the type is odd) with its RRN and STAN, is
// answered alike and moves nothing.
#include "desk_work.h"

#include <stdio.h>
#include <string.h>

// The key of the message that DE90 names: type 4, DE11 6, DE7 10, DE32 11, DE33 11.
static bool key_of_original(const struct work *work, char ret_key[static BANK_KEY])
{
	struct bytes original = iso8583_get(work->request, 90);

	if (original.length != 42)
		return false;
	desk_make_key((char)original.data[1], bytes_slice(original, 10, 10),
	              bytes_slice(original, 4, 6), desk_number(bytes_slice(original, 20, 11)),
	              iso8583_get_trimmed(work->request, 41), ret_key);
	return true;
}

// The entry that a message is about, if there is one and it is of this card.
static struct bank_entry *find_original(struct work *work, char ret_key[static BANK_KEY])
{
	if (!key_of_original(work, ret_key)) {
		ret_key[0] = 0;
		return NULL;
	}
	struct bank_entry *entry = ledger_find(work->bank->ledger, ret_key);
	return entry && bytes_equal_text(iso8583_get(work->request, 2), entry->number) ? entry
	                                                                               : NULL;
}

static bool is_repeat(const struct work *work)
{
	return (work->request->mti[3] - '0') % 2 == 1;
}

static struct bank_movement movement_of(const struct work *work)
{
	struct bank_movement movement = { .amount_minor = work->amount_minor,
		                          .at_ms = bank_now_ms(work->bank) };

	desk_copy(iso8583_get(work->request, 11), movement.stan, sizeof movement.stan);
	return movement;
}

static bool same_currency(const struct work *work, const struct bank_entry *entry)
{
	return bytes_equal_text(iso8583_get(work->request, 49), entry->currency);
}

void desk_capture_at_once(struct work *work, struct bank_entry *entry)
{
	struct bank_movement movement = movement_of(work);

	memcpy(movement.approval_code, entry->approval_code, sizeof movement.approval_code);
	ledger_capture(work->bank->ledger, entry, &movement, false);
}

static const char *capture(struct work *work, struct bank_answer *answer)
{
	char original[BANK_KEY];
	struct bank_entry *entry = find_original(work, original);
	struct bank_movement movement = movement_of(work);

	(void)answer;
	if (!entry)
		return "25";
	if (entry->state == BANK_CAPTURED)
		return is_repeat(work) && entry->captured_minor == work->amount_minor ? "00" : "94";
	if (entry->state != BANK_HELD || !same_currency(work, entry))
		return "12";
	if (work->amount_minor == 0 || work->amount_minor > entry->held_minor)
		return "13";
	memcpy(movement.approval_code, entry->approval_code, sizeof movement.approval_code);
	ledger_capture(work->bank->ledger, entry, &movement, work->bank->keeps_rest);
	return "00";
}

// What stays after a reversal in part: the first 12 digits of DE95; 0 when all is taken back.
static int64_t amount_that_stays(const struct work *work)
{
	struct bytes replacement = bytes_slice(iso8583_get(work->request, 95), 0, 12);

	for (size_t i = 0; i < replacement.length; i++)
		if (replacement.data[i] < '0' || replacement.data[i] > '9')
			return 0;
	return desk_number(replacement);
}

// After a capture only what is still held can be let go; a payment in one message (0200) that was
// not refunded can be taken back as well.
static const char *reverse_captured(struct work *work, struct bank_entry *entry,
                                    int64_t stays_minor)
{
	bool one_message = entry->key[0] == '2';

	if (stays_minor >= entry->captured_minor) {
		int64_t too_much_minor = entry->captured_minor + entry->held_minor - stays_minor;
		if (too_much_minor > 0)
			ledger_reverse(work->bank->ledger, entry, too_much_minor);
		return "00";
	}
	if (!one_message || entry->refunded_minor > 0)
		return "21";
	ledger_undo(work->bank->ledger, entry, entry->captured_minor - stays_minor);
	return "00";
}

static const char *reverse(struct work *work, struct bank_answer *answer)
{
	char original[BANK_KEY];
	struct bank_entry *entry = find_original(work, original);
	int64_t stays_minor = amount_that_stays(work);

	(void)answer;
	if (!original[0])
		return "30";
	if (!entry) {
		if (!ledger_find(work->bank->ledger, original))
			ledger_forbid(work->bank->ledger, original);
		return "25";
	}
	if (entry->state == BANK_CAPTURED)
		return reverse_captured(work, entry, stays_minor);
	// Otherwise nothing is held: refused, verified or taken back already.
	if (entry->state == BANK_HELD && stays_minor < entry->held_minor)
		ledger_reverse(work->bank->ledger, entry, entry->held_minor - stays_minor);
	return "00";
}

// Never more than what was captured and not given back yet.
static const char *refund(struct work *work, struct bank_answer *answer)
{
	char original[BANK_KEY];
	struct bank_entry *entry = find_original(work, original);
	struct bank_movement movement = movement_of(work);

	if (!entry)
		return "25";
	if (entry->state != BANK_CAPTURED || !same_currency(work, entry))
		return "12";
	if (work->amount_minor == 0 ||
	    work->amount_minor > entry->captured_minor - entry->refunded_minor)
		return "13";
	desk_make_approval(movement.at_ms, movement.approval_code);
	memcpy(answer->approval_code, movement.approval_code, sizeof answer->approval_code);
	ledger_refund(work->bank->ledger, entry, &movement);
	return "00";
}

// What a message and its repeats have in common: type but for its last digit, RRN, STAN, acquirer,
// terminal. DE7 is of each transmission.
static void make_repeat_key(const struct work *work, char ret_key[static BANK_KEY])
{
	struct bytes rrn = iso8583_get_trimmed(work->request, 37);
	struct bytes stan = iso8583_get(work->request, 11);
	struct bytes terminal = iso8583_get_trimmed(work->request, 41);

	snprintf(ret_key, BANK_KEY, "R%.3s.%.*s.%.*s.%011lld.%.*s", work->request->mti,
	         (int)rrn.length, (const char *)rrn.data, (int)stan.length, (const char *)stan.data,
	         (long long)desk_number(iso8583_get(work->request, 32)), (int)terminal.length,
	         (const char *)terminal.data);
}

static const struct bank_answer *known_answer(const struct work *work, const char *repeat_key)
{
	const struct bank_answer *known = ledger_answer(work->bank->ledger, work->key);

	return known || !is_repeat(work) ? known : ledger_answer(work->bank->ledger, repeat_key);
}

// The effect of a capture or a reversal tells a repeat of it by itself; only refunds have to be
// remembered by their repeat key. What was refused is looked at anew when it is repeated.
static void work_once(struct work *work, bool remember,
                      const char *(*act)(struct work *work, struct bank_answer *answer))
{
	struct bank_ledger *ledger = work->bank->ledger;
	struct bank_answer answer = { 0 };
	char repeat_key[BANK_KEY];

	const char *forced = work->force_code;
	if (bank_cards_find(work->bank->cards, iso8583_get(work->request, 2), &work->card)) {
		work->result->fault = work->card.behaviour.advice_fault;
		if (!forced[0] && strcmp(work->card.behaviour.advice_code, "00") != 0)
			forced = work->card.behaviour.advice_code;
	}
	make_repeat_key(work, repeat_key);
	const struct bank_answer *known = known_answer(work, repeat_key);
	if (known) {
		answer = *known;
	} else {
		const char *code = forced[0] ? forced : act(work, &answer);
		desk_copy(bytes_text(code), answer.code, sizeof answer.code);
		ledger_note_answer(ledger, work->key, &answer);
		if (remember && strcmp(code, "00") == 0)
			ledger_note_answer(ledger, repeat_key, &answer);
	}
	desk_set_text(work->answer, 38, answer.approval_code);
	desk_set_text(work->answer, 39, answer.code);
}

void desk_work_capture(struct work *work)
{
	work_once(work, false, capture);
}

void desk_work_reversal(struct work *work)
{
	work_once(work, false, reverse);
}

void desk_work_refund(struct work *work)
{
	work_once(work, true, refund);
}
