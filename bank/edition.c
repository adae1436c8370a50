// Fields of ISO 8583:1993 in the dialect of docs/iso8583.md, written from that page and not from
// the driver's tables: type, DE12, DE22, DE24, DE30, DE39 and DE56; and what 2003 has in common.
#include "edition.h"

#include "base/check.h"

#include <stdio.h>
#include <string.h>

// DE39 of 1987 and of 1993.
static const struct {
	const char *code, *action;
} codes[] = {
	{ "00", "000" }, { "10", "002" }, { "85", "000" }, { "05", "100" }, { "54", "101" },
	{ "59", "102" }, { "62", "104" }, { "13", "110" }, { "14", "111" }, { "51", "116" },
	{ "57", "119" }, { "61", "121" }, { "65", "123" }, { "1A", "180" }, { "N7", "181" },
	{ "82", "181" }, { "R0", "182" }, { "R1", "183" }, { "R3", "184" }, { "04", "200" },
	{ "41", "208" }, { "43", "209" }, { "12", "902" }, { "30", "904" }, { "91", "907" },
	{ "96", "909" }, { "94", "913" }, { "25", "914" }, { "40", "115" },
};

// DE70 of 1987 and DE24 of 1993 and 2003.
static const struct {
	const char *code, *function;
} networks[] = {
	{ "001", "801" }, { "002", "802" }, { "161", "811" }, { "201", "821" }, { "301", "831" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void bank_edition_set(struct iso8583_message *message, int field, const char *text)
{
	uint8_t *to = message->room + message->room_used;
	size_t length = strlen(text);

	CHECK(length <= sizeof message->room - message->room_used);
	memcpy(to, text, length);
	message->room_used += length;
	iso8583_set(message, field, bytes_from(to, length));
}

static void network_in(struct iso8583_message *message, struct bytes function)
{
	message->mti[3] = '0';
	for (size_t i = 0; i < COUNT(networks); i++)
		if (bytes_equal_text(function, networks[i].function))
			bank_edition_set(message, 70, networks[i].code);
}

// DE56 (type, DE11, DE12, DE32 behind its length) as DE90. What has another form is left out.
static void original_in(struct iso8583_message *message)
{
	struct bytes original = iso8583_get(message, 56);
	char text[64];

	iso8583_unset(message, 56);
	if (original.length < 24)
		return;
	struct bytes acquirer = bytes_slice(original, 24, original.length);
	const uint8_t *digits = original.data + 22;
	if (acquirer.length > 11 ||
	    acquirer.length != (size_t)(digits[0] - '0') * 10 + (size_t)(digits[1] - '0'))
		return;
	snprintf(text, sizeof text, "0%.3s%.6s%.10s%.*s%.*s00000000000",
	         (const char *)original.data + 1, (const char *)original.data + 4,
	         (const char *)original.data + 12, (int)(11 - acquirer.length), "00000000000",
	         (int)acquirer.length, (const char *)acquirer.data);
	bank_edition_set(message, 90, text);
}

void bank_edition_part_in(struct iso8583_message *message, struct bytes amounts)
{
	long long original = 0, amount = 0;
	struct bytes taken = iso8583_get(message, 4);
	char text[64];

	for (size_t i = 0; i < amounts.length; i++)
		original = original * 10 + (amounts.data[i] - '0');
	for (size_t i = 0; i < taken.length; i++)
		amount = amount * 10 + (taken.data[i] - '0');
	snprintf(text, sizeof text, "%012llu%030d",
	         (unsigned long long)(original > amount ? original - amount : 0), 0);
	bank_edition_set(message, 95, text);
}

static void in_1993(struct iso8583_message *message, const struct bank_edition *edition)
{
	struct bytes mode = bytes_slice(iso8583_get(message, 22), 6, 1);

	// A message is named by its local time here, so the desk's keys are made with that.
	iso8583_set(message, 7, bytes_slice(edition->local_at, 2, 10));
	if (iso8583_has(message, 22))
		bank_edition_set(message, 22, bytes_equal_text(mode, "A") ? "102" : "812");
	if (iso8583_has(message, 25))
		iso8583_unset(message, 25);
	if (bytes_equal_text(edition->function, "108"))
		bank_edition_set(message, 25, "51");
	if (iso8583_has(message, 56))
		original_in(message);
	if (bytes_equal_text(edition->function, "401"))
		bank_edition_part_in(message, bytes_slice(iso8583_get(message, 30), 0, 12));
}

void bank_edition_in(const struct iso8583_dialect *dialect, struct iso8583_message *message,
                     struct bank_edition *ret_edition)
{
	*ret_edition = (struct bank_edition){ .version = message->mti[0] };
	if (ret_edition->version != '1' && ret_edition->version != '2')
		return;
	memcpy(ret_edition->mti, message->mti, 4);
	ret_edition->sent_at = iso8583_get(message, 7);
	ret_edition->stan = iso8583_get(message, 11);
	ret_edition->local_at = iso8583_get(message, 12);
	ret_edition->function = iso8583_get(message, 24);
	ret_edition->original = iso8583_get(message, 56);
	ret_edition->amount = iso8583_get(message, 4);
	message->mti[0] = '0';
	if (message->mti[1] == '8') {
		network_in(message, ret_edition->function);
		return;
	}
	if (ret_edition->version == '1')
		in_1993(message, ret_edition);
	else
		bank_2003_in(dialect, message, ret_edition);
}

static const char *action_of(struct bytes code, const char mti[static 4])
{
	if (bytes_equal_text(code, "00") && mti[1] == '4')
		return "400";
	if (bytes_equal_text(code, "00") && mti[1] == '8')
		return "800";
	for (size_t i = 0; i < COUNT(codes); i++)
		if (bytes_equal_text(code, codes[i].code))
			return codes[i].action;
	return "100";
}

static void restore(struct iso8583_message *answer, int field, struct bytes value)
{
	if (value.length > 0)
		iso8583_set(answer, field, value);
	else
		iso8583_unset(answer, field);
}

void bank_edition_out(const struct bank_edition *edition, struct iso8583_message *answer)
{
	if (edition->version != '1' && edition->version != '2')
		return;
	CHECK(iso8583_answer_mti(edition->mti, answer->mti));
	restore(answer, 4, edition->amount);
	restore(answer, 7, edition->sent_at);
	restore(answer, 11, edition->stan);
	restore(answer, 12, edition->local_at);
	restore(answer, 24, edition->function);
	restore(answer, 56, edition->original);
	iso8583_unset(answer, 13);
	iso8583_unset(answer, 70);
	iso8583_unset(answer, 90);
	struct bytes code = iso8583_get(answer, 39);
	if (edition->version == '1' && code.length <= 2) // else it is one of 1993 already
		bank_edition_set(answer, 39, action_of(code, edition->mti));
	if (edition->version == '2')
		bank_2003_out(answer);
}

void bank_edition_ask(enum iso8583_edition edition, struct iso8583_message *message)
{
	if (edition != ISO8583_1993 && edition != ISO8583_2003)
		return;
	memcpy(message->mti, edition == ISO8583_1993 ? "1804" : "2804", 4);
	for (size_t i = 0; i < COUNT(networks); i++)
		if (bytes_equal_text(iso8583_get(message, 70), networks[i].code))
			bank_edition_set(message, 24, networks[i].function);
	iso8583_unset(message, 70);
}
