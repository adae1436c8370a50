// The story of an attempt for support: its steps, and the short code that a shopper reads out.
#include "core/flows.h"

#include "crypto/mac.h"

#include <stdarg.h>
#include <stdio.h>

enum { CODE_DIGITS = 8 };

void flows_step(struct core *core, int64_t attempt, const char *format, ...)
{
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	store_run(core->store, STORE_STEP_INSERT, STORE_N(core_next_id(core)), STORE_N(attempt),
	          STORE_N(core->now_ms), STORE_T(text));
}

// Codes are read out on the telephone: no letter that sounds or looks like another sign
// (Crockford's base 32), forty bits of chance.
void flows_make_code(struct core *core, int64_t attempt)
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint8_t chance[CODE_DIGITS];
	char code[CODE_DIGITS + 2];

	do {
		int at = 0;
		crypto_random(chance, sizeof(chance));
		for (int i = 0; i < CODE_DIGITS; i++) {
			if (i == CODE_DIGITS / 2)
				code[at++] = '-';
			code[at++] = alphabet[chance[i] & 31];
		}
		code[at] = '\0';
	} while (store_run(core->store, STORE_CODE_INSERT, STORE_T(code), STORE_N(attempt)) == 0 &&
	         result_ok(store_result(core->store)));
}

void flow_code(struct core *core, int64_t attempt, char *ret_code, size_t capacity)
{
	struct store_query query = store_ask(core->store, STORE_CODE_OF_ATTEMPT, STORE_N(attempt));

	ret_code[0] = '\0';
	if (store_step(&query))
		bytes_copy_text(store_bytes(&query, 0), ret_code, capacity);
	store_end(&query);
}
