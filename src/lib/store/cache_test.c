// Tests of remembered rows: what is read is always what the store holds, whoever changed it.
#include "store/store.h"

#include "base/tap.h"

static struct store *open_new(void)
{
	struct store *store = NULL;

	return result_ok(store_open(":memory:", &store)) ? store : NULL;
}

static struct card card_of(int64_t id, int year)
{
	static char nothing[] = "{}";

	return (struct card){ .id = id,
		              .merchant = 7,
		              .customer = id,
		              .exp_year = year,
		              .fingerprint = { (uint8_t)id, (uint8_t)(id >> 8) },
		              .details = nothing };
}

TEST(a_row_is_as_it_was_written_last)
{
	struct store *store = open_new();
	struct card card = card_of(5, 2030);
	struct card back;

	REQUIRE(store);
	store_insert(store, STORE_CARDS, &card);
	card.exp_year = 2031;
	card.details = NULL;
	store_update(store, STORE_CARDS, &card);
	for (int i = 0; i < 2; i++) { // its texts belong to each reader
		REQUIRE(store_load(store, STORE_CARDS, 5, &back));
		EXPECT(back.exp_year == 2031 && strcmp(back.details, "{}") == 0);
		card_done(&back);
	}
	EXPECT(!store_find(store, STORE_CARDS, 8, 5, &back) && back.id == 0);
	REQUIRE(store_find(store, STORE_CARDS, 7, 5, &back));
	card_done(&back);
	store_close(store);
}

TEST(a_statement_that_changes_a_row_is_seen)
{
	struct store *store = open_new();
	struct card card = card_of(5, 2030);
	struct card back;

	REQUIRE(store);
	store_insert(store, STORE_CARDS, &card);
	REQUIRE(store_load(store, STORE_CARDS, 5, &back));
	card_done(&back);
	EXPECT(store_run(store, STORE_CARD_DROP, STORE_N(5)) == 1);
	EXPECT(!store_load(store, STORE_CARDS, 5, &back));
	EXPECT(!store_find(store, STORE_CARDS, 7, 5, &back));
	store_close(store);
}

// More rows than there are places, and the same key in two tables.
TEST(rows_that_share_a_place_are_not_mixed_up)
{
	enum { ROWS = 20000 };
	struct store *store = open_new();
	struct customer customer = { .id = 17, .merchant = 7, .email = "a@b.c" };
	int wrong = 0;

	REQUIRE(store);
	for (int64_t id = 1; id <= ROWS; id++) {
		struct card card = card_of(id, 2000 + (int)(id % 90));
		store_insert(store, STORE_CARDS, &card);
	}
	store_insert(store, STORE_CUSTOMERS, &customer);
	for (int64_t id = ROWS; id >= 1; id--) {
		struct card back;
		wrong += !store_load(store, STORE_CARDS, id, &back) || back.id != id ||
		         back.exp_year != 2000 + (int)(id % 90);
		card_done(&back);
	}
	EXPECT(wrong == 0);
	struct customer back;
	REQUIRE(store_load(store, STORE_CUSTOMERS, 17, &back));
	EXPECT(strcmp(back.email, "a@b.c") == 0);
	customer_done(&back);
	store_close(store);
}

TAP_MAIN
