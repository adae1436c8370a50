// The bank's own HTTP calls (directory server to access control server, results to the shop's
// side): POST of a JSON text, any number at a time, on the bank's loop. Connections are kept.
#pragma once

#include "base/bytes.h"

#include <uv.h>

struct outgoing;

enum outgoing_end { OUTGOING_ANSWERED, OUTGOING_NO_CONNECTION, OUTGOING_FAILED };

// `body` is what came with status 200, and empty otherwise; valid until the function returns.
typedef void (*outgoing_done)(enum outgoing_end end, struct bytes body, void *owner);

struct outgoing *outgoing_new(uv_loop_t *loop);
// Drops what is open without calling anybody; the loop must run once more to close its handles.
void outgoing_free(struct outgoing *outgoing);

// Copies the body. `done` is called once, from the loop.
void outgoing_post(struct outgoing *outgoing, const char *url, struct bytes body,
                   unsigned timeout_ms, outgoing_done done, void *owner);
