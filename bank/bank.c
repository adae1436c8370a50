// What all parts of the bank share: its clock.
#include "bank.h"

#include "base/clock.h"

int64_t bank_now_ms(const struct bank *bank)
{
	return clock_wall_ms() + bank->clock_ahead_ms;
}
