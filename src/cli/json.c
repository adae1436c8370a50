// A recursive reader, one function for each kind of value.
#include "json.h"

#include "base/text.h"

#include <string.h>

struct reader {
	struct bytes rest;
	struct cli_document *document;
	int depth;
};

static void skip_space(struct reader *reader)
{
	while (reader->rest.length && memchr(" \t\r\n", reader->rest.data[0], 4))
		reader->rest = bytes_slice(reader->rest, 1, reader->rest.length);
}

// Takes `word` from the front when it is there.
static bool take(struct reader *reader, const char *word)
{
	if (!bytes_start_with(reader->rest, word))
		return false;
	reader->rest = bytes_slice(reader->rest, strlen(word), reader->rest.length);
	return true;
}

static bool take_mark(struct reader *reader, const char *mark)
{
	skip_space(reader);
	return take(reader, mark);
}

// --- texts

static void put_utf8(struct buffer *texts, uint32_t c)
{
	if (c < 0x80) {
		buffer_put_byte(texts, (uint8_t)c);
		return;
	}
	if (c >= 0x10000)
		buffer_put_byte(texts, (uint8_t)(0xf0 | c >> 18));
	if (c >= 0x800)
		buffer_put_byte(texts,
		                (uint8_t)(c >= 0x10000 ? 0x80 | (c >> 12 & 0x3f) : 0xe0 | c >> 12));
	buffer_put_byte(texts, (uint8_t)(c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6));
	buffer_put_byte(texts, (uint8_t)(0x80 | (c & 0x3f)));
}

static bool take_hex(struct reader *reader, uint32_t *ret_unit)
{
	uint8_t unit[2];

	if (!hex_read(bytes_slice(reader->rest, 0, 4), unit, sizeof(unit)))
		return false;
	reader->rest = bytes_slice(reader->rest, 4, reader->rest.length);
	*ret_unit = (uint32_t)unit[0] << 8 | unit[1];
	return true;
}

// After `\u`: one unit of UTF-16, or two that belong together.
static bool take_unit(struct reader *reader)
{
	uint32_t c, low;

	if (!take_hex(reader, &c) || c == 0 || (c >= 0xdc00 && c <= 0xdfff))
		return false;
	if (c >= 0xd800 && c <= 0xdbff) {
		if (!take(reader, "\\u") || !take_hex(reader, &low) || low < 0xdc00 || low > 0xdfff)
			return false;
		c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
	}
	put_utf8(&reader->document->texts, c);
	return true;
}

static bool take_escape(struct reader *reader)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";

	if (take(reader, "u"))
		return take_unit(reader);
	if (reader->rest.length == 0 || reader->rest.data[0] == 0)
		return false;
	const char *at = strchr(from, reader->rest.data[0]);
	if (!at)
		return false;
	buffer_put_byte(&reader->document->texts, (uint8_t)to[at - from]);
	reader->rest = bytes_slice(reader->rest, 1, reader->rest.length);
	return true;
}

static bool take_text(struct reader *reader, const char **ret_text)
{
	struct buffer *texts = &reader->document->texts;
	size_t start = texts->length;

	if (!take(reader, "\""))
		return false;
	while (!take(reader, "\"")) {
		if (reader->rest.length == 0 || reader->rest.data[0] < 0x20)
			return false;
		if (take(reader, "\\")) {
			if (!take_escape(reader))
				return false;
			continue;
		}
		buffer_put_byte(texts, reader->rest.data[0]);
		reader->rest = bytes_slice(reader->rest, 1, reader->rest.length);
	}
	if (!text_is_utf8(bytes_slice(buffer_view(texts), start, texts->length)))
		return false;
	buffer_put_byte(texts, 0);
	*ret_text = (const char *)texts->data + start;
	return !texts->failed;
}

// --- numbers

static size_t digits(struct bytes text)
{
	size_t count = 0;

	while (count < text.length && text.data[count] >= '0' && text.data[count] <= '9')
		count++;
	return count;
}

// The length of a number at the front (RFC 8259 section 6); 0: there is none.
static size_t number_length(struct bytes text)
{
	size_t at = text.length && text.data[0] == '-' ? 1 : 0;
	size_t whole = digits(bytes_slice(text, at, text.length));

	if (whole == 0 || (whole > 1 && text.data[at] == '0'))
		return 0;
	at += whole;
	if (at < text.length && text.data[at] == '.') {
		size_t part = digits(bytes_slice(text, at + 1, text.length));
		if (part == 0)
			return 0;
		at += 1 + part;
	}
	if (at < text.length && (text.data[at] | 0x20) == 'e') {
		at++;
		at += at < text.length && (text.data[at] == '+' || text.data[at] == '-');
		size_t power = digits(bytes_slice(text, at, text.length));
		if (power == 0)
			return 0;
		at += power;
	}
	return at;
}

static bool take_number(struct reader *reader, const char **ret_text)
{
	struct buffer *texts = &reader->document->texts;
	size_t start = texts->length;
	size_t length = number_length(reader->rest);

	if (length == 0)
		return false;
	buffer_put(texts, bytes_slice(reader->rest, 0, length));
	buffer_put_byte(texts, 0);
	reader->rest = bytes_slice(reader->rest, length, reader->rest.length);
	*ret_text = (const char *)texts->data + start;
	return !texts->failed;
}

// --- values

static struct cli_json *new_node(struct reader *reader)
{
	struct cli_document *document = reader->document;

	return document->count < CLI_JSON_NODES ? &document->nodes[document->count++] : NULL;
}

static bool take_value(struct reader *reader, struct cli_json *node);

// One member of an object (with its name) or of a list, linked in at *last.
static bool take_child(struct reader *reader, struct cli_json *node, const struct cli_json ***last)
{
	struct cli_json *child = new_node(reader);

	if (!child)
		return false;
	skip_space(reader);
	if (node->kind == CLI_JSON_OBJECT) {
		if (!take_text(reader, &child->name) || cli_json_member(node, child->name) ||
		    !take_mark(reader, ":"))
			return false;
	}
	if (!take_value(reader, child))
		return false;
	**last = child;
	*last = &child->next;
	return true;
}

static bool take_children(struct reader *reader, struct cli_json *node, const char *end)
{
	const struct cli_json **last = &node->first;
	bool good = true;

	if (take_mark(reader, end))
		return true;
	if (++reader->depth > CLI_JSON_DEPTH)
		return false;
	do {
		good = take_child(reader, node, &last);
	} while (good && take_mark(reader, ","));
	reader->depth--;
	return good && take_mark(reader, end);
}

static bool take_value(struct reader *reader, struct cli_json *node)
{
	static const struct {
		const char *word;
		enum cli_json_kind kind;
	} words[] = { { "null", CLI_JSON_NULL },
		      { "false", CLI_JSON_FALSE },
		      { "true", CLI_JSON_TRUE } };

	skip_space(reader);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (take(reader, words[i].word)) {
			node->kind = words[i].kind;
			return true;
		}
	if (take(reader, "{")) {
		node->kind = CLI_JSON_OBJECT;
		return take_children(reader, node, "}");
	}
	if (take(reader, "[")) {
		node->kind = CLI_JSON_LIST;
		return take_children(reader, node, "]");
	}
	bool text = reader->rest.length && reader->rest.data[0] == '"';
	node->kind = text ? CLI_JSON_TEXT : CLI_JSON_NUMBER;
	return text ? take_text(reader, &node->text) : take_number(reader, &node->text);
}

struct result cli_json_read(struct bytes text, struct cli_document *ret_document)
{
	struct reader reader = { .rest = text, .document = ret_document };

	memset(ret_document, 0, sizeof(*ret_document));
	// What is decoded is never longer than what was written, plus its zero byte; a buffer that
	// has all its room at the start does not move.
	buffer_init(&ret_document->texts, 2 * text.length + 1);
	if (!buffer_room(&ret_document->texts, 2 * text.length + 1))
		return FAIL(ERROR_MEMORY, "no memory");
	bool good = take_value(&reader, new_node(&reader));
	skip_space(&reader);
	if (good && reader.rest.length == 0)
		return RESULT_OK;
	if (ret_document->count == CLI_JSON_NODES || reader.depth > CLI_JSON_DEPTH)
		return FAIL(ERROR_LIMIT, "too large or too deep");
	return FAIL(ERROR_INPUT, "this is not JSON");
}

void cli_document_done(struct cli_document *document)
{
	buffer_done(&document->texts);
}

const struct cli_json *cli_json_member(const struct cli_json *object, const char *name)
{
	if (!object || object->kind != CLI_JSON_OBJECT)
		return NULL;
	for (const struct cli_json *member = object->first; member; member = member->next)
		if (strcmp(member->name, name) == 0)
			return member;
	return NULL;
}

const char *cli_json_text(const struct cli_json *object, const char *name)
{
	const struct cli_json *member = cli_json_member(object, name);

	return member && member->kind == CLI_JSON_TEXT ? member->text : NULL;
}

bool cli_json_true(const struct cli_json *object, const char *name)
{
	const struct cli_json *member = cli_json_member(object, name);

	return member && member->kind == CLI_JSON_TRUE;
}
