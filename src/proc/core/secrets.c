// Questions to courier that wait for their answer. See secrets.h.
#include "core/secrets.h"

#include "base/check.h"

#include <stdlib.h>

struct ask {
	struct ask *next;
	int64_t number;
	secret_done *done;
	void *owner;
};

struct secrets {
	struct ask *asks;
	int64_t last;
};

bool secrets_ask(struct core *core, int purpose, int64_t id, int version, secret_done *done,
                 void *owner)
{
	struct secrets *secrets = core->secrets;
	struct ask *ask = calloc(1, sizeof(*ask));

	CHECK(ask);
	*ask = (struct ask){ secrets->asks, ++secrets->last, done, owner };
	if (!core_tell_courier(core, WIRE_SECRET_WANTED,
	                       (const struct wire_value[WIRE_FIELDS_OF_SECRET_WANTED]){
	                               [WIRE_SECRET_WANTED_ASK] = WIRE_N(ask->number),
	                               [WIRE_SECRET_WANTED_PURPOSE] = WIRE_N(purpose),
	                               [WIRE_SECRET_WANTED_ID] = WIRE_N(id),
	                               [WIRE_SECRET_WANTED_VERSION] = WIRE_N(version) })) {
		free(ask);
		return false;
	}
	secrets->asks = ask;
	return true;
}

void secrets_message(struct core *core, const struct wire_message *message)
{
	int64_t number = (int64_t)message->fields[WIRE_SECRET_IS_ASK].number;
	struct ask **place = &core->secrets->asks;
	char secret[80];

	while (*place && (*place)->number != number)
		place = &(*place)->next;
	if (!*place)
		return; // courier answers what it was not asked
	struct ask *ask = *place;
	*place = ask->next;
	bytes_copy_text(message->fields[WIRE_SECRET_IS_SECRET].bytes, secret, sizeof(secret));
	ask->done(core, ask->owner, secret);
	explicit_bzero(secret, sizeof(secret));
	free(ask);
}

void secrets_lost(struct core *core)
{
	while (core->secrets->asks) {
		struct ask *ask = core->secrets->asks;
		core->secrets->asks = ask->next;
		ask->done(core, ask->owner, NULL);
		free(ask);
	}
}

struct secrets *secrets_new(struct core *core)
{
	struct secrets *secrets = calloc(1, sizeof(*secrets));

	CHECK(secrets);
	core->secrets = secrets;
	return secrets;
}

void secrets_free(struct secrets *secrets)
{
	while (secrets && secrets->asks) {
		struct ask *ask = secrets->asks;
		secrets->asks = ask->next;
		free(ask);
	}
	free(secrets);
}
