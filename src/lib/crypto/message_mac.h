// Message authentication codes of banks' lines, eight bytes each. A retail MAC: ANSI X9.19 (ISO
// 9797-1, algorithm 3 with DES, padding with zeros). AES-CMAC: RFC 4493 (NIST SP 800-38B), its
// first eight bytes.
#pragma once

#include "base/bytes.h"

#define CRYPTO_MESSAGE_MAC 8

enum crypto_message_mac_kind { CRYPTO_RETAIL_MAC, CRYPTO_AES_CMAC };

struct crypto_message_mac;

// A key of 16 bytes for a retail MAC, of 16, 24 or 32 for AES-CMAC; anything else is a programmer's
// error.
struct crypto_message_mac *crypto_message_mac_new(enum crypto_message_mac_kind kind,
                                                  struct bytes key);
// Wipes the key. Accepts NULL.
void crypto_message_mac_free(struct crypto_message_mac *mac);
void crypto_message_mac(struct crypto_message_mac *mac, struct bytes message,
                        uint8_t ret_mac[static CRYPTO_MESSAGE_MAC]);
