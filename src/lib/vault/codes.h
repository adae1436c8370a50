// The card codes (CVC) that wait for their one use, by the card's handle: in locked memory only,
// each with a deadline, wiped when it is used, forgotten, past its deadline, or pushed out because
// the table is full (the oldest goes first). Times are the caller's, in milliseconds of any clock
// that does not go back.
#pragma once

#include "base/secret.h"
#include "vault/card.h"

enum { VAULT_CODE_LIFE_MS = 30 * 60 * 1000 };

struct vault_codes;

MUST_USE struct result vault_codes_new(size_t capacity, struct vault_codes **ret_codes);
// Wipes. Accepts NULL.
void vault_codes_free(struct vault_codes *codes);

// Deadlines must not decrease from call to call. A handle is put once.
void vault_codes_put(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE],
                     struct bytes code, int64_t deadline_ms);
// Copies the code into a secret (taken from `pool`) and wipes it in the table. False when there is
// none, or when it is past its deadline.
bool vault_codes_take(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE],
                      int64_t now_ms, struct secret_pool *pool, struct secret *ret_code);
void vault_codes_forget(struct vault_codes *codes, const uint8_t handle[static VAULT_HANDLE]);
// Wipes what is past its deadline.
void vault_codes_expire(struct vault_codes *codes, int64_t now_ms);

size_t vault_codes_count(const struct vault_codes *codes);
// The deadline of the oldest code; INT64_MAX when there is none.
int64_t vault_codes_next_deadline(const struct vault_codes *codes);
