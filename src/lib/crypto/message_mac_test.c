// Published vectors: RFC 4493 section 4, and the annex of ISO 9797-1 (algorithm 3, padding 1).
#include "crypto/message_mac.h"

#include "base/tap.h"
#include "base/text.h"

#include <string.h>

static bool gives(enum crypto_message_mac_kind kind, const char *key_hex, struct bytes message,
                  const char *mac_hex)
{
	uint8_t key[32], expected[8], found[2][8];
	struct bytes text = bytes_text(key_hex);

	if (!hex_read(text, key, text.length / 2) || !hex_read(bytes_text(mac_hex), expected, 8))
		return false;
	struct crypto_message_mac *mac =
	        crypto_message_mac_new(kind, bytes_from(key, text.length / 2));
	crypto_message_mac(mac, message, found[0]);
	crypto_message_mac(mac, message, found[1]); // nothing is left of the first
	crypto_message_mac_free(mac);
	return memcmp(found[0], expected, 8) == 0 && memcmp(found[1], expected, 8) == 0;
}

TEST(retail_mac)
{
	const char *key = "0123456789abcdeffedcba9876543210";

	EXPECT(gives(CRYPTO_RETAIL_MAC, key, BYTES_LITERAL("Now is the time for all "),
	             "a1c72e74ea3fa9b6"));
	EXPECT(gives(CRYPTO_RETAIL_MAC, key, BYTES_LITERAL("Now is the time for it"),
	             "2e2b1428cc78254f"));
	EXPECT(!gives(CRYPTO_RETAIL_MAC, key, BYTES_LITERAL("Now is the time for all."),
	              "a1c72e74ea3fa9b6"));
}

TEST(long_messages_are_chained)
{
	uint8_t message[1000], whole[8], again[8];
	uint8_t key[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	struct crypto_message_mac *mac =
	        crypto_message_mac_new(CRYPTO_RETAIL_MAC, BYTES_ARRAY(key));

	memset(message, 0x5a, sizeof message);
	crypto_message_mac(mac, bytes_from(message, 999), whole);
	for (size_t i = 0; i < 999; i += 100) {
		message[i] ^= 1;
		crypto_message_mac(mac, bytes_from(message, 999), again);
		EXPECT(memcmp(whole, again, 8) != 0);
		message[i] ^= 1;
	}
	message[999] = 0; // what pads
	crypto_message_mac(mac, bytes_from(message, 1000), again);
	EXPECT(memcmp(whole, again, 8) == 0);
	crypto_message_mac_free(mac);
}

TEST(aes_cmac)
{
	const char *key = "2b7e151628aed2a6abf7158809cf4f3c";
	uint8_t message[16];

	EXPECT(hex_read(BYTES_LITERAL("6bc1bee22e409f96e93d7e117393172a"), message, 16));
	EXPECT(gives(CRYPTO_AES_CMAC, key, BYTES_NONE, "bb1d6929e9593728"));
	EXPECT(gives(CRYPTO_AES_CMAC, key, BYTES_ARRAY(message), "070a16b46b4d4144"));
}

TAP_MAIN
