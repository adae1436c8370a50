// The packing of texts. See phrases.h.
#include "store/phrases.h"

#include "base/check.h"

#include <stdlib.h>

enum {
	SHORTEST = 4, // that the form can say
	LONGEST = SHORTEST + 255,
	WORTH = 6,        // that is looked for: shorter ones save little and are everywhere
	LONG_ENOUGH = 48, // that nothing longer is looked for
	PLACES_BITS = 12, // of beginnings, by their hash
	SEEN_BITS = 16,
	LOOKS_MAX = 16, // at phrases that begin alike
	LITERAL = 0x1f,
	CONTROLS = 0x20,
};

static const uint8_t known[] = {
#include "store_phrases.h"
};

_Static_assert(sizeof(known) <= (LITERAL - 1) * 256, "a place has a first byte of 1 to 30");

// Places in `known`, plus one, so that 0 is none.
struct store_phrases {
	uint16_t newest[1 << PLACES_BITS];
	uint16_t older[sizeof(known)];
	// A bit for more of the hash: most of what is no phrase (ids) is told by that alone.
	uint8_t seen[(1 << SEEN_BITS) / 8];
};

// Reads eight bytes, of which WORTH count: to read just those takes three times as long.
static uint64_t hash_of(const uint8_t *beginning)
{
	uint64_t word;

	memcpy(&word, beginning, sizeof(word));
	return (word << (64 - 8 * WORTH)) * 0x9e3779b97f4a7c15u;
}

static size_t place_of(uint64_t hash)
{
	return hash >> (64 - PLACES_BITS);
}

static size_t bit_of(uint64_t hash)
{
	return hash >> (64 - SEEN_BITS);
}

struct store_phrases *store_phrases_new(void)
{
	struct store_phrases *phrases = calloc(1, sizeof(*phrases));

	for (size_t at = 0; phrases && at + sizeof(uint64_t) <= sizeof(known); at++) {
		uint64_t hash = hash_of(known + at);
		uint16_t *newest = &phrases->newest[place_of(hash)];
		phrases->older[at] = *newest;
		*newest = (uint16_t)(at + 1);
		phrases->seen[bit_of(hash) / 8] |= (uint8_t)(1 << bit_of(hash) % 8);
	}
	return phrases;
}

void store_phrases_free(struct store_phrases *phrases)
{
	free(phrases);
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");

static size_t common_length(const uint8_t *a, const uint8_t *b, size_t longest)
{
	uint64_t left, right;
	size_t length = 0;

	for (; length + sizeof(left) <= longest; length += sizeof(left)) {
		memcpy(&left, a + length, sizeof(left));
		memcpy(&right, b + length, sizeof(right));
		if (left != right)
			return length + (size_t)__builtin_ctzll(left ^ right) / 8;
	}
	while (length < longest && a[length] == b[length])
		length++;
	return length;
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

// The longest phrase that `text` begins with; 0: none that is worth it.
static size_t find(const struct store_phrases *phrases, struct bytes text, size_t *ret_at)
{
	size_t longest = 0;
	int looks = 0;

	if (text.length < sizeof(uint64_t))
		return 0;
	uint64_t hash = hash_of(text.data);
	if (!(phrases->seen[bit_of(hash) / 8] >> bit_of(hash) % 8 & 1))
		return 0;
	for (size_t next = phrases->newest[place_of(hash)]; next && looks < LOOKS_MAX;
	     next = phrases->older[next - 1], looks++) {
		size_t at = next - 1;
		size_t limit = smaller(smaller(text.length, LONGEST), sizeof(known) - at);
		if (limit <= longest || known[at + longest] != text.data[longest])
			continue; // no longer than what was found
		size_t length = common_length(text.data, known + at, limit);
		if (length <= longest)
			continue;
		longest = length;
		*ret_at = at;
		if (length >= LONG_ENOUGH)
			break;
	}
	return longest < WORTH ? 0 : longest;
}

static uint8_t *put_literal(uint8_t *to, uint8_t byte)
{
	if (byte < CONTROLS)
		*to++ = LITERAL;
	*to++ = byte;
	return to;
}

void store_pack(const struct store_phrases *phrases, struct bytes text, struct buffer *packed)
{
	uint8_t *room =
	        buffer_room(packed, 2 * text.length); // if all of it were control characters
	uint8_t *to = room;
	size_t at = 0;

	for (size_t i = 0; room && i < text.length;) {
		size_t length = find(phrases, bytes_from(text.data + i, text.length - i), &at);
		if (length == 0) {
			to = put_literal(to, text.data[i++]);
			continue;
		}
		*to++ = (uint8_t)(at / 256 + 1);
		*to++ = (uint8_t)(at % 256);
		*to++ = (uint8_t)(length - SHORTEST);
		i += length;
	}
	if (room)
		buffer_grew(packed, (size_t)(to - room));
}

// Appends the phrase at the beginning of `packed`. False: there is none such.
static bool put_phrase(struct bytes packed, struct buffer *text)
{
	if (packed.length < 3 || packed.data[0] == 0)
		return false;
	size_t at = (size_t)(packed.data[0] - 1) * 256 + packed.data[1];
	size_t length = (size_t)packed.data[2] + SHORTEST;
	if (at + length > sizeof(known))
		return false;
	buffer_put(text, bytes_from(known + at, length));
	return true;
}

bool store_unpack(struct bytes packed, struct buffer *text)
{
	size_t plain = 0; // bytes before `i` that stand for themselves and were not put yet

	for (size_t i = 0; i < packed.length; i++) {
		if (packed.data[i] >= CONTROLS) {
			plain++;
			continue;
		}
		buffer_put(text, bytes_slice(packed, i - plain, plain));
		plain = 0;
		if (packed.data[i] == LITERAL) {
			if (++i == packed.length)
				return false;
			buffer_put_byte(text, packed.data[i]);
			continue;
		}
		if (!put_phrase(bytes_slice(packed, i, packed.length), text))
			return false;
		i += 2;
	}
	buffer_put(text, bytes_slice(packed, packed.length - plain, plain));
	return true;
}
