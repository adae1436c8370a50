// Ids from row keys and back.
#include "api/id.h"

#include "base/buffer.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/mac.h"

enum { ROW_DIGITS = 11, TAG_DIGITS = 11 };

_Static_assert(API_IDS_KEPT == 256, "a place is a byte of a hash");

static const struct {
	const char *prefix;
	bool secret;
} kinds[API_ID_KINDS] = {
	[API_ID_CUSTOMER] = { "cus_", false },
	[API_ID_PAYMENT_METHOD] = { "pm_", false },
	[API_ID_SETUP_INTENT] = { "seti_", false },
	[API_ID_SETUP_ATTEMPT] = { "setatt_", false },
	[API_ID_PAYMENT_INTENT] = { "pi_", false },
	[API_ID_CHARGE] = { "ch_", false },
	[API_ID_REFUND] = { "re_", false },
	[API_ID_SESSION_TEST] = { "cs_test_", true },
	[API_ID_SESSION_LIVE] = { "cs_live_", true },
	[API_ID_EVENT] = { "evt_", false },
	[API_ID_REQUEST] = { "req_", false },
	[API_ID_WEBHOOK] = { "we_", false },
	[API_ID_PORTAL] = { "bps_", true },
	[API_ID_CUSTOMER_SESSION] = { "cuss_", false },
};

const char *api_id_prefix(enum api_id_kind kind)
{
	return kinds[kind].prefix;
}

static uint64_t big_endian(const uint8_t bytes[static 8])
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return number;
}

// Appends `words` times 11 digits of HMAC(key, purpose prefix 0 row).
static void put_tag(struct buffer *text, const uint8_t *key, const char *purpose,
                    enum api_id_kind kind, int64_t row, int words)
{
	uint8_t tag[CRYPTO_SHA256];
	uint8_t input[40] = { 0 };
	size_t length = 0;

	for (const char *part = purpose; *part; part++)
		input[length++] = (uint8_t)*part;
	for (const char *part = kinds[kind].prefix; *part; part++)
		input[length++] = (uint8_t)*part;
	length++;
	for (int shift = 56; shift >= 0; shift -= 8)
		input[length++] = (uint8_t)((uint64_t)row >> shift);
	crypto_hmac(bytes_from(key, API_ID_KEY_BYTES), bytes_from(input, length), tag);
	for (int i = 0; i < words; i++)
		base62_put(text, big_endian(tag + (size_t)i * 8), TAG_DIGITS);
}

static void put_id(struct buffer *text, const uint8_t *key, enum api_id_kind kind, int64_t row)
{
	buffer_put_text(text, kinds[kind].prefix);
	base62_put(text, (uint64_t)row, ROW_DIGITS);
	put_tag(text, key, "id:", kind, row, kinds[kind].secret ? 2 : 1);
}

static void put_secret(struct buffer *text, const uint8_t *key, enum api_id_kind kind, int64_t row)
{
	put_id(text, key, kind, row);
	buffer_put_text(text, "_secret_");
	put_tag(text, key, "secret:", kind, row, 2);
}

typedef void put_function(struct buffer *text, const uint8_t *key, enum api_id_kind kind,
                          int64_t row);

static void make(put_function *put, const uint8_t *key, enum api_id_kind kind, int64_t row,
                 char *ret_text, size_t capacity)
{
	struct buffer text;

	CHECK(row > 0);
	buffer_init(&text, capacity);
	put(&text, key, kind, row);
	CHECK(bytes_copy_text(buffer_view(&text), ret_text, capacity));
	buffer_done(&text);
}

// Reads the row, makes what it should look like, and compares.
static bool read(put_function *put, const uint8_t *key, enum api_id_kind kind, struct bytes text,
                 int64_t *ret_row)
{
	size_t prefix = strlen(kinds[kind].prefix);
	uint64_t row;
	struct buffer expected;

	*ret_row = 0;
	if (text.length > API_SECRET_CAPACITY || !bytes_start_with(text, kinds[kind].prefix))
		return false;
	struct bytes digits = bytes_slice(text, prefix, ROW_DIGITS);
	if (digits.length != ROW_DIGITS || !base62_read(digits, &row) || row == 0 ||
	    row > INT64_MAX)
		return false;
	buffer_init(&expected, API_SECRET_CAPACITY);
	put(&expected, key, kind, (int64_t)row);
	bool same = bytes_equal_constant_time(buffer_view(&expected), text);
	buffer_done(&expected);
	if (same)
		*ret_row = (int64_t)row;
	return same;
}

void api_id_make(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind, int64_t row,
                 char ret_id[static API_ID_CAPACITY])
{
	make(put_id, key, kind, row, ret_id, API_ID_CAPACITY);
}

bool api_id_read(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind,
                 struct bytes text, int64_t *ret_row)
{
	return read(put_id, key, kind, text, ret_row);
}

void api_secret_make(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind, int64_t row,
                     char ret_secret[static API_SECRET_CAPACITY])
{
	make(put_secret, key, kind, row, ret_secret, API_SECRET_CAPACITY);
}

bool api_secret_read(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind,
                     struct bytes text, int64_t *ret_row)
{
	return read(put_secret, key, kind, text, ret_row);
}

void api_ids_make(struct api_ids *ids, const uint8_t key[static API_ID_KEY_BYTES],
                  enum api_id_kind kind, bool secret, int64_t row,
                  char ret_text[static API_SECRET_CAPACITY])
{
	uint64_t name = ((uint64_t)row * 2 + secret) * 31 + kind;
	size_t place = name * 0x9e3779b97f4a7c15u >> 56;

	if (ids && ids->kept[place].row == row && ids->kept[place].kind == kind &&
	    ids->kept[place].secret == secret) {
		memcpy(ret_text, ids->kept[place].text, API_SECRET_CAPACITY);
		return;
	}
	make(secret ? put_secret : put_id, key, kind, row, ret_text, API_SECRET_CAPACITY);
	if (!ids)
		return;
	ids->kept[place].row = row;
	ids->kept[place].kind = kind;
	ids->kept[place].secret = secret;
	memcpy(ids->kept[place].text, ret_text, API_SECRET_CAPACITY);
}
