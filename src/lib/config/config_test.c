// Tests of the configuration: defaults, every kind of wrong line, and docs/config.md holding the
// same keys.
#include "config/config.h"

#include "base/tap.h"

#include <stdlib.h>

#define REQUIRED                                                                                   \
	"data=d\nkeys=k\nrun=r\ndrivers=x\npages=p\npublic_url=http://a\nresults_url=http://b\n"

static struct config config;
static struct config_error error;

TEST(defaults_are_those_of_the_guards)
{
	REQUIRE(result_ok(config_parse(REQUIRED, "f", &config, &error)));
	EXPECT(config.guard_refused_per_customer == 5 && config.listen_public == 8081);
	EXPECT(config.link_unenrolled_accept && !config.link_attempted_accept && !config.live);
	EXPECT(strcmp(config.link_challenge, "03") == 0 && strcmp(config.data, "d") == 0);
}

TEST(values_are_read)
{
	REQUIRE(result_ok(config_parse(REQUIRED
	                               "# a comment\n\n  guard.proof_bits = 3 \nlive = yes\n"
	                               "users = none\nlink.unenrolled=refuse",
	                               "f", &config, &error)));
	EXPECT(config.guard_proof_bits == 3 && config.live && !config.link_unenrolled_accept);
}

TEST(wrong_lines_are_named)
{
	static const char *const lines[] = { "unknown = 1",
		                             "listen.public = 0",
		                             "listen.public=70000",
		                             "listen.public = 08",
		                             "live = maybe",
		                             "data = twice",
		                             "nothing",
		                             "log.level =" };

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[300];
		snprintf(text, sizeof(text), REQUIRED "%s\n", lines[i]);
		EXPECT(!result_ok(config_parse(text, "file.conf", &config, &error)));
		EXPECT(strncmp(error.text, "file.conf:8: ", 13) == 0);
	}
	EXPECT(!result_ok(config_parse("data = x\n", "f", &config, &error)));
	EXPECT(strstr(error.text, "`keys`"));
}

TEST(the_document_lists_the_same_keys)
{
	static const char *const names[] = {
#define CONFIG_TEXT(member, key, ...) key,
#define CONFIG_NUMBER(member, key, ...) key,
#define CONFIG_FLAG(member, key, ...) key,
#include "config/keys.def"
	};
	static char document[65536];
	FILE *file = fopen(CONFIG_DOCUMENT, "r");

	REQUIRE(file);
	document[fread(document, 1, sizeof(document) - 1, file)] = '\0';
	fclose(file);
	size_t rows = 0;
	for (const char *at = document; (at = strstr(at, "\n| `")); at++)
		rows++;
	EXPECT(rows == sizeof(names) / sizeof(names[0]));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char row[100];
		snprintf(row, sizeof(row), "\n| `%s` |", names[i]);
		EXPECT(strstr(document, row));
	}
}

TAP_MAIN
