// Templates of the bank's pages, and the texts in two languages (texts.def).
#include "page.h"

#include "base/check.h"

static const struct {
	const char *key;
	const char *en;
	const char *ru;
} texts[] = {
#define TEXT(key, en, ru) { #key, en, ru },
#include "texts.def"
#undef TEXT
};

struct rendering {
	struct buffer *out;
	const struct page_value *values;
	size_t count;
	bool russian;
	bool plain; // nothing is escaped
	bool inside_text;
};

static const char *text_of(struct bytes key, bool russian)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (bytes_equal_text(key, texts[i].key))
			return russian ? texts[i].ru : texts[i].en;
	return NULL;
}

static const char *value_of(const struct rendering *rendering, struct bytes name)
{
	for (size_t i = 0; i < rendering->count; i++)
		if (bytes_equal_text(name, rendering->values[i].name))
			return rendering->values[i].value ? rendering->values[i].value : "";
	return "";
}

static void put_escaped(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&': buffer_put_text(out, "&amp;"); break;
		case '<': buffer_put_text(out, "&lt;"); break;
		case '>': buffer_put_text(out, "&gt;"); break;
		case '"': buffer_put_text(out, "&quot;"); break;
		case '\'': buffer_put_text(out, "&#39;"); break;
		default: buffer_put_byte(out, (uint8_t)*text);
		}
	}
}

static size_t find(struct bytes text, const char *what)
{
	const void *at = text.length ? memmem(text.data, text.length, what, strlen(what)) : NULL;

	return at ? (size_t)((const uint8_t *)at - text.data) : text.length;
}

static struct result render(const struct rendering *rendering, struct bytes template);

static struct result render_text(const struct rendering *rendering, struct bytes key)
{
	struct rendering inside = *rendering;
	const char *text = text_of(key, rendering->russian);

	if (!text || rendering->inside_text)
		return FAIL(ERROR_INPUT, "a template names a text that is not there");
	inside.inside_text = true;
	return render(&inside, bytes_text(text));
}

// One tag; moves *rest past it, or past its section when the section is not wanted.
static struct result render_tag(const struct rendering *rendering, struct bytes tag,
                                struct bytes *rest)
{
	char kind = tag.length ? (char)tag.data[0] : 0;

	if (bytes_start_with(tag, "t:"))
		return render_text(rendering, bytes_slice(tag, 2, tag.length));
	if (kind == '/')
		return RESULT_OK;
	if (kind == '?' || kind == '!') {
		bool there = *value_of(rendering, bytes_slice(tag, 1, tag.length)) != 0;
		size_t end = find(*rest, "{{/}}");

		if (end == rest->length)
			return FAIL(ERROR_INPUT, "a template does not end a section");
		if (there != (kind == '?'))
			*rest = bytes_slice(*rest, end, rest->length);
		return RESULT_OK;
	}
	if (rendering->plain)
		buffer_put_text(rendering->out, value_of(rendering, tag));
	else
		put_escaped(rendering->out, value_of(rendering, tag));
	return RESULT_OK;
}

static struct result render(const struct rendering *rendering, struct bytes template)
{
	struct bytes rest = template;

	while (rest.length) {
		size_t open = find(rest, "{{");
		size_t close;
		struct bytes tag;

		buffer_put(rendering->out, bytes_slice(rest, 0, open));
		rest = bytes_slice(rest, open + 2, rest.length);
		if (!rest.length)
			break;
		close = find(rest, "}}");
		if (close == rest.length)
			return FAIL(ERROR_INPUT, "a template does not end a tag");
		tag = bytes_slice(rest, 0, close);
		rest = bytes_slice(rest, close + 2, rest.length);
		TRY(render_tag(rendering, tag, &rest));
	}
	return buffer_result(rendering->out);
}

struct result page_put(struct buffer *out, struct bytes template, bool russian,
                       const struct page_value *values, size_t count)
{
	struct rendering rendering = { out, values, count, russian, false, false };

	return render(&rendering, template);
}

struct result page_put_plain(struct buffer *out, const char *key, bool russian,
                             const struct page_value *values, size_t count)
{
	struct rendering rendering = { out, values, count, russian, true, true };
	const char *text = text_of(bytes_text(key), russian);

	CHECK(text);
	return render(&rendering, bytes_text(text));
}
