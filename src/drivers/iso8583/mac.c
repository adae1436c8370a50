// Where the code is in a message, and what it covers. The codes themselves: crypto/message_mac.h.
#include "mac.h"

#include "crypto/message_mac.h"

#include <string.h>

enum { LOW = 64, HIGH = 128 };

static const uint8_t nothing[CRYPTO_MESSAGE_MAC];

struct mac *mac_new(const struct parameters *parameters)
{
	struct bytes key = bytes_from(parameters->mac_key, parameters->mac_key_length);

	if (parameters->mac == MAC_NONE)
		return NULL;
	return (struct mac *)crypto_message_mac_new(
	        parameters->mac == MAC_RETAIL ? CRYPTO_RETAIL_MAC : CRYPTO_AES_CMAC, key);
}

void mac_free(struct mac *mac)
{
	crypto_message_mac_free((struct crypto_message_mac *)mac);
}

bool mac_wanted(const struct parameters *parameters, const char mti[static 4])
{
	return parameters->mac != MAC_NONE && (mti[1] != '8' || parameters->mac_network);
}

static bool has_high_fields(const struct iso8583_message *message)
{
	return message->present[1] != 0 || message->present[2] != 0;
}

void mac_reserve(struct iso8583_message *message)
{
	iso8583_unset(message, LOW);
	iso8583_set(message, has_high_fields(message) ? HIGH : LOW, BYTES_ARRAY(nothing));
}

// How many bytes of the wire the code itself is.
static size_t width_of(const struct iso8583_dialect *dialect, int field)
{
	return dialect->fields[field].encoding == ISO8583_BINARY ? CRYPTO_MESSAGE_MAC
	                                                         : 2 * CRYPTO_MESSAGE_MAC;
}

static int field_of(const struct iso8583_message *message)
{
	return iso8583_has(message, HIGH) ? HIGH : LOW;
}

void mac_put(struct mac *mac, const struct iso8583_dialect *dialect,
             const struct iso8583_message *message, uint8_t *wire, size_t length)
{
	size_t width = width_of(dialect, field_of(message));
	uint8_t code[CRYPTO_MESSAGE_MAC];
	uint8_t *to = wire + length - width;

	crypto_message_mac((struct crypto_message_mac *)mac, bytes_from(wire, length - width),
	                   code);
	if (width == sizeof code) {
		memcpy(to, code, sizeof code);
		return;
	}
	for (size_t i = 0; i < width; i++)
		to[i] = (uint8_t) "0123456789ABCDEF"[i % 2 ? code[i / 2] & 15 : code[i / 2] >> 4];
}

const char *mac_check(struct mac *mac, const struct iso8583_dialect *dialect,
                      const struct iso8583_message *message, struct bytes wire)
{
	int field = field_of(message);
	size_t width = width_of(dialect, field);
	uint8_t code[CRYPTO_MESSAGE_MAC];

	if (!iso8583_has(message, field) || iso8583_get(message, field).length != sizeof code)
		return "the bank's answer has no MAC";
	if (message->offsets[field] + width != wire.length)
		return "the bank's answer has fields behind its MAC";
	crypto_message_mac((struct crypto_message_mac *)mac,
	                   bytes_slice(wire, 0, wire.length - width), code);
	return bytes_equal_constant_time(iso8583_get(message, field), BYTES_ARRAY(code))
	               ? NULL
	               : "the MAC of the bank's answer is wrong";
}
