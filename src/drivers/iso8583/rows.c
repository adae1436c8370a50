// The parameters of a connection, one row each, and the setters of those that are more than a
// number, a flag or a text.
#include "rows.h"

#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

// The name of a dialect that comes with the driver, or the text of a file: its first line break
// tells them apart.
static bool set_dialect(struct parameters *parameters, const struct row_value *value)
{
	struct bytes text = bytes_text(value->text);
	struct iso8583_mistake mistake;
	bool file = memchr(text.data, '\n', text.length) != NULL;

	return result_ok(file ? iso8583_dialect_read(text, &parameters->dialect, &mistake)
	                      : iso8583_dialect_find(text, &parameters->dialect));
}

static bool set_length_header(struct parameters *parameters, const struct row_value *value)
{
	return iso8583_header_named(bytes_text(value->text), &parameters->framing.header);
}

static bool set_tpdu(struct parameters *parameters, const struct row_value *value)
{
	if (!value->text)
		return true;
	parameters->framing.tpdu = true;
	return hex_read(bytes_text(value->text), parameters->tpdu, sizeof parameters->tpdu);
}

static bool set_fixed_header(struct parameters *parameters, const struct row_value *value)
{
	size_t length = value->text ? strlen(value->text) : 0;

	parameters->framing.fixed_length = length / 2;
	return length % 2 == 0 && length / 2 <= ISO8583_FIXED_MAX &&
	       (length == 0 ||
	        hex_read(bytes_text(value->text), parameters->framing.fixed, length / 2));
}

static bool set_match(struct parameters *parameters, const struct row_value *value)
{
	static const struct {
		const char *name;
		unsigned bit;
	} fields[] = {
		{ "7", MATCH_7 }, { "11", MATCH_11 }, { "37", MATCH_37 }, { "41", MATCH_41 }
	};
	struct bytes rest = bytes_text(value->text);

	while (rest.length > 0) {
		size_t length = bytes_find(rest, ',');
		unsigned bit = 0;
		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
			if (bytes_equal_text(bytes_slice(rest, 0, length), fields[i].name))
				bit = fields[i].bit;
		if (!bit || parameters->match & bit)
			return false;
		parameters->match |= bit;
		rest = bytes_slice(rest, length + 1, rest.length);
	}
	return parameters->match & (MATCH_11 | MATCH_37);
}

static bool set_mac(struct parameters *parameters, const struct row_value *value)
{
	parameters->mac = (enum mac_kind)value->number;
	return true;
}

static bool set_mac_key(struct parameters *parameters, const struct row_value *value)
{
	size_t length = value->text ? strlen(value->text) : 0;

	parameters->mac_key_length = length / 2;
	return length == 0 || ((length == 32 || length == 48 || length == 64) &&
	                       hex_read(bytes_text(value->text), parameters->mac_key, length / 2));
}

static bool add_terminal(struct parameters *parameters, struct bytes name)
{
	if (parameters->terminal_count == TERMINALS_MAX || name.length == 0 ||
	    name.length > TERMINAL || !text_is_printable(name))
		return false;
	return bytes_copy_text(name, parameters->terminals[parameters->terminal_count++],
	                       TERMINAL + 1);
}

// How many digits a text ends in.
static size_t digits_at_end(struct bytes text)
{
	size_t count = 0;

	while (count < text.length && text.data[text.length - 1 - count] >= '0' &&
	       text.data[text.length - 1 - count] <= '9')
		count++;
	return count;
}

// TERM0001-TERM0008: the same letters, and digits that count up.
static bool add_range(struct parameters *parameters, struct bytes first, struct bytes last)
{
	size_t digits = digits_at_end(first);
	size_t letters = first.length - digits;
	char name[TERMINAL + 1];

	if (first.length != last.length || first.length > TERMINAL || digits == 0 ||
	    digits_at_end(last) < digits || memcmp(first.data, last.data, letters) != 0)
		return false;
	long from = 0, to = 0;
	for (size_t i = letters; i < first.length; i++) {
		from = from * 10 + (first.data[i] - '0');
		to = to * 10 + (last.data[i] - '0');
	}
	if (to < from || to - from >= TERMINALS_MAX)
		return false;
	for (long number = from; number <= to; number++) {
		snprintf(name, sizeof name, "%.*s%0*ld", (int)letters, (const char *)first.data,
		         (int)digits, number);
		if (!add_terminal(parameters, bytes_text(name)))
			return false;
	}
	return true;
}

// Names and ranges of names, with commas between.
static bool set_terminals(struct parameters *parameters, const struct row_value *value)
{
	struct bytes rest = value->text ? bytes_text(value->text) : BYTES_NONE;

	if (!value->text)
		return true;
	parameters->terminals = calloc(TERMINALS_MAX, sizeof *parameters->terminals);
	while (parameters->terminals && rest.length > 0) {
		struct bytes one = bytes_slice(rest, 0, bytes_find(rest, ','));
		size_t dash = bytes_find(one, '-');
		bool good = dash == one.length ? add_terminal(parameters, one)
		                               : add_range(parameters, bytes_slice(one, 0, dash),
		                                           bytes_slice(one, dash + 1, one.length));
		if (!good)
			return false;
		rest = bytes_slice(rest, one.length + 1, rest.length);
	}
	return parameters->terminal_count > 0;
}

// "NUMBER MM/YY".
static bool set_test_card(struct parameters *parameters, const struct row_value *value)
{
	struct bytes text = value->text ? bytes_text(value->text) : BYTES_NONE;
	struct bytes number = bytes_slice(text, 0, bytes_find(text, ' '));
	struct bytes expiry = bytes_slice(text, number.length + 1, text.length);
	char *to = parameters->test_card_expiry;

	if (!value->text)
		return true;
	if (number.length < 12 || !text_is_digits(number) || expiry.length != 5 ||
	    expiry.data[2] != '/' || !text_is_digits(bytes_slice(expiry, 0, 2)) ||
	    !text_is_digits(bytes_slice(expiry, 3, 2)))
		return false;
	memcpy(to, expiry.data + 3, 2);
	memcpy(to + 2, expiry.data, 2);
	return bytes_copy_text(number, parameters->test_card, sizeof parameters->test_card);
}

#define AT(member)                                                                                 \
	.offset = offsetof(struct parameters, member),                                             \
	.size = sizeof((struct parameters *)0)->member
#define NUMBER_ROW(name_, fallback_, min_, max_, member, scale_, en_, ru_)                         \
	{                                                                                          \
		.name = name_, .kind = ROW_NUMBER, .fallback = fallback_, .min = min_,             \
		.max = max_, AT(member), .scale = scale_,                                          \
		.wanted = "a number from " #min_ " to " #max_, .en = en_, .ru = ru_                \
	}
#define FLAG_ROW(name_, fallback_, member, en_, ru_)                                               \
	{                                                                                          \
		.name = name_, .kind = ROW_FLAG, .fallback = fallback_, AT(member),                \
		.wanted = "true or false", .en = en_, .ru = ru_                                    \
	}
#define CHOICE_ROW(name_, first, second, member, en_, ru_)                                         \
	{                                                                                          \
		.name = name_, .kind = ROW_CHOICE, .fallback = "\"" first "\"",                    \
		.choices = first " " second, AT(member), .wanted = first " or " second, .en = en_, \
		.ru = ru_                                                                          \
	}
#define DIGITS_ROW(name_, required_, fallback_, min_, max_, member, wanted_, en_, ru_)             \
	{                                                                                          \
		.name = name_, .kind = ROW_TEXT, .required = required_, .fallback = fallback_,     \
		.min = min_, .max = max_, AT(member), .wanted = wanted_, .en = en_, .ru = ru_      \
	}
#define FILE_ROW(name_, member, en_, ru_)                                                          \
	{                                                                                          \
		.name = name_, .kind = ROW_FILE, AT(member), .wanted = "the path of a file",       \
		.en = en_, .ru = ru_                                                               \
	}

const struct row parameter_rows[] = {
	{ .name = "host",
	  .kind = ROW_TEXT,
	  .required = true,
	  AT(host),
	  .wanted = "a host name or address",
	  .en = "Host of the bank. Without TLS only this machine (127.0.0.1, ::1, localhost), "
	        "unless plain_network is accepted.",
	  .ru = "Адрес банка. Без TLS — только эта машина (127.0.0.1, ::1, localhost), если не "
	        "задано plain_network=accepted." },
	{ .name = "port",
	  .kind = ROW_NUMBER,
	  .required = true,
	  .min = 1,
	  .max = 65535,
	  AT(port),
	  .scale = 1,
	  .wanted = "a number from 1 to 65535",
	  .en = "TCP port of the bank.",
	  .ru = "TCP-порт банка." },
	NUMBER_ROW("lines", "1", 1, 16, lines, 1,
	           "How many TCP connections to the bank are kept; requests are shared among them.",
	           "Сколько соединений с банком держать; запросы распределяются между ними."),
	CHOICE_ROW("tls", "none", "required", tls,
	           "Whether the line is protected by TLS 1.2 or newer.",
	           "Защищать ли линию TLS 1.2 или новее."),
	CHOICE_ROW("plain_network", "refused", "accepted", plain_network,
	           "Whether the line may leave this machine without TLS. Everyone on the way then "
	           "reads and alters card numbers: accept it only within a network that is "
	           "protected otherwise.",
	           "Можно ли вести линию за пределы этой машины без TLS. Тогда номера карт видит и "
	           "может изменить любой по пути: только внутри иначе защищённой сети."),
	{ .name = "tls_name",
	  .kind = ROW_TEXT,
	  AT(tls_name),
	  .wanted = "a host name or address",
	  .en = "The name that the bank's certificate must have. Without it: the host.",
	  .ru = "Имя, которое должно быть в сертификате банка. Если не задано — host." },
	CHOICE_ROW("tls_minimum", "1.2", "1.3", tls_1_3, "The oldest version of TLS that is used.",
	           "Самая старая допустимая версия TLS."),
	FILE_ROW("ca_file", ca_file,
	         "Authorities (PEM) that may vouch for the bank. Without it: those of the system.",
	         "Удостоверяющие центры (PEM), которым верить. Если не задано — системные."),
	FILE_ROW("client_certificate", certificate,
	         "Our certificate for the bank (PEM, with its chain).",
	         "Наш сертификат для банка (PEM, с цепочкой)."),
	FILE_ROW("client_key", key, "The key of our certificate (PEM, without a password).",
	         "Ключ нашего сертификата (PEM, без пароля)."),
	{ .name = "dialect",
	  .kind = ROW_TEXT,
	  .fallback = "\"1987-bcd\"",
	  .set = set_dialect,
	  .wanted = "1987-ascii, 1987-bcd, 1993-bcd, cmf or the text of a dialect file without a "
	            "mistake",
	  .en = "How messages are built: 1987-ascii, 1987-bcd, 1993-bcd, cmf, or a dialect file "
	        "(--set dialect=@FILE; `onfile iso8583 lint FILE` checks it).",
	  .ru = "Строение сообщений: 1987-ascii, 1987-bcd, 1993-bcd, cmf или файл диалекта "
	        "(--set dialect=@ФАЙЛ; его проверяет `onfile iso8583 lint ФАЙЛ`)." },
	{ .name = "length_header",
	  .kind = ROW_CHOICE,
	  .fallback = "\"binary2\"",
	  .choices = "binary2 binary4 bcd2 ascii4",
	  .set = set_length_header,
	  .wanted = "binary2, binary4, bcd2 or ascii4",
	  .en = "The length in front of a message: bytes in binary, digits in BCD or in ASCII.",
	  .ru = "Длина перед сообщением: двоичная, BCD или цифры ASCII." },
	FLAG_ROW("length_inclusive", "false", framing.inclusive,
	         "The length counts its own bytes too.", "Длина учитывает и саму себя."),
	{ .name = "tpdu",
	  .kind = ROW_TEXT,
	  .set = set_tpdu,
	  .wanted = "ten hexadecimal digits, such as 6000030000",
	  .en = "TPDU in front of a message, ten hexadecimal digits. Without it no TPDU is sent or "
	        "expected.",
	  .ru = "TPDU перед сообщением, десять шестнадцатеричных цифр. Если не задан, TPDU нет." },
	{ .name = "fixed_header",
	  .kind = ROW_TEXT,
	  .set = set_fixed_header,
	  .wanted = "up to 64 hexadecimal digits, two for each byte",
	  .en = "Bytes that stand in front of every message, behind length and TPDU (hexadecimal). "
	        "As "
	        "many are expected in front of the bank's.",
	  .ru = "Байты перед каждым сообщением, после длины и TPDU (шестнадцатерично). Столько же "
	        "ожидается перед сообщениями банка." },
	DIGITS_ROW("acquirer", true, NULL, 1, 11, acquirer, "up to 11 digits",
	           "Acquiring institution code (DE32), up to 11 digits.",
	           "Код эквайера (DE32), до 11 цифр."),
	{ .name = "terminals",
	  .kind = ROW_TEXT,
	  .set = set_terminals,
	  .wanted = "names of up to 8 characters and ranges of them, such as "
	            "TERM0001-TERM0008,TERM0011",
	  .en = "Terminals (DE41) that the bank gave: names and ranges, with commas between. All "
	        "messages about a payment have the same one. Without it onfile's own numbers.",
	  .ru = "Терминалы (DE41), выданные банком: имена и диапазоны через запятую. У всех "
	        "сообщений "
	        "об одном платеже терминал один. Если не задано — номера onfile." },
	DIGITS_ROW("mcc", false, "\"5999\"", 4, 4, category, "four digits",
	           "Merchant category code (DE18).", "Код категории торговца, MCC (DE18)."),
	DIGITS_ROW("country", false, NULL, 3, 3, country, "three digits",
	           "Country of the acquirer (DE19), ISO 3166 number. Without it DE19 is not sent.",
	           "Страна эквайера (DE19), номер ISO 3166. Если не задана, DE19 не передаётся."),
	{ .name = "verify",
	  .kind = ROW_CHOICE,
	  .fallback = "\"before\"",
	  .choices = "before after",
	  .wanted = "before or after",
	  .en = "Whether a card is verified before or after 3-D Secure when it is linked. onfile "
	        "follows it; the driver does not.",
	  .ru = "Когда проверять карту при привязке: до или после 3-D Secure. Этому следует "
	        "onfile, "
	        "не драйвер." },
	DIGITS_ROW(
	        "verify_code", false, NULL, 6, 6, processing_code, "six digits",
	        "Processing code (DE3) of a verification for zero. Without it: 000000, and 330000 "
	        "in a dialect of edition 2003.",
	        "Код операции (DE3) при проверке на нулевую сумму. Если не задан: 000000, а в "
	        "диалекте редакции 2003 — 330000."),
	CHOICE_ROW("refund", "request", "advice", refund_advice,
	           "Whether the bank is asked for a refund (0200) or told of it (0220).",
	           "Возврат: запрос банку (0200) или извещение (0220)."),
	DIGITS_ROW("refund_code", false, "\"200000\"", 6, 6, refund_code, "six digits",
	           "Processing code (DE3) of a refund.", "Код операции (DE3) при возврате."),
	CHOICE_ROW("reversal", "advice", "request", reversal_request,
	           "Whether the bank is told of a reversal (0420) or asked for it (0400).",
	           "Отмена: извещение банку (0420) или запрос (0400)."),
	CHOICE_ROW(
	        "advice_stan", "own", "original", original_stan,
	        "Whether a capture, a reversal and a refund have a number (DE11) of their own or "
	        "their original's.",
	        "Номер (DE11) списания, отмены и возврата: свой или исходного сообщения."),
	FLAG_ROW("original_data", "true", original_data,
	         "Send DE90 (which message is meant) with captures, reversals and refunds.",
	         "Передавать DE90 (о каком сообщении речь) при списании, отмене и возврате."),
	{ .name = "match",
	  .kind = ROW_TEXT,
	  .fallback = "\"7,11,41\"",
	  .set = set_match,
	  .wanted = "some of 7, 11, 37 and 41 with commas between, 11 or 37 among them",
	  .en = "The fields that the bank's answer has in common with the request.",
	  .ru = "Поля, по которым ответ банка узнаётся как ответ на запрос." },
	{ .name = "mac",
	  .kind = ROW_CHOICE,
	  .fallback = "\"none\"",
	  .choices = "none retail cmac",
	  .set = set_mac,
	  .wanted = "none, retail or cmac",
	  .en = "Message authentication (DE64 or DE128): none, retail MAC (ANSI X9.19) or "
	        "AES-CMAC. An "
	        "answer without a right one is not believed.",
	  .ru = "Код аутентификации (DE64 или DE128): нет, retail MAC (ANSI X9.19) или AES-CMAC. "
	        "Ответу "
	        "без верного кода не верят." },
	{ .name = "mac_key",
	  .kind = ROW_TEXT,
	  .secret = true,
	  .set = set_mac_key,
	  .wanted = "32 hexadecimal digits (48 or 64 for a longer AES key)",
	  .en = "Key of the MAC, hexadecimal.",
	  .ru = "Ключ кода аутентификации, шестнадцатерично." },
	FLAG_ROW("mac_network", "false", mac_network, "Network messages (0800) have a MAC too.",
	         "Код аутентификации есть и в сетевых сообщениях (0800)."),
	{ .name = "test_card",
	  .kind = ROW_TEXT,
	  .secret = true,
	  .set = set_test_card,
	  .wanted = "a card number, a space and MM/YY",
	  .en = "A card that the bank gave for tests (NUMBER MM/YY): `connection test` verifies it "
	        "for "
	        "zero.",
	  .ru = "Карта банка для проверок (НОМЕР ММ/ГГ): `connection test` проверяет её на нулевую "
	        "сумму." },
	FLAG_ROW("sign_on", "true", sign_on, "Sign on (0800/001) before the line is up.",
	         "Входить в сеть (0800/001) до начала работы."),
	NUMBER_ROW("connect_timeout_ms", "5000", 100, 60000, connect_timeout_ms, 1,
	           "Limit for finding the bank's address, for connecting and for TLS, each.",
	           "Предел на поиск адреса банка, на соединение и на TLS, на каждое."),
	NUMBER_ROW("sign_on_timeout_ms", "10000", 100, 60000, sign_on_timeout_ms, 1,
	           "Limit for the answer to the sign-on.", "Предел на ответ о входе в сеть."),
	NUMBER_ROW("echo_interval_s", "30", 0, 3600, echo_interval_ms, 1000,
	           "Silence after which the line is tried with an echo (0800/301). 0: never.",
	           "Тишина, после которой линия проверяется эхом (0800/301). 0: никогда."),
	NUMBER_ROW("echo_timeout_ms", "10000", 100, 60000, echo_timeout_ms, 1,
	           "Limit for the answer to an echo; after it the line is made anew.",
	           "Предел на ответ на эхо; после него линия устанавливается заново."),
	NUMBER_ROW("late_window_s", "600", 0, 86400, late_window_ms, 1000,
	           "How long after its deadline an answer is still recognised and reported.",
	           "Сколько времени после срока ответ ещё узнаётся и передаётся."),
};

const size_t parameter_rows_count = sizeof parameter_rows / sizeof parameter_rows[0];
