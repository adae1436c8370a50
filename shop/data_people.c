// Rows of people: accounts, sessions, sign-in codes.
#include "data_rows.h"

static void read_account(sqlite3_stmt *row, struct shop_account *ret_account)
{
	ret_account->row = sqlite3_column_int64(row, 0);
	shop_column_text(row, 1, ret_account->public, sizeof ret_account->public);
	shop_column_text(row, 2, ret_account->phone, sizeof ret_account->phone);
	shop_column_text(row, 3, ret_account->name, sizeof ret_account->name);
	shop_column_text(row, 4, ret_account->language, sizeof ret_account->language);
	shop_column_text(row, 5, ret_account->customer, sizeof ret_account->customer);
	ret_account->created = sqlite3_column_int64(row, 6);
}

static struct result one_account(sqlite3_stmt *statement, struct shop_account *ret_account)
{
	TRY(shop_data_row(statement));
	read_account(statement, ret_account);
	sqlite3_reset(statement);
	return RESULT_OK;
}

struct result shop_account_find(struct shop_data *data, const char *phone,
                                struct shop_account *ret_account)
{
	sqlite3_stmt *statement = shop_data_start(data, ACCOUNT_BY_PHONE);

	shop_bind_text(statement, 1, bytes_text(phone));
	return one_account(statement, ret_account);
}

struct result shop_account_get(struct shop_data *data, int64_t row,
                               struct shop_account *ret_account)
{
	sqlite3_stmt *statement = shop_data_start(data, ACCOUNT_BY_ROW);

	shop_bind_number(statement, 1, row);
	return one_account(statement, ret_account);
}

struct result shop_account_add(struct shop_data *data, const char *phone, const char *language,
                               int64_t now)
{
	char public[SHOP_TOKEN_TEXT];
	sqlite3_stmt *statement = shop_data_start(data, ACCOUNT_ADD);

	shop_token(public);
	public[22] = 0; // 132 bits are enough for what is a name, not a secret
	shop_bind_text(statement, 1, bytes_text(public));
	shop_bind_text(statement, 2, bytes_text(phone));
	shop_bind_text(statement, 3, bytes_text(language));
	shop_bind_number(statement, 4, now);
	return shop_data_run(statement);
}

struct result shop_account_change(struct shop_data *data, const struct shop_account *account)
{
	sqlite3_stmt *statement = shop_data_start(data, ACCOUNT_CHANGE);

	shop_bind_text(statement, 1, bytes_text(account->name));
	shop_bind_text(statement, 2, bytes_text(account->language));
	shop_bind_text(statement, 3, bytes_text(account->customer));
	shop_bind_number(statement, 4, account->row);
	return shop_data_run(statement);
}

struct result shop_session_find(struct shop_data *data, const uint8_t token[SHOP_HASH], int64_t now,
                                struct shop_account *ret_account)
{
	sqlite3_stmt *statement = shop_data_start(data, SESSION_FIND);

	shop_bind_hash(statement, 1, token);
	shop_bind_number(statement, 2, now);
	return one_account(statement, ret_account);
}

struct result shop_session_add(struct shop_data *data, const uint8_t token[SHOP_HASH],
                               int64_t account, int64_t now, int64_t expires)
{
	sqlite3_stmt *statement = shop_data_start(data, SESSION_ADD);

	shop_bind_hash(statement, 1, token);
	shop_bind_number(statement, 2, account);
	shop_bind_number(statement, 3, now);
	shop_bind_number(statement, 4, expires);
	return shop_data_run(statement);
}

struct result shop_session_end(struct shop_data *data, const uint8_t token[SHOP_HASH])
{
	sqlite3_stmt *statement = shop_data_start(data, SESSION_END);

	shop_bind_hash(statement, 1, token);
	return shop_data_run(statement);
}

struct result shop_challenge_add(struct shop_data *data, const uint8_t id[SHOP_HASH],
                                 const struct shop_challenge *challenge, int64_t now)
{
	sqlite3_stmt *statement = shop_data_start(data, CHALLENGE_ADD);

	shop_bind_hash(statement, 1, id);
	shop_bind_text(statement, 2, bytes_text(challenge->phone));
	shop_bind_hash(statement, 3, challenge->key);
	shop_bind_hash(statement, 4, challenge->code);
	shop_bind_number(statement, 5, now);
	shop_bind_number(statement, 6, challenge->expires);
	return shop_data_run(statement);
}

struct result shop_challenge_find(struct shop_data *data, const uint8_t id[SHOP_HASH],
                                  struct shop_challenge *ret_challenge)
{
	sqlite3_stmt *statement = shop_data_start(data, CHALLENGE_FIND);

	shop_bind_hash(statement, 1, id);
	TRY(shop_data_row(statement));
	shop_column_text(statement, 0, ret_challenge->phone, sizeof ret_challenge->phone);
	shop_column_hash(statement, 1, ret_challenge->key);
	shop_column_hash(statement, 2, ret_challenge->code);
	ret_challenge->expires = sqlite3_column_int64(statement, 3);
	ret_challenge->tries = sqlite3_column_int64(statement, 4);
	ret_challenge->used = sqlite3_column_int64(statement, 5);
	sqlite3_reset(statement);
	return RESULT_OK;
}

struct result shop_challenge_tried(struct shop_data *data, const uint8_t id[SHOP_HASH])
{
	sqlite3_stmt *statement = shop_data_start(data, CHALLENGE_TRIED);

	shop_bind_hash(statement, 1, id);
	return shop_data_run(statement);
}

struct result shop_challenge_end_all(struct shop_data *data, const char *phone)
{
	sqlite3_stmt *statement = shop_data_start(data, CHALLENGE_END_ALL);

	shop_bind_text(statement, 1, bytes_text(phone));
	return shop_data_run(statement);
}

struct result shop_challenge_count(struct shop_data *data, const char *phone, int64_t since,
                                   int64_t *ret_count, int64_t *ret_oldest)
{
	sqlite3_stmt *statement = shop_data_start(data, CHALLENGE_COUNT);

	shop_bind_text(statement, 1, bytes_text(phone));
	shop_bind_number(statement, 2, since);
	TRY(shop_data_row(statement));
	*ret_count = sqlite3_column_int64(statement, 0);
	*ret_oldest = sqlite3_column_int64(statement, 1);
	sqlite3_reset(statement);
	return RESULT_OK;
}
