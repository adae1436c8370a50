// The keyring file as text: a first line that names the format, then one line for each version:
// number, root key in base64url, and a check value that tells a damaged line from a good one. For
// keyring.c only.
#pragma once

#include "base/result.h"
#include "base/secret.h"
#include "vault/keyring.h"

enum { VAULT_ROOT = 32 };

// The root keys, versions 1 to count, in a secret of count * VAULT_ROOT bytes.
struct vault_roots {
	size_t count;
	struct secret keys;
};

static inline uint8_t *vault_root(const struct vault_roots *roots, size_t index)
{
	return roots->keys.data + index * VAULT_ROOT;
}

// ERROR_NOT_FOUND when the folder has no keyring file. `roots->keys` is a slot that holds
// VAULT_VERSIONS_MAX * VAULT_ROOT bytes.
MUST_USE struct result vault_roots_read(int folder, struct vault_roots *roots);
// Writes a new file beside and puts it in place in one step. With `replace` false an existing file
// is never replaced (ERROR_STATE).
MUST_USE struct result vault_roots_write(int folder, const struct vault_roots *roots, bool replace);
