// The table of problem.def as rows, and the few ways to find one.
#include "domain/problem.h"

enum group_number {
#define GROUP_ENUM(name, ...) GROUP_##name,
	PROBLEM_GROUPS(GROUP_ENUM)
#undef GROUP_ENUM
};

static const struct problem_group groups[] = {
#define GROUP_ROW(name, who, again, title_en, title_ru, link_en, link_ru, pay_en, pay_ru)          \
	[GROUP_##name] = { WHO_##who,                                                              \
		           AGAIN_##again,                                                          \
		           { title_en, title_ru },                                                 \
		           { { link_en, link_ru }, { pay_en, pay_ru } } },
	PROBLEM_GROUPS(GROUP_ROW)
#undef GROUP_ROW
};

enum {
	COUNTS = PROBLEM_COUNTS,
	ISSUER = PROBLEM_ISSUER,
	HIDDEN = PROBLEM_HIDDEN,
	INTENT_CODE = PROBLEM_INTENT_CODE,
	DRIVER = PROBLEM_DRIVER,
};

static const struct problem_row rows[] = {
#define PROBLEM_ROW(name, number, group, type, code, decline, status, advice, field, flags)        \
	{ PROBLEM_##name, #name, &groups[GROUP_##group], type, code, decline, status, advice,      \
	  field,          flags },
	PROBLEM_ROWS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct problem_row *problem_at(size_t index)
{
	return index < ROWS ? &rows[index] : NULL;
}

const struct problem_row *problem_row(int problem)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((int)rows[i].problem == problem)
			return &rows[i];
	return problem_row(PROBLEM_OUR_FAULT);
}

const struct problem_row *problem_shown(int problem)
{
	const struct problem_row *row = problem_row(problem);

	return row->flags & PROBLEM_HIDDEN ? problem_row(PROBLEM_GENERIC_DECLINE) : row;
}

const char *problem_code(const struct problem_row *row, enum problem_deed deed)
{
	if (!(row->flags & PROBLEM_INTENT_CODE))
		return row->code;
	return deed == PROBLEM_LINK ? "setup_intent_authentication_failure"
	                            : "payment_intent_authentication_failure";
}

enum problem problem_of_decline(struct bytes decline_code)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].flags & PROBLEM_DRIVER) &&
		    bytes_equal_text(decline_code, rows[i].decline_code))
			return rows[i].problem;
	return PROBLEM_GENERIC_DECLINE;
}

enum problem problem_of_opening(struct bytes name)
{
	static const struct {
		const char *name;
		enum problem problem;
	} names[] = {
		{ "other_intent", PROBLEM_OTHER_INTENT },
		{ "stale", PROBLEM_STALE },
		{ "invalid_number", PROBLEM_INVALID_NUMBER },
		{ "invalid_expiry_month", PROBLEM_INVALID_EXPIRY_MONTH },
		{ "invalid_expiry_year", PROBLEM_INVALID_EXPIRY_YEAR },
		{ "expired_card", PROBLEM_CARD_IS_EXPIRED },
		{ "invalid_cvc", PROBLEM_INVALID_CVC },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (bytes_equal_text(name, names[i].name))
			return names[i].problem;
	return PROBLEM_UNREADABLE;
}

const char *problem_who_name(enum problem_who who)
{
	static const char *const names[] = { "shopper", "bank", "shop", "operator", "wait" };

	return names[who];
}

const char *problem_again_name(enum problem_again again)
{
	static const char *const names[] = {
		"now", "after_call", "later", "minutes", "at", "never"
	};

	return names[again];
}

// Returns the length of the placeholder at the start of `text` and what stands for it.
static size_t placeholder(const char *text, const struct problem_fill *fill, const char **ret_value)
{
	static const char *const names[] = { "{time}", "{support}", "{reference}" };
	const char *const values[] = { fill ? fill->time : NULL, fill ? fill->support : NULL,
		                       fill ? fill->reference : NULL };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(text, names[i], strlen(names[i])) == 0) {
			*ret_value = values[i] ? values[i] : "";
			return strlen(names[i]);
		}
	return 0;
}

static void put_filled(struct buffer *buffer, struct bytes text, const struct problem_fill *fill)
{
	for (size_t at = 0; at < text.length;) {
		const char *here = (const char *)text.data + at;
		const char *value;
		size_t length = *here == '{' ? placeholder(here, fill, &value) : 0;
		if (length)
			buffer_put_text(buffer, value);
		else
			buffer_put_byte(buffer, (uint8_t)*here);
		at += length ? length : 1;
	}
}

void problem_sentence(struct buffer *buffer, const struct problem_row *row, enum problem_deed deed,
                      enum problem_language language, const struct problem_fill *fill)
{
	const char *text = row->group->sentences[deed][language];
	bool timed = fill && fill->time && fill->time[0];
	const char *separator = "";

	while (*text) {
		const char *end = strstr(text, ". ");
		const char *time = strstr(text, "{time}");
		size_t length = end ? (size_t)(end - text) + 1 : strlen(text);
		// One that would say no time is left out.
		if (timed || !time || time > text + length) {
			buffer_put_text(buffer, separator);
			put_filled(buffer, bytes_from(text, length), fill);
			separator = " ";
		}
		text += end ? length + 1 : length;
	}
}
