// Feeds arbitrary bytes to the reader of 3-D Secure messages, for every reader, and what passes to
// the card ranges. The first byte chooses the reader and what is known.

#include "emv3ds/build.h"
#include "emv3ds/encode.h"
#include "emv3ds/ranges.h"

#include "base/cleanup.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void apply_ranges(const json_t *message)
{
	struct emv3ds_ranges ranges;

	emv3ds_ranges_init(&ranges);
	for (int full = 1; full >= 0; full--)
		if (result_ok(emv3ds_ranges_apply(&ranges, message, full)))
			emv3ds_ranges_find(&ranges, BYTES_LITERAL("4242424242424242"));
	emv3ds_ranges_done(&ranges);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct emv3ds_known known = { .accepts = (1U << EMV3DS_TYPES) - 1 };
	struct emv3ds_reading reading;
	struct buffer buffer;
	json_t *erro;

	if (size == 0)
		return 0;
	known.reader = data[0] % 3;
	known.decoupled_asked = data[0] & 4;
	known.category = data[0] & 8 ? "01" : "02";
	reading = emv3ds_read(bytes_from(data + 1, size - 1), &known);
	if (reading.problem.code == EMV3DS_FINE && reading.type == EMV3DS_PRES)
		apply_ranges(reading.message);
	erro = emv3ds_erro('S', &reading.problem, reading.message, emv3ds_type_name(reading.type));
	json_decref(erro);
	json_decref(reading.message);
	buffer_init(&buffer, size + 1);
	if (!result_ok(emv3ds_base64url_read(bytes_from(data, size), &buffer)))
		buffer_reset(&buffer);
	buffer_done(&buffer);
	if (emv3ds_url_ok(bytes_from(data, size)) &&
	    !emv3ds_url_host(bytes_from(data, size)).length)
		abort();
	return 0;
}
