// The ids and secrets that merchants and shoppers see, made from row keys: a prefix, the row key as
// 11 base62 digits (so that ids sort by time), and a tag, an HMAC-SHA-256 of prefix and row key
// under a key that only core has. Nothing but the row key is stored; a made-up id is refused before
// the database is asked. Tags of ids that are secrets themselves (checkout sessions,
// payment-methods pages) and of client secrets have 128 bits, those of other ids 64.
#pragma once

#include "base/bytes.h"

enum api_id_kind {
	API_ID_CUSTOMER,
	API_ID_PAYMENT_METHOD,
	API_ID_SETUP_INTENT,
	API_ID_SETUP_ATTEMPT,
	API_ID_PAYMENT_INTENT,
	API_ID_CHARGE,
	API_ID_REFUND,
	API_ID_SESSION_TEST,
	API_ID_SESSION_LIVE,
	API_ID_PORTAL,
	API_ID_CUSTOMER_SESSION,
	API_ID_EVENT,
	API_ID_REQUEST,
	API_ID_WEBHOOK,
	API_ID_KINDS
};

enum {
	API_ID_KEY_BYTES = 32,
	API_ID_CAPACITY = 48,     // an id and its zero
	API_SECRET_CAPACITY = 80, // a client secret and its zero
};

// Writes the id of row `row` (above 0).
void api_id_make(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind, int64_t row,
                 char ret_id[static API_ID_CAPACITY]);
// The row of an id that api_id_make() has made with this key and kind. Takes the same time whatever
// the tag is.
bool api_id_read(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind,
                 struct bytes text, int64_t *ret_row);

// The same for client secrets of intents: `<id>_secret_<22 digits>`.
void api_secret_make(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind, int64_t row,
                     char ret_secret[static API_SECRET_CAPACITY]);
bool api_secret_read(const uint8_t key[static API_ID_KEY_BYTES], enum api_id_kind kind,
                     struct bytes text, int64_t *ret_row);

// Ids and secrets that were made last: what a turn shows in its events and its answer is made once.
// All of them are made with one key. All zero is empty.
enum { API_IDS_KEPT = 256 };
struct api_ids {
	struct {
		int64_t row; // 0: free
		enum api_id_kind kind;
		bool secret;
		char text[API_SECRET_CAPACITY];
	} kept[API_IDS_KEPT];
};
// As api_id_make() or api_secret_make(). `ids` may be NULL: then it is made.
void api_ids_make(struct api_ids *ids, const uint8_t key[static API_ID_KEY_BYTES],
                  enum api_id_kind kind, bool secret, int64_t row,
                  char ret_text[static API_SECRET_CAPACITY]);

// "cus_", …
const char *api_id_prefix(enum api_id_kind kind);
