// Strict readers and writers of texts.
#include "base/text.h"

static const char base64url_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static const char base64_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// What each character of both alphabets stands for. Any other stands for 0 here, as A does.
static const uint8_t sextets[256] = {
	['A'] = 0,  ['B'] = 1,  ['C'] = 2,  ['D'] = 3,  ['E'] = 4,  ['F'] = 5,  ['G'] = 6,
	['H'] = 7,  ['I'] = 8,  ['J'] = 9,  ['K'] = 10, ['L'] = 11, ['M'] = 12, ['N'] = 13,
	['O'] = 14, ['P'] = 15, ['Q'] = 16, ['R'] = 17, ['S'] = 18, ['T'] = 19, ['U'] = 20,
	['V'] = 21, ['W'] = 22, ['X'] = 23, ['Y'] = 24, ['Z'] = 25, ['a'] = 26, ['b'] = 27,
	['c'] = 28, ['d'] = 29, ['e'] = 30, ['f'] = 31, ['g'] = 32, ['h'] = 33, ['i'] = 34,
	['j'] = 35, ['k'] = 36, ['l'] = 37, ['m'] = 38, ['n'] = 39, ['o'] = 40, ['p'] = 41,
	['q'] = 42, ['r'] = 43, ['s'] = 44, ['t'] = 45, ['u'] = 46, ['v'] = 47, ['w'] = 48,
	['x'] = 49, ['y'] = 50, ['z'] = 51, ['0'] = 52, ['1'] = 53, ['2'] = 54, ['3'] = 55,
	['4'] = 56, ['5'] = 57, ['6'] = 58, ['7'] = 59, ['8'] = 60, ['9'] = 61, ['+'] = 62,
	['-'] = 62, ['/'] = 63, ['_'] = 63,
};
static const char base62_alphabet[] =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static const char hex_alphabet[] = "0123456789abcdef";

bool text_is_digits(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < '0' || text.data[i] > '9')
			return false;
	return text.length > 0;
}

bool text_to_number(struct bytes text, uint64_t max, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (!text_is_digits(text) || (text.length > 1 && text.data[0] == '0'))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		uint64_t digit = (uint64_t)(text.data[i] - '0');
		if (digit > max || number > max / 10 || number * 10 > max - digit)
			return false;
		number = number * 10 + digit;
	}
	*ret_number = number;
	return true;
}

bool text_is_printable(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < 0x20 || text.data[i] > 0x7e)
			return false;
	return true;
}

// How many bytes follow the first byte of a UTF-8 sequence; -1 when no sequence starts so.
static int utf8_tail(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first <= 0xdf)
		return 1;
	if (first >= 0xe0 && first <= 0xef)
		return 2;
	if (first >= 0xf0 && first <= 0xf4)
		return 3;
	return -1;
}

// The second byte's bounds rule out overlong forms, surrogates and code points past U+10FFFF
// (RFC 3629 section 4).
static bool utf8_second_fits(uint8_t first, uint8_t second)
{
	uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

	return second >= low && second <= high;
}

bool text_is_utf8(struct bytes text)
{
	for (size_t i = 0; i < text.length; i++) {
		int tail = utf8_tail(text.data[i]);
		if (tail < 0 || (size_t)tail > text.length - i - 1)
			return false;
		if (tail > 0 && !utf8_second_fits(text.data[i], text.data[i + 1]))
			return false;
		for (int k = 2; k <= tail; k++)
			if ((text.data[i + (size_t)k] & 0xc0) != 0x80)
				return false;
		i += (size_t)tail;
	}
	return true;
}

void hex_put(struct buffer *buffer, struct bytes bytes)
{
	for (size_t i = 0; i < bytes.length; i++) {
		buffer_put_byte(buffer, (uint8_t)hex_alphabet[bytes.data[i] >> 4]);
		buffer_put_byte(buffer, (uint8_t)hex_alphabet[bytes.data[i] & 15]);
	}
}

static int hex_value(uint8_t digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

bool hex_read(struct bytes text, uint8_t *ret_bytes, size_t length)
{
	if (text.length != length * 2)
		return false;
	for (size_t i = 0; i < length; i++) {
		int high = hex_value(text.data[2 * i]);
		int low = hex_value(text.data[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret_bytes[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

// Appends the characters of one group of up to three bytes; returns how many characters that were.
static int put_group(struct buffer *buffer, const char *alphabet, struct bytes group)
{
	uint32_t bits = (uint32_t)group.data[0] << 16;
	int characters = (int)group.length + 1;

	if (group.length > 1)
		bits |= (uint32_t)group.data[1] << 8;
	if (group.length > 2)
		bits |= group.data[2];
	for (int i = 0; i < characters; i++)
		buffer_put_byte(buffer, (uint8_t)alphabet[bits >> (18 - 6 * i) & 63]);
	return characters;
}

void base64url_put(struct buffer *buffer, struct bytes bytes)
{
	for (size_t i = 0; i < bytes.length; i += 3)
		put_group(buffer, base64url_alphabet, bytes_slice(bytes, i, 3));
}

void base64_put(struct buffer *buffer, struct bytes bytes)
{
	for (size_t i = 0; i < bytes.length; i += 3)
		for (int n = put_group(buffer, base64_alphabet, bytes_slice(bytes, i, 3)); n < 4;
		     n++)
			buffer_put_byte(buffer, '=');
}

static struct result read_sextets(struct bytes text, const char *alphabet, struct buffer *buffer)
{
	uint32_t bits = 0;
	int held = 0;

	if (text.length % 4 == 1)
		return FAIL(ERROR_INPUT, "base64 of an impossible length");
	for (size_t i = 0; i < text.length; i++) {
		uint8_t sextet = sextets[text.data[i]];
		if ((uint8_t)alphabet[sextet] != text.data[i])
			return FAIL(ERROR_INPUT, "a character that base64 does not have");
		bits = (bits << 6 | sextet) & 0xffffff;
		held += 6;
		if (held >= 8) {
			held -= 8;
			buffer_put_byte(buffer, (uint8_t)(bits >> held));
		}
	}
	if (bits & ((1u << held) - 1))
		return FAIL(ERROR_INPUT, "stray bits at the end of base64");
	return buffer_result(buffer);
}

struct result base64url_read(struct bytes text, struct buffer *buffer)
{
	return read_sextets(text, base64url_alphabet, buffer);
}

struct result base64_read(struct bytes text, struct buffer *buffer)
{
	if (text.length % 4 != 0)
		return FAIL(ERROR_INPUT, "base64 without its padding");
	for (int i = 0; i < 2 && text.length && text.data[text.length - 1] == '='; i++)
		text.length--;
	return read_sextets(text, base64_alphabet, buffer);
}

void base62_put(struct buffer *buffer, uint64_t number, int digits)
{
	char text[16];

	for (int i = digits; i-- > 0; number /= 62)
		text[i] = base62_alphabet[number % 62];
	buffer_put(buffer, bytes_from(text, (size_t)digits));
}

bool base62_read(struct bytes text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text.length == 0)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		const char *found = text.data[i] ? strchr(base62_alphabet, text.data[i]) : NULL;
		if (!found || __builtin_mul_overflow(number, 62u, &number) ||
		    __builtin_add_overflow(number, (uint64_t)(found - base62_alphabet), &number))
			return false;
	}
	*ret_number = number;
	return true;
}

// The two-character escapes of RFC 8259 section 7; 0 for characters that have none.
static char json_escape(uint8_t character)
{
	switch (character) {
	case '"': return '"';
	case '\\': return '\\';
	case '\b': return 'b';
	case '\f': return 'f';
	case '\n': return 'n';
	case '\r': return 'r';
	case '\t': return 't';
	default: return 0;
	}
}

// How many bytes at the front stand for themselves.
static size_t json_plain(struct bytes text)
{
	size_t length = 0;

	while (length < text.length && text.data[length] >= 0x20 && text.data[length] != '"' &&
	       text.data[length] != '\\')
		length++;
	return length;
}

void json_put_text(struct buffer *buffer, struct bytes text)
{
	buffer_put_byte(buffer, '"');
	for (;;) {
		size_t plain = json_plain(text);
		buffer_put(buffer, bytes_slice(text, 0, plain));
		if (plain == text.length)
			break;
		char escape = json_escape(text.data[plain]);
		if (escape)
			buffer_put(buffer, bytes_from((char[]){ '\\', escape }, 2));
		else
			buffer_printf(buffer, "\\u%04x", text.data[plain]);
		text = bytes_slice(text, plain + 1, text.length);
	}
	buffer_put_byte(buffer, '"');
}
