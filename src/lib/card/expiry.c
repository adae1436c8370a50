// Comparing an expiry date with a given moment.
#include "card/expiry.h"

#include <time.h>

enum { YEAR_MIN = 2000, YEARS_AHEAD = 50, LAST_TIME_ZONE_HOURS = 12 };

enum card_expiry card_expiry_check(int64_t month, int64_t year, int64_t now_ms)
{
	// In the last time zone (UTC-12) the month ends twelve hours after it ended in UTC.
	time_t seconds = (time_t)(now_ms / 1000 - LAST_TIME_ZONE_HOURS * 3600);
	struct tm now;

	if (month < 1 || month > 12)
		return CARD_EXPIRY_BAD_MONTH;
	gmtime_r(&seconds, &now);
	int64_t this_year = now.tm_year + 1900;
	if (year < YEAR_MIN || year > this_year + YEARS_AHEAD)
		return CARD_EXPIRY_BAD_YEAR;
	if (year < this_year || (year == this_year && month < now.tm_mon + 1))
		return CARD_EXPIRY_OVER;
	return CARD_EXPIRY_GOOD;
}
