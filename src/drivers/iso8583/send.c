// Messages on their way out: packed, framed, given a MAC and a place among those under way; our own
// ones (0800) made; and the line chosen that a request goes to.
#include "driver.h"

#include "base/check.h"
#include "iso8583/compose.h"

#include <time.h>

enum { STAN = 6 };

// Packs the message into a whole frame at `wire`.
static struct result pack_frame(struct driver *driver, uint8_t *wire, size_t capacity,
                                size_t *ret_length)
{
	const struct iso8583_framing *framing = &driver->parameters.framing;
	size_t overhead = iso8583_frame_overhead(framing);
	bool with_mac = mac_wanted(&driver->parameters, driver->message.mti);
	struct iso8583_place place;
	size_t length;

	if (with_mac)
		mac_reserve(driver->parameters.dialect, &driver->message);
	TRY(iso8583_pack(driver->parameters.dialect, &driver->message, wire + overhead,
	                 capacity - overhead, &length, &place));
	if (with_mac)
		mac_put(driver->mac, driver->parameters.dialect, &driver->message, wire + overhead,
		        length);
	*ret_length = overhead + length;
	return iso8583_frame_write(framing, length, driver->parameters.tpdu, wire);
}

static void copy_digits(struct bytes from, char *to, size_t length)
{
	memset(to, ' ', length);
	if (from.length > 0 && from.length <= length)
		memcpy(to, from.data, from.length);
}

struct bytes driver_stan_of(const struct iso8583_message *message)
{
	struct bytes number = iso8583_get(message, 11);

	while (number.length > STAN && number.data[0] == '0')
		number = bytes_slice(number, 1, number.length);
	return number.length > STAN ? BYTES_NONE : number;
}

struct bytes driver_local_time(const struct driver *driver, struct bytes text)
{
	const struct iso8583_spot *spot =
	        &driver->parameters.dialect->roles.places[ISO8583_ROLE_LOCAL_DATE_TIME];

	return spot->target && spot->target->max == text.length ? text
	                                                        : bytes_slice(text, 2, text.length);
}

struct flight_key driver_key_of(const struct driver *driver, const struct iso8583_message *message)
{
	unsigned match = driver->parameters.match;
	struct flight_key key;

	memset(&key, ' ', sizeof key);
	key.class = message->mti[1];
	if (match & MATCH_7)
		copy_digits(iso8583_get(message, 7), key.sent_at, sizeof key.sent_at);
	if (match & MATCH_11)
		copy_digits(driver_stan_of(message), key.stan, sizeof key.stan);
	if (match & MATCH_37)
		copy_digits(iso8583_get_trimmed(message, 37), key.rrn, sizeof key.rrn);
	if (match & MATCH_41)
		copy_digits(iso8583_get_trimmed(message, 41), key.terminal, sizeof key.terminal);
	// Network messages have no DE37; something has to tell them apart.
	if (key.class == '8')
		copy_digits(driver_stan_of(message), key.stan, sizeof key.stan);
	return key;
}

struct result driver_send(struct driver *driver, struct line *line, int64_t deadline_ms,
                          struct flight_entry **ret_entry)
{
	struct flight_key key = driver_key_of(driver, &driver->message);
	uint8_t wire[FRAME_MAX];
	size_t length;

	if (driver->flight.live.count >= FLIGHT_LIVE_MAX)
		return FAIL(ERROR_LIMIT, "too many requests are under way on this connection");
	struct result result = pack_frame(driver, wire, sizeof wire, &length);
	bool packed = result_ok(result);
	if (packed) {
		*ret_entry = flight_add(&driver->flight, &key, deadline_ms);
		if (!*ret_entry)
			result = FAIL(ERROR_STATE, "a request with the same stan, sent_at and "
			                           "terminal is under way or was not long ago");
	}
	if (result_ok(result)) {
		(*ret_entry)->line = line;
		(*ret_entry)->unreadable_before = driver->unreadable;
		CHECK(iso8583_answer_mti(driver->message.mti, (*ret_entry)->mti));
		line_queue(line, *ret_entry, bytes_from(wire, length));
	}
	explicit_bzero(wire, packed ? length : sizeof wire);
	return result;
}

void driver_send_answer(struct driver *driver, struct line *line)
{
	uint8_t wire[FRAME_MAX];
	size_t length;

	if (result_ok(pack_frame(driver, wire, sizeof wire, &length)))
		line_queue(line, NULL, bytes_from(wire, length));
}

struct result driver_send_network(struct driver *driver, struct line *line, uint32_t situation,
                                  int64_t timeout_ms)
{
	const struct iso8583_dialect *dialect = driver->parameters.dialect;
	const struct iso8583_roles *roles = &dialect->roles;
	struct iso8583_message *message = &driver->message;
	time_t now = (time_t)(driver->now_ms / 1000);
	struct iso8583_composer composer;
	struct flight_entry *entry;
	struct tm utc;
	char at[16]; // CCYYMMDDhhmmss

	gmtime_r(&now, &utc);
	strftime(at, sizeof at, "%Y%m%d%H%M%S", &utc);
	driver->stan = driver->stan % 999999 + 1;
	iso8583_begin(message, driver_edition(driver)->network_mti);
	iso8583_set(message, 7, bytes_text(at + 4));
	iso8583_set_number(message, 11, driver->stan, 6);
	iso8583_compose_begin(&composer, dialect, message);
	iso8583_compose_put(&composer, &roles->places[ISO8583_ROLE_LOCAL_DATE_TIME],
	                    driver_local_time(driver, bytes_text(at)));
	for (size_t i = 0; i < roles->send_count; i++)
		iso8583_compose_put(
		        &composer, &roles->sends[i].spot,
		        iso8583_send_value(roles, &roles->sends[i], ISO8583_WHEN_ANY | situation));
	TRY(iso8583_compose_end(&composer));
	TRY(driver_send(driver, line, driver->now_ms + timeout_ms, &entry));
	entry->operation = OP_LINE;
	return RESULT_OK;
}

// The lines take turns; one that is up and has the fewest frames waiting comes first.
struct line *driver_choose_line(struct driver *driver)
{
	size_t count = (size_t)driver->parameters.lines;
	struct line *best = NULL;

	for (size_t i = 0; i < count; i++) {
		struct line *line = &driver->lines[(driver->turn + i) % count];
		if (line->state == LINE_UP && !line->bank_leaves &&
		    (!best || line->queued < best->queued))
			best = line;
	}
	driver->turn = (driver->turn + 1) % count;
	return best;
}
