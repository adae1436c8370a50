// The frame of everything that the vault seals for somebody else to keep: one byte that names the
// format, the key version (four bytes, big-endian), the sealed text. Format and version are part of
// what is authenticated. For card.c and connection.c.
#pragma once

#include "vault/keyring.h"

enum { VAULT_RECORD_HEAD = 5, VAULT_RECORD_OVERHEAD = VAULT_RECORD_HEAD + CRYPTO_SEAL_OVERHEAD };

enum vault_format { VAULT_FORMAT_CARD = 1, VAULT_FORMAT_CONNECTION = 2 };

void vault_record_seal(const struct vault_keyring *keyring, enum vault_format format,
                       struct bytes plain, struct bytes associated, struct buffer *ret_record);
// Writes record.length - VAULT_RECORD_OVERHEAD bytes. ERROR_CRYPTO for whatever is wrong.
MUST_USE struct result vault_record_open(const struct vault_keyring *keyring,
                                         enum vault_format format, struct bytes record,
                                         struct bytes associated, uint8_t *ret_plain);
