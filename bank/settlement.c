// Movements as lines of text. Amounts are minor units, always positive: the kind says their way.
#include "settlement.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { CURRENCIES = 32, NAME_MAX = 4096 };

struct sums {
	size_t count;
	struct {
		char currency[4];
		int64_t net_minor;
	} rows[CURRENCIES];
};

static void add(struct sums *sums, const char *currency, int64_t amount_minor)
{
	size_t i = 0;

	while (i < sums->count && strcmp(sums->rows[i].currency, currency) != 0)
		i++;
	if (i == CURRENCIES)
		return;
	if (i == sums->count) {
		memcpy(sums->rows[i].currency, currency, sizeof sums->rows[i].currency);
		sums->count++;
	}
	sums->rows[i].net_minor += amount_minor;
}

// A comma or a quote in a name would end its column.
static void print_text(const char *text, FILE *file)
{
	for (; *text; text++)
		fputc(*text == ',' || *text == '"' || (unsigned char)*text < ' ' ? ' ' : *text,
		      file);
}

void settlement_print(const struct bank_ledger *ledger, const char *date, FILE *file)
{
	const struct bank_movement *movement;
	struct sums sums = { 0 };

	fputs("date,time_utc,kind,rrn,stan,terminal,approval_code,amount_minor,currency,merchant\n",
	      file);
	for (size_t i = 0; (movement = ledger_movement(ledger, i)); i++) {
		const struct bank_entry *entry = movement->entry;
		time_t at = (time_t)(movement->at_ms / 1000);
		char day[16], hour[16];
		struct tm utc;

		gmtime_r(&at, &utc);
		strftime(day, sizeof day, "%Y-%m-%d", &utc);
		strftime(hour, sizeof hour, "%H:%M:%S", &utc);
		if (movement->amount_minor == 0 || (date && strcmp(day, date) != 0))
			continue;
		fprintf(file, "%s,%s,%s,", day, hour, movement->refund ? "refund" : "capture");
		print_text(entry->rrn, file);
		fprintf(file, ",%s,", movement->stan);
		print_text(entry->terminal, file);
		fprintf(file, ",%s,%" PRId64 ",%s,", movement->approval_code,
		        movement->amount_minor, entry->currency);
		print_text(entry->merchant, file);
		fputc('\n', file);
		add(&sums, entry->currency,
		    movement->refund ? -movement->amount_minor : movement->amount_minor);
	}
	for (size_t i = 0; i < sums.count; i++)
		fprintf(file, "total,,,,,,,%" PRId64 ",%s,\n", sums.rows[i].net_minor,
		        sums.rows[i].currency);
}

struct result settlement_save(const struct bank_ledger *ledger)
{
	const char *ledger_name = ledger_file(ledger);
	char name[NAME_MAX], new_name[NAME_MAX];

	if (!ledger_name)
		return RESULT_OK;
	snprintf(name, sizeof name, "%s.settlement.csv", ledger_name);
	int length = snprintf(new_name, sizeof new_name, "%s.settlement.csv.new", ledger_name);
	FILE *file = length > 0 && length < NAME_MAX ? fopen(new_name, "we") : NULL;
	if (!file)
		return FAIL(ERROR_SYSTEM, "the settlement file cannot be made");
	settlement_print(ledger, NULL, file);
	if (fclose(file) != 0 || rename(new_name, name) != 0)
		return FAIL(ERROR_SYSTEM, "the settlement file cannot be written");
	return RESULT_OK;
}
