// The four kinds of content as four small readers and writers in one table each.
#include "iso8583/part.h"

#include "base/text.h"
#include "iso8583/dialect_read.h"
#include "iso8583/ebcdic.h"

#define ENDS FAIL(ERROR_INPUT, "the content ends inside the part")
#define NO_ROOM FAIL(ERROR_LIMIT, "the parts do not fit their buffer")
#define NOT_FIXED FAIL(ERROR_INPUT, "the part does not have its fixed length")
#define UNKNOWN FAIL(ERROR_INPUT, "the dialect does not have this part")

static const uint8_t *take(struct iso8583_reader *reader, size_t length)
{
	const uint8_t *taken = reader->at;

	reader->at += length;
	reader->left -= length;
	return taken;
}

void iso8583_parts_begin(struct iso8583_parts *parts, const struct iso8583_dialect *dialect,
                         const struct iso8583_content *content, struct bytes value, uint8_t *room,
                         size_t room_length)
{
	*parts = (struct iso8583_parts){
		dialect, content, { value.data, value.length, room, room_length }, value.data
	};
}

// Everything that is left, as one part that nobody knows.
static struct result take_rest(struct iso8583_parts *parts, struct iso8583_part *ret_part)
{
	struct iso8583_reader *reader = &parts->reader;

	if (parts->dialect->refuse_unknown)
		return UNKNOWN;
	ret_part->field = NULL;
	ret_part->value = bytes_from(reader->at, reader->left);
	take(reader, reader->left);
	return RESULT_OK;
}

static struct result next_positional(struct iso8583_parts *parts, struct iso8583_part *ret_part,
                                     bool *ret_end)
{
	*ret_end = parts->reader.left == 0;
	if (*ret_end)
		return RESULT_OK;
	ret_part->key = ++parts->last;
	ret_part->field = iso8583_part_of(parts->dialect, parts->content, ret_part->key);
	if (!ret_part->field)
		return take_rest(parts, ret_part);
	return iso8583_read_field(&parts->reader, ret_part->field, &ret_part->value);
}

// The value behind a tag and a length. Only it is in sight, so that no part reads into the next.
static struct result read_tagged_value(struct iso8583_parts *parts, size_t count,
                                       struct iso8583_part *ret_part)
{
	struct iso8583_reader *reader = &parts->reader;
	const struct iso8583_field *field =
	        iso8583_part_of(parts->dialect, parts->content, ret_part->key);

	if (!field && parts->dialect->refuse_unknown)
		return UNKNOWN;
	size_t bytes = iso8583_counted_bytes(field ? field : &parts->content->unknown, count);
	if (bytes > reader->left)
		return ENDS;
	ret_part->field = field;
	if (!field) {
		ret_part->value = bytes_from(take(reader, bytes), bytes);
		return RESULT_OK;
	}
	struct iso8583_reader inside = { reader->at, bytes, reader->room, reader->room_left };
	TRY(iso8583_read_counted(&inside, field, count, &ret_part->value));
	take(reader, bytes);
	reader->room = inside.room;
	reader->room_left = inside.room_left;
	return field->prefix == 0 && ret_part->value.length != field->max ? NOT_FIXED : RESULT_OK;
}

static struct result next_tagged(struct iso8583_parts *parts, struct iso8583_part *ret_part,
                                 bool *ret_end)
{
	struct iso8583_reader *reader = &parts->reader;
	size_t bytes = parts->content->tag_bytes;
	size_t count;

	*ret_end = reader->left == 0;
	if (*ret_end)
		return RESULT_OK;
	if (bytes > reader->left)
		return ENDS;
	const uint8_t *tag = take(reader, bytes);
	for (size_t i = 0; i < bytes; i++)
		ret_part->key = ret_part->key << 8 | tag[i];
	ret_part->key_bytes = (uint8_t)bytes;
	TRY(iso8583_read_length(reader, &parts->content->unknown, &count));
	return read_tagged_value(parts, count, ret_part);
}

// Bytes of zeros between objects, and FF where no tag follows it, mean nothing.
static bool is_filler(const struct iso8583_reader *reader)
{
	uint8_t next = reader->left > 1 ? reader->at[1] : 0;

	return reader->left > 0 &&
	       (reader->at[0] == 0 || (reader->at[0] == 0xff && (next == 0 || next == 0xff)));
}

// A tag has up to four bytes here: the first one's low five bits say whether others follow, then
// bit 8 of each.
static struct result read_ber_tag(struct iso8583_reader *reader, struct iso8583_part *ret_part)
{
	bool more = true;

	while (more) {
		if (reader->left == 0)
			return ENDS;
		if (ret_part->key_bytes == 4)
			return FAIL(ERROR_INPUT, "a tag of more than four bytes");
		uint8_t byte = *take(reader, 1);
		more = ret_part->key_bytes == 0 ? (byte & 0x1f) == 0x1f : (byte & 0x80) != 0;
		ret_part->key = ret_part->key << 8 | byte;
		ret_part->key_bytes++;
	}
	return RESULT_OK;
}

// Up to three bytes of length, which is more than a message has. The indefinite form is not taken.
static struct result read_ber_length(struct iso8583_reader *reader, size_t *ret_length)
{
	if (reader->left == 0)
		return ENDS;
	uint8_t first = *take(reader, 1);
	size_t bytes = first & 0x7f;
	*ret_length = first;
	if (first < 0x80)
		return RESULT_OK;
	if (bytes == 0 || bytes > 3)
		return FAIL(ERROR_INPUT, "a length that no content has");
	if (bytes > reader->left)
		return ENDS;
	const uint8_t *from = take(reader, bytes);
	*ret_length = 0;
	for (size_t i = 0; i < bytes; i++)
		*ret_length = *ret_length << 8 | from[i];
	return RESULT_OK;
}

static struct result next_ber(struct iso8583_parts *parts, struct iso8583_part *ret_part,
                              bool *ret_end)
{
	struct iso8583_reader *reader = &parts->reader;
	size_t length;

	while (is_filler(reader))
		take(reader, 1);
	*ret_end = reader->left == 0;
	if (*ret_end)
		return RESULT_OK;
	ret_part->offset = (size_t)(reader->at - parts->start);
	TRY(read_ber_tag(reader, ret_part));
	TRY(read_ber_length(reader, &length));
	return read_tagged_value(parts, length, ret_part);
}

// One bitmap of `bytes` bytes, whose first bit has the number `first`.
static struct result read_map(struct iso8583_parts *parts, size_t bytes, size_t first)
{
	struct iso8583_field map = { .max = (uint32_t)bytes,
		                     .type = ISO8583_B,
		                     .encoding = parts->content->tag_encoding };
	struct bytes bits;

	iso8583_prepare(&map);
	TRY(iso8583_read_field(&parts->reader, &map, &bits));
	for (size_t i = 0; i < bytes * 8; i++) {
		size_t at = first - 1 + i;
		if (bits.data[i / 8] >> (7 - i % 8) & 1)
			parts->bits[at / 64] |= (uint64_t)1 << (63 - at % 64);
	}
	return RESULT_OK;
}

static bool has_bit(const uint64_t *bits, size_t number)
{
	return bits[(number - 1) / 64] >> (63 - (number - 1) % 64) & 1;
}

static void clear_bit(uint64_t *bits, size_t number)
{
	bits[(number - 1) / 64] &= ~((uint64_t)1 << (63 - (number - 1) % 64));
}

// The bitmap, and where it is chained those after it, of a byte each.
static struct result read_maps(struct iso8583_parts *parts)
{
	size_t bytes = parts->content->tag_bytes;
	size_t first = 1;

	TRY(read_map(parts, bytes, first));
	while (parts->content->chained && has_bit(parts->bits, first)) {
		clear_bit(parts->bits, first);
		first += bytes * 8;
		bytes = 1;
		if (first > ISO8583_PART_BITS)
			return FAIL(ERROR_INPUT, "the bitmaps go on without an end");
		TRY(read_map(parts, bytes, first));
	}
	parts->mapped = true;
	return RESULT_OK;
}

static struct result next_bitmap(struct iso8583_parts *parts, struct iso8583_part *ret_part,
                                 bool *ret_end)
{
	if (!parts->mapped)
		TRY(read_maps(parts));
	ret_part->offset = (size_t)(parts->reader.at - parts->start);
	for (uint32_t bit = parts->last + 1; bit <= ISO8583_PART_BITS; bit++) {
		if (!has_bit(parts->bits, bit))
			continue;
		ret_part->key = parts->last = bit;
		ret_part->field = iso8583_part_of(parts->dialect, parts->content, bit);
		if (ret_part->field)
			return iso8583_read_field(&parts->reader, ret_part->field,
			                          &ret_part->value);
		parts->last = ISO8583_PART_BITS; // nobody knows where it ends
		return take_rest(parts, ret_part);
	}
	*ret_end = true;
	if (parts->reader.left > 0)
		return FAIL(ERROR_INPUT, "there are bytes after the last part");
	return RESULT_OK;
}

struct result iso8583_parts_next(struct iso8583_parts *parts, struct iso8583_part *ret_part,
                                 bool *ret_end)
{
	static struct result (*const readers[ISO8583_CONTENTS])(struct iso8583_parts *,
	                                                        struct iso8583_part *, bool *) = {
		[ISO8583_POSITIONAL] = next_positional,
		[ISO8583_TAGGED] = next_tagged,
		[ISO8583_BER] = next_ber,
		[ISO8583_BITMAP] = next_bitmap,
	};

	*ret_end = false;
	*ret_part = (struct iso8583_part){ .offset = (size_t)(parts->reader.at - parts->start) };
	return readers[parts->content->kind](parts, ret_part, ret_end);
}

// --- writing

static struct result put(struct iso8583_writer *writer, const void *from, size_t length)
{
	if (length > writer->left)
		return NO_ROOM;
	if (length > 0)
		memcpy(writer->at, from, length);
	writer->at += length;
	writer->left -= length;
	return RESULT_OK;
}

// The `bytes` low bytes of a number, the highest first.
static struct result put_number(struct iso8583_writer *writer, uint32_t number, size_t bytes)
{
	uint8_t big[4];

	for (size_t i = 0; i < bytes; i++)
		big[i] = (uint8_t)(number >> 8 * (bytes - 1 - i));
	return put(writer, big, bytes);
}

static struct result put_ber_length(struct iso8583_writer *writer, size_t length)
{
	size_t bytes = length > 0xffff ? 3 : length > 0xff ? 2 : 1;

	if (length > 0xffffff)
		return FAIL(ERROR_INPUT, "the value is longer than a length can say");
	if (length < 0x80)
		return put_number(writer, (uint32_t)length, 1);
	TRY(put_number(writer, (uint32_t)(0x80 | bytes), 1));
	return put_number(writer, (uint32_t)length, bytes);
}

// A tag says how long it is, so a key says it too.
static size_t ber_tag_bytes(uint32_t key)
{
	return key > 0xffffff ? 4 : key > 0xffff ? 3 : key > 0xff ? 2 : 1;
}

// Writes the value behind its length, which is known only afterwards: it is moved up.
static struct result put_tagged(struct iso8583_writer *writer,
                                const struct iso8583_dialect *dialect,
                                const struct iso8583_content *content,
                                const struct iso8583_part *part)
{
	const struct iso8583_field *field = iso8583_part_of(dialect, content, part->key);
	bool ber = content->kind == ISO8583_BER;
	uint8_t value[ISO8583_MESSAGE_MAX];
	struct iso8583_writer inside = { value, sizeof value };
	size_t count = part->value.length;

	if (field && field->prefix == 0 && part->value.length != field->max)
		return NOT_FIXED;
	TRY(put_number(writer, part->key, ber ? ber_tag_bytes(part->key) : content->tag_bytes));
	if (field)
		TRY(iso8583_write_value(&inside, field, part->value, &count));
	else
		TRY(put(&inside, part->value.data, part->value.length));
	if (ber)
		TRY(put_ber_length(writer, count));
	else
		TRY(iso8583_write_length(writer, &content->unknown, count));
	struct result result = put(writer, value, sizeof value - inside.left);
	explicit_bzero(value, sizeof value - inside.left);
	return result;
}

static struct result put_plain(struct iso8583_writer *writer, const struct iso8583_dialect *dialect,
                               const struct iso8583_content *content,
                               const struct iso8583_part *part)
{
	const struct iso8583_field *field = iso8583_part_of(dialect, content, part->key);

	return field ? iso8583_write_field(writer, field, part->value) : UNKNOWN;
}

static struct result put_map(struct iso8583_writer *writer, const struct iso8583_content *content,
                             const uint64_t *bits, size_t first, size_t bytes)
{
	uint8_t map[ISO8583_PART_BITS / 8] = { 0 };
	struct iso8583_field field = { .max = (uint32_t)bytes,
		                       .type = ISO8583_B,
		                       .encoding = content->tag_encoding };

	for (size_t i = 0; i < bytes * 8; i++)
		if (has_bit(bits, first + i))
			map[i / 8] |= (uint8_t)(1 << (7 - i % 8));
	iso8583_prepare(&field);
	return iso8583_write_field(writer, &field, bytes_from(map, bytes));
}

// The bitmap of the parts, and where it is chained as many more as their bits need.
static struct result put_maps(struct iso8583_writer *writer, const struct iso8583_content *content,
                              const struct iso8583_part *parts, size_t count, size_t *ret_wrong)
{
	uint64_t bits[ISO8583_PART_BITS / 64] = { 0 };
	size_t bytes = content->tag_bytes;
	uint32_t last = 0;

	for (size_t i = 0; i < count; i++) {
		*ret_wrong = i;
		if (parts[i].key <= last || parts[i].key > ISO8583_PART_BITS)
			return FAIL(ERROR_INPUT, "the parts are not in the order of their bits");
		last = parts[i].key;
		bits[(last - 1) / 64] |= (uint64_t)1 << (63 - (last - 1) % 64);
	}
	if (!content->chained && last > 8 * bytes)
		return FAIL(ERROR_INPUT, "the bitmap does not have this bit");
	for (size_t first = 1;; first += 8 * bytes, bytes = 1) {
		bool more = content->chained && last >= first + 8 * bytes;
		if (content->chained && has_bit(bits, first))
			return FAIL(ERROR_INPUT, "this bit says that another bitmap follows");
		if (more)
			bits[(first - 1) / 64] |= (uint64_t)1 << (63 - (first - 1) % 64);
		TRY(put_map(writer, content, bits, first, bytes));
		if (!more)
			return RESULT_OK;
	}
}

struct result iso8583_parts_pack(const struct iso8583_dialect *dialect,
                                 const struct iso8583_content *content,
                                 const struct iso8583_part *parts, size_t count, uint8_t *to,
                                 size_t capacity, size_t *ret_length, size_t *ret_wrong)
{
	struct iso8583_writer writer = { to, capacity };
	bool tagged = content->kind == ISO8583_TAGGED || content->kind == ISO8583_BER;

	*ret_wrong = 0;
	if (content->kind == ISO8583_BITMAP)
		TRY(put_maps(&writer, content, parts, count, ret_wrong));
	for (size_t i = 0; i < count; i++) {
		*ret_wrong = i;
		if (content->kind == ISO8583_POSITIONAL && parts[i].key != i + 1)
			return FAIL(ERROR_INPUT,
			            "the parts are not in the order of their positions");
		TRY(tagged ? put_tagged(&writer, dialect, content, &parts[i])
		           : put_plain(&writer, dialect, content, &parts[i]));
	}
	*ret_length = capacity - writer.left;
	return RESULT_OK;
}

// --- by path

// Finds one part of a content. *ret_field NULL: it is not there.
static struct result find(const struct iso8583_dialect *dialect,
                          const struct iso8583_content *content, uint32_t key, struct bytes *value,
                          struct iso8583_reader *room, const struct iso8583_field **ret_field)
{
	struct iso8583_parts parts;
	struct iso8583_part part;
	bool end;

	*ret_field = NULL;
	iso8583_parts_begin(&parts, dialect, content, *value, room->room, room->room_left);
	for (;;) {
		TRY(iso8583_parts_next(&parts, &part, &end));
		if (end)
			return RESULT_OK;
		if (part.key != key || !part.field)
			continue;
		room->room = parts.reader.room;
		room->room_left = parts.reader.room_left;
		*value = part.value;
		*ret_field = part.field;
		return RESULT_OK;
	}
}

struct result iso8583_part_get(const struct iso8583_dialect *dialect,
                               const struct iso8583_message *message, const char *path,
                               uint8_t *room, size_t room_length, struct bytes *ret_value)
{
	struct bytes rest = bytes_text(path);
	struct bytes step = iso8583_path_step(&rest);
	struct iso8583_reader left = { NULL, 0, room, room_length };
	uint64_t number;

	*ret_value = BYTES_NONE;
	if (!text_to_number(step, ISO8583_FIELDS, &number) || number < 2)
		return FAIL(ERROR_NOT_FOUND, "the dialect does not have this path");
	const struct iso8583_field *field = &dialect->fields[number];
	struct bytes value = iso8583_get(message, (int)number);
	bool there = iso8583_has(message, (int)number);
	while (rest.length > 0) {
		const struct iso8583_content *content = iso8583_content_of(dialect, field);
		uint32_t key;
		step = iso8583_path_step(&rest);
		if (!content || !iso8583_path_key(content, step, &key) ||
		    !iso8583_part_of(dialect, content, key))
			return FAIL(ERROR_NOT_FOUND, "the dialect does not have this path");
		field = iso8583_part_of(dialect, content, key);
		if (!there)
			continue;
		const struct iso8583_field *found;
		TRY(find(dialect, content, key, &value, &left, &found));
		there = found != NULL;
	}
	if (there)
		*ret_value = value;
	return RESULT_OK;
}

void iso8583_part_name(const struct iso8583_content *content, const struct iso8583_part *part,
                       struct buffer *buffer)
{
	bool tagged = content->kind == ISO8583_TAGGED || content->kind == ISO8583_BER;
	bool hex = content->kind == ISO8583_BER || content->tag_encoding == ISO8583_BINARY;

	if (!tagged)
		buffer_printf(buffer, "%u", part->key);
	for (int i = part->key_bytes - 1; tagged && i >= 0; i--) {
		uint8_t byte = (uint8_t)(part->key >> 8 * i);
		if (hex) {
			buffer_printf(buffer, "%02X", byte);
			continue;
		}
		if (content->tag_encoding != ISO8583_ASCII)
			byte = iso8583_from_ebcdic[content->tag_encoding == ISO8583_EBCDIC_1047]
			                          [byte];
		buffer_put_byte(buffer, byte > 0x20 && byte < 0x7f ? byte : '_');
	}
}
