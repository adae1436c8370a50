// A connection's secrets in one sealed blob: which driver (by name and by digest of its program
// file) gets which parameters, and what the connection is called. Only root's command makes blobs;
// core keeps them and can name a connection, never alter one.
#pragma once

#include "base/buffer.h"
#include "vault/keyring.h"

enum {
	VAULT_CONNECTION_NAME_MAX = 64,
	VAULT_DRIVER_NAME_MAX = 64,
	VAULT_PARAMETERS_MAX = 24576,
	VAULT_GRANTS_MAX = 4096,
	VAULT_SHOWN_MAX = 2048,
	VAULT_BLOB_MAX = 32768,
};

struct vault_connection {
	char name[VAULT_CONNECTION_NAME_MAX + 1];
	char driver[VAULT_DRIVER_NAME_MAX + 1];
	uint8_t digest[CRYPTO_SHA256]; // SHA-256 of the driver's program file
	struct buffer grants;          // what the driver's sandbox lets it do (jail/foreign.h)
	struct buffer shown;           // names of the parameters that may be shown, spaces between
	struct buffer parameters;      // a JSON object on one line; secret
};

// What root's command says of a connection.
struct vault_connection_parts {
	struct bytes name, driver, grants, shown, parameters;
	const struct vault_connection *base; // what is changed; NULL: a new one
};

// Wipes. For cleanup(vault_connection_done).
void vault_connection_done(struct vault_connection *connection);

// Checks name and driver (1 to 64 of a-z, 0-9, '-', '_'; a driver's name is part of a file name)
// and parameters (a JSON object, no member twice), and fills *ret_connection. Parameters that are
// not named are taken from the base, those that are null are left out. ERROR_INPUT says what is
// wrong in a sentence for the operator.
MUST_USE struct result vault_connection_make(const struct vault_connection_parts *parts,
                                             const uint8_t digest[static CRYPTO_SHA256],
                                             struct vault_connection *ret_connection);

// Appends the parameters that may be shown, as a JSON object, and the names of the others.
void vault_connection_show(const struct vault_connection *connection, struct buffer *ret_shown,
                           struct buffer *ret_hidden);

void vault_connection_seal(const struct vault_keyring *keyring,
                           const struct vault_connection *connection, struct buffer *ret_blob);
// ERROR_CRYPTO: changed, not ours, or sealed under another name than `name`.
// vault_connection_done() is due in every case.
MUST_USE struct result vault_connection_open(const struct vault_keyring *keyring, struct bytes blob,
                                             struct bytes name,
                                             struct vault_connection *ret_connection);
