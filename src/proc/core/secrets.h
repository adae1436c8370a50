// Secrets of webhooks, to be shown: asked from courier, which derives them; kept nowhere.
#pragma once

#include "core/core.h"

// Asks courier for a secret (`purpose`: enum webhook_purpose of webhook/sign.h). `done` is called
// in a later turn, with NULL when courier ended meanwhile. False: courier is away, and `done` will
// not be called.
typedef void secret_done(struct core *core, void *owner, const char *secret);
bool secrets_ask(struct core *core, int purpose, int64_t id, int version, secret_done *done,
                 void *owner);
// Courier's answer.
void secrets_message(struct core *core, const struct wire_message *message);
// Courier is gone.
void secrets_lost(struct core *core);
