// A small TAP producer for unit tests: TEST(name) { … } registers itself, EXPECT(…) counts.
//
//     TEST(luhn_accepts_a_known_number) { EXPECT(card_luhn(BYTES_LITERAL("4242424242424242"))); }
//     TAP_MAIN
//
// `x_test NAME` runs the tests whose names contain NAME.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct tap_test {
	const char *name;
	void (*run)(void);
	struct tap_test *next;
};

static struct tap_test *tap_first;
static struct tap_test **tap_last = &tap_first;
static bool tap_failed;

#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	static struct tap_test tap_##test_name = { #test_name, test_name, NULL };                  \
	__attribute__((constructor)) static void tap_register_##test_name(void)                    \
	{                                                                                          \
		*tap_last = &tap_##test_name;                                                      \
		tap_last = &tap_##test_name.next;                                                  \
	}                                                                                          \
	static void test_name(void)

// Notes a failure and goes on.
#define EXPECT(expression)                                                                         \
	do {                                                                                       \
		if (!(expression)) {                                                               \
			tap_failed = true;                                                         \
			printf("# %s:%d: expected: %s\n", __FILE__, __LINE__, #expression);        \
		}                                                                                  \
	} while (0)

// Notes a failure and leaves the test.
#define REQUIRE(expression)                                                                        \
	do {                                                                                       \
		if (!(expression)) {                                                               \
			tap_failed = true;                                                         \
			printf("# %s:%d: required: %s\n", __FILE__, __LINE__, #expression);        \
			return;                                                                    \
		}                                                                                  \
	} while (0)

static int tap_run(const char *filter)
{
	int count = 0;
	int failures = 0;

	for (struct tap_test *test = tap_first; test; test = test->next) {
		if (filter && !strstr(test->name, filter))
			continue;
		tap_failed = false;
		test->run();
		failures += tap_failed;
		printf("%s %d - %s\n", tap_failed ? "not ok" : "ok", ++count, test->name);
		fflush(stdout);
	}
	printf("1..%d\n", count);
	return failures ? 1 : 0;
}

#define TAP_MAIN                                                                                   \
	int main(int argc, char **argv)                                                            \
	{                                                                                          \
		return tap_run(argc > 1 ? argv[1] : NULL);                                         \
	}
