// libFuzzer target: the JSON text of an encrypted card.
#include "vault/card.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct secret_pool *pool;
	struct vault_card card;

	if (!pool && !result_ok(secret_pool_new(VAULT_CARD_SLOT, 2, &pool)))
		abort();
	enum vault_problem problem = vault_card_read(
	        bytes_from(data, size), BYTES_LITERAL("seti_1"), 1790000000000, pool, &card);
	bool whole = card_number_is_valid(secret_view(&card.number), NULL) &&
	             card_code_is_valid(secret_view(&card.code), card.brand);
	if ((problem == VAULT_GOOD) != whole)
		abort();
	vault_card_done(&card);
	if (secret_pool_free_slots(pool) != 2)
		abort();
	return 0;
}
