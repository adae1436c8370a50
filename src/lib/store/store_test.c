// Tests of the store: rows come back as they went in, owners are checked, a commit is durable.
#include "store/store.h"

#include "base/tap.h"
#include "domain/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/onfile-store-XXXXXX";
static char path[64];

static struct store *open_new(void)
{
	static int count;
	struct store *store = NULL;

	if (count == 0 && !mkdtemp(folder))
		return NULL;
	snprintf(path, sizeof(path), "%s/%d.db", folder, ++count);
	return result_ok(store_open(path, &store)) ? store : NULL;
}

TEST(a_row_comes_back_as_it_went_in)
{
	struct store *store = open_new();
	struct card card = { .id = 5,
		             .merchant = 7,
		             .customer = 9,
		             .state = 1,
		             .exp_month = 12,
		             .exp_year = 2030,
		             .sealed_length = 3,
		             .details = (char[]){ "{\"a\":1}" } };
	struct card back;

	REQUIRE(store);
	strcpy(card.brand, "mir"); // a test may
	memset(card.fingerprint, 0xab, sizeof(card.fingerprint));
	memcpy(card.sealed, "x\0y", 3);
	store_insert(store, STORE_CARDS, &card);
	EXPECT(store_is_dirty(store));
	EXPECT(result_ok(store_commit(store)));
	store_close(store);
	REQUIRE(result_ok(store_open(path, &store)));
	EXPECT(!store_find(store, STORE_CARDS, 8, 5, &back)); // another merchant's
	REQUIRE(store_find(store, STORE_CARDS, 7, 5, &back));
	EXPECT(strcmp(back.brand, "mir") == 0 && back.sealed_length == 3);
	EXPECT(memcmp(back.sealed, "x\0y", 3) == 0 && back.fingerprint[31] == 0xab);
	EXPECT(strcmp(back.details, "{\"a\":1}") == 0);
	back.exp_year = 2031;
	store_update(store, STORE_CARDS, &back);
	card_done(&back);
	REQUIRE(store_load(store, STORE_CARDS, 5, &back));
	EXPECT(back.exp_year == 2031);
	card_done(&back);
	EXPECT(store_last_id(store) == 5);
	store_close(store);
}

// Whose a row is and what it is about stays, whatever an update brings.
TEST(an_update_leaves_what_never_changes)
{
	struct store *store = open_new();
	struct advice advice = { .id = 6, .attempt = 4, .amount = 100 };
	struct advice back;

	REQUIRE(store);
	store_insert(store, STORE_ADVICES, &advice);
	advice.attempt = 5;
	advice.amount = 90;
	store_update(store, STORE_ADVICES, &advice);
	EXPECT(result_ok(store_commit(store)));
	store_close(store);
	REQUIRE(result_ok(store_open(path, &store)));
	REQUIRE(store_load(store, STORE_ADVICES, 6, &back));
	EXPECT(back.attempt == 4 && back.amount == 90);
	store_close(store);
}

TEST(one_customer_has_a_card_once)
{
	struct store *store = open_new();
	struct card card = { .id = 1, .customer = 3, .state = 1 };

	REQUIRE(store);
	store_insert(store, STORE_CARDS, &card);
	EXPECT(store_one_number(store, STORE_CARD_SAME, 0, STORE_N(3),
	                        STORE_B(bytes_from(card.fingerprint, 32))) == 1);
	card.id = 2;
	store_insert(store, STORE_CARDS, &card);
	EXPECT(!result_ok(store_commit(store))); // and the error sticks
	EXPECT(!result_ok(store_result(store)));
	store_close(store);
	REQUIRE(result_ok(store_open(path, &store)));
	EXPECT(!store_load(store, STORE_CARDS, 1, &card)); // nothing of that turn is there
	store_close(store);
}

TEST(an_encrypted_card_is_used_once)
{
	struct store *store = open_new();
	uint8_t digest[32] = { 1 };

	REQUIRE(store);
	EXPECT(store_run(store, STORE_CARD_USED, STORE_B(BYTES_ARRAY(digest)), STORE_N(1)) == 1);
	EXPECT(store_run(store, STORE_CARD_USED, STORE_B(BYTES_ARRAY(digest)), STORE_N(2)) == 0);
	EXPECT(result_ok(store_commit(store)));
	store_close(store);
}

TEST(every_statement_is_accepted_by_the_engine)
{
	struct store *store = open_new();

	REQUIRE(store);
	for (int i = 0; i < STORE_STATEMENTS; i++) {
		EXPECT(store_prepares(store, (enum store_statement)i));
		if (!result_ok(store_result(store)))
			printf("# statement %d: %s\n", i, store_error_text(store));
	}
	store_close(store);
}

TAP_MAIN
