// One-time codes: made by the system's random numbers, stored as HMAC-SHA-256 over transaction and
// code. RTS (EU) 2018/389 article 4: a code is taken once, and tries are counted.
#include "code.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <sys/random.h>

static void hash(const uint8_t key[static 32], const char *bound, struct bytes text,
                 uint8_t ret_hash[static 32])
{
	uint8_t message[128];
	size_t length = strlen(bound);
	unsigned size = 32;

	CHECK(length + 1 + text.length <= sizeof(message));
	memcpy(message, bound, length);
	message[length++] = ':';
	if (text.length)
		memcpy(message + length, text.data, text.length);
	CHECK(HMAC(EVP_sha256(), key, 32, message, length + text.length, ret_hash, &size));
	explicit_bzero(message, sizeof(message));
}

int64_t code_wait_ms(const struct code *code, int64_t now_ms)
{
	int64_t ready_ms = code->sent_at_ms + CODE_PAUSE_MS;

	if (code->sends >= CODE_SENDS)
		return -1;
	return code->sends == 0 || now_ms >= ready_ms ? 0 : ready_ms - now_ms;
}

bool code_may_send(const struct code *code, int64_t now_ms)
{
	return code_wait_ms(code, now_ms) == 0;
}

void code_make(struct code *code, const uint8_t key[static 32], const char *bound, int64_t now_ms,
               char ret_text[static CODE_DIGITS + 1])
{
	uint32_t random;

	// What is above the last whole million would make small codes likelier.
	do
		CHECK(getrandom(&random, sizeof(random), 0) == sizeof(random));
	while (random >= UINT32_MAX / 1000000 * 1000000);
	snprintf(ret_text, CODE_DIGITS + 1, "%06u", random % 1000000);
	hash(key, bound, bytes_from(ret_text, CODE_DIGITS), code->hash);
	code->sent_at_ms = now_ms;
	code->sends++;
	code->valid = true;
}

enum code_verdict code_check(struct code *code, const uint8_t key[static 32], const char *bound,
                             struct bytes text, int64_t now_ms)
{
	uint8_t given[32];

	if (code->tries >= CODE_TRIES)
		return CODE_USED_UP;
	if (!code->valid || now_ms - code->sent_at_ms >= CODE_LIFE_MS)
		return CODE_EXPIRED;
	hash(key, bound, bytes_slice(text, 0, CODE_DIGITS + 1), given);
	if (bytes_equal_constant_time(BYTES_ARRAY(given), BYTES_ARRAY(code->hash))) {
		code->valid = false;
		return CODE_RIGHT;
	}
	return ++code->tries >= CODE_TRIES ? CODE_USED_UP : CODE_WRONG;
}
