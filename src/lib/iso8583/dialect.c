// What is computed from a dialect's columns, parts by their keys, and the dialects that come with
// the code: their files are in the program as bytes, because a driver's jail has no files.
#include "iso8583/dialect.h"
#include "iso8583/value.h"

static const uint8_t text_1987_ascii[] = {
#include "1987-ascii.h"
};
static const uint8_t text_1987_bcd[] = {
#include "1987-bcd.h"
};
static const uint8_t text_1993_bcd[] = {
#include "1993-bcd.h"
};
static const uint8_t text_cmf[] = {
#include "cmf.h"
};

static const struct {
	const char *name;
	struct bytes text;
} shipped[] = {
	{ "1987-ascii", BYTES_ARRAY(text_1987_ascii) },
	{ "1987-bcd", BYTES_ARRAY(text_1987_bcd) },
	{ "1993-bcd", BYTES_ARRAY(text_1993_bcd) },
	{ "cmf", BYTES_ARRAY(text_cmf) },
};

enum { SHIPPED = sizeof shipped / sizeof shipped[0] };

const char *iso8583_dialect_shipped(size_t i)
{
	return i < SHIPPED ? shipped[i].name : NULL;
}

struct bytes iso8583_dialect_text(struct bytes name)
{
	for (size_t i = 0; i < SHIPPED; i++)
		if (bytes_equal_text(name, shipped[i].name))
			return shipped[i].text;
	return BYTES_NONE;
}

struct result iso8583_dialect_find(struct bytes name, struct iso8583_dialect **ret_dialect)
{
	struct iso8583_mistake mistake;
	struct bytes text = iso8583_dialect_text(name);

	*ret_dialect = NULL;
	if (text.length == 0)
		return FAIL(ERROR_NOT_FOUND, "no dialect of this name comes with onfile");
	return iso8583_dialect_read(text, ret_dialect, &mistake);
}

const struct iso8583_field *iso8583_part_of(const struct iso8583_dialect *dialect,
                                            const struct iso8583_content *content, uint32_t key)
{
	for (uint16_t i = content->first; i > 0; i = dialect->parts[i - 1].next)
		if (dialect->parts[i - 1].key == key)
			return &dialect->parts[i - 1];
	return NULL;
}

static const uint8_t ways[ISO8583_ENCODINGS] = {
	[ISO8583_ASCII] = ISO8583_WAY_PLAIN,       [ISO8583_BCD] = ISO8583_WAY_BCD,
	[ISO8583_BINARY] = ISO8583_WAY_PLAIN,      [ISO8583_HEX] = ISO8583_WAY_HEX,
	[ISO8583_EBCDIC_037] = ISO8583_WAY_EBCDIC, [ISO8583_EBCDIC_1047] = ISO8583_WAY_EBCDIC,
	[ISO8583_EBCDIC_HEX] = ISO8583_WAY_HEX,
};

void iso8583_prepare(struct iso8583_field *field)
{
	bool packed = field->encoding == ISO8583_BCD;
	bool hex = field->encoding == ISO8583_HEX || field->encoding == ISO8583_EBCDIC_HEX;

	field->way = ways[field->encoding];
	if (packed && field->type == ISO8583_XN)
		field->way = ISO8583_WAY_SIGNED;
	if (packed && field->type == ISO8583_Z)
		field->way = ISO8583_WAY_TRACK;
	field->convert = ISO8583_SAME;
	if (packed && field->count == ISO8583_COUNT_BYTES)
		field->convert = field->type == ISO8583_XN ? ISO8583_SIGNED : ISO8583_TWICE;
	if (hex && field->count == ISO8583_COUNT_CHARACTERS)
		field->convert = ISO8583_HALF;
	field->prefix_bytes = field->prefix;
	if (field->prefix_encoding == ISO8583_BCD)
		field->prefix_bytes = (uint8_t)((field->prefix + 1) / 2);
}

size_t iso8583_counted_bytes(const struct iso8583_field *field, size_t count)
{
	bool packed = field->encoding == ISO8583_BCD;

	if (packed && field->convert == ISO8583_SAME)
		return field->type == ISO8583_XN ? (count > 0 ? 1 + count / 2 : 0)
		                                 : (count + 1) / 2;
	return field->way == ISO8583_WAY_HEX && field->convert == ISO8583_SAME ? 2 * count : count;
}
