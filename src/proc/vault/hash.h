// The digest of a program file that came as a descriptor: vault opens no file itself.
#pragma once

#include "base/result.h"
#include "crypto/mac.h"

// ERROR_SYSTEM, ERROR_LIMIT (over 256 MiB).
MUST_USE struct result vault_hash_file(int file, uint8_t ret_digest[static CRYPTO_SHA256]);
