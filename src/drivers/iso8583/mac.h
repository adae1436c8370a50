// Message authentication codes in the last field of a message (DE64, or DE128 when there are fields
// above 64), over all bytes of the message before it.
#pragma once

#include "parameters.h"

#include "iso8583/codec.h"

struct mac;

// NULL when the connection has none. For mac_free(), which accepts NULL.
struct mac *mac_new(const struct parameters *parameters);
void mac_free(struct mac *mac);

// Does a message of this type carry one?
bool mac_wanted(const struct parameters *parameters, const char mti[static 4]);
// Adds the field, empty, before the message is packed; mac_put() fills it in afterwards.
void mac_reserve(const struct iso8583_dialect *dialect, struct iso8583_message *message);
void mac_put(struct mac *mac, const struct iso8583_dialect *dialect,
             const struct iso8583_message *message, uint8_t *wire, size_t length);
// Is the code of a message that came right? NULL, or one sentence that says what is wrong.
const char *mac_check(struct mac *mac, const struct iso8583_dialect *dialect,
                      const struct iso8583_message *message, struct bytes wire);
