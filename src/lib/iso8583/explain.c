// One line for each field and each part: where it starts, its number, its name, its value. What
// cannot be read is not shown, only how long it is.
#include "iso8583/explain.h"

#include "base/cleanup.h"
#include "iso8583/part.h"

#include <stdio.h>
#include <stdlib.h>

// Where a value is: in the message as it came, or in memory that it was decoded to.
struct page {
	const struct iso8583_dialect *dialect;
	struct bytes wire;
	struct buffer *out;
	uint8_t room[ISO8583_ROOM]; // for the parts; a part of a part uses what is left
};

static void put_line(struct page *page, const char *where, int depth, const char *number,
                     const char *name)
{
	int indent = 2 * depth;

	buffer_printf(page->out, "%6s  %*s%-*s %-*s ", where, indent, "", 7, number,
	              indent < 30 ? 44 - indent : 14, name);
}

static void put_value(struct page *page, const struct iso8583_field *field, struct bytes value)
{
	iso8583_describe_value(field ? iso8583_shown(page->dialect, field) : NULL, value,
	                       page->out);
	buffer_put_byte(page->out, '\n');
}

// The offset in the message, or behind a plus the one in the decoded content.
static void place_of(const struct page *page, struct bytes content, size_t offset, char *to,
                     size_t capacity)
{
	uintptr_t wire = (uintptr_t)page->wire.data, at = (uintptr_t)content.data;

	if (at >= wire && at - wire <= page->wire.length)
		(void)snprintf(to, capacity, "%zu", (size_t)(at - wire) + offset);
	else
		(void)snprintf(to, capacity, "+%zu", offset);
}

static void put_parts(struct page *page, const struct iso8583_field *field, struct bytes value,
                      uint8_t *room, size_t room_left, int depth);

static void put_part(struct page *page, const struct iso8583_parts *parts,
                     const struct iso8583_part *part, const char *where, int depth)
{
	struct buffer number cleanup(buffer_done) = { 0 };

	buffer_init(&number, 64);
	iso8583_part_name(parts->content, part, &number);
	put_line(page, where, depth, buffer_text(&number),
	         part->field ? part->field->name : "(not in the dialect)");
	put_value(page, part->field, part->value);
	if (part->field && part->field->content > 0)
		put_parts(page, part->field, part->value, parts->reader.room,
		          parts->reader.room_left, depth + 1);
}

static void put_parts(struct page *page, const struct iso8583_field *field, struct bytes value,
                      uint8_t *room, size_t room_left, int depth)
{
	const struct iso8583_content *content = iso8583_content_of(page->dialect, field);
	struct iso8583_parts parts;
	struct iso8583_part part;
	char where[32];
	bool end = false;

	iso8583_parts_begin(&parts, page->dialect, content, value, room, room_left);
	for (;;) {
		struct result result = iso8583_parts_next(&parts, &part, &end);
		place_of(page, value, part.offset, where, sizeof where);
		if (!result_ok(result)) {
			put_line(page, where, depth, "!", result.detail);
			buffer_printf(page->out, "[hidden %zu]\n", value.length - part.offset);
			return;
		}
		if (end)
			return;
		put_part(page, &parts, &part, where, depth);
	}
}

static void put_bitmap(struct page *page, const struct iso8583_message *message)
{
	char where[16];

	(void)snprintf(where, sizeof where, "%u", message->offsets[1]);
	put_line(page, where, 0, "bitmap", "Fields that are there");
	for (int i = 2; i <= ISO8583_FIELDS; i++)
		if (iso8583_has(message, i))
			buffer_printf(page->out, "%d ", i);
	if (message->unknown_field > 0)
		buffer_printf(page->out, "%d …", message->unknown_field);
	buffer_put_byte(page->out, '\n');
}

static void put_fields(struct page *page, const struct iso8583_message *message)
{
	char where[16], number[16];

	put_line(page, "0", 0, "mti", "Message type");
	put_value(page, &page->dialect->mti, bytes_from(message->mti, sizeof message->mti));
	put_bitmap(page, message);
	for (int i = 2; i <= ISO8583_FIELDS; i++) {
		const struct iso8583_field *field = &page->dialect->fields[i];
		if (!iso8583_has(message, i))
			continue;
		(void)snprintf(where, sizeof where, "%u", message->offsets[i]);
		(void)snprintf(number, sizeof number, "%d", i);
		put_line(page, where, 0, number, field->name);
		put_value(page, field, message->values[i]);
		if (field->content > 0)
			put_parts(page, field, message->values[i], page->room, sizeof page->room,
			          1);
	}
	if (message->unknown_field == 0)
		return;
	(void)snprintf(where, sizeof where, "%u", message->offsets[message->unknown_field]);
	(void)snprintf(number, sizeof number, "%d", message->unknown_field);
	put_line(page, where, 0, number, "(not in the dialect, with all after it)");
	put_value(page, NULL, message->unknown);
}

static void put_error(struct page *page, struct result result, struct iso8583_place place)
{
	const char *name = place.field == 0   ? "message type"
	                   : place.field == 1 ? "bitmap"
	                                      : page->dialect->fields[place.field].name;

	buffer_printf(page->out, "error at byte %zu, field %d (%s): %s\n", place.offset,
	              place.field, name ? name : "not in the dialect", result.detail);
}

struct result iso8583_explain(const struct iso8583_dialect *dialect, struct bytes wire,
                              struct buffer *buffer)
{
	struct iso8583_message *message = malloc(sizeof *message);
	struct page *page = malloc(sizeof *page);
	struct iso8583_place place;
	struct result result = FAIL(ERROR_MEMORY, "no memory for a message");

	if (message && page) {
		page->dialect = dialect;
		page->wire = wire;
		page->out = buffer;
		result = iso8583_unpack(dialect, wire, message, &place);
		if (result_ok(result) || place.field > 0)
			put_fields(page, message);
		if (!result_ok(result))
			put_error(page, result, place);
		iso8583_wipe(message);
		explicit_bzero(page->room, sizeof page->room);
	}
	free(message);
	free(page);
	return result;
}
