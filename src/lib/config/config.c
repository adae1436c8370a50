// Reading the configuration: lines of `key = value`, each key at most once, nothing unknown.
#include "config/config.h"

#include "base/bytes.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

enum kind { KIND_TEXT, KIND_NUMBER, KIND_FLAG };

struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	const char *text; // default text; NULL: required. For a flag: the word for true
	const char *no;   // for a flag: the word for false
	int64_t number;   // default number or flag
	int64_t least, most;
};

static const struct key keys[] = {
#define CONFIG_TEXT(member, key, standard)                                                         \
	{ key, KIND_TEXT, offsetof(struct config, member), standard, NULL, 0, 0, 0 },
#define CONFIG_NUMBER(member, key, standard, least, most)                                          \
	{ key, KIND_NUMBER, offsetof(struct config, member), NULL, NULL, standard, least, most },
#define CONFIG_FLAG(member, key, standard, yes, no)                                                \
	{ key, KIND_FLAG, offsetof(struct config, member), yes, no, standard, 0, 0 },
#include "config/keys.def"
};
enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static void set_defaults(struct config *config)
{
	memset(config, 0, sizeof(*config));
	for (size_t i = 0; i < KEYS; i++) {
		char *member = (char *)config + keys[i].offset;
		if (keys[i].kind == KIND_TEXT)
			bytes_copy_text(bytes_text(keys[i].text), member, CONFIG_TEXT_MAX);
		else if (keys[i].kind == KIND_NUMBER)
			*(int64_t *)(void *)member = keys[i].number;
		else
			*(bool *)(void *)member = keys[i].number != 0;
	}
}

static bool set_number(const struct key *key, struct bytes value, char *member)
{
	uint64_t number;

	if (key->least < 0 && bytes_equal_text(value, "-1")) {
		*(int64_t *)(void *)member = -1;
		return true;
	}
	if (bytes_equal_text(value, "none"))
		value = BYTES_LITERAL("0");
	if (!text_to_number(value, (uint64_t)key->most, &number) || (int64_t)number < key->least)
		return false;
	*(int64_t *)(void *)member = (int64_t)number;
	return true;
}

static bool set_value(const struct key *key, struct bytes value, struct config *config)
{
	char *member = (char *)config + key->offset;

	switch (key->kind) {
	case KIND_TEXT: return value.length > 0 && bytes_copy_text(value, member, CONFIG_TEXT_MAX);
	case KIND_NUMBER: return set_number(key, value, member);
	case KIND_FLAG: break;
	}
	bool yes = bytes_equal_text(value, key->text);
	*(bool *)(void *)member = yes;
	return yes || bytes_equal_text(value, key->no);
}

static int find_key(struct bytes name)
{
	for (size_t i = 0; i < KEYS; i++)
		if (bytes_equal_text(name, keys[i].name))
			return (int)i;
	return -1;
}

// What is wrong with the line; NULL when nothing is.
static const char *take_line(struct bytes line, bool *seen, struct config *config,
                             struct bytes *ret_name)
{
	line = bytes_trim(line);
	*ret_name = BYTES_NONE;
	if (line.length == 0 || line.data[0] == '#')
		return NULL;
	size_t sign = bytes_find(line, '=');
	if (sign == line.length)
		return "no `=` in this line";
	*ret_name = bytes_trim(bytes_slice(line, 0, sign));
	int key = find_key(*ret_name);
	if (key < 0)
		return "unknown key";
	if (seen[key])
		return "the key is there twice";
	seen[key] = true;
	return set_value(&keys[key], bytes_trim(bytes_slice(line, sign + 1, line.length)), config)
	               ? NULL
	               : "not a value of this key";
}

struct result config_parse(const char *text, const char *path, struct config *ret_config,
                           struct config_error *ret_error)
{
	struct bytes rest = bytes_text(text);
	bool seen[KEYS] = { false };
	int number = 0;

	set_defaults(ret_config);
	while (rest.length) {
		size_t end = bytes_find(rest, '\n');
		struct bytes name;
		const char *problem = take_line(bytes_slice(rest, 0, end), seen, ret_config, &name);
		number++;
		if (problem) {
			snprintf(ret_error->text, sizeof(ret_error->text), "%s:%d: %s: `%.*s`",
			         path, number, problem, (int)(name.length < 60 ? name.length : 60),
			         name.data ? (const char *)name.data : "");
			return FAIL(ERROR_INPUT, "the configuration is not right");
		}
		rest = bytes_slice(rest, end + 1, rest.length);
	}
	for (size_t i = 0; i < KEYS; i++) {
		if (keys[i].kind != KIND_TEXT || keys[i].text || seen[i])
			continue;
		snprintf(ret_error->text, sizeof(ret_error->text), "%s: the key `%s` is missing",
		         path, keys[i].name);
		return FAIL(ERROR_INPUT, "the configuration is not complete");
	}
	return RESULT_OK;
}

static void close_file(FILE **file)
{
	if (*file)
		fclose(*file);
}

struct result config_read(const char *path, struct config *ret_config,
                          struct config_error *ret_error)
{
	FILE *file cleanup(close_file) = fopen(path, "re");
	char text[65536];

	if (!file) {
		snprintf(ret_error->text, sizeof(ret_error->text), "%s: cannot be read: %m", path);
		return FAIL(ERROR_SYSTEM, "the configuration cannot be read");
	}
	size_t length = fread(text, 1, sizeof(text) - 1, file);
	if (length == sizeof(text) - 1 || memchr(text, 0, length)) {
		snprintf(ret_error->text, sizeof(ret_error->text), "%s: not a configuration", path);
		return FAIL(ERROR_INPUT, "the configuration is too large or holds a zero byte");
	}
	text[length] = '\0';
	return config_parse(text, path, ret_config, ret_error);
}
