// Any bytes as what a driver says of itself: read or refused, never past the end; from what was
// read, values and grants are made that are sound themselves.
#include "describe.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "jail/foreign.h"

#include <stdarg.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int cli_fail(int status, const char *format, ...)
{
	(void)format;
	return status;
}

// Whatever a driver writes, its sandbox gets no grant that is not one of ours.
static void check_grants(const struct cli_driver *driver)
{
	struct buffer grants cleanup(buffer_done) = { 0 };
	struct jail_foreign foreign;

	buffer_init(&grants, CLI_GRANTS_MAX);
	if (!cli_put_grants(&grants, driver, NULL, NULL))
		return;
	CHECK(result_ok(jail_foreign_read(buffer_view(&grants), &foreign)));
}

static void check_values(const struct cli_driver *driver)
{
	static const char *const values[] = { "1", "-1", "yes", "a", "/dev/null", "" };
	static struct cli_document document;
	char wanted[256];

	for (int i = 0; i < driver->count; i++)
		for (size_t j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
			struct buffer json cleanup(buffer_done) = { 0 };
			buffer_init(&json, 4096);
			wanted[0] = '\0';
			if (!cli_put_value(&json, &driver->parameters[i], values[j], wanted)) {
				CHECK(wanted[0]);
				continue;
			}
			CHECK(result_ok(cli_json_read(buffer_view(&json), &document)));
			cli_document_done(&document);
		}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cli_driver driver;
	const char *why = NULL;

	if (cli_driver_parse(bytes_from(data, size), &driver, &why)) {
		check_values(&driver);
		check_grants(&driver);
	} else {
		CHECK(why && why[0]);
	}
	cli_driver_done(&driver);
	return 0;
}
