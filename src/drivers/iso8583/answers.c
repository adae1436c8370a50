// Messages of the bank made into answers (docs/drivers.md), the one table of response codes, and
// the answers that we give ourselves.
#include "driver.h"

#include "base/check.h"
#include "base/cleanup.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "iso8583/part.h"

#include <stdio.h>

enum { APPROVED = 1, DECLINED = 0 };
enum { CVC_FAILED = 1, PROOF_WANTED = 2, ORIGINAL_UNKNOWN = 4 };
// Codes that answer one kind of message alone.
enum { FOR_REVERSAL = 8, FOR_ADVICE = 16, FOR_NETWORK = 32 };
// In the answer to a reversal it says that this was done already.
enum { REVERSED_BEFORE = 64 };

struct code_row {
	char code[CODE_MAX + 1];
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

void driver_line_up(struct driver *driver)
{
	if (driver->up++ == 0)
		driver_tell_state(driver, "up", NULL);
	driver->told_down = false;
	log_event(LOG_INFO, "line_up", LOG_NUMBER("lines", (int64_t)driver->up));
}

void driver_line_down(struct driver *driver, bool was_up, const char *detail)
{
	bool news = !driver->told_down || strcmp(driver->why, detail) != 0;

	if (was_up)
		driver->up--;
	if (news || was_up)
		log_event(LOG_WARN, "line_down", LOG_TEXT("detail", detail),
		          LOG_NUMBER("lines", (int64_t)driver->up));
	snprintf(driver->why, sizeof driver->why, "%s", detail);
	if (driver->up > 0)
		return;
	if (news)
		driver_tell_state(driver, "down", driver->why);
	driver->told_down = true;
}

void driver_give_up(struct driver *driver, struct flight_entry *entry, const char *detail)
{
	bool untouched = entry->state == FLIGHT_QUEUED;
	bool own = entry->operation == OP_LINE || entry->operation == OP_PROBE;

	line_unqueue(entry->line, entry);
	if (!own)
		driver_answer_plain(driver, entry->id, untouched ? "not_sent" : "unknown", detail);
	if (untouched || own)
		flight_remove(&driver->flight, entry);
	else
		flight_make_late(&driver->flight, entry,
		                 driver->now_ms + driver->parameters.late_window_ms);
}

// What the bank put where the dialect has a place for it; empty when that cannot be read.
static struct bytes placed(const struct driver *driver, const struct iso8583_message *message,
                           enum iso8583_role role, uint8_t *room)
{
	const struct iso8583_spot *spot = &driver->parameters.dialect->roles.places[role];
	struct bytes value = BYTES_NONE;

	if (!spot->target || !result_ok(iso8583_part_get(driver->parameters.dialect, message,
	                                                 spot->path, room, ISO8583_ROOM, &value)))
		return BYTES_NONE;
	while (value.length > 0 && value.data[value.length - 1] == ' ')
		value.length--;
	return value;
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

static uint64_t number_of(struct bytes digits)
{
	uint64_t number = 0;

	for (size_t i = 0; i < digits.length; i++)
		number = number * 10 + (uint64_t)(digits.data[i] - '0');
	return number;
}

// What was approved: the bank's DE4 and DE49, or what we asked for where it does not say.
static void put_approved_amount(struct driver *driver, const struct flight_entry *entry,
                                const struct iso8583_message *message)
{
	struct buffer *output = &driver->output;
	struct bytes digits = iso8583_get(message, 4);
	bool whole = driver_edition(driver)->amounts_whole;
	struct bytes currency = whole ? bytes_slice(digits, 0, 3) : iso8583_get(message, 49);
	struct bytes value =
	        whole ? bytes_slice(digits, WHOLE_AMOUNT_DIGITS - AMOUNT_DIGITS, digits.length)
	              : digits;
	uint64_t amount = digits.length > 0 ? number_of(value) : entry->amount;

	buffer_printf(output, ",\"amount\":%llu", (unsigned long long)amount);
	put_member(output, "currency",
	           currency.length > 0 ? currency : bytes_text(entry->currency));
}

// The members of the answer from `outcome` on, for a message that has DE39.
static void put_outcome(struct driver *driver, const struct flight_entry *entry,
                        const struct iso8583_message *message)
{
	struct buffer *output = &driver->output;
	struct bytes code = iso8583_get(message, 39);
	uint8_t room[ISO8583_ROOM];
	const struct code_row *row = find_code(code);
	bool approved = row->outcome == APPROVED ||
	                (row->flags & REVERSED_BEFORE && entry->operation == OP_REVERSE);
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
		put_member(output, "cvc_check",
		           bytes_text(cvc_check(
		                   entry, placed(driver, message, ISO8583_ROLE_CVC_RESULT, room),
		                   row)));
	if (approved) {
		put_member(output, "approval_code", iso8583_get_trimmed(message, 38));
		put_member(output, "network_transaction_id",
		           placed(driver, message, ISO8583_ROLE_TRANSACTION, room));
	}
	if (approved && (entry->operation == OP_AUTHORIZE || entry->operation == OP_REFUND))
		put_approved_amount(driver, entry, message);
	put_member(output, "rrn", iso8583_get_trimmed(message, 37));
	put_member(output, "stan",
	           entry->stan[0] ? bytes_text(entry->stan) : driver_stan_of(message));
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
	put_outcome(driver, entry, message);
	buffer_put_text(output, entry->state == FLIGHT_LATE ? "}}\n" : "}\n");
}

static void log_message(struct driver *driver, enum log_level level, const char *event)
{
	cleanup(buffer_done) struct buffer text;

	buffer_init(&text, 16384);
	iso8583_describe(driver->parameters.dialect, &driver->message, &text);
	log_event(level, event, LOG_TEXT("message", buffer_text(&text)));
}

// What the bank may ask for in a network message, and what of it is for the log.
static const struct {
	uint32_t situation;
	const char *event;
} network_events[] = {
	{ ISO8583_WHEN_SIGN_ON, "bank_signed_on" },
	{ ISO8583_WHEN_SIGN_OFF, "bank_signs_off" },
	{ ISO8583_WHEN_CUT_OVER, "cut_over" },
	{ ISO8583_WHEN_CUT_OVER_DONE, "cut_over_done" },
};

// What a network message of the bank asks for, by the dialect's line `send` for our sign-on: an
// echo when it does not say. 0: something that the line does not name.
static uint32_t network_meaning(const struct driver *driver, const struct iso8583_message *message)
{
	const struct iso8583_dialect *dialect = driver->parameters.dialect;
	const struct iso8583_send *send = iso8583_send_for(&dialect->roles, ISO8583_WHEN_SIGN_ON);
	uint8_t room[ISO8583_ROOM];
	struct bytes code;

	if (!send)
		return ISO8583_WHEN_ECHO;
	if (!result_ok(
	            iso8583_part_get(dialect, message, send->spot.path, room, sizeof room, &code)))
		return 0;
	return code.length == 0 ? ISO8583_WHEN_ECHO
	                        : iso8583_send_meaning(&dialect->roles, send, code);
}

// The bank asks something of us: network messages are answered, the rest is noted. A key exchange
// and whatever else we cannot do is refused, not nodded at.
static void answer_the_bank(struct driver *driver, struct line *line, struct bytes wire)
{
	struct iso8583_message *message = &driver->message;
	const struct edition *edition = driver_edition(driver);
	char mti[4];

	if (message->mti[1] != '8' || !iso8583_answer_mti(message->mti, mti)) {
		log_message(driver, LOG_WARN, "unsolicited");
		return;
	}
	if (mac_wanted(&driver->parameters, message->mti)) {
		const char *wrong =
		        mac_check(driver->mac, driver->parameters.dialect, message, wire);
		if (wrong) {
			log_event(LOG_WARN, "unusable_request", LOG_TEXT("detail", wrong));
			return;
		}
	}
	uint32_t meaning = network_meaning(driver, message);
	for (size_t i = 0; i < sizeof network_events / sizeof network_events[0]; i++)
		if (meaning == network_events[i].situation)
			log_event(LOG_INFO, network_events[i].event);
	line->bank_leaves |= meaning == ISO8583_WHEN_SIGN_OFF;
	memcpy(message->mti, mti, sizeof mti);
	iso8583_unset(message, 64);
	iso8583_unset(message, 128);
	iso8583_set(message, 39, bytes_text(meaning ? edition->accepted : edition->refused));
	driver_send_answer(driver, line);
}

// Ends an entry whose answer came but cannot be used. Our own messages end with their line.
static void end_unusable(struct driver *driver, struct flight_entry *entry, const char *detail)
{
	if (!entry || entry->state == FLIGHT_QUEUED) {
		driver->unreadable++;
		log_event(LOG_WARN, "unreadable", LOG_TEXT("detail", detail));
		return;
	}
	log_event(LOG_WARN, "unusable_answer", LOG_TEXT("detail", detail));
	if (entry->state == FLIGHT_LATE)
		return;
	if (entry->operation == OP_LINE || entry->operation == OP_PROBE)
		line_break(driver, entry->line, detail);
	else
		driver_give_up(driver, entry, detail);
}

// A message that breaks off may still say whose it is, if its numbers come before the break.
static void unreadable_came(struct driver *driver, struct result why, struct iso8583_place place)
{
	struct flight_key key = driver_key_of(driver, &driver->message);
	char detail[200];

	snprintf(detail, sizeof detail,
	         "the bank's answer cannot be read: field %d at byte %zu: %s", place.field,
	         place.offset, why.detail);
	end_unusable(driver, flight_find_partly(&driver->flight, &key, place.field), detail);
}

// The answer to one of our own messages.
static void own_answer_came(struct driver *driver, struct flight_entry *entry)
{
	const struct code_row *row = find_code(iso8583_get(&driver->message, 39));
	bool probe = entry->operation == OP_PROBE;
	struct line *line = entry->line;
	bool good = row->outcome == APPROVED;
	char code[CODE_MAX + 1], detail[100];

	if (!bytes_copy_text(iso8583_get(&driver->message, 39), code, sizeof code))
		code[0] = 0;
	flight_remove(&driver->flight, entry);
	if (!probe) {
		line_answered(driver, line, good, code);
		return;
	}
	snprintf(detail, sizeof detail, "%s (%s)", code, row->decline_code);
	probe_verified(driver, good ? "approved" : "declined", detail);
}

// May a message of this type be answered with the code?
static bool is_for(const struct code_row *row, const char mti[static 4])
{
	int kind = (mti[1] == '4' ? FOR_REVERSAL : 0) | (mti[2] == '3' ? FOR_ADVICE : 0) |
	           (mti[1] == '8' ? FOR_NETWORK : 0);
	int wanted = row->flags & (FOR_REVERSAL | FOR_ADVICE | FOR_NETWORK);

	return wanted == 0 || wanted & kind;
}

// Whole amounts name currency and decimals: the decimals have to be those that the currency has.
static bool amount_makes_sense(const struct driver *driver, const struct iso8583_message *message)
{
	const struct edition *edition = driver_edition(driver);
	struct bytes amount = iso8583_get(message, 4);
	uint64_t ours;

	if (!edition->amounts_whole || amount.length == 0)
		return true;
	struct bytes value =
	        bytes_slice(amount, WHOLE_AMOUNT_DIGITS - AMOUNT_DIGITS, amount.length);
	return amount.length == WHOLE_AMOUNT_DIGITS &&
	       edition_amount(edition, (const char *)amount.data, number_of(value), &ours) &&
	       ours == number_of(amount);
}

// NULL, or a sentence that says why this cannot be the answer to the entry.
static const char *find_fault(struct driver *driver, const struct flight_entry *entry,
                              struct bytes wire)
{
	struct iso8583_message *message = &driver->message;

	if (memcmp(message->mti, entry->mti, 4) != 0)
		return "the bank's answer has another message type";
	if (iso8583_get(message, 39).length != driver->parameters.dialect->fields[39].max)
		return "the bank's answer has no response code";
	if (!is_for(find_code(iso8583_get(message, 39)), message->mti))
		return "the bank's answer has the response code of another kind of message";
	if (!amount_makes_sense(driver, message))
		return "the bank's answer has an amount whose currency has another number of "
		       "decimals";
	if (mac_wanted(&driver->parameters, message->mti))
		return mac_check(driver->mac, driver->parameters.dialect, message, wire);
	return NULL;
}

static void answer_came(struct driver *driver, struct bytes wire)
{
	struct iso8583_message *message = &driver->message;
	struct flight_key key = driver_key_of(driver, message);
	struct flight_entry *entry = flight_find(&driver->flight, &key);

	if (!entry || entry->state == FLIGHT_QUEUED || entry->state == FLIGHT_WRITING) {
		log_message(driver, LOG_WARN, "unmatched");
		return;
	}
	const char *fault = find_fault(driver, entry, wire);
	if (fault) {
		end_unusable(driver, entry, fault);
		return;
	}
	if (entry->operation == OP_LINE || entry->operation == OP_PROBE) {
		own_answer_came(driver, entry);
		return;
	}
	put_answer(driver, entry, message);
	flight_remove(&driver->flight, entry);
}

void driver_message_came(struct driver *driver, struct line *line, struct bytes wire)
{
	struct iso8583_place place;
	struct result result =
	        iso8583_unpack(driver->parameters.dialect, wire, &driver->message, &place);

	if (!result_ok(result))
		unreadable_came(driver, result, place);
	else if ((driver->message.mti[2] - '0') % 2 == 0)
		answer_the_bank(driver, line, wire);
	else
		answer_came(driver, wire);
	iso8583_wipe(&driver->message);
}
