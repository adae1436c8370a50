// The schedule of deliveries, and what ends them. See delivery.h.
#include "domain/delivery.h"

enum { STATUS_GONE = 410 };

// The pause after each try that failed; after the last one it is given up, three days on.
static const int64_t pauses_s[] = { 5,         5 * 60,    30 * 60,   2 * 3600, 5 * 3600,
	                            10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600 };
enum { PAUSES = sizeof(pauses_s) / sizeof(pauses_s[0]) };

int delivery_tries_max(void)
{
	return PAUSES + 1;
}

struct delivery_step delivery_next(int tries, const struct delivery_answer *answer, int64_t now_ms)
{
	struct delivery_step step = { DELIVERY_GIVEN_UP, tries + 1, 0, false };

	if (answer->delivered) {
		step.state = DELIVERY_DONE;
	} else if (answer->status == STATUS_GONE) {
		step.disable = true;
	} else if (tries >= 0 && tries < PAUSES) {
		step.state = DELIVERY_WAITING;
		step.due_ms = now_ms + pauses_s[tries] * 1000;
	}
	return step;
}

int64_t delivery_first_ms(bool others_before, int64_t now_ms)
{
	return others_before ? DELIVERY_BEHIND : now_ms;
}
