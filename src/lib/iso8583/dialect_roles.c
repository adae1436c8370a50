// The lines of a dialect file that say what a driver puts where: `edition`, `place` and `send`
// (roles.h). What a line names has to be described above it, and has to be able to hold it.
#include "iso8583/dialect_read.h"

#include "base/text.h"

#define WORD_OF(word) (int)(word)->text.length, (const char *)(word)->text.data

static const struct {
	const char *word, *example, *lost;
} roles[] = {
#define ROLE(name, word, example, lost) { word, example, lost },
#include "iso8583/roles.def"
#undef ROLE
};

static const char *const situations[] = {
#define SITUATION(name, word) word,
#include "iso8583/situations.def"
#undef SITUATION
};

bool iso8583_line_edition(struct iso8583_build *build, struct iso8583_line *line)
{
	static const char *const names[] = {
		[ISO8583_1987] = "1987", [ISO8583_1993] = "1993", [ISO8583_2003] = "2003"
	};

	for (int i = ISO8583_1987; line->count == 2 && i < ISO8583_EDITIONS; i++)
		if (iso8583_is(&line->words[1], names[i])) {
			build->dialect->roles.edition = (enum iso8583_edition)i;
			return true;
		}
	return iso8583_say(build, &line->words[line->count > 1],
	                   "write edition 1987, edition 1993 or edition 2003: those are what the "
	                   "driver builds messages of");
}

static bool fits(const struct iso8583_field *field, struct bytes value)
{
	uint8_t room[ISO8583_LENGTH_MAX];
	struct iso8583_writer writer = { room, sizeof room };
	size_t count;

	return result_ok(iso8583_write_value(&writer, field, value, &count));
}

// Finds the field or part that a path names; it has to be described already.
static bool read_spot(struct iso8583_build *build, const struct iso8583_word *path,
                      struct iso8583_spot *ret_spot)
{
	const struct iso8583_dialect *dialect = build->dialect;
	struct bytes rest = path->text;
	struct iso8583_spot spot = { 0 };
	uint64_t number;

	if (!text_to_number(iso8583_path_step(&rest), ISO8583_FIELDS, &number) || number < 2 ||
	    dialect->fields[number].type == ISO8583_UNUSED)
		return iso8583_say(build, path, "there is no line above this one for field %.*s",
		                   WORD_OF(path));
	spot.field = (uint8_t)number;
	spot.target = &dialect->fields[number];
	while (rest.length > 0) {
		const struct iso8583_content *content = iso8583_content_of(dialect, spot.target);
		struct bytes step = iso8583_path_step(&rest);
		if (!content || spot.depth == ISO8583_DEPTH_MAX ||
		    !iso8583_path_key(content, step, &spot.keys[spot.depth]))
			spot.target = NULL;
		else
			spot.target = iso8583_part_of(dialect, content, spot.keys[spot.depth]);
		if (!spot.target)
			return iso8583_say(build, path,
			                   "there is no line above this one for part %.*s",
			                   WORD_OF(path));
		spot.depth++;
	}
	spot.path = iso8583_keep_text(build, path->text);
	*ret_spot = spot;
	return true;
}

// place ROLE PATH
bool iso8583_line_place(struct iso8583_build *build, struct iso8583_line *line)
{
	struct iso8583_spot spot;

	if (line->count != 3)
		return iso8583_say(build, NULL,
		                   "write place WHAT PATH, for example place cvc 48.20");
	for (size_t i = 0; i < ISO8583_ROLES; i++) {
		struct iso8583_spot *place = &build->dialect->roles.places[i];
		struct bytes example = bytes_text(roles[i].example);
		if (!iso8583_is(&line->words[1], roles[i].word))
			continue;
		if (place->target)
			return iso8583_say(build, &line->words[1], "%s has a place already: %s",
			                   roles[i].word, place->path);
		if (!read_spot(build, &line->words[2], &spot))
			return false;
		if (example.length > 0 && spot.target->type != ISO8583_B &&
		    !fits(spot.target, example))
			return iso8583_say(build, &line->words[2],
			                   "%s, such as %s, does not fit there", roles[i].word,
			                   roles[i].example);
		*place = spot;
		return true;
	}
	return iso8583_say(build, &line->words[1], "the driver has no %.*s to place",
	                   WORD_OF(&line->words[1]));
}

// One or more situations with pluses between.
static bool read_situation(struct bytes text, uint32_t *ret_situation)
{
	*ret_situation = 0;
	for (;;) {
		size_t length = bytes_find(text, '+');
		uint32_t bit = 0;
		for (size_t i = 0; i < ISO8583_SITUATIONS; i++)
			if (bytes_equal_text(bytes_slice(text, 0, length), situations[i]))
				bit = (uint32_t)1 << i;
		if (!bit)
			return false;
		*ret_situation |= bit;
		if (length == text.length)
			return true;
		text = bytes_slice(text, length + 1, text.length);
	}
}

// SITUATION=VALUE
static bool read_case(struct iso8583_build *build, const struct iso8583_word *word,
                      const struct iso8583_spot *spot, struct iso8583_case *ret_case)
{
	size_t equals = bytes_find(word->text, '=');
	struct bytes value = bytes_slice(word->text, equals + 1, word->text.length);

	if (value.length == 0 ||
	    !read_situation(bytes_slice(word->text, 0, equals), &ret_case->situation))
		return iso8583_say(build, word,
		                   "%.*s: write WHEN=VALUE, for example reverse+part=401",
		                   WORD_OF(word));
	uint8_t *kept = (uint8_t *)iso8583_keep_text(build, value);
	ret_case->value = bytes_from(kept, value.length);
	if (spot->target->type == ISO8583_B) {
		ret_case->value.length /= 2;
		if (value.length % 2 != 0 || !hex_read(value, kept, value.length / 2))
			return iso8583_say(build, word,
			                   "a value of bytes is written in hexadecimal");
	}
	if (!fits(spot->target, ret_case->value))
		return iso8583_say(build, word, "the value of %.*s does not fit there",
		                   WORD_OF(word));
	return true;
}

// send PATH SITUATION=VALUE …
bool iso8583_line_send(struct iso8583_build *build, struct iso8583_line *line)
{
	struct iso8583_roles *to = &build->dialect->roles;

	if (line->count < 3)
		return iso8583_say(build, NULL,
		                   "write send PATH WHEN=VALUE …, for example send 22 typed=812 "
		                   "stored=102");
	if (to->send_count == ISO8583_SENDS_MAX ||
	    to->case_count + line->count - 2 > ISO8583_CASES_MAX)
		return iso8583_say(build, NULL,
		                   "there are more than %d lines send, or more than %d "
		                   "values in them",
		                   ISO8583_SENDS_MAX, ISO8583_CASES_MAX);
	struct iso8583_send *send = &to->sends[to->send_count];
	if (!read_spot(build, &line->words[1], &send->spot))
		return false;
	send->first = to->case_count;
	for (size_t i = 2; i < line->count; i++)
		if (!read_case(build, &line->words[i], &send->spot,
		               &to->cases[to->case_count + i - 2]))
			return false;
	send->count = (uint16_t)(line->count - 2);
	to->case_count = (uint16_t)(to->case_count + send->count);
	to->send_count++;
	return true;
}

// --- for drivers

struct bytes iso8583_send_value(const struct iso8583_roles *from, const struct iso8583_send *send,
                                uint32_t situation)
{
	for (size_t i = send->first; i < (size_t)send->first + send->count; i++)
		if ((from->cases[i].situation & ~situation) == 0)
			return from->cases[i].value;
	return BYTES_NONE;
}

uint32_t iso8583_send_meaning(const struct iso8583_roles *from, const struct iso8583_send *send,
                              struct bytes value)
{
	for (size_t i = send->first; i < (size_t)send->first + send->count; i++)
		if (bytes_equal(from->cases[i].value, value))
			return from->cases[i].situation;
	return 0;
}

const struct iso8583_send *iso8583_send_for(const struct iso8583_roles *from, uint32_t situation)
{
	for (size_t i = 0; i < from->send_count; i++)
		if (iso8583_send_value(from, &from->sends[i], situation).length > 0)
			return &from->sends[i];
	return NULL;
}

static bool is_sent(const struct iso8583_roles *of, enum iso8583_situation situation)
{
	for (size_t i = 0; i < of->case_count; i++)
		if (of->cases[i].situation & situation)
			return true;
	return false;
}

void iso8583_roles_missing(const struct iso8583_roles *of,
                           void (*tell)(void *context, const char *word, const char *lost),
                           void *context)
{
	const struct iso8583_spot *places = of->places;

	if (of->edition == ISO8583_NO_EDITION)
		return;
	for (size_t i = 0; i < ISO8583_ROLES; i++)
		if (!places[i].target && roles[i].lost[0])
			tell(context, roles[i].word, roles[i].lost);
	if (!places[ISO8583_ROLE_LOCAL_DATE_TIME].target && !places[ISO8583_ROLE_LOCAL_TIME].target)
		tell(context, "local-date-time", "the local time of a payment is not sent");
	if (!places[ISO8583_ROLE_ORIGINAL_AMOUNTS].target &&
	    !places[ISO8583_ROLE_REPLACEMENT].target)
		tell(context, "replacement",
		     "a reversal in part does not say what stays, or of how much it is");
	if (!is_sent(of, ISO8583_WHEN_STORED))
		tell(context, "stored", "nothing says that a card is on file");
	if (!is_sent(of, ISO8583_WHEN_MERCHANT))
		tell(context, "merchant", "nothing says that the merchant alone starts a payment");
	if (!is_sent(of, ISO8583_WHEN_SIGN_ON))
		tell(context, "sign-on", "our network messages do not say what they ask for");
}
