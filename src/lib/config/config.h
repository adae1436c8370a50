// The configuration: one file, one struct. docs/config.md lists the keys for people; keys.def is
// the same list for the program (a test holds them equal).
#pragma once

#include "base/result.h"

#include <stdint.h>

enum { CONFIG_TEXT_MAX = 512 };

struct config {
#define CONFIG_TEXT(member, key, standard) char member[CONFIG_TEXT_MAX];
#define CONFIG_NUMBER(member, key, standard, least, most) int64_t member;
#define CONFIG_FLAG(member, key, standard, yes, no) bool member;
#include "config/keys.def"
#undef CONFIG_TEXT
#undef CONFIG_NUMBER
#undef CONFIG_FLAG
};

// Where and why reading stopped: "FILE:12: unknown key `x`".
struct config_error {
	char text[600];
};

// Reads the file. ERROR_INPUT, ERROR_SYSTEM: ret_error says it in one sentence.
MUST_USE struct result config_read(const char *path, struct config *ret_config,
                                   struct config_error *ret_error);
// The same from a text; `path` is for the sentence only.
MUST_USE struct result config_parse(const char *text, const char *path, struct config *ret_config,
                                    struct config_error *ret_error);
