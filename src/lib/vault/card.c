// Sealing and opening cards for the store: a plain text of fixed layout (length of the number,
// number padded with zeros, month, year).
#include "vault/card.h"

#include "base/check.h"
#include "vault/record.h"

enum {
	AT_LENGTH = 0,
	AT_NUMBER = 1,
	AT_MONTH = AT_NUMBER + CARD_NUMBER_MAX,
	AT_YEAR = AT_MONTH + 1,
	PLAIN_BYTES = AT_YEAR + 2,
	BOUND_BYTES = 8 + VAULT_HANDLE,
};

void vault_card_done(struct vault_card *card)
{
	secret_done(&card->number);
	secret_done(&card->code);
	explicit_bzero(card, sizeof(*card));
}

// Merchant (eight bytes, big-endian) and handle.
static void put_bound(uint64_t merchant, const uint8_t handle[static VAULT_HANDLE],
                      uint8_t ret_bound[static BOUND_BYTES])
{
	for (int i = 0; i < 8; i++)
		ret_bound[i] = (uint8_t)(merchant >> (56 - 8 * i));
	memcpy(ret_bound + 8, handle, VAULT_HANDLE);
}

void vault_card_seal(const struct vault_keyring *keyring, const struct vault_card *card,
                     uint64_t merchant, const uint8_t handle[static VAULT_HANDLE],
                     struct buffer *ret_sealed)
{
	uint8_t plain[PLAIN_BYTES] = { 0 };
	uint8_t bound[BOUND_BYTES];

	CHECK(card->number.length >= CARD_NUMBER_MIN && card->number.length <= CARD_NUMBER_MAX);
	plain[AT_LENGTH] = (uint8_t)card->number.length;
	memcpy(plain + AT_NUMBER, card->number.data, card->number.length);
	plain[AT_MONTH] = card->exp_month;
	plain[AT_YEAR] = (uint8_t)(card->exp_year >> 8);
	plain[AT_YEAR + 1] = (uint8_t)card->exp_year;
	put_bound(merchant, handle, bound);
	vault_record_seal(keyring, VAULT_FORMAT_CARD, BYTES_ARRAY(plain), BYTES_ARRAY(bound),
	                  ret_sealed);
	explicit_bzero(plain, sizeof(plain));
}

static struct result read_plain(const uint8_t plain[static PLAIN_BYTES], struct secret_pool *cards,
                                struct vault_card *ret_card)
{
	size_t length = plain[AT_LENGTH];

	if (length < CARD_NUMBER_MIN || length > CARD_NUMBER_MAX)
		return FAIL(ERROR_CRYPTO, "a sealed card holds no card number");
	TRY(secret_take(cards, length, &ret_card->number));
	memcpy(ret_card->number.data, plain + AT_NUMBER, length);
	ret_card->exp_month = plain[AT_MONTH];
	ret_card->exp_year = (uint16_t)(plain[AT_YEAR] << 8 | plain[AT_YEAR + 1]);
	ret_card->brand = card_brand_of(secret_view(&ret_card->number));
	return RESULT_OK;
}

struct result vault_card_open(const struct vault_keyring *keyring, struct secret_pool *cards,
                              struct bytes sealed, uint64_t merchant,
                              const uint8_t handle[static VAULT_HANDLE],
                              struct vault_card *ret_card)
{
	uint8_t plain[PLAIN_BYTES];
	uint8_t bound[BOUND_BYTES];

	*ret_card = (struct vault_card){ 0 };
	if (sealed.length != PLAIN_BYTES + VAULT_RECORD_OVERHEAD)
		return FAIL(ERROR_CRYPTO, "a sealed card has a wrong length");
	put_bound(merchant, handle, bound);
	TRY(vault_record_open(keyring, VAULT_FORMAT_CARD, sealed, BYTES_ARRAY(bound), plain));
	struct result result = read_plain(plain, cards, ret_card);
	explicit_bzero(plain, sizeof(plain));
	return result;
}
