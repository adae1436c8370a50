// The paths of parts in a dialect file: 55.9F02 is tag 9F02 in field 55, 34.73.6 is bit 6 of tag 73
// in field 34.
#include "iso8583/dialect_read.h"

#include "base/text.h"
#include "iso8583/ebcdic.h"

enum { DEPTH_MAX = 4 };

// A position or a bit.
static bool read_number_key(const struct iso8583_content *content, struct bytes text,
                            uint32_t *ret_key)
{
	uint64_t largest = content->chained ? 128 : 8u * content->tag_bytes;
	uint64_t number;

	if (content->kind == ISO8583_POSITIONAL)
		largest = 999;
	if (!text_to_number(text, largest, &number) || number == 0)
		return false;
	*ret_key = (uint32_t)number;
	return true;
}

static bool read_tag(const struct iso8583_content *content, struct bytes text, uint32_t *ret_key)
{
	const uint8_t *page = iso8583_to_ebcdic[content->tag_encoding == ISO8583_EBCDIC_1047];
	bool hex = content->kind == ISO8583_BER || content->tag_encoding == ISO8583_BINARY;
	size_t length = hex ? text.length / 2 : text.length;
	uint8_t bytes[4];

	if (length == 0 || length > 4 || (content->tag_bytes > 0 && length != content->tag_bytes))
		return false;
	if (hex && !hex_read(text, bytes, length))
		return false;
	*ret_key = 0;
	for (size_t i = 0; i < length; i++) {
		uint8_t byte = hex ? bytes[i] : text.data[i];
		if (!hex && content->tag_encoding != ISO8583_ASCII)
			byte = page[byte];
		*ret_key = *ret_key << 8 | byte;
	}
	return content->kind != ISO8583_BER || bytes[0] != 0;
}

bool iso8583_path_key(const struct iso8583_content *content, struct bytes text, uint32_t *ret_key)
{
	if (content->kind == ISO8583_POSITIONAL || content->kind == ISO8583_BITMAP)
		return read_number_key(content, text, ret_key);
	return read_tag(content, text, ret_key);
}

struct bytes iso8583_path_step(struct bytes *rest)
{
	size_t length = bytes_find(*rest, '.');
	struct bytes step = bytes_slice(*rest, 0, length);

	*rest = bytes_slice(*rest, length + 1, rest->length);
	return step;
}

// Parts that are told apart by where they stand are written in that order.
static bool check_order(struct iso8583_build *build, const struct iso8583_word *path,
                        const struct iso8583_content *content, uint32_t key)
{
	uint32_t last = content->last > 0 ? build->dialect->parts[content->last - 1].key : 0;
	bool positional = content->kind == ISO8583_POSITIONAL;

	if (positional ? key == last + 1 : content->kind != ISO8583_BITMAP || key > last)
		return true;
	return iso8583_say(
	        build, path,
	        "parts stand in the order of their positions or bits: the one before is %u", last);
}

bool iso8583_read_path(struct iso8583_build *build, const struct iso8583_word *path,
                       struct iso8583_content **ret_content, uint32_t *ret_key)
{
	struct iso8583_dialect *dialect = build->dialect;
	struct bytes rest = path->text;
	const struct iso8583_field *field;
	uint64_t number;

	if (!text_to_number(iso8583_path_step(&rest), ISO8583_FIELDS, &number) || number < 2 ||
	    rest.length == 0)
		return iso8583_say(build, path,
		                   "a path is the field's number, a dot and the part: 55.9F02");
	field = &dialect->fields[number];
	for (int depth = 1;; depth++) {
		if (depth > DEPTH_MAX)
			return iso8583_say(build, path, "a part lies at most %d deep", DEPTH_MAX);
		if (field->content == 0)
			return iso8583_say(
			        build, path,
			        "what the part is in has no content=, or its line is not above "
			        "this one");
		struct iso8583_content *content = &dialect->contents[field->content - 1];
		struct bytes step = iso8583_path_step(&rest);
		if (!iso8583_path_key(content, step, ret_key))
			return iso8583_say(build, path, "%.*s is no %s of this content",
			                   (int)step.length, (const char *)step.data,
			                   content->kind == ISO8583_BITMAP       ? "bit"
			                   : content->kind == ISO8583_POSITIONAL ? "position"
			                                                         : "tag");
		field = iso8583_part_of(dialect, content, *ret_key);
		*ret_content = content;
		if (rest.length == 0)
			break;
		if (!field)
			return iso8583_say(build, path,
			                   "the line of %.*s is missing above this one",
			                   (int)(path->text.length - rest.length - 1),
			                   (const char *)path->text.data);
	}
	if (field)
		return iso8583_say(build, path, "this part is described already");
	return check_order(build, path, *ret_content, *ret_key);
}
