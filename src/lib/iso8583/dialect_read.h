// What the files of the dialect reader share: dialect_read.c (lines), dialect_words.c (words),
// dialect_path.c and dialect_roles.c. Inside the codec only.
#pragma once

#include "iso8583/dialect.h"
#include "iso8583/value.h"

#include <stdarg.h>

#define ISO8583_LENGTH_MAX 9999
#define ISO8583_WORDS 24
#define ISO8583_TYPE_WORDS "n, x+n, a, an, ns, ans, z, b"

struct iso8583_word {
	struct bytes text; // without quotes
	bool quoted;
	size_t column;
};

struct iso8583_line {
	struct iso8583_word words[ISO8583_WORDS]; // those without quotes
	size_t count;
	struct iso8583_word quoted;
	const struct iso8583_word *name; // the one in quotes; NULL: there is none
};

// A file that is being read.
struct iso8583_build {
	struct iso8583_dialect *dialect;
	void (*tell)(void *context, const struct iso8583_mistake *mistake);
	void *context;
	size_t line, mistakes;
	char *texts_at;
	size_t part_count, content_count, content_max;
	bool has_dialect, has_mti, has_bitmap;
	struct iso8583_field defaults[ISO8583_TYPES][2]; // by type; fixed, variable
	size_t field_lines[ISO8583_FIELDS + 1];          // where a field was, for "already"
};

// What one line of a field or part says.
struct iso8583_spec {
	struct iso8583_field field;
	const struct iso8583_word *type, *length;
	const struct iso8583_content *inside; // of a part: what it is in
	bool variable, part, in_default;
	uint64_t said; // which members were said by a word, by their place in the struct
};

// Tells a mistake at a word (NULL: the line as a whole). Always false.
bool iso8583_say(struct iso8583_build *build, const struct iso8583_word *word, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));
const char *iso8583_keep_text(struct iso8583_build *build, struct bytes text);
bool iso8583_is(const struct iso8583_word *word, const char *text);

// dialect_words.c
bool iso8583_encoding_named(struct bytes name, uint8_t *ret_encoding);
bool iso8583_type_named(struct bytes name, uint8_t *ret_type);
void iso8583_set_defaults(struct iso8583_build *build);
bool iso8583_read_words(struct iso8583_build *build, struct iso8583_line *line, size_t from,
                        struct iso8583_spec *spec);
// Holds what was said against itself, and computes what the codec needs.
bool iso8583_check_spec(struct iso8583_build *build, struct iso8583_spec *spec);
// dialect_path.c: takes the text up to the next dot off the front; the key that a step is in a
// content (false: none).
struct bytes iso8583_path_step(struct bytes *rest);
bool iso8583_path_key(const struct iso8583_content *content, struct bytes step, uint32_t *ret_key);
// Finds what a part's path (55.9F02, 34.73.6) is in, and makes the key of its last step.
bool iso8583_read_path(struct iso8583_build *build, const struct iso8583_word *path,
                       struct iso8583_content **ret_content, uint32_t *ret_key);
// dialect_roles.c: the lines `edition`, `place` and `send`.
bool iso8583_line_edition(struct iso8583_build *build, struct iso8583_line *line);
bool iso8583_line_place(struct iso8583_build *build, struct iso8583_line *line);
bool iso8583_line_send(struct iso8583_build *build, struct iso8583_line *line);
