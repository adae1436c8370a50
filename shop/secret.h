// Random bytes, hashes and the one-time code. The only file of the shop that sees a cipher library.
#pragma once

#include "base/bytes.h"

#define SHOP_HASH 32
#define SHOP_TOKEN_TEXT 44 // 256 bits in base64url, and a zero
#define SHOP_CODE_TEXT 7   // six digits and a zero

void shop_random(void *ret_bytes, size_t length);
// A fresh unguessable text of 256 bits.
void shop_token(char ret_token[SHOP_TOKEN_TEXT]);
// Six digits, every one of the million equally likely.
void shop_code(char ret_code[SHOP_CODE_TEXT]);

void shop_hash(struct bytes text, uint8_t ret_hash[SHOP_HASH]);
// HMAC-SHA-256; a code is stored as this, under a key that is random for each code's challenge.
void shop_keyed_hash(struct bytes key, struct bytes text, uint8_t ret_hash[SHOP_HASH]);
