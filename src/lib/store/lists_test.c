// Every statement is SQL that the engine takes; replies are kept, and dropped when they are old.
#include "store/lists.h"

#include "base/tap.h"

#include <stdio.h>
#include <stdlib.h>

static struct store *open_new(void)
{
	struct store *store = NULL;

	return result_ok(store_open(":memory:", &store)) ? store : NULL;
}

TEST(every_statement_can_be_prepared)
{
	struct store *store = open_new();

	REQUIRE(store);
	for (int i = 0; i < STORE_STATEMENTS; i++) {
		bool prepares = store_prepares(store, (enum store_statement)i);
		EXPECT(prepares);
		if (!prepares)
			printf("# statement %d: %s\n", i, store_error_text(store));
	}
	store_close(store);
}

TEST(a_reply_is_kept_until_it_is_too_old)
{
	struct store *store = open_new();
	struct store_replay replay;
	struct buffer reply;
	const uint8_t firsts[] = { 0x7f, 0x00, 0xff };
	int64_t row = 0;

	REQUIRE(store);
	buffer_init(&reply, 1000);
	for (size_t i = 0; i < sizeof(firsts); i++) {
		uint8_t key[STORE_IDEMPOTENCY_BYTES];
		memset(key, 0xff, sizeof(key));
		key[0] = firsts[i];
		struct bytes view = BYTES_ARRAY(key);
		EXPECT(!store_replay_find(store, view, &replay, &reply));
		store_run(store, STORE_IDEMPOTENCY_CLAIM, STORE_B(view), STORE_B(view),
		          STORE_N(1000), STORE_N(77), STORE_N(STORE_REPLAY_MONEY));
		REQUIRE(store_replay_find(store, view, &replay, &reply));
		EXPECT(!replay.ended && replay.intent == 77 && reply.length == 0);
		store_run(store, STORE_IDEMPOTENCY_END, STORE_B(view), STORE_N(402),
		          STORE_P(BYTES_LITERAL("{\"a\":1}")), STORE_N(5));
		REQUIRE(store_replay_find(store, view, &replay, &reply));
		EXPECT(replay.ended && replay.status == 402 && replay.attempt == 5);
		EXPECT(bytes_equal_text(buffer_view(&reply), "{\"a\":1}"));
		EXPECT(bytes_equal(BYTES_ARRAY(replay.fingerprint), view));
		buffer_reset(&reply);
		EXPECT(store_replay_purge(store, 0, 10, 1000, 1000) == 0); // young
		EXPECT(store_replay_purge(store, 0, 10, 2000, 1000) > 0);  // kept as money is
		EXPECT(store_replay_find(store, view, &replay, &reply));
		row = store_replay_purge(store, 0, 10, 2000, 2000);
		EXPECT(row > 0 && store_replay_purge(store, row, 10, 2000, 2000) == 0);
		buffer_reset(&reply);
		EXPECT(!store_replay_find(store, view, &replay, &reply));
	}
	buffer_done(&reply);
	store_close(store);
}

// However many there are, a step looks at so many rows; what is young behind them ends the walk.
TEST(old_replies_are_dropped_in_steps)
{
	struct store *store = open_new();
	uint8_t key[STORE_IDEMPOTENCY_BYTES] = { 0 };
	struct store_replay replay;
	struct buffer reply;
	int64_t row = 0;
	int steps = 0, left = 0;

	REQUIRE(store);
	buffer_init(&reply, 1000);
	for (int i = 0; i < 100; i++) {
		key[0] = (uint8_t)(i * 37);
		struct bytes view = BYTES_ARRAY(key);
		int kind = i % 10 == 0 ? STORE_REPLAY_MONEY : STORE_REPLAY_SHORT;
		store_run(store, STORE_IDEMPOTENCY_CLAIM, STORE_B(view), STORE_B(view),
		          STORE_N(1000 + i), STORE_N(i), STORE_N(kind));
	}
	do {
		row = store_replay_purge(store, row, 7, 1070, 1020);
		steps++;
	} while (row);
	EXPECT(steps == 11); // ten with something old, one that begins at the 71st
	// Of the first 70, 7 were about money, 2 of them old.
	for (int i = 0; i < 100; i++) {
		key[0] = (uint8_t)(i * 37);
		left += store_replay_find(store, BYTES_ARRAY(key), &replay, &reply);
	}
	EXPECT(left == 35);
	buffer_done(&reply);
	store_close(store);
}

TAP_MAIN
