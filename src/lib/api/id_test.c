// Ids: what was made is read back, anything else is not, ids sort by time.
#include "api/id.h"

#include "base/tap.h"

static const uint8_t key[API_ID_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t other_key[API_ID_KEY_BYTES] = { 1, 2, 4 };

TEST(an_id_comes_back_as_its_row)
{
	const int64_t rows[] = { 1, 61, 62, 1234567890123, INT64_MAX };
	char id[API_ID_CAPACITY];
	char secret[API_SECRET_CAPACITY];
	int64_t row;

	for (int kind = 0; kind < API_ID_KINDS; kind++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			api_id_make(key, (enum api_id_kind)kind, rows[i], id);
			EXPECT(api_id_read(key, (enum api_id_kind)kind, bytes_text(id), &row) &&
			       row == rows[i]);
			api_secret_make(key, (enum api_id_kind)kind, rows[i], secret);
			EXPECT(strncmp(id, secret, strlen(id)) == 0);
			EXPECT(api_secret_read(key, (enum api_id_kind)kind, bytes_text(secret),
			                       &row) &&
			       row == rows[i]);
			EXPECT(!api_id_read(key, (enum api_id_kind)kind, bytes_text(secret), &row));
			EXPECT(!api_secret_read(key, (enum api_id_kind)kind, bytes_text(id), &row));
		}
}

TEST(every_other_text_is_refused)
{
	char id[API_ID_CAPACITY];
	int64_t row;

	api_id_make(key, API_ID_CUSTOMER, 77, id);
	EXPECT(!api_id_read(other_key, API_ID_CUSTOMER, bytes_text(id), &row) && row == 0);
	EXPECT(!api_id_read(key, API_ID_CHARGE, bytes_text(id), &row));
	for (size_t i = 0; id[i]; i++) {
		char was = id[i];
		id[i] = was == 'x' ? 'y' : 'x';
		EXPECT(!api_id_read(key, API_ID_CUSTOMER, bytes_text(id), &row));
		id[i] = '\xff';
		EXPECT(!api_id_read(key, API_ID_CUSTOMER, bytes_text(id), &row));
		id[i] = was;
		EXPECT(!api_id_read(key, API_ID_CUSTOMER, bytes_from(id, i), &row));
	}
	EXPECT(!api_id_read(key, API_ID_CUSTOMER, bytes_text("cus_zzzzzzzzzzzzzzzzzzzzzz"), &row));
	EXPECT(!api_id_read(key, API_ID_CUSTOMER, bytes_text("cus_0000000000000000000000"), &row));
	EXPECT(!api_id_read(key, API_ID_CUSTOMER, BYTES_NONE, &row));
}

TEST(ids_sort_by_time_and_sessions_are_secrets)
{
	char first[API_ID_CAPACITY];
	char second[API_ID_CAPACITY];

	for (int64_t row = 1; row < INT64_MAX / 8; row *= 7) {
		api_id_make(key, API_ID_EVENT, row, first);
		api_id_make(key, API_ID_EVENT, row + 1, second);
		EXPECT(strcmp(first, second) < 0);
	}
	api_id_make(key, API_ID_SESSION_TEST, 5, first);
	EXPECT(strlen(first) == strlen("cs_test_") + 11 + 22);
	api_id_make(key, API_ID_CUSTOMER, 5, first);
	EXPECT(strlen(first) == strlen("cus_") + 22);
}

// Many more than are kept, each twice, so that they take each other's places.
TEST(ids_that_are_kept_are_as_they_are_made)
{
	static struct api_ids ids;
	char kept[API_SECRET_CAPACITY], made[API_SECRET_CAPACITY];
	int wrong = 0;

	for (int64_t row = 1; row < 4 * API_IDS_KEPT; row++)
		for (int i = 0; i < 8; i++) {
			enum api_id_kind kind = i & 2 ? API_ID_CHARGE : API_ID_PAYMENT_INTENT;
			bool secret = i & 1;
			memset(made, 0, sizeof(made));
			if (secret)
				api_secret_make(key, kind, row, made);
			else
				api_id_make(key, kind, row, made);
			api_ids_make(&ids, key, kind, secret, row, kept);
			wrong += strcmp(kept, made) != 0;
			api_ids_make(NULL, key, kind, secret, row, kept);
			wrong += strcmp(kept, made) != 0;
		}
	EXPECT(wrong == 0);
}

TAP_MAIN
