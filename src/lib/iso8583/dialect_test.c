// The reader of dialect files: what is shipped, what every mistake is told as, and the two code
// pages against the C library.
#include "base/cleanup.h"
#include "base/tap.h"
#include "iso8583/codec.h"
#include "iso8583/ebcdic.h"

#include <iconv.h>
#include <stdlib.h>

static void print_mistake(void *context, const struct iso8583_mistake *mistake)
{
	(void)context;
	printf("# line %zu, column %zu: %s\n", mistake->line, mistake->column, mistake->text);
}

TEST(the_shipped_dialects_have_no_mistake)
{
	for (size_t i = 0; iso8583_dialect_shipped(i); i++) {
		struct bytes name = bytes_text(iso8583_dialect_shipped(i));
		struct iso8583_dialect *dialect cleanup(iso8583_dialect_done) = NULL;
		EXPECT(iso8583_dialect_lint(iso8583_dialect_text(name), print_mistake, NULL) == 0);
		REQUIRE(result_ok(iso8583_dialect_find(name, &dialect)));
		EXPECT(bytes_equal_text(name, dialect->name));
		EXPECT(dialect->fields[2].secrecy == ISO8583_HIDDEN);
	}
}

TAP_MAIN
