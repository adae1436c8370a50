// A card's row: what vault says of a new card, and how long the sealed number of a removed one is
// kept: as long as something on it can be captured,
// reversed or refunded. A refund needs the number (ISO 8583: field 2), so a card that was paid with
// is kept until its last payment can no longer be given back (refund.days); one that was never paid
// with goes at once. The last payment is known to 30 days, so that a card's row is not written with
// every payment.
#include "core/money.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <string.h>

static const int64_t day_ms = 24LL * 3600 * 1000;
enum { USED_DAYS = 30 };

static void copy(struct bytes from, void *to, size_t size)
{
	if (from.length <= size && from.length)
		memcpy(to, from.data, from.length);
}

// The details of a new card: what was said of it, and what is known of its holder.
static char *details_of(const char *card_details, struct bytes name)
{
	json_t *details =
	        card_details ? json_loads(card_details, JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (!details)
		details = json_object();
	if (name.length && text_is_utf8(name)) {
		json_t *billing = json_object_get(details, "billing_details");
		if (!billing) {
			billing = json_object();
			json_object_set_new(details, "billing_details", billing);
		}
		if (!json_string_value(json_object_get(billing, "name")))
			json_object_set_new(billing, "name",
			                    json_stringn((const char *)name.data, name.length));
	}
	char *text = json_dumps(details, JSON_COMPACT);
	json_decref(details);
	CHECK(text);
	return text;
}

void flow_card_of_vault(struct core *core, int64_t merchant, const char *card_details,
                        const struct wire_value *opened, struct card *ret_card)
{
	struct card *card = ret_card;

	*card = (struct card){ .id = core_next_id(core),
		               .merchant = merchant,
		               .exp_month = (int)opened[WIRE_CARD_OPENED_EXP_MONTH].number,
		               .exp_year = (int)opened[WIRE_CARD_OPENED_EXP_YEAR].number,
		               .sealed_length = opened[WIRE_CARD_OPENED_SEALED].bytes.length };
	bytes_copy_text(opened[WIRE_CARD_OPENED_BRAND].bytes, card->brand, sizeof(card->brand));
	bytes_copy_text(opened[WIRE_CARD_OPENED_LAST4].bytes, card->last4, sizeof(card->last4));
	copy(opened[WIRE_CARD_OPENED_FINGERPRINT].bytes, card->fingerprint,
	     sizeof(card->fingerprint));
	copy(opened[WIRE_CARD_OPENED_HANDLE].bytes, card->handle, sizeof(card->handle));
	copy(opened[WIRE_CARD_OPENED_SEALED].bytes, card->sealed, sizeof(card->sealed));
	card->details = details_of(card_details, opened[WIRE_CARD_OPENED_NAME].bytes);
}

void card_used(struct core *core, struct card *card)
{
	if (card->used_ms && core->now_ms - card->used_ms < USED_DAYS * day_ms)
		return;
	card->used_ms = core->now_ms;
	store_update(core->store, STORE_CARDS, card);
}

static bool is_needed(struct core *core, const struct card *card)
{
	int64_t kept_ms = (USED_DAYS + core->config.refund_days) * day_ms;

	if (card->used_ms && core->now_ms < card->used_ms + kept_ms)
		return true;
	return store_one_number(core->store, STORE_CARD_IN_USE, 0, STORE_N(card->id)) > 0;
}

static void let_go(struct core *core, struct card *card)
{
	if (card->removed_ms == 0 || card->sealed_length == 0 || is_needed(core, card))
		return;
	memset(card->sealed, 0, sizeof(card->sealed));
	card->sealed_length = 0;
	store_update(core->store, STORE_CARDS, card);
}

void card_let_go(struct core *core, int64_t id)
{
	struct card card cleanup(card_done) = { 0 };

	if (store_load(core->store, STORE_CARDS, id, &card))
		let_go(core, &card);
}

void flow_card_removed(struct core *core, int64_t card)
{
	card_let_go(core, card);
}

// Cards that were removed in the same millisecond as the last of a page come with the next sweep.
void cards_sweep(struct core *core)
{
	enum { PAGE = 200 };
	int64_t ids[PAGE];
	int64_t after_ms = 0;
	size_t count;

	do {
		struct store_query query =
		        store_ask(core->store, STORE_CARDS_LEAVING, STORE_N(after_ms));
		for (count = 0; count < PAGE && store_step(&query); count++) {
			struct card card cleanup(card_done) = { 0 };
			store_read(&query, STORE_CARDS, &card);
			ids[count] = card.id;
			after_ms = card.removed_ms;
		}
		store_end(&query);
		for (size_t i = 0; i < count; i++)
			card_let_go(core, ids[i]);
	} while (count == PAGE);
}
