// Messages of the jPOS CMF (ISO 8583:2003) as the desk thinks of them, written from docs/iso8583.md
// and not from the driver's tables: DE4, DE11, DE12, DE21, DE22, DE24, DE30, DE34, DE39, DE49 and
// DE56.
#include "edition.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "iso8583/part.h"
#include "iso8583/tagged.h"

#include <stdio.h>
#include <string.h>

enum { PRIVATE_MAX = 256, TRANSACTION = 15 };

// DE39 of 1987 and of the CMF.
static const struct {
	const char *code, *result;
} codes[] = {
	{ "00", "0000" }, { "10", "0002" }, { "85", "0885" }, { "05", "1000" }, { "54", "1001" },
	{ "59", "1002" }, { "62", "1004" }, { "13", "1810" }, { "14", "1011" }, { "51", "1016" },
	{ "57", "1019" }, { "61", "1021" }, { "65", "1023" }, { "1A", "1067" }, { "N7", "1045" },
	{ "82", "1045" }, { "R0", "1075" }, { "R1", "1076" }, { "R3", "1077" }, { "04", "2000" },
	{ "41", "2008" }, { "43", "2009" }, { "12", "9102" }, { "30", "9100" }, { "91", "9107" },
	{ "96", "9109" }, { "94", "9113" }, { "25", "1816" }, { "40", "1015" }, { "21", "1825" },
};

struct private_data {
	uint8_t text[PRIVATE_MAX];
	size_t length;
};

static void add(struct private_data *to, const char *tag, struct bytes value)
{
	if (value.length > 0 &&
	    !iso8583_tagged_put(to->text, sizeof to->text - 1, &to->length, tag, value))
		to->length = 0;
}

// A part of the message; empty when it is not there or cannot be read.
static struct bytes part(const struct iso8583_dialect *dialect,
                         const struct iso8583_message *message, const char *path, uint8_t *room)
{
	struct bytes value;

	if (!result_ok(iso8583_part_get(dialect, message, path, room, ISO8583_ROOM, &value)))
		return BYTES_NONE;
	while (value.length > 0 && value.data[value.length - 1] == ' ')
		value.length--;
	return value;
}

static bool is_on_file(const struct iso8583_message *message)
{
	struct bytes how = iso8583_get(message, 22);

	return how.length > 0 && how.data[0] & 0x40;
}

// Four digits; a code of three has a zero in front. American Express has codes of four.
static struct bytes code_of(const struct iso8583_message *message, struct bytes digits)
{
	struct bytes number = iso8583_get(message, 2);
	bool four = number.length > 1 && number.data[0] == '3' &&
	            (number.data[1] == '4' || number.data[1] == '7');

	return !four && digits.length == 4 && digits.data[0] == '0' ? bytes_slice(digits, 1, 4)
	                                                            : digits;
}

// The private subfields of 1987, made of DE21, DE22, DE34 and DE49.
static void private_in(const struct iso8583_dialect *dialect, struct iso8583_message *message)
{
	static uint8_t room[ISO8583_ROOM];
	struct private_data private = { .length = 0 };
	struct buffer proof cleanup(buffer_done) = { 0 };
	struct bytes party = part(dialect, message, "34.74.2", room);

	if (party.length > 0)
		add(&private, "01", bytes_text(party.data[0] == '1' ? "M" : "C"));
	if (party.length > 0)
		add(&private, "02", bytes_text(is_on_file(message) ? "S" : "F"));
	add(&private, "03", part(dialect, message, "21.2", room));
	add(&private, "10", part(dialect, message, "34.73.8", room));
	buffer_init(&proof, PRIVATE_MAX);
	base64_put(&proof, part(dialect, message, "34.73.6", room));
	add(&private, "12", buffer_view(&proof));
	add(&private, "13", part(dialect, message, "34.73.18", room));
	add(&private, "20", code_of(message, part(dialect, message, "49.71.2", room)));
	private.text[private.length] = 0;
	iso8583_unset(message, 49);
	bank_edition_set(message, 48, (const char *)private.text);
}

// DE56 (type, DE11 of 12, DE12 of 14, DE32 up to the end) as DE90. What has another form is left
// out.
static void original_in(struct iso8583_message *message)
{
	struct bytes original = iso8583_get(message, 56);
	char text[64];

	iso8583_unset(message, 56);
	if (original.length < 31 || original.length > 41)
		return;
	int zeros = 11 - ((int)original.length - 30);
	snprintf(text, sizeof text, "0%.3s%.6s%.10s%.*s%.*s00000000000",
	         (const char *)original.data + 1, (const char *)original.data + 10,
	         (const char *)original.data + 20, zeros, "00000000000", 11 - zeros,
	         (const char *)original.data + 30);
	bank_edition_set(message, 90, text);
}

// DE4 begins with the currency and its decimals.
static void amount_in(struct iso8583_message *message)
{
	struct bytes amount = iso8583_get(message, 4);

	if (amount.length != 16)
		return;
	iso8583_set(message, 49, bytes_slice(amount, 0, 3));
	iso8583_set(message, 4, bytes_slice(amount, 4, 16));
}

void bank_2003_in(const struct iso8583_dialect *dialect, struct iso8583_message *message,
                  const struct bank_edition *edition)
{
	struct bytes original = bytes_slice(iso8583_get(message, 30), 4, 12);

	private_in(dialect, message);
	amount_in(message);
	iso8583_set(message, 7, bytes_slice(edition->local_at, 4, 10));
	iso8583_set(message, 11, bytes_slice(edition->stan, 6, 6));
	if (iso8583_has(message, 22))
		bank_edition_set(message, 22, is_on_file(message) ? "102" : "812");
	if (iso8583_has(message, 25))
		iso8583_unset(message, 25);
	if (bytes_equal_text(edition->function, "113"))
		bank_edition_set(message, 25, "51");
	if (iso8583_has(message, 56))
		original_in(message);
	if (bytes_equal_text(edition->function, "401"))
		bank_edition_part_in(message, original);
}

static const char *result_of(struct bytes code)
{
	for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
		if (bytes_equal_text(code, codes[i].code))
			return codes[i].result;
	return "1000";
}

// Bytes of the answer's own.
static void set_bytes(struct iso8583_message *answer, int field, const uint8_t *bytes,
                      size_t length)
{
	uint8_t *to = answer->room + answer->room_used;

	memcpy(to, bytes, length);
	answer->room_used += length;
	iso8583_set(answer, field, bytes_from(to, length));
}

void bank_2003_out(struct iso8583_message *answer)
{
	// Dataset 72, four bytes long: a bitmap with bit 3, and the result.
	uint8_t verification[] = { 0x72, 0x00, 0x04, 0x20, 0x00, ' ', ' ' };
	uint8_t life_cycle[19] = { '1' };
	struct bytes private = iso8583_get(answer, 48);
	struct bytes transaction = iso8583_tagged_get(private, "03");
	struct bytes cvc = iso8583_tagged_get(private, "21");

	iso8583_unset(answer, 48);
	iso8583_unset(answer, 49);
	if (transaction.length == TRANSACTION) {
		memcpy(life_cycle + 1, transaction.data, TRANSACTION);
		set_bytes(answer, 21, life_cycle, sizeof life_cycle);
	}
	if (cvc.length == 1) {
		verification[5] = cvc.data[0];
		set_bytes(answer, 49, verification, sizeof verification);
	}
	struct bytes code = iso8583_get(answer, 39);
	if (code.length <= 2) // else it is one of the CMF already
		bank_edition_set(answer, 39, result_of(code));
}
