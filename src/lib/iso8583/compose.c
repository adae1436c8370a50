// Parts in parts: values are sorted by their paths, so that all that goes into one content stands
// together, and each content is written from the inside out.
#include "iso8583/compose.h"

#include "base/check.h"
#include "iso8583/part.h"

#include <string.h>

void iso8583_compose_begin(struct iso8583_composer *composer, const struct iso8583_dialect *dialect,
                           struct iso8583_message *message)
{
	composer->dialect = dialect;
	composer->message = message;
	composer->count = 0;
}

static int compare(const struct iso8583_spot *a, const struct iso8583_spot *b)
{
	if (a->field != b->field)
		return a->field < b->field ? -1 : 1;
	for (int i = 0; i < ISO8583_DEPTH_MAX; i++)
		if (a->keys[i] != b->keys[i])
			return a->keys[i] < b->keys[i] ? -1 : 1;
	return 0;
}

void iso8583_compose_put(struct iso8583_composer *composer, const struct iso8583_spot *spot,
                         struct bytes value)
{
	size_t at = composer->count;

	if (!spot->target || value.length == 0)
		return;
	if (spot->depth == 0) {
		iso8583_set(composer->message, spot->field, value);
		return;
	}
	while (at > 0 && compare(composer->placed[at - 1].spot, spot) > 0)
		at--;
	// Of two values for one spot the later one counts.
	if (at > 0 && compare(composer->placed[at - 1].spot, spot) == 0) {
		composer->placed[at - 1].value = value;
		return;
	}
	CHECK(composer->count < ISO8583_PLACED_MAX);
	memmove(&composer->placed[at + 1], &composer->placed[at],
	        (composer->count - at) * sizeof composer->placed[0]);
	composer->placed[at] = (struct iso8583_placed){ spot, value };
	composer->count++;
}

// How many of the placed values from `from` on have the first `depth` keys in common.
static size_t count_alike(const struct iso8583_composer *composer, size_t from, size_t to,
                          int depth)
{
	const struct iso8583_spot *first = composer->placed[from].spot;
	size_t at = from + 1;

	while (at < to && composer->placed[at].spot->field == first->field &&
	       memcmp(composer->placed[at].spot->keys, first->keys,
	              (size_t)depth * sizeof first->keys[0]) == 0)
		at++;
	return at - from;
}

// Writes the content that the placed values `from` to `to` are in, `depth` steps below the field.
static struct result write_content(struct iso8583_composer *composer,
                                   const struct iso8583_field *field, size_t from, size_t to,
                                   int depth, struct bytes *ret_content)
{
	const struct iso8583_content *content = iso8583_content_of(composer->dialect, field);
	struct iso8583_message *message = composer->message;
	struct iso8583_part parts[ISO8583_PLACED_MAX];
	size_t count = 0, alike, length, wrong;

	CHECK(content);
	for (size_t at = from; at < to; at += alike) {
		const struct iso8583_spot *spot = composer->placed[at].spot;
		struct iso8583_part *part = &parts[count++];
		alike = count_alike(composer, at, to, depth + 1);
		*part = (struct iso8583_part){ .key = spot->keys[depth],
			                       .value = composer->placed[at].value };
		part->field = iso8583_part_of(composer->dialect, content, part->key);
		if (spot->depth > depth + 1)
			TRY(write_content(composer, part->field, at, at + alike, depth + 1,
			                  &part->value));
	}
	uint8_t *room = message->room + message->room_used;
	struct result result =
	        iso8583_parts_pack(composer->dialect, content, parts, count, room,
	                           sizeof message->room - message->room_used, &length, &wrong);
	// What was written of a content that failed is wiped with the message.
	message->room_used = result_ok(result) ? message->room_used + length : sizeof message->room;
	TRY(result);
	*ret_content = bytes_from(room, length);
	return RESULT_OK;
}

struct result iso8583_compose_end(struct iso8583_composer *composer)
{
	struct bytes value;
	size_t alike;

	for (size_t at = 0; at < composer->count; at += alike) {
		int field = composer->placed[at].spot->field;
		alike = count_alike(composer, at, composer->count, 0);
		TRY(write_content(composer, &composer->dialect->fields[field], at, at + alike, 0,
		                  &value));
		iso8583_set(composer->message, field, value);
	}
	return RESULT_OK;
}
