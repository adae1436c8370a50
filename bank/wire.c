// The options of a line, and MACs: the last field of a message (64, or 128 behind fields above 64)
// over all that is before it.
#include "wire.h"

#include "base/cleanup.h"
#include "base/text.h"
#include "crypto/message_mac.h"
#include "tls/tls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 16, KEY_MAX = 32, PATH_LONGEST = 1024 };

// What is read before it can be put together.
struct draft {
	struct bank_wire *wire;
	struct buffer certificate, key, authorities;
};

static bool read_file(struct bytes path, struct buffer *text)
{
	char name[PATH_LONGEST];
	int fd cleanup(cleanup_fd) = -1;
	ssize_t got = 1;

	if (!bytes_copy_text(path, name, sizeof name))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && got > 0) {
		uint8_t *room = buffer_room(text, 4096);
		got = room ? read(fd, room, 4096) : -1;
		buffer_grew(text, got > 0 ? (size_t)got : 0);
	}
	return fd >= 0 && got == 0 && text->length > 0;
}

// retail:HEX or cmac:HEX
static bool read_mac(struct bytes value, struct bank_wire *wire)
{
	size_t colon = bytes_find(value, ':');
	struct bytes kind = bytes_slice(value, 0, colon);
	struct bytes hex = bytes_slice(value, colon + 1, value.length);
	bool retail = bytes_equal_text(kind, "retail");
	uint8_t key[KEY_MAX];

	if ((!retail && !bytes_equal_text(kind, "cmac")) ||
	    (hex.length != 32 && (retail || (hex.length != 48 && hex.length != 64))) ||
	    !hex_read(hex, key, hex.length / 2))
		return false;
	crypto_message_mac_free(wire->mac);
	wire->mac = crypto_message_mac_new(retail ? CRYPTO_RETAIL_MAC : CRYPTO_AES_CMAC,
	                                   bytes_from(key, hex.length / 2));
	return true;
}

static bool read_fixed(struct bytes value, struct bank_wire *wire)
{
	wire->framing.fixed_length = value.length / 2;
	return value.length <= 2 * ISO8583_FIXED_MAX &&
	       hex_read(value, wire->framing.fixed, value.length / 2);
}

static bool set_flag(struct bytes name, struct bytes value, struct bank_wire *wire)
{
	bool yes = bytes_equal_text(value, "yes");

	if (!yes && !bytes_equal_text(value, "no"))
		return false;
	if (bytes_equal_text(name, "inclusive"))
		wire->framing.inclusive = yes;
	else if (bytes_equal_text(name, "tpdu"))
		wire->framing.tpdu = yes;
	else if (bytes_equal_text(name, "mac_network"))
		wire->mac_network = yes;
	else
		return false;
	return true;
}

// One `name=value` of the line's description.
static bool set_option(struct draft *draft, struct bytes option)
{
	struct bank_wire *wire = draft->wire;
	size_t equals = bytes_find(option, '=');
	struct bytes name = bytes_slice(option, 0, equals);
	struct bytes value = bytes_slice(option, equals + 1, option.length);

	if (bytes_equal_text(name, "dialect")) {
		iso8583_dialect_done(&wire->dialect);
		return result_ok(iso8583_dialect_find(value, &wire->dialect));
	}
	if (bytes_equal_text(name, "header"))
		return iso8583_header_named(value, &wire->framing.header);
	if (bytes_equal_text(name, "fixed"))
		return read_fixed(value, wire);
	if (bytes_equal_text(name, "mac"))
		return read_mac(value, wire);
	if (bytes_equal_text(name, "certificate"))
		return read_file(value, &draft->certificate);
	if (bytes_equal_text(name, "key"))
		return read_file(value, &draft->key);
	if (bytes_equal_text(name, "authorities"))
		return read_file(value, &draft->authorities);
	return set_flag(name, value, wire);
}

static struct result fill(struct draft *draft, const char *text)
{
	struct bytes rest = bytes_text(text);

	while (rest.length > 0) {
		size_t length = bytes_find(rest, ',');
		if (!set_option(draft, bytes_slice(rest, 0, length)))
			return FAIL(ERROR_INPUT, "--iso-line is not understood");
		rest = bytes_slice(rest, length + 1, rest.length);
	}
	if (draft->certificate.length == 0)
		return RESULT_OK;
	return tls_server_context(
	        &(struct tls_options){ .authorities = buffer_view(&draft->authorities),
	                               .certificate = buffer_view(&draft->certificate),
	                               .key = buffer_view(&draft->key) },
	        &draft->wire->tls);
}

struct result bank_wire_read(const char *text, struct bank_wire *ret_wire)
{
	struct draft draft = { .wire = ret_wire };

	*ret_wire = (struct bank_wire){ .framing.max = ISO8583_MESSAGE_MAX };
	TRY(iso8583_dialect_find(BYTES_LITERAL("1987-bcd"), &ret_wire->dialect));
	buffer_init(&draft.certificate, FILE_MAX);
	buffer_init(&draft.key, FILE_MAX);
	buffer_init(&draft.authorities, FILE_MAX);
	struct result result = fill(&draft, text);
	buffer_done(&draft.certificate);
	buffer_done(&draft.key);
	buffer_done(&draft.authorities);
	return result;
}

void bank_wire_done(struct bank_wire *wire)
{
	iso8583_dialect_done(&wire->dialect);
	crypto_message_mac_free(wire->mac);
	tls_context_free(wire->tls);
	*wire = (struct bank_wire){ 0 };
}

bool bank_wire_wants_mac(const struct bank_wire *wire, const char mti[static 4])
{
	return wire->mac && (mti[1] != '8' || wire->mac_network);
}

// How many bytes of the code the field has: the CMF has four.
static size_t length_of(const struct bank_wire *wire, int field)
{
	return wire->dialect->fields[field].max == 4 ? 4 : CRYPTO_MESSAGE_MAC;
}

static size_t width_of(const struct bank_wire *wire, int field)
{
	size_t length = length_of(wire, field);

	return wire->dialect->fields[field].encoding == ISO8583_BINARY ? length : 2 * length;
}

bool bank_wire_check(const struct bank_wire *wire, const struct iso8583_message *message,
                     struct bytes text)
{
	int field = message->present[1] ? 128 : 64;
	size_t width = width_of(wire, field);
	uint8_t code[CRYPTO_MESSAGE_MAC];

	if (!iso8583_has(message, field) || text.length < width)
		return false;
	crypto_message_mac(wire->mac, bytes_slice(text, 0, text.length - width), code);
	return bytes_equal(iso8583_get(message, field), bytes_from(code, length_of(wire, field)));
}

struct result bank_wire_pack(const struct bank_wire *wire, struct iso8583_message *message,
                             bool spoil, uint8_t *to, size_t *ret_length)
{
	static const uint8_t nothing[CRYPTO_MESSAGE_MAC];
	bool with_mac = bank_wire_wants_mac(wire, message->mti);
	int field = message->present[1] ? 128 : 64;
	size_t width = width_of(wire, field);
	uint8_t code[CRYPTO_MESSAGE_MAC];
	struct iso8583_place place;

	if (with_mac)
		iso8583_set(message, field, bytes_from(nothing, length_of(wire, field)));
	TRY(iso8583_pack(wire->dialect, message, to, ISO8583_MESSAGE_MAX, ret_length, &place));
	if (!with_mac)
		return RESULT_OK;
	crypto_message_mac(wire->mac, bytes_from(to, *ret_length - width), code);
	code[0] = (uint8_t)(code[0] ^ (spoil ? 1 : 0));
	uint8_t *at = to + *ret_length - width;
	for (size_t i = 0; i < width; i++)
		at[i] = width == length_of(wire, field)
		                ? code[i]
		                : (uint8_t) "0123456789ABCDEF"[i % 2 ? code[i / 2] & 15
		                                                     : code[i / 2] >> 4];
	return RESULT_OK;
}
