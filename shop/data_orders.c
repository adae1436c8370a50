// Rows of orders, of links that were begun and of cards that are about to go.
#include "data_rows.h"

static void read_order(sqlite3_stmt *row, struct shop_order *ret_order)
{
	shop_column_text(row, 0, ret_order->id, sizeof ret_order->id);
	ret_order->account = sqlite3_column_int64(row, 1);
	shop_column_text(row, 2, ret_order->page_key, sizeof ret_order->page_key);
	shop_column_text(row, 3, ret_order->items, sizeof ret_order->items);
	ret_order->amount = sqlite3_column_int64(row, 4);
	ret_order->created = sqlite3_column_int64(row, 5);
	ret_order->paid = sqlite3_column_int64(row, 6);
	ret_order->state = (enum shop_order_state)sqlite3_column_int(row, 7);
	ret_order->attempt = sqlite3_column_int64(row, 8);
	shop_column_text(row, 9, ret_order->card, sizeof ret_order->card);
	shop_column_text(row, 10, ret_order->brand, sizeof ret_order->brand);
	shop_column_text(row, 11, ret_order->last4, sizeof ret_order->last4);
	shop_column_text(row, 12, ret_order->intent, sizeof ret_order->intent);
	shop_column_text(row, 13, ret_order->action, sizeof ret_order->action);
	shop_column_text(row, 14, ret_order->error, sizeof ret_order->error);
}

static struct result one_order(sqlite3_stmt *statement, struct shop_order *ret_order)
{
	TRY(shop_data_row(statement));
	read_order(statement, ret_order);
	sqlite3_reset(statement);
	return RESULT_OK;
}

struct result shop_order_add(struct shop_data *data, const struct shop_order *order)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_ADD);

	shop_bind_text(statement, 1, bytes_text(order->id));
	shop_bind_number(statement, 2, order->account);
	shop_bind_text(statement, 3, bytes_text(order->page_key));
	shop_bind_text(statement, 4, bytes_text(order->items));
	shop_bind_number(statement, 5, order->amount);
	shop_bind_number(statement, 6, order->created);
	shop_bind_number(statement, 7, order->state);
	shop_bind_number(statement, 8, order->attempt);
	shop_bind_text(statement, 9, bytes_text(order->card));
	shop_bind_text(statement, 10, bytes_text(order->brand));
	shop_bind_text(statement, 11, bytes_text(order->last4));
	return shop_data_run(statement);
}

struct result shop_order_get(struct shop_data *data, int64_t account, struct bytes id,
                             struct shop_order *ret_order)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_GET);

	shop_bind_number(statement, 1, account);
	shop_bind_text(statement, 2, id);
	return one_order(statement, ret_order);
}

struct result shop_order_by_key(struct shop_data *data, int64_t account, const char *key,
                                struct shop_order *ret_order)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_BY_KEY);

	shop_bind_number(statement, 1, account);
	shop_bind_text(statement, 2, bytes_text(key));
	return one_order(statement, ret_order);
}

static struct result each_order(sqlite3_stmt *statement,
                                void (*each)(void *context, const struct shop_order *order),
                                void *context)
{
	struct shop_order order;

	for (;;) {
		struct result result = shop_data_row(statement);
		if (!result_ok(result))
			return result.error == ERROR_NOT_FOUND ? RESULT_OK : result;
		read_order(statement, &order);
		each(context, &order);
	}
}

struct result shop_order_list(struct shop_data *data, int64_t account, int64_t limit,
                              void (*each)(void *context, const struct shop_order *order),
                              void *context)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_LIST);

	shop_bind_number(statement, 1, account);
	shop_bind_number(statement, 2, limit);
	return each_order(statement, each, context);
}

struct result shop_order_open(struct shop_data *data, int64_t limit,
                              void (*each)(void *context, const struct shop_order *order),
                              void *context)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_OPEN);

	shop_bind_number(statement, 1, limit);
	return each_order(statement, each, context);
}

struct result shop_order_change(struct shop_data *data, const struct shop_order *order)
{
	sqlite3_stmt *statement = shop_data_start(data, ORDER_CHANGE);

	shop_bind_number(statement, 1, order->paid);
	shop_bind_number(statement, 2, order->state);
	shop_bind_number(statement, 3, order->attempt);
	shop_bind_text(statement, 4, bytes_text(order->card));
	shop_bind_text(statement, 5, bytes_text(order->brand));
	shop_bind_text(statement, 6, bytes_text(order->last4));
	shop_bind_text(statement, 7, bytes_text(order->intent));
	shop_bind_text(statement, 8, bytes_text(order->action));
	shop_bind_text(statement, 9, bytes_text(order->error));
	shop_bind_text(statement, 10, bytes_text(order->id));
	return shop_data_run(statement);
}

struct result shop_link_add(struct shop_data *data, const char *session, int64_t account,
                            const char *next, int64_t now)
{
	sqlite3_stmt *statement = shop_data_start(data, LINK_ADD);

	shop_bind_text(statement, 1, bytes_text(session));
	shop_bind_number(statement, 2, account);
	shop_bind_text(statement, 3, bytes_text(next));
	shop_bind_number(statement, 4, now);
	return shop_data_run(statement);
}

struct result shop_link_find(struct shop_data *data, struct bytes session, int64_t account,
                             char ret_next[SHOP_LINK_TEXT])
{
	sqlite3_stmt *statement = shop_data_start(data, LINK_FIND);

	shop_bind_text(statement, 1, session);
	shop_bind_number(statement, 2, account);
	TRY(shop_data_row(statement));
	shop_column_text(statement, 0, ret_next, SHOP_LINK_TEXT);
	sqlite3_reset(statement);
	return RESULT_OK;
}
