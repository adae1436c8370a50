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

// The programs' places among the users that follow from `users`.
enum config_user {
	CONFIG_USER_VAULT,
	CONFIG_USER_CORE,
	CONFIG_USER_WEB,
	CONFIG_USER_DRIVERS,
	CONFIG_USER_COURIER,
};

// The Unix user of a program; 0: it keeps the one that started it.
static inline uint32_t config_user(const struct config *config, enum config_user which)
{
	return config->users ? (uint32_t)(config->users + which) : 0;
}

// Each connection's driver has a user of its own among a thousand that follow; what `--describe`
// runs as is CONFIG_USER_DRIVERS. Two connections whose numbers are a thousand apart would share
// one: the parent does not start the second.
enum { CONFIG_FIRST_DRIVER = 16, CONFIG_DRIVERS_MAX = 1000 };
static inline uint32_t config_user_of_driver(const struct config *config, uint32_t connection)
{
	return (uint32_t)config->users + CONFIG_FIRST_DRIVER + connection % CONFIG_DRIVERS_MAX;
}

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
