// Tests of the shop's data file: what the handlers rely on.
#include "data.h"

#include "base/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/shop-data-test-XXXXXX";
static struct shop_data *data;

static bool open_data(void)
{
	static bool made;

	if (!made && !mkdtemp(folder))
		return false;
	made = true;
	return data || result_ok(shop_data_open(folder, &data));
}

static struct shop_order an_order(int64_t account, const char *id, const char *key)
{
	struct shop_order order = {
		.account = account, .amount = 129000, .created = 5, .attempt = 1
	};

	(void)snprintf(order.id, sizeof order.id, "%s", id);
	(void)snprintf(order.page_key, sizeof order.page_key, "%s", key);
	(void)snprintf(order.items, sizeof order.items, "[]");
	(void)snprintf(order.card, sizeof order.card, "pm_1");
	(void)snprintf(order.brand, sizeof order.brand, "mir");
	(void)snprintf(order.last4, sizeof order.last4, "0004");
	return order;
}

TEST(an_account_is_made_once_and_keeps_its_changes)
{
	struct shop_account account;
	struct shop_account again;

	REQUIRE(open_data());
	EXPECT(shop_account_find(data, "+79000000001", &account).error == ERROR_NOT_FOUND);
	REQUIRE(result_ok(shop_account_add(data, "+79000000001", "ru", 1)));
	EXPECT(shop_account_add(data, "+79000000001", "ru", 1).error == ERROR_STATE);
	REQUIRE(result_ok(shop_account_find(data, "+79000000001", &account)));
	EXPECT(strlen(account.public) == 22);
	(void)snprintf(account.name, sizeof account.name, "Анна");
	(void)snprintf(account.customer, sizeof account.customer, "cus_1");
	REQUIRE(result_ok(shop_account_change(data, &account)));
	REQUIRE(result_ok(shop_account_get(data, account.row, &again)));
	EXPECT(strcmp(again.name, "Анна") == 0 && strcmp(again.customer, "cus_1") == 0);
}

TEST(a_session_ends_by_time_and_by_hand)
{
	struct shop_account account;
	uint8_t token[SHOP_HASH];

	REQUIRE(open_data());
	REQUIRE(result_ok(shop_account_add(data, "+79000000002", "en", 1)));
	REQUIRE(result_ok(shop_account_find(data, "+79000000002", &account)));
	shop_hash(BYTES_LITERAL("token"), token);
	REQUIRE(result_ok(shop_session_add(data, token, account.row, 100, 200)));
	EXPECT(result_ok(shop_session_find(data, token, 199, &account)));
	EXPECT(strcmp(account.phone, "+79000000002") == 0);
	EXPECT(shop_session_find(data, token, 200, &account).error == ERROR_NOT_FOUND);
	REQUIRE(result_ok(shop_session_end(data, token)));
	EXPECT(shop_session_find(data, token, 150, &account).error == ERROR_NOT_FOUND);
}

TEST(codes_are_counted_by_number_and_time)
{
	struct shop_challenge challenge = { .phone = "+79000000003", .expires = 400 };
	uint8_t id[SHOP_HASH] = { 0 };
	int64_t count = 0;
	int64_t oldest = 0;

	REQUIRE(open_data());
	for (uint8_t i = 0; i < 3; i++) {
		id[0] = i;
		REQUIRE(result_ok(shop_challenge_add(data, id, &challenge, 100 + i)));
	}
	REQUIRE(result_ok(shop_challenge_count(data, "+79000000003", 100, &count, &oldest)));
	EXPECT(count == 2 && oldest == 101);
	REQUIRE(result_ok(shop_challenge_tried(data, id)));
	REQUIRE(result_ok(shop_challenge_end_all(data, "+79000000003")));
	REQUIRE(result_ok(shop_challenge_find(data, id, &challenge)));
	EXPECT(challenge.tries == 1 && challenge.used == 1);
}

static int listed;

static void count_one(void *context, const struct shop_order *order)
{
	(void)order;
	(void)context;
	listed++;
}

TEST(an_order_belongs_to_one_account_and_one_tap)
{
	struct shop_account account;
	struct shop_order order;

	REQUIRE(open_data());
	REQUIRE(result_ok(shop_account_add(data, "+79000000004", "ru", 1)));
	REQUIRE(result_ok(shop_account_find(data, "+79000000004", &account)));
	order = an_order(account.row, "S-1", "key-1");
	REQUIRE(result_ok(shop_order_add(data, &order)));
	order = an_order(account.row, "S-2", "key-1");
	EXPECT(shop_order_add(data, &order).error == ERROR_STATE);
	EXPECT(shop_order_get(data, account.row + 1, BYTES_LITERAL("S-1"), &order).error ==
	       ERROR_NOT_FOUND);
	REQUIRE(result_ok(shop_order_by_key(data, account.row, "key-1", &order)));
	EXPECT(strcmp(order.id, "S-1") == 0 && order.state == SHOP_ORDER_PAYING);
	listed = 0;
	REQUIRE(result_ok(shop_order_open(data, 10, count_one, NULL)));
	EXPECT(listed == 1);
	order.state = SHOP_ORDER_PAID;
	(void)snprintf(order.intent, sizeof order.intent, "pi_1");
	REQUIRE(result_ok(shop_order_change(data, &order)));
	listed = 0;
	REQUIRE(result_ok(shop_order_open(data, 10, count_one, NULL)));
	EXPECT(listed == 0);
}

TEST(everything_is_still_there_after_a_restart)
{
	struct shop_account account;

	REQUIRE(open_data());
	shop_data_close(data);
	data = NULL;
	REQUIRE(open_data());
	EXPECT(result_ok(shop_account_find(data, "+79000000001", &account)));
	shop_data_close(data);
	data = NULL;
	char path[64];
	(void)snprintf(path, sizeof path, "%s/shop.db", folder);
	EXPECT(unlink(path) == 0);
	EXPECT(rmdir(folder) == 0);
}

TAP_MAIN
