// Reads a dialect file (docs/iso8583-dialects.md): lines of words, each kind of line a function in
// one table. A mistake is told with its place, and the reading goes on with the next line, so that
// all of them are found. What single words mean is in dialect_words.c.
#include "iso8583/dialect_read.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

bool iso8583_say(struct iso8583_build *build, const struct iso8583_word *word, const char *format,
                 ...)
{
	struct iso8583_mistake mistake = { build->line, word ? word->column : 1, "" };
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(mistake.text, sizeof mistake.text, format, arguments);
	va_end(arguments);
	for (char *at = mistake.text; *at; at++)
		if ((uint8_t)*at < 0x20 || *at == 0x7f)
			*at = '?';
	build->mistakes++;
	build->tell(build->context, &mistake);
	return false;
}

const char *iso8583_keep_text(struct iso8583_build *build, struct bytes text)
{
	char *kept = build->texts_at;

	if (text.length > 0)
		memcpy(kept, text.data, text.length);
	kept[text.length] = '\0';
	build->texts_at += text.length + 1;
	return kept;
}

// --- words of a line

enum { LINE_MAX_BYTES = 500, NAME_MAX_BYTES = 80 };

// A name may be of any language, but must not move a terminal's cursor.
static bool name_is_good(struct bytes name)
{
	if (name.length == 0 || name.length > NAME_MAX_BYTES || !text_is_utf8(name))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		uint8_t byte = name.data[i];
		bool control = byte < 0x20 || byte == 0x7f ||
		               (byte == 0xc2 && i + 1 < name.length && name.data[i + 1] < 0xa0);
		if (control)
			return false;
	}
	return true;
}

static bool is_space(uint8_t byte)
{
	return byte == ' ' || byte == '\t';
}

// Cuts the next word off the line. *ret_end: there was none.
static bool next_word(struct iso8583_build *build, struct bytes line, size_t *at,
                      struct iso8583_word *ret_word, bool *ret_end)
{
	size_t from = *at;

	while (from < line.length && is_space(line.data[from]))
		from++;
	*ret_end = from == line.length || line.data[from] == '#';
	if (*ret_end)
		return true;
	*ret_word = (struct iso8583_word){ .column = from + 1 };
	size_t to = from;
	if (line.data[from] == '"') {
		to = from + 1 + bytes_find(bytes_slice(line, from + 1, line.length), '"');
		ret_word->quoted = true;
		ret_word->text = bytes_slice(line, from + 1, to - from - 1);
		if (to >= line.length)
			return iso8583_say(build, ret_word,
			                   "the name has no closing quote: write "
			                   "\"Name of the field\"");
		if (!name_is_good(ret_word->text))
			return iso8583_say(build, ret_word,
			                   "a name is 1 to %d bytes of printable UTF-8",
			                   NAME_MAX_BYTES);
		to++;
	} else {
		while (to < line.length && !is_space(line.data[to]))
			to++;
		ret_word->text = bytes_slice(line, from, to - from);
		if (!text_is_printable(ret_word->text))
			return iso8583_say(build, ret_word,
			                   "only printable ASCII stands outside of quotes");
	}
	*at = to;
	return true;
}

static bool split(struct iso8583_build *build, struct bytes line, struct iso8583_line *ret_line)
{
	size_t at = 0;
	bool end = false;

	ret_line->count = 0;
	ret_line->name = NULL;
	if (line.length > LINE_MAX_BYTES)
		return iso8583_say(build, NULL, "the line is longer than %d bytes", LINE_MAX_BYTES);
	for (;;) {
		struct iso8583_word *word = &ret_line->words[ret_line->count];
		if (!next_word(build, line, &at, word, &end))
			return false;
		if (end)
			return true;
		if (ret_line->count == ISO8583_WORDS - 1)
			return iso8583_say(build, word, "the line has more than %d words",
			                   ISO8583_WORDS - 1);
		if (!word->quoted) {
			ret_line->count++;
		} else if (ret_line->name) {
			return iso8583_say(build, word, "a second name: one is enough");
		} else {
			ret_line->quoted = *word;
			ret_line->name = &ret_line->quoted;
		}
	}
}

bool iso8583_is(const struct iso8583_word *word, const char *text)
{
	return bytes_equal_text(word->text, text);
}

// --- the kinds of lines

#define WORD_OF(word) (int)(word)->text.length, (const char *)(word)->text.data

static bool line_dialect(struct iso8583_build *build, struct iso8583_line *line)
{
	struct iso8583_dialect *dialect = build->dialect;

	if (line->count != 2 ||
	    !bytes_copy_text(line->words[1].text, dialect->name, sizeof dialect->name))
		return iso8583_say(build, NULL,
		                   "write dialect NAME \"Title\", NAME of up to %zu "
		                   "characters",
		                   sizeof dialect->name - 1);
	dialect->title = iso8583_keep_text(build, line->name ? line->name->text : BYTES_NONE);
	build->has_dialect = true;
	return true;
}

static bool line_mti(struct iso8583_build *build, struct iso8583_line *line)
{
	static const uint8_t good[] = { ISO8583_ASCII, ISO8583_BCD, ISO8583_EBCDIC_037,
		                        ISO8583_EBCDIC_1047 };
	struct iso8583_field *mti = &build->dialect->mti;

	*mti = (struct iso8583_field){
		.name = "Message type", .max = 4, .type = ISO8583_N, .secrecy = ISO8583_PRINTABLE
	};
	build->has_mti = true;
	bool known =
	        line->count == 2 && iso8583_encoding_named(line->words[1].text, &mti->encoding);
	if (!known || !memchr(good, mti->encoding, sizeof good))
		return iso8583_say(build, &line->words[line->count > 1],
		                   "write mti ascii, bcd, ebcdic037 or ebcdic1047");
	iso8583_prepare(mti);
	return true;
}

static bool line_bitmap(struct iso8583_build *build, struct iso8583_line *line)
{
	static const uint8_t good[] = { ISO8583_BINARY, ISO8583_HEX, ISO8583_EBCDIC_HEX };
	static const struct {
		const char *word;
		uint8_t third, maps;
	} forms[] = {
		{ "third=next", ISO8583_THIRD_NEXT, 0 },
		{ "third=field65", ISO8583_THIRD_FIELD_65, 0 },
		{ "always=1", ISO8583_THIRD_NONE, 1 },
		{ "always=2", ISO8583_THIRD_NONE, 2 },
		{ "always=3", ISO8583_THIRD_NONE, 3 },
	};
	struct iso8583_dialect *dialect = build->dialect;
	bool known =
	        line->count >= 2 && iso8583_encoding_named(line->words[1].text, &dialect->bitmap);

	build->has_bitmap = true;
	if (!known || !memchr(good, dialect->bitmap, sizeof good))
		return iso8583_say(build, &line->words[line->count > 1],
		                   "write bitmap binary, hex or ebcdic-hex");
	if (line->count == 2)
		return true;
	for (size_t i = 0; line->count == 3 && i < sizeof forms / sizeof forms[0]; i++)
		if (iso8583_is(&line->words[2], forms[i].word)) {
			dialect->third = forms[i].third;
			dialect->maps = forms[i].maps;
			return true;
		}
	return iso8583_say(build, &line->words[2],
	                   "write third=next, third=field65, always=1, always=2 or always=3 after "
	                   "the encoding, or nothing");
}

static bool line_unknown(struct iso8583_build *build, struct iso8583_line *line)
{
	bool keep = line->count == 2 && iso8583_is(&line->words[1], "keep");

	build->dialect->refuse_unknown = line->count == 2 && iso8583_is(&line->words[1], "refuse");
	if (keep || build->dialect->refuse_unknown)
		return true;
	return iso8583_say(build, &line->words[line->count > 1],
	                   "write unknown keep, or unknown refuse");
}

// Lets one type's fields, fixed or variable, be from here on what the words say.
static bool set_default(struct iso8583_build *build, struct iso8583_line *line, size_t from,
                        struct iso8583_field *field)
{
	struct iso8583_spec spec = { .field = *field, .in_default = true };

	if (!iso8583_read_words(build, line, from, &spec))
		return false;
	*field = spec.field;
	return true;
}

// default TYPE [fixed|variable] WORDS: what the fields below are unless they say otherwise.
static bool line_default(struct iso8583_build *build, struct iso8583_line *line)
{
	uint8_t type = 0;
	bool any = line->count > 1 && iso8583_is(&line->words[1], "*");
	bool fixed = line->count > 2 && iso8583_is(&line->words[2], "fixed");
	bool variable = line->count > 2 && iso8583_is(&line->words[2], "variable");
	size_t from = fixed || variable ? 3 : 2;

	if (line->count < 2 || (!any && !iso8583_type_named(line->words[1].text, &type)))
		return iso8583_say(build, &line->words[line->count > 1],
		                   "write default, then a type (" ISO8583_TYPE_WORDS ") or *");
	for (int i = 1; i < ISO8583_TYPES; i++)
		for (int form = variable; form <= !fixed; form++)
			if ((any || i == type) &&
			    !set_default(build, line, from, &build->defaults[i][form]))
				return false;
	return true;
}

// Reads TYPE LENGTH WORDS and the name, from words[2] on.
static bool read_spec(struct iso8583_build *build, struct iso8583_line *line,
                      struct iso8583_spec *spec)
{
	uint64_t length;
	uint8_t type;

	if (line->count < 4)
		return iso8583_say(build, NULL,
		                   "write %.*s %s TYPE LENGTH … \"Name\", for example %s",
		                   WORD_OF(&line->words[0]), spec->part ? "PATH" : "NUMBER",
		                   spec->part ? "part 55.9F02 n 12 bcd \"Amount\""
		                              : "field 3 n 6 \"Processing code\"");
	if (!iso8583_type_named(line->words[2].text, &type))
		return iso8583_say(build, &line->words[2],
		                   "there is no type %.*s: " ISO8583_TYPE_WORDS,
		                   WORD_OF(&line->words[2]));
	struct bytes digits = line->words[3].text;
	spec->variable = bytes_start_with(digits, "..");
	if (spec->variable)
		digits = bytes_slice(digits, 2, digits.length);
	if (!text_to_number(digits, ISO8583_LENGTH_MAX, &length) || length == 0)
		return iso8583_say(
		        build, &line->words[3],
		        "the length is a number from 1 to %d, with .. before it when it is "
		        "the largest of a variable field",
		        ISO8583_LENGTH_MAX);
	spec->field = build->defaults[type][spec->variable];
	spec->field.max = (uint32_t)length;
	spec->type = &line->words[2];
	spec->length = &line->words[3];
	if (!iso8583_read_words(build, line, 4, spec))
		return false;
	if (!line->name)
		return iso8583_say(build, NULL, "the name is missing: write it in quotes");
	spec->field.name = iso8583_keep_text(build, line->name->text);
	return iso8583_check_spec(build, spec);
}

static bool line_field(struct iso8583_build *build, struct iso8583_line *line)
{
	struct iso8583_spec spec = { 0 };
	uint64_t number;

	if (line->count > 1 &&
	    (!text_to_number(line->words[1].text, ISO8583_FIELDS, &number) || number < 2))
		return iso8583_say(build, &line->words[1], "a field has a number from 2 to %d",
		                   ISO8583_FIELDS);
	if (!read_spec(build, line, &spec))
		return false;
	if (build->field_lines[number] > 0)
		return iso8583_say(build, &line->words[1], "field %d is in line %zu already",
		                   (int)number, build->field_lines[number]);
	// What these fields hold is a card number, a track or a PIN in every dialect.
	bool secret = number == 2 || number == 35 || number == 45 || number == 52;
	if (secret && spec.field.secrecy == ISO8583_PRINTABLE)
		return iso8583_say(build, &line->words[1],
		                   "field %d holds card data and cannot be printable: write hidden",
		                   (int)number);
	build->field_lines[number] = build->line;
	build->dialect->fields[number] = spec.field;
	return true;
}

static bool line_part(struct iso8583_build *build, struct iso8583_line *line)
{
	struct iso8583_spec spec = { .part = true };
	struct iso8583_content *content = NULL;
	uint32_t key = 0;

	if (line->count > 1 && !iso8583_read_path(build, &line->words[1], &content, &key))
		return false;
	spec.inside = content;
	bool good = read_spec(build, line, &spec);
	if (!content)
		return false;
	if (build->part_count == ISO8583_PARTS_MAX)
		return iso8583_say(build, NULL, "more than %d parts", ISO8583_PARTS_MAX);
	// One with a mistake keeps its place, so that those behind it are not mistakes too.
	struct iso8583_field *part = &build->dialect->parts[build->part_count++];
	*part = good ? spec.field : (struct iso8583_field){ 0 };
	part->key = key;
	if (content->last > 0)
		build->dialect->parts[content->last - 1].next = (uint16_t)build->part_count;
	else
		content->first = (uint16_t)build->part_count;
	content->last = (uint16_t)build->part_count;
	return good;
}

static const struct {
	const char *word;
	bool (*read)(struct iso8583_build *build, struct iso8583_line *line);
} kinds[] = {
	{ "dialect", line_dialect },     { "mti", line_mti },
	{ "bitmap", line_bitmap },       { "unknown", line_unknown },
	{ "default", line_default },     { "field", line_field },
	{ "part", line_part },           { "edition", iso8583_line_edition },
	{ "place", iso8583_line_place }, { "send", iso8583_line_send },
};

static void read_line(struct iso8583_build *build, struct bytes text)
{
	struct iso8583_line line;

	if (!split(build, text, &line))
		return;
	if (line.count == 0) {
		if (line.name)
			iso8583_say(build, line.name, "a name alone: a line begins with a word");
		return;
	}
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (iso8583_is(&line.words[0], kinds[i].word)) {
			(void)kinds[i].read(build, &line);
			return;
		}
	iso8583_say(
	        build, &line.words[0],
	        "a line does not begin with %.*s: write dialect, mti, bitmap, unknown, default, "
	        "field, part, edition, place or send",
	        WORD_OF(&line.words[0]));
}

// --- the whole file

static void check_whole(struct iso8583_build *build)
{
	struct iso8583_dialect *dialect = build->dialect;
	int last = 128;

	build->line = 0;
	if (!build->has_dialect)
		iso8583_say(build, NULL, "the file does not say what it is: write dialect NAME");
	if (!build->has_mti)
		iso8583_say(build, NULL, "the line mti is missing: write for example mti bcd");
	if (!build->has_bitmap)
		iso8583_say(build, NULL, "the line bitmap is missing: write bitmap binary");
	if (dialect->third != ISO8583_THIRD_NONE)
		last = ISO8583_FIELDS;
	else if (dialect->maps > 0)
		last = 64 * dialect->maps;
	for (int i = last + 1; i <= ISO8583_FIELDS; i++)
		if ((build->line = build->field_lines[i]) > 0)
			iso8583_say(build, NULL,
			            "there is no bitmap for field %d: write third=next "
			            "or always= in the line bitmap",
			            i);
	build->line = build->field_lines[65];
	if (dialect->third != ISO8583_THIRD_NONE && build->line > 0)
		iso8583_say(build, NULL, "field 65 is the third bitmap here: remove the line");
}

static void drop(struct iso8583_build *build)
{
	iso8583_dialect_free(build->dialect);
	build->dialect = NULL;
}

static struct result start(struct iso8583_build *build, struct bytes text)
{
	size_t lines = 1;

	if (text.length > ISO8583_DIALECT_MAX)
		return FAIL(ERROR_LIMIT, "the dialect is longer than any that we take");
	for (size_t i = 0; i < text.length; i++)
		lines += text.data[i] == '\n';
	size_t parts = lines < ISO8583_PARTS_MAX ? lines : ISO8583_PARTS_MAX;
	struct iso8583_dialect *dialect = calloc(1, sizeof *dialect);
	build->dialect = dialect;
	if (!dialect)
		return FAIL(ERROR_MEMORY, "no memory for a dialect");
	// Kept are names in quotes, paths and values, each with a zero behind it where the file has
	// a quote, a space or an equals sign too many; and the title may be empty.
	dialect->texts = calloc(1, text.length + lines + 1);
	dialect->parts = calloc(parts, sizeof *dialect->parts);
	dialect->contents = calloc(parts, sizeof *dialect->contents);
	if (!dialect->texts || !dialect->parts || !dialect->contents)
		return FAIL(ERROR_MEMORY, "no memory for a dialect");
	build->texts_at = dialect->texts;
	build->content_max = parts;
	dialect->title = "";
	iso8583_set_defaults(build);
	return RESULT_OK;
}

static struct result build_all(struct iso8583_build *build, struct bytes text)
{
	struct result result = start(build, text);

	if (!result_ok(result)) {
		drop(build);
		return result;
	}
	while (text.length > 0) {
		size_t length = bytes_find(text, '\n');
		struct bytes line = bytes_slice(text, 0, length);
		if (line.length > 0 && line.data[line.length - 1] == '\r')
			line.length--;
		build->line++;
		read_line(build, line);
		text = bytes_slice(text, length + 1, text.length);
	}
	check_whole(build);
	if (build->mistakes > 0) {
		drop(build);
		return FAIL(ERROR_INPUT, "the dialect has a mistake");
	}
	return RESULT_OK;
}

static void tell_first(void *context, const struct iso8583_mistake *mistake)
{
	struct iso8583_mistake *first = context;

	if (!first->text[0])
		*first = *mistake;
}

struct result iso8583_dialect_read(struct bytes text, struct iso8583_dialect **ret_dialect,
                                   struct iso8583_mistake *ret_mistake)
{
	struct iso8583_build build = { .tell = tell_first, .context = ret_mistake };

	*ret_mistake = (struct iso8583_mistake){ 0 };
	*ret_dialect = NULL;
	struct result result = build_all(&build, text);
	if (result_ok(result))
		*ret_dialect = build.dialect;
	else if (!ret_mistake->text[0])
		(void)snprintf(ret_mistake->text, sizeof ret_mistake->text, "%s", result.detail);
	return result;
}

size_t iso8583_dialect_lint(struct bytes text,
                            void (*tell)(void *context, const struct iso8583_mistake *mistake),
                            void *context)
{
	struct iso8583_build build = { .tell = tell, .context = context };
	struct result result = build_all(&build, text);

	if (!result_ok(result) && build.mistakes == 0)
		iso8583_say(&build, NULL, "%s", result.detail);
	drop(&build);
	return build.mistakes;
}

void iso8583_dialect_free(struct iso8583_dialect *dialect)
{
	if (!dialect)
		return;
	free(dialect->texts);
	free(dialect->parts);
	free(dialect->contents);
	free(dialect);
}
