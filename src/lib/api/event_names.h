// The names of events that a webhook endpoint may ask for.
#pragma once

#include "base/bytes.h"

// True for `*` and for every name of event_names.def, also those that onfile never sends.
bool api_is_event_name(struct bytes name);
