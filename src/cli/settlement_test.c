// Tests of reading a settlement file: what is in it, and every way in which it can be none.
#include "settlement.h"

#include "base/tap.h"

#include <stdlib.h>
#include <string.h>

#define HEADER "date,time_utc,kind,rrn,stan,terminal,approval_code,amount_minor,currency,merchant\n"
#define CAPTURE "2026-11-27,10:00:01,capture,633110AAAAAA,000007,00000001,A1B2C3,1500,643,SOYKA\n"
#define SECOND "2026-11-26,23:59:59,capture,633023BBBBBB,000008,00000001,D4E5F6,700,643,SOYKA\n"
#define REFUND "2026-11-27,10:00:02,refund,633110AAAAAA,000009,00000001,G7H8I9,300,643,SOYKA\n"
#define REFUND_2 "2026-11-27,10:00:02,refund,633110AAAAAA,000004,00000001,G7H8I9,100,643,SOYKA\n"
#define TOTAL(amount) "total,,,,,,," amount ",643,\n"

static char wanted[SETTLEMENT_WANTED];

static bool reads(const char *text, struct settlement *ret_settlement)
{
	FILE *file = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
	struct result result = settlement_read(file, ret_settlement, wanted);

	fclose(file);
	return result_ok(result);
}

TEST(lines_are_found_by_their_numbers)
{
	struct settlement file;

	REQUIRE(reads(HEADER CAPTURE SECOND REFUND REFUND_2 TOTAL("1800"), &file));
	EXPECT(file.count == 4 && file.total_count == 1);
	EXPECT(file.totals[0].net == 1800 && file.totals[0].told == 1800 && file.totals[0].said);
	EXPECT(file.last_day - file.first_day == 1);
	EXPECT(settlement_has_terminal(&file, "00000001"));
	EXPECT(!settlement_has_terminal(&file, "00000002"));
	struct settlement_line *line = settlement_find(&file, 'c', "633110AAAAAA", 0);
	REQUIRE(line != NULL);
	EXPECT(line->amount == 1500 && line->number == 2 && !strcmp(line->approval, "A1B2C3"));
	line->seen = true;
	EXPECT(!settlement_find(&file, 'c', "633110AAAAAA", 0));
	line = settlement_find(&file, 'r', "633110AAAAAA", 4);
	EXPECT(line && line->amount == 100);
	EXPECT(!settlement_find(&file, 'r', "633110AAAAAA", 5));
	EXPECT(!settlement_find(&file, 'r', "633023BBBBBB", 9));
	EXPECT(!settlement_find(&file, 'c', "633110AAAAAB", 7));
	settlement_done(&file);
}

TEST(a_day_without_movements)
{
	struct settlement file;

	REQUIRE(reads(HEADER, &file));
	EXPECT(file.count == 0 && file.first_day == 0 && file.last_day == 0);
	EXPECT(!settlement_find(&file, 'c', "633110AAAAAA", 0));
	settlement_done(&file);
}

TEST(a_file_that_is_none_says_its_line)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "", "line 0: the file is empty" },
		{ "date,amount\n", "line 1: the first line should name" },
		{ HEADER CAPTURE, "line 2: the file ends without the total" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA\n",
		  "line 2: there should be ten" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A1B2C3,1500,643,S,X\n",
		  "line 2: there should be ten" },
		{ HEADER CAPTURE "2026-02-29,10:00:01,capture,633110AAAAAA,000007,1,A,15,643,S\n",
		  "line 3: the date" },
		{ HEADER "2026-11-27,24:00:01,capture,633110AAAAAA,000007,1,A,15,643,S\n",
		  "line 2: the time" },
		{ HEADER "2026-11-27,10:00:01,payment,633110AAAAAA,000007,1,A,15,643,S\n",
		  "line 2: the kind" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAA,000007,1,A,15,643,S\n",
		  "line 2: the rrn" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,7,1,A,15,643,S\n",
		  "line 2: the stan" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,,A,15,643,S\n",
		  "line 2: the terminal" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,AAAAAAA,15,643,S\n",
		  "line 2: the approval" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A,-15,643,S\n",
		  "line 2: the amount" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A,0,643,S\n",
		  "line 2: the amount" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A,1.5,643,S\n",
		  "line 2: the amount" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A,"
		         "99999999999999999999,643,S\n",
		  "line 2: the amount" },
		{ HEADER "2026-11-27,10:00:01,capture,633110AAAAAA,000007,1,A,15,RUB,S\n",
		  "line 2: the currency" },
		{ HEADER CAPTURE TOTAL("x"), "line 3: the total" },
		{ HEADER CAPTURE TOTAL("1500") TOTAL("1500"), "line 4: this currency" },
		{ HEADER CAPTURE TOTAL("1500") CAPTURE, "line 4: after the totals" },
		{ HEADER CAPTURE "total,,,,,,,1500,643,", "line 3: the line is too long" },
	};
	struct settlement file;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool good = reads(rows[i].text, &file);
		bool said = strncmp(wanted, rows[i].wanted, strlen(rows[i].wanted)) == 0;
		if (good || !said)
			printf("# row %zu: %s\n", i, good ? "was read" : wanted);
		EXPECT(!good && said);
		settlement_done(&file);
	}
}

TEST(days_are_counted_as_the_calendar_has_them)
{
	int64_t day;

	EXPECT(settlement_day("1970-01-01", &day) && day == 0);
	EXPECT(settlement_day("2000-02-29", &day) && day == 11016);
	EXPECT(settlement_day("2026-11-27", &day) && day == 20784);
	EXPECT(!settlement_day("2100-02-29", &day));
	EXPECT(!settlement_day("2026-13-01", &day));
	EXPECT(!settlement_day("2026-1-01", &day));
	EXPECT(!settlement_day("", &day));
}

TEST(a_negative_total_is_a_total)
{
	struct settlement file;

	REQUIRE(reads(HEADER REFUND TOTAL("-300"), &file));
	EXPECT(file.totals[0].net == -300 && file.totals[0].told == -300);
	settlement_done(&file);
}

TAP_MAIN
