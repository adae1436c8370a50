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

// How many bytes of the code the dialect has room for: its first ones.
static size_t length_of(const struct iso8583_dialect *dialect, int field)
{
	uint32_t max = dialect->fields[field].max;

	return max < CRYPTO_MESSAGE_MAC ? max : CRYPTO_MESSAGE_MAC;
}

// How many bytes of the wire they are.
static size_t width_of(const struct iso8583_dialect *dialect, int field)
{
	size_t length = length_of(dialect, field);

	return dialect->fields[field].encoding == ISO8583_BINARY ? length : 2 * length;
}

void mac_reserve(const struct iso8583_dialect *dialect, struct iso8583_message *message)
{
	int field = has_high_fields(message) ? HIGH : LOW;

	iso8583_unset(message, LOW);
	iso8583_set(message, field, bytes_from(nothing, length_of(dialect, field)));
}

static int field_of(const struct iso8583_message *message)
{
	return iso8583_has(message, HIGH) ? HIGH : LOW;
}

void mac_put(struct mac *mac, const struct iso8583_dialect *dialect,
             const struct iso8583_message *message, uint8_t *wire, size_t length)
{
	int field = field_of(message);
	size_t width = width_of(dialect, field), code_length = length_of(dialect, field);
	uint8_t code[CRYPTO_MESSAGE_MAC];
	uint8_t *to = wire + length - width;

	crypto_message_mac((struct crypto_message_mac *)mac, bytes_from(wire, length - width),
	                   code);
	if (width == code_length) {
		memcpy(to, code, code_length);
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
	size_t code_length = length_of(dialect, field);
	uint8_t code[CRYPTO_MESSAGE_MAC];

	if (!iso8583_has(message, field) || iso8583_get(message, field).length != code_length)
		return "the bank's answer has no MAC";
	if (message->offsets[field] + width != wire.length)
		return "the bank's answer has fields behind its MAC";
	crypto_message_mac((struct crypto_message_mac *)mac,
	                   bytes_slice(wire, 0, wire.length - width), code);
	return bytes_equal_constant_time(iso8583_get(message, field), bytes_from(code, code_length))
	               ? NULL
	               : "the MAC of the bank's answer is wrong";
}
