// What the files of the API share about checkout sessions.
#pragma once

#include "core/api.h"

// The PaymentIntent of a checkout session in payment mode, from line_items and payment_intent_data;
// written, and the session made ready for it. False: refused. api_checkout.c.
bool api_checkout_fill(struct api_call *call, struct session *session,
                       struct payment_intent *payment);
// The sessions whose time is over: expired, with their events. api_sessions.c.
void api_sessions_sweep(struct core *core);
// Gives both their keys, each the other's, and writes them. api_sessions.c.
void api_session_open(struct core *core, struct session *session, struct setup_intent *intent);
