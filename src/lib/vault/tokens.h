// Test tokens: names for cards, so that a merchant's tests need no shopper who types one. For
// servers in test mode only; whoever asks decides that.
#pragma once

#include "vault/card.h"

// A new card of the number that this token (`pm_card_visa`, `tok_visa`) stands for, good until this
// month of next year, with its code. ERROR_INPUT: there is no such token. ERROR_LIMIT,
// ERROR_SYSTEM: `cards` has no room.
MUST_USE struct result vault_token_card(struct bytes token, int64_t now_ms,
                                        struct secret_pool *cards, struct vault_card *ret_card);
