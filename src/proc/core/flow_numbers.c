// Numbers on the wire (STAN, DE11): unique with terminal and time (DE7), and not used anew while an
// attempt or an advice has them.
#include "core/flows.h"

#include "base/check.h"

// More than are used within a second, which is how exact DE7 is.
enum { STAN_LIMIT = 1000000, STAN_GAP = 10000 };

static bool stan_is_open(const struct flows *flows, int64_t stan)
{
	return flows->stans[stan / 8] >> (stan % 8) & 1;
}

void flows_keep_stan(struct core *core, int64_t stan)
{
	struct flows *flows = core->flows;

	stan %= STAN_LIMIT;
	flows->stans[stan / 8] = (uint8_t)(flows->stans[stan / 8] | 1 << (stan % 8));
}

int64_t flows_new_stan(struct core *core)
{
	struct flows *flows = core->flows;

	for (int i = 0; i < STAN_LIMIT; i++) {
		flows->next_stan = flows->next_stan % (STAN_LIMIT - 1) + 1; // 000001 to 999999
		if (!stan_is_open(flows, flows->next_stan)) {
			flows_keep_stan(core, flows->next_stan);
			return flows->next_stan;
		}
	}
	CHECK(false); // a million messages are open at once
	return 0;
}

void flows_free_stan(struct core *core, int64_t stan)
{
	struct flows *flows = core->flows;

	flows->stans[stan / 8] = (uint8_t)(flows->stans[stan / 8] & ~(1 << (stan % 8)));
}

// The last row may be older than the last number, which an older row may have got later: what was
// used within this second is left behind.
void flows_start_stans(struct core *core)
{
	int64_t last = store_one(core->store, STORE_LAST_STAN, 0, NULL, 0);

	core->flows->next_stan = (last + STAN_GAP) % STAN_LIMIT;
}
