// Decisions, one function for each kind of message. Response codes are those of docs/iso8583.md.
// A duplicate (same type, DE7, DE11, DE32, DE41) gets the same answer and changes nothing.
#include "desk_work.h"

#include "base/check.h"
#include "iso8583/tagged.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

// The issuer's secret number: network transaction ids carry digits made from it and from the card,
// so that the bank knows its own ones after a restart.
#define ISSUER_SALT 0x6f6e66696c65u

int64_t desk_number(struct bytes digits)
{
	int64_t number = 0;

	for (size_t i = 0; i < digits.length; i++)
		number = number * 10 + (digits.data[i] - '0');
	return number;
}

void desk_copy(struct bytes from, char *to, size_t capacity)
{
	if (!bytes_copy_text(from, to, capacity))
		to[0] = 0;
}

void desk_make_key(char class, struct bytes sent_at, struct bytes stan, int64_t acquirer,
                   struct bytes terminal, char ret_key[static BANK_KEY])
{
	snprintf(ret_key, BANK_KEY, "%c.%.*s.%.*s.%011lld.%.*s", class, (int)sent_at.length,
	         (const char *)sent_at.data, (int)stan.length, (const char *)stan.data,
	         (long long)acquirer, (int)terminal.length, (const char *)terminal.data);
}

static void key_of_request(struct work *work)
{
	const struct iso8583_message *request = work->request;

	desk_make_key(request->mti[1], iso8583_get(request, 7), iso8583_get(request, 11),
	              desk_number(iso8583_get(request, 32)), iso8583_get_trimmed(request, 41),
	              work->key);
}

static uint64_t check_digits(const char *number, uint64_t serial)
{
	uint64_t hash = 0xcbf29ce484222325u ^ ISSUER_SALT;

	for (; *number; number++)
		hash = (hash ^ (uint8_t)*number) * 0x100000001b3u;
	for (; serial; serial /= 10)
		hash = (hash ^ (serial % 10 + 1)) * 0x100000001b3u;
	return (hash ^ hash >> 31) % 1000000;
}

// Nine digits that count up with the clock, six that belong to the card.
static void make_transaction(const char *number, int64_t now_ms, char ret_id[static 16])
{
	static uint64_t last;
	uint64_t serial = (uint64_t)now_ms % 1000000000;

	if (serial <= last && last - serial < 500000000)
		serial = (last + 1) % 1000000000;
	last = serial;
	snprintf(ret_id, 16, "%09llu%06llu", (unsigned long long)serial,
	         (unsigned long long)check_digits(number, serial));
}

static bool own_transaction(const char *number, struct bytes id)
{
	if (id.length != 15)
		return false;
	for (size_t i = 0; i < 15; i++)
		if (id.data[i] < '0' || id.data[i] > '9')
			return false;
	uint64_t serial = (uint64_t)desk_number(bytes_slice(id, 0, 9));
	return check_digits(number, serial) == (uint64_t)desk_number(bytes_slice(id, 9, 6));
}

void desk_set_text(struct iso8583_message *answer, int field, const char *text)
{
	uint8_t *to = answer->room + answer->room_used;
	size_t length = strlen(text);

	if (length == 0)
		return;
	CHECK(length <= sizeof answer->room - answer->room_used);
	memcpy(to, text, length);
	answer->room_used += length;
	iso8583_set(answer, field, bytes_from(to, length));
}

// The answer begins with what a request and its answer have in common.
static bool begin_answer(struct work *work)
{
	static const uint8_t echoed[] = { 2, 3, 4, 7, 11, 12, 13, 32, 37, 41, 42, 49, 70, 90 };
	char mti[4];

	if (!iso8583_answer_mti(work->request->mti, mti))
		return false;
	iso8583_begin(work->answer, mti);
	for (size_t i = 0; i < sizeof echoed; i++)
		if (iso8583_has(work->request, echoed[i]))
			iso8583_set(work->answer, echoed[i], iso8583_get(work->request, echoed[i]));
	return true;
}

static bool is_expired(struct bytes expiry, int64_t now_ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm utc;

	gmtime_r(&now, &utc);
	int64_t month = desk_number(bytes_slice(expiry, 2, 2));
	return expiry.length != 4 || month < 1 || month > 12 ||
	       desk_number(bytes_slice(expiry, 0, 2)) * 12 + month <
	               (utc.tm_year - 100) * 12 + utc.tm_mon + 1;
}

// M, N, or 0 when no code came.
static char check_code(const struct work *work)
{
	struct bytes code = iso8583_tagged_get(work->private_data, "20");

	if (code.length == 0)
		return 0;
	if (work->card.behaviour.cvc_result)
		return work->card.behaviour.cvc_result;
	return bytes_equal_text(code, work->card.cvc) ? 'M' : 'N';
}

static bool is_on_file(const struct work *work)
{
	return bytes_equal_text(bytes_slice(iso8583_get(work->request, 22), 0, 2), "10");
}

// Do the marks of stored credentials make sense? A card on file (DE22 10) comes with an id that we
// gave out for it and without a code; a merchant alone can only use a card on file.
static bool marks_make_sense(const struct work *work)
{
	bool on_file = is_on_file(work);
	bool says_stored = bytes_equal_text(iso8583_tagged_get(work->private_data, "02"), "S");
	bool merchant = bytes_equal_text(iso8583_tagged_get(work->private_data, "01"), "M");

	if (on_file != says_stored || (merchant && !on_file))
		return false;
	return !on_file ||
	       (own_transaction(work->card.number, iso8583_tagged_get(work->private_data, "03")) &&
	        iso8583_tagged_get(work->private_data, "20").length == 0);
}

// The proof of 3-D Secure: "" when there is none to complain about.
static const char *check_proof(const struct work *work, bool wanted)
{
	struct bytes value = iso8583_tagged_get(work->private_data, "12");

	if (value.length == 0)
		return wanted ? "1A" : "";
	return bank_authentication_fits(work->bank->authentications, bytes_text(work->card.number),
	                                value, bank_now_ms(work->bank))
	               ? ""
	               : "05";
}

static bool wants_proof(const struct work *work, bool verify)
{
	const struct bank_behaviour *behaviour = &work->card.behaviour;

	if (verify)
		return behaviour->verify_wants_proof;
	return behaviour->payment_wants_proof ||
	       (behaviour->first_wants_proof && !is_on_file(work));
}

static const char *check_money(const struct work *work)
{
	const struct bank_account *account = ledger_account(work->bank->ledger, work->card.number);

	if (work->amount_minor > account->limit_minor)
		return "61";
	if (work->amount_minor > account->balance_minor - account->held_minor)
		return "51";
	return "00";
}

static const char *decide(struct work *work, bool verify, char cvc_result)
{
	const struct bank_behaviour *behaviour = &work->card.behaviour;
	const char *code = verify ? behaviour->verify_code : behaviour->payment_code;

	if (work->force_code[0])
		return work->force_code;
	if (is_expired(iso8583_get(work->request, 14), bank_now_ms(work->bank)))
		return "54";
	if (verify != (work->amount_minor == 0))
		return "13";
	if (!marks_make_sense(work))
		return "05";
	if (cvc_result == 'N' && !behaviour->cvc_result)
		return "N7";
	const char *proof = check_proof(work, wants_proof(work, verify));
	if (proof[0])
		return proof;
	if (strcmp(code, "00") != 0)
		return code;
	return verify ? "00" : check_money(work);
}

// Puts what the entry says into the answer, now or when the message is repeated.
static void answer_from(struct work *work, const struct bank_entry *entry)
{
	uint8_t private_data[64];
	size_t length = 0;

	desk_set_text(work->answer, 39, entry->code);
	desk_set_text(work->answer, 38, entry->approval_code);
	CHECK(iso8583_tagged_put(private_data, sizeof private_data - 1, &length, "03",
	                         bytes_text(entry->transaction)));
	CHECK(iso8583_tagged_put(private_data, sizeof private_data - 1, &length, "21",
	                         bytes_from(&entry->cvc_result, entry->cvc_result != 0)));
	private_data[length] = 0;
	desk_set_text(work->answer, 48, (const char *)private_data);
}

void desk_make_approval(int64_t now_ms, char ret_code[static 7])
{
	static unsigned approvals;

	approvals = approvals * 1103515245u + 12345u + (unsigned)now_ms;
	snprintf(ret_code, 7, "%06u", approvals / 16 % 1000000);
}

static void fill_entry(const struct work *work, const char *code, bool verify, char cvc_result,
                       struct bank_entry *ret_entry)
{
	const struct iso8583_message *request = work->request;
	int64_t now_ms = bank_now_ms(work->bank);
	bool good = strcmp(code, "00") == 0;

	*ret_entry = (struct bank_entry){
		.state = !good    ? BANK_REFUSED_ENTRY
		         : verify ? BANK_VERIFIED
		                  : BANK_HELD,
		.cvc_result = cvc_result,
		.amount_minor = work->amount_minor,
		.at_ms = now_ms,
	};
	desk_copy(bytes_text(work->key), ret_entry->key, sizeof ret_entry->key);
	desk_copy(iso8583_get(request, 2), ret_entry->number, sizeof ret_entry->number);
	desk_copy(iso8583_get(request, 49), ret_entry->currency, sizeof ret_entry->currency);
	desk_copy(iso8583_get_trimmed(request, 37), ret_entry->rrn, sizeof ret_entry->rrn);
	desk_copy(iso8583_get_trimmed(request, 41), ret_entry->terminal,
	          sizeof ret_entry->terminal);
	desk_copy(iso8583_get_trimmed(request, 42), ret_entry->merchant,
	          sizeof ret_entry->merchant);
	desk_copy(bytes_text(code), ret_entry->code, sizeof ret_entry->code);
	if (!good)
		return;
	desk_make_approval(now_ms, ret_entry->approval_code);
	make_transaction(ret_entry->number, now_ms, ret_entry->transaction);
}

static void work_authorization(struct work *work)
{
	struct bank_ledger *ledger = work->bank->ledger;
	bool verify = bytes_equal_text(iso8583_get(work->request, 25), "51");
	struct bytes number = iso8583_get(work->request, 2);
	const struct bank_entry *before = ledger_find(ledger, work->key);
	bool issued = bank_cards_find(work->bank->cards, number, &work->card);
	const char *code = "14";
	char cvc_result = 0;

	if (issued)
		work->result->fault = verify ? work->card.behaviour.verify_fault
		                             : work->card.behaviour.payment_fault;
	if (before && (before->amount_minor != work->amount_minor ||
	               !bytes_equal_text(number, before->number))) {
		desk_set_text(work->answer, 39, "94"); // the numbers of another message
		return;
	}
	if (before) {
		answer_from(work, before);
		return;
	}
	if (ledger_is_forbidden(ledger, work->key)) {
		code = "12";
	} else if (issued) {
		cvc_result = check_code(work);
		code = decide(work, verify, cvc_result);
	}
	struct bank_entry entry;
	fill_entry(work, code, verify, cvc_result, &entry);
	ledger_add(ledger, &entry);
	if (work->request->mti[1] == '2' && entry.state == BANK_HELD)
		desk_capture_at_once(work, ledger_find(ledger, work->key));
	answer_from(work, &entry);
}

// Sign-on (001), sign-off (002), echo (301): all are welcome.
static void work_network(struct work *work)
{
	desk_set_text(work->answer, 39, "00");
}

static const struct {
	char type[4];       // the first three digits of the message type
	const char *coding; // how DE3 begins; "": in any way
	bool about_card;
	void (*work)(struct work *work);
} kinds[] = {
	{ "010", "", true, work_authorization }, { "020", "20", true, desk_work_refund },
	{ "020", "", true, work_authorization }, // authorized and captured in one message
	{ "022", "20", true, desk_work_refund }, { "022", "", true, desk_work_capture },
	{ "040", "", true, desk_work_reversal }, { "042", "", true, desk_work_reversal },
	{ "080", "", false, work_network },
};

static int find_kind(const struct iso8583_message *request)
{
	struct bytes coding = bytes_slice(iso8583_get(request, 3), 0, 2);

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (memcmp(request->mti, kinds[i].type, 3) == 0 &&
		    (!kinds[i].coding[0] || bytes_equal_text(coding, kinds[i].coding)))
			return (int)i;
	return -1;
}

bool desk_is_about_card(const struct iso8583_message *request)
{
	int kind = find_kind(request);

	return kind >= 0 && kinds[kind].about_card;
}

bool desk_work(struct bank *bank, const struct iso8583_message *request, const char *force_code,
               struct iso8583_message *ret_answer, struct desk_result *ret_result)
{
	struct work work = { .bank = bank,
		             .request = request,
		             .answer = ret_answer,
		             .result = ret_result,
		             .force_code = force_code,
		             .private_data = iso8583_get(request, 48),
		             .amount_minor = desk_number(iso8583_get(request, 4)) };
	int kind = find_kind(request);

	*ret_result = (struct desk_result){ 0 };
	if (kind < 0 || !begin_answer(&work))
		return false;
	ret_result->about_card = kinds[kind].about_card;
	key_of_request(&work);
	kinds[kind].work(&work);
	return true;
}
