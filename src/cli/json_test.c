// Tests of the small JSON reader and of descriptions: what is JSON is read, what is not is refused.
#include "describe.h"

#include "base/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static struct cli_document document;

// main.c has the real one.
int cli_fail(int status, const char *format, ...)
{
	(void)format;
	return status;
}

static bool reads(const char *text)
{
	bool good = result_ok(cli_json_read(bytes_text(text), &document));
	cli_document_done(&document);
	return good;
}

TEST(what_is_json_is_read)
{
	static const char *const texts[] = {
		"null",
		" true ",
		"0",
		"-1.5e+10",
		"\"\"",
		"[]",
		"{}",
		"[1,[2],{\"a\":{}}]",
		"{\"a\":1,\"b\":[null]}",
		"\"\\u00e9\\n\\ud83d\\ude00\"",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT(reads(texts[i]));
}

TEST(what_is_not_json_is_refused)
{
	static const char *const texts[] = {
		"",
		"nul",
		"01",
		"1.",
		"-",
		"+1",
		"\"",
		"\"\n\"",
		"\"\\x\"",
		"\"\\u12\"",
		"[1,]",
		"[1 2]",
		"{a:1}",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1,}",
		"1 2",
		"\"\\ud800\"",
		"\"\\u0000\"",
		"{\"a\":1,\"a\":2}",
		"\"\xff\"",
		"1e",
		"\"\\",
		"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		EXPECT(!reads(texts[i]));
}

TEST(texts_are_decoded)
{
	REQUIRE(result_ok(cli_json_read(
	        BYTES_LITERAL("{\"a\":\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\\\"\\/\",\"b\":true}"),
	        &document)));
	EXPECT(strcmp(cli_json_text(&document.nodes[0], "a"), "A\u00e9\u20ac\U0001F600\"/") == 0);
	EXPECT(cli_json_true(&document.nodes[0], "b") && !cli_json_true(&document.nodes[0], "a"));
	EXPECT(!cli_json_text(&document.nodes[0], "b") &&
	       !cli_json_member(&document.nodes[0], "c"));
	cli_document_done(&document);
}

TEST(every_cut_of_a_description_is_refused)
{
	static const char text[] =
	        "{\"contract\":1,\"name\":\"a-1\",\"version\":\"1.0\",\"kind\":\"bank\","
	        "\"operations\":[\"verify\"],\"sandbox\":{\"connect\":[\"p\"],"
	        "\"read\":[\"/etc/x\"]},\"parameters\":[{\"name\":"
	        "\"p\",\"type\":\"choice\",\"choices\":[\"a\",\"b\"],"
	        "\"default\":\"a\",\"help\":{\"en\":\"x\"}}]}";
	static struct cli_driver driver;
	const char *why;

	for (size_t cut = 0; cut < sizeof(text) - 1; cut++) {
		char *exact = malloc(cut + 1); // so that a sanitizer sees a read past the end
		REQUIRE(exact);
		memcpy(exact, text, cut);
		EXPECT(!cli_driver_parse(bytes_from(exact, cut), &driver, &why) && why[0]);
		cli_driver_done(&driver);
		free(exact);
	}
	REQUIRE(cli_driver_parse(BYTES_LITERAL(text), &driver, &why));
	EXPECT(driver.count == 1 && driver.parameters[0].type == CLI_CHOICE);
	EXPECT(strcmp(driver.parameters[0].help, "x") == 0);
	cli_driver_done(&driver);
}

TEST(values_are_checked)
{
	static const struct {
		struct cli_parameter parameter;
		const char *value, *json; // NULL: refused
	} cases[] = {
		{ { .type = CLI_NUMBER, .min = -5, .max = 5 }, "-5", "-5" },
		{ { .type = CLI_NUMBER, .min = -5, .max = 5 }, "6", NULL },
		{ { .type = CLI_NUMBER, .min = -5, .max = 5 }, "-0", NULL },
		{ { .type = CLI_NUMBER, .min = 0, .max = 5 }, "", NULL },
		{ { .type = CLI_NUMBER, .min = 0, .max = 5 }, "1x", NULL },
		{ { .type = CLI_FLAG }, "yes", "true" },
		{ { .type = CLI_FLAG }, "false", "false" },
		{ { .type = CLI_FLAG }, "maybe", NULL },
		{ { .type = CLI_TEXT }, "a\"\\", "\"a\\\"\\\\\"" },
		{ { .type = CLI_TEXT }, "", NULL },
		{ { .type = CLI_TEXT }, "\xff", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buffer json;
		char wanted[256] = "";
		buffer_init(&json, 100);
		bool good = cli_put_value(&json, &cases[i].parameter, cases[i].value, wanted);
		EXPECT(good == (cases[i].json != NULL));
		EXPECT(good ? strcmp(buffer_text(&json), cases[i].json) == 0 : wanted[0] != 0);
		buffer_done(&json);
	}
}

TAP_MAIN
