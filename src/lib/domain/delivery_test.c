// Tests of the schedule of deliveries.
#include "domain/delivery.h"

#include "base/tap.h"

static const int64_t now_ms = 1700000000000;

static struct delivery_step failed(int tries, int status)
{
	return delivery_next(tries, &(struct delivery_answer){ status, false }, now_ms);
}

TEST(a_delivery_that_fails_is_tried_at_growing_distances_for_three_days)
{
	static const int64_t seconds[] = { 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400 };
	int64_t whole = 0;

	EXPECT(delivery_tries_max() == 10);
	for (int tries = 0; tries < 9; tries++) {
		struct delivery_step step = failed(tries, 500);
		EXPECT(step.state == DELIVERY_WAITING && step.tries == tries + 1 && !step.disable);
		EXPECT(step.due_ms == now_ms + seconds[tries] * 1000);
		whole += seconds[tries];
	}
	EXPECT(whole > 3 * 86400 && whole < 4 * 86400);
}

TEST(it_is_given_up_after_the_last_try)
{
	struct delivery_step step = failed(9, 0);

	EXPECT(step.state == DELIVERY_GIVEN_UP && step.tries == 10 && step.due_ms == 0);
	EXPECT(!step.disable);
	step = failed(1000000, 500); // whatever a row holds
	EXPECT(step.state == DELIVERY_GIVEN_UP);
	step = failed(-1, 500);
	EXPECT(step.state == DELIVERY_GIVEN_UP);
}

TEST(one_that_is_taken_is_done_at_any_try)
{
	for (int tries = 0; tries < 12; tries++) {
		struct delivery_step step =
		        delivery_next(tries, &(struct delivery_answer){ 200, true }, now_ms);
		EXPECT(step.state == DELIVERY_DONE && step.tries == tries + 1 && step.due_ms == 0);
	}
}

TEST(gone_ends_the_delivery_and_the_endpoint)
{
	struct delivery_step step = failed(0, 410);

	EXPECT(step.state == DELIVERY_GIVEN_UP && step.disable && step.tries == 1);
}

TEST(redirects_and_2xx_that_do_not_count_are_failures_like_others)
{
	static const int statuses[] = { 0, 200, 204, 301, 302, 307, 308, 400, 404, 429, 500, 503 };

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct delivery_step step = failed(0, statuses[i]);
		EXPECT(step.state == DELIVERY_WAITING && !step.disable);
	}
}

TEST(one_with_others_before_it_waits_for_them)
{
	EXPECT(delivery_first_ms(false, now_ms) == now_ms);
	EXPECT(delivery_first_ms(true, now_ms) == DELIVERY_BEHIND);
}

TAP_MAIN
