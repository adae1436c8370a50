// Messages of the bank made into answers (docs/drivers.md), the one table of response codes, and
// the answers that we give ourselves.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "iso8583/tagged.h"

#include <stdio.h>

// The longest frame that we send.
#define FRAME_MAX 2048

enum { APPROVED = 1, DECLINED = 0 };
enum { CVC_FAILED = 1, PROOF_WANTED = 2, ORIGINAL_UNKNOWN = 4 };

struct code_row {
	char code[3];
	int outcome;
	const char *decline_code;
	int flags;
};

static const struct code_row codes[] = {
#define CODE(code, outcome, decline_code, flags) { code, outcome, decline_code, flags },
#include "codes.def"
#undef CODE
};

static const struct code_row *find_code(struct bytes code)
{
	static const struct code_row other = { "", DECLINED, "generic_decline", 0 };

	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (bytes_equal_text(code, codes[i].code))
			return &codes[i];
	return &other;
}

void driver_answer_plain(struct driver *driver, uint64_t id, const char *outcome,
                         const char *detail)
{
	struct buffer *output = &driver->output;

	buffer_printf(output, "{\"id\":%llu,\"outcome\":\"%s\",\"detail\":", (unsigned long long)id,
	              outcome);
	json_put_text(output, bytes_text(detail));
	buffer_put_text(output, "}\n");
}

void driver_tell_state(struct driver *driver, const char *state, const char *detail)
{
	struct buffer *output = &driver->output;

	buffer_printf(output, "{\"id\":0,\"state\":\"%s\"", state);
	if (detail) {
		buffer_put_text(output, ",\"detail\":");
		json_put_text(output, bytes_text(detail));
	}
	buffer_put_text(output, "}\n");
}

void driver_give_up(struct driver *driver, struct flight_entry *entry, const char *detail)
{
	bool untouched = entry->state == FLIGHT_QUEUED;

	line_unqueue(&driver->line, entry);
	if (entry->operation != OP_LINE)
		driver_answer_plain(driver, entry->id, untouched ? "not_sent" : "unknown", detail);
	if (untouched || entry->operation == OP_LINE)
		flight_remove(&driver->flight, entry);
	else
		flight_make_late(&driver->flight, entry,
		                 driver->now_ms + driver->parameters.late_window_ms);
}

struct flight_key driver_key_of(const struct iso8583_message *message)
{
	struct flight_key key;
	struct bytes sent_at = iso8583_get(message, 7);
	struct bytes stan = iso8583_get(message, 11);
	struct bytes terminal = iso8583_get_trimmed(message, 41);

	memset(&key, ' ', sizeof key);
	key.class = message->mti[1];
	if (sent_at.length == sizeof key.sent_at)
		memcpy(key.sent_at, sent_at.data, sizeof key.sent_at);
	if (stan.length == sizeof key.stan)
		memcpy(key.stan, stan.data, sizeof key.stan);
	if (terminal.length > 0 && terminal.length <= sizeof key.terminal)
		memcpy(key.terminal, terminal.data, terminal.length);
	return key;
}

// Packs the message into a whole frame at `wire`.
static struct result pack_frame(struct driver *driver, uint8_t *wire, size_t capacity,
                                size_t *ret_length)
{
	const struct iso8583_framing *framing = &driver->parameters.framing;
	size_t overhead = iso8583_frame_overhead(framing);
	struct iso8583_place place;
	size_t length;

	TRY(iso8583_pack(driver->parameters.dialect, &driver->message, wire + overhead,
	                 capacity - overhead, &length, &place));
	*ret_length = overhead + length;
	return iso8583_frame_write(framing, length, driver->parameters.tpdu, wire);
}

struct result driver_send(struct driver *driver, const struct flight_key *key, int64_t deadline_ms,
                          struct flight_entry **ret_entry)
{
	uint8_t wire[FRAME_MAX];
	size_t length;

	if (driver->flight.live.count >= FLIGHT_LIVE_MAX)
		return FAIL(ERROR_LIMIT, "too many requests are under way on this line");
	struct result result = pack_frame(driver, wire, sizeof wire, &length);
	if (result_ok(result)) {
		*ret_entry = flight_add(&driver->flight, key, deadline_ms);
		if (!*ret_entry)
			result = FAIL(ERROR_STATE, "a request with the same stan, sent_at and "
			                           "terminal is under way or was not long ago");
	}
	if (result_ok(result)) {
		(*ret_entry)->unreadable_before = driver->line.unreadable;
		CHECK(iso8583_answer_mti(driver->message.mti, (*ret_entry)->mti));
		line_queue(&driver->line, *ret_entry, bytes_from(wire, length));
	}
	explicit_bzero(wire, sizeof wire);
	return result;
}

// Writes `,"name":"text"` when there is a text.
static void put_member(struct buffer *output, const char *name, struct bytes text)
{
	if (text.length == 0)
		return;
	buffer_printf(output, ",\"%s\":", name);
	json_put_text(output, text);
}

static const char *cvc_check(const struct flight_entry *entry, struct bytes result,
                             const struct code_row *row)
{
	if (!entry->has_cvc)
		return "unchecked";
	if (row->flags & CVC_FAILED || bytes_equal_text(result, "N"))
		return "fail";
	if (bytes_equal_text(result, "M"))
		return "pass";
	return result.length > 0 ? "unavailable" : "unchecked";
}

// What was approved: the bank's DE4 and DE49, or what we asked for where it does not say.
static void put_approved_amount(struct buffer *output, const struct flight_entry *entry,
                                const struct iso8583_message *message)
{
	uint64_t amount = 0;
	struct bytes digits = iso8583_get(message, 4);
	struct bytes currency = iso8583_get(message, 49);

	for (size_t i = 0; i < digits.length; i++)
		amount = amount * 10 + (uint64_t)(digits.data[i] - '0');
	if (digits.length == 0)
		amount = entry->amount;
	buffer_printf(output, ",\"amount\":%llu", (unsigned long long)amount);
	put_member(output, "currency",
	           currency.length > 0 ? currency : bytes_text(entry->currency));
}

// The members of the answer from `outcome` on, for a message that has DE39.
static void put_outcome(struct buffer *output, const struct flight_entry *entry,
                        const struct iso8583_message *message)
{
	struct bytes code = iso8583_get(message, 39);
	struct bytes private_data = iso8583_get(message, 48);
	const struct code_row *row = find_code(code);
	bool approved = row->outcome == APPROVED;
	bool card_asked = entry->operation == OP_VERIFY || entry->operation == OP_AUTHORIZE;

	buffer_printf(output, "\"outcome\":\"%s\"", approved ? "approved" : "declined");
	if (!approved)
		put_member(output, "decline_code", bytes_text(row->decline_code));
	if (row->flags & PROOF_WANTED)
		buffer_put_text(output, ",\"authentication_required\":true");
	if (row->flags & ORIGINAL_UNKNOWN && !card_asked)
		buffer_put_text(output, ",\"no_original\":true");
	put_member(output, "response_code", code);
	if (card_asked)
		put_member(
		        output, "cvc_check",
		        bytes_text(cvc_check(entry, iso8583_tagged_get(private_data, "21"), row)));
	if (approved) {
		put_member(output, "approval_code", iso8583_get_trimmed(message, 38));
		put_member(output, "network_transaction_id",
		           iso8583_tagged_get(private_data, "03"));
	}
	if (approved && (entry->operation == OP_AUTHORIZE || entry->operation == OP_REFUND))
		put_approved_amount(output, entry, message);
	put_member(output, "rrn", iso8583_get_trimmed(message, 37));
	put_member(output, "stan", iso8583_get(message, 11));
}

static void put_answer(struct driver *driver, const struct flight_entry *entry,
                       const struct iso8583_message *message)
{
	struct buffer *output = &driver->output;

	if (entry->state == FLIGHT_LATE)
		buffer_printf(output, "{\"id\":0,\"late\":{\"request\":%llu,",
		              (unsigned long long)entry->id);
	else
		buffer_printf(output, "{\"id\":%llu,", (unsigned long long)entry->id);
	put_outcome(output, entry, message);
	buffer_put_text(output, entry->state == FLIGHT_LATE ? "}}\n" : "}\n");
}

static void log_message(struct driver *driver, enum log_level level, const char *event)
{
	cleanup(buffer_done) struct buffer text;

	buffer_init(&text, 16384);
	iso8583_describe(driver->parameters.dialect, &driver->message, &text);
	log_event(level, event, LOG_TEXT("message", buffer_text(&text)));
}

// The bank asks something of us: network messages are answered, the rest is noted.
static void answer_the_bank(struct driver *driver)
{
	struct iso8583_message *message = &driver->message;
	char mti[4];

	if (message->mti[1] != '8' || !iso8583_answer_mti(message->mti, mti)) {
		log_message(driver, LOG_WARN, "unsolicited");
		return;
	}
	uint8_t wire[FRAME_MAX];
	size_t length;
	memcpy(message->mti, mti, sizeof mti);
	iso8583_set(message, 39, BYTES_LITERAL("00"));
	if (result_ok(pack_frame(driver, wire, sizeof wire, &length)))
		line_queue(&driver->line, NULL, bytes_from(wire, length));
}

// Ends an entry whose answer came but cannot be used.
static void end_unusable(struct driver *driver, struct flight_entry *entry, const char *detail)
{
	if (!entry || entry->state == FLIGHT_QUEUED) {
		line_note_unreadable(&driver->line, detail);
		return;
	}
	log_event(LOG_WARN, "unusable_answer", LOG_TEXT("detail", detail));
	if (entry->state != FLIGHT_LATE)
		driver_give_up(driver, entry, detail);
}

// A message that breaks off may still say whose it is, if DE7 and DE11 come before the break.
static void unreadable_came(struct driver *driver, struct result why, struct iso8583_place place)
{
	struct flight_key key = driver_key_of(&driver->message);
	struct flight_entry *entry = NULL;
	char detail[200];

	snprintf(detail, sizeof detail,
	         "the bank's answer cannot be read: field %d at byte %zu: %s", place.field,
	         place.offset, why.detail);
	if (place.field > 11)
		entry = flight_find_without_terminal(&driver->flight, &key);
	end_unusable(driver, entry, detail);
}

static void answer_came(struct driver *driver)
{
	struct iso8583_message *message = &driver->message;
	struct flight_key key = driver_key_of(message);
	struct flight_entry *entry = flight_find(&driver->flight, &key);

	if (!entry || entry->state == FLIGHT_QUEUED || entry->state == FLIGHT_WRITING) {
		log_message(driver, LOG_WARN, "unmatched");
		return;
	}
	if (memcmp(message->mti, entry->mti, 4) != 0) {
		end_unusable(driver, entry, "the bank's answer has another message type");
		return;
	}
	if (iso8583_get(message, 39).length != 2) {
		end_unusable(driver, entry, "the bank's answer has no response code");
		return;
	}
	if (entry->operation == OP_LINE) {
		bool good = bytes_equal_text(iso8583_get(message, 39), "00");
		flight_remove(&driver->flight, entry);
		line_answered(driver, good);
		return;
	}
	put_answer(driver, entry, message);
	flight_remove(&driver->flight, entry);
}

void driver_message_came(struct driver *driver, struct bytes wire)
{
	struct iso8583_place place;
	struct result result =
	        iso8583_unpack(driver->parameters.dialect, wire, &driver->message, &place);

	if (!result_ok(result))
		unreadable_came(driver, result, place);
	else if ((driver->message.mti[2] - '0') % 2 == 0)
		answer_the_bank(driver);
	else
		answer_came(driver);
	iso8583_wipe(&driver->message);
}
