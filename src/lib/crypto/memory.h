// Makes libcrypto use the wiping allocator of base/secret.h.
#pragma once

#include "base/result.h"

// To be called first in main(): ERROR_STATE once libcrypto has taken memory.
MUST_USE struct result crypto_use_wiping_memory(void);
