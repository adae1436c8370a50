// The values that the access control server gave out: a ring of the newest, with a map from value
// to its place.
#include "bank.h"

#include "map.h"

#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

#define RING 65536
#define LIFE_MS (90LL * 24 * 3600 * 1000)

struct given {
	char number[20];
	char value[64]; // empty: unused
	int64_t at_ms;
};

struct bank_authentications {
	struct map *by_value;
	struct given *ring;
	size_t next;
};

struct bank_authentications *bank_authentications_new(void)
{
	struct bank_authentications *authentications = calloc(1, sizeof *authentications);

	CHECK(authentications);
	authentications->by_value = map_new();
	authentications->ring = calloc(RING, sizeof(struct given));
	CHECK(authentications->ring);
	return authentications;
}

void bank_authentications_free(struct bank_authentications *authentications)
{
	if (!authentications)
		return;
	map_free(authentications->by_value, NULL);
	free(authentications->ring);
	free(authentications);
}

void bank_authentication_note(struct bank_authentications *authentications, const char *number,
                              const char *value, int64_t now_ms)
{
	struct given *given = &authentications->ring[authentications->next++ % RING];

	CHECK(value[0] && strlen(value) < sizeof given->value);
	CHECK(strlen(number) < sizeof given->number);
	if (given->value[0])
		map_remove(authentications->by_value, bytes_text(given->value));
	snprintf(given->number, sizeof given->number, "%s", number);
	snprintf(given->value, sizeof given->value, "%s", value);
	given->at_ms = now_ms;
	struct given *before = map_set(authentications->by_value, bytes_text(value), given);
	if (before && before != given)
		before->value[0] = 0;
}

bool bank_authentication_fits(const struct bank_authentications *authentications,
                              struct bytes number, struct bytes value, int64_t now_ms)
{
	const struct given *given = map_get(authentications->by_value, value);

	return given && bytes_equal_text(number, given->number) && now_ms - given->at_ms < LIFE_MS;
}
