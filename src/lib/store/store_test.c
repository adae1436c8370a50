// Tests of the store: rows come back as they went in, owners are checked, a commit is durable.
#include "store/store.h"

#include "base/cleanup.h"
#include "base/tap.h"
#include "base/check.h"
#include "domain/money.h"
#include "store/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

// The salt in the head of the log (https://www.sqlite.org/fileformat2.html, 4.1): another one when
// it has begun anew.
static uint64_t salt_of_log(void)
{
	char name[80];
	uint64_t salt = 0;

	snprintf(name, sizeof(name), "%s-wal", path);
	FILE *file = fopen(name, "rb");
	CHECK(file && fseek(file, 16, SEEK_SET) == 0 && fread(&salt, sizeof(salt), 1, file) == 1);
	fclose(file);
	return salt;
}

static void add_customer(struct store *store)
{
	static int64_t id;
	struct customer customer = { .id = ++id, .merchant = 1, .details = (char[]){ "{}" } };

	store_insert(store, STORE_CUSTOMERS, &customer);
	CHECK(result_ok(store_commit(store)) && result_ok(store_sync(store)));
}

// Writes until something is to be copied.
static void write_until_copy(struct store *store)
{
	for (int i = 0; i < 1000 && !store_wants_copy(store); i++)
		add_customer(store);
	CHECK(store_wants_copy(store));
}

// Copies a part, as another thread would.
static void copy_part(struct store *store)
{
	CHECK(result_ok(store_begin_copy(store)));
	CHECK(result_ok(store_copy(store)) && result_ok(store_end_copy(store)));
}

TEST(a_log_that_is_being_copied_does_not_begin_anew)
{
	const struct store_log_limits kept = store_log_limits;
	struct store *store = open_new();

	REQUIRE(store);
	store_log_limits = (struct store_log_limits){ .copy = 20, .anew = 1000, .rest = 20 };
	write_until_copy(store);
	uint64_t salt = salt_of_log();
	EXPECT(result_ok(store_begin_copy(store)) && !store_wants_copy(store)); // one at a time
	EXPECT(result_ok(store_copy(store)));
	add_customer(store);
	EXPECT(salt_of_log() == salt);
	for (int i = 0; i < 50; i++)
		add_customer(store);
	EXPECT(result_ok(store_end_copy(store)) && store_wants_copy(store));
	copy_part(store);
	add_customer(store);
	EXPECT(salt_of_log() != salt);
	store_log_limits = kept;
	store_close(store);
}

// What is written while a part is copied is for the next part: it may not be durable.
TEST(a_part_of_the_log_is_what_was_there_when_its_copying_began)
{
	const struct store_log_limits kept = store_log_limits;
	struct store *store = open_new();

	REQUIRE(store);
	store_log_limits = (struct store_log_limits){ .copy = 20, .anew = 1000, .rest = 20 };
	write_until_copy(store);
	uint64_t salt = salt_of_log();
	EXPECT(result_ok(store_begin_copy(store)));
	add_customer(store);
	EXPECT(result_ok(store_copy(store)) && result_ok(store_end_copy(store)));
	add_customer(store); // there was something to copy: the log goes on
	EXPECT(salt_of_log() == salt && !store_wants_copy(store));
	store_log_limits = kept;
	store_close(store);
}

TEST(a_store_that_is_closed_while_its_log_is_copied_loses_nothing)
{
	const struct store_log_limits kept = store_log_limits;
	struct store *store = open_new();
	struct customer customer cleanup(customer_done) = { 0 };

	REQUIRE(store);
	store_log_limits = (struct store_log_limits){ .copy = 20, .anew = 1000, .rest = 20 };
	write_until_copy(store);
	int64_t last = store_last_id(store);
	EXPECT(result_ok(store_begin_copy(store)) && result_ok(store_copy(store)));
	store_close(store);
	REQUIRE(result_ok(store_open(path, &store)));
	EXPECT(store_load(store, STORE_CUSTOMERS, last, &customer));
	store_close(store);
	store_log_limits = kept;
}

TEST(a_log_that_has_grown_long_is_copied_to_its_end)
{
	const struct store_log_limits kept = store_log_limits;
	struct store *store = open_new();

	REQUIRE(store);
	store_log_limits = (struct store_log_limits){ .copy = 20, .anew = 10, .rest = 20 };
	for (int i = 0; i < 5; i++)
		add_customer(store);
	uint64_t salt = salt_of_log();
	EXPECT(store_wants_rest_copied(store) && !store_wants_copy(store)); // few pages
	EXPECT(result_ok(store_copy_rest(store)));
	add_customer(store);
	EXPECT(salt_of_log() != salt);
	store_log_limits = (struct store_log_limits){ .copy = 2, .anew = 20, .rest = 4 };
	for (int i = 0; i < 10; i++)
		add_customer(store);
	EXPECT(store_wants_copy(store) && !store_wants_rest_copied(store)); // many pages
	for (int i = 0; i < 30; i++)
		add_customer(store);
	salt = salt_of_log();
	EXPECT(store_wants_rest_copied(store)); // far too long
	EXPECT(result_ok(store_copy_rest(store)));
	add_customer(store);
	EXPECT(salt_of_log() != salt);
	store_log_limits = kept;
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
