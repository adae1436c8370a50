// Opening what a browser encrypted: the JWE, then the JSON text in it, then every check that needs
// no bank. The order of the checks is the order in which a shopper would be told.
#include "base/cleanup.h"
#include "base/text.h"
#include "card/expiry.h"
#include "vault/card.h"

#include <jansson.h>

DEFINE_CLEANUP(cleanup_json, json_t, json_decref)

const char *vault_problem_name(enum vault_problem problem)
{
	static const char *const names[] = {
		[VAULT_GOOD] = "",
		[VAULT_UNREADABLE] = "unreadable",
		[VAULT_OTHER_INTENT] = "other_intent",
		[VAULT_STALE] = "stale",
		[VAULT_INVALID_NUMBER] = "invalid_number",
		[VAULT_INVALID_EXPIRY_MONTH] = "invalid_expiry_month",
		[VAULT_INVALID_EXPIRY_YEAR] = "invalid_expiry_year",
		[VAULT_EXPIRED_CARD] = "expired_card",
		[VAULT_INVALID_CVC] = "invalid_cvc",
	};

	return names[problem];
}

// The members as they came, not yet judged.
struct members {
	struct bytes number;
	struct bytes code;
	struct bytes name;
	struct bytes intent;
	int64_t exp_month;
	int64_t exp_year;
	int64_t issued;
};

static bool read_text(const json_t *object, const char *name, struct bytes *ret_text)
{
	const json_t *member = json_object_get(object, name);

	if (!json_is_string(member))
		return false;
	*ret_text = bytes_from(json_string_value(member), json_string_length(member));
	return true;
}

static bool read_whole(const json_t *object, const char *name, int64_t *ret_number)
{
	const json_t *member = json_object_get(object, name);

	*ret_number = json_integer_value(member);
	return json_is_integer(member);
}

// All members, and none besides.
static bool read_members(const json_t *object, struct members *ret_members)
{
	bool named = json_object_get(object, "name") != NULL;

	*ret_members = (struct members){ 0 };
	return json_is_object(object) && json_object_size(object) == (named ? 7 : 6) &&
	       read_text(object, "number", &ret_members->number) &&
	       read_text(object, "cvc", &ret_members->code) &&
	       read_text(object, "intent", &ret_members->intent) &&
	       read_whole(object, "exp_month", &ret_members->exp_month) &&
	       read_whole(object, "exp_year", &ret_members->exp_year) &&
	       read_whole(object, "issued", &ret_members->issued) &&
	       (!named || read_text(object, "name", &ret_members->name)) &&
	       ret_members->name.length <= VAULT_NAME_MAX;
}

static enum vault_problem check_expiry(const struct members *members, int64_t now_ms)
{
	switch (card_expiry_check(members->exp_month, members->exp_year, now_ms)) {
	case CARD_EXPIRY_BAD_MONTH: return VAULT_INVALID_EXPIRY_MONTH;
	case CARD_EXPIRY_BAD_YEAR: return VAULT_INVALID_EXPIRY_YEAR;
	case CARD_EXPIRY_OVER: return VAULT_EXPIRED_CARD;
	case CARD_EXPIRY_GOOD: break;
	}
	return VAULT_GOOD;
}

static bool is_fresh(int64_t issued, int64_t now_ms)
{
	int64_t now = now_ms / 1000;

	return issued >= now - VAULT_FRESH_BEFORE_S && issued <= now + VAULT_FRESH_AFTER_S;
}

static enum vault_problem check_members(const struct members *members, struct bytes intent,
                                        int64_t now_ms, const struct card_brand **ret_brand)
{
	if (!bytes_equal(members->intent, intent))
		return VAULT_OTHER_INTENT;
	if (!is_fresh(members->issued, now_ms))
		return VAULT_STALE;
	if (!card_number_is_valid(members->number, ret_brand))
		return VAULT_INVALID_NUMBER;
	enum vault_problem expiry = check_expiry(members, now_ms);
	if (expiry != VAULT_GOOD)
		return expiry;
	return card_code_is_valid(members->code, *ret_brand) ? VAULT_GOOD : VAULT_INVALID_CVC;
}

static bool copy_secret(struct secret_pool *pool, struct bytes from, struct secret *ret_secret)
{
	if (!result_ok(secret_take(pool, from.length, ret_secret)))
		return false;
	memcpy(ret_secret->data, from.data, from.length);
	return true;
}

enum vault_problem vault_card_read(struct bytes text, struct bytes intent, int64_t now_ms,
                                   struct secret_pool *cards, struct vault_card *ret_card)
{
	struct members members;

	*ret_card = (struct vault_card){ 0 };
	cleanup(cleanup_json) json_t *object =
	        json_loadb((const char *)text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
	if (!read_members(object, &members))
		return VAULT_UNREADABLE;
	enum vault_problem problem = check_members(&members, intent, now_ms, &ret_card->brand);
	if (problem != VAULT_GOOD)
		return problem;
	ret_card->exp_month = (uint8_t)members.exp_month;
	ret_card->exp_year = (uint16_t)members.exp_year;
	if (!bytes_copy_text(members.name, ret_card->name, sizeof(ret_card->name)) ||
	    !copy_secret(cards, members.number, &ret_card->number) ||
	    !copy_secret(cards, members.code, &ret_card->code)) {
		vault_card_done(ret_card);
		return VAULT_UNREADABLE;
	}
	return VAULT_GOOD;
}

enum vault_problem vault_card_open_envelope(const struct vault_keyring *keyring,
                                            const struct vault_pools *pools, struct bytes jwe,
                                            struct bytes intent, int64_t now_ms,
                                            struct vault_card *ret_card,
                                            uint8_t ret_used[static CRYPTO_SHA256])
{
	cleanup(secret_done) struct secret text = { 0 };
	struct crypto_p256_point epk;

	*ret_card = (struct vault_card){ 0 };
	if (!result_ok(crypto_jwe_open(jwe, keyring->card_keys, keyring->count, pools->envelopes,
	                               &text, &epk)))
		return VAULT_UNREADABLE;
	crypto_sha256(bytes_from(&epk, sizeof(epk)), ret_used);
	return vault_card_read(secret_view(&text), intent, now_ms, pools->cards, ret_card);
}
