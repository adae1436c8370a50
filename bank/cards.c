// The table of issued cards, look-up, and overrides. What the codes do is host.c's business; what
// the challenges do is the access control server's.
#include "cards.h"

#include "map.h"

#include "base/check.h"
#include "base/text.h"

#include <stdlib.h>

#define APPROVED .verify_code = "00", .payment_code = "00"

// clang-format off
static const struct bank_card_row rows[] = {
	{ "4242424242424242", "4242424242424242", "visa",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "5555555555554444", "5555555555554444", "mastercard",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "378282246310005", "378282246310005", "amex",
	  { BANK_FRICTIONLESS, APPROVED }, "approved, code of four digits" },
	{ "6205500000000000004", "6205500000000000004", "unionpay",
	  { BANK_FRICTIONLESS, APPROVED }, "approved, 19 digits" },
	{ "2200000000000000", "2204999999999999", "mir",
	  { BANK_CODE_BY_SMS, APPROVED }, "code by SMS" },
	{ "4000056655665556", "4000056655665556", "visa",
	  { BANK_FRICTIONLESS, APPROVED }, "approved, debit" },
	{ "5200828282828210", "5200828282828210", "mastercard",
	  { BANK_FRICTIONLESS, APPROVED }, "approved, debit" },
	{ "5105105105105100", "5105105105105100", "mastercard",
	  { BANK_FRICTIONLESS, APPROVED }, "approved, prepaid" },
	{ "6011111111111117", "6011111111111117", "discover",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "3056930009020004", "3056930009020004", "diners",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "3566002020360505", "3566002020360505", "jcb",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "4000000000000077", "4000000000000077", "visa",
	  { BANK_FRICTIONLESS, APPROVED }, "approved" },
	{ "4000000000003055", "4000000000003055", "visa",
	  { BANK_FRICTIONLESS, APPROVED }, "3-D Secure without a question" },
	{ "4100000000000000", "4100009999999999", "visa",
	  { BANK_FRICTIONLESS, APPROVED }, "many approved cards, for benches" },
	{ "4000002500003155", "4000002500003155", "visa",
	  { BANK_CODE_BY_SMS, APPROVED, .first_wants_proof = true },
	  "code by SMS, and for a payment that no link went before" },
	{ "4000000000003220", "4000000000003220", "visa",
	  { BANK_CODE_BY_SMS, APPROVED, .first_wants_proof = true },
	  "code by SMS, and for a payment that no link went before" },
	{ "4000003800000446", "4000003800000446", "visa",
	  { BANK_CODE_BY_SMS, APPROVED }, "code by SMS" },
	{ "4000008260003178", "4000008260003178", "visa",
	  { BANK_CODE_BY_SMS, "00", "51", .payment_wants_proof = true },
	  "code by SMS for every payment too, then not enough money (51)" },
	{ "4000002760003184", "4000002760003184", "visa",
	  { BANK_CODE_BY_SMS, APPROVED, .payment_wants_proof = true },
	  "code by SMS, for every payment too" },
	{ "4000000000003246", "4000000000003246", "visa",
	  { BANK_TAP_IN_APP, APPROVED }, "tap in the bank's app" },
	{ "4000000000003253", "4000000000003253", "visa",
	  { BANK_DECOUPLED, APPROVED }, "decoupled: tap within a day" },
	{ "4000000000003261", "4000000000003261", "visa",
	  { BANK_ATTEMPTED, APPROVED }, "3-D Secure attempted only (A)" },
	{ "4000000000003279", "4000000000003279", "visa",
	  { BANK_REFUSED, APPROVED }, "3-D Secure refused without a challenge (N)" },
	{ "4000000000003287", "4000000000003287", "visa",
	  { BANK_UNAVAILABLE, APPROVED }, "3-D Secure not available (U)" },
	{ "4000000000003295", "4000000000003295", "visa",
	  { BANK_NOT_ENROLLED, APPROVED }, "no 3-D Secure for this card" },
	{ "4000008400001280", "4000008400001280", "visa",
	  { BANK_DS_FAILS, APPROVED, .payment_wants_proof = true }, "the directory server fails" },
	{ "4000008400001629", "4000008400001629", "visa",
	  { BANK_CODE_BY_SMS, "05", "05", .verify_wants_proof = true, .payment_wants_proof = true },
	  "authenticated, then refused" },
	{ "4000000000000002", "4000000000000002", "visa",
	  { BANK_FRICTIONLESS, "05", "05" }, "refused (05)" },
	{ "4000000000000341", "4000000000000341", "visa",
	  { BANK_FRICTIONLESS, "00", "05" }, "links, payments refused (05)" },
	{ "4000000000180002", "4000000000180002", "visa",
	  { BANK_FRICTIONLESS, "21", "21" }, "refused without a reason (21)" },
	{ "4000000000180341", "4000000000180341", "visa",
	  { BANK_FRICTIONLESS, "00", "21" }, "links, payments refused without a reason (21)" },
	{ "4000000000009995", "4000000000009995", "visa",
	  { BANK_FRICTIONLESS, "00", "51" }, "links, not enough money (51)" },
	{ "4000000000009987", "4000000000009987", "visa",
	  { BANK_FRICTIONLESS, "41", "41" }, "lost (41)" },
	{ "4000000000009979", "4000000000009979", "visa",
	  { BANK_FRICTIONLESS, "43", "43" }, "stolen (43)" },
	{ "4000000000000069", "4000000000000069", "visa",
	  { BANK_FRICTIONLESS, "54", "54" }, "expired (54)" },
	{ "4000000000000127", "4000000000000127", "visa",
	  { BANK_FRICTIONLESS, "N7", "N7" }, "wrong code on the back (N7)" },
	{ "4000000000006975", "4000000000006975", "visa",
	  { BANK_FRICTIONLESS, "65", "65" }, "too many payments (65)" },
	{ "4000000000000101", "4000000000000101", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .cvc_result = 'N' },
	  "approved, but the code does not match" },
	{ "4000000000000119", "4000000000000119", "visa",
	  { BANK_FRICTIONLESS, "96", "96" }, "the bank's own error (96)" },

	{ "4000000000005126", "4000000000005126", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_SILENT }, "link: silent" },
	{ "4000000000005134", "4000000000005134", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_LATE }, "link: late" },
	{ "4000000000005142", "4000000000005142", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_TWICE },
	  "link: answered twice" },
	{ "4000000000005159", "4000000000005159", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_WRONG_STAN },
	  "link: wrong STAN" },
	{ "4000000000005167", "4000000000005167", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_HALF_FRAME },
	  "link: half a frame" },
	{ "4000000000005175", "4000000000005175", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_HANG_UP }, "link: hangs up" },
	{ "4000000000005183", "4000000000005183", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .verify_fault = BANK_FAULT_GARBAGE }, "link: garbage" },
	{ "4000000000005209", "4000000000005209", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_SILENT }, "payment: silent" },
	{ "4000000000005217", "4000000000005217", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_LATE }, "payment: late" },
	{ "4000000000005225", "4000000000005225", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_TWICE },
	  "payment: answered twice" },
	{ "4000000000005233", "4000000000005233", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_WRONG_STAN },
	  "payment: wrong STAN" },
	{ "4000000000005241", "4000000000005241", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_HALF_FRAME },
	  "payment: half a frame" },
	{ "4000000000005258", "4000000000005258", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_HANG_UP },
	  "payment: hangs up" },
	{ "4000000000005266", "4000000000005266", "visa",
	  { BANK_FRICTIONLESS, APPROVED, .payment_fault = BANK_FAULT_GARBAGE },
	  "payment: garbage" },
};
// clang-format on

static const char *const fault_names[BANK_FAULT_COUNT] = {
	[BANK_FAULT_NONE] = "none",
	[BANK_FAULT_SILENT] = "silent",
	[BANK_FAULT_LATE] = "late",
	[BANK_FAULT_TWICE] = "twice",
	[BANK_FAULT_WRONG_STAN] = "wrong_stan",
	[BANK_FAULT_HALF_FRAME] = "half_frame",
	[BANK_FAULT_HANG_UP] = "hang_up",
	[BANK_FAULT_GARBAGE] = "garbage",
	[BANK_FAULT_WRONG_MAC] = "wrong_mac",
};

static const char *const challenge_names[] = {
	[BANK_FRICTIONLESS] = "frictionless",
	[BANK_CODE_BY_SMS] = "sms",
	[BANK_TAP_IN_APP] = "app",
	[BANK_DECOUPLED] = "decoupled",
	[BANK_ATTEMPTED] = "attempted",
	[BANK_REFUSED] = "refused",
	[BANK_UNAVAILABLE] = "unavailable",
	[BANK_NOT_ENROLLED] = "not_enrolled",
	[BANK_DS_FAILS] = "ds_fails",
};

struct bank_cards {
	struct map *changed; // number -> struct bank_behaviour
};

struct bank_cards *bank_cards_new(void)
{
	struct bank_cards *cards = calloc(1, sizeof *cards);

	CHECK(cards);
	cards->changed = map_new();
	return cards;
}

void bank_cards_free(struct bank_cards *cards)
{
	if (!cards)
		return;
	map_free(cards->changed, free);
	free(cards);
}

static bool luhn(struct bytes number)
{
	unsigned sum = 0;

	for (size_t i = 0; i < number.length; i++) {
		unsigned digit = number.data[number.length - 1 - i] - (unsigned)'0';
		if (i % 2 == 1)
			digit = digit > 4 ? digit * 2 - 9 : digit * 2;
		sum += digit;
	}
	return sum % 10 == 0;
}

static const struct bank_card_row *find_row(struct bytes number)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].first) == number.length &&
		    memcmp(number.data, rows[i].first, number.length) >= 0 &&
		    memcmp(number.data, rows[i].last, number.length) <= 0)
			return &rows[i];
	return NULL;
}

bool bank_cards_find(const struct bank_cards *cards, struct bytes number,
                     struct bank_card *ret_card)
{
	if (number.length >= sizeof ret_card->number || !text_is_digits(number) || !luhn(number))
		return false;
	const struct bank_card_row *row = find_row(number);
	if (!row)
		return false;
	const struct bank_behaviour *changed = map_get(cards->changed, number);
	*ret_card = (struct bank_card){
		.row = row,
		.cvc = strcmp(row->brand, "amex") == 0 ? "1234" : "123",
		.behaviour = changed ? *changed : row->behaviour,
	};
	memcpy(ret_card->number, number.data, number.length);
	return true;
}

bool bank_cards_change(struct bank_cards *cards, struct bytes number,
                       const struct bank_behaviour *behaviour)
{
	struct bank_card card;

	if (!bank_cards_find(cards, number, &card))
		return false;
	if (!behaviour) {
		free(map_remove(cards->changed, number));
		return true;
	}
	struct bank_behaviour *copy = malloc(sizeof *copy);
	CHECK(copy);
	*copy = *behaviour;
	free(map_set(cards->changed, number, copy));
	return true;
}

const struct bank_card_row *bank_cards_row(size_t index)
{
	return index < sizeof rows / sizeof rows[0] ? &rows[index] : NULL;
}

static bool find_name(const char *const *names, size_t count, struct bytes name, size_t *ret_index)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_text(name, names[i])) {
			*ret_index = i;
			return true;
		}
	return false;
}

const char *bank_fault_name(enum bank_fault fault)
{
	return fault_names[fault];
}

bool bank_fault_read(struct bytes name, enum bank_fault *ret_fault)
{
	size_t index;

	if (!find_name(fault_names, BANK_FAULT_COUNT, name, &index))
		return false;
	*ret_fault = (enum bank_fault)index;
	return true;
}

const char *bank_challenge_name(enum bank_challenge challenge)
{
	return challenge_names[challenge];
}

bool bank_challenge_read(struct bytes name, enum bank_challenge *ret_challenge)
{
	size_t index;

	if (!find_name(challenge_names, sizeof challenge_names / sizeof challenge_names[0], name,
	               &index))
		return false;
	*ret_challenge = (enum bank_challenge)index;
	return true;
}
