// Any text as a dialect file: it has a mistake with a place in it, or it is a dialect; then any
// bytes are a message of it. The text ends at the first zero byte, the message follows.
#include "base/check.h"
#include "base/cleanup.h"
#include "iso8583/explain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t count, lines;
	struct iso8583_mistake first;
};

static void note(void *context, const struct iso8583_mistake *mistake)
{
	struct seen *seen = context;

	if (seen->count++ == 0)
		seen->first = *mistake;
	CHECK(mistake->line <= seen->lines && mistake->column > 0 && mistake->text[0]);
}

static void read_message(const struct iso8583_dialect *dialect, struct bytes wire)
{
	struct buffer shown cleanup(buffer_done) = { 0 };

	buffer_init(&shown, 16 << 20);
	struct result result = iso8583_explain(dialect, wire, &shown);
	CHECK(!result_ok(result) || shown.length > 0);
	CHECK(!shown.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
	struct bytes whole = bytes_from(data, size);
	struct bytes text = bytes_slice(whole, 0, bytes_find(whole, 0));
	struct seen seen = { .lines = 1 };
	struct iso8583_mistake mistake;

	for (size_t i = 0; i < text.length; i++)
		seen.lines += text.data[i] == '\n';
	bool good = result_ok(iso8583_dialect_read(text, &dialect, &mistake));
	CHECK((iso8583_dialect_lint(text, note, &seen) == 0) == good);
	CHECK(good == (dialect != NULL));
	CHECK(good || strcmp(mistake.text, seen.first.text) == 0);
	if (good)
		read_message(dialect, bytes_slice(whole, text.length + 1, size));
	return 0;
}
