// The words of a dialect file: what each sets, and whether what a line says can be (see
// docs/iso8583-dialects.md).
#include "iso8583/dialect_read.h"

#include "base/text.h"
#include "iso8583/charset.h"

struct named {
	const char *word;
	uint8_t value;
};

static const struct named encodings[] = {
	{ "ascii", ISO8583_ASCII },           { "bcd", ISO8583_BCD },
	{ "binary", ISO8583_BINARY },         { "hex", ISO8583_HEX },
	{ "ebcdic037", ISO8583_EBCDIC_037 },  { "ebcdic1047", ISO8583_EBCDIC_1047 },
	{ "ebcdic-hex", ISO8583_EBCDIC_HEX },
};

static const struct named types[] = {
	{ "n", ISO8583_N },   { "x+n", ISO8583_XN },  { "a", ISO8583_A }, { "an", ISO8583_AN },
	{ "ns", ISO8583_NS }, { "ans", ISO8583_ANS }, { "z", ISO8583_Z }, { "b", ISO8583_B },
};

static const struct named prefixes[] = {
	{ "ascii", ISO8583_ASCII },
	{ "bcd", ISO8583_BCD },
	{ "binary", ISO8583_BINARY },
	{ "ebcdic", ISO8583_EBCDIC_037 },
};

static const struct named counts[] = {
	{ "digits", ISO8583_COUNT_VALUE },
	{ "characters", ISO8583_COUNT_CHARACTERS },
	{ "bytes", ISO8583_COUNT_BYTES },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool find(const struct named *rows, size_t count, struct bytes name, uint8_t *ret_value)
{
	for (size_t i = 0; i < count; i++)
		if (bytes_equal_text(name, rows[i].word)) {
			*ret_value = rows[i].value;
			return true;
		}
	return false;
}

bool iso8583_encoding_named(struct bytes name, uint8_t *ret_encoding)
{
	return find(encodings, COUNT(encodings), name, ret_encoding);
}

bool iso8583_type_named(struct bytes name, uint8_t *ret_type)
{
	return find(types, COUNT(types), name, ret_type);
}

void iso8583_set_defaults(struct iso8583_build *build)
{
	for (int type = 1; type < ISO8583_TYPES; type++)
		for (int prefixed = 0; prefixed < 2; prefixed++) {
			bool digits = type == ISO8583_N || type == ISO8583_XN;
			bool raw = type == ISO8583_B || type == ISO8583_Z;
			build->defaults[type][prefixed] = (struct iso8583_field){
				.type = (uint8_t)type,
				.encoding = type == ISO8583_B ? ISO8583_BINARY : ISO8583_ASCII,
				.padding = digits ? ISO8583_PAD_LEFT
				           : raw  ? ISO8583_PAD_NONE
				                  : ISO8583_PAD_RIGHT,
				.pad = digits ? '0' : ' ',
			};
		}
}

// --- the words of a field

#define MEMBER(member) offsetof(struct iso8583_field, member)

// Words that set one member to one value.
static const struct {
	const char *word;
	size_t member;
	uint8_t value;
} flags[] = {
	{ "printable", MEMBER(secrecy), ISO8583_PRINTABLE },
	{ "hidden", MEMBER(secrecy), ISO8583_HIDDEN },
	{ "odd=left", MEMBER(odd), ISO8583_ODD_LEFT },
	{ "odd=right", MEMBER(odd), ISO8583_ODD_RIGHT },
	{ "fill=0", MEMBER(filler), 0 },
	{ "fill=F", MEMBER(filler), 15 },
	{ "L", MEMBER(prefix), 1 },
	{ "LL", MEMBER(prefix), 2 },
	{ "LLL", MEMBER(prefix), 3 },
	{ "LLLL", MEMBER(prefix), 4 },
	{ "LLLLL", MEMBER(prefix), 5 },
	{ "LLLLLL", MEMBER(prefix), 6 },
	{ "pad=none", MEMBER(padding), ISO8583_PAD_NONE },
};

#define WORD_OF(word) (int)(word)->text.length, (const char *)(word)->text.data

// A member may be said once in a line.
static bool set(struct iso8583_build *build, struct iso8583_spec *spec,
                const struct iso8583_word *word, size_t member, uint8_t value)
{
	if (spec->said >> member & 1)
		return iso8583_say(build, word, "%.*s says again what an earlier word has said",
		                   WORD_OF(word));
	spec->said |= (uint64_t)1 << member;
	((uint8_t *)&spec->field)[member] = value;
	return true;
}

static bool set_pad(struct iso8583_build *build, struct iso8583_spec *spec,
                    const struct iso8583_word *word, struct bytes value)
{
	bool left = bytes_start_with(value, "left,");
	struct bytes pad = bytes_slice(value, left ? 5 : 6, value.length);
	bool space = bytes_equal_text(pad, "space");

	if ((!left && !bytes_start_with(value, "right,")) || (pad.length != 1 && !space))
		return iso8583_say(build, word,
		                   "write pad=none, or pad=left,X or pad=right,X, where X is the "
		                   "character that fills or the word space");
	spec->field.pad = space ? ' ' : pad.data[0];
	return set(build, spec, word, MEMBER(padding), left ? ISO8583_PAD_LEFT : ISO8583_PAD_RIGHT);
}

static bool set_prefix(struct iso8583_build *build, struct iso8583_spec *spec,
                       const struct iso8583_word *word, struct bytes value)
{
	uint8_t encoding;

	if (!find(prefixes, COUNT(prefixes), value, &encoding))
		return iso8583_say(
		        build, word,
		        "write prefix=ascii, prefix=bcd, prefix=binary or prefix=ebcdic");
	return set(build, spec, word, MEMBER(prefix_encoding), encoding);
}

static bool set_count(struct iso8583_build *build, struct iso8583_spec *spec,
                      const struct iso8583_word *word, struct bytes value)
{
	uint8_t count;

	if (!find(counts, COUNT(counts), value, &count))
		return iso8583_say(build, word,
		                   "write count=digits, count=characters or count=bytes");
	return set(build, spec, word, MEMBER(count), count);
}

// --- content=…

enum { CONTENT_WORDS = 6 };

static size_t split_commas(struct bytes text, struct bytes words[static CONTENT_WORDS + 1])
{
	size_t count = 0;

	for (bool more = true; more && count <= CONTENT_WORDS; count++) {
		size_t length = bytes_find(text, ',');
		words[count] = bytes_slice(text, 0, length);
		more = length < text.length;
		text = bytes_slice(text, length + 1, text.length);
	}
	return count;
}

// content=tagged,BYTES,ENCODING,LL,PREFIX[,COUNT]
static bool read_tagged(const struct bytes *words, size_t count, struct iso8583_content *content)
{
	static const uint8_t good[] = { ISO8583_ASCII, ISO8583_BINARY, ISO8583_EBCDIC_037,
		                        ISO8583_EBCDIC_1047 };
	struct iso8583_field *unknown = &content->unknown;
	uint64_t bytes;

	if (count < 5 || count > 6 || !text_to_number(words[1], 4, &bytes) || bytes == 0 ||
	    !iso8583_encoding_named(words[2], &content->tag_encoding) ||
	    !memchr(good, content->tag_encoding, sizeof good) || words[3].length > 6 ||
	    words[3].length == 0 ||
	    !find(prefixes, COUNT(prefixes), words[4], &unknown->prefix_encoding))
		return false;
	for (size_t i = 0; i < words[3].length; i++)
		if (words[3].data[i] != 'L')
			return false;
	unknown->prefix = (uint8_t)words[3].length;
	content->tag_bytes = (uint8_t)bytes;
	return count == 5 || find(counts, COUNT(counts), words[5], &unknown->count);
}

// content=bitmap,BYTES,ENCODING[,chained]
static bool read_bitmap(const struct bytes *words, size_t count, struct iso8583_content *content)
{
	uint64_t bytes;

	if (count < 3 || count > 4 || !text_to_number(words[1], 16, &bytes) || bytes == 0 ||
	    !iso8583_encoding_named(words[2], &content->tag_encoding) ||
	    (content->tag_encoding != ISO8583_BINARY && content->tag_encoding != ISO8583_HEX &&
	     content->tag_encoding != ISO8583_EBCDIC_HEX))
		return false;
	content->tag_bytes = (uint8_t)bytes;
	content->chained = count == 4 && bytes_equal_text(words[3], "chained") &&
	                   content->tag_encoding == ISO8583_BINARY;
	return count == 3 || content->chained;
}

static bool read_plain(const struct bytes *words, size_t count, struct iso8583_content *content)
{
	(void)words;
	(void)content;
	return count == 1;
}

static const struct {
	const char *word;
	uint8_t kind;
	bool (*read)(const struct bytes *words, size_t count, struct iso8583_content *content);
} contents[] = {
	{ "positional", ISO8583_POSITIONAL, read_plain },
	{ "ber", ISO8583_BER, read_plain },
	{ "tagged", ISO8583_TAGGED, read_tagged },
	{ "bitmap", ISO8583_BITMAP, read_bitmap },
};

static bool set_content(struct iso8583_build *build, struct iso8583_spec *spec,
                        const struct iso8583_word *word, struct bytes value)
{
	struct bytes words[CONTENT_WORDS + 1];
	size_t count = split_commas(value, words);

	if (spec->field.content > 0 || build->content_count == build->content_max)
		return iso8583_say(build, word, "more contents than there can be");
	if (spec->in_default)
		return iso8583_say(build, word, "a content belongs to one field: write it there");
	struct iso8583_content content = {
		.unknown = { .name = "Unknown",
		             .max = ISO8583_LENGTH_MAX,
		             .type = ISO8583_B,
		             .encoding = ISO8583_BINARY },
	};
	for (size_t i = 0; i < COUNT(contents); i++) {
		if (!bytes_equal_text(words[0], contents[i].word) ||
		    !contents[i].read(words, count, &content))
			continue;
		content.kind = contents[i].kind;
		if (content.kind == ISO8583_BER)
			content.unknown.count = ISO8583_COUNT_BYTES;
		iso8583_prepare(&content.unknown);
		build->dialect->contents[build->content_count++] = content;
		spec->field.content = (uint16_t)build->content_count;
		return true;
	}
	return iso8583_say(
	        build, word,
	        "write content=positional, content=ber, content=tagged,2,ascii,LL,ascii or "
	        "content=bitmap,8,binary");
}

static const struct {
	const char *start;
	bool (*set)(struct iso8583_build *build, struct iso8583_spec *spec,
	            const struct iso8583_word *word, struct bytes value);
} settings[] = {
	{ "pad=", set_pad },
	{ "prefix=", set_prefix },
	{ "count=", set_count },
	{ "content=", set_content },
};

static bool read_word(struct iso8583_build *build, struct iso8583_spec *spec,
                      const struct iso8583_word *word)
{
	uint8_t encoding;

	for (size_t i = 0; i < COUNT(flags); i++)
		if (iso8583_is(word, flags[i].word))
			return set(build, spec, word, flags[i].member, flags[i].value);
	if (iso8583_encoding_named(word->text, &encoding))
		return set(build, spec, word, MEMBER(encoding), encoding);
	for (size_t i = 0; i < COUNT(settings); i++)
		if (bytes_start_with(word->text, settings[i].start)) {
			size_t start = strlen(settings[i].start);
			return settings[i].set(build, spec, word,
			                       bytes_slice(word->text, start, word->text.length));
		}
	return iso8583_say(
	        build, word,
	        "the word %.*s is not known here: write an encoding (ascii, bcd, binary, "
	        "hex, ebcdic037, ebcdic1047, ebcdic-hex), L to LLLLLL, prefix=, count=, "
	        "odd=, fill=, pad=, content=, printable or hidden",
	        WORD_OF(word));
}

bool iso8583_read_words(struct iso8583_build *build, struct iso8583_line *line, size_t from,
                        struct iso8583_spec *spec)
{
	for (size_t i = from; i < line->count; i++)
		if (!read_word(build, spec, &line->words[i]))
			return false;
	return true;
}

// --- what a line says, held against itself

// Which encodings a type may have, as bits.
static const uint8_t allowed[ISO8583_TYPES] = {
#define CHARACTERS (1 << ISO8583_ASCII | 1 << ISO8583_EBCDIC_037 | 1 << ISO8583_EBCDIC_1047)
	[ISO8583_N] = CHARACTERS | 1 << ISO8583_BCD,
	[ISO8583_XN] = CHARACTERS | 1 << ISO8583_BCD,
	[ISO8583_A] = CHARACTERS,
	[ISO8583_AN] = CHARACTERS,
	[ISO8583_NS] = CHARACTERS,
	[ISO8583_ANS] = CHARACTERS,
	[ISO8583_Z] = CHARACTERS | 1 << ISO8583_BCD,
	[ISO8583_B] = 1 << ISO8583_BINARY | 1 << ISO8583_HEX | 1 << ISO8583_EBCDIC_HEX,
#undef CHARACTERS
};

static bool check_encoding(struct iso8583_build *build, const struct iso8583_spec *spec)
{
	const struct iso8583_field *field = &spec->field;
	uint64_t half_bytes = (uint64_t)1 << MEMBER(odd) | (uint64_t)1 << MEMBER(filler);

	if (!(allowed[field->type] >> field->encoding & 1))
		return iso8583_say(
		        build, spec->type,
		        field->type == ISO8583_B
		                ? "bytes are binary, hex or ebcdic-hex"
		                : "this type is ascii, ebcdic037 or ebcdic1047, and bcd for "
		                  "n, x+n and z");
	if (field->encoding != ISO8583_BCD && spec->said & half_bytes)
		return iso8583_say(build, spec->type, "odd= and fill= are for bcd alone");
	if (field->type == ISO8583_XN && field->max < 2)
		return iso8583_say(build, spec->length,
		                   "the sign of x+n counts: the length is at least 2");
	return true;
}

static bool check_padding(struct iso8583_build *build, const struct iso8583_spec *spec)
{
	const struct iso8583_field *field = &spec->field;

	if (field->padding == ISO8583_PAD_NONE)
		return true;
	enum iso8583_type type = field->type == ISO8583_XN ? ISO8583_N : field->type;
	if (!iso8583_fits_type(type, bytes_from(&field->pad, 1)))
		return iso8583_say(build, spec->type,
		                   "a value of this type cannot hold the character that fills it");
	if (field->type == ISO8583_B)
		return iso8583_say(build, spec->type, "bytes are not filled: write pad=none");
	return true;
}

// The largest number that so many positions can say.
static uint64_t prefix_largest(const struct iso8583_field *field)
{
	uint64_t largest = 1;

	for (int i = 0; i < field->prefix; i++)
		largest *= field->prefix_encoding == ISO8583_BINARY ? 256 : 10;
	return largest - 1;
}

static size_t largest_count(const struct iso8583_field *field)
{
	switch ((enum iso8583_convert)field->convert) {
	case ISO8583_TWICE: return (field->max + 1) / 2;
	case ISO8583_SIGNED: return 1 + field->max / 2;
	case ISO8583_HALF: return 2 * (size_t)field->max;
	default: return field->max;
	}
}

// The length of a part with a tag is said by its content, not by itself.
static bool check_tagged_part(struct iso8583_build *build, struct iso8583_spec *spec)
{
	uint64_t own = (uint64_t)1 << MEMBER(prefix) | (uint64_t)1 << MEMBER(prefix_encoding) |
	               (uint64_t)1 << MEMBER(count);

	if (spec->said & own)
		return iso8583_say(
		        build, spec->length,
		        "the length of a part with a tag is written as its content says: "
		        "leave L, prefix= and count= out");
	spec->field.count = spec->inside->unknown.count;
	if (spec->field.count == ISO8583_COUNT_BYTES && spec->field.type == ISO8583_B)
		spec->field.count = ISO8583_COUNT_CHARACTERS;
	// The prefix is not read here; it tells a variable part from a fixed one (part.c).
	spec->field.prefix = spec->variable;
	return true;
}

static bool check_length(struct iso8583_build *build, struct iso8583_spec *spec)
{
	struct iso8583_field *field = &spec->field;

	if (spec->variable && field->prefix == 0)
		return iso8583_say(
		        build, spec->length,
		        "a variable field has a length prefix: write L to LLLLLL after the "
		        "length");
	if (!spec->variable && field->prefix > 0)
		return iso8583_say(build, spec->length,
		                   "a fixed field has no length prefix: write ..%u, or leave L out",
		                   (unsigned)field->max);
	if (spec->variable && largest_count(field) > prefix_largest(field))
		return iso8583_say(build, spec->length,
		                   "the length prefix can say %llu at most: write one more L",
		                   (unsigned long long)prefix_largest(field));
	return true;
}

bool iso8583_check_spec(struct iso8583_build *build, struct iso8583_spec *spec)
{
	const struct iso8583_content *inside = spec->inside;
	bool tagged = inside && (inside->kind == ISO8583_TAGGED || inside->kind == ISO8583_BER);

	if (!check_encoding(build, spec) || !check_padding(build, spec))
		return false;
	if (tagged)
		(void)check_tagged_part(build, spec);
	iso8583_prepare(&spec->field);
	return tagged || check_length(build, spec);
}
