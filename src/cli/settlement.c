// Reading a settlement file. See settlement.h.
#include "settlement.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 10, LINE_MAX_BYTES = 1024 };
enum { DATE, TIME, KIND, RRN, STAN, TERMINAL, APPROVAL, AMOUNT, CURRENCY, MERCHANT };
static const char header[] = "date,time_utc,kind,rrn,stan,terminal,approval_code,amount_minor,"
                             "currency,merchant";
static const int64_t amount_limit = 1000000000000;

// --- columns

// Cuts a line at its commas. False: there are not ten columns.
static bool cut(char *line, char *ret_columns[static COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		ret_columns[i] = line;
		line = strchr(line, ',');
		if (!line)
			return i == COLUMNS - 1;
		*line++ = '\0';
	}
	return false;
}

static bool is_digits(const char *text, size_t length)
{
	return strlen(text) == length && strspn(text, "0123456789") == length;
}

static int64_t number(const char *text, size_t length)
{
	int64_t value = 0;

	for (size_t i = 0; i < length; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

// Days from the civil calendar: 400 years are 146097 days.
static int64_t days(int64_t year, int64_t month, int64_t day)
{
	year -= month <= 2;
	int64_t of_era = year % 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return year / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool has_digits_but_at(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return *text == '\0';
}

bool settlement_day(const char *text, int64_t *ret_day)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (!has_digits_but_at(text, "0000-00-00"))
		return false;
	int64_t year = number(text, 4);
	int64_t month = number(text + 5, 2);
	int64_t day = number(text + 8, 2);
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	if (year < 1970 || month < 1 || month > 12 || day < 1 ||
	    day > lengths[month - 1] + (leap && month == 2))
		return false;
	*ret_day = days(year, month, day);
	return true;
}

static bool is_time(const char *text)
{
	return has_digits_but_at(text, "00:00:00") && number(text, 2) < 24 &&
	       number(text + 3, 2) < 60 && number(text + 6, 2) <= 60;
}

static bool read_amount(const char *text, bool may_be_negative, int64_t *ret_amount)
{
	bool negative = may_be_negative && *text == '-';
	uint64_t value;

	if (!text_to_number(bytes_text(text + negative), (uint64_t)amount_limit * 1000, &value))
		return false;
	*ret_amount = negative ? -(int64_t)value : (int64_t)value;
	return may_be_negative || (value > 0 && value <= (uint64_t)amount_limit);
}

// --- lines

// What is being read.
struct reading {
	struct settlement *settlement;
	uint32_t number; // of the line
	const char *wanted;
};

static bool wants(struct reading *reading, const char *wanted)
{
	reading->wanted = wanted;
	return false;
}

static struct settlement_total *total_of(struct reading *reading, const char *currency)
{
	struct settlement *settlement = reading->settlement;

	for (size_t i = 0; i < settlement->total_count; i++)
		if (strcmp(settlement->totals[i].currency, currency) == 0)
			return &settlement->totals[i];
	if (settlement->total_count == SETTLEMENT_CURRENCIES)
		return NULL;
	struct settlement_total *total = &settlement->totals[settlement->total_count++];
	memcpy(total->currency, currency, sizeof(total->currency));
	return total;
}

static bool take_total(struct reading *reading, char *const columns[static COLUMNS])
{
	int64_t told;

	if (!is_digits(columns[CURRENCY], 3))
		return wants(reading, "the currency should be three digits (ISO 4217)");
	if (!read_amount(columns[AMOUNT], true, &told))
		return wants(reading, "the total should be a whole number of minor units");
	struct settlement_total *total = total_of(reading, columns[CURRENCY]);
	if (!total)
		return wants(reading, "there are too many currencies");
	if (total->said)
		return wants(reading, "this currency has a total already");
	total->said = true;
	total->told = told;
	total->number = reading->number;
	return true;
}

static bool take_terminal(struct reading *reading, const char *terminal)
{
	struct settlement *settlement = reading->settlement;

	if (settlement_has_terminal(settlement, terminal))
		return true;
	if (strlen(terminal) >= sizeof(settlement->terminals[0]) || !*terminal)
		return wants(reading, "the terminal should have one to eight characters");
	if (settlement->terminal_count == SETTLEMENT_TERMINALS)
		return wants(reading, "there are too many terminals");
	memcpy(settlement->terminals[settlement->terminal_count++], terminal, strlen(terminal) + 1);
	return true;
}

static struct settlement_line *add_line(struct settlement *settlement)
{
	if (settlement->count == settlement->capacity) {
		size_t capacity = settlement->capacity ? 2 * settlement->capacity : 1024;
		struct settlement_line *more =
		        reallocarray(settlement->lines, capacity, sizeof(*more));
		if (!more)
			return NULL;
		settlement->lines = more;
		settlement->capacity = capacity;
	}
	struct settlement_line *line = &settlement->lines[settlement->count++];
	*line = (struct settlement_line){ 0 };
	return line;
}

static bool columns_are_good(struct reading *reading, char *const columns[static COLUMNS])
{
	bool capture = strcmp(columns[KIND], "capture") == 0;

	if (!is_time(columns[TIME]))
		return wants(reading, "the time should be HH:MM:SS");
	if (!capture && strcmp(columns[KIND], "refund") != 0)
		return wants(reading, "the kind should be capture or refund");
	if (strlen(columns[RRN]) != 12 || !text_is_printable(bytes_text(columns[RRN])))
		return wants(reading, "the rrn should have twelve characters");
	if (!is_digits(columns[STAN], 6))
		return wants(reading, "the stan should have six digits");
	if (strlen(columns[APPROVAL]) > 6)
		return wants(reading, "the approval code should have six characters at most");
	if (!is_digits(columns[CURRENCY], 3))
		return wants(reading, "the currency should be three digits (ISO 4217)");
	return true;
}

static bool take_movement(struct reading *reading, char *const columns[static COLUMNS])
{
	struct settlement *settlement = reading->settlement;
	int64_t day;
	int64_t amount;

	if (!settlement_day(columns[DATE], &day))
		return wants(reading, "the date should be YYYY-MM-DD");
	if (!columns_are_good(reading, columns))
		return false;
	if (!read_amount(columns[AMOUNT], false, &amount))
		return wants(reading, "the amount should be a whole number of minor units above 0");
	struct settlement_total *total = total_of(reading, columns[CURRENCY]);
	if (!total)
		return wants(reading, "there are too many currencies");
	if (!take_terminal(reading, columns[TERMINAL]))
		return false;
	struct settlement_line *line = add_line(settlement);
	if (!line)
		return wants(reading, "there is no memory for so many lines");
	line->kind = columns[KIND][0];
	line->stan = (uint32_t)number(columns[STAN], 6);
	line->number = reading->number;
	line->amount = amount;
	memcpy(line->rrn, columns[RRN], sizeof(line->rrn));
	memcpy(line->currency, columns[CURRENCY], sizeof(line->currency));
	memcpy(line->approval, columns[APPROVAL], strlen(columns[APPROVAL]) + 1);
	total->net += line->kind == 'r' ? -amount : amount;
	if (settlement->count == 1 || day < settlement->first_day)
		settlement->first_day = day;
	if (settlement->count == 1 || day > settlement->last_day)
		settlement->last_day = day;
	return true;
}

static bool take_line(struct reading *reading, char *text, bool *totals)
{
	char *columns[COLUMNS];

	if (reading->number == 1)
		return strcmp(text, header) == 0 ||
		       wants(reading, "the first line should name the ten columns of the format");
	if (!cut(text, columns))
		return wants(reading, "there should be ten columns");
	if (strcmp(columns[DATE], "total") == 0) {
		*totals = true;
		return take_total(reading, columns);
	}
	if (*totals)
		return wants(reading, "after the totals nothing should come");
	return take_movement(reading, columns);
}

static int by_numbers(const void *a, const void *b)
{
	const struct settlement_line *left = a;
	const struct settlement_line *right = b;
	int order = memcmp(left->rrn, right->rrn, sizeof(left->rrn));

	if (order == 0)
		order = left->kind - right->kind;
	if (order == 0)
		order = (left->stan > right->stan) - (left->stan < right->stan);
	return order ? order : (left->number > right->number) - (left->number < right->number);
}

static bool is_whole(struct reading *reading)
{
	const struct settlement *settlement = reading->settlement;

	if (reading->number == 0)
		return wants(reading, "the file is empty");
	for (size_t i = 0; i < settlement->total_count; i++)
		if (!settlement->totals[i].said)
			return wants(reading,
			             "the file ends without the total of each currency: it "
			             "may be cut off");
	return true;
}

struct result settlement_read(FILE *file, struct settlement *ret_settlement,
                              char ret_wanted[static SETTLEMENT_WANTED])
{
	struct reading reading = { .settlement = ret_settlement };
	char text[LINE_MAX_BYTES];
	bool totals = false;
	bool good = true;

	*ret_settlement = (struct settlement){ 0 };
	while (good && fgets(text, sizeof(text), file)) {
		size_t length = strlen(text);
		reading.number++;
		if (length == 0 || text[length - 1] != '\n')
			good = wants(&reading, "the line is too long, has a zero byte or no end");
		else
			text[length - 1] = '\0';
		good = good && take_line(&reading, text, &totals);
	}
	if (good && ferror(file))
		good = wants(&reading, "the file cannot be read further");
	good = good && is_whole(&reading);
	if (!good) {
		snprintf(ret_wanted, SETTLEMENT_WANTED, "line %u: %s", reading.number,
		         reading.wanted);
		return FAIL(ERROR_INPUT, "not a settlement file");
	}
	if (ret_settlement->count > 0)
		qsort(ret_settlement->lines, ret_settlement->count, sizeof(*ret_settlement->lines),
		      by_numbers);
	return RESULT_OK;
}

void settlement_done(struct settlement *settlement)
{
	free(settlement->lines);
	*settlement = (struct settlement){ 0 };
}

// --- looking things up

struct settlement_line *settlement_find(struct settlement *settlement, char kind, const char *rrn,
                                        uint32_t stan)
{
	size_t low = 0;
	size_t high = settlement->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (strcmp(settlement->lines[middle].rrn, rrn) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < settlement->count && strcmp(settlement->lines[low].rrn, rrn) == 0; low++) {
		struct settlement_line *line = &settlement->lines[low];
		if (line->kind == kind && !line->seen && (kind == 'c' || line->stan == stan))
			return line;
	}
	return NULL;
}

bool settlement_has_terminal(const struct settlement *settlement, const char *terminal)
{
	for (size_t i = 0; i < settlement->terminal_count; i++)
		if (strcmp(settlement->terminals[i], terminal) == 0)
			return true;
	return false;
}
