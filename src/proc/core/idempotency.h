// Idempotency-Key: the first answer to a key is kept and given again, byte for byte. The commit
// that starts the work claims the key, the commit that ends it keeps the answer; what was refused
// before anything started, 409 and 429 are not kept. While the first request runs, others with its
// key wait for it. After a restart the next request with the key takes up the work where it stands.
#pragma once

#include "base/bytes.h"

#include <stdbool.h>

struct api_call;
struct core;

// Looks at the key of a POST. True: the call is to be handled now (perhaps resumed); false: it was
// answered, or it waits for the first.
bool idempotency_begin(struct api_call *call);
// Claims the key for work on `call->intent` that ends later.
void idempotency_claim(struct api_call *call);
// The answer is to be kept. `forget`: it is not, and a claim is given back, unless the call has
// made something that must not be made twice.
void idempotency_end(struct api_call *call, int status, struct bytes body, bool forget);
// Drops old answers, a little at a time.
void idempotency_sweep(struct core *core);
