// The master key that all webhook secrets are derived from: the file `webhooks` beside vault's
// keyring, made at the first start.
#pragma once

#include "webhook/sign.h"

#include "base/result.h"

// Reads the key, makes it when there is none. `folder` is the folder of the keys; the file is
// readable by who made it only (root, where root starts the programs), so this comes before rights
// are given up.
MUST_USE struct result master_open(int folder, uint8_t ret_master[static WEBHOOK_MASTER_BYTES]);
